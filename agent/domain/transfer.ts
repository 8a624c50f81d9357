/**
 * Moving grants of one supply to another, whether there is room or not: a license that replaces another takes over what is out
 * of it and what it has itself; nobody is thrown out, and nothing new is granted until fewer are out than it has seats (R6). Pure.
 */
import type { Draft } from './book.ts'
import type { Grant, Part } from './grant.ts'
import { keyIn, leaseSecondsOf } from './placement.ts'
import { decideEnding, factsOfGrant } from './seats.ts'
import { fitsFeature, fitsProduct, isAnyProduct, type Supply } from './supply.ts'

export interface Transfer {
  readonly moved: readonly Grant[]
  /** Leases that count there from now on, but can't go on: their holders could prove nothing with them. */
  readonly ending: readonly Grant[]
  /** By how many seats the supply is over its seats now. */
  readonly excess: number
}

/** Moves every grant that fits the other supply. @param reason of leases that can't go on there */
export function decideTransfer(draft: Draft, from: string, to: Supply, reason: string): Transfer {
  const moved: Grant[] = []
  const ending: Grant[] = []
  const before = draft.supply(from)
  for (const grant of [...draft.grantsOf(from)]) {
    if (!fitsProduct(to, grant.product) || !fitsFeature(to, grant.feature)) continue
    const facts = factsOfGrant(grant)
    const parts = joinParts(
      grant.parts.map((part) => {
        if (part.supply !== from) return part
        // A reserve has no key whatever the rule says.
        const isReserve = grant.kind !== 'session' && part.key === undefined
        const key = isReserve ? undefined : keyIn(to, { product: grant.product, facts })
        return { supply: to.id, seats: part.seats, ...(key === undefined ? {} : { key }) }
      }),
    )
    const changed = { ...grant, parts, leaseSeconds: leaseSecondsOf(draft, parts) }
    draft.putGrant(changed)
    moved.push(changed)
    if (before && grant.kind === 'lease' && grant.ending === undefined && !isSameLease(before, to)) {
      const ended = decideEnding(draft, grant.id, reason)
      if (ended) ending.push(ended)
    }
  }
  return { moved, ending, excess: Math.max(0, draft.used(to.id) - to.seats) }
}

/** Whether a lease goes on in the other supply as what its holder has of it. */
function isSameLease(before: Supply, to: Supply): boolean {
  return isAnyProduct(before) === isAnyProduct(to) && before.rule === to.rule && !to.local && to.depth > 0
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
