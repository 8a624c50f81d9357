/**
 * How owners of state write: jobs that decide inside the one serial queue, and records that come back at start.
 * `writer.ts` implements it; owners and tests see only this. Imports types only.
 */
import type { Happening } from './domain/journal.ts'
import type { JsonValue, RecordKind, StoredRecord } from './store/store.ts'

/** What one job adds to the batch that is being decided. Nothing of it is true before the batch is durable (R4). */
export interface Transaction {
  put(kind: RecordKind, key: string, value: JsonValue, instance?: string): void
  delete(kind: RecordKind, key: string, instance?: string): void
  journal(happening: Omit<Happening, 'instance'> & { readonly instance?: string }): void
  /** Runs once after the batch is on disk and before the job's answer; here the owner changes its memory. Must not throw. */
  after(effect: () => void): void
}

export interface SubmitOptions {
  /** Takes room for long: refused while the disk is nearly full, so that releases and renewals still get through (R1). */
  readonly growing?: boolean
}

export interface Writes {
  /**
   * Decides `job` in the next batch and resolves with its answer after that batch is on disk. `job` has no side effects, does
   * not wait for anything and may run more than once. When the batch could not be written the promise rejects with
   * LeaseholdError `store_unavailable`; the outcome is then unknown until the same request is asked again (R1).
   */
  submit<T>(job: (transaction: Transaction) => T, options?: SubmitOptions): Promise<T>
}

/** An owner of records. After a failed write everything is loaded anew (R1), so `reset` may come at any time. */
export interface RecordOwner {
  readonly kinds: readonly RecordKind[]
  /** Forget what memory holds of these kinds; records follow. */
  reset(): void
  restore(record: StoredRecord): void
  /** All records are there. */
  ready?(): void
}

/** Takes part in every batch: before its first job is decided and after its last one. */
export interface BatchParticipant {
  begin?(transaction: Transaction): void
  finish?(transaction: Transaction): void
  /** Adds to a batch that has something to write anyway. */
  accompany?(transaction: Transaction): void
}
