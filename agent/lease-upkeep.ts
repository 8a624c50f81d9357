/**
 * Looks after leases by time: what is due, what is over, what nobody needs any more, what was interrupted, and jumps of elapsed time
 * (R9). Owns its timer and since when each lease is idle. What is done about it is the others'.
 */
import type { Cancel, Clock, Elapsed, Timers } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import type { LeaseFailover } from './lease-failover.ts'
import type { LeaseNews } from './lease-news.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { LeaseReturns } from './lease-returns.ts'
import type { RemoteSettings } from './lease-search.ts'
import type { Leases } from './leases.ts'

export interface LeaseUpkeepParts {
  readonly leases: Leases
  readonly renewals: LeaseRenewals
  readonly returns: LeaseReturns
  readonly news: LeaseNews
  readonly failover: LeaseFailover
  readonly clock: Clock
  readonly timers: Timers
  readonly settings: () => RemoteSettings
  readonly onTrouble: (what: string, error: unknown) => void
}

/** In ms. */
const lookEvery = 1_000
/** Elapsed time that went further than this between two looks has jumped. */
const jump = 5_000
/** With more leases than these a look costs so much that changes are gathered for a moment, in ms. */
const manyLeases = 100
const gatherFor = 50
/** For so long a request that was interrupted waits for who made it to come again. */
const interruptedKept = 15_000

export class LeaseUpkeep {
  readonly #parts: LeaseUpkeepParts
  /** Since when each is idle, or interrupted, on `atLeast`. */
  readonly #since = new Map<string, number>()
  #lookedAt: Elapsed | undefined
  #ticking: Cancel | undefined
  /** A slow disk is not given the same again with every tick. */
  readonly #writing = new Set<string>()
  #isLookDue = false

  constructor(parts: LeaseUpkeepParts) {
    this.#parts = parts
  }

  start(): void {
    this.#ticking = this.#parts.timers.every(lookEvery, () => this.look())
    this.#parts.leases.onChange(() => this.#lookSoon())
    this.look()
  }

  stop(): void {
    this.#ticking?.()
    this.#ticking = undefined
    this.#parts.news.stop()
  }

  look(): void {
    const { leases, renewals, returns, news, failover, clock } = this.#parts
    this.noteTime()
    if (leases.size > 0) {
      const over = leases.overdue()
      if (over.length > 0) this.#write('overdue', () => leases.ended(over.map((id) => ({ id, reason: 'lease_lost' }))))
      this.#dropInterrupted(clock.atLeast())
      this.#giveBackUnused(clock.atLeast())
      renewals.look()
      failover.look()
      returns.look()
    }
    news.look()
  }

  /** Looks at how far time went since the last look; whoever finds a lease in doubt calls it at once. */
  noteTime(): void {
    const { leases, renewals, clock } = this.#parts
    const before = this.#lookedAt
    const now = clock.atMost()
    this.#lookedAt = now
    if (before === undefined || now - before <= jump || leases.size === 0) return
    this.#write('jump', () => leases.jumped(before))
    renewals.hurry()
  }

  /** Something has changed; what it leads to need not wait for the next tick. */
  #lookSoon(): void {
    if (this.#isLookDue || this.#ticking === undefined) return
    this.#isLookDue = true
    const { leases, timers } = this.#parts
    const look = (): void => {
      this.#isLookDue = false
      if (this.#ticking !== undefined) this.look()
    }
    if (leases.size > manyLeases) timers.after(gatherFor, look)
    else queueMicrotask(look)
  }

  #dropInterrupted(now: number): void {
    const { leases } = this.#parts
    const late = leases.orphans().filter(({ id }) => now - this.#sinceOf(id, now) >= interruptedKept)
    if (late.length > 0)
      this.#write('interrupted', () => {
        return leases.cancel(late.map(({ id }) => id))
      })
  }

  /** Cached leases whose time is over, or that the settings do not allow any more. */
  #giveBackUnused(now: number): void {
    const { leases, settings } = this.#parts
    const { allowed, lingerSeconds, forProduct } = settings()
    const unused: string[] = []
    for (const { id, state, ask } of leases.list()) {
      if (state === 'asking') continue
      if (state !== 'held' || !leases.isIdle(id)) {
        this.#since.delete(id)
        continue
      }
      const isAllowed = allowed && forProduct(ask.product as ProductName).mode !== 'local'
      if (!isAllowed || now - this.#sinceOf(id, now) >= lingerSeconds * 1000) unused.push(id)
    }
    for (const id of this.#since.keys()) if (!leases.get(id)) this.#since.delete(id)
    if (unused.length > 0) this.#write('unused', () => leases.giveBack(unused))
  }

  #sinceOf(id: string, now: number): number {
    const since = this.#since.get(id) ?? now
    this.#since.set(id, since)
    return since
  }

  #write(what: string, write: () => Promise<void>): void {
    if (this.#writing.has(what)) return
    this.#writing.add(what)
    write()
      .catch((error: unknown) => this.#parts.onTrouble('leases could not be brought up to date', error))
      .finally(() => this.#writing.delete(what))
  }
}
