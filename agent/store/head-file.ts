/**
 * The head file: 64 bytes beside the store that say up to where the store was acknowledged (R8). It is written after each
 * commit and before the answer, in place and without a sync, so it is never ahead of what the store held; a store behind it
 * has lost something. Owns that one file.
 *
 * Bytes: 0 magic, 4 start counter, 8 revision, 16 journal sequence, 24 journal hash (32), 56 zero, 60 CRC-32 of the rest.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { writeDurably } from './folder.ts'
import type { StoreState } from './store.ts'

const size = 64
const magic = 0x4c484831 // LHH1
const hashAt = 24
const hashBytes = 32
const checked = 60

/** @param bytes 64 of them, all zero or an earlier head */
function encodeHead({ startCounter, revision, head }: StoreState, bytes: Buffer = Buffer.alloc(size)): Buffer {
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(startCounter, 4)
  writeInteger(bytes, revision, 8)
  writeInteger(bytes, head.sequence, 16)
  bytes.fill(0, hashAt)
  const written = bytes.write(head.hash, hashAt, 'base64url')
  if (written !== (head.sequence === 0 ? 0 : hashBytes))
    throw new TypeError(`The journal head ${head.sequence} must have a SHA-256 as base64url.`)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, checked)), checked)
  return bytes
}

/** A safe integer in eight bytes. */
function writeInteger(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at)
  bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4)
}

function decodeHead(bytes: Buffer): StoreState | undefined {
  if (bytes.length !== size || bytes.readUInt32BE(0) !== magic) return undefined
  if (bytes.readUInt32BE(checked) !== crc32(bytes.subarray(0, checked))) return undefined
  const sequence = Number(bytes.readBigUInt64BE(16))
  const hash = sequence === 0 ? '' : bytes.subarray(hashAt, hashAt + hashBytes).toString('base64url')
  return {
    startCounter: bytes.readUInt32BE(4),
    revision: Number(bytes.readBigUInt64BE(8)),
    head: { sequence, hash },
  }
}

export type HeadReading =
  | { readonly kind: 'read'; readonly state: StoreState }
  | { readonly kind: 'missing' }
  | { readonly kind: 'torn' }

export async function readHeadFile(path: string): Promise<HeadReading> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'missing' }
    throw error
  }
  const state = decodeHead(bytes)
  return state === undefined ? { kind: 'torn' } : { kind: 'read', state }
}

/** The first head file of a new store: durable and whole, or not there. */
export async function createHeadFile(path: string, state: StoreState): Promise<void> {
  await writeDurably(path, encodeHead(state))
}

export class HeadFile {
  readonly #descriptor: number
  readonly #bytes = Buffer.alloc(size)

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /** The file must exist; what a start has changed is on disk afterwards. */
  static open(path: string, state: StoreState): HeadFile {
    const head = new HeadFile(openSync(path, 'r+'))
    try {
      head.write(state)
      head.sync()
      return head
    } catch (error) {
      head.close()
      throw error
    }
  }

  /** Into the page cache of the system only: one microsecond, where a turn through the thread pool costs forty. */
  write(state: StoreState): void {
    const written = writeSync(this.#descriptor, encodeHead(state, this.#bytes), 0, size, 0)
    if (written !== size) throw new Error(`Only ${written} of ${size} bytes of the head file were written.`)
  }

  sync(): void {
    fsyncSync(this.#descriptor)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
