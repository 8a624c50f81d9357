/**
 * CRC-32C (Castagnoli), the checksum inside LevelDB's own files; node:zlib has only the other one. Pure.
 */
const polynomial = 0x82f63b78
const lanes = 8

/** Eight tables, so that eight bytes are taken in one step. */
function makeTables(): Int32Array[] {
  const tables = Array.from({ length: lanes }, () => new Int32Array(256))
  const [first = new Int32Array(256)] = tables
  for (let byte = 0; byte < 256; byte += 1) {
    let value = byte
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    first[byte] = value
  }
  for (let lane = 1; lane < lanes; lane += 1) {
    const before = tables[lane - 1] ?? first
    const table = tables[lane] ?? first
    for (let byte = 0; byte < 256; byte += 1) {
      const value = before[byte] ?? 0
      table[byte] = (value >>> 8) ^ (first[value & 255] ?? 0)
    }
  }
  return tables
}

const none = new Int32Array(256)
const [t0 = none, t1 = none, t2 = none, t3 = none, t4 = none, t5 = none, t6 = none, t7 = none] = makeTables()

function look(table: Int32Array, index: number): number {
  return table[index & 255] as number
}

/** Over `bytes` from `start` to before `end`. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (; at + lanes <= end; at += lanes) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24))
    crc =
      look(t7, low) ^
      look(t6, low >>> 8) ^
      look(t5, low >>> 16) ^
      look(t4, low >>> 24) ^
      look(t3, bytes[at + 4] as number) ^
      look(t2, bytes[at + 5] as number) ^
      look(t1, bytes[at + 6] as number) ^
      look(t0, bytes[at + 7] as number)
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ look(t0, crc ^ (bytes[at] as number))
  return ~crc >>> 0
}
