/**
 * The state record, which every batch writes: revision, journal head, start counter, and per kind how many records there
 * are and a sum over their checksums (R8). The count alone does not show a record that came back in an older form, which is
 * what LevelDB leaves when it skips a batch in the middle of a damaged log; the sum does. No I/O.
 */
import { z } from 'zod'
import { emptyHead } from '../domain/journal.ts'
import type { StoreState } from './store.ts'

const tallySchema = z.strictObject({ count: z.int().nonnegative(), sum: z.int().nonnegative() })
type Tally = z.infer<typeof tallySchema>

const empty: Tally = { count: 0, sum: 0 }

/** Read before anything else, so that a newer shape is recognized as newer. Holds for every schema there will be. */
export const schemaNumberSchema = z.looseObject({ schema: z.int().positive() })

export const stateRecordSchema = z.strictObject({
  schema: z.int().positive(),
  revision: z.int().nonnegative(),
  startCounter: z.int().nonnegative(),
  head: z.strictObject({ sequence: z.int().nonnegative(), hash: z.string() }),
  tallies: z.record(z.string(), tallySchema),
})
export type StateRecord = z.infer<typeof stateRecordSchema>

export function newStateRecord(schema: number): StateRecord {
  return { schema, revision: 0, startCounter: 0, head: emptyHead, tallies: {} }
}

export function stateOf(record: StateRecord): StoreState {
  return { revision: record.revision, head: record.head, startCounter: record.startCounter }
}

/** Checksums of similar records differ in the same bits; without mixing, two changes could cancel out in the sum. */
function mix(checksum: number): number {
  let bits = checksum
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** Counts and sums per kind, independent of order. */
export class Tallies {
  readonly #before: Readonly<Record<string, Tally>>
  /** Those that were changed. */
  readonly #kinds = new Map<string, { count: number; sum: number }>()

  constructor(tallies: Readonly<Record<string, Tally>> = {}) {
    this.#before = tallies
  }

  add(kind: string, checksum: number): void {
    const tally = this.#of(kind)
    tally.count += 1
    tally.sum = (tally.sum + mix(checksum)) >>> 0
  }

  remove(kind: string, checksum: number): void {
    const tally = this.#of(kind)
    tally.count -= 1
    tally.sum = (tally.sum - mix(checksum)) >>> 0
  }

  /** A sentence about the first kind in which `found` is not what it should be, or `undefined`. */
  difference(found: Tallies): string | undefined {
    const here = this.toRecord()
    const others = found.toRecord()
    for (const kind of new Set([...Object.keys(here), ...Object.keys(others)])) {
      const wanted = here[kind] ?? empty
      const there = others[kind] ?? empty
      if (wanted.count !== there.count)
        return `There should be ${wanted.count} records of the kind ${kind}, but there are ${there.count}.`
      if (wanted.sum !== there.sum) return `At least one record of the kind ${kind} is in an older form than it was.`
    }
    return undefined
  }

  toRecord(): Record<string, Tally> {
    const record = { ...this.#before }
    for (const [kind, { count, sum }] of this.#kinds) record[kind] = { count, sum }
    return record
  }

  #of(kind: string): { count: number; sum: number } {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    const { count, sum } = this.#before[kind] ?? empty
    const changed = { count, sum }
    this.#kinds.set(kind, changed)
    return changed
  }
}
