/**
 * Journal entries as records: those of one batch share a record, under the number of the newest, since each record costs as
 * much as several entries. A record of one entry is that entry, as every record was up to schema 1. No I/O.
 */
import { z } from 'zod'
import type { ChainedEntry, JournalEntry } from '../domain/journal.ts'
import { journalKey, readJournalKey } from './keys.ts'
import { unseal } from './records.ts'
import { StoreError } from './store.ts'

/** So that reading one entry never means reading a thousand. */
const mostEntries = 256

const factSchema = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])

/** As it is written; entries are never rewritten, so a new member must be optional. */
const entrySchema = z.strictObject({
  sequence: z.int().positive(),
  at: z.number(),
  instance: z.string(),
  type: z.string(),
  facts: z.record(z.string(), factSchema),
  personal: z
    .strictObject({
      hash: z.string(),
      salt: z.string().exactOptional(),
      texts: z.record(z.string(), z.string()).exactOptional(),
    })
    .exactOptional(),
  hash: z.string(),
}) satisfies z.ZodType<JournalEntry>

/** The records that hold these entries, as keys and JSON texts. */
export function* writeEntryRecords(entries: readonly ChainedEntry[]): Generator<{ key: string; json: string }> {
  for (let start = 0; start < entries.length; start += mostEntries) {
    const end = Math.min(start + mostEntries, entries.length)
    const newest = entries[end - 1] as ChainedEntry
    let json = entries[start]?.json ?? ''
    for (let index = start + 1; index < end; index += 1) json += `,${entries[index]?.json}`
    yield { key: journalKey(newest.sequence), json: end - start === 1 ? json : `[${json}]` }
  }
}

/** A record whose checksum is right; its entries are looked at one by one. */
export interface EntryRecord {
  /** Sequence numbers. */
  readonly first: number
  readonly last: number
  readonly entries: readonly unknown[]
}

/** @param wanted the entry for which it is read, to name the damage */
export function readEntryRecord(key: string, text: string, wanted: number): EntryRecord {
  const json = unseal(key, text)?.json
  const last = readJournalKey(key)
  if (json === undefined || !Number.isSafeInteger(last)) throw damaged(Number.isSafeInteger(last) ? last : wanted)
  const content: unknown = JSON.parse(json)
  const entries = Array.isArray(content) ? content : [content]
  return { first: last - entries.length + 1, last, entries }
}

/** @param sequence from `first` to `last` */
export function readEntry({ first, entries }: EntryRecord, sequence: number): JournalEntry {
  const entry = entrySchema.safeParse(entries[sequence - first])
  if (!entry.success) throw damaged(sequence)
  return entry.data
}

function damaged(sequence: number): StoreError {
  return new StoreError('damaged', `Journal entry ${sequence} is damaged.`)
}
