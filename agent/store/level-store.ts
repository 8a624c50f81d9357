/**
 * The store in LevelDB, for one agent on one machine. Owns the folder `store` in the data folder and the files beside it
 * (head file, marker). Every write is one atomic batch at the root, with a sync, that also writes the state record (R8).
 * The process should run with umask 077: LevelDB makes its files by it. Must not know what the records mean.
 */
import type { JournalEntry } from '../domain/journal.ts'
import { type Ballast, freeBytes } from './ballast.ts'
import { checkBatch, lastChanges } from './batch.ts'
import { Checksums } from './checksums.ts'
import { writeEntryRecords } from './entry-records.ts'
import { toStoreError } from './failures.ts'
import { nameRecord, stateKey } from './keys.ts'
import { type OpenLevel, type Operation, openLevel, putJson, writeBatch } from './level-open.ts'
import { type Database, readEntries, readRecords } from './level-read.ts'
import { type Migration, migrations } from './migrations.ts'
import { seal, unseal } from './records.ts'
import { type StateRecord, stateOf, Tallies } from './state-record.ts'
import {
  type Batch,
  type Change,
  type CommitOutcome,
  type JournalQuery,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreState,
} from './store.ts'

export interface LevelStoreOptions {
  /** The data folder; made if it is not there. */
  readonly folder: string
  /** Freed when the disk is full at opening, made again at an opening with room. */
  readonly ballast?: Ballast
  /** For tests; the program's own list otherwise. */
  readonly migrations?: readonly Migration[]
}

interface Plan {
  readonly operations: Operation[]
  readonly next: StateRecord
  /** What becomes of checksums; undefined = the record is gone. */
  readonly sums: readonly { readonly change: Change; readonly checksum: number | undefined }[]
}

interface Opened {
  readonly level: OpenLevel
  state: StateRecord
  /** Undefined until everything was loaded. */
  sums: Checksums | undefined
  /** The commit that runs; never rejects. */
  running: Promise<void> | undefined
  /** After a failure LevelDB goes on acknowledging onto a torn log, so nothing is written before it was opened anew (R1). */
  broken: boolean
}

/** Below this a failed write counts as a full disk, whatever the system's words for it are. */
const fullBytes = 1024 * 1024

export class LevelStore implements Store {
  readonly #folder: string
  readonly #ballast: Ballast | undefined
  readonly #steps: readonly Migration[]
  #opened: Opened | undefined
  #diskWasFull = false

  constructor(options: LevelStoreOptions) {
    this.#folder = options.folder
    this.#ballast = options.ballast
    this.#steps = options.migrations ?? migrations
  }

  async open(): Promise<StoreState> {
    let level: OpenLevel
    try {
      level = await this.#openOnFullDisk()
    } catch (error) {
      throw toStoreError(error, `The store in ${this.#folder} can not be opened`)
    }
    this.#opened = { level, state: level.state, sums: undefined, running: undefined, broken: false }
    this.#diskWasFull = false
    // A ballast that can't be made is no reason not to serve: `held` says so
    await this.#ballast?.restore().catch(() => undefined)
    return stateOf(level.state)
  }

  async *load(): AsyncGenerator<StoredRecord, void, undefined> {
    const opened = await this.#settled()
    const { level, state } = opened
    const sums = new Checksums()
    const note = (record: StoredRecord, checksum: number): void => sums.set(record, checksum)
    yield* readRecords(level.db, new Tallies(state.tallies), note)
    // A batch that was written meanwhile is not in it.
    if (opened.state === state && opened.running === undefined) opened.sums = sums
  }

  async *journal(query: JournalQuery): AsyncGenerator<JournalEntry, void, undefined> {
    const { level, state } = this.#ready()
    yield* readEntries(level.db, query, state.head.sequence)
  }

  async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    const opened = this.#ready()
    if (opened.broken) throw brokenError()
    if (opened.running !== undefined) throw new StoreError('failed', 'Another batch is being written.')
    checkBatch(batch, revision, opened.state)
    let plan: Plan
    try {
      plan = planWrite(opened, batch)
    } catch (error) {
      throw toStoreError(error, 'The store can not be written')
    }
    const writing = this.#write(opened, plan)
    opened.running = writing.then(
      () => undefined,
      () => undefined,
    )
    try {
      return await writing
    } finally {
      opened.running = undefined
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) return
    this.#opened = undefined
    await opened.running
    try {
      await opened.level.close()
    } catch (error) {
      throw toStoreError(error, 'The store can not be closed')
    }
  }

  #ready(): Opened {
    if (this.#opened === undefined) throw new StoreError('failed', 'The store is not open.')
    return this.#opened
  }

  /** State and database agree only while nothing is being written, and after a failure not at all. */
  async #settled(): Promise<Opened> {
    for (;;) {
      const opened = this.#ready()
      if (opened.running === undefined) {
        if (opened.broken) throw brokenError()
        return opened
      }
      await opened.running
    }
  }

  async #write(opened: Opened, { operations, next, sums }: Plan): Promise<CommitOutcome> {
    try {
      await writeBatch(opened.level.db, operations)
      opened.level.head.write(stateOf(next))
      opened.state = next
      for (const { change, checksum } of sums) opened.sums?.set(change, checksum)
      return { kind: 'committed', revision: next.revision }
    } catch (error) {
      opened.broken = true
      throw await this.#writeError(error)
    }
  }

  async #writeError(error: unknown): Promise<StoreError> {
    const failure = toStoreError(error, 'The store can not be written')
    const full = failure.code === 'failed' && (await freeBytes(this.#folder).catch(() => fullBytes)) < fullBytes
    if (full || failure.code === 'disk_full') this.#diskWasFull = true
    return full ? new StoreError('disk_full', failure.message, error) : failure
  }

  /** LevelDB needs several MiB to open: on a full disk the ballast gives them (R1). */
  async #openOnFullDisk(): Promise<OpenLevel> {
    if (this.#diskWasFull) await this.#ballast?.free()
    try {
      return await openLevel(this.#folder, this.#steps)
    } catch (error) {
      if (toStoreError(error, '').code !== 'disk_full' || !(await this.#ballast?.free())) throw error
      return await openLevel(this.#folder, this.#steps)
    }
  }
}

function brokenError(): StoreError {
  return new StoreError('failed', 'A write has failed; the store must be closed and opened again.')
}

/** What a batch puts on disk, and the state after it. */
function planWrite({ level, state, sums }: Opened, batch: Batch): Plan {
  const tallies = new Tallies(state.tallies)
  const operations: Operation[] = []
  const changed: { change: Change; checksum: number | undefined }[] = []
  for (const [key, change] of lastChanges(batch.changes)) {
    const old = sums === undefined ? lookUp(level.db, key, change) : sums.get(change)
    if (old !== undefined) tallies.remove(change.kind, old)
    let checksum: number | undefined
    if (change.value !== undefined) {
      const sealed = seal(key, JSON.stringify(change.value))
      checksum = sealed.checksum
      tallies.add(change.kind, checksum)
      operations.push({ type: 'put', key, value: sealed.text })
    } else if (old !== undefined) operations.push({ type: 'del', key })
    changed.push({ change, checksum })
  }
  for (const { key, json } of writeEntryRecords(batch.entries))
    operations.push({ type: 'put', key, value: seal(key, json).text })
  const next = { ...state, revision: state.revision + 1, head: batch.head, tallies: tallies.toRecord() }
  operations.push(putJson(stateKey, next))
  return { operations, next, sums: changed }
}

/** The checksum of the record as it is; some microseconds. */
function lookUp(db: Database, key: string, change: Change): number | undefined {
  const old = db.getSync(key)
  if (old === undefined) return undefined
  const unsealed = unseal(key, old)
  if (unsealed === undefined) throw new StoreError('damaged', `The record ${nameRecord(change)} is damaged.`)
  return unsealed.checksum
}
