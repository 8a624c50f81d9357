/**
 * Usage over time, from what the journal says of seats: for each product the most seats in use and the denials in every quarter
 * of an hour of the last 35 days. Owns that table, kept in memory: read once backward from the present, then forward as entries
 * come. Reading goes in pieces, so that nobody waits for it. Must not import who asks for it.
 */
import type { Timers } from './clock.ts'
import { type CountRule, countKey } from './domain/count-key.ts'
import type { JournalEntry } from './domain/journal.ts'
import { Levels, type ProductUsage, slotCount, slotLength } from './history-levels.ts'
import type { Journal } from './journal.ts'

/** A session here or a lease of another agent that lives, as far as counting needs it. */
export interface LiveSeat {
  readonly id: string
  readonly product: string
  readonly seats: number
  /** Where the application runs; absent: at this agent. */
  readonly agent?: string | undefined
  readonly account?: string | undefined
  readonly email?: string | undefined
}

export interface HistoryOptions {
  readonly journal: Pick<Journal, 'read'>
  /** What lives now, and the sequence number of the newest journal entry, both of the same moment. */
  readonly snapshot: () => Promise<{ readonly sequence: number; readonly live: readonly LiveSeat[] }>
  readonly ruleOf: (product: string) => CountRule | undefined
  readonly agent: string
  /** Wall time in ms. */
  readonly wall: () => number
  readonly timers: Pick<Timers, 'after'>
  /** Lets others have their turn; called every few entries. */
  readonly pause?: () => Promise<void>
  /** Entries that are read backward at most; 500,000 when left out. */
  readonly most?: number
  /** ms for which a reader waits for the past at most; 1,000 when left out. */
  readonly patience?: number
}

export interface Usage {
  readonly products: readonly ProductUsage[]
  /** Wall time in ms from which on it is known; undefined while it is still being read. */
  readonly since: number | undefined
}

/** Entries that are taken in at a time: some 10 ms. */
const entriesPerTurn = 200
const denied: ReadonlySet<unknown> = new Set(['no_seats', 'queue_full'])

export class History {
  readonly #options: HistoryOptions
  #levels: Levels | undefined
  #sequence = 0
  #since: number | undefined
  #past: Promise<void> | undefined
  #present: Promise<void> = Promise.resolve()

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /** @param boundaries wall times in ms, upward; n + 1 of them give n numbers */
  async read(boundaries: readonly number[]): Promise<Usage> {
    await this.#catchUp()
    const past = this.#past
    if (this.#since === undefined && past !== undefined) await this.#atMost(past)
    const levels = this.#levels
    if (levels === undefined) return { products: [], since: undefined }
    levels.present.settle(this.#options.wall())
    return { products: levels.read(boundaries), since: this.#since }
  }

  #atMost(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.timers.after(this.#options.patience ?? 1000, resolve)
      work.then(resolve, reject).finally(cancel)
    })
  }

  /** Takes in what came since the last time. One after another, so that no entry counts twice. */
  #catchUp(): Promise<void> {
    const next = this.#present.then(() => this.#forward())
    this.#present = next.catch(() => undefined)
    return next
  }

  async #forward(): Promise<void> {
    const { journal, snapshot, wall } = this.#options
    if (this.#levels === undefined) {
      const { sequence, live } = await snapshot()
      this.#sequence = sequence
      this.#levels = new Levels(
        wall(),
        live.map((seat) => ({ ...seat, key: this.#keyOf(seat) })),
      )
      this.#past = this.#backward(this.#levels, sequence)
      this.#past.catch(() => {
        // Read anew when somebody asks again.
        this.#levels = undefined
      })
      return
    }
    const filter = { from: this.#sequence + 1, order: 'oldest-first' } as const
    for await (const entry of journal.read(filter, Number.MAX_SAFE_INTEGER)) {
      this.#sequence = entry.sequence
      this.#note(this.#levels, entry, 'forward')
    }
  }

  async #backward(levels: Levels, sequence: number): Promise<void> {
    const begin = this.#options.wall() - (slotCount - 1) * slotLength
    let left = this.#options.most ?? 500_000
    let since = begin
    let oldest: number | undefined
    let turn = 0
    for await (const entry of this.#options.journal.read({ to: sequence, order: 'newest-first' }, left)) {
      if (entry.at < begin) {
        oldest = undefined
        break
      }
      left -= 1
      oldest = entry.at
      turn += 1
      if (turn % entriesPerTurn === 0) await this.#options.pause?.()
      this.#note(levels, entry, 'backward')
    }
    // Came to the first entry of all, or to as many as are read.
    if (oldest !== undefined) since = oldest
    levels.past.settle(since)
    this.#since = since
  }

  #note(levels: Levels, entry: JournalEntry, direction: 'forward' | 'backward'): void {
    const { session, lease, product, seats, code, agent, holder } = entry.facts
    const id = session ?? lease
    if (typeof product !== 'string') return
    if (entry.type === 'session.refused') {
      if (denied.has(code)) levels.deny(product, entry.at)
      return
    }
    const opened = entry.type === 'session.opened' || entry.type === 'lease.granted'
    // Kept in advance by this agent: what lives on it is counted.
    if (lease !== undefined && holder === this.#options.agent) return
    if (!opened && entry.type !== 'session.ended' && entry.type !== 'lease.ended') return
    if (typeof id !== 'string' || typeof seats !== 'number') return
    const track = direction === 'forward' ? levels.present : levels.past
    const { account, email } = entry.personal?.texts ?? {}
    const seat = { id, product, seats, account, email, ...(typeof agent === 'string' ? { agent } : {}) }
    // Backward in time a session appears where it ended and goes where it was opened.
    if (opened === (direction === 'forward')) track.add({ ...seat, key: this.#keyOf(seat) }, entry.at)
    else track.remove(id, entry.at)
  }

  #keyOf(seat: LiveSeat): string {
    const { ruleOf, agent: self } = this.#options
    const agent = seat.agent ?? self
    const key = countKey(ruleOf(seat.product) ?? 'session', { agent, account: seat.account, email: seat.email })
    return key === undefined ? seat.id : JSON.stringify(key.parts)
  }
}
