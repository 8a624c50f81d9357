/**
 * The store in LevelDB, for one agent on one machine. Owns the folder `store` in the data folder and the files beside it
 * (head file, marker). Every write is one atomic batch at the root, with a sync, that also writes the state record (R8).
 * The process should run with umask 077: LevelDB makes its files by it. Must not know what the records mean.
 */
import { ClassicLevel } from 'classic-level'
import type { JournalEntry } from '../domain/journal.ts'
import { type Ballast, freeBytes } from './ballast.ts'
import { checkBatch, lastChanges } from './batch.ts'
import { toStoreError } from './failures.ts'
import { checkStoreFiles, closeToOthers, prepareFolder, storePaths, writeMarker } from './folder.ts'
import { createHeadFile, HeadFile } from './head-file.ts'
import { journalKey, nameRecord, recordKey, stateKey } from './keys.ts'
import {
  checkHeadEntry,
  checkHeadFile,
  type Database,
  isEmpty,
  readEntries,
  readRecords,
  readStateRecord,
} from './level-read.ts'
import { type Migration, migrateRecord, migrations, schemaAfter } from './migrations.ts'
import { seal, unseal } from './records.ts'
import { newStateRecord, type StateRecord, stateOf, Tallies } from './state-record.ts'
import {
  type Batch,
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

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

interface Plan {
  readonly operations: Operation[]
  readonly next: StateRecord
}

interface Opened {
  readonly db: Database
  readonly head: HeadFile
  state: StateRecord
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
    if (this.#opened !== undefined) throw new StoreError('locked', 'The store is open already.')
    const doing = `The store in ${this.#folder} can not be opened`
    let state: StoreState
    try {
      state = await this.#openOnFullDisk()
    } catch (error) {
      throw toStoreError(error, doing)
    }
    this.#diskWasFull = false
    // A ballast that can't be made is no reason not to serve: `held` says so
    await this.#ballast?.restore().catch(() => undefined)
    return state
  }

  async *load(): AsyncGenerator<StoredRecord, void, undefined> {
    const { db, state, broken } = await this.#settled()
    if (broken) throw brokenError()
    yield* readRecords(db, new Tallies(state.tallies))
  }

  async *journal(query: JournalQuery): AsyncGenerator<JournalEntry, void, undefined> {
    const { db, state } = this.#ready()
    yield* readEntries(db, query, state.head.sequence)
  }

  async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    const opened = this.#ready()
    if (opened.broken) throw brokenError()
    if (opened.running !== undefined) throw new StoreError('failed', 'Another batch is being written.')
    checkBatch(batch, revision, opened.state)
    const writing = this.#write(opened, planWrite(opened, batch))
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
      if (!opened.broken) opened.head.sync()
      opened.head.close()
      await opened.db.close()
    } catch (error) {
      throw toStoreError(error, 'The store can not be closed')
    }
  }

  #ready(): Opened {
    if (this.#opened === undefined) throw new StoreError('failed', 'The store is not open.')
    return this.#opened
  }

  /** State and database agree only while nothing is being written. */
  async #settled(): Promise<Opened> {
    for (;;) {
      const opened = this.#ready()
      if (opened.running === undefined) return opened
      await opened.running
    }
  }

  async #write(opened: Opened, { operations, next }: Plan): Promise<CommitOutcome> {
    try {
      await opened.db.batch(operations, { sync: true })
      opened.head.write(stateOf(next))
      opened.state = next
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
  async #openOnFullDisk(): Promise<StoreState> {
    if (this.#diskWasFull) await this.#ballast?.free()
    try {
      return await this.#openOnce()
    } catch (error) {
      if (toStoreError(error, '').code !== 'disk_full' || !(await this.#ballast?.free())) throw error
      return await this.#openOnce()
    }
  }

  async #openOnce(): Promise<StoreState> {
    const paths = storePaths(this.#folder)
    await prepareFolder(this.#folder)
    const made = (await checkStoreFiles(paths)) === 'made'
    await prepareFolder(paths.store)
    const db: Database = new ClassicLevel(paths.store, { createIfMissing: !made })
    await db.open()
    let head: HeadFile | undefined
    try {
      const found = await readStateRecord(db, schemaAfter(this.#steps))
      if (found === undefined && (made || !(await isEmpty(db))))
        throw new StoreError('damaged', 'The state record of the store is missing.')
      const before = found ?? newStateRecord(schemaAfter(this.#steps))
      const reading = await checkHeadFile(paths.head, before, made)
      await checkHeadEntry(db, before)
      const state = await this.#countStart(db, before)
      if (reading.kind === 'missing') await createHeadFile(paths.head, stateOf(state))
      head = new HeadFile(paths.head)
      head.write(stateOf(state))
      head.sync()
      if (!made) await writeMarker(paths)
      await closeToOthers(paths)
      this.#opened = { db, head, state, running: undefined, broken: false }
      return stateOf(state)
    } catch (error) {
      head?.close()
      await db.close()
      throw error
    }
  }

  /** The first batch of every start; an older schema is brought up to date in the same batch. */
  async #countStart(db: Database, before: StateRecord): Promise<StateRecord> {
    const schema = schemaAfter(this.#steps)
    const migrated =
      before.schema < schema ? await this.#migrate(db, before) : { operations: [], tallies: before.tallies }
    const state = { ...before, schema, startCounter: before.startCounter + 1, tallies: migrated.tallies }
    await db.batch([...migrated.operations, putJson(stateKey, state)], { sync: true })
    return state
  }

  async #migrate(
    db: Database,
    before: StateRecord,
  ): Promise<{ operations: Operation[]; tallies: StateRecord['tallies'] }> {
    const kept = new Map<string, Operation>()
    const dropped: Operation[] = []
    const tallies = new Tallies()
    for await (const record of readRecords(db, new Tallies(before.tallies))) {
      dropped.push({ type: 'del', key: recordKey(record) })
      const migrated = migrateRecord(record, before.schema, this.#steps)
      if (migrated === undefined) continue
      const key = recordKey(migrated)
      if (kept.has(key)) throw new StoreError('failed', `Two records would become ${nameRecord(migrated)}.`)
      const sealed = seal(key, JSON.stringify(migrated.value))
      tallies.add(migrated.kind, sealed.checksum)
      kept.set(key, { type: 'put', key, value: sealed.text })
    }
    return { operations: [...dropped, ...kept.values()], tallies: tallies.toRecord() }
  }
}

function brokenError(): StoreError {
  return new StoreError('failed', 'A write has failed; the store must be closed and opened again.')
}

/** What a batch puts on disk, and the state after it. */
function planWrite({ db, state }: Opened, batch: Batch): Plan {
  const tallies = new Tallies(state.tallies)
  const operations: Operation[] = []
  for (const { key, change } of lastChanges(batch.changes)) {
    const old = db.getSync(key) // 4 microseconds, where a map of all keys would cost 170 bytes for each
    if (old !== undefined) {
      const unsealed = unseal(key, old)
      if (unsealed === undefined) throw new StoreError('damaged', `The record ${nameRecord(change)} is damaged.`)
      tallies.remove(change.kind, unsealed.checksum)
    }
    if (change.value !== undefined) {
      const sealed = seal(key, JSON.stringify(change.value))
      tallies.add(change.kind, sealed.checksum)
      operations.push({ type: 'put', key, value: sealed.text })
    } else if (old !== undefined) operations.push({ type: 'del', key })
  }
  for (const entry of batch.entries) operations.push(putJson(journalKey(entry.sequence), entry))
  const next = { ...state, revision: state.revision + 1, head: batch.head, tallies: tallies.toRecord() }
  operations.push(putJson(stateKey, next))
  return { operations, next }
}

function putJson(key: string, value: unknown): Operation {
  return { type: 'put', key, value: seal(key, JSON.stringify(value)).text }
}
