/**
 * The store in memory, for tests and the simulator: what is committed is there after `close()` and `open()`, as on a disk.
 * Keeps JSON texts, so that nobody changes a stored value by changing what was handed in or out.
 */
import { emptyHead, type JournalEntry } from '../domain/journal.ts'
import { checkBatch, lastChanges } from './batch.ts'
import {
  type Batch,
  type CommitOutcome,
  type JournalQuery,
  type RecordKind,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreState,
} from './store.ts'

interface Kept {
  readonly kind: RecordKind
  readonly instance: string
  readonly key: string
  readonly json: string
}

export class MemoryStore implements Store {
  readonly #records = new Map<string, Kept>()
  readonly #entries: string[] = []
  #state: StoreState = { revision: 0, head: emptyHead, startCounter: 0 }
  #open = false

  async open(): Promise<StoreState> {
    if (this.#open) throw new StoreError('locked', 'The store is open already.')
    this.#open = true
    this.#state = { ...this.#state, startCounter: this.#state.startCounter + 1 }
    return this.#state
  }

  async *load(): AsyncGenerator<StoredRecord, void, undefined> {
    this.#check()
    const sorted = Array.from(this.#records, ([key, kept]) => ({ bytes: Buffer.from(key), kept }))
    sorted.sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    for (const { kept } of sorted) {
      const { json, ...address } = kept
      yield { ...address, value: JSON.parse(json) }
    }
  }

  async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    this.#check()
    checkBatch(batch, revision, this.#state)
    for (const [key, change] of lastChanges(batch.changes)) {
      const { value, ...address } = change
      if (value === undefined) this.#records.delete(key)
      else this.#records.set(key, { ...address, json: JSON.stringify(value) })
    }
    for (const entry of batch.entries) this.#entries.push(entry.json)
    this.#state = { ...this.#state, revision: revision + 1, head: batch.head }
    return { kind: 'committed', revision: revision + 1 }
  }

  async *journal(query: JournalQuery): AsyncGenerator<JournalEntry, void, undefined> {
    this.#check()
    const from = Math.max(query.from ?? 1, 1)
    const to = Math.min(query.to ?? this.#entries.length, this.#entries.length)
    const found = this.#entries.slice(from - 1, Math.max(to, 0))
    if (query.order === 'newest-first') found.reverse()
    for (const json of found.slice(0, Math.max(query.limit, 0))) yield JSON.parse(json)
  }

  async close(): Promise<void> {
    this.#open = false
  }

  #check(): void {
    if (!this.#open) throw new StoreError('failed', 'The store is not open.')
  }
}
