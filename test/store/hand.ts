/**
 * A writer for the tests: makes changes, chained entries and batches, and commits them one after another.
 * Runs outside of the test runner too.
 */
import {
  type ChainedEntry,
  chainEntry,
  emptyHead,
  type JournalEntry,
  type JournalHead,
} from '../../agent/domain/journal.ts'
import type { Batch, Change, JsonValue, RecordKind, Store, StoredRecord } from '../../agent/store/store.ts'

export const instance = 'agent-1'

export function put(key: string, value: JsonValue, kind: RecordKind = 'grant'): Change {
  return { kind, instance, key, value }
}

export function remove(key: string, kind: RecordKind = 'grant'): Change {
  return { kind, instance, key, value: undefined }
}

/** `count` chained entries after `head`. */
export function entriesAfter(head: JournalHead, count: number): ChainedEntry[] {
  const entries: ChainedEntry[] = []
  let last = head
  for (let index = 0; index < count; index += 1) {
    const happening = {
      type: 'session.opened',
      instance,
      facts: { seats: 1, features: ['draw', 'print'], note: null },
      personal: { user: 'ana@example.org' },
    }
    const entry = chainEntry(last, happening, 1_764_000_000_000 + last.sequence, () => 'salt')
    entries.push(entry)
    last = entry
  }
  return entries
}

export function batchAfter(head: JournalHead, changes: readonly Change[], entryCount = 0): Batch {
  const entries = entriesAfter(head, entryCount)
  const newest = entries.at(-1)
  return { changes, entries, head: newest ? { sequence: newest.sequence, hash: newest.hash } : head }
}

/** An entry as it is read. */
export function readForm({ json: _, ...entry }: ChainedEntry): JournalEntry {
  return entry
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

export async function loadAll(store: Store): Promise<StoredRecord[]> {
  return collect(store.load())
}

export async function journalAll(store: Store): Promise<JournalEntry[]> {
  return collect(store.journal({ limit: Number.MAX_SAFE_INTEGER, order: 'oldest-first' }))
}

/** Writes one batch after another, each decided on the one before. */
export class Hand {
  readonly store: Store
  #revision: number
  head: JournalHead

  constructor(store: Store, state: { revision: number; head: JournalHead } = { revision: 0, head: emptyHead }) {
    this.store = store
    this.#revision = state.revision
    this.head = state.head
  }

  async commit(changes: readonly Change[], entryCount = 0): Promise<void> {
    const batch = batchAfter(this.head, changes, entryCount)
    const outcome = await this.store.commit(batch, this.#revision)
    if (outcome.kind !== 'committed') throw new Error('a store of one writer is never behind')
    this.#revision = outcome.revision
    this.head = batch.head
  }

  async reopen(): Promise<void> {
    await this.store.close()
    await this.store.open()
  }
}
