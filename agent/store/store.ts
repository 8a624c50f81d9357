/**
 * The store port: what the writer asks of a store, and nothing about how it is kept.
 * Implementations: `level-store.ts` (LevelDB, the default), `memory-store.ts` (tests, simulator).
 * One contract suite (`test/store/contract.ts`) runs on every one. Imports types of `domain` only.
 */
import type { ChainedEntry, JournalEntry, JournalHead } from '../domain/journal.ts'

/** What kinds of records there are. Part of the key, so a kind once released is never renamed. */
export const recordKinds = [
  'meta', // facts about the store itself that owners keep: key = name
  'license', // installed licenses, with activation
  'vendor', // trusted vendor keys
  'grant', // seats given out, and what stays of their ids when they have ended (R15)
  'tombstone', // ended grants, up to schema 1
  'pending', // ids stored before they are sent (R7)
  'setting', // configuration set by the administrator
  'credential', // password, tokens: hashes only
  'sign-in', // sessions of people, hashed
  'floor', // the date floor (R11)
  'peer', // agents whose key is remembered, with approval
  'client', // agents that asked for seats lately (recent clients)
  'lease', // seats leased from other agents, from before they are asked for until they are given back (R7, R16)
  'detachment', // seats detached to this agent, and what is known of those it detached to others
  'reserve', // seats to be kept in advance
  'site', // web sites with a reserve of their own
] as const
export type RecordKind = (typeof recordKinds)[number]

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [name: string]: JsonValue }

export interface StoredRecord {
  readonly kind: RecordKind
  /** The license server the record belongs to; an agent's own instance has the agent's id. */
  readonly instance: string
  /** Unique within kind and instance; any text of 1 to 512 bytes without a NUL. */
  readonly key: string
  readonly value: JsonValue
}

/** `value: undefined` deletes; deleting what is not there is no error and changes no count. */
export interface Change {
  readonly kind: RecordKind
  readonly instance: string
  readonly key: string
  readonly value: JsonValue | undefined
}

export interface Batch {
  readonly changes: readonly Change[]
  readonly entries: readonly ChainedEntry[]
  /** The journal's head after these entries (R34). */
  readonly head: JournalHead
}

export interface StoreState {
  /** Counts committed batches, from 0 for a new store. */
  readonly revision: number
  readonly head: JournalHead
  /** How often an agent has opened this store, this time included; durable before `open` resolves (R8). */
  readonly startCounter: number
}

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly revision: number }
  /** Only for stores that several managers share: decided on an old revision. Apply the change-sets and decide again. */
  | {
      readonly kind: 'behind'
      readonly missed: readonly { readonly revision: number; readonly changes: readonly Change[] }[]
    }

export interface JournalQuery {
  /** Sequence numbers, both inclusive. */
  readonly from?: number
  readonly to?: number
  readonly limit: number
  readonly order: 'oldest-first' | 'newest-first'
}

export interface Store {
  /**
   * Opens, checks (R8) and counts the start, which raises no revision. Rejects with StoreError: 'locked' (also when it is open
   * already), 'damaged', 'newer_schema', 'not_permitted', 'disk_full', 'failed'. May be called again after `close()`.
   */
  open(): Promise<StoreState>
  /** Every record of every kind, in key order; throws StoreError 'damaged' and names the record that is. Reads no journal entry. */
  load(): AsyncIterable<StoredRecord>
  /**
   * One atomic durable write, decided on `revision`; one at a time. Resolves after it is on disk. A rejection means the outcome
   * is UNKNOWN (R1): the caller closes, opens and loads again before it decides anything.
   */
  commit(batch: Batch, revision: number): Promise<CommitOutcome>
  /** Reads entries that are committed; checks each one's checksum, and that none is missing between them. */
  journal(query: JournalQuery): AsyncIterable<JournalEntry>
  close(): Promise<void>
}

export type StoreErrorCode = 'locked' | 'damaged' | 'newer_schema' | 'not_permitted' | 'disk_full' | 'failed'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    this.code = code
  }
}
