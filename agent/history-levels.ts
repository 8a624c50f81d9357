/**
 * How many seats of each product were in use when: levels that change at times, and what the most was in each slot of a ring.
 * Used by the history only; imports nothing of ours.
 */

/** Of a slot, in ms: every time zone begins its hours and days with one. */
export const slotLength = 15 * 60_000
/** Slots that are kept: 35 days. */
export const slotCount = 35 * 96
/** Products beyond are left out: their names come from whoever asks. */
const mostProducts = 500

export interface ProductUsage {
  readonly product: string
  /** Most seats in use at one time, between each boundary and the next. */
  readonly peaks: readonly number[]
  /** Requests refused because no seat was free, in the same times. */
  readonly denials: readonly number[]
}

interface Row {
  readonly peaks: Uint32Array
  readonly denials: Uint32Array
}

interface Seat {
  readonly id: string
  readonly product: string
  readonly seats: number
  readonly key: string
}

export class Levels {
  readonly #rows = new Map<string, Row>()
  /** The newest slot that the table reaches to; older ones than `slotCount` before it are gone. */
  #newest: number
  readonly present: Track
  readonly past: Track

  constructor(now: number, live: readonly Seat[]) {
    this.#newest = slotOf(now)
    const fill: Fill = (product, from, to, level) => this.#fill(product, from, to, level)
    this.present = new Track(now, live, fill)
    this.past = new Track(now, live, fill)
  }

  deny(product: string, at: number): void {
    const slot = slotOf(at)
    this.#reach(slot)
    const row = this.#row(product)
    if (row === undefined || slot <= this.#newest - slotCount) return
    row.denials[slot % slotCount] = (row.denials[slot % slotCount] ?? 0) + 1
  }

  read(boundaries: readonly number[]): ProductUsage[] {
    return [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([product, row]) => {
        const peaks: number[] = []
        const denials: number[] = []
        for (let place = 0; place + 1 < boundaries.length; place += 1) {
          const end = Math.min(this.#newest, slotOf((boundaries[place + 1] ?? 0) - 1))
          let peak = 0
          let refused = 0
          for (let slot = slotOf(boundaries[place] ?? 0); slot <= end; slot += 1) {
            if (slot <= this.#newest - slotCount) continue
            peak = Math.max(peak, row.peaks[slot % slotCount] ?? 0)
            refused += row.denials[slot % slotCount] ?? 0
          }
          peaks.push(peak)
          denials.push(refused)
        }
        return { product, peaks, denials }
      })
  }

  #fill(product: string, from: number, to: number, level: number): void {
    const last = slotOf(to)
    this.#reach(last)
    if (level === 0) return
    const row = this.#row(product)
    if (row === undefined) return
    for (let slot = Math.max(slotOf(from), this.#newest - slotCount + 1); slot <= last; slot += 1)
      row.peaks[slot % slotCount] = Math.max(row.peaks[slot % slotCount] ?? 0, level)
  }

  /** The table is a ring: what it comes to anew is empty. */
  #reach(slot: number): void {
    for (; this.#newest < slot; this.#newest += 1)
      for (const { peaks, denials } of this.#rows.values()) {
        peaks[(this.#newest + 1) % slotCount] = 0
        denials[(this.#newest + 1) % slotCount] = 0
      }
  }

  #row(product: string): Row | undefined {
    let row = this.#rows.get(product)
    if (row === undefined && this.#rows.size < mostProducts) {
      row = { peaks: new Uint32Array(slotCount), denials: new Uint32Array(slotCount) }
      this.#rows.set(product, row)
    }
    return row
  }
}

type Fill = (product: string, from: number, to: number, level: number) => void

interface Level {
  seats: number
  /** Up to here the table is filled. */
  edge: number
  /** Seats of the sessions of each count key; a key occupies the most of them. */
  readonly keys: Map<string, number[]>
}

/** What lives at a moment that moves, forward or backward. */
export class Track {
  readonly #fill: Fill
  readonly #begin: number
  readonly #live = new Map<string, Seat>()
  readonly #levels = new Map<string, Level>()

  constructor(now: number, live: readonly Seat[], fill: Fill) {
    this.#fill = fill
    this.#begin = now
    for (const seat of live) this.add(seat, now)
  }

  add(seat: Seat, at: number): void {
    if (this.#live.has(seat.id)) return
    this.#live.set(seat.id, seat)
    this.#change(seat, at, (held) => [...held, seat.seats])
  }

  remove(id: string, at: number): void {
    const seat = this.#live.get(id)
    if (seat === undefined) return
    this.#live.delete(id)
    this.#change(seat, at, (held) => held.toSpliced(held.indexOf(seat.seats), 1))
  }

  /** Everything stayed as it is until this time. */
  settle(at: number): void {
    for (const [product, level] of this.#levels) this.#moveEdge(product, level, at)
  }

  #change({ product, key }: Seat, at: number, change: (held: readonly number[]) => number[]): void {
    let level = this.#levels.get(product)
    if (level === undefined) {
      level = { seats: 0, edge: this.#begin, keys: new Map() }
      this.#levels.set(product, level)
    }
    this.#moveEdge(product, level, at)
    const before = level.keys.get(key) ?? []
    const after = change(before)
    level.seats += Math.max(0, ...after) - Math.max(0, ...before)
    if (after.length === 0) level.keys.delete(key)
    else level.keys.set(key, after)
    this.#fill(product, at, at, level.seats)
  }

  /** A wall clock that was set may step to the other side; what is between was filled then, or is filled now. */
  #moveEdge(product: string, level: Level, at: number): void {
    this.#fill(product, Math.min(level.edge, at), Math.max(level.edge, at), level.seats)
    level.edge = at
  }
}

function slotOf(at: number): number {
  return Math.floor(at / slotLength)
}
