/**
 * What an installed license supplies at the moment: seats by product, until when, and whether new sessions are taken (R11, R25).
 * Pure but for the shapes it reads; the owner is `license-shelf.ts`.
 */
import type { ProductEntry } from './domain/documents/license.ts'
import { type Dates, endOf, hasBegun } from './domain/floor.ts'
import { type ClosedBy, licenseSupplyId, type Supply, type Takes } from './domain/supply.ts'
import type { EndReason } from './errors.ts'
import { type Installed, standingOf } from './license-record.ts'

/** For so long sessions of a license whose hardware differs are renewed, in ms (R25). */
export const blockedGrace = 24 * 3_600_000

export interface SupplyMoment {
  readonly dates: Dates
  /** Now on the boot clock, in ms. */
  readonly bootAt: number
  readonly instance: string
}

export interface LicenseSupply {
  readonly supply: Supply
  /** Why its sessions end, where it takes nothing any more. */
  readonly endReason: EndReason
}

export function suppliesOf(installed: Installed, moment: SupplyMoment): LicenseSupply[] {
  const { license } = installed
  const { payload } = license
  const { takes, until, endReason } = openness(installed, moment)
  return payload.products.map((entry) => ({
    endReason,
    supply: {
      id: licenseSupplyId(payload.id, productIn(entry)),
      instance: moment.instance,
      kind: 'license',
      license: payload.id,
      vendor: payload.vendor.name,
      vendorKey: license.signer,
      ...('any' in entry ? {} : { product: entry.name, ...(entry.title === undefined ? {} : { title: entry.title }) }),
      seats: entry.seats,
      features: featuresOf(entry),
      rule: payload.count,
      leaseSeconds: payload.leaseSeconds,
      ...(until === undefined ? {} : { until }),
      takes,
      overlap: payload.overlap,
      ...(payload.kind === 'standalone' ? { local: true as const } : {}),
      ...(payload.detach === undefined ? {} : { maxDetachDays: payload.detach.maxDays }),
      depth: payload.depth,
      chain: [],
    },
  }))
}

/** The product's name; undefined for any-product seats. */
export function productIn(entry: ProductEntry): string | undefined {
  return 'any' in entry ? undefined : entry.name
}

function featuresOf(entry: ProductEntry): Record<string, number | null> {
  if ('any' in entry) return {}
  return Object.fromEntries((entry.features ?? []).map((feature) => [feature.name, feature.seats ?? null]))
}

interface Openness {
  readonly takes: Takes
  readonly until?: number
  readonly endReason: EndReason
}

function openness(installed: Installed, { dates, bootAt }: SupplyMoment): Openness {
  const { record, license, activation } = installed
  const { state } = standingOf(installed, dates.date)
  const ends = [license.payload.exp, license.payload.activation.needed ? activation?.payload.exp : undefined]
    .filter((end) => end !== undefined)
    .map((end) => end * 1000)
  if (record.blockedAt !== undefined && state === 'blocked_hardware') ends.push(record.blockedAt + blockedGrace)
  const end = ends.length === 0 ? undefined : Math.min(...ends)
  const until = end === undefined ? {} : { until: bootAt + (end - dates.date) }
  const renewing = (why: ClosedBy): Openness => ({ takes: { kind: 'renewals', why }, ...until, endReason: 'expired' })
  const ended = (why: ClosedBy, endReason: EndReason): Openness => ({
    takes: { kind: 'nothing', why },
    ...until,
    endReason,
  })
  switch (state) {
    case 'deactivated':
      return ended('license_not_active', 'license_removed')
    case 'replaced':
      return ended('unknown_product', 'license_removed')
    case 'expired':
      return ended('license_expired', 'expired')
    case 'not_activated':
      return ended('license_not_active', 'expired')
    case 'blocked_hardware':
      return end !== undefined && dates.date >= end
        ? ended('license_blocked', 'license_removed')
        : renewing('license_blocked')
    case 'not_yet_valid':
      return renewing('license_not_yet_valid')
    case 'active':
    case 'expiring': {
      // Only a later date that is not believed yet would end it: it takes no new sessions, and nothing ends (R11).
      if (end !== undefined && endOf(dates, end) === 'held') return renewing('license_expired')
      const begins = license.payload.nbf
      if (begins !== undefined && !hasBegun(dates, begins * 1000)) return renewing('license_not_yet_valid')
      return { takes: { kind: 'sessions' }, ...until, endReason: 'expired' }
    }
  }
}

/** Whether two supplies are the same for everybody; an end by elapsed time is computed anew each time and wavers a little. */
export function isSameSupply(a: Supply, b: Supply): boolean {
  const wavers =
    Math.abs((a.until ?? 0) - (b.until ?? 0)) < 2_000 && (a.until === undefined) === (b.until === undefined)
  const { until: _a, ...restA } = a
  const { until: _b, ...restB } = b
  return wavers && JSON.stringify(restA) === JSON.stringify(restB)
}
