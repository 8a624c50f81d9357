/**
 * How many seats of a pool may be detached, and which supply they come from (S7, R22). Pure: reads a draft, answers numbers and
 * parts.
 */
import type { Draft, SeatView } from './book.ts'
import type { Grant, Part } from './grant.ts'
import { roomIn } from './placement.ts'
import type { ProductName } from './product-name.ts'
import { fitsFeature, type Supply } from './supply.ts'

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
  /** A session or lease of the same machine that becomes the detachment: its seats are not in the way. */
  readonly converting?: Grant
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
  if (wish.converting === undefined) return placeIn(draft, wish)
  return draft.without(wish.converting, () => placeIn(draft, wish))
}

function placeIn(view: SeatView, wish: DetachWish): DetachPlace {
  const all = view.suppliesFor(wish.product)
  // Leased seats end with their lease: who wants them detached asks the agent that they come from.
  const allowed = all.filter(
    (one) =>
      one.kind !== 'lease' &&
      !one.local &&
      one.maxDetachDays !== undefined &&
      one.takes.kind === 'sessions' &&
      fitsFeature(one, wish.feature),
  )
  if (allowed.length === 0) return { kind: 'not_detachable' }
  const long = allowed.filter((one) => (one.maxDetachDays ?? 0) >= wish.days)
  if (long.length === 0)
    return { kind: 'beyond_maximum', days: Math.max(...allowed.map((one) => one.maxDetachDays ?? 0)) }
  const lasting = long.filter((one) => endOf(one) >= wish.until)
  if (lasting.length === 0) return { kind: 'beyond_license_end', until: Math.max(...long.map(endOf)) }
  const most = detachable(
    poolOf(
      view,
      all.filter((one) => one.kind !== 'lease' && !one.local),
    ),
    wish.reserved,
  )
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
