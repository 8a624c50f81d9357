/**
 * Supplies: a number of seats of one product that this agent may give out, until a time. Pure.
 */
import type { CountRule } from './count-key.ts'
import { graceOf } from './grant.ts'
import { type ProductName, productOf, vendorOf } from './product-name.ts'

export type SupplyKind = 'license' | 'lease' | 'detachment'

/**
 * What a supply still does. `renewals`: no new sessions, those that live go on. `nothing`: it has ended; grants that can't
 * move end, and count until they are free (R6).
 */
export type Takes =
  | { readonly kind: 'sessions' }
  | { readonly kind: 'renewals'; readonly why: ClosedBy }
  | { readonly kind: 'nothing'; readonly why: ClosedBy }

/** Why a supply takes no new sessions; each is also an error code of that name, but `lease_returning`, which is told to nobody. */
export type ClosedBy =
  | 'license_not_active'
  | 'license_not_yet_valid'
  | 'license_expired'
  | 'license_blocked'
  | 'clock_set_back'
  | 'unknown_product'
  /** Read after a boot and not confirmed by its manager yet (R20). */
  | 'manager_unreachable'
  /** It is being given back: nothing new lives on it any more (R16). */
  | 'lease_returning'

export interface Supply {
  /** For a license supply its license's id and the product, so that a re-installed license finds its grants (R6). */
  readonly id: string
  readonly instance: string
  readonly kind: SupplyKind
  /** The license at the root, whose seats these are. */
  readonly license: string
  readonly vendor: string
  /** Id of the key that signed the license; absent: not known, so it is not offered to who trusts one key only. */
  readonly vendorKey?: string
  /** Absent: seats that fit every product of the vendor. */
  readonly product?: string
  /** Any-product seats of the license, leased for this product only. */
  readonly any?: true
  readonly title?: string
  readonly seats: number
  /** Features with their own limit, null = only limited by the seats. A supply for any product takes every feature. */
  readonly features: Readonly<Record<string, number | null>>
  readonly rule: CountRule
  /** How long a promise is, in seconds (20 to 86,400). */
  readonly leaseSeconds: number
  /**
   * When it ends, on the boot clock in ms; absent = not by time. No promise goes past it (invariant 2). Not on a clock that
   * the wall can move: a wall that jumps ends nothing (R11).
   */
  readonly until?: number
  readonly takes: Takes
  /** Whether the license allows that a seat is freed while it may still be in use. */
  readonly overlap: boolean
  /** For applications of this machine only (stand-alone license): never leased. */
  readonly local?: true
  /** Over how many further agents its seats may be leased (R21). */
  readonly depth: number
  /** Ids of the agents over which it came, the root first; empty for licenses of this agent. */
  readonly chain: readonly string[]
  /** Serves only this count key, as `keyIn` hashes it (R17). */
  readonly onlyKey?: string
  /** Serves only sessions that name this feature; null: only those that name none. Absent: no such restriction. */
  readonly onlyFeature?: string | null
  /** Kept for who goes by this name: serves its sessions only, each of which counts for itself (R17). */
  readonly onlyFor?: string
  /** For how many days its seats may be detached at most, as the license says; absent: not at all. */
  readonly maxDetachDays?: number
  /** Where a lease or detachment comes from. */
  readonly manager?: { readonly id: string; readonly name: string }
  /** It became fewer seats; so many, `seats` among them, are still there until an earlier time on the boot clock, in ms (R19). */
  readonly before?: { readonly seats: number; readonly until: number }
}

/** Seconds: a lease that could be promised for less is refused (R10). */
export const shortestLease = 10

/** The license's supply of one product; `*` stands for any product of the vendor. */
export function licenseSupplyId(license: string, product: string | undefined): string {
  return `${license}/${product ?? '*'}`
}

export function fitsProduct(supply: Supply, name: ProductName): boolean {
  return supply.vendor === vendorOf(name) && (supply.product === undefined || supply.product === productOf(name))
}

export function fitsFeature(supply: Supply, feature: string | undefined): boolean {
  if (supply.onlyFeature !== undefined) return supply.onlyFeature === (feature ?? null)
  return feature === undefined || supply.product === undefined || Object.hasOwn(supply.features, feature)
}

/** @returns the feature's own limit in this supply; undefined = only the seats limit it */
export function featureLimit(supply: Supply, feature: string | undefined): number | undefined {
  if (feature === undefined) return undefined
  return Object.hasOwn(supply.features, feature) ? (supply.features[feature] ?? undefined) : undefined
}

/** Seconds that this supply may still promise, rounded down, at most its lease time. @param bootAt now, in ms */
export function promiseSeconds(supply: Supply, bootAt: number): number {
  if (supply.until === undefined) return supply.leaseSeconds
  return Math.max(0, Math.min(supply.leaseSeconds, Math.floor((supply.until - bootAt) / 1000)))
}

/**
 * Seconds for which seats of this supply may be leased to another agent. What came from another agent is passed on for less than
 * it lasts: each hop keeps its own grace (R10). 0 = not at all. @param bootAt now, in ms
 */
export function leasableSeconds(supply: Supply, bootAt: number): number {
  if (supply.kind === 'license' || supply.until === undefined) return promiseSeconds(supply, bootAt)
  return promiseSeconds(supply, bootAt + graceOf(supply.leaseSeconds))
}

/**
 * ms that must be left of a lease before seats of it are promised to another agent anew, else it is renewed first: two thirds
 * (R21), and as much as the shortest lease of the next hop needs (R10).
 */
export function freshLease(leaseSeconds: number): number {
  return Math.max((leaseSeconds * 2000) / 3, graceOf(leaseSeconds) + shortestLease * 1000)
}

/**
 * Less than one lease time is left: takes no new session while another can (R31). A lease is renewed when a third of it is over
 * and never lasts longer than one lease time, so it ends soon when half of that is left: renewals have failed.
 */
export function endsSoon(supply: Supply, bootAt: number): boolean {
  const enough = supply.kind === 'lease' ? supply.leaseSeconds * 500 : supply.leaseSeconds * 1000
  return supply.until !== undefined && supply.until - bootAt < enough
}

/** Whether its seats are any-product seats of the license. */
export function isAnyProduct(supply: Supply): boolean {
  return supply.any === true || supply.product === undefined
}
