/**
 * Pictures of every page in light, dark and at 320 px, to be looked at by people: node build/scripts/screenshots.js FOLDER [NAME …]
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { chromiumPath, howToGetChromium, launchChromium } from '../test/browser/chromium.ts'
import { visits } from '../test/browser/visits.ts'
import { startPageServer } from '../test/http/ui/page-app.ts'
import { createSampleParts } from '../test/http/ui/sample-parts.ts'

const [folder = 'screenshots.tmp', ...wanted] = process.argv.slice(2)
const looks = [
  { name: 'light', colorScheme: 'light', width: 1200 },
  { name: 'dark', colorScheme: 'dark', width: 1200 },
  { name: 'narrow', colorScheme: 'light', width: 320 },
] as const

if (chromiumPath === undefined) {
  process.stderr.write(`${howToGetChromium}\n`)
  process.exit(1)
}
const browser = await launchChromium(chromiumPath)
await mkdir(folder, { recursive: true })
for (const visit of visits) {
  if (wanted.length > 0 && !wanted.includes(visit.name)) continue
  for (const { name, colorScheme, width } of looks) {
    const parts = createSampleParts(visit.size)
    visit.prepare?.(parts)
    const server = await startPageServer(parts)
    const page = await browser.newPage({
      colorScheme,
      viewport: { width, height: 800 },
      locale: visit.language ?? 'en',
    })
    await page.goto(server.address + visit.address)
    await visit.act?.(page)
    await page.screenshot({ path: path.join(folder, `${visit.name}-${name}.png`), fullPage: visit.size !== 'full' })
    await page.close()
    await server.close()
  }
}
await browser.close()
