/**
 * Checks the checksums inside LevelDB's table files. LevelDB writes them and does not look at them when it reads: from a
 * changed byte it makes other records, loses some, or ends the whole process by an assertion, which nothing can name then.
 * So every block is checked at start, after LevelDB has taken its lock and before anything is read. Reads only.
 *
 * A table file: blocks, each followed by a type byte and a masked CRC-32C over block and type, without a gap; at the end
 * a footer of 48 bytes that points to two blocks, which list the others.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c } from './crc32c.ts'
import { errorCode } from './folder.ts'
import { StoreError } from './store.ts'

const footerBytes = 48
const trailerBytes = 5
const magic = 0xdb4775248b80fb57n

/** The table files in LevelDB's folder. */
export async function listTables(folder: string): Promise<string[]> {
  const names = await readdir(folder)
  return names.filter((name) => /\.(ldb|sst)$/.test(name)).map((name) => join(folder, name))
}

/** Throws StoreError 'damaged' that names the first file that is. Files that LevelDB has deleted meanwhile don't count. */
export async function checkTables(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    let file: Buffer
    try {
      file = await readFile(path)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') continue
      throw error
    }
    if (!isWholeTable(file)) throw new StoreError('damaged', `The table file ${path} is damaged.`)
  }
}

interface Block {
  readonly offset: number
  readonly size: number
}

export function isWholeTable(file: Buffer): boolean {
  try {
    const footer = file.length - footerBytes
    if (footer < 0 || file.readBigUInt64LE(file.length - 8) !== magic) return false
    const cursor = { at: footer }
    const lists = [readBlock(file, cursor), readBlock(file, cursor)]
    if (!lists.every((block) => isWholeBlock(file, block))) return false
    const listed = lists.flatMap((block) => listedBlocks(contentOf(file, block)))
    if (!listed.every((block) => isWholeBlock(file, block))) return false
    const covered = [...lists, ...listed].reduce((sum, { size }) => sum + size + trailerBytes, 0)
    return covered === footer
  } catch (error) {
    if (error instanceof RangeError) return false // a position outside of the file
    throw error
  }
}

function isWholeBlock(file: Buffer, { offset, size }: Block): boolean {
  const end = offset + size
  const masked = file.readUInt32LE(end + 1)
  const rotated = (masked - 0xa282ead8) >>> 0
  return crc32c(file, offset, end + 1) === ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/** The blocks that an index block points to; of its entries only the values matter. */
function listedBlocks(content: Buffer): Block[] {
  const restarts = content.readUInt32LE(content.length - 4)
  const end = content.length - 4 * (restarts + 1)
  const blocks: Block[] = []
  const cursor = { at: 0 }
  while (cursor.at < end) {
    readVarint(content, cursor) // bytes shared with the key before
    const keyBytes = readVarint(content, cursor)
    const valueBytes = readVarint(content, cursor)
    cursor.at += keyBytes
    const next = cursor.at + valueBytes
    blocks.push(readBlock(content, cursor))
    cursor.at = next
  }
  return blocks
}

function contentOf(file: Buffer, { offset, size }: Block): Buffer {
  const stored = file.subarray(offset, offset + size)
  return file.readUInt8(offset + size) === 0 ? stored : unpackSnappy(stored)
}

interface Cursor {
  at: number
}

function readBlock(bytes: Buffer, cursor: Cursor): Block {
  return { offset: readVarint(bytes, cursor), size: readVarint(bytes, cursor) }
}

function readVarint(bytes: Buffer, cursor: Cursor): number {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes.readUInt8(cursor.at)
    cursor.at += 1
    value += (byte & 127) * scale
    if (byte < 128) return value
  }
}

/** Only for blocks whose checksum is right, so the form is not checked again. */
function unpackSnappy(packed: Buffer): Buffer {
  const cursor = { at: 0 }
  const unpacked = Buffer.alloc(readVarint(packed, cursor))
  let length = 0
  while (cursor.at < packed.length) {
    const tag = packed.readUInt8(cursor.at)
    cursor.at += 1
    const kind = tag & 3
    if (kind === 0) {
      const bytes = literalBytes(packed, cursor, tag >>> 2)
      packed.copy(unpacked, length, cursor.at, cursor.at + bytes)
      cursor.at += bytes
      length += bytes
    } else {
      const width = kind === 3 ? 4 : kind
      const low = packed.readUIntLE(cursor.at, width)
      cursor.at += width
      const back = kind === 1 ? ((tag >>> 5) << 8) | low : low
      const bytes = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
      // Byte by byte, since a copy may reach into what it writes
      for (const end = length + bytes; length < end; length += 1)
        unpacked.writeUInt8(unpacked.readUInt8(length - back), length)
    }
  }
  return unpacked
}

function literalBytes(packed: Buffer, cursor: Cursor, code: number): number {
  if (code < 60) return code + 1
  const width = code - 59
  const bytes = packed.readUIntLE(cursor.at, width) + 1
  cursor.at += width
  return bytes
}
