/**
 * The decisions about seats: open, begin to end, end, and what follows from a change of supplies. Pure: each takes a draft and
 * a command, changes the draft where it says yes, and answers what was decided. Times are the lessor's (R3).
 */
import type { Draft, SeatView } from './book.ts'
import type { CountFacts } from './count-key.ts'
import { type Activity, freshFreeIn, type Grant, type Tombstone, type Who } from './grant.ts'
import { type MoveContext, mostCandidates, moveTarget, placeByMoving } from './moving.ts'
import { leaseSecondsOf, mostSeats, openSupplies, place, sharesAll, type Wanted } from './placement.ts'
import { type ProductName, productName } from './product-name.ts'
import { type ClosedBy, endsSoon, fitsFeature, promiseSeconds, type Supply } from './supply.ts'

export interface OpenCommand {
  readonly id: string
  readonly instance: string
  readonly holder: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly who: Who
  readonly body: string
  readonly binding?: string
  readonly process?: { readonly boot: string; readonly id: number; readonly startedAt: string }
  readonly activity: Activity
  /** It waited in the line: its first promise is short (R30). */
  readonly waited: boolean
  /** Others wait for a seat: it may only share what its count key occupies already (R30). */
  readonly sharedOnly?: true
}

export interface DecisionContext extends MoveContext {
  /** Wall time in ms, for people. */
  readonly wall: number
  readonly boot: { readonly id: string; readonly at: number }
}

export type OpenOutcome =
  | { readonly kind: 'granted'; readonly grant: Grant; readonly moved: readonly Grant[] }
  | { readonly kind: 'repeated'; readonly grant: Grant }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'short' }
  /** More than there are in all: waiting does not help. */
  | { readonly kind: 'too_many'; readonly seats: number }
  | { readonly kind: 'unknown_feature' }
  /** There are seats, but no supply takes sessions now. */
  | { readonly kind: 'closed'; readonly why: ClosedBy }
  | { readonly kind: 'unknown_product' }

export function decideOpen(draft: Draft, command: OpenCommand, context: DecisionContext): OpenOutcome {
  const live = draft.grant(command.id)
  if (live) {
    if (live.ending !== undefined) return { kind: 'ended', reason: live.ending }
    return live.body === command.body ? { kind: 'repeated', grant: live } : { kind: 'conflict' }
  }
  const ended = draft.tombstone(command.id)
  if (ended) return { kind: 'ended', reason: ended.reason }

  if (isUnknownFeature(draft, command)) return { kind: 'unknown_feature' }
  const facts = factsOfCommand(command)
  const wanted: Wanted = {
    product: command.product,
    seats: command.seats,
    facts,
    ...(command.feature === undefined ? {} : { feature: command.feature }),
  }
  const supplies = openSupplies(draft, wanted, context.bootAt)
  if (supplies.length === 0) return noOpenSupply(draft, command, context.bootAt)

  const parts = place(draft, supplies, wanted)
  if (command.sharedOnly && !(parts && sharesAll(draft, parts, command.feature))) return short(supplies, wanted)
  const made = parts ? { parts, moved: [] } : placeByMoving(draft, supplies, wanted, context)
  if (!made) return short(supplies, wanted)
  const leaseSeconds = leaseSecondsOf(draft, made.parts)
  const grant: Grant = {
    id: command.id,
    instance: command.instance,
    kind: 'session',
    holder: command.holder,
    product: command.product,
    ...(command.feature === undefined ? {} : { feature: command.feature }),
    seats: command.seats,
    parts: made.parts,
    leaseSeconds,
    who: command.who,
    body: command.body,
    ...(command.binding === undefined ? {} : { binding: command.binding }),
    ...(command.process === undefined ? {} : { process: command.process }),
    activity: command.activity,
    ...(command.waited ? { unconfirmed: true as const } : {}),
    startedAt: context.wall,
    idleFor: 0,
    freeIn: freshFreeIn(leaseSeconds),
    written: { boot: context.boot.id, at: context.boot.at },
  }
  draft.putGrant(grant)
  return { kind: 'granted', grant, moved: made.moved }
}

function short(supplies: readonly Supply[], wanted: Wanted): OpenOutcome {
  const seats = mostSeats(supplies, wanted.feature)
  return wanted.seats > seats ? { kind: 'too_many', seats } : { kind: 'short' }
}

/** Any-product seats take every feature, but not one that the product's own licenses do not know. */
function isUnknownFeature(view: SeatView, { product, feature }: OpenCommand): boolean {
  if (feature === undefined) return false
  const own = view.suppliesFor(product).filter((one) => one.product !== undefined)
  return own.length > 0 && !own.some((one) => fitsFeature(one, feature))
}

function noOpenSupply(view: SeatView, command: OpenCommand, bootAt: number): OpenOutcome {
  const all = view.suppliesFor(command.product)
  if (all.length === 0) return { kind: 'unknown_product' }
  const fitting = all.filter((one) => fitsFeature(one, command.feature))
  if (fitting.length === 0) return { kind: 'unknown_feature' }
  const closed = fitting.map((one) => closedBy(one, bootAt))
  const order: readonly ClosedBy[] = [
    'license_blocked',
    'license_not_active',
    'clock_set_back',
    'license_not_yet_valid',
    'license_expired',
    'unknown_product',
  ]
  const why = order.find((one) => closed.includes(one))
  return why === undefined || why === 'unknown_product' ? { kind: 'unknown_product' } : { kind: 'closed', why }
}

function closedBy(supply: Supply, bootAt: number): ClosedBy | undefined {
  if (supply.takes.kind !== 'sessions') return supply.takes.why
  return promiseSeconds(supply, bootAt) > 0 ? undefined : 'license_expired'
}

/** The facts a grant is counted by; the same that it was opened with. */
export function factsOfGrant({ holder, who, process }: Pick<Grant, 'holder' | 'who' | 'process'>): CountFacts {
  return { agent: holder, process, account: who.account, email: who.email }
}

export function factsOfCommand(command: Pick<OpenCommand, 'holder' | 'who' | 'process'>): CountFacts {
  return factsOfGrant(command)
}

/**
 * Ends a grant for good: its seat is free, its id is never granted again (R2, R15). Sessions on any-product seats move back
 * to seats that came free (R31).
 */
export function decideEnd(
  draft: Draft,
  id: string,
  reason: string,
  context: MoveContext,
  overlap?: Tombstone['overlap'],
): { readonly ended: Grant; readonly moved: readonly Grant[] } | undefined {
  const grant = draft.grant(id)
  if (!grant) return undefined
  draft.dropGrant(id)
  const { instance } = grant
  draft.putTombstone(overlap === undefined ? { id, instance, reason } : { id, instance, reason, overlap })
  return {
    ended: grant,
    moved: moveBack(
      draft,
      grant.parts.map((part) => part.supply),
      context,
    ),
  }
}

/** Begins an end from the lessor's side: no more renewals; the seat counts until the holder confirms or it is free (R5). */
export function decideEnding(draft: Draft, id: string, reason: string): Grant | undefined {
  const grant = draft.grant(id)
  if (!grant) return undefined
  if (grant.ending !== undefined) return grant
  const ending = { ...grant, ending: reason }
  draft.putGrant(ending)
  return ending
}

/**
 * Moves sessions from any-product seats to seats of their own product that are free in these supplies (R31), but not into a
 * supply that ends soon, which they would have to leave again.
 */
export function moveBack(draft: Draft, supplies: readonly string[], context: MoveContext): readonly Grant[] {
  const moved: Grant[] = []
  for (const id of new Set(supplies)) {
    const own = draft.supply(id)
    if (own?.product === undefined || own.takes.kind !== 'sessions' || endsSoon(own, context.bootAt)) continue
    const name = productName(own.vendor, own.product)
    for (const any of draft.suppliesFor(name)) {
      if (any.product !== undefined) continue
      let inVain = 0
      for (const grant of draft.grantsOf(any.id, name)) {
        if (draft.used(own.id) >= own.seats || inVain >= mostCandidates) break
        const target = moveTarget(draft, grant, context, (supply) => supply.product !== undefined)
        if (!target) {
          inVain++
          continue
        }
        draft.putGrant(target)
        moved.push(target)
      }
    }
  }
  return moved
}

/**
 * After a supply ended: its sessions move to other supplies that fit, the rest begin to end (R6, R31).
 * @param reason the sessions' end reason
 */
export function decideSupplyEnd(
  draft: Draft,
  supply: string,
  reason: string,
  context: MoveContext,
): { readonly moved: readonly Grant[]; readonly ending: readonly Grant[] } {
  const moved: Grant[] = []
  const ending: Grant[] = []
  for (const grant of [...draft.grantsOf(supply)]) {
    if (grant.ending !== undefined) continue
    const target = moveTarget(draft, grant, context, (other) => other.id !== supply)
    if (target) {
      draft.putGrant(target)
      moved.push(target)
    } else {
      const changed = decideEnding(draft, grant.id, reason)
      if (changed) ending.push(changed)
    }
  }
  return { moved, ending }
}
