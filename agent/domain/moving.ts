/**
 * Moving local sessions to other supplies that fit them: same batch, same id (R31). Pure: changes the draft it is given.
 */
import type { Draft, SeatView } from './book.ts'
import type { CountFacts } from './count-key.ts'
import type { Grant, Part } from './grant.ts'
import { fill, leaseSecondsOf, openSupplies, place, type Wanted } from './placement.ts'
import type { Supply } from './supply.ts'

/** What moving needs to know of a grant beside its record. */
export interface MoveContext {
  /** Now on the boot clock, in ms. */
  readonly bootAt: number
  factsOf(grant: Grant): CountFacts
  /** For how many ms the holder may still believe in its seat; the new supply must last as long (invariant 2). */
  promisedFor(grant: Grant): number
}

/** How many grants of a supply are looked at for one that can move; a bound, since this runs in the serial queue. */
export const mostCandidates = 256

/**
 * Makes room before refusing: moves local sessions into other supplies that fit them, as far as each move brings the wanted
 * place nearer (R31). Sessions that share a key move together, since only all of them make room. When it is not enough the
 * draft is left as it was.
 */
export function placeByMoving(
  draft: Draft,
  supplies: readonly Supply[],
  wanted: Wanted,
  context: MoveContext,
): { readonly parts: Part[]; readonly moved: readonly Grant[] } | undefined {
  const originals = new Map<string, Grant>()
  let { missing } = fill(draft, supplies, wanted)
  for (const supply of supplies) {
    if (!mayEmpty(draft, supply)) continue
    for (const group of groupsOf(draft, supply.id)) {
      const before = moveOut(draft, group, supply, context)
      if (!before) continue
      const after = fill(draft, supplies, wanted)
      if (after.missing >= missing) {
        for (const grant of before) draft.putGrant(grant)
        continue
      }
      missing = after.missing
      for (const grant of before) if (!originals.has(grant.id)) originals.set(grant.id, grant)
      if (missing > 0) continue
      const moved = [...originals.keys()].map((id) => draft.grant(id)).filter((grant) => grant !== undefined)
      return { parts: after.parts, moved }
    }
  }
  for (const grant of originals.values()) draft.putGrant(grant)
  return undefined
}

/** Whether anything in the supply may find another place: a quick look, since most refusals have no such luck. */
function mayEmpty(view: SeatView, supply: Supply): boolean {
  return view.suppliesOf(supply.vendor).some((other) => {
    if (other.id === supply.id || other.takes.kind !== 'sessions') return false
    const fits = supply.product === undefined || other.product === undefined || other.product === supply.product
    return fits && view.used(other.id) < other.seats
  })
}

/** The grants of a supply that make room only together: those of one key, or one that counts for itself. */
function groupsOf(view: SeatView, supply: string): Iterable<Grant[]> {
  const groups = new Map<string, Grant[]>()
  for (const grant of take(view.grantsOf(supply), mostCandidates)) {
    const name = grant.parts.find((part) => part.supply === supply)?.key ?? `\0${grant.id}`
    const group = groups.get(name)
    if (group) group.push(grant)
    else groups.set(name, [grant])
  }
  return groups.values()
}

/** Moves all of them out of the supply, or none. @returns what they were before */
function moveOut(
  draft: Draft,
  group: readonly Grant[],
  supply: Supply,
  context: MoveContext,
): readonly Grant[] | undefined {
  const before: Grant[] = []
  for (const grant of group) {
    const elsewhere = moveTarget(draft, grant, context, (other) => other.id !== supply.id)
    if (!elsewhere) {
      for (const one of before) draft.putGrant(one)
      return undefined
    }
    before.push(grant)
    draft.putGrant(elsewhere)
  }
  return before
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
    ...(grant.vendorKey === undefined ? {} : { vendorKey: grant.vendorKey }),
    ...(grant.licenses === undefined ? {} : { licenses: grant.licenses }),
    ...(grant.onlyFor === undefined ? {} : { onlyFor: grant.onlyFor }),
    ...(grant.feature === undefined ? {} : { feature: grant.feature }),
  }
  const promised = context.promisedFor(grant)
  const lasts = (supply: Supply): boolean => supply.until === undefined || supply.until - context.bootAt >= promised
  const supplies = openSupplies(draft, wanted, context.bootAt).filter((supply) => allowed(supply) && lasts(supply))
  if (supplies.length === 0) return undefined
  // Its own seats are not in its way.
  const parts = draft.without(grant, () => place(draft, supplies, wanted))
  return parts && { ...grant, parts, leaseSeconds: leaseSecondsOf(draft, parts) }
}

function* take<T>(items: Iterable<T>, most: number): Iterable<T> {
  let count = 0
  for (const item of items) {
    if (count++ >= most) return
    yield item
  }
}
