/**
 * A lease as its holder is told of it: the grant, joined with its supply, what is promised, and its proof. Owns nothing.
 */
import type { Clock } from '../clock.ts'
import { countKey } from '../domain/count-key.ts'
import type { Grant } from '../domain/grant.ts'
import { factsOfGrant } from '../domain/seats.ts'
import { isAnyProduct, type Supply } from '../domain/supply.ts'
import type { Lessor, PromisedSeats } from '../lessor.ts'
import { renewIn } from '../session-view.ts'
import type { LeaseGrant } from './wire.ts'

/** Signed links of a lease: license and activation, then the leases down to this one. */
export interface LeaseLinks {
  readonly root: readonly string[]
  readonly leases: readonly string[]
}

export interface LeaseGrantContext {
  readonly lessor: Pick<Lessor, 'view'>
  readonly clock: Clock
  /** Id of this agent. */
  readonly self: string
  /** Undefined where the license gives no proof. */
  readonly linksOf: (grant: Grant) => Promise<LeaseLinks | undefined>
}

/** Leases are told by the id that their holder gave them. */
export function ownIdOf({ id, holder }: Pick<Grant, 'id' | 'holder'>): string {
  return id.slice(holder.length + 1)
}

/** @returns undefined when its supply is gone: it is ending then */
export async function leaseGrant(
  { grant, expiresIn, freeIn }: PromisedSeats,
  context: LeaseGrantContext,
): Promise<LeaseGrant | undefined> {
  const supply = context.lessor.view.supply(grant.parts[0]?.supply ?? '')
  if (!supply) return undefined
  const links = await context.linksOf(grant)
  return {
    ...termsOf(grant, supply, context.self),
    expiresIn,
    freeIn,
    renewIn: renewIn(expiresIn),
    proof: links ? [...links.root, ...links.leases] : [],
    ...(grant.unconfirmed ? { offered: true } : {}),
  }
}

function termsOf(grant: Grant, supply: Supply, self: string) {
  const { product, feature, seats, leaseSeconds } = grant
  const [part] = grant.parts
  const key = part?.key === undefined ? undefined : countKey(supply.rule, factsOfGrant(grant))
  return {
    id: ownIdOf(grant),
    product,
    ...(feature === undefined ? {} : { feature }),
    ...(isAnyProduct(supply) ? { any: true as const } : {}),
    ...(supply.title === undefined ? {} : { title: supply.title }),
    seats,
    license: supply.license,
    rule: supply.rule,
    ...(key === undefined ? {} : { key: { rule: key.rule, parts: [...key.parts] } }),
    leaseSeconds,
    depth: Math.max(0, Math.min(4, supply.depth - 1)),
    chain: [...supply.chain, self],
    overlap: supply.overlap,
  }
}
