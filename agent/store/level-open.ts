/**
 * Opening LevelDB: lock, checks (R8), migration, and the batch that counts the start. What it returns has been found whole
 * but for the records, which loading checks. Nothing is written before every check has passed.
 */
import { realpath } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { checkStoreFiles, closeToOthers, prepareFolder, type StorePaths, storePaths, writeMarker } from './folder.ts'
import { createHeadFile, HeadFile } from './head-file.ts'
import { nameRecord, recordKey, stateKey } from './keys.ts'
import { checkHeadEntry, checkHeadFile, type Database, isEmpty, readRecords, readStateRecord } from './level-read.ts'
import { type Migration, migrateRecord, schemaAfter } from './migrations.ts'
import { seal } from './records.ts'
import { newStateRecord, type StateRecord, stateOf, Tallies } from './state-record.ts'
import { StoreError } from './store.ts'
import { checkTables, listTables } from './table-check.ts'

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

export function putJson(key: string, value: unknown): Operation {
  return { type: 'put', key, value: seal(key, JSON.stringify(value)).text }
}

/** One atomic batch, on disk when it resolves. A chained batch holds up the event loop a fifth as long as an array of operations. */
export async function writeBatch(db: Database, operations: readonly Operation[]): Promise<void> {
  const batch = db.batch()
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value)
    else batch.del(operation.key)
  }
  await batch.write({ sync: true })
}

/**
 * How long the log grows before it becomes a table. Most records live shorter than that and never reach one; a start reads the
 * whole log, some 0.1 s for so much.
 */
const logBytes = 16 * 1024 * 1024

export interface OpenLevel {
  readonly db: Database
  readonly head: HeadFile
  readonly state: StateRecord
  /** Closes both and gives the folder free. */
  readonly close: () => Promise<void>
}

/**
 * The folders that this process has open. LevelDB's lock does not hold against the process itself: a second opening is
 * refused, but takes the lock away from the first, as does whoever opens and closes the file LOCK.
 */
const heldFolders = new Set<string>()

/** @param steps the migrations; their number is the schema that is written */
export async function openLevel(folder: string, steps: readonly Migration[]): Promise<OpenLevel> {
  await prepareFolder(folder)
  const place = await realpath(folder)
  if (heldFolders.has(place)) throw new StoreError('locked', `This process has the store in ${place} open already.`)
  heldFolders.add(place)
  try {
    return await openHeld(storePaths(folder), steps, () => heldFolders.delete(place))
  } catch (error) {
    heldFolders.delete(place)
    throw error
  }
}

async function openHeld(paths: StorePaths, steps: readonly Migration[], release: () => void): Promise<OpenLevel> {
  const made = (await checkStoreFiles(paths)) === 'made'
  await prepareFolder(paths.store)
  const tables = await listTables(paths.store)
  const db: Database = new ClassicLevel(paths.store, {
    createIfMissing: !made,
    writeBufferSize: logBytes,
  })
  await db.open()
  try {
    await checkTables(tables)
    const before = await readState(db, made, schemaAfter(steps))
    const reading = await checkHeadFile(paths.head, before, made)
    await checkHeadEntry(db, before)
    const state = await countStart(db, before, steps)
    if (reading.kind === 'missing') await createHeadFile(paths.head, stateOf(state))
    if (!made) await writeMarker(paths)
    await closeToOthers(paths)
    const head = HeadFile.open(paths.head, stateOf(state))
    const close = async () => {
      try {
        head.close()
        await db.close()
      } finally {
        release()
      }
    }
    return { db, head, state, close }
  } catch (error) {
    await db.close()
    throw error
  }
}

async function readState(db: Database, made: boolean, schema: number): Promise<StateRecord> {
  const found = await readStateRecord(db, schema)
  if (found === undefined && (made || !(await isEmpty(db))))
    throw new StoreError('damaged', 'The state record of the store is missing.')
  return found ?? newStateRecord(schema)
}

/** The first batch of every start; an older schema is brought up to date in the same batch. */
async function countStart(db: Database, before: StateRecord, steps: readonly Migration[]): Promise<StateRecord> {
  const schema = schemaAfter(steps)
  const { operations, tallies } =
    before.schema < schema ? await migrate(db, before, steps) : { operations: [], tallies: before.tallies }
  const state = { ...before, schema, startCounter: before.startCounter + 1, tallies }
  await writeBatch(db, [...operations, putJson(stateKey, state)])
  return state
}

async function migrate(
  db: Database,
  before: StateRecord,
  steps: readonly Migration[],
): Promise<{ operations: Operation[]; tallies: StateRecord['tallies'] }> {
  const kept = new Map<string, Operation>()
  const dropped: Operation[] = []
  const tallies = new Tallies()
  for await (const record of readRecords(db, new Tallies(before.tallies))) {
    dropped.push({ type: 'del', key: recordKey(record) })
    const migrated = migrateRecord(record, before.schema, steps)
    if (migrated === undefined) continue
    const key = recordKey(migrated)
    if (kept.has(key)) throw new StoreError('failed', `Two records would become ${nameRecord(migrated)}.`)
    const sealed = seal(key, JSON.stringify(migrated.value))
    tallies.add(migrated.kind, sealed.checksum)
    kept.set(key, { type: 'put', key, value: sealed.text })
  }
  return { operations: [...dropped, ...kept.values()], tallies: tallies.toRecord() }
}
