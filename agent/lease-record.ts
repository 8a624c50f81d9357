/**
 * What is kept of a lease from another manager, from before it is asked for until it is given back (R7, R16), and the supply that
 * follows from it. Owns nothing; the owner of the records is `leases.ts`. Must not import who asks for seats.
 */
import type { BootReading } from './clock.ts'
import { hashCountKey } from './domain/count-key.ts'
import { type ProductName, productOf, vendorOf } from './domain/product-name.ts'
import type { Supply, Takes } from './domain/supply.ts'
import type { LeaseAsk, LeaseGrant } from './peers/wire.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'

/**
 * `asking`: stored before it is sent (R7). `held`: a supply of this agent. `returning`: takes nothing new, and is told back as soon
 * as nothing lives on it (R16). `cancelling`: not wanted; told until the manager has heard it.
 */
export type LeaseState = 'asking' | 'held' | 'returning' | 'cancelling'

/** What the manager granted. */
export type LeaseTerms = Omit<LeaseGrant, 'id' | 'expiresIn' | 'freeIn' | 'renewIn' | 'offered'>

export interface LeaseRecord {
  readonly id: string
  readonly state: LeaseState
  readonly manager: { readonly id: string; readonly name: string }
  /** Id of the session or lease that it is fetched for: a repeat of that finds the same lease (R7). */
  readonly for: string
  /** Its seats serve only sessions of who goes by this name. */
  readonly onlyFor?: string
  /** In advance: not given back for being idle. */
  readonly kept?: true
  readonly ask: LeaseAsk
  /** Key of the vendor, as the manager's offer names it. */
  readonly vendorKey: string
  readonly terms?: LeaseTerms
  /** It has ended, for this reason; the manager is told once nothing lives on it (R5). */
  readonly ended?: string
  /** How long it was promised when this was written, in ms. */
  readonly promisedFor: number
  readonly written: { readonly boot: string; readonly at: number; readonly wall: number }
  /** Wall time in ms, for people. */
  readonly startedAt: number
}

/** A lease that was granted. */
export type GrantedLease = LeaseRecord & { readonly terms: LeaseTerms }

export function isGranted(record: LeaseRecord | undefined): record is GrantedLease {
  return record?.terms !== undefined && record.state !== 'cancelling'
}

/** The wall counts as elapsed time only where it ran ahead by more than this, in ms (R9). */
const wallTolerance = 30_000

/**
 * What is left of the promise for a process that reads the record, in ms: what has passed since it was written is known only in the
 * same boot (R20), and the wall counts where it ran ahead (R9).
 */
export function promiseLeft(record: LeaseRecord, boot: BootReading, wall: number): number {
  const { written, promisedFor } = record
  if (written.boot !== boot.id) return 0
  const passed = Math.max(0, boot.at - written.at)
  const passedOnWall = wall - written.wall
  return promisedFor - (passedOnWall - passed > wallTolerance ? passedOnWall : passed)
}

/** @param until when it ends, on the boot clock in ms */
export function leaseSupply(record: GrantedLease, instance: string, until: number, takes: Takes): Supply {
  const { terms } = record
  const product = terms.product as ProductName
  const { key, title, feature } = terms
  return {
    id: record.id,
    instance,
    kind: 'lease',
    license: terms.license,
    vendor: vendorOf(product),
    vendorKey: record.vendorKey,
    product: productOf(product),
    ...(terms.any === true ? { any: true as const } : {}),
    ...(title === undefined ? {} : { title }),
    seats: terms.seats,
    features: feature === undefined ? {} : { [feature]: null },
    rule: terms.rule,
    leaseSeconds: terms.leaseSeconds,
    until,
    takes,
    overlap: terms.overlap,
    depth: terms.depth,
    chain: terms.chain,
    ...(key === undefined || key.parts.length === 0 ? {} : { onlyKey: hashCountKey(terms.license, product, key) }),
    onlyFeature: feature ?? null,
    ...(record.onlyFor === undefined ? {} : { onlyFor: record.onlyFor }),
    // Kept of the licenses of this very agent: not passed on.
    ...(record.manager.id === instance ? { local: true as const } : {}),
    manager: record.manager,
  }
}

export function leaseValue(record: LeaseRecord): JsonValue {
  const { id: _, ...value } = record
  return value as unknown as JsonValue
}

/** What comes back was checked by the store, so it is what this code wrote. */
export function restoreLease(record: StoredRecord): LeaseRecord {
  return { id: record.key, ...(record.value as unknown as Omit<LeaseRecord, 'id'>) }
}
