/**
 * Where the seats of a session come from: the order of supplies, parts in several of them, and moving local sessions to other
 * supplies that fit (R18, R31). Pure: reads a view, answers parts.
 */
import type { Draft, SeatView } from './book.ts'
import { type CountFacts, countKey, hashCountKey } from './count-key.ts'
import type { Grant, Part } from './grant.ts'
import type { ProductName } from './product-name.ts'
import { endsSoon, featureLimit, fitsFeature, promiseSeconds, type Supply } from './supply.ts'
import { featureUnit } from './usage.ts'

/** What a place is looked for. */
export interface Wanted {
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly facts: CountFacts
}

const kindOrder = { detachment: 0, license: 1, lease: 2 } as const

/** Supplies that take a new session of this product and feature, best first. @param atMost now, in ms */
export function openSupplies(view: SeatView, wanted: Pick<Wanted, 'product' | 'feature'>, atMost: number): Supply[] {
  const open = view
    .suppliesFor(wanted.product)
    .filter(
      (one) => one.takes.kind === 'sessions' && fitsFeature(one, wanted.feature) && promiseSeconds(one, atMost) > 0,
    )
  if (open.length < 2) return open
  return open.sort(
    (a, b) =>
      Number(endsSoon(a, atMost)) - Number(endsSoon(b, atMost)) ||
      kindOrder[a.kind] - kindOrder[b.kind] ||
      Number(a.product === undefined) - Number(b.product === undefined) ||
      (b.until ?? Number.POSITIVE_INFINITY) - (a.until ?? Number.POSITIVE_INFINITY) ||
      (a.id < b.id ? -1 : 1),
  )
}

/** Key of a session within a supply, or undefined when it counts for itself. */
export function keyIn(supply: Supply, wanted: Pick<Wanted, 'product' | 'facts'>): string | undefined {
  const key = countKey(supply.rule, wanted.facts)
  return key && hashCountKey(supply.license, wanted.product, key)
}

/** Parts that hold all wanted seats, or undefined when the supplies have too few. First where the key already lives. */
export function place(view: SeatView, supplies: readonly Supply[], wanted: Wanted): Part[] | undefined {
  const keyed = supplies.map((supply) => {
    const key = keyIn(supply, wanted)
    return { supply, key, lives: key === undefined ? 0 : view.occupied(supply.id, key) }
  })
  const parts = new Map<string, Part>()
  let missing = wanted.seats
  const take = (supply: Supply, key: string | undefined, seats: number): void => {
    const taken = Math.min(missing, seats)
    if (taken <= 0) return
    const before = parts.get(supply.id)?.seats ?? 0
    const part = { supply: supply.id, seats: before + taken }
    parts.set(supply.id, key === undefined ? part : { ...part, key })
    missing -= taken
  }
  for (const { supply, key, lives } of keyed) {
    if (lives > 0) take(supply, key, Math.min(lives, roomIn(view, supply, wanted.feature, key)))
  }
  for (const { supply, key } of keyed) {
    take(supply, key, roomIn(view, supply, wanted.feature, key) - (parts.get(supply.id)?.seats ?? 0))
    if (missing === 0) break
  }
  return missing === 0 ? [...parts.values()] : undefined
}

/** The most seats that one grant with this key may have in the supply: the free ones, and those its key occupies anyway. */
export function roomIn(view: SeatView, supply: Supply, feature: string | undefined, key: string | undefined): number {
  const occupied = key === undefined ? 0 : view.occupied(supply.id, key)
  const room = Math.max(0, supply.seats - view.used(supply.id)) + occupied
  const limit = featureLimit(supply, feature)
  if (limit === undefined || feature === undefined) return room
  const unit = featureUnit(supply.id, feature)
  const occupiedOfFeature = key === undefined ? 0 : view.occupied(unit, key)
  return Math.min(room, Math.max(0, limit - view.used(unit)) + occupiedOfFeature)
}

/** What moving needs to know of a grant beside its record. */
export interface MoveContext {
  /** Now on the `atMost` clock, in ms. */
  readonly atMost: number
  factsOf(grant: Grant): CountFacts
  /** For how many ms the holder may still believe in its seat; the new supply must last as long (invariant 2). */
  promisedFor(grant: Grant): number
}

/** How many grants of a supply are looked at for one that could make room; a bound, since this runs in the serial queue. */
const mostCandidates = 256

/**
 * Makes room before refusing: moves local sessions out of full supplies into others that fit them, as far as each move brings
 * the wanted place nearer (R31). When that is not enough the draft is left as it was.
 */
export function placeByMoving(
  draft: Draft,
  supplies: readonly Supply[],
  wanted: Wanted,
  context: MoveContext,
): { readonly parts: Part[]; readonly moved: readonly Grant[] } | undefined {
  // A grant may move twice: what is put back is where it was at first, and what is told is where it is at last.
  const originals = new Map<string, Grant>()
  const moved = new Map<string, Grant>()
  for (const supply of supplies) {
    const key = keyIn(supply, wanted)
    for (const grant of [...take(draft.grantsOf(supply.id), mostCandidates)]) {
      const before = roomIn(draft, supply, wanted.feature, key)
      const elsewhere = moveTarget(draft, grant, context, (other) => other.id !== supply.id)
      if (!elsewhere) continue
      draft.putGrant(elsewhere)
      if (roomIn(draft, supply, wanted.feature, key) <= before) {
        draft.putGrant(grant)
        continue
      }
      if (!originals.has(grant.id)) originals.set(grant.id, grant)
      moved.set(grant.id, elsewhere)
      const parts = place(draft, supplies, wanted)
      if (parts) return { parts, moved: [...moved.values()] }
    }
  }
  for (const grant of originals.values()) draft.putGrant(grant)
  return undefined
}

/**
 * The same grant with all its seats placed in other supplies that fit, or undefined. Only local sessions that are not ending
 * move; the id stays (R31).
 */
export function moveTarget(
  draft: Draft,
  grant: Grant,
  context: MoveContext,
  allowed: (supply: Supply) => boolean,
): Grant | undefined {
  if (grant.kind !== 'session' || grant.ending !== undefined) return undefined
  const wanted: Wanted = {
    product: grant.product,
    seats: grant.seats,
    facts: context.factsOf(grant),
    ...(grant.feature === undefined ? {} : { feature: grant.feature }),
  }
  const promised = context.promisedFor(grant)
  const lasts = (supply: Supply): boolean => supply.until === undefined || supply.until - context.atMost >= promised
  const supplies = openSupplies(draft, wanted, context.atMost).filter((supply) => allowed(supply) && lasts(supply))
  if (supplies.length === 0) return undefined
  // Its own seats are not in its way.
  draft.dropGrant(grant.id)
  const parts = place(draft, supplies, wanted)
  draft.putGrant(grant)
  return parts && { ...grant, parts, leaseSeconds: leaseSecondsOf(draft, parts) }
}

/** The shortest lease time of the supplies that the parts come from, in seconds. */
export function leaseSecondsOf(view: SeatView, parts: readonly Part[]): number {
  return Math.min(...parts.map((part) => view.supply(part.supply)?.leaseSeconds ?? 20))
}

function* take<T>(items: Iterable<T>, most: number): Iterable<T> {
  let count = 0
  for (const item of items) {
    if (count++ >= most) return
    yield item
  }
}
