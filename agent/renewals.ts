/**
 * Renewals: a session is kept for another lease time, from memory while that fits into what is stored, else with a write (R3).
 * Whoever is answered that its session has ended has confirmed the end (R5). Only the lessor uses it; owns no state.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { Clock } from './clock.ts'
import type { SeatView } from './domain/book.ts'
import { freshFreeIn, type Grant, type Part } from './domain/grant.ts'
import { moveTarget } from './domain/moving.ts'
import { seatLasts } from './domain/shrinking.ts'
import { leasableSeconds, promiseSeconds } from './domain/supply.ts'
import type { Endings } from './endings.ts'
import { type EndReason, LeaseholdError } from './errors.ts'
import type { Transaction, Writes } from './writes.ts'

export type Renewal =
  /** @property freeIn seconds until the seat may be reused at the latest, if nothing else is heard */
  | { readonly kind: 'renewed'; readonly grant: Grant; readonly expiresIn: number; readonly freeIn: number }
  /** It lives, but nothing can be promised before its supply is confirmed or renewed by its manager (R20). */
  | { readonly kind: 'later'; readonly grant: Grant }
  | { readonly kind: 'ended'; readonly reason: string }
  | { readonly kind: 'unknown' }

export interface RenewalParts {
  readonly keeper: Bookkeeper
  readonly endings: Endings
  readonly writes: Writes
  readonly clock: Clock
}

/** What a session granted after waiting is promised until its first heartbeat, in seconds (R30). */
const unconfirmedSeconds = { session: 60, lease: 10, detachment: 60 } as const

export class Renewals {
  readonly #parts: RenewalParts

  constructor(parts: RenewalParts) {
    this.#parts = parts
  }

  /**
   * Answers at once where that needs no write.
   * @param binding a nonce; the first one is the session's binding and is stored (R27)
   * @param isHolder the holder asks, and confirms an end by being answered (R5)
   */
  renew(id: string, binding: string | undefined, isHolder = true): Renewal | Promise<Renewal> {
    if (!this.#parts.keeper.isReady)
      throw new LeaseholdError('store_unavailable', 'The store is being read again.', { retryIn: 2 })
    return this.#fromMemory(id, binding, isHolder) ?? this.#durably(id, binding, isHolder)
  }

  #fromMemory(id: string, binding: string | undefined, isHolder: boolean): Renewal | undefined {
    const { clock, keeper } = this.#parts
    const { book, promises } = keeper
    const grant = book.grant(id)
    const promise = promises.get(id)
    if (!grant || !promise || keeper.isBeingWritten(id)) return undefined
    const now = clock.atLeast()
    if (grant.ending !== undefined) {
      // Another agent confirms when its own sessions have ended, by giving the lease back (R5).
      if (isHolder && grant.kind === 'session') promises.confirm(id, now)
      return { kind: 'ended', reason: grant.ending }
    }
    if (grant.unconfirmed || (binding !== undefined && grant.binding === undefined)) return undefined
    const bootAt = clock.boot().at
    const seconds = this.secondsFor(book, grant, bootAt)
    if (seconds <= 0 || now >= promise.freeAt || !promises.fits(promise, grant, bootAt, seconds)) return undefined
    if (promises.isActiveAgain(promise, grant, now)) return undefined
    promises.extend(promise, grant, now, seconds)
    return { kind: 'renewed', grant, expiresIn: seconds, freeIn: Math.ceil((promise.freeAt - now) / 1000) }
  }

  #durably(id: string, binding: string | undefined, isHolder: boolean): Promise<Renewal> {
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
      if (isHolder && answer.kind === 'ended' && grant.kind === 'session')
        transaction.after(() => promises.confirm(id, clock.atLeast()))
      return answer
    })
  }

  /** Promises anew and writes the record, so that further renewals fit into it (R3). */
  promiseDurably(
    transaction: Transaction,
    grant: Grant,
    binding: string | undefined,
  ): Exclude<Renewal, { kind: 'unknown' }> {
    const { draft, readings } = this.#parts.keeper
    const seconds = this.secondsFor(draft, grant, readings.bootAt)
    if (seconds > 0) return this.#write(transaction, grant, binding, seconds)
    const moved = this.#moveOn(transaction, grant)
    if (moved) return this.#write(transaction, moved, binding, this.secondsFor(draft, moved, readings.bootAt))
    if (this.#mayGoOn(draft, grant, readings.bootAt)) return { kind: 'later', grant }
    const reason = this.#endReasonOf(draft, grant)
    this.#parts.endings.begin(transaction, grant, reason)
    return { kind: 'ended', reason }
  }

  #write(
    transaction: Transaction,
    grant: Grant,
    binding: string | undefined,
    seconds: number,
  ): Extract<Renewal, { kind: 'renewed' }> {
    const { draft, readings, promises } = this.#parts.keeper
    const now = readings.atLeast
    const activeAt = promises.get(grant.id)?.activeAt ?? now
    const written: Grant = {
      ...grant,
      ...(grant.binding === undefined && binding !== undefined ? { binding } : {}),
      idleFor: Math.max(0, now - activeAt),
      freeIn: Math.max(freshFreeIn(grant.leaseSeconds), this.#parts.keeper.freeAtOf(grant) - now),
      written: { boot: readings.boot.id, at: readings.boot.at },
    }
    draft.putGrant(written)
    const freeIn = this.#parts.keeper.promise(transaction, written, seconds)
    return { kind: 'renewed', grant: written, expiresIn: seconds, freeIn }
  }

  /** Before a session ends with its supply it moves to another one that fits (R31). */
  #moveOn(transaction: Transaction, grant: Grant): Grant | undefined {
    const { draft, readings } = this.#parts.keeper
    const over = grant.parts.filter((part) => this.#partSeconds(draft, grant, part, readings.bootAt) <= 0)
    const target = moveTarget(draft, grant, readings, (other) => !over.some((part) => part.supply === other.id))
    if (!target) return undefined
    draft.putGrant(target)
    this.#parts.endings.noteMoves(transaction, [target])
    return target
  }

  /**
   * Whether more can be promised later: its supply waits for its manager after a boot (R20), or what it has left is less than the
   * grace that a lease needs (R10), and it may be renewed.
   */
  #mayGoOn(view: SeatView, grant: Grant, bootAt: number): boolean {
    return grant.parts.every((part) => {
      if (this.#partSeconds(view, grant, part, bootAt) > 0) return true
      const supply = view.supply(part.supply)
      if (!supply || supply.kind === 'license' || supply.takes.kind === 'nothing') return false
      if (supply.takes.kind === 'renewals' && supply.takes.why === 'manager_unreachable') return true
      return grant.kind === 'lease' && (supply.until ?? 0) > bootAt && seatLasts(view, supply, grant, bootAt) > 0
    })
  }

  #endReasonOf(view: SeatView, grant: Grant): EndReason {
    const supplies = grant.parts.map((part) => view.supply(part.supply))
    if (supplies.includes(undefined)) return 'license_removed'
    if (supplies.some((one) => one?.kind === 'lease')) return 'lease_lost'
    return supplies.some((one) => one?.kind === 'detachment') ? 'detachment_ended' : 'expired'
  }

  /** @param bootAt now on the boot clock, in ms @returns 0 when one of its supplies has ended */
  secondsFor(view: SeatView, grant: Grant, bootAt: number): number {
    let seconds = grant.unconfirmed ? Math.min(unconfirmedSeconds[grant.kind], grant.leaseSeconds) : grant.leaseSeconds
    for (const part of grant.parts) seconds = Math.min(seconds, this.#partSeconds(view, grant, part, bootAt))
    return seconds
  }

  #partSeconds(view: SeatView, grant: Grant, part: Part, bootAt: number): number {
    const supply = view.supply(part.supply)
    if (!supply || supply.takes.kind === 'nothing') return 0
    if (supply.until === undefined) return grant.leaseSeconds
    const seconds = grant.kind === 'session' ? promiseSeconds(supply, bootAt) : leasableSeconds(supply, bootAt)
    if (supply.kind === 'license') return seconds
    return Math.min(seconds, Math.floor(seatLasts(view, supply, grant, bootAt) / 1000))
  }
}
