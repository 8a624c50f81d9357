/**
 * Every page and every state of it that a visitor can come to. The browser tests and the screenshots go through them.
 */
import type { Page } from 'playwright-core'
import { password, type SampleParts } from '../http/ui/sample-parts.ts'
import { detachVisits } from './detach-visits.ts'
import { networkVisits } from './network-visits.ts'
import { siteVisits } from './site-visits.ts'
import { send, type Visit } from './visit.ts'

const license = '-----BEGIN LEASEHOLD LICENSE-----\nAAAA\n-----END LEASEHOLD LICENSE-----'

function protect(parts: SampleParts): void {
  parts.passwordSet = password
  parts.problemList.length = 0
}

export const visits: readonly Visit[] = [
  { name: 'welcome', size: 'empty', address: '/' },
  { name: 'overview', size: 'some', address: '/' },
  { name: 'overview-well', size: 'some', address: '/', prepare: protect },
  { name: 'overview-hostile', size: 'hostile', address: '/' },
  { name: 'overview-german', size: 'some', address: '/', language: 'de' },
  {
    name: 'overview-reach',
    size: 'some',
    address: '/',
    prepare: (parts) => parts.net.reach.push({ who: 'approved', places: ['192.168.1.5:1947'] }),
  },
  { name: 'licenses', size: 'some', address: '/licenses' },
  { name: 'licenses-empty', size: 'empty', address: '/licenses' },
  { name: 'licenses-full', size: 'full', address: '/licenses' },
  { name: 'licenses-hostile', size: 'hostile', address: '/licenses' },
  { name: 'license', size: 'some', address: '/licenses/lic-7f3a9c21' },
  { name: 'license-blocked', size: 'some', address: '/licenses/lic-0007' },
  { name: 'license-gone', size: 'some', address: '/licenses/none' },
  { name: 'license-add', size: 'some', address: '/licenses/add' },
  {
    name: 'license-add-refused',
    size: 'some',
    address: '/licenses/add',
    act: (page) => send(page, () => page.fill('#text', 'Dear Ana, here is your license'), 'Add'),
  },
  {
    name: 'license-trust',
    size: 'some',
    address: '/licenses/add',
    act: (page) => send(page, () => page.fill('#text', `stranger\n${license}`), 'Add'),
  },
  {
    name: 'license-added',
    size: 'some',
    address: '/licenses/add',
    act: (page) => send(page, () => page.fill('#text', license), 'Add'),
  },
  {
    name: 'license-request',
    size: 'some',
    address: '/licenses/lic-22b0/activate',
    act: (page) => send(page, async () => undefined, 'Make the request'),
  },
  {
    name: 'license-activate-refused',
    size: 'some',
    address: '/licenses/lic-22b0/activate',
    act: (page) => send(page, () => page.fill('#text', 'for another machine'), 'Activate'),
  },
  { name: 'license-remove', size: 'some', address: '/licenses/lic-7f3a9c21/remove' },
  { name: 'license-deactivate', size: 'some', address: '/licenses/lic-7f3a9c21/deactivate' },
  {
    name: 'license-receipt',
    size: 'some',
    address: '/licenses/lic-7f3a9c21/deactivate',
    act: (page) => send(page, async () => undefined, 'Deactivate'),
  },
  { name: 'products', size: 'some', address: '/products' },
  { name: 'products-empty', size: 'empty', address: '/products' },
  { name: 'products-full', size: 'full', address: '/products' },
  { name: 'products-hostile', size: 'hostile', address: '/products' },
  { name: 'product', size: 'some', address: '/products/acme/cad' },
  {
    name: 'product-recounted',
    size: 'some',
    address: '/products/acme/acme-viewer',
    act: (page) => send(page, async () => undefined, 'Recount'),
  },
  { name: 'product-mode', size: 'some', address: '/products/acme/cad/mode' },
  {
    name: 'product-mode-wrong',
    size: 'some',
    address: '/products/acme/cad/mode',
    act: (page) => send(page, () => page.fill('#manager', 'two words'), 'Submit'),
  },
  { name: 'features', size: 'some', address: '/features' },
  { name: 'features-hostile', size: 'hostile', address: '/features' },
  { name: 'computers', size: 'some', address: '/computers' },
  { name: 'computers-full', size: 'full', address: '/computers?page=2' },
  { name: 'computers-hostile', size: 'hostile', address: '/computers' },
  { name: 'computers-beyond', size: 'some', address: '/computers?page=9' },
  { name: 'update', size: 'some', address: '/update' },
  {
    name: 'update-refused',
    size: 'some',
    address: '/update',
    act: (page) => send(page, () => page.fill('#text', 'Dear Ana'), 'See what it would do'),
  },
  {
    name: 'update-preview',
    size: 'some',
    address: '/update',
    act: (page) => send(page, () => page.fill('#text', `stranger\n${license}\nDEACTIVATION`), 'See what it would do'),
  },
  {
    name: 'update-applied',
    size: 'some',
    address: '/update',
    act: async (page) => {
      await send(page, () => page.fill('#text', license), 'See what it would do')
      await send(page, async () => undefined, 'Apply')
    },
  },
  { name: 'journal', size: 'some', address: '/journal' },
  { name: 'journal-empty', size: 'empty', address: '/journal' },
  { name: 'journal-full', size: 'full', address: '/journal?to=500' },
  { name: 'journal-hostile', size: 'hostile', address: '/journal' },
  { name: 'journal-filtered', size: 'some', address: '/journal?q=nothing' },
  { name: 'journal-not-here', size: 'full', address: '/journal?q=nothing' },
  { name: 'journal-entry', size: 'some', address: '/journal/2' },
  { name: 'journal-verified', size: 'some', address: '/journal/verify' },
  { name: 'history', size: 'some', address: '/history' },
  { name: 'history-month', size: 'some', address: '/history?period=month' },
  { name: 'history-empty', size: 'empty', address: '/history' },
  { name: 'history-hostile', size: 'hostile', address: '/history?period=week' },
  { name: 'refused', size: 'some', address: '/refused' },
  { name: 'refused-empty', size: 'empty', address: '/refused' },
  { name: 'refused-hostile', size: 'hostile', address: '/refused' },
  { name: 'refused-german', size: 'some', address: '/refused', language: 'de' },
  { name: 'diagnostics', size: 'some', address: '/diagnostics' },
  { name: 'diagnostics-hostile', size: 'hostile', address: '/diagnostics' },
  { name: 'help', size: 'some', address: '/help' },
  { name: 'help-german', size: 'some', address: '/help?q=Platz', language: 'de' },
  { name: 'sessions', size: 'some', address: '/sessions' },
  { name: 'sessions-empty', size: 'empty', address: '/sessions' },
  { name: 'sessions-full', size: 'full', address: '/sessions?page=2' },
  { name: 'sessions-filtered', size: 'some', address: '/sessions?q=nobody' },
  { name: 'sessions-beyond', size: 'some', address: '/sessions?page=9' },
  { name: 'sessions-hostile', size: 'hostile', address: '/sessions?sort=machine' },
  { name: 'session', size: 'some', address: '/sessions/s0000-2f9b1c7d' },
  { name: 'session-ending', size: 'some', address: '/sessions/s0002-2f9b1c7d' },
  { name: 'disconnect', size: 'some', address: '/sessions/s0000-2f9b1c7d/disconnect' },
  {
    name: 'disconnect-dialog',
    size: 'some',
    address: '/sessions',
    act: async (page) => {
      await page.locator('a[data-dialog]').first().click()
      await page.locator('dialog[open]').waitFor()
    },
  },
  { name: 'free-now', size: 'some', address: '/sessions/s0002-2f9b1c7d/free-now' },
  {
    name: 'disconnected',
    size: 'some',
    address: '/sessions/s0000-2f9b1c7d/disconnect',
    act: (page) => send(page, async () => undefined, 'Disconnect Ana Ruiz on WS-17'),
  },
  { name: 'basic', size: 'some', address: '/configuration/basic' },
  {
    name: 'basic-wrong',
    size: 'some',
    address: '/configuration/basic',
    act: (page) => send(page, () => page.locator('[name="session.idleMinutes"]').fill(''), 'Submit'),
  },
  {
    name: 'basic-saved',
    size: 'some',
    address: '/configuration/basic',
    act: (page) => send(page, () => page.locator('[name="agent.name"]').fill('WS-18'), 'Submit'),
  },
  ...networkVisits,
  ...detachVisits,
  ...siteVisits,
  { name: 'sign-in', size: 'some', address: '/configuration/basic', prepare: protect },
  {
    name: 'sign-in-refused',
    size: 'some',
    address: '/sign-in',
    prepare: protect,
    act: (page) => send(page, () => page.fill('#password', 'wrong'), 'Sign in'),
  },
  {
    name: 'broken',
    size: 'some',
    address: '/sessions',
    prepare: (parts) => {
      parts.broken = true
    },
  },
  { name: 'interface', size: 'some', address: '/help/api', language: 'de', act: openCalls },
  { name: 'not-found', size: 'some', address: '/nowhere' },
]

/** A call of each kind: with a body and a key, with a list, with text that is not JSON; and shapes. */
async function openCalls(page: Page): Promise<void> {
  for (const id of ['openSession', 'listJournal', 'followEvents', 'readLicense', 'shape-Session', 'shape-Problem'])
    await page.locator(`#${id} > summary`).click()
}
