/**
 * The journal as it is read: pages of it, all of it, and the check that nothing was changed or left out (R34). Entries are
 * written by the writer, in the batch of what they tell of. Owns nothing.
 */
import { checkEntry, emptyHead, type JournalEntry, type JournalHead } from './domain/journal.ts'
import { type Store, StoreError } from './store/store.ts'

export interface JournalFilter {
  /** A type such as `session.opened`, or its first part. */
  readonly type?: string | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly order: 'newest-first' | 'oldest-first'
}

export type JournalVerdict =
  | { readonly kind: 'good'; readonly entries: number; readonly head: string }
  | { readonly kind: 'broken'; readonly sequence: number; readonly reason: string }

export class Journal {
  readonly #store: Store
  readonly #head: () => JournalHead

  constructor(store: Store, head: () => JournalHead) {
    this.#store = store
    this.#head = head
  }

  /** @param limit as many entries as fit the filter */
  async *read(filter: JournalFilter, limit: number): AsyncIterable<JournalEntry> {
    let left = limit
    const query = {
      limit: Number.MAX_SAFE_INTEGER,
      order: filter.order,
      ...(filter.from === undefined ? {} : { from: filter.from }),
      ...(filter.to === undefined ? {} : { to: filter.to }),
    }
    for await (const entry of this.#store.journal(query)) {
      if (!fits(entry, filter.type)) continue
      if (left-- <= 0) return
      yield entry
    }
  }

  /** How many entries fit; counts them one by one where a type is asked for. */
  async count(filter: JournalFilter): Promise<number> {
    const from = filter.from ?? 1
    const to = Math.min(filter.to ?? this.#head().sequence, this.#head().sequence)
    if (filter.type === undefined) return Math.max(0, to - from + 1)
    let count = 0
    for await (const entry of this.#store.journal({ from, to, limit: Number.MAX_SAFE_INTEGER, order: 'oldest-first' }))
      if (fits(entry, filter.type)) count++
    return count
  }

  /** Follows the chain from its beginning to the head that the store was opened or written with. */
  async verify(): Promise<JournalVerdict> {
    const end = this.#head()
    let head = emptyHead
    try {
      for await (const entry of this.#store.journal({
        to: end.sequence,
        limit: Number.MAX_SAFE_INTEGER,
        order: 'oldest-first',
      })) {
        const checked = checkEntry(head, entry)
        if (checked.kind === 'broken') return checked
        head = checked.head
      }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'damaged')
        return { kind: 'broken', sequence: head.sequence + 1, reason: error.message }
      throw error
    }
    if (head.sequence !== end.sequence || head.hash !== end.hash)
      return { kind: 'broken', sequence: head.sequence + 1, reason: 'the end is missing' }
    return { kind: 'good', entries: head.sequence, head: head.hash }
  }
}

function fits(entry: JournalEntry, type: string | undefined): boolean {
  return type === undefined || entry.type === type || entry.type.startsWith(`${type}.`)
}
