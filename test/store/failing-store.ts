/**
 * A store with failures to order, around any other store. Without an order it is that store.
 */
import type { JournalEntry } from '../../agent/domain/journal.ts'
import {
  type Batch,
  type CommitOutcome,
  type JournalQuery,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreErrorCode,
  type StoreState,
} from '../../agent/store/store.ts'

/**
 * `before`: nothing was written. `after`: written, but the answer is a failure. After both every commit is refused until the
 * store is opened again, as `level-store.ts` does. `torn`: nothing was written, and what is committed from then on is
 * acknowledged and lost at the next opening, as LevelDB does after a full disk (R1).
 */
export type CommitFailure = 'before' | 'after' | 'torn'

export class FailingStore implements Store {
  readonly #inner: Store
  readonly #commits: (CommitFailure | 'works')[] = []
  readonly #openings: StoreErrorCode[] = []
  readonly #code: StoreErrorCode
  #after: 'working' | 'broken' | 'torn' = 'working'

  /** @param code of the failures of `commit` */
  constructor(inner: Store, code: StoreErrorCode = 'failed') {
    this.#inner = inner
    this.#code = code
  }

  /** How the next commits go, one after another; after them all work again. */
  failCommits(...order: (CommitFailure | 'works')[]): void {
    this.#commits.push(...order)
  }

  /** The next openings fail with these codes, one after another. */
  failOpenings(...order: StoreErrorCode[]): void {
    this.#openings.push(...order)
  }

  async open(): Promise<StoreState> {
    const code = this.#openings.shift()
    if (code !== undefined) throw new StoreError(code, 'The opening was ordered to fail.')
    return await this.#inner.open()
  }

  load(): AsyncIterable<StoredRecord> {
    return this.#inner.load()
  }

  async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    if (this.#after === 'torn') return { kind: 'committed', revision: revision + 1 }
    if (this.#after === 'broken') throw new StoreError('failed', 'The store must be closed and opened again.')
    const order = this.#commits.shift() ?? 'works'
    if (order === 'works') return await this.#inner.commit(batch, revision)
    if (order === 'after') await this.#inner.commit(batch, revision)
    this.#after = order === 'torn' ? 'torn' : 'broken'
    throw new StoreError(this.#code, `The commit was ordered to fail (${order}).`)
  }

  journal(query: JournalQuery): AsyncIterable<JournalEntry> {
    return this.#inner.journal(query)
  }

  async close(): Promise<void> {
    this.#after = 'working'
    await this.#inner.close()
  }
}
