/**
 * The form of a value on disk: JSON behind a checksum over key and value (R8), and the schema of a journal entry.
 * LevelDB hands out changed bytes without an error, so nothing is believed before its checksum is right.
 * CRC-32 finds what happens by accident; it is no protection against somebody who writes to the files (R34).
 * Imports types only; no I/O.
 */
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import type { JournalEntry } from '../domain/journal.ts'

const checksumDigits = 8

function checksum(key: string, json: string): number {
  return crc32(json, crc32(key))
}

/** `checksum` also stands for the record in the tallies. */
export interface Sealed {
  readonly text: string
  readonly checksum: number
}

export function seal(key: string, json: string): Sealed {
  const sum = checksum(key, json)
  return { text: sum.toString(16).padStart(checksumDigits, '0') + json, checksum: sum }
}

export interface Unsealed {
  readonly json: string
  readonly checksum: number
}

/** `undefined` when the checksum does not fit: key or value is not what was written. */
export function unseal(key: string, text: string): Unsealed | undefined {
  const json = text.slice(checksumDigits)
  const sum = checksum(key, json)
  return text.slice(0, checksumDigits) === sum.toString(16).padStart(checksumDigits, '0')
    ? { json, checksum: sum }
    : undefined
}

const factSchema = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])

/** As it is written; entries are never rewritten, so a new member must be optional. */
export const entrySchema = z.strictObject({
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
