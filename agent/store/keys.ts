/**
 * The keys of the store: what is written where, and in which order it comes back.
 * Keys sort by their UTF-8 bytes; parts are divided by NUL, which no part may hold, so that a prefix is never another's.
 * Imports types of the port only.
 */
import type { RecordKind } from './store.ts'

/** Where the state record lives; there is one. */
export const stateKey = 'state'

/** All records, in the order of kind, instance, key. */
export const recordRange = { gte: 'record\0', lt: 'record\x01' } as const

const sequenceDigits = 16 // every safe integer fits
const keyBytes = 512

export interface RecordAddress {
  readonly kind: RecordKind
  readonly instance: string
  readonly key: string
}

/** A lone surrogate would be written as U+FFFD, and two keys could become one. */
const loneSurrogate = /\p{Surrogate}/u

/** Most ids are; they need no closer look. */
const plain = /^[\x20-\x7e]{1,128}$/

function checkPart(name: string, text: string): void {
  if (text.length === 0 || text.includes('\0') || loneSurrogate.test(text))
    throw new TypeError(`The ${name} of a record must be text without a NUL, not ${JSON.stringify(text)}.`)
  if (text.length * 3 > keyBytes && Buffer.byteLength(text) > keyBytes)
    throw new TypeError(`The ${name} of a record is at most ${keyBytes} bytes long.`)
}

/** Throws TypeError for what the port does not allow. */
export function recordKey(address: RecordAddress): string {
  const { instance, key } = address
  if (!plain.test(instance)) checkPart('instance', instance)
  if (!plain.test(key)) checkPart('key', key)
  return `record\0${address.kind}\0${instance}\0${key}`
}

/** The parts of a key in `recordRange`; `undefined` for a key that `recordKey` never makes. `kind` may be unknown here. */
export function readRecordKey(text: string): { kind: string; instance: string; key: string } | undefined {
  const [, kind, instance, key, ...more] = text.split('\0')
  if (!kind || !instance || !key || more.length > 0) return undefined
  return { kind, instance, key }
}

/** How a message names a record. */
export function nameRecord(address: { kind: string; instance: string; key: string }): string {
  return `${address.kind} ${JSON.stringify(address.key)} of instance ${JSON.stringify(address.instance)}`
}

/** @param sequence of the newest entry in the record */
export function journalKey(sequence: number): string {
  return `journal\0${String(sequence).padStart(sequenceDigits, '0')}`
}

/** The number in a key that `journalKey` has made. */
export function readJournalKey(text: string): number {
  return Number(text.slice('journal\0'.length))
}

/** The records that hold `from` and what comes after it. */
export function journalRange(from: number): { gte: string; lt: string } {
  return { gte: journalKey(from), lt: 'journal\x01' }
}
