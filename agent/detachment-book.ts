/**
 * Owns the records of detachments on both sides, and the ticking time that durations are counted in (R12). Later jobs of a batch see
 * what earlier ones have changed. Decides nothing; talks to nobody.
 */
import type { Clock } from './clock.ts'
import {
  type DetachmentRecord,
  detachmentValue,
  type InRecord,
  isIn,
  type OutRecord,
  type RelayRecord,
  recordKey,
  restoreDetachment,
} from './detachment-record.ts'
import type { StoredRecord } from './store/store.ts'
import type { BatchParticipant, RecordOwner, Transaction } from './writes.ts'

/** Ticking time as it was stored: sleep counts, time that the machine was off does not. */
interface Ticks {
  readonly boot: string
  readonly at: number
  readonly ticked: number
}

const ticksKey = 'ticks'

export class DetachmentBook implements RecordOwner, BatchParticipant {
  readonly kinds = ['detachment'] as const
  readonly #clock: Pick<Clock, 'boot'>
  #records = new Map<string, DetachmentRecord>()
  #ticks: Ticks | undefined
  readonly #drafts = new WeakMap<Transaction, Map<string, DetachmentRecord | undefined>>()
  readonly #listeners = new Set<(record: DetachmentRecord) => void>()
  readonly #onReady: (() => void)[] = []

  constructor(clock: Pick<Clock, 'boot'>) {
    this.#clock = clock
  }

  /** @param transaction within a job: as the jobs before it in the same batch leave it */
  out(id: string, transaction?: Transaction): OutRecord | undefined {
    const found = this.#find(`out/${id}`, transaction)
    return found?.side === 'out' ? found : undefined
  }

  in(id: string, transaction?: Transaction): InRecord | undefined {
    const found = this.#find(`in/${id}`, transaction)
    return found?.side === 'in' ? found : undefined
  }

  relay(id: string): RelayRecord | undefined {
    const found = this.#find(`relay/${id}`, undefined)
    return found?.side === 'relay' ? found : undefined
  }

  *relays(): Iterable<RelayRecord> {
    for (const record of this.#records.values()) if (record.side === 'relay') yield record
  }

  *outs(transaction?: Transaction): Iterable<OutRecord> {
    for (const record of this.#all(transaction)) if (record.side === 'out') yield record
  }

  *ins(transaction?: Transaction): Iterable<InRecord> {
    for (const record of this.#all(transaction)) if (record.side === 'in') yield record
  }

  put(transaction: Transaction, record: DetachmentRecord): void {
    transaction.put('detachment', recordKey(record), detachmentValue(record))
    this.#change(transaction, recordKey(record), record)
  }

  drop(transaction: Transaction, record: DetachmentRecord): void {
    transaction.delete('detachment', recordKey(record))
    this.#change(transaction, recordKey(record), undefined)
  }

  /** Ticking time now, in ms. */
  get tick(): number {
    const { boot, at, ticked } = this.#ticks ?? { boot: '', at: 0, ticked: 0 }
    const now = this.#clock.boot()
    return boot === now.id ? ticked + Math.max(0, now.at - at) : ticked
  }

  /** Told of every record that has changed, after it is on disk; of one that was dropped as it was. */
  onChange(listener: (record: DetachmentRecord) => void): void {
    this.#listeners.add(listener)
  }

  /** Told when all records were read, be it anew (R1). */
  onReady(listener: () => void): void {
    this.#onReady.push(listener)
  }

  /** Within a job: time is stored, so that no more of it is forgotten than has passed since. */
  writeTick(transaction: Transaction): void {
    const now = this.#clock.boot()
    const ticks: Ticks = { boot: now.id, at: now.at, ticked: this.tick }
    transaction.put('detachment', ticksKey, { ...ticks })
    transaction.after(() => {
      this.#ticks = ticks
    })
  }

  /** With every batch while there is something that ends by it. */
  accompany(transaction: Transaction): void {
    for (const record of this.#all(transaction))
      if (record.side === 'in' && isIn(record)) {
        this.writeTick(transaction)
        return
      }
  }

  reset(): void {
    this.#records = new Map()
    this.#ticks = undefined
  }

  restore(stored: StoredRecord): void {
    if (stored.key === ticksKey) this.#ticks = stored.value as unknown as Ticks
    else this.#records.set(stored.key, restoreDetachment(stored))
  }

  ready(): void {
    // Time runs on from now, whatever was before.
    const now = this.#clock.boot()
    this.#ticks = { boot: now.id, at: now.at, ticked: this.tick }
    for (const listener of this.#onReady) listener()
  }

  #find(key: string, transaction: Transaction | undefined): DetachmentRecord | undefined {
    const draft = transaction && this.#drafts.get(transaction)
    return draft?.has(key) ? draft.get(key) : this.#records.get(key)
  }

  *#all(transaction: Transaction | undefined): Iterable<DetachmentRecord> {
    const draft = transaction && this.#drafts.get(transaction)
    if (draft === undefined) {
      yield* this.#records.values()
      return
    }
    for (const [key, record] of this.#records) if (!draft.has(key)) yield record
    for (const record of draft.values()) if (record !== undefined) yield record
  }

  #change(transaction: Transaction, key: string, record: DetachmentRecord | undefined): void {
    const known = this.#drafts.get(transaction)
    const draft = known ?? new Map<string, DetachmentRecord | undefined>()
    draft.set(key, record)
    if (known) return
    this.#drafts.set(transaction, draft)
    transaction.after(() => {
      const changed: DetachmentRecord[] = []
      for (const [name, after] of draft) {
        const told = after ?? this.#records.get(name)
        if (after) this.#records.set(name, after)
        else this.#records.delete(name)
        if (told) changed.push(told)
      }
      for (const one of changed) for (const listener of this.#listeners) listener(one)
    })
  }
}
