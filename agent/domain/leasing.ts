/**
 * Where the seats of a lease to another agent come from: one supply, so that it has one license and one proof. Pure: changes the
 * draft it is given only where it finds a place.
 */
import type { Draft, SeatView } from './book.ts'
import type { CountFacts } from './count-key.ts'
import type { Grant, Part } from './grant.ts'
import { type MoveContext, placeByMoving } from './moving.ts'
import { keyIn, mostSeats, roomIn, servingSupplies, sharesAll, type Wanted } from './placement.ts'
import { leasableSeconds, type Supply, shortestLease } from './supply.ts'

export interface LeaseTerms {
  /** `session`: under the count key of one session, all seats or none. `reserve`: keyless, as many seats as there are (R17). */
  readonly purpose: 'session' | 'reserve'
  /** The agent that the application runs at, and its user and process there (R18). */
  readonly facts: CountFacts
  /** Agents that the request came through, the asking one last (R21). */
  readonly chain: readonly string[]
  /** The seats stay with applications of this machine, so where they may go does not matter. */
  readonly here?: true
}

export type LeasePlace =
  | {
      readonly kind: 'placed'
      readonly part: Part
      /** Local sessions that made room. */
      readonly moved: readonly Grant[]
      /** Leases that the same agent gave back early and that waited for the end of their text (R28). */
      readonly takenOver: readonly Grant[]
    }
  /** The seats are there, but not for long enough (R10). */
  | { readonly kind: 'lease_too_short' }
  /** @property largest the most seats that one lease could have now */
  | { readonly kind: 'short'; readonly largest: number }
  | { readonly kind: 'too_many'; readonly seats: number; readonly largest: number }

/** Whether seats of the supply may be passed on to these agents at all: stand-alone, too deep, or a loop otherwise (R21). */
export function isLeasable(supply: Supply, chain: readonly string[], here = false): boolean {
  return here || (!supply.local && supply.depth > 0 && !chain.some((agent) => supply.chain.includes(agent)))
}

/** Supplies that are there for this lease, whatever they take at the moment. */
export function leasableSupplies(view: SeatView, wanted: Wanted, { chain, here }: LeaseTerms): readonly Supply[] {
  return servingSupplies(view, wanted).filter((one) => isLeasable(one, chain, here))
}

/**
 * First where the key lives already, then in the order of the supplies; of a supply first what the same agent gave back early.
 * @param open supplies that take new sessions, best first, at least one
 * @param returned leases of this agent that wait for the end of their text
 */
export function placeLease(
  draft: Draft,
  open: readonly Supply[],
  wanted: Wanted,
  returned: readonly Grant[],
  context: MoveContext & { readonly sharedOnly?: boolean | undefined },
): LeasePlace {
  const supplies = open.filter((one) => leasableSeconds(one, context.bootAt) >= shortestLease)
  if (supplies.length === 0) return { kind: 'lease_too_short' }
  const shared = findShared(draft, supplies, wanted)
  if (shared) return { kind: 'placed', part: shared, moved: [], takenOver: [] }
  if (context.sharedOnly) return { kind: 'short', largest: 0 }
  const found =
    placeOnReturned(draft, supplies, wanted, returned) ??
    placeFree(draft, supplies, wanted) ??
    placeAfterMoving(draft, supplies, wanted, context)
  if (found) return found
  const best = supplies.reduce((one, other) =>
    roomOf(draft, other, wanted) > roomOf(draft, one, wanted) ? other : one,
  )
  const largest = roomOf(draft, best, wanted)
  // A reserve takes what there is.
  if (wanted.keyless && largest > 0)
    return { kind: 'placed', part: partIn(best, wanted, largest), moved: [], takenOver: [] }
  const most = Math.max(...supplies.map((one) => mostSeats([one], wanted.feature)))
  if (!wanted.keyless && wanted.seats > most) return { kind: 'too_many', seats: most, largest }
  return { kind: 'short', largest }
}

function roomOf(view: SeatView, supply: Supply, wanted: Wanted): number {
  return roomIn(view, supply, wanted.feature, keyIn(supply, wanted))
}

function partIn(supply: Supply, wanted: Wanted, seats: number): Part {
  const key = keyIn(supply, wanted)
  return { supply: supply.id, seats, ...(key === undefined ? {} : { key }) }
}

/** The key occupies as many seats already: nobody else has one less. */
function findShared(view: SeatView, supplies: readonly Supply[], wanted: Wanted): Part | undefined {
  return supplies
    .map((one) => partIn(one, wanted, wanted.seats))
    .find((part) => sharesAll(view, [part], wanted.feature))
}

/** Takes over as few of the waiting seats as make room for the new lease. */
function placeOnReturned(
  draft: Draft,
  supplies: readonly Supply[],
  wanted: Wanted,
  returned: readonly Grant[],
): LeasePlace | undefined {
  for (const supply of supplies) {
    const takenOver: Grant[] = []
    for (const grant of returned) {
      if (grant.parts[0]?.supply !== supply.id || draft.grant(grant.id) !== grant) continue
      draft.dropGrant(grant.id)
      takenOver.push(grant)
      if (roomOf(draft, supply, wanted) >= wanted.seats)
        return { kind: 'placed', part: partIn(supply, wanted, wanted.seats), moved: [], takenOver }
    }
    for (const grant of takenOver) draft.putGrant(grant)
  }
  return undefined
}

function placeFree(view: SeatView, supplies: readonly Supply[], wanted: Wanted): LeasePlace | undefined {
  const withRoom = supplies.filter((one) => roomOf(view, one, wanted) >= wanted.seats)
  const supply = withRoom.find((one) => lives(view, one, wanted)) ?? withRoom[0]
  return supply && { kind: 'placed', part: partIn(supply, wanted, wanted.seats), moved: [], takenOver: [] }
}

function lives(view: SeatView, supply: Supply, wanted: Wanted): boolean {
  const key = keyIn(supply, wanted)
  return key !== undefined && view.occupied(supply.id, key) > 0
}

/** Local sessions make room in one supply where they fit elsewhere (R31). */
function placeAfterMoving(
  draft: Draft,
  supplies: readonly Supply[],
  wanted: Wanted,
  context: MoveContext,
): LeasePlace | undefined {
  for (const supply of supplies) {
    if (mostSeats([supply], wanted.feature) < wanted.seats) continue
    const made = placeByMoving(draft, [supply], wanted, context)
    const [part] = made?.parts ?? []
    if (made && part) return { kind: 'placed', part, moved: made.moved, takenOver: [] }
  }
  return undefined
}
