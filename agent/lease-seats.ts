/**
 * Seats of other managers, as one part: puts together what asks for leases, keeps them, hears of them and gives them back. For who
 * builds the agent, the simulator and the tests; owns nothing itself.
 */
import type { Clock, Timers } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import { LeaseAsking } from './lease-asking.ts'
import { LeaseFailover } from './lease-failover.ts'
import { LeaseLine } from './lease-line.ts'
import { LeaseNews } from './lease-news.ts'
import { LeaseRenewals } from './lease-renewals.ts'
import { LeaseReturns } from './lease-returns.ts'
import { LeaseSearch, type RemoteSettings } from './lease-search.ts'
import { LeaseUpkeep } from './lease-upkeep.ts'
import type { Leases } from './leases.ts'
import type { KnownManagers } from './peers/manager-link.ts'
import type { Writes } from './writes.ts'

export interface LeaseSeatsOptions {
  /** Registered with the writer after the licenses. */
  readonly leases: Leases
  readonly known: KnownManagers
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => { readonly id: string; readonly name: string }
  readonly settings: () => RemoteSettings
  readonly randomId: () => string
  /** 0 to 1. */
  readonly random: () => number
  readonly onTrouble: (what: string, error: unknown) => void
  /** A manager has made a detachment for this agent, or one of its is longer. */
  readonly onDetachment?: (manager: string, id: string) => void
}

export class LeaseSeats {
  readonly leases: Leases
  readonly known: KnownManagers
  readonly asking: LeaseAsking
  readonly search: LeaseSearch
  readonly line: LeaseLine
  readonly renewals: LeaseRenewals
  readonly settings: () => RemoteSettings
  readonly #upkeep: LeaseUpkeep
  readonly #onWanted: ((manager: string, product: ProductName) => void)[] = []

  constructor(options: LeaseSeatsOptions) {
    const { leases, known, writes, clock, timers, self, settings, randomId, random, onTrouble, onDetachment } = options
    this.leases = leases
    this.known = known
    this.settings = settings
    this.asking = new LeaseAsking({
      leases,
      writes,
      clock,
      self,
      randomId,
      onTaken: ({ id, lease }) => renewals.note(id, lease.expiresIn, lease.offered),
      onTrouble,
    })
    const { asking } = this
    const returns = new LeaseReturns({ leases, known, clock, timers, onTrouble })
    this.renewals = new LeaseRenewals({
      leases,
      known,
      clock,
      random,
      onNews: (manager, event) => news.hear(manager, event),
      onTrouble,
    })
    const { renewals } = this
    this.search = new LeaseSearch({ asking, leases, renewals, returns, known, clock, settings })
    const { search } = this
    this.line = new LeaseLine({ asking, search, known, clock, timers, onTrouble })
    const { line } = this
    const onOffered = (request: string): void => line.noteOffered(request)
    const onWanted = (manager: string, product: ProductName): void => {
      for (const listener of this.#onWanted) listener(manager, product)
    }
    const news = new LeaseNews({ leases, renewals, returns, known, onOffered, onWanted, onDetachment, onTrouble })
    const failover = new LeaseFailover({ leases, renewals, search, clock, onTrouble })
    this.#upkeep = new LeaseUpkeep({
      leases,
      renewals,
      returns,
      news,
      failover,
      clock,
      timers,
      settings,
      onTrouble,
    })
  }

  /** Told when somebody waits at a manager for what we have of it (R32). */
  onWanted(listener: (manager: string, product: ProductName) => void): void {
    this.#onWanted.push(listener)
  }

  /** After the store is open. */
  start(): void {
    this.#upkeep.start()
  }

  stop(): void {
    this.#upkeep.stop()
  }

  /**
   * Whether a manager must be asked before anything that lives on one of these supplies is kept (R9, R20); it is being asked then.
   * Who renews sessions or leases answers "later" meanwhile.
   */
  isInDoubt(supplies: readonly string[]): boolean {
    if (this.leases.size === 0) return false
    if (!supplies.some((supply) => this.leases.isInDoubt(supply))) return false
    this.#upkeep.noteTime()
    return true
  }

  /** The settings have changed. */
  look(): void {
    this.#upkeep.look()
  }
}
