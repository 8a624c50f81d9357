/**
 * Which sessions a page of the list shows: filter, order, page. Pure; must not import owners or koa.
 */
import { z } from 'zod'
import { type List, type Session, sessionStates } from '../api/shapes.ts'

export const sessionOrders = [
  'id',
  'license',
  'location',
  'product',
  'feature',
  'address',
  'user',
  'machine',
  'since',
  'timeout',
] as const
export type SessionOrder = (typeof sessionOrders)[number]

/** What the address of the page says. Anything that can't be used is ignored: an address is never an error. */
export const sessionQuery = z.object({
  q: z.string().trim().max(255).catch(''),
  state: z.enum(sessionStates).optional().catch(undefined),
  license: z.string().max(255).optional().catch(undefined),
  product: z.string().max(255).optional().catch(undefined),
  sort: z.enum(sessionOrders).catch('since'),
  order: z.enum(['up', 'down']).optional().catch(undefined),
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1),
})

export interface SessionSelection {
  /** Words that must all occur in product, title, feature, user, machine, application, address or id. */
  readonly search: string
  readonly state?: Session['state'] | undefined
  readonly license?: string | undefined
  readonly product?: string | undefined
  /** Names in small letters that the session's machine must have one of; a session that names no machine is of this one. */
  readonly hosts?: readonly string[] | undefined
  readonly sort: SessionOrder
  readonly descending: boolean
  readonly offset: number
  readonly limit: number
}

export function nameUser(session: Session): string {
  return session.user.displayName ?? session.user.email ?? session.user.account ?? ''
}

const keys: Readonly<Record<SessionOrder, (session: Session) => string>> = {
  id: (session) => session.id,
  license: (session) => session.license ?? '',
  location: (session) => session.source.manager.name,
  product: (session) => session.product,
  feature: (session) => session.feature ?? '',
  address: (session) => session.address,
  user: (session) => nameUser(session).toLowerCase(),
  machine: (session) => (session.host ?? '').toLowerCase(),
  since: (session) => session.startedAt,
  timeout: (session) => session.idleEndsAt ?? session.expiresAt,
}

function listWords(session: Session): string {
  const { user, process } = session
  return [
    session.id,
    session.product,
    session.title,
    session.feature,
    user.displayName,
    user.email,
    user.account,
    session.host,
    session.application,
    session.address,
    process?.name,
    process?.id,
  ]
    .join('\n')
    .toLowerCase()
}

interface Found {
  readonly key: string
  readonly session: Session
}

/** Up to here the best are kept while reading, so that a page of a hundred thousand costs no sorting of all of them. */
const keptMost = 1000

/** Filters, sorts and cuts out one page; equal ones keep the order of their ids, so that pages never overlap. */
export function selectSessions(sessions: Iterable<Session>, selection: SessionSelection): List<Session> {
  const { offset, limit, sort, state, license, product, hosts } = selection
  const words = selection.search.toLowerCase().split(/\s+/).filter(Boolean)
  const direction = selection.descending ? -1 : 1
  const inOrder = (a: Found, b: Found) => direction * compare(a.key, b.key) || compare(a.session.id, b.session.id)
  const end = offset + limit
  const found: Found[] = []
  const keyOf = keys[sort]
  let total = 0
  for (const session of sessions) {
    if (state !== undefined && session.state !== state) continue
    if (license !== undefined && session.license !== license) continue
    if (product !== undefined && session.product !== product) continue
    if (hosts !== undefined && session.host !== undefined && !hosts.includes(session.host.toLowerCase())) continue
    if (words.length > 0) {
      const text = listWords(session)
      if (!words.every((word) => text.includes(word))) continue
    }
    total += 1
    const one = { key: keyOf(session), session }
    if (end > keptMost) found.push(one)
    else keepBest(found, one, end, inOrder)
  }
  if (end > keptMost) found.sort(inOrder)
  return { items: found.slice(offset, end).map(({ session }) => session), total }
}

function keepBest(best: Found[], one: Found, most: number, inOrder: (a: Found, b: Found) => number): void {
  const last = best.at(-1)
  if (best.length >= most && last !== undefined && inOrder(one, last) >= 0) return
  let low = 0
  let high = best.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (inOrder(best[middle] as Found, one) <= 0) low = middle + 1
    else high = middle
  }
  best.splice(low, 0, one)
  if (best.length > most) best.pop()
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
