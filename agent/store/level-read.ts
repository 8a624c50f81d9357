/**
 * Reading what LevelDB holds, believing none of it before its checksum is right (R8). Writes nothing.
 */
import type { ClassicLevel } from 'classic-level'
import type { JournalEntry } from '../domain/journal.ts'
import { type EntryRecord, readEntry, readEntryRecord } from './entry-records.ts'
import { toStoreError } from './failures.ts'
import { type HeadReading, readHeadFile } from './head-file.ts'
import { journalKey, journalRange, nameRecord, readRecordKey, recordRange, stateKey } from './keys.ts'
import { unseal } from './records.ts'
import { type StateRecord, schemaNumberSchema, stateRecordSchema, Tallies } from './state-record.ts'
import { type JournalQuery, type RecordKind, recordKinds, type StoredRecord, StoreError } from './store.ts'

export type Database = ClassicLevel<string, string>

const pageRecords = 1000
/** LevelDB's own default of 16 KB makes loading twice as slow. */
const pageBytes = 1024 * 1024

/** `undefined` where there is none. Throws StoreError 'newer_schema' for a store that a later version wrote. */
export async function readStateRecord(db: Database, schema: number): Promise<StateRecord | undefined> {
  const text = await db.get(stateKey)
  if (text === undefined) return undefined
  const unsealed = unseal(stateKey, text)
  if (unsealed === undefined) throw new StoreError('damaged', 'The state record of the store is damaged.')
  const content: unknown = JSON.parse(unsealed.json)
  const written = schemaNumberSchema.parse(content).schema
  if (written > schema)
    throw new StoreError('newer_schema', `The store has schema ${written}, this version reads up to ${schema}.`)
  return stateRecordSchema.parse(content)
}

export async function isEmpty(db: Database): Promise<boolean> {
  const keys = await db.keys({ limit: 1 }).all()
  return keys.length === 0
}

/**
 * The head file against the store: a store that is behind it has lost acknowledged changes. A store ahead of it is fine: the
 * file is written after the store, and without a sync.
 * @param made whether the marker says that a store was made here
 */
export async function checkHeadFile(path: string, state: StateRecord, made: boolean): Promise<HeadReading> {
  const reading = await readHeadFile(path)
  if (reading.kind === 'torn') throw new StoreError('damaged', `${path} is damaged.`)
  if (reading.kind === 'missing') {
    if (made || state.revision > 0) throw new StoreError('damaged', `${path} is missing.`)
    return reading
  }
  const file = reading.state
  if (state.revision < file.revision || state.startCounter < file.startCounter)
    throw new StoreError(
      'damaged',
      `The store has lost changes: it is at revision ${state.revision}, start ${state.startCounter}, but ${path} has seen revision ${file.revision}, start ${file.startCounter}.`,
    )
  const sameRevision = state.revision === file.revision
  const sameHead = state.head.sequence === file.head.sequence && state.head.hash === file.head.hash
  if (state.head.sequence < file.head.sequence || (sameRevision && !sameHead))
    throw new StoreError('damaged', `${path} belongs to another store or to another state of it.`)
  return reading
}

/** The journal record that the head names must be there (R8). */
export async function checkHeadEntry(db: Database, { head }: StateRecord): Promise<void> {
  if (head.sequence === 0) return
  const text = await db.get(journalKey(head.sequence))
  if (text === undefined)
    throw new StoreError('damaged', `Journal entry ${head.sequence}, the newest of the store, is missing.`)
  const record = readEntryRecord(journalKey(head.sequence), text, head.sequence)
  if (readEntry(record, head.sequence).hash !== head.hash)
    throw new StoreError('damaged', `Journal entry ${head.sequence} is not the one that the store ended with.`)
}

/** Every record, from one snapshot; at the end their counts and sums must be those of `wanted`. */
export async function* readRecords(
  db: Database,
  wanted: Tallies,
  note?: (record: StoredRecord, checksum: number) => void,
): AsyncGenerator<StoredRecord, void, undefined> {
  const found = new Tallies()
  const iterator = db.iterator({ ...recordRange, highWaterMarkBytes: pageBytes })
  let next = iterator.nextv(pageRecords)
  try {
    for (;;) {
      const page = await next
      if (page.length === 0) break
      next = iterator.nextv(pageRecords) // LevelDB reads it in a thread of its own meanwhile
      next.catch(() => undefined) // awaited above, unless the loop ends before
      for (const [key, text] of page) {
        const { record, checksum } = readRecord(key, text)
        found.add(record.kind, checksum)
        note?.(record, checksum)
        yield record
      }
    }
  } catch (error) {
    throw readError(error)
  } finally {
    await iterator.close()
  }
  const difference = wanted.difference(found)
  if (difference !== undefined) throw new StoreError('damaged', `The store is damaged. ${difference}`)
}

const kinds: ReadonlySet<string> = new Set(recordKinds)

function readRecord(key: string, text: string): { record: StoredRecord; checksum: number } {
  const parts = readRecordKey(key)
  const unsealed = unseal(key, text)
  if (parts === undefined || unsealed === undefined)
    throw new StoreError('damaged', `The record ${parts ? nameRecord(parts) : JSON.stringify(key)} is damaged.`)
  if (!kinds.has(parts.kind))
    throw new StoreError('newer_schema', `This version does not know records of the kind ${parts.kind}.`)
  const record = { ...parts, kind: parts.kind as RecordKind, value: JSON.parse(unsealed.json) }
  return { record, checksum: unsealed.checksum }
}

/** Entries up to `newest`, the head; one that is missing between them is a damage. */
export async function* readEntries(
  db: Database,
  query: JournalQuery,
  newest: number,
): AsyncGenerator<JournalEntry, void, undefined> {
  const from = Math.max(query.from ?? 1, 1)
  const to = Math.min(query.to ?? newest, newest)
  const count = Math.min(to - from + 1, query.limit)
  if (count <= 0) return
  const oldestFirst = query.order === 'oldest-first'
  const step = oldestFirst ? 1 : -1
  let expected = oldestFirst ? from : to
  const end = expected + step * count
  try {
    for await (const record of readEntryRecords(db, from, oldestFirst ? undefined : to, count)) {
      const { first, last } = record
      if (oldestFirst ? first > expected : last < expected) break
      for (; expected !== end && expected >= first && expected <= last; expected += step)
        yield readEntry(record, expected)
      if (expected === end) return
    }
  } catch (error) {
    throw readError(error)
  }
  throw new StoreError('damaged', `Journal entry ${expected} is missing.`)
}

/** From the one that holds `from` on; with `to`, backward from the one that holds it. @param most are read */
async function* readEntryRecords(
  db: Database,
  from: number,
  to: number | undefined,
  most: number,
): AsyncGenerator<EntryRecord, void, undefined> {
  const [top] = to === undefined ? [] : await db.keys({ ...journalRange(to), limit: 1 }).all()
  const iterator = db.iterator({
    ...journalRange(from),
    ...(top === undefined ? {} : { lte: top }),
    reverse: to !== undefined,
    highWaterMarkBytes: pageBytes,
  })
  try {
    for (let left = most; left > 0; ) {
      const page = await iterator.nextv(Math.min(pageRecords, left))
      if (page.length === 0) break
      for (const [key, text] of page) yield readEntryRecord(key, text, to ?? from)
      left -= page.length
    }
  } finally {
    await iterator.close()
  }
}

function readError(error: unknown): StoreError {
  return toStoreError(error, 'The store can not be read')
}
