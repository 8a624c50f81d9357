/**
 * Renewals: a session is kept for another lease time, from memory while that fits into what is stored, else with a write (R3).
 * Whoever is answered that its session has ended has confirmed the end (R5). Only the lessor uses it; owns no state.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { Clock } from './clock.ts'
import type { SeatView } from './domain/book.ts'
import { freshFreeIn, type Grant } from './domain/grant.ts'
import { promiseSeconds } from './domain/supply.ts'
import type { Endings } from './endings.ts'
import { LeaseholdError } from './errors.ts'
import type { Transaction, Writes } from './writes.ts'

export type Renewal =
  | { readonly kind: 'renewed'; readonly grant: Grant; readonly expiresIn: number }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'unknown' }

export interface RenewalParts {
  readonly keeper: Bookkeeper
  readonly endings: Endings
  readonly writes: Writes
  readonly clock: Clock
}

/** What a session granted after waiting is promised until its first heartbeat, in seconds (R30). */
const unconfirmedSeconds = 60

export class Renewals {
  readonly #parts: RenewalParts

  constructor(parts: RenewalParts) {
    this.#parts = parts
  }

  /**
   * Answers at once where that needs no write.
   * @param binding a nonce; the first one is the session's binding and is stored (R27)
   */
  renew(id: string, binding: string | undefined): Renewal | Promise<Renewal> {
    if (!this.#parts.keeper.isReady)
      throw new LeaseholdError('store_unavailable', 'The store is being read again.', { retryIn: 2 })
    return this.#fromMemory(id, binding) ?? this.#durably(id, binding)
  }

  #fromMemory(id: string, binding: string | undefined): Renewal | undefined {
    const { clock, keeper } = this.#parts
    const { book, promises } = keeper
    const grant = book.grant(id)
    const promise = promises.get(id)
    if (!grant || !promise || keeper.isBeingWritten(id)) return undefined
    const now = clock.atLeast()
    if (grant.ending !== undefined) {
      promises.confirm(id, now)
      return { kind: 'ended', reason: grant.ending }
    }
    if (grant.unconfirmed || (binding !== undefined && grant.binding === undefined)) return undefined
    const bootAt = clock.boot().at
    const seconds = this.secondsFor(book, grant, bootAt)
    if (seconds <= 0 || now >= promise.freeAt || !promises.fits(promise, grant, bootAt, seconds)) return undefined
    if (promises.isActiveAgain(promise, grant, now)) return undefined
    promises.extend(promise, grant, now, seconds)
    return { kind: 'renewed', grant, expiresIn: seconds }
  }

  #durably(id: string, binding: string | undefined): Promise<Renewal> {
    const { clock, keeper, writes } = this.#parts
    return writes.submit<Renewal>((transaction) => {
      const { draft, promises } = keeper
      const grant = draft.grant(id)
      if (!grant) {
        const ended = draft.tombstone(id)
        return ended ? { kind: 'ended', reason: ended.reason } : { kind: 'unknown' }
      }
      const { unconfirmed: _, ...heard } = grant
      const answer: Renewal =
        grant.ending === undefined
          ? this.promiseDurably(transaction, heard, binding)
          : { kind: 'ended', reason: grant.ending }
      // Being answered that it has ended is the holder's confirmation (R5); the answer goes out only now.
      if (answer.kind === 'ended') transaction.after(() => promises.confirm(id, clock.atLeast()))
      return answer
    })
  }

  /** Promises anew and writes the record, so that further renewals fit into it (R3). */
  promiseDurably(
    transaction: Transaction,
    grant: Grant,
    binding: string | undefined,
  ): Extract<Renewal, { kind: 'renewed' | 'ended' }> {
    const { draft, readings, promises } = this.#parts.keeper
    const now = readings.atLeast
    const seconds = this.secondsFor(draft, grant, readings.bootAt)
    if (seconds <= 0) {
      const reason = grant.parts.every((part) => draft.supply(part.supply)) ? 'expired' : 'license_removed'
      this.#parts.endings.begin(transaction, grant, reason)
      return { kind: 'ended', reason }
    }
    const activeAt = promises.get(grant.id)?.activeAt ?? now
    const written: Grant = {
      ...grant,
      ...(grant.binding === undefined && binding !== undefined ? { binding } : {}),
      idleFor: Math.max(0, now - activeAt),
      freeIn: Math.max(freshFreeIn(grant.leaseSeconds), this.#parts.keeper.freeAtOf(grant) - now),
      written: { boot: readings.boot.id, at: readings.boot.at },
    }
    draft.putGrant(written)
    this.#parts.keeper.promise(transaction, written, seconds)
    return { kind: 'renewed', grant: written, expiresIn: seconds }
  }

  /** @param bootAt now on the boot clock, in ms @returns 0 when one of its supplies has ended */
  secondsFor(view: SeatView, grant: Grant, bootAt: number): number {
    let seconds = grant.unconfirmed ? Math.min(unconfirmedSeconds, grant.leaseSeconds) : grant.leaseSeconds
    for (const part of grant.parts) {
      const supply = view.supply(part.supply)
      if (!supply || supply.takes.kind === 'nothing') return 0
      if (supply.until !== undefined) seconds = Math.min(seconds, promiseSeconds(supply, bootAt))
    }
    return seconds
  }
}
