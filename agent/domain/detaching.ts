/**
 * How many seats of a pool may be detached, and which supply they come from (S7, R22). Pure: reads a draft, answers numbers and
 * parts.
 */
import type { Draft, SeatView } from './book.ts'
import type { Grant, Part } from './grant.ts'
import { isLeasable } from './leasing.ts'
import { roomIn } from './placement.ts'
import type { ProductName } from './product-name.ts'
import { fitsFeature, isAnyProduct, type Supply } from './supply.ts'

/** What an administrator keeps back: the larger of the two counts. */
export interface Reserved {
  readonly seats: number
  /** 0 to 100, rounded up to whole seats. */
  readonly percent: number
}

/** The seats of one product at one agent. */
export interface Pool {
  readonly seats: number
  /** In use by sessions and leases; detached ones are not among them. */
  readonly used: number
  readonly detached: number
}

/** @returns seats that are never detached, at most all */
export function reservedSeats(seats: number, reserved: Reserved): number {
  return Math.min(seats, Math.max(reserved.seats, Math.ceil((seats * reserved.percent) / 100)))
}

/** Seats that may be detached now. */
export function detachable({ seats, used, detached }: Pool, reserved: Reserved): number {
  return Math.max(0, Math.min(seats - reservedSeats(seats, reserved), seats - used) - detached)
}

/** @param supplies of one product; those that may not be detached count too: the reserved seats are of the whole pool */
export function poolOf(view: SeatView, supplies: readonly Supply[]): Pool {
  const pool = { seats: 0, used: 0, detached: 0 }
  for (const { id, seats } of supplies) {
    const detached = detachedOf(view, id)
    pool.seats += seats
    pool.detached += detached
    pool.used += view.used(id) - detached
  }
  return pool
}

/** Detached seats are never shared by a key (R17), so they add up. */
function detachedOf(view: SeatView, supply: string): number {
  let seats = 0
  for (const grant of view.grantsOf(supply)) {
    if (grant.kind !== 'detachment') continue
    for (const part of grant.parts) if (part.supply === supply) seats += part.seats
  }
  return seats
}

/** What is to be detached. */
export interface DetachWish {
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** When it ends, on the boot clock in ms: the seats come from a supply that lasts as long (R22). */
  readonly until: number
  /** Whole days from now until then, begun ones too. */
  readonly days: number
  readonly reserved: Reserved
  /** Sessions or leases of the same machine that become the detachment: their seats are not in the way. */
  readonly converting?: readonly Grant[]
  /** Agents that the request came through, who takes the seats along first (R21). */
  readonly chain?: readonly string[]
  /** Only seats of this vendor's key. */
  readonly vendorKey?: string
}

export type DetachPlace =
  | { readonly kind: 'placed'; readonly part: Part }
  /** No license of the product allows it. */
  | { readonly kind: 'not_detachable' }
  /** The licenses allow fewer days. */
  | { readonly kind: 'beyond_maximum'; readonly days: number }
  /** The licenses end earlier. @property until on the boot clock, in ms */
  | { readonly kind: 'beyond_license_end'; readonly until: number }
  /** @property detachable the most that one detachment could have now */
  | { readonly kind: 'too_many_seats'; readonly detachable: number }

export function placeDetachment(draft: Draft, wish: DetachWish): DetachPlace {
  return withoutConverting(draft, wish, () => placeIn(draft, wish))
}

/** How many seats of the product could be detached now, when what is converted does not count. */
export function detachableFor(draft: Draft, wish: DetachWish): number {
  return withoutConverting(draft, wish, () => detachable(poolFor(draft, wish.product), wish.reserved))
}

function withoutConverting<T>(draft: Draft, { converting = [] }: DetachWish, look: () => T): T {
  const lookWithout = ([first, ...rest]: readonly Grant[]): T =>
    first === undefined ? look() : draft.without(first, () => lookWithout(rest))
  return lookWithout(converting)
}

/** Supplies of which seats may be detached for this wish, by what the licenses say; the product's own seats first. */
export function detachableSupplies(
  view: SeatView,
  { product, feature, chain = [], vendorKey }: Pick<DetachWish, 'product' | 'feature' | 'chain' | 'vendorKey'>,
): readonly Supply[] {
  // Leased seats end with their lease: who wants them detached asks the agent that they come from.
  const allowed = view
    .suppliesFor(product)
    .filter(
      (one) =>
        one.kind !== 'lease' &&
        one.maxDetachDays !== undefined &&
        one.takes.kind === 'sessions' &&
        (vendorKey === undefined || one.vendorKey === vendorKey) &&
        fitsFeature(one, feature) &&
        isLeasable(one, chain),
    )
  return [...allowed].sort((a, b) => Number(isAnyProduct(a)) - Number(isAnyProduct(b)) || (a.id < b.id ? -1 : 1))
}

/** The seats that the reserved ones are of: all that may be passed on. */
export function poolFor(view: SeatView, product: ProductName): Pool {
  return poolOf(
    view,
    view.suppliesFor(product).filter((one) => one.kind !== 'lease' && !one.local),
  )
}

function placeIn(view: SeatView, wish: DetachWish): DetachPlace {
  const allowed = detachableSupplies(view, wish)
  if (allowed.length === 0) return { kind: 'not_detachable' }
  const long = allowed.filter((one) => (one.maxDetachDays ?? 0) >= wish.days)
  if (long.length === 0)
    return { kind: 'beyond_maximum', days: Math.max(...allowed.map((one) => one.maxDetachDays ?? 0)) }
  const lasting = long.filter((one) => endOf(one) >= wish.until)
  if (lasting.length === 0) return { kind: 'beyond_license_end', until: Math.max(...long.map(endOf)) }
  const most = detachable(poolFor(view, wish.product), wish.reserved)
  let best = 0
  for (const supply of lasting) {
    const room = Math.min(most, roomIn(view, supply, wish.feature, undefined))
    if (room >= wish.seats) return { kind: 'placed', part: { supply: supply.id, seats: wish.seats } }
    best = Math.max(best, room)
  }
  return { kind: 'too_many_seats', detachable: best }
}

function endOf(supply: Supply): number {
  return supply.until ?? Number.POSITIVE_INFINITY
}
