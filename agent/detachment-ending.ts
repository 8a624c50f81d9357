/**
 * Ends detachments of this agent's seats by their date (R2, R10, R11): in every batch before its first job, every second, and never
 * by a wall that is not believed. Talks to nobody; must not import http.
 */
import type { Clock } from './clock.ts'
import type { DetachmentBook } from './detachment-book.ts'
import { freeDateOf, isOut, type OutRecord, outFacts } from './detachment-record.ts'
import { type Dates, endOf } from './domain/floor.ts'
import type { Lessor } from './lessor.ts'
import type { BatchParticipant, Transaction, Writes } from './writes.ts'

export interface DetachmentEndingOptions {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'departures' | 'isReady'>
  readonly writes: Writes
  readonly clock: Clock
  readonly dates: (signers: readonly string[]) => Dates
}

const year = 365 * 86_400_000
const day = 86_400_000

/** Nothing of these signers is free before. */
interface Soonest {
  readonly signers: readonly string[]
  readonly at: number
}

export class DetachmentEnding implements BatchParticipant {
  readonly #options: DetachmentEndingOptions
  readonly #soonest = new Map<string, Soonest>()

  /** To be made after the lessor's records were registered, and to participate after them. */
  constructor(options: DetachmentEndingOptions) {
    this.#options = options
    const { book } = options
    book.onReady(() => {
      this.#soonest.clear()
      for (const record of book.outs()) this.#note(record)
      this.showDates()
    })
    book.onChange((record) => {
      if (record.side === 'out') this.#note(record)
    })
  }

  /** Frees what is past its date, in the same batch that may count on it (R2). Before the first job of every batch. */
  begin(transaction: Transaction): void {
    const { book, lessor, clock } = this.#options
    if (!lessor.isReady) return
    for (const record of this.#due(transaction)) {
      const byDate = record.until + record.grace + record.behind
      const isEarly = record.lost?.early === true && record.lost.freeAt < byDate
      const supply = lessor.departures.view.grant(record.grant)?.parts[0]?.supply
      const overlap =
        isEarly && supply !== undefined
          ? { supplies: [supply], seats: record.seats, until: clock.wall() + byDate - this.dateOf(record) }
          : undefined
      const reason = isEarly ? 'lost' : 'detachment_ended'
      if (overlap !== undefined)
        transaction.journal({
          type: 'seat.overlap',
          facts: { ...outFacts(record), until: iso(overlap.until), reason: 'lost' },
        })
      lessor.departures.end(transaction, record.grant, reason, overlap)
      book.put(transaction, { ...record, state: 'ended', endedAt: clock.wall() })
    }
  }

  /** Frees what is due now, be it that nobody asks; call it every second. */
  async look(): Promise<void> {
    const { lessor, writes } = this.#options
    if (lessor.isReady && this.#due().length > 0) await writes.submit(() => undefined)
  }

  /** What the wall says ends nothing before it is believed (R11): then it is held. */
  standing(record: OutRecord): 'running' | 'held' | 'over' {
    const dates = this.#options.dates(record.signers)
    const ended = endOf(dates, record.until)
    return ended === 'ended' ? 'over' : ended
  }

  /** In every batch, so nothing is looked through before something may be due. */
  #due(transaction?: Transaction): OutRecord[] {
    const { book, dates } = this.#options
    const isDue = ({ signers, at }: Soonest): boolean => endOf(dates(signers), at) === 'ended'
    if (![...this.#soonest.values()].some(isDue)) return []
    this.#soonest.clear()
    const due: OutRecord[] = []
    const known = new Map<string, Dates>()
    for (const record of book.outs(transaction)) {
      if (!isOut(record)) continue
      this.#note(record)
      const name = record.signers.join()
      const date = known.get(name) ?? dates(record.signers)
      known.set(name, date)
      if (endOf(date, freeDateOf(record)) === 'ended') due.push(record)
    }
    return due
  }

  #note(record: OutRecord): void {
    if (!isOut(record)) return
    const name = record.signers.join()
    const at = Math.min(freeDateOf(record), this.#soonest.get(name)?.at ?? Number.POSITIVE_INFINITY)
    this.#soonest.set(name, { signers: record.signers, at })
  }

  /** Tells the lessor when seats are free, for people; after reading and every minute, since sleep and steps of the clock move it. */
  showDates(): void {
    const { book, lessor } = this.#options
    for (const record of book.outs())
      if (isOut(record)) lessor.departures.date(record.grant, Math.max(0, freeDateOf(record) - this.dateOf(record)))
  }

  /** Forgets tombstones of which every document is past its date. */
  async prune(): Promise<void> {
    const { book, writes } = this.#options
    const isOld = (record: OutRecord): boolean => {
      const kept = Math.max(record.latest + record.grace + record.behind, (record.lost?.at ?? 0) + year)
      return !isOut(record) && this.dateOf(record) > kept + day
    }
    if (![...book.outs()].some(isOld)) return
    await writes.submit((transaction) => {
      for (const record of [...book.outs(transaction)]) if (isOld(record)) book.drop(transaction, record)
    })
  }

  /** The date that counts for it, in ms. */
  dateOf({ signers }: OutRecord): number {
    return this.#options.dates(signers).date
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
