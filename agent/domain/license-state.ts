/**
 * What state an installed license is in on a given date, and which warning is due (M8). Pure: the facts and the date come from
 * the owner of the licenses, who takes the date from the date floor.
 */

import type { Activation } from './documents/activation.ts'
import { daySeconds } from './documents/calendar.ts'
import type { License } from './documents/license.ts'

export const licenseStates = [
  'not_activated',
  'not_yet_valid',
  'active',
  'expiring',
  'expired',
  'blocked_hardware',
  'replaced',
  'deactivated',
] as const
export type LicenseState = (typeof licenseStates)[number]

export interface LicenseFacts {
  readonly license: Pick<License, 'nbf' | 'exp' | 'activation'>
  readonly activation?: Pick<Activation, 'exp'>
  /** Whether the machine is the one that the activation names; says nothing while there is no activation. */
  readonly sameHardware: boolean
  /** Another installed license names it in `replaces`. */
  readonly replaced: boolean
  /** A deactivation receipt was made and no later activation installed. */
  readonly deactivated: boolean
}

export interface LicenseStanding {
  readonly state: LicenseState
  /** The second since 1970 at which it ends; absent = never. The earlier of the license's and the activation's end. */
  readonly endsAt?: number
  /** Which of the two that is: a renewal is asked of the vendor for the license, made here for the activation. */
  readonly endsBy?: 'license' | 'activation'
  /** Days until then, a begun one counts whole; 0 once it is over. */
  readonly daysLeft?: number
}

/** Days before its end from which on a license is `expiring`. */
export const expiringDays = 30
/** Days before the end at which a warning is due. */
export const warningDays = [30, 14, 7, 3, 1] as const
export type WarningDay = (typeof warningDays)[number]

/** @param now seconds since 1970 */
export function daysUntil(end: number, now: number): number {
  return Math.max(0, Math.ceil((end - now) / daySeconds))
}

/** The tightest warning that is due for something that ends at `end`; undefined while there is none, and once it is over. */
export function dueWarning(end: number, now: number): WarningDay | undefined {
  if (now >= end) return undefined
  const left = daysUntil(end, now)
  return warningDays.findLast((day) => left <= day)
}

/** The first that holds, in this order: what nobody can change by waiting comes first. @param now seconds since 1970 */
export function licenseStanding(facts: LicenseFacts, now: number): LicenseStanding {
  const end = nearestEnd(facts)
  return { state: stateOf(facts, end?.endsAt, now), ...end, ...(end && { daysLeft: daysUntil(end.endsAt, now) }) }
}

/** Whether new sessions are granted from a license in this state. */
export function grantsSeats(state: LicenseState): boolean {
  return state === 'active' || state === 'expiring'
}

function nearestEnd(facts: LicenseFacts): { endsAt: number; endsBy: 'license' | 'activation' } | undefined {
  const license = facts.license.exp
  const activation = facts.license.activation.needed ? facts.activation?.exp : undefined
  if (activation !== undefined && (license === undefined || activation < license))
    return { endsAt: activation, endsBy: 'activation' }
  return license === undefined ? undefined : { endsAt: license, endsBy: 'license' }
}

function stateOf(facts: LicenseFacts, end: number | undefined, now: number): LicenseState {
  const { license, activation } = facts
  if (facts.deactivated) return 'deactivated'
  if (facts.replaced) return 'replaced'
  if (license.exp !== undefined && now >= license.exp) return 'expired'
  if (license.activation.needed) {
    if (activation === undefined || (activation.exp !== undefined && now >= activation.exp)) return 'not_activated'
    if (!facts.sameHardware) return 'blocked_hardware'
  }
  if (license.nbf !== undefined && now < license.nbf) return 'not_yet_valid'
  return end !== undefined && daysUntil(end, now) <= expiringDays ? 'expiring' : 'active'
}
