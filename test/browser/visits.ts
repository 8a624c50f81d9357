/**
 * Every page and every state of it that a visitor can come to. The browser tests and the screenshots go through them.
 */
import type { Page } from 'playwright-core'
import type { Size } from '../http/ui/sample-data.ts'
import { password, type SampleParts } from '../http/ui/sample-parts.ts'

export interface Visit {
  readonly name: string
  readonly size: Size
  readonly address: string
  readonly language?: string
  prepare?(parts: SampleParts): void
  /** What the visitor does there, before it is looked at. */
  act?(page: Page): Promise<unknown>
}

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
    prepare: (parts) => parts.reach.push('Other machines can reach this agent at 192.168.1.5:1947.'),
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

async function send(page: Page, fill: () => Promise<unknown>, button: string): Promise<void> {
  await fill()
  await page.getByRole('main').getByRole('button', { name: button, exact: true }).click()
  await page.waitForLoadState('load')
}
