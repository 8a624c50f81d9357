/**
 * Why a seat was refused, as it is at this moment: seats, who holds them, when one is due (X1, S2). Owns nothing.
 */
import type { Clock } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import { fitsFeature } from './domain/supply.ts'
import type { Lessor } from './lessor.ts'
import type { AgentName } from './session-view.ts'

export interface HolderView {
  user?: string
  host?: string
  application?: string
  seats: number
  startedAt: string
}

export interface ManagerView {
  id: string
  name: string
  product: string
  seats: number
  used: number
  detached: number
  notDetachable: number
  nextReturnAt?: string
  holders?: HolderView[]
}

export interface ExplanationView {
  managers: ManagerView[]
  asked: { manager: AgentName; outcome: string; detail: string; ms: number }[]
  rule?: string
}

export type HolderPrivacy = 'names' | 'initials' | 'none'

export interface ExplainOptions {
  readonly lessor: Lessor
  readonly clock: Clock
  readonly self: AgentName
  readonly privacy: HolderPrivacy
  /** After how much time without reported activity a session ends, in ms. */
  readonly idleLimit: number
}

const mostHolders = 100
const mostLooked = 10_000

export function explain(product: ProductName, feature: string | undefined, options: ExplainOptions): ExplanationView {
  const { lessor, self } = options
  const supplies = lessor.view
    .suppliesFor(product)
    .filter((one) => one.takes.kind !== 'nothing' && fitsFeature(one, feature))
  if (supplies.length === 0) return { managers: [], asked: [] }
  const grants = new Map<string, Grant>()
  for (const supply of supplies) {
    for (const grant of lessor.view.grantsOf(supply.id)) {
      if (grants.size >= mostLooked) break
      grants.set(grant.id, grant)
    }
  }
  const next = nextReturn(grants.values(), options)
  const held = [...grants.values()].slice(0, mostHolders)
  const seats = supplies.reduce((sum, one) => sum + one.seats, 0)
  const used = supplies.reduce((sum, one) => sum + lessor.view.used(one.id), 0)
  const manager: ManagerView = {
    ...self,
    product,
    seats,
    used,
    detached: 0,
    notDetachable: seats,
    ...(next === undefined ? {} : { nextReturnAt: new Date(next).toISOString() }),
    ...(options.privacy === 'none' ? {} : { holders: held.map((grant) => holderView(grant, options.privacy)) }),
  }
  return { managers: [manager], asked: [] }
}

/**
 * The earliest time that a seat must come back without its holder doing anything: a lease that is already late, an end that
 * was ordered, an idle end. Undefined when all holders renew. Wall time in ms.
 */
function nextReturn(grants: Iterable<Grant>, { lessor, clock, idleLimit }: ExplainOptions): number | undefined {
  const now = clock.atLeast()
  let earliest: number | undefined
  for (const grant of grants) {
    const promise = lessor.promiseOf(grant.id)
    if (!promise) continue
    const late = now - promise.heardAt > (grant.leaseSeconds * 1000) / 2
    const ends: number[] = []
    if (grant.ending !== undefined || late) ends.push(promise.freeAt)
    if (grant.activity === 'reported') ends.push(promise.activeAt + idleLimit)
    for (const end of ends) if (earliest === undefined || end < earliest) earliest = end
  }
  return earliest === undefined ? undefined : clock.wall() + Math.max(0, Math.ceil(earliest - now))
}

function holderView(grant: Grant, privacy: HolderPrivacy): HolderView {
  const { displayName, email, account, host, application } = grant.who
  const user = displayName ?? email ?? account
  return {
    ...(user === undefined ? {} : { user: privacy === 'initials' ? initials(user) : user }),
    ...(host === undefined ? {} : { host }),
    ...(application === undefined ? {} : { application }),
    seats: grant.seats,
    startedAt: new Date(grant.startedAt).toISOString(),
  }
}

function initials(name: string): string {
  const words = (name.split('@')[0] ?? '').split(/[\s._-]+/).filter((word) => word !== '')
  return words.map((word) => `${[...word][0]?.toUpperCase() ?? ''}.`).join('')
}
