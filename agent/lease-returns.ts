/**
 * Gives leases back: tells the manager of what is returning as soon as nothing lives on it (R16), and of what is cancelled, again and
 * again until it has heard it or the longest possible lease is over (R7). Owns when each is told next.
 */
import type { Clock, Timers } from './clock.ts'
import { graceOf } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import { isGranted, type LeaseRecord } from './lease-record.ts'
import type { Leases } from './leases.ts'
import type { KnownManagers } from './peers/manager-link.ts'

export interface LeaseReturnsParts {
  readonly leases: Leases
  readonly known: KnownManagers
  readonly clock: Clock
  readonly timers: Timers
  readonly onTrouble: (what: string, error: unknown) => void
}

interface Telling {
  /** On `atLeast`. */
  next: number
  pause: number
  /** It is over at the manager by itself from then on. */
  readonly until: number
}

/** In ms. */
const tellTimeout = 5_000
const firstPause = 1_000
const longestPause = 60_000
/** Seconds; what a lease lasts at most, where it is not known. */
const longestLease = 86_400
/** So many are told to one manager at the same time. */
const mostAtOnce = 8

export class LeaseReturns {
  readonly #parts: LeaseReturnsParts
  readonly #telling = new Map<string, Telling>()
  readonly #running = new Map<string, Promise<boolean>>()

  constructor(parts: LeaseReturnsParts) {
    this.#parts = parts
  }

  /** Tells what is to be told. To be called often, and at once when something began to go back. */
  look(): void {
    const { leases, clock } = this.#parts
    const now = clock.atLeast()
    for (const id of [...this.#telling.keys()]) if (!leases.get(id)) this.#telling.delete(id)
    const busy = new Map<string, number>()
    for (const id of this.#running.keys()) count(busy, leases.get(id)?.manager.id)
    for (const record of leases.list()) {
      if (!this.#isOwed(record) || this.#running.has(record.id)) continue
      const telling = this.#tellingOf(record, now)
      if (telling.next > now || (busy.get(record.manager.id) ?? 0) >= mostAtOnce) continue
      count(busy, record.manager.id)
      void this.#tell(record, telling)
    }
  }

  /** A manager can be reached again. */
  hurry(manager: string): void {
    const { leases, clock } = this.#parts
    for (const [id, telling] of this.#telling) {
      if (leases.get(id)?.manager.id !== manager) continue
      telling.next = clock.atLeast()
      telling.pause = firstPause
    }
    this.look()
  }

  /**
   * Gives back what is kept of a manager's seats for nobody, so that they are there for who wants one (R32).
   * @param most ms @returns whether the manager has heard of any
   */
  async giveBackIdle(manager: string, product: ProductName | undefined, most: number): Promise<boolean> {
    const { leases, timers } = this.#parts
    const idle = [...leases.list()].filter((one) => {
      if (one.manager.id !== manager || !isGranted(one) || !leases.isIdle(one.id)) return false
      return one.ended === undefined && (product === undefined || one.terms.product === product)
    })
    if (idle.length === 0 || most <= 0) return false
    const held = idle.filter((one) => one.state === 'held').map(({ id }) => id)
    if (held.length > 0) await leases.giveBack(held)
    this.look()
    const told = Promise.all(idle.map(({ id }) => this.#running.get(id) ?? false)).then((all) => all.includes(true))
    const late = new Promise<false>((resolve) => void timers.after(most, () => resolve(false)))
    return await Promise.race([told, late])
  }

  #isOwed(record: LeaseRecord): boolean {
    if (record.state === 'cancelling') return true
    return record.state === 'returning' && this.#parts.leases.isIdle(record.id)
  }

  #tellingOf({ id, terms }: LeaseRecord, now: number): Telling {
    const known = this.#telling.get(id)
    if (known) return known
    const seconds = terms?.leaseSeconds ?? longestLease
    // A manager that restarts counts twice the lease time (R3).
    const telling = { next: now, pause: firstPause, until: now + 2 * seconds * 1000 + graceOf(seconds) }
    this.#telling.set(id, telling)
    return telling
  }

  #tell(record: LeaseRecord, telling: Telling): Promise<boolean> {
    const { clock, onTrouble } = this.#parts
    telling.next = clock.atLeast() + telling.pause
    telling.pause = Math.min(longestPause, telling.pause * 2)
    const run = this.#tellOnce(record, telling)
      .catch((error: unknown) => {
        onTrouble('a lease could not be given back', error)
        return false
      })
      .finally(() => this.#running.delete(record.id))
    this.#running.set(record.id, run)
    return run
  }

  async #tellOnce({ id, manager, state }: LeaseRecord, telling: Telling): Promise<boolean> {
    const { leases, known, clock } = this.#parts
    if (clock.atLeast() >= telling.until) {
      await leases.gone([id], 'expired')
      return false
    }
    const reply = await known.link(manager.id)?.release(id, { timeout: tellTimeout })
    if (reply?.kind !== 'acknowledged') return false
    await leases.gone([id], state === 'returning' ? 'returned' : 'cancelled')
    return true
  }
}

function count(counts: Map<string, number>, name: string | undefined): void {
  if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
}
