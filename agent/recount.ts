/**
 * Counts the seats of a product anew from what is given out, to be held against the counts that are kept (M5). Pure reading of
 * the lessor's committed state; owns nothing.
 */
import type { Grant } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Supply } from './domain/supply.ts'
import { addHolding, type Holdings, occupiedBy } from './domain/usage.ts'

export interface RecountedSupply {
  readonly license: string
  /** Seats for any product of the vendor. */
  readonly any: boolean
  /** As it was kept. */
  readonly kept: number
  /** As the grants say. */
  readonly counted: number
}

export interface CountedState {
  suppliesFor(name: ProductName): readonly Supply[]
  grantsOf(supply: string): Iterable<Grant>
  used(unit: string): number
}

export function recount(state: CountedState, product: ProductName): RecountedSupply[] {
  return state.suppliesFor(product).map((supply) => ({
    license: supply.license,
    any: supply.product === undefined,
    kept: state.used(supply.id),
    counted: countSeats(supply.id, state.grantsOf(supply.id)),
  }))
}

/** A count key occupies the most seats of its grants; without a key each counts for itself (R18). */
function countSeats(supply: string, grants: Iterable<Grant>): number {
  let keyless = 0
  const keys = new Map<string, Holdings>()
  for (const grant of grants)
    for (const part of grant.parts) {
      if (part.supply !== supply) continue
      if (part.key === undefined) keyless += part.seats
      else keys.set(part.key, addHolding(keys.get(part.key), part.seats))
    }
  let seats = keyless
  for (const holdings of keys.values()) seats += occupiedBy(holdings)
  return seats
}
