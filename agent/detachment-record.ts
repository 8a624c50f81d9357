/**
 * What is kept of a detachment on either side: at the manager, beside the grant, from when it is made; at the machine that has the
 * seats, from before it is asked for (R7). Both stay as tombstones until the latest date in any of its documents (R15). Owns
 * nothing; the owner of the records is `detachment-book.ts`.
 */
import type { CheckedDetachment } from './domain/documents/detachment.ts'
import type { PublicJwk } from './domain/documents/keys.ts'
import type { Who } from './domain/grant.ts'
import { type ProductName, productOf, vendorOf } from './domain/product-name.ts'
import type { Supply, Takes } from './domain/supply.ts'
import type { DetachAsk } from './peers/detachment-wire.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'

/** Who takes the seats along. */
export interface DetachRecipient {
  readonly id: string
  readonly key: PublicJwk
  readonly name: string
}

/** Seats of this agent at another machine. Times are ms since 1970. */
export interface OutRecord {
  readonly side: 'out'
  readonly id: string
  /** `returned` also for one that was withdrawn before it was taken. */
  readonly state: 'out' | 'returned' | 'ended'
  /** Id of its grant. */
  readonly grant: string
  readonly version: number
  readonly recipient: DetachRecipient
  /** The agent that the request came through, where that is another one (R22). */
  readonly via?: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly license: string
  /** Key ids of who signed above it, nearest first: their time counts for its date (R11). */
  readonly signers: readonly string[]
  readonly until: number
  /** The zone of the calendar day that was asked for. */
  readonly zone?: string
  /** By how many ms the recipient's clock was behind when it was made or extended last. */
  readonly behind: number
  /** ms that pass after the date before the seats are free. */
  readonly grace: number
  readonly soft?: true
  readonly cascade: boolean
  readonly earlyReturn: 'online' | 'offline' | 'atDate'
  readonly lost?: { readonly at: number; readonly freeAt: number; readonly early: boolean }
  /** Somebody was given its document: from then on only the recipient can give it back. */
  readonly delivered: boolean
  /** License and so on down to the latest version. */
  readonly texts: readonly string[]
  /** The latest date in any of its documents. */
  readonly latest: number
  readonly who: Who
  readonly madeAt: number
  /** The key under which it was ordered here. */
  readonly order?: string
  /** By the wall, for people. */
  readonly contactAt?: number
  readonly endedAt?: number
}

/**
 * `asking`: stored before it is sent. `cancelling`: not wanted any more, told until the manager has heard it. `attached`: a supply.
 * `returning`: takes nothing new, told once nothing lives on it (R16). `returned`, `ended`: tombstones.
 */
export type InState = 'asking' | 'cancelling' | 'attached' | 'returning' | 'returned' | 'ended'

/** Seats of another agent that are attached here. */
export interface InRecord {
  readonly side: 'in'
  readonly id: string
  readonly state: InState
  readonly manager: { readonly id: string; readonly name: string }
  /** Whom to ask about it, where that is not the manager itself (R22). */
  readonly via?: { readonly id: string; readonly name: string }
  /** What was asked for; absent where it came as a block. */
  readonly ask?: DetachAsk
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** 0 before it is granted. */
  readonly version: number
  readonly texts: readonly string[]
  readonly terms?: DetachTerms
  readonly until: number
  readonly zone?: string
  readonly soft?: true
  /** For how long it may be used, in ms of ticking time since `attachedTick` (R12). */
  readonly duration: number
  readonly attachedTick: number
  readonly attachedAt: number
  readonly latest: number
  /** Compact text of the return receipt. */
  readonly receipt?: string
  readonly who: Who
  readonly contactAt?: number
  readonly endedAt?: number
  /** The key under which it was ordered here. */
  readonly order?: string
  /** The last reminder that was journaled. */
  readonly reminded?: string
}

/** What the supply is made of; read from the texts once. */
export interface DetachTerms {
  readonly license: string
  readonly vendorKey: string
  readonly title?: string
  readonly any?: true
  readonly rule: Supply['rule']
  readonly leaseSeconds: number
  readonly overlap: boolean
  readonly depth: number
  readonly cascade: boolean
  readonly maxDetachDays: number
  readonly earlyReturn: OutRecord['earlyReturn']
  readonly proves: boolean
}

/** A detachment that went through this agent, which has no such seats itself (R22): whom to pass on what comes about it. */
export interface RelayRecord {
  readonly side: 'relay'
  readonly id: string
  readonly manager: string
  readonly recipient: string
  readonly latest: number
}

export type DetachmentRecord = OutRecord | InRecord | RelayRecord

export function recordKey({ side, id }: Pick<DetachmentRecord, 'side' | 'id'>): string {
  return `${side}/${id}`
}

export function detachmentValue(record: DetachmentRecord): JsonValue {
  return record as unknown as JsonValue
}

/** What comes back was checked by the store, so it is what this code wrote. */
export function restoreDetachment(record: StoredRecord): DetachmentRecord {
  return record.value as unknown as DetachmentRecord
}

/** It counts at the manager. */
export function isOut(record: OutRecord | undefined): record is OutRecord & { readonly state: 'out' } {
  return record?.state === 'out'
}

/** It is a supply here. */
export function isIn(record: InRecord | undefined): record is InRecord & { readonly terms: DetachTerms } {
  return record?.terms !== undefined && (record.state === 'attached' || record.state === 'returning')
}

/** For the journal. */
export function outFacts({ grant, product, seats, recipient, version, license }: OutRecord) {
  return { detachment: grant, product, seats, holder: recipient.id, holderName: recipient.name, version, license }
}

/** When its seats are free by the date, in ms since 1970: a grace and the difference of the clocks after its date (R10). */
export function freeDateOf({ until, grace, behind, lost }: OutRecord): number {
  const byDate = until + grace + behind
  return lost === undefined ? byDate : Math.min(byDate, lost.freeAt)
}

export function termsOf({ payload, license, vendorKey, proves }: CheckedDetachment): DetachTerms {
  const name = productOf(payload.product as ProductName)
  const entry = license.products.find((one) => !('any' in one) && one.name === name)
  const title = entry !== undefined && 'title' in entry ? entry.title : undefined
  const cascade = license.detach?.cascade === true && payload.depth > 0
  return {
    license: license.id,
    vendorKey,
    ...(title === undefined ? {} : { title }),
    ...(payload.any === true ? { any: true as const } : {}),
    rule: payload.count,
    leaseSeconds: license.leaseSeconds,
    overlap: license.overlap,
    depth: cascade ? payload.depth : 0,
    cascade,
    maxDetachDays: license.detach?.maxDays ?? 0,
    earlyReturn: license.detach?.earlyReturn ?? 'offline',
    proves,
  }
}

/** @param until when it ends, on the boot clock in ms */
export function detachedSupply(
  record: InRecord & { readonly terms: DetachTerms },
  instance: string,
  until: number,
  takes: Takes,
): Supply {
  const { terms, product, feature } = record
  return {
    id: record.id,
    instance,
    kind: 'detachment',
    license: terms.license,
    vendor: vendorOf(product),
    vendorKey: terms.vendorKey,
    product: productOf(product),
    ...(terms.any === undefined ? {} : { any: terms.any }),
    ...(terms.title === undefined ? {} : { title: terms.title }),
    seats: record.seats,
    features: feature === undefined ? {} : { [feature]: null },
    rule: terms.rule,
    leaseSeconds: terms.leaseSeconds,
    until,
    takes,
    overlap: terms.overlap,
    depth: terms.depth,
    chain: [record.manager.id],
    ...(terms.cascade ? { maxDetachDays: terms.maxDetachDays } : {}),
    onlyFeature: feature ?? null,
    manager: record.manager,
  }
}
