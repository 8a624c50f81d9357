/**
 * The simulated disk: one store that outlives the processes which use it. Every operation waits until the scheduler lets it
 * go on, so that a crash may strike before and after each; a write that was in flight then may be kept or not. Commits fail
 * as real ones do: before writing, after writing, torn, on a full disk (R1).
 */
import {
  type Batch,
  type CommitOutcome,
  type JournalQuery,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreState,
} from '../../agent/store/store.ts'
import type { Ballast } from '../../agent/writer.ts'
import { Violation } from './violation.ts'

export type CommitFault = 'before' | 'after' | 'torn'

export interface DiskWatcher {
  /** `batch` is on the disk now. @param decidedAt true time at which the writer handed it over */
  written(batch: Batch, revision: number, decidedAt: number): void
  /** The writer knows of all that was written. */
  acknowledged(): void
  opened(state: StoreState): void
}

export interface Operation {
  readonly name: string
  /** Goes on with it. */
  readonly run: () => Promise<void>
  /** What is left of it when the process crashes now. */
  readonly crash: (kept: boolean) => Promise<void>
}

/** How many commits the ballast has room for. */
const ballastCommits = 200
/** The scheduler gets a turn after so many records that are read. */
const recordsPerTurn = 16

export class SimulatedDisk {
  readonly #store: Store
  readonly #watcher: DiskWatcher
  readonly #now: () => number
  readonly pending: Operation[] = []
  full = false
  /** What happens to the next commit. */
  fault: CommitFault | undefined
  /** The next opening fails. */
  openingFails = false
  #isOpen = false
  #holder = 0
  #ballast = true
  #room = 0

  constructor(store: Store, watcher: DiskWatcher, now: () => number) {
    this.#store = store
    this.#watcher = watcher
    this.#now = now
  }

  /** A process starts; the one before it must have crashed or closed. */
  connect(): { readonly store: Store; readonly ballast: Ballast } {
    this.#holder += 1
    const ballast: Ballast = {
      free: () =>
        this.#wait('free ballast', async () => {
          if (this.#ballast) this.#room = ballastCommits
          this.#ballast = false
        }),
      restore: () =>
        this.#wait('restore ballast', async () => {
          if (!this.full) this.#ballast = true
          return this.#ballast
        }),
    }
    return { store: new DiskStore(this), ballast }
  }

  /** The first operation that waits. */
  async goOn(): Promise<void> {
    await this.pending.shift()?.run()
  }

  /** The process that uses the disk is gone. @param kept whether a write in flight reached the disk */
  async crash(kept: boolean): Promise<void> {
    this.#holder += 1
    for (const operation of this.pending.splice(0)) await operation.crash(kept)
    if (this.#isOpen) await this.#store.close()
    this.#isOpen = false
  }

  open(): Promise<StoreState> {
    return this.#wait('open', async () => {
      if (this.openingFails) {
        this.openingFails = false
        throw new StoreError('failed', 'The opening was ordered to fail.')
      }
      this.#takeRoom()
      const state = await this.#store.open()
      this.#isOpen = true
      this.#watcher.opened(state)
      return state
    })
  }

  async *load(): AsyncGenerator<StoredRecord, void, undefined> {
    const records = await this.#wait('load', async () => {
      const all: StoredRecord[] = []
      for await (const record of this.#store.load()) all.push(record)
      return all
    })
    for (const [index, record] of records.entries()) {
      if (index % recordsPerTurn === recordsPerTurn - 1) await this.#wait('load', async () => undefined)
      yield record
    }
    await this.#wait('load', async () => undefined)
  }

  /** @param isTorn what this opening of the store was acknowledged is not on the disk */
  async commit(batch: Batch, revision: number, torn: { is: boolean }): Promise<CommitOutcome> {
    const decidedAt = this.#now()
    const write = async (): Promise<CommitOutcome> => {
      const outcome = await this.#store.commit(batch, revision)
      if (outcome.kind === 'committed') this.#watcher.written(batch, outcome.revision, decidedAt)
      return outcome
    }
    const result = await this.#wait(
      'commit',
      async () => {
        if (torn.is) return { kind: 'committed', revision: revision + 1 } as const
        const { fault } = this
        this.fault = undefined
        if (fault === undefined) {
          this.#takeRoom()
          return await write()
        }
        if (fault === 'after') await write()
        torn.is = fault === 'torn'
        return new StoreError('failed', `The commit was ordered to fail (${fault}).`)
      },
      async (kept) => {
        if (kept && !torn.is) await write()
      },
    )
    // Written or not, it is not known yet: a crash may come here.
    await this.#wait('acknowledge', async () => {
      if (!(result instanceof StoreError)) this.#watcher.acknowledged()
    })
    if (result instanceof StoreError) throw result
    return result
  }

  async close(): Promise<void> {
    await this.#wait('close', async () => {
      if (this.#isOpen) await this.#store.close()
      this.#isOpen = false
    })
  }

  journal(query: JournalQuery): ReturnType<Store['journal']> {
    return this.#store.journal(query)
  }

  #takeRoom(): void {
    if (!this.full) return
    if (this.#ballast || this.#room <= 0) throw new StoreError('disk_full', 'The disk is full.')
    this.#room -= 1
  }

  #wait<T>(
    name: string,
    perform: () => Promise<T>,
    crash: (kept: boolean) => Promise<void> = async () => undefined,
  ): Promise<T> {
    const holder = this.#holder
    return new Promise<T>((resolve, reject) => {
      this.pending.push({
        name,
        crash,
        run: async () => {
          if (holder !== this.#holder) return
          try {
            resolve(await perform())
          } catch (error) {
            // What a check found is not for the agent to handle.
            if (error instanceof Violation) throw error
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        },
      })
    })
  }
}

/** The store as one process has it. */
class DiskStore implements Store {
  readonly #disk: SimulatedDisk
  #torn = { is: false }

  constructor(disk: SimulatedDisk) {
    this.#disk = disk
  }

  async open(): Promise<StoreState> {
    this.#torn = { is: false }
    return await this.#disk.open()
  }

  load(): AsyncIterable<StoredRecord> {
    return this.#disk.load()
  }

  commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    return this.#disk.commit(batch, revision, this.#torn)
  }

  journal(query: JournalQuery): ReturnType<Store['journal']> {
    return this.#disk.journal(query)
  }

  async close(): Promise<void> {
    this.#torn = { is: false }
    await this.#disk.close()
  }
}
