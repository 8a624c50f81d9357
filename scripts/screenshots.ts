/**
 * Pictures of the pages, to be looked at by people: node build/scripts/screenshots.js [FOLDER [NAME …]]
 * Without a folder: one of each page, light and dark, for docs/screens. With one: every state, also at 320 px.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { chromiumPath, howToGetChromium, launchChromium } from '../test/browser/chromium.ts'
import { visits } from '../test/browser/visits.ts'
import { startPageServer } from '../test/http/ui/page-app.ts'
import { createSampleParts } from '../test/http/ui/sample-parts.ts'

const [folder, ...names] = process.argv.slice(2)
/** What docs/screens shows: every page once. */
const documented = [
  'welcome',
  'overview',
  'licenses',
  'license',
  'license-add',
  'license-request',
  'products',
  'product',
  'product-mode',
  'detach',
  'detach-until',
  'detach-check',
  'detached',
  'detachment',
  'detachment-receipt',
  'features',
  'sessions',
  'session',
  'disconnect-dialog',
  'computers',
  'update-preview',
  'managers',
  'search',
  'test-failed',
  'connect',
  'journal',
  'journal-entry',
  'journal-verified',
  'history',
  'refused',
  'basic',
  'import-preview',
  'remote-managers',
  'remote-clients',
  'user-restrictions-checked',
  'detachable',
  'network',
  'sites',
  'site',
  'service',
  'computer-disconnect',
  'sign-in',
  'diagnostics',
  'help',
]
const looks = [
  { name: 'light', colorScheme: 'light', width: 1200 },
  { name: 'dark', colorScheme: 'dark', width: 1200 },
  { name: 'narrow', colorScheme: 'light', width: 320 },
] as const

const forDocs = folder === undefined
const target = folder ?? 'docs/screens'
const wanted = forDocs ? documented : names
if (chromiumPath === undefined) {
  process.stderr.write(`${howToGetChromium}\n`)
  process.exit(1)
}
const browser = await launchChromium(chromiumPath)
await mkdir(target, { recursive: true })
for (const visit of visits) {
  if (wanted.length > 0 && !wanted.includes(visit.name)) continue
  for (const { name, colorScheme, width } of forDocs ? looks.slice(0, 2) : looks) {
    const parts = createSampleParts(visit.size)
    visit.prepare?.(parts)
    const server = await startPageServer(parts)
    const page = await browser.newPage({
      colorScheme,
      viewport: { width, height: 800 },
      locale: visit.language ?? 'en',
      reducedMotion: 'reduce',
    })
    await page.goto(server.address + visit.address)
    await visit.act?.(page)
    const fullPage = !forDocs && visit.size !== 'full'
    await page.screenshot({ path: path.join(target, `${visit.name}-${name}.png`), fullPage })
    await page.close()
    await server.close()
  }
}
await browser.close()
