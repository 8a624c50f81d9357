/**
 * Where the seats of a session come from: the order of supplies, and parts in several of them (R18). Pure: reads a view,
 * answers parts.
 */
import { type LicensePermit, permits } from './access/permit.ts'
import type { SeatView } from './book.ts'
import { type CountFacts, countKey, hashCountKey } from './count-key.ts'
import type { Part } from './grant.ts'
import type { ProductName } from './product-name.ts'
import { endsSoon, featureLimit, fitsFeature, promiseSeconds, type Supply, type SupplyKind } from './supply.ts'
import { featureUnit } from './usage.ts'

/** What a place is looked for. */
export interface Wanted {
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly facts: CountFacts
  /** Counts for itself whatever the rule says: a reserve serves many (R17). */
  readonly keyless?: true
  /** Only seats of licenses that this vendor key signed. */
  readonly vendorKey?: string
  /** Only supplies of these kinds; absent: of all. */
  readonly kinds?: readonly SupplyKind[]
  /** Only seats of licenses that the rules permit. */
  readonly licenses?: LicensePermit
  /** Only seats that are kept for this name, each session for itself; absent: only what is kept for nobody by name. */
  readonly onlyFor?: string
}

type Sought = Pick<Wanted, 'product' | 'feature' | 'vendorKey' | 'licenses' | 'keyless' | 'kinds' | 'onlyFor'> &
  Partial<Pick<Wanted, 'facts'>>

const kindOrder = { detachment: 0, license: 2, lease: 3 } as const

/** What this machine keeps of its own licenses goes first: the others can have the rest. */
function rankOf({ kind, local }: Supply): number {
  return kind === 'lease' && local ? 1 : kindOrder[kind]
}

/** Supplies that take a new session of this product and feature, best first. @param bootAt now, in ms */
export function openSupplies(view: SeatView, wanted: Sought, bootAt: number): Supply[] {
  const open = servingSupplies(view, wanted).filter(
    (one) => one.takes.kind === 'sessions' && fitsFeature(one, wanted.feature) && promiseSeconds(one, bootAt) > 0,
  )
  if (open.length < 2) return open
  return open.sort(
    (a, b) =>
      Number(endsSoon(a, bootAt)) - Number(endsSoon(b, bootAt)) ||
      rankOf(a) - rankOf(b) ||
      Number(a.product === undefined) - Number(b.product === undefined) ||
      (b.until ?? Number.POSITIVE_INFINITY) - (a.until ?? Number.POSITIVE_INFINITY) ||
      (a.id < b.id ? -1 : 1),
  )
}

/**
 * Supplies of the product that are there for who asks, whatever they take at the moment: a lease under a count key only for that
 * key (R17), one vendor's key only for who trusts it. Where nothing is said of who asks: those that are there for everybody.
 */
export function servingSupplies(view: SeatView, wanted: Sought): readonly Supply[] {
  const { facts, vendorKey, licenses, product, keyless, kinds, onlyFor } = wanted
  const fitting = view.suppliesFor(product)
  const supplies = kinds === undefined ? fitting : fitting.filter((one) => kinds.includes(one.kind))
  const isForSome = (one: Supply): boolean => one.onlyKey !== undefined || one.onlyFor !== onlyFor
  if (vendorKey === undefined && licenses === undefined && !supplies.some(isForSome)) return supplies
  // Thousands of leases may come from a few licenses.
  const keys = new Map<string, string | undefined>()
  const keyOf = (supply: Supply): string | undefined => {
    if (facts === undefined || keyless) return undefined
    if (!keys.has(supply.license)) keys.set(supply.license, keyIn(supply, { product, facts }))
    return keys.get(supply.license)
  }
  return supplies.filter(
    (one) =>
      (vendorKey === undefined || one.vendorKey === vendorKey) &&
      permits(licenses, one.license) &&
      one.onlyFor === onlyFor &&
      (one.onlyKey === undefined || one.onlyKey === keyOf(one)),
  )
}

/** Key of a session within a supply, or undefined when it counts for itself. */
export function keyIn(
  supply: Supply,
  wanted: Pick<Wanted, 'product' | 'facts' | 'keyless' | 'onlyFor'>,
): string | undefined {
  if (wanted.keyless || wanted.onlyFor !== undefined) return undefined
  const key = countKey(supply.rule, wanted.facts)
  return key && hashCountKey(supply.license, wanted.product, key)
}

/** Parts that hold all wanted seats, or undefined when the supplies have too few. First where the key already lives. */
export function place(view: SeatView, supplies: readonly Supply[], wanted: Wanted): Part[] | undefined {
  const { parts, missing } = fill(view, supplies, wanted)
  return missing === 0 ? parts : undefined
}

/** As many of the wanted seats as there are. */
export function fill(
  view: SeatView,
  supplies: readonly Supply[],
  wanted: Wanted,
): { readonly parts: Part[]; readonly missing: number } {
  const found = supplies.map((supply) => {
    const key = keyIn(supply, wanted)
    const lives = key === undefined ? 0 : view.occupied(supply.id, key)
    return { supply, key, lives, room: roomIn(view, supply, wanted.feature, key), taken: 0 }
  })
  leaveOnePerKey(found)
  let missing = wanted.seats
  for (const one of found) {
    one.taken = Math.min(missing, one.lives, one.room)
    missing -= one.taken
  }
  for (const one of found) {
    const more = Math.min(missing, one.room - one.taken)
    one.taken += more
    missing -= more
  }
  const parts = found
    .filter((one) => one.taken > 0)
    .map(({ supply, key, taken }) => ({ supply: supply.id, seats: taken, ...(key === undefined ? {} : { key }) }))
  return { parts, missing }
}

/**
 * Leases under the same key of the same license share their seats where they come from: the key occupies the largest of them there,
 * not their sum. So a session has seats of one of them only (R17, R18).
 */
function leaveOnePerKey(found: { readonly supply: Supply; readonly lives: number; room: number }[]): void {
  const largest = new Map<string, { room: number; readonly lives: number }>()
  for (const one of found) {
    const { onlyKey } = one.supply
    if (onlyKey === undefined) continue
    const other = largest.get(onlyKey)
    if (other && (other.room > one.room || (other.room === one.room && other.lives >= one.lives))) {
      one.room = 0
      continue
    }
    if (other) other.room = 0
    largest.set(onlyKey, one)
  }
}

/** Whether the parts take only what their key occupies anyway, so that nobody else has a seat less. */
export function sharesAll(view: SeatView, parts: readonly Part[], feature: string | undefined): boolean {
  return parts.every(({ supply: id, seats, key }) => {
    if (key === undefined || view.occupied(id, key) < seats) return false
    const supply = view.supply(id)
    if (feature === undefined || !supply || featureLimit(supply, feature) === undefined) return true
    return view.occupied(featureUnit(id, feature), key) >= seats
  })
}

/** The most seats that a session can ever have of these supplies. */
export function mostSeats(supplies: readonly Supply[], feature: string | undefined): number {
  return supplies.reduce((sum, one) => sum + Math.min(one.seats, featureLimit(one, feature) ?? one.seats), 0)
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

/** The shortest lease time of the supplies that the parts come from, in seconds. */
export function leaseSecondsOf(view: SeatView, parts: readonly Part[]): number {
  return Math.min(...parts.map((part) => view.supply(part.supply)?.leaseSeconds ?? 20))
}
