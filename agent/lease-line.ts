/**
 * Stands in line at other managers for who is at the head of the line here: one place at each manager that has the product, kept by
 * asking again; the first seat is taken, the other places are given up in the same batch (R30). Owns these places.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import type { AskReply, LeaseAsking, Placed, Ticket } from './lease-asking.ts'
import { askTimeout, type LeaseSearch } from './lease-search.ts'
import { isKeyed, type Want } from './lease-want.ts'
import type { KnownManagers, Offering } from './peers/manager-link.ts'
import type { Transaction } from './writes.ts'

export interface LeaseLineParts {
  readonly asking: LeaseAsking
  readonly search: LeaseSearch
  readonly known: KnownManagers
  readonly clock: Clock
  readonly timers: Timers
  readonly onTrouble: (what: string, error: unknown) => void
}

export interface Stand<T> {
  readonly want: Want
  /** Until when it waits, on `atLeast`. */
  readonly until: () => number
  /** Nobody listens at the moment: the places are kept, but no seat is taken. */
  readonly isAway: () => boolean
  readonly place: (transaction: Transaction) => Placed<T>
  readonly done: (answer: T) => void
}

/** A place in the line of one manager. */
interface Spot {
  readonly link: Offering['link']
  ticket: Ticket | undefined
  /** It was asked once more for a seat that it offered for a moment. */
  isConfirmed: boolean
  isAsking: boolean
  /** It was offered a seat while it was being asked. */
  again: boolean
  timer: Cancel | undefined
}

/** In ms. */
const longestRepeat = 5_000
const retryRefused = 30_000
const whileTaking = 500
const whileAway = 1_000
const longestStand = 300

export class LeaseLine {
  readonly #parts: LeaseLineParts
  readonly #stands = new Set<Standing<unknown>>()

  constructor(parts: LeaseLineParts) {
    this.#parts = parts
    parts.known.onChange(() => {
      for (const stand of this.#stands) stand.join()
    })
  }

  /** @returns gives up all places */
  stand<T>(stand: Stand<T>): Cancel {
    const standing = new Standing<T>(this.#parts, stand, () => this.#stands.delete(standing as Standing<unknown>))
    this.#stands.add(standing as Standing<unknown>)
    standing.join()
    return () => standing.leave()
  }

  /** A manager has a seat for this request. */
  noteOffered(request: string): void {
    for (const stand of this.#stands) stand.noteOffered(request)
  }
}

class Standing<T> {
  readonly #parts: LeaseLineParts
  readonly #stand: Stand<T>
  readonly #onOver: () => void
  readonly #spots = new Map<string, Spot>()
  #isOver = false
  /** A lease is being taken; others that are granted meanwhile wait for what becomes of it (R30). */
  #isTaking = false

  constructor(parts: LeaseLineParts, stand: Stand<T>, onOver: () => void) {
    this.#parts = parts
    this.#stand = stand
    this.#onOver = onOver
  }

  /** Takes a place wherever there is none yet. */
  join(): void {
    if (this.#isOver) return
    for (const offering of this.#parts.search.candidates(this.#stand.want)) {
      const { link } = offering
      if (this.#spots.has(link.id)) continue
      const spot: Spot = {
        link,
        ticket: undefined,
        isConfirmed: false,
        isAsking: false,
        again: false,
        timer: undefined,
      }
      this.#spots.set(link.id, spot)
      this.#ask(spot)
    }
  }

  noteOffered(request: string): void {
    for (const spot of this.#spots.values()) {
      if (spot.ticket?.record.id !== request) continue
      if (spot.isAsking) spot.again = true
      else this.#ask(spot)
    }
  }

  leave(): void {
    if (this.#isOver) return
    this.#close()
    this.#drop(this.#tickets())
  }

  #close(): void {
    this.#isOver = true
    for (const spot of this.#spots.values()) spot.timer?.()
    this.#onOver()
  }

  #tickets(except?: Ticket): Ticket[] {
    return [...this.#spots.values()].flatMap(({ ticket }) => (ticket && ticket !== except ? [ticket] : []))
  }

  #ask(spot: Spot): void {
    spot.timer?.()
    spot.timer = undefined
    spot.again = false
    if (this.#stand.isAway() || this.#isTaking) {
      this.#repeat(spot, this.#isTaking ? whileTaking : whileAway)
      return
    }
    spot.isAsking = true
    this.#askNow(spot)
      .catch((error: unknown) => {
        // The store can't be written: the place is asked for again as soon as it can.
        if (!this.#isOver) this.#repeat(spot, longestRepeat)
        this.#parts.onTrouble('a place in the line of a manager could not be taken', error)
      })
      .finally(() => {
        spot.isAsking = false
        if (spot.again && !this.#isOver) this.#ask(spot)
      })
  }

  async #askNow(spot: Spot): Promise<void> {
    const { asking, search, clock } = this.#parts
    const { want } = this.#stand
    // What was ended meanwhile is never asked for again (R7).
    if (spot.ticket && !asking.isOpen(spot.ticket)) {
      asking.leave(spot.ticket)
      this.#forget(spot)
    }
    if (!spot.ticket) {
      const offering = search.candidates(want).find(({ link }) => link.id === spot.link.id)
      if (!offering) {
        this.#spots.delete(spot.link.id)
        return
      }
      const ticket = await asking.begin(offering, want, isKeyed(want, offering.offer) ? want.seats : want.missing)
      spot.ticket = ticket
      if (this.#isOver) return this.#drop([ticket])
    }
    const { ticket } = spot
    const left = Math.ceil((this.#stand.until() - clock.atLeast()) / 1000)
    const reply = await asking.send(ticket, { timeout: askTimeout, wait: Math.max(0, Math.min(longestStand, left)) })
    // Whoever left meanwhile has cancelled it.
    if (this.#isOver) return
    await this.#hear(spot, ticket, reply)
  }

  async #hear(spot: Spot, ticket: Ticket, reply: AskReply): Promise<void> {
    const { asking } = this.#parts
    switch (reply.kind) {
      case 'granted':
        await this.#granted(spot, ticket, reply)
        break
      case 'queued':
        this.#repeat(spot, Math.min(longestRepeat, Math.max(1, reply.retryIn) * 1000))
        break
      case 'unreachable':
        this.#repeat(spot, longestRepeat)
        break
      case 'refused':
        this.#forget(spot)
        asking.refused(ticket)
        this.#repeat(spot, retryRefused)
        break
      case 'unusable':
        this.#forget(spot)
        this.#drop([ticket])
        this.#repeat(spot, retryRefused)
    }
  }

  async #granted(spot: Spot, ticket: Ticket, reply: Extract<AskReply, { kind: 'granted' }>): Promise<void> {
    if (this.#isTaking) {
      this.#repeat(spot, whileTaking)
      return
    }
    // An offered seat is promised for a moment only, which is too short to be passed on (R10): asked again it has its full time.
    if (reply.piece.lease.offered && this.#stand.want.chain.length > 1 && !spot.isConfirmed) {
      spot.isConfirmed = true
      spot.again = true
      return
    }
    this.#isTaking = true
    try {
      await this.#take(spot, ticket, reply)
    } finally {
      this.#isTaking = false
    }
  }

  async #take(spot: Spot, ticket: Ticket, { piece }: Extract<AskReply, { kind: 'granted' }>): Promise<void> {
    const others = this.#tickets(ticket)
    let placed: Placed<T>
    try {
      placed = await this.#parts.asking.take([piece], this.#stand.place, others)
    } catch (error) {
      // The outcome is unknown; the same request finds its lease when it is asked again (R7).
      this.#forget(spot)
      this.#repeat(spot, longestRepeat)
      this.#parts.onTrouble('a lease could not be stored', error)
      return
    }
    this.#forget(spot)
    if (!placed.isPlaced && !placed.isOver) {
      // It went back; what another manager has may serve.
      this.#repeat(spot, retryRefused)
      return
    }
    const late = this.#tickets().filter((one) => !others.includes(one))
    this.#close()
    this.#drop(late)
    this.#stand.done(placed.answer)
  }

  #forget(spot: Spot): void {
    spot.ticket = undefined
    spot.isConfirmed = false
  }

  #repeat(spot: Spot, ms: number): void {
    if (this.#isOver) return
    spot.timer?.()
    spot.timer = this.#parts.timers.after(ms, () => this.#ask(spot))
  }

  #drop(tickets: readonly Ticket[]): void {
    this.#parts.asking
      .drop(tickets)
      .catch((error: unknown) => this.#parts.onTrouble('a place in a line could not be given up', error))
  }
}
