/**
 * Grants: seats given out of supplies, until a time; as stored, and the rules of their times (R3, R10). Pure.
 */
import type { LicensePermit } from './access/permit.ts'
import type { CountFacts } from './count-key.ts'
import type { ProductName } from './product-name.ts'

export type GrantKind = 'session' | 'lease' | 'detachment'

/** Seats out of one supply. A session of n seats may have parts in several (R18). */
export interface Part {
  readonly supply: string
  readonly seats: number
  /** Hash of the count key; absent = counts for itself. */
  readonly key?: string
}

/** Who uses the seat, as they said it and as the agent saw it. */
export interface Who {
  readonly account?: string
  readonly email?: string
  readonly displayName?: string
  readonly host?: string
  readonly processId?: number
  readonly processName?: string
  readonly application?: string
  /** Address the request came from. */
  readonly address?: string
}

export type Activity = 'heartbeat' | 'reported'

export interface Grant {
  readonly id: string
  readonly instance: string
  readonly kind: GrantKind
  /** Agent id of the holder; the agent's own for its sessions. */
  readonly holder: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly parts: readonly Part[]
  /** Set when it is ending from the lessor's side: no more renewals, the holder is told (R5). */
  readonly ending?: string
  readonly leaseSeconds: number
  readonly who: Who
  /** Hash of what was asked: the same id with another body is a conflict (R15). */
  readonly body: string
  /** The holder wants seats of this vendor key only, also when it moves. */
  readonly vendorKey?: string
  /** Licenses that its seats may come from by the rules, also when it moves. */
  readonly licenses?: LicensePermit
  /** Of whose kept seats it lives, also when it moves. */
  readonly onlyFor?: string
  /** After so many seconds without reported activity it ends; absent = as the agent is set. */
  readonly idleSeconds?: number
  /** The first nonce; never changes (R27). */
  readonly binding?: string
  /** What a lease is counted by: the agent that the application runs at, and its user and process there (R18). */
  readonly facts?: CountFacts
  /** When a detachment ends, as wall time in ms. */
  readonly until?: number
  /** The process that is watched (R29). */
  readonly process?: { readonly boot: string; readonly id: number; readonly startedAt: string }
  readonly activity: Activity
  /** Granted after waiting and not yet heard of: the promise is short (R30). */
  readonly unconfirmed?: true
  /** Wall time in ms, for people. */
  readonly startedAt: number
  /** For how long it had reported no activity when this was written, in ms. */
  readonly idleFor: number
  /** The seat is free this many ms after it was written, if nothing else is heard (R3). */
  readonly freeIn: number
  readonly written: { readonly boot: string; readonly at: number }
}

/** What stays of an id that was granted once, so that it is never granted again (R15). */
export interface Tombstone {
  readonly id: string
  /** That of its grant. */
  readonly instance: string
  readonly reason: string
  /** Of a request of another agent: it is kept for as long as a copy of that may come late. */
  readonly peer?: true
  /** Seats that were freed by order while they may still be in use, until a wall time in ms, for people. */
  readonly overlap?: { readonly supplies: readonly string[]; readonly seats: number; readonly until: number }
}

/** Ids that other agents make are theirs alone (R15). */
export function peerGrantId(holder: string, id: string): string {
  return `${holder}/${id}`
}

/** Seats of its licenses that this agent keeps for itself in advance: what lives on them is told apart (R17). */
export function isOwnLease({ kind, holder, instance }: Pick<Grant, 'kind' | 'holder' | 'instance'>): boolean {
  return kind === 'lease' && holder === instance
}

const minimalGrace = 15_000

/** How long after the promise the seat may be reused: max(15 s, 0.5 % of the lease time), in ms (R10). */
export function graceOf(leaseSeconds: number): number {
  return Math.max(minimalGrace, Math.ceil(leaseSeconds * 5))
}

/** What a record is written with, so that renewals fit into it for a while: 2 x lease time + grace, in ms (R3). */
export function freshFreeIn(leaseSeconds: number): number {
  return 2 * leaseSeconds * 1000 + graceOf(leaseSeconds)
}

/**
 * What is left of a stored duration for whoever did not write the record: counted from the writing in the same boot of the
 * same machine, else from now (R3).
 */
export function remainingFreeIn(grant: Grant, boot: { readonly id: string; readonly at: number }): number {
  if (grant.written.boot !== boot.id) return grant.freeIn
  return grant.freeIn - Math.max(0, boot.at - grant.written.at)
}
