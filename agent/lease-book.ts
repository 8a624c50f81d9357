/**
 * The book of leases: their records as committed, what the batch that is being decided makes of them, and how long each is promised.
 * Only `leases.ts` uses it and decides what is written.
 */
import type { Clock, Elapsed } from './clock.ts'
import { isGranted, type LeaseRecord, leaseValue, promiseLeft, restoreLease } from './lease-record.ts'
import type { StoredRecord } from './store/store.ts'
import type { Transaction } from './writes.ts'

/** What is known of the time of a lease that was granted. */
export interface LeaseTimes {
  /** Promised until then, on `atMost`. */
  readonly until: Elapsed
  /** It is over only from then on, on `atLeast`: the manager is asked first (R9, R20). */
  readonly doubtedUntil: Elapsed
  /** False: read after a boot and not heard of since (R20). */
  readonly confirmed: boolean
}

export const unknownTimes: LeaseTimes = { until: 0, doubtedUntil: 0, confirmed: false }

export class LeaseBook {
  readonly #clock: Clock
  readonly #records = new Map<string, LeaseRecord>()
  readonly #times = new Map<string, LeaseTimes>()
  /** What a batch that is being decided leads to; later jobs of the same batch go on from it. */
  readonly #drafts = new WeakMap<Transaction, Map<string, LeaseRecord | undefined>>()
  readonly #listeners = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** As committed. */
  list(): Iterable<LeaseRecord> {
    return this.#records.values()
  }

  get size(): number {
    return this.#records.size
  }

  get(id: string): LeaseRecord | undefined {
    return this.#records.get(id)
  }

  /** As the jobs before in the same batch leave it. */
  find(transaction: Transaction, id: string): LeaseRecord | undefined {
    const draft = this.#drafts.get(transaction)
    return draft?.has(id) ? draft.get(id) : this.#records.get(id)
  }

  put(transaction: Transaction, record: LeaseRecord): void {
    transaction.put('lease', record.id, leaseValue(record))
    this.#change(transaction, record.id, record)
  }

  drop(transaction: Transaction, id: string): void {
    transaction.delete('lease', id)
    this.#change(transaction, id, undefined)
    transaction.after(() => this.#times.delete(id))
  }

  /** Leases that were granted, and their times. */
  times(): Iterable<readonly [string, LeaseTimes]> {
    return this.#times
  }

  timesOf(id: string): LeaseTimes | undefined {
    return this.#times.get(id)
  }

  setTimes(id: string, times: LeaseTimes | undefined): void {
    if (times) this.#times.set(id, times)
    else this.#times.delete(id)
  }

  /** The same record with how long it is promised, for whoever reads it. */
  written(record: LeaseRecord, until: Elapsed): LeaseRecord {
    const boot = this.#clock.boot()
    const promisedFor = Math.max(0, Math.floor(until - this.#clock.atMost()))
    return { ...record, promisedFor, written: { boot: boot.id, at: boot.at, wall: this.#clock.wall() } }
  }

  /** Told after every batch that changed something. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  reset(): void {
    this.#records.clear()
    this.#times.clear()
  }

  restore(stored: StoredRecord): void {
    const record = restoreLease(stored)
    this.#records.set(record.id, record)
  }

  /** All records are there: what is left of each promise is counted from them. */
  ready(): void {
    const boot = this.#clock.boot()
    const wall = this.#clock.wall()
    for (const record of this.#records.values()) {
      if (!isGranted(record)) continue
      const left = promiseLeft(record, boot, wall)
      this.#times.set(record.id, {
        until: this.#clock.atMost() + Math.max(0, left),
        confirmed: left > 0,
        doubtedUntil: left > 0 ? 0 : this.#clock.atLeast() + record.terms.leaseSeconds * 1000,
      })
    }
  }

  #change(transaction: Transaction, id: string, record: LeaseRecord | undefined): void {
    const known = this.#drafts.get(transaction)
    const draft = known ?? new Map<string, LeaseRecord | undefined>()
    draft.set(id, record)
    if (known) return
    this.#drafts.set(transaction, draft)
    transaction.after(() => {
      for (const [changed, after] of draft) {
        if (after) this.#records.set(changed, after)
        else this.#records.delete(changed)
      }
      for (const listener of this.#listeners) listener()
    })
  }
}
