/**
 * Moving grants of one supply to another, whether there is room or not: a license that replaces another takes over what is out
 * of it and what it has itself; nobody is thrown out, and nothing new is granted until fewer are out than it has seats (R6). Pure.
 */
import type { Draft } from './book.ts'
import type { Grant, Part } from './grant.ts'
import { keyIn, leaseSecondsOf } from './placement.ts'
import { factsOfGrant } from './seats.ts'
import { fitsFeature, fitsProduct, type Supply } from './supply.ts'

/**
 * Moves every grant that fits the other supply.
 * @returns the grants that moved, and by how many seats the supply is over its seats now
 */
export function decideTransfer(
  draft: Draft,
  from: string,
  to: Supply,
): { readonly moved: readonly Grant[]; readonly excess: number } {
  const moved: Grant[] = []
  for (const grant of [...draft.grantsOf(from)]) {
    if (!fitsProduct(to, grant.product) || !fitsFeature(to, grant.feature)) continue
    const key = keyIn(to, { product: grant.product, facts: factsOfGrant(grant) })
    const parts = joinParts(
      grant.parts.map((part) => {
        if (part.supply !== from) return part
        return { supply: to.id, seats: part.seats, ...(key === undefined ? {} : { key }) }
      }),
    )
    const changed = { ...grant, parts, leaseSeconds: leaseSecondsOf(draft, parts) }
    draft.putGrant(changed)
    moved.push(changed)
  }
  return { moved, excess: Math.max(0, draft.used(to.id) - to.seats) }
}

/** A grant has one part per supply. */
function joinParts(parts: readonly Part[]): Part[] {
  const joined = new Map<string, Part>()
  for (const part of parts) {
    const before = joined.get(part.supply)
    joined.set(part.supply, before ? { ...before, seats: before.seats + part.seats } : part)
  }
  return [...joined.values()]
}
