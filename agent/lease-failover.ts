/**
 * When a manager can't be reached, looks for the same seats at another one before the lease runs out; what lives on the old lease
 * moves when that ends (R31), and goes on with it when the manager is back first. Owns which lease stands by for which.
 */
import type { Clock } from './clock.ts'
import { type GrantedLease, isGranted } from './lease-record.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { LeaseSearch } from './lease-search.ts'
import { wantAgain } from './lease-want.ts'
import type { Leases } from './leases.ts'

export interface LeaseFailoverParts {
  readonly leases: Leases
  readonly renewals: LeaseRenewals
  readonly search: LeaseSearch
  readonly clock: Clock
  readonly onTrouble: (what: string, error: unknown) => void
}

/** How long after one search the next is made, in ms. */
const searchEvery = 30_000

export class LeaseFailover {
  readonly #parts: LeaseFailoverParts
  /** Lease > the one that stands by for it. */
  readonly #standby = new Map<string, string>()
  /** When each may be looked for next, on `atLeast`. */
  readonly #next = new Map<string, number>()
  #isSearching = false

  constructor(parts: LeaseFailoverParts) {
    this.#parts = parts
  }

  look(): void {
    const { leases, renewals, clock, onTrouble } = this.#parts
    for (const [id, standby] of this.#standby) {
      if (leases.get(id) && renewals.isFailing(id) && leases.get(standby)?.state === 'held') continue
      this.#standby.delete(id)
      leases.reserve(standby, false)
    }
    for (const id of this.#next.keys()) if (!leases.get(id)) this.#next.delete(id)
    if (this.#isSearching) return
    const lost = this.#firstLost(clock.atLeast())
    if (!lost) return
    this.#next.set(lost.id, clock.atLeast() + searchEvery)
    this.#isSearching = true
    this.#search(lost)
      .catch((error: unknown) => onTrouble('another manager could not be asked', error))
      .finally(() => {
        this.#isSearching = false
      })
  }

  /** Half of it is over, it can't be renewed, and something lives on it. */
  #firstLost(now: number): GrantedLease | undefined {
    const { leases, renewals } = this.#parts
    for (const record of leases.list()) {
      if (record.state !== 'held' || !isGranted(record) || record.ask.purpose === 'reserve') continue
      const { id, terms } = record
      if (!renewals.isFailing(id) || leases.left(id) > terms.leaseSeconds * 500) continue
      if (this.#standby.has(id) || (this.#next.get(id) ?? 0) > now || leases.isIdle(id)) continue
      return record
    }
    return undefined
  }

  async #search(lost: GrantedLease): Promise<void> {
    const { leases, search, onTrouble } = this.#parts
    const want = wantAgain(lost)
    const { placed } = await search.obtain(want, () => ({ isPlaced: true, answer: true }))
    if (placed === undefined) return
    const found = [...leases.list()].find((one) => one.for === lost.id && one.state === 'held')
    if (!found) return onTrouble('the lease that was found is not there', undefined)
    leases.reserve(found.id, true)
    this.#standby.set(lost.id, found.id)
  }
}
