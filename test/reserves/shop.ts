/** A web site of the stand that most tests of sites use, and what its people and users do. */
import type { ExecutionContext } from 'ava'
import { activityView, siteOf } from '../../agent/agent-sites.ts'
import type { ErrorCode, Refusal } from '../../agent/errors.ts'
import type { SiteDefinition } from '../../agent/site-book.ts'
import { own, type Stand } from './stand.ts'

export const minute = 60_000
export const server = own('s1/portal', { product: 'portal', seats: 2 })
export const shop: SiteDefinition = {
  serverProduct: 'acme/portal',
  clientProduct: 'acme/cad',
  seats: 2,
  recycle: { cron: '30 4 * * *', zone: 'Europe/Berlin' },
  inactivityMinutes: 240,
}

export async function startShop(stand: Stand, id = 'shop', more: Partial<SiteDefinition> = {}) {
  await stand.kept.sites.define(id, { ...shop, ...more }, 'test')
  return await stand.kept.sites.startSite(id, 'site')
}

export function signIn(stand: Stand, id: string, isAdministrator = false, site = 'shop') {
  return stand.kept.sites.signIn(site, {
    id,
    user: { email: `${id}@x.example` },
    isAdministrator,
    address: '127.0.0.1',
  })
}

export async function signInAs(stand: Stand, id: string, site = 'shop') {
  const outcome = await signIn(stand, id, false, site)
  if (outcome.kind === 'refused') throw new Error(`${id}: ${outcome.code}: ${outcome.detail}`)
  return outcome.signIn
}

export async function active(stand: Stand, id: string) {
  const outcome = await stand.kept.sites.noteActivity('shop', [id])
  if (outcome.kind === 'refused') throw new Error(outcome.detail)
  const [activity] = outcome.activities
  if (!activity) throw new Error('no answer')
  return activityView(activity, stand.clock.wall())
}

export function occupied(stand: Stand, site = 'shop'): number {
  return siteOf(site, stand.owners, false)?.occupied ?? -1
}

export function untilRecycled(stand: Stand): Promise<void> {
  return stand.until('recycled', () => siteOf('shop', stand.owners, false)?.recycledAt !== undefined, 10_000)
}

export function isRefused(t: ExecutionContext, outcome: { kind: string }, code: ErrorCode): Refusal {
  t.like(outcome, { kind: 'refused', code })
  return outcome as Refusal
}
