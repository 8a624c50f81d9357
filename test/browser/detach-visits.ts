/** The visits to the pages about seats that are taken along. */
import type { Page } from 'playwright-core'
import { send, type Visit } from './visit.ts'

const recipient = '-----BEGIN LEASEHOLD RECIPIENT-----\nAAAA\n-----END LEASEHOLD RECIPIENT-----'
const nothing = async (): Promise<void> => undefined

async function choose(page: Page, until: string, button: string): Promise<void> {
  await send(page, nothing, 'Next: until when')
  await send(page, () => page.fill('#until', until), button)
}

export const detachVisits: readonly Visit[] = [
  { name: 'detach', size: 'some', address: '/products/acme/cad/detach' },
  { name: 'detach-hostile', size: 'hostile', address: '/products/acme/cad/detach' },
  {
    name: 'detach-off',
    size: 'some',
    address: '/products/acme/cad/detach',
    prepare: (parts) => {
      parts.taken.enabled = false
    },
  },
  {
    name: 'detach-nothing',
    size: 'some',
    address: '/products/acme/cad/detach',
    prepare: (parts) => parts.taken.offers.splice(0),
  },
  {
    name: 'detach-block-wrong',
    size: 'some',
    address: '/products/acme/cad/detach',
    act: (page) =>
      send(
        page,
        async () => {
          await page.getByLabel('A machine with no connection').check()
          await page.fill('#recipient', '')
        },
        'Next: until when',
      ),
  },
  {
    name: 'detach-until',
    size: 'some',
    address: '/products/acme/cad/detach',
    act: (page) => send(page, nothing, 'Next: until when'),
  },
  {
    name: 'detach-until-wrong',
    size: 'some',
    address: '/products/acme/cad/detach',
    act: (page) => choose(page, '2027-01-31', 'Next: check'),
  },
  {
    name: 'detach-until-off',
    size: 'some',
    address: '/products/acme/cad/detach',
    act: (page) => choose(page, '2026-11-30', 'Next: check'),
  },
  {
    name: 'detach-check',
    size: 'some',
    address: '/products/acme/cad/detach',
    act: (page) => choose(page, '2026-12-08', 'Next: check'),
  },
  {
    name: 'detach-check-german',
    size: 'some',
    address: '/products/acme/cad/detach',
    language: 'de',
    act: async (page) => {
      await send(page, nothing, 'Weiter: bis wann')
      await send(page, () => page.fill('#until', '2026-12-08'), 'Weiter: prüfen')
    },
  },
  { name: 'detached', size: 'some', address: '/detached' },
  { name: 'detached-over', size: 'some', address: '/detached?over=with', language: 'de' },
  { name: 'detached-empty', size: 'empty', address: '/detached' },
  { name: 'detached-full', size: 'full', address: '/detached' },
  { name: 'detached-filtered', size: 'some', address: '/detached?q=nothing' },
  { name: 'detached-hostile', size: 'hostile', address: '/detached' },
  {
    name: 'detached-clock',
    size: 'some',
    address: '/detached',
    prepare: (parts) => {
      parts.taken.clock = { ...parts.taken.clock, ahead: { seconds: 9_000_000, waitIn: 3_300 } }
    },
  },
  { name: 'detachment', size: 'some', address: '/detached/d-in' },
  { name: 'detachment-out', size: 'some', address: '/detached/d-wait' },
  { name: 'detachment-lost', size: 'some', address: '/detached/d-lost', language: 'de' },
  { name: 'detachment-hostile', size: 'hostile', address: '/detached/bad-out-1' },
  { name: 'detachment-gone', size: 'some', address: '/detached/none' },
  {
    name: 'detachment-block',
    size: 'some',
    address: '/detached/d-out/block',
    act: (page) => send(page, nothing, 'Show the block'),
  },
  {
    name: 'detachment-receipt',
    size: 'some',
    address: '/detached/d-soft/receipt',
    act: async (page) => {
      await send(page, nothing, 'Return by receipt')
      await page.getByText('QR code').click()
    },
  },
  { name: 'detachment-return', size: 'some', address: '/detached/d-in/return' },
  { name: 'detachment-declare-lost', size: 'some', address: '/detached/d-out/lost' },
  { name: 'detachment-withdraw', size: 'some', address: '/detached/d-wait/withdraw' },
  { name: 'detachment-extend', size: 'some', address: '/detached/d-out/extend' },
  {
    name: 'detachment-extend-wrong',
    size: 'some',
    address: '/detached/d-in/extend',
    act: (page) => send(page, () => page.fill('#until', '2027-01-31'), 'Extend'),
  },
  {
    name: 'update-recipient',
    size: 'some',
    address: '/update',
    act: (page) => send(page, () => page.fill('#text', recipient), 'See what it would do'),
  },
  {
    name: 'update-returned',
    size: 'some',
    address: '/update',
    act: async (page) => {
      const text = `${recipient.replaceAll('RECIPIENT', 'DETACHMENT')}\n${recipient}`
      await send(page, () => page.fill('#text', text), 'See what it would do')
    },
  },
]
