/**
 * What a proof still allows at each of its links, and whether the next link stays within it (R26). Pure; signatures are
 * `proof.ts`'s.
 */
import type { CountRule } from './count-key.ts'
import { daySeconds } from './documents/calendar.ts'
import type { License } from './documents/license.ts'
import type { Assertion, Detachment, Lease } from './documents/links.ts'

export type ScopeFlaw =
  | 'wrong_vendor'
  | 'wrong_product'
  | 'wrong_feature'
  | 'widened_seats'
  | 'widened_time'
  | 'lasts_too_long'
  | 'wrong_count_rule'
  | 'wrong_count_key'
  | 'too_deep'
  | 'standalone'
  | 'not_detachable'

export interface Scope {
  readonly license: License
  /** What the last lease or detachment is for; absent while the license itself is the limit. */
  readonly link?: Lease | Detachment
  /** Seconds since 1970 between which it holds; absent = no limit. */
  readonly nbf?: number
  readonly exp?: number
  /** The part of `exp` that is a date: of license, activation or detachment, not of a lease. */
  readonly endsAt?: number
  readonly depth: number
  /** A detachment is among the links: what follows is a cascade. */
  readonly detached: boolean
}

export function licenseScope(license: License): Scope {
  return {
    license,
    depth: license.depth,
    detached: false,
    ...(license.nbf !== undefined && { nbf: license.nbf }),
    ...(license.exp !== undefined && { exp: license.exp, endsAt: license.exp }),
  }
}

/** The scope with an end that the activation brings. */
export function endScope(scope: Scope, exp: number | undefined): Scope | ScopeFlaw {
  if (scope.exp !== undefined && (exp === undefined || exp > scope.exp)) return 'widened_time'
  return exp === undefined ? scope : { ...scope, exp, endsAt: exp }
}

type Use = Pick<Assertion, 'product' | 'feature' | 'any' | 'seats'>

function findUseFlaw(scope: Scope, use: Use): ScopeFlaw | undefined {
  if (scope.link !== undefined) {
    if (use.product !== scope.link.product || use.any !== scope.link.any) return 'wrong_product'
    if (use.feature !== scope.link.feature) return 'wrong_feature'
    return use.seats > scope.link.seats ? 'widened_seats' : undefined
  }
  const { license } = scope
  if (!use.product.startsWith(`${license.vendor.name}/`)) return 'wrong_vendor'
  if (use.any === true) {
    const any = license.products.find((entry) => 'any' in entry)
    if (any === undefined) return 'wrong_product'
    // Seats that fit every product fit every feature of it, since the license can't list products it does not name.
    return use.seats > any.seats ? 'widened_seats' : undefined
  }
  const name = use.product.slice(license.vendor.name.length + 1)
  for (const entry of license.products) {
    if ('any' in entry || entry.name !== name) continue
    const feature = entry.features?.find((candidate) => candidate.name === use.feature)
    if (use.feature !== undefined && feature === undefined) return 'wrong_feature'
    return use.seats > (feature?.seats ?? entry.seats) ? 'widened_seats' : undefined
  }
  return 'wrong_product'
}

interface ComparedKey {
  readonly rule: CountRule
  readonly parts: readonly string[]
}

function sameKey(one: ComparedKey, other: ComparedKey): boolean {
  return (
    one.rule === other.rule &&
    one.parts.length === other.parts.length &&
    one.parts.every((part, at) => part === other.parts[at])
  )
}

function findKeyFlaw(scope: Scope, key: ComparedKey | undefined): ScopeFlaw | undefined {
  if (key !== undefined && key.rule !== scope.license.count) return 'wrong_count_rule'
  const above = scope.link?.key
  return above === undefined || (key !== undefined && sameKey(above, key)) ? undefined : 'wrong_count_key'
}

function findTimeFlaw(scope: Scope, link: Lease | Detachment): ScopeFlaw | undefined {
  if (scope.exp !== undefined && link.exp > scope.exp) return 'widened_time'
  if (scope.nbf !== undefined && (link.nbf ?? link.iat) < scope.nbf) return 'widened_time'
  if (link.exp <= (link.nbf ?? link.iat)) return 'widened_time'
  const longest =
    link.typ === 'leasehold-lease' ? scope.license.leaseSeconds : (scope.license.detach?.maxDays ?? 0) * daySeconds
  return link.exp - link.iat > longest ? 'lasts_too_long' : undefined
}

/** What is left after a lease or detachment, or why it is more than the link before allows. */
export function narrowScope(scope: Scope, link: Lease | Detachment): Scope | ScopeFlaw {
  const { license } = scope
  if (license.kind === 'standalone') return 'standalone'
  const isDetachment = link.typ === 'leasehold-detachment'
  if (isDetachment && license.detach === undefined) return 'not_detachable'
  if (scope.detached && license.detach?.cascade !== true) return 'not_detachable'
  if (link.depth >= scope.depth) return 'too_deep'
  if (link.count !== license.count) return 'wrong_count_rule'
  const flaw = findUseFlaw(scope, link) ?? findKeyFlaw(scope, link.key) ?? findTimeFlaw(scope, link)
  if (flaw !== undefined) return flaw
  const nbf = link.nbf ?? scope.nbf
  const endsAt = isDetachment ? link.exp : scope.endsAt
  return {
    license,
    link,
    exp: link.exp,
    depth: link.depth,
    detached: scope.detached || isDetachment,
    ...(nbf !== undefined && { nbf }),
    ...(endsAt !== undefined && { endsAt }),
  }
}

/**
 * Why the assertion is more than the link before allows.
 * @param clockTolerance seconds that its promise may reach past a date: the signer's clock is not the one that set the date
 */
export function findAssertionFlaw(scope: Scope, assertion: Assertion, clockTolerance: number): ScopeFlaw | undefined {
  const flaw = findUseFlaw(scope, assertion) ?? findKeyFlaw(scope, assertion.key)
  if (flaw !== undefined) return flaw
  if (assertion.validFor > scope.license.leaseSeconds) return 'lasts_too_long'
  const promised = assertion.iat + assertion.validFor
  return scope.endsAt !== undefined && promised > scope.endsAt + clockTolerance ? 'widened_time' : undefined
}
