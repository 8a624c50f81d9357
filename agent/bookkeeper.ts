/**
 * The bookkeeper keeps the lessor's state: the committed book, the draft of the batch that is being decided, what is being
 * written, and the promises in memory. It turns drafts into records and records into the book; it decides nothing.
 * Only the lessor uses it.
 */
import type { Clock } from './clock.ts'
import { Book, type Draft } from './domain/book.ts'
import { type Grant, graceOf, remainingFreeIn } from './domain/grant.ts'
import { type DecisionContext, factsOfGrant } from './domain/seats.ts'
import { grantValue, readGrantRecord, tombstoneValue } from './grant-records.ts'
import { Promises } from './promises.ts'
import type { StoredRecord } from './store/store.ts'
import { TombstoneEnds } from './tombstone-ends.ts'
import type { BatchParticipant, RecordOwner, Transaction } from './writes.ts'

/** Everything a decision reads of time, taken once for all jobs of a batch: they are decided without waiting. */
export interface Readings extends DecisionContext {
  readonly atLeast: number
}

export class Bookkeeper implements RecordOwner, BatchParticipant {
  readonly kinds = ['grant'] as const
  readonly promises: Promises
  readonly #clock: Clock
  readonly #onBegin: (transaction: Transaction) => void
  #book = new Book()
  #loading: Draft | undefined
  #draft: Draft | undefined
  #readings: Readings | undefined
  #writing: Draft | undefined
  /** Until when the batch that is being decided promises grants, on `atLeast`; in force when it is on disk. */
  readonly #promising = new Map<string, number>()
  #tombstoneEnds = new TombstoneEnds()
  #old: string[] = []
  #unheard: string[] = []
  #ready = false
  #isUntold = false

  /** @param onBegin decides what is overdue, before the first job of every batch */
  constructor(clock: Clock, idleLimit: () => number, onBegin: (transaction: Transaction) => void) {
    this.#clock = clock
    this.promises = new Promises(idleLimit)
    this.#onBegin = onBegin
  }

  /** The committed state. */
  get book(): Book {
    return this.#book
  }

  /** False while everything is loaded anew; an unknown id means nothing then. */
  get isReady(): boolean {
    return this.#ready
  }

  /** The draft of the batch that is being decided. */
  get draft(): Draft {
    if (!this.#draft) throw new Error('Seats are decided only within a batch.')
    return this.#draft
  }

  get readings(): Readings {
    this.#readings ??= this.#read()
    return this.#readings
  }

  /** Whether the grant is in the batch that is being written: it is answered after that (R4). */
  isBeingWritten(id: string): boolean {
    return this.#writing?.grantChanges.has(id) ?? false
  }

  /**
   * Promises the holder so much, once the batch is on disk. The grant's record must have been written in it.
   * @returns seconds until the seat is free at the latest, rounded up
   */
  promise(transaction: Transaction, grant: Grant, seconds: number): number {
    const now = this.readings.atLeast
    this.#promising.set(grant.id, now + seconds * 1000)
    // It may have ended in the same batch.
    transaction.after(() => {
      if (this.#book.grant(grant.id)) this.promises.make(grant, now, seconds)
    })
    return Math.ceil((this.freeAtOf(grant) - now) / 1000)
  }

  /** A detachment is promised until its date, once the batch is on disk. Its record must have been written in it. */
  promiseUntilDate(transaction: Transaction, grant: Grant): void {
    const now = this.readings.atLeast
    transaction.after(() => {
      if (this.#book.grant(grant.id)) this.promises.makeDated(grant, now)
    })
  }

  /** A reading of `atLeast`. */
  get now(): number {
    return this.#clock.atLeast()
  }

  /** When the seat is free at the earliest, on `atLeast`; what this batch promises is counted already. */
  freeAtOf(grant: Grant): number {
    const promised = this.#promising.get(grant.id)
    const promise = this.promises.get(grant.id)
    if (promised === undefined) return promise?.freeAt ?? this.readings.atLeast + grant.freeIn
    return Math.max(promise?.freeAt ?? 0, promised + graceOf(grant.leaseSeconds))
  }

  begin(transaction: Transaction): void {
    const draft = this.#book.draft()
    this.#draft = draft
    this.#readings = undefined
    this.#promising.clear()
    transaction.after(() => {
      this.#book.apply(draft)
      this.#writing = undefined
      for (const [id, grant] of draft.grantChanges) if (!grant) this.promises.drop(id)
    })
    this.#onBegin(transaction)
    this.#dropTombstones(transaction)
  }

  finish(transaction: Transaction): void {
    const draft = this.draft
    for (const [id, grant] of draft.grantChanges) {
      const before = this.#book.grant(id)
      if (grant === before) continue
      if (grant) transaction.put('grant', id, grantValue(grant), grant.instance)
      else if (!draft.tombstone(id)) transaction.delete('grant', id, before?.instance)
    }
    for (const [id, tombstone] of draft.tombstoneChanges) {
      if (tombstone) transaction.put('grant', id, tombstoneValue(tombstone), tombstone.instance)
      // An id whose time is over may have been granted again in this very batch.
      else if (!draft.grant(id)) transaction.delete('grant', id, this.#book.tombstone(id)?.instance)
    }
    if (draft.tombstoneChanges.size > 0) transaction.after(() => this.#keepTombstones(draft))
    this.#writing = draft
    this.#draft = undefined
    this.#readings = undefined
  }

  reset(): void {
    this.#ready = false
    this.#book = new Book()
    this.promises.clear()
    this.#tombstoneEnds = new TombstoneEnds()
    this.#old = []
    this.#unheard = []
    this.#draft = undefined
    this.#writing = undefined
    this.#promising.clear()
    this.#loading = this.#book.draft()
  }

  restore(record: StoredRecord): void {
    const read = readGrantRecord(record)
    if (read.kind === 'grant') this.#loading?.putGrant(read.grant)
    else this.#loading?.putTombstone(read.tombstone)
  }

  ready(): void {
    const loading = this.#loading
    if (!loading) return
    this.#loading = undefined
    this.#book.apply(loading)
    const now = this.#clock.atLeast()
    const boot = this.#clock.boot()
    for (const grant of this.#book.grants()) {
      this.promises.adopt(grant, now, remainingFreeIn(grant, boot))
      if (grant.written.boot !== boot.id) this.#old.push(grant.id)
    }
    this.#keepTombstones(loading)
    this.#ready = true
    this.#isUntold = true
  }

  /**
   * Everything was loaded, and nobody was told: a batch whose outcome was unknown may have freed seats, and who waits for them
   * has heard nothing (R1).
   */
  get isUntold(): boolean {
    return this.#isUntold
  }

  noteTold(): void {
    this.#isUntold = false
  }

  /** Grants whose record was read and counts from another boot: each is to be written anew (R3). */
  get old(): readonly string[] {
    return this.#old
  }

  /** The first of them were written. */
  noteRewritten(count: number): void {
    this.#unheard.push(...this.#old.splice(0, count))
  }

  /**
   * Those of whom nothing was heard since they were read are to be written anew once more: where every start counts as another
   * boot, a loop of starts would else count them from the beginning each time, and pin their seats (R3).
   */
  rewriteUnheard(): void {
    for (const id of this.#unheard.splice(0)) if (this.promises.get(id)?.heard === false) this.#old.push(id)
  }

  /** Whether the batch that is being decided promises it anew. */
  isPromising(id: string): boolean {
    return this.#promising.has(id)
  }

  get hasOld(): boolean {
    return this.#old.length > 0
  }

  /** Whether a tombstone's time is over. */
  hasOldTombstone(now: number): boolean {
    return this.#tombstoneEnds.hasOver(now)
  }

  #read(): Readings {
    const clock = this.#clock
    const now = clock.atLeast()
    const boot = clock.boot()
    return {
      wall: clock.wall(),
      bootAt: boot.at,
      atLeast: now,
      boot,
      factsOf: factsOfGrant,
      promisedFor: (grant) => Math.max(0, this.#promisedUntil(grant, now) - now),
    }
  }

  #promisedUntil(grant: Grant, now: number): number {
    const promised = this.#promising.get(grant.id)
    const before = this.promises.get(grant.id)?.promisedUntil
    if (promised === undefined) return before ?? now + grant.freeIn
    return Math.max(before ?? 0, promised)
  }

  #keepTombstones(draft: Draft): void {
    const now = this.#clock.atLeast()
    for (const tombstone of draft.tombstoneChanges.values()) if (tombstone) this.#tombstoneEnds.add(tombstone, now)
  }

  #dropTombstones(transaction: Transaction): void {
    const over = this.#tombstoneEnds.over(this.readings.atLeast)
    if (over === undefined) return
    for (const id of over.ids) this.draft.dropTombstone(id)
    transaction.after(over.forget)
  }
}
