/**
 * Supplies: a number of seats of one product that this agent may give out, until a time. Pure.
 */
import type { CountRule } from './count-key.ts'
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

/** Why a supply takes no new sessions; each is also an error code of that name. */
export type ClosedBy =
  | 'license_not_active'
  | 'license_not_yet_valid'
  | 'license_expired'
  | 'license_blocked'
  | 'clock_set_back'
  | 'unknown_product'

export interface Supply {
  /** For a license supply its license's id and the product, so that a re-installed license finds its grants (R6). */
  readonly id: string
  readonly instance: string
  readonly kind: SupplyKind
  /** The license at the root, whose seats these are. */
  readonly license: string
  readonly vendor: string
  /** Absent: seats that fit every product of the vendor. */
  readonly product?: string
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
}

/** The license's supply of one product; `*` stands for any product of the vendor. */
export function licenseSupplyId(license: string, product: string | undefined): string {
  return `${license}/${product ?? '*'}`
}

export function fitsProduct(supply: Supply, name: ProductName): boolean {
  return supply.vendor === vendorOf(name) && (supply.product === undefined || supply.product === productOf(name))
}

export function fitsFeature(supply: Supply, feature: string | undefined): boolean {
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

/** Less than one lease time is left: takes no new session while another supply can (R31). */
export function endsSoon(supply: Supply, bootAt: number): boolean {
  return supply.until !== undefined && supply.until - bootAt < supply.leaseSeconds * 1000
}
