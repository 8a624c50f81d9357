/**
 * The form of a value on disk: JSON behind a checksum over key and value (R8).
 * LevelDB hands out changed bytes without an error, so nothing is believed before its checksum is right.
 * CRC-32 finds what happens by accident; it is no protection against somebody who writes to the files (R34).
 * No I/O.
 */
import { crc32 } from 'node:zlib'

const checksumDigits = 8

function checksum(key: string, json: string): number {
  return crc32(key + json) // one call: each costs more than so many bytes
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
