/**
 * Asks one manager for one lease: the id is on disk before it is sent (R7), and whatever is not taken is cancelled there. What is
 * asked for and from whom is decided by who uses it; the records are `leases.ts`'s.
 */
import type { Clock, Elapsed } from './clock.ts'
import type { LeaseRecord } from './lease-record.ts'
import { askFor, flawOf, isSameAsk, type Want } from './lease-want.ts'
import type { Leases } from './leases.ts'
import type { ManagerLink, Offering, Refused, Unreachable } from './peers/manager-link.ts'
import type { LeaseGrant, LeaseQueued } from './peers/wire.ts'
import type { Transaction, Writes } from './writes.ts'

export interface LeaseAskingParts {
  readonly leases: Leases
  readonly writes: Writes
  readonly clock: Clock
  readonly self: () => { readonly id: string; readonly name: string }
  /** A fresh id of 16 to 64 letters, digits, - or _. */
  readonly randomId: () => string
  /** Told of a lease as soon as it is held. */
  readonly onTaken: (piece: Piece) => void
  readonly onTrouble: (what: string, error: unknown) => void
}

/** A request to one manager; the same however often it is sent. */
export interface Ticket {
  readonly record: LeaseRecord
  readonly want: Want
  readonly link: ManagerLink
  /** The manager may have seen it, so that dropping it needs to be told. */
  sent: boolean
}

/** A lease that the manager granted and that is not taken yet. */
export interface Piece {
  readonly id: string
  readonly lease: LeaseGrant
  /** The reading of `atMost` before the request was sent. */
  readonly sentAt: Elapsed
}

export type AskReply =
  | { readonly kind: 'granted'; readonly piece: Piece }
  | ({ readonly kind: 'queued' } & LeaseQueued)
  | Refused
  | Unreachable
  /** It granted something else than was asked for. */
  | { readonly kind: 'unusable'; readonly detail: string }

/** What becomes of what was fetched: where it is not placed it goes back. `isOver`: nothing more is wanted, all the same. */
export interface Placed<T> {
  readonly isPlaced: boolean
  readonly isOver?: boolean
  readonly answer: T
}

export class LeaseAsking {
  readonly #parts: LeaseAskingParts

  constructor(parts: LeaseAskingParts) {
    this.#parts = parts
  }

  /** Stores the request (R7). Rejects while the store can't be written. */
  async begin({ link, offer }: Offering, want: Want, seats: number): Promise<Ticket> {
    const { leases, clock, self, randomId } = this.#parts
    const ask = askFor(want, seats, self().name)
    const before = leases.interrupted(want.for, link.id, (one) => isSameAsk(one.ask, ask))
    const boot = clock.boot()
    const record: LeaseRecord = before ?? {
      id: randomId(),
      state: 'asking',
      manager: { id: link.id, name: link.name },
      for: want.for,
      ...(want.onlyFor === undefined ? {} : { onlyFor: want.onlyFor }),
      ...(want.kept ? { kept: want.kept } : {}),
      ask,
      vendorKey: offer.vendorKey,
      promisedFor: 0,
      written: { boot: boot.id, at: boot.at, wall: clock.wall() },
      startedAt: clock.wall(),
    }
    try {
      await leases.prepare(record)
    } catch (error) {
      leases.release(record.id)
      throw error
    }
    return { record, want, link, sent: before !== undefined }
  }

  /** Whether it may be sent, or sent again: nobody has ended or cancelled it, and its record is there. */
  isOpen({ record }: Ticket): boolean {
    return this.#parts.leases.get(record.id)?.state === 'asking'
  }

  /** Nobody asks for it here any more; if it may still be granted, it is found again or cancelled after a while. */
  leave({ record }: Ticket): void {
    this.#parts.leases.release(record.id)
  }

  /** @param options `timeout` in ms; `wait`: stands in line at the manager for so many seconds */
  async send(
    ticket: Ticket,
    options: { readonly timeout: number; readonly signal?: AbortSignal | undefined; readonly wait?: number },
  ): Promise<AskReply> {
    const { clock } = this.#parts
    const { record, link, want } = ticket
    const { timeout, signal, wait } = options
    const sentAt = clock.atMost()
    const ask = wait === undefined ? record.ask : { ...record.ask, wait }
    const reply = await link.ask(record.id, ask, { timeout, ...(signal === undefined ? {} : { signal }) })
    if (reply.kind !== 'unreachable' || !reply.unsent) ticket.sent = true
    if (reply.kind !== 'granted') return reply
    const flaw = flawOf(want, record.ask, link.id, reply.lease)
    if (flaw !== undefined) return { kind: 'unusable', detail: flaw }
    return { kind: 'granted', piece: { id: record.id, lease: reply.lease, sentAt } }
  }

  /** The manager has refused: nothing is out, and nobody waits for the record to go. */
  refused({ record }: Ticket): void {
    const { leases, onTrouble } = this.#parts
    leases
      .refused([record.id])
      .catch((error: unknown) => onTrouble('a refused lease could not be forgotten', error))
      .finally(() => leases.release(record.id))
  }

  /** Not wanted any more: that is on disk when this resolves; the manager is told as soon as it can be reached (R30). */
  async drop(tickets: readonly Ticket[]): Promise<void> {
    const { leases } = this.#parts
    const sent = tickets.filter((one) => one.sent).map((one) => one.record.id)
    for (const one of tickets) if (!one.sent) this.refused(one)
    if (sent.length === 0) return
    try {
      await leases.cancel(sent)
    } finally {
      for (const id of sent) leases.release(id)
    }
  }

  /**
   * Takes leases and grants what they were fetched for in one batch (R7). What does not serve that is given back.
   * @param others requests that are cancelled in the same batch where it does, or where nothing more is wanted
   */
  async take<T>(
    pieces: readonly Piece[],
    place: (transaction: Transaction) => Placed<T>,
    others: readonly Ticket[] = [],
  ): Promise<Placed<T>> {
    const { leases, writes, onTaken } = this.#parts
    const cancelled = others.map((one) => one.record.id)
    const isLast = ({ isPlaced, isOver }: Placed<T>): boolean => isPlaced || isOver === true
    try {
      const placed = await writes.submit(
        (transaction) => {
          const taken = pieces.filter((piece) => leases.take(transaction, piece))
          transaction.after(() => {
            for (const piece of taken) onTaken(piece)
          })
          const answer = place(transaction)
          if (!answer.isPlaced) for (const { id } of taken) leases.giveUp(transaction, id)
          if (isLast(answer)) leases.cancelIn(transaction, cancelled)
          return answer
        },
        { growing: true },
      )
      if (isLast(placed)) for (const id of cancelled) leases.release(id)
      return placed
    } finally {
      for (const { id } of pieces) leases.release(id)
    }
  }
}
