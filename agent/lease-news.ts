/**
 * Hears what managers say by themselves: keeps one stream of events open to each manager that something is held of or asked for, and
 * does what an event asks. Owns which streams are open. The same events come with the answers to renewals.
 */
import type { Cancel } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { LeaseReturns } from './lease-returns.ts'
import type { Leases } from './leases.ts'
import type { KnownManagers } from './peers/manager-link.ts'
import type { PeerEvent } from './peers/wire.ts'

export interface LeaseNewsParts {
  readonly leases: Leases
  readonly renewals: LeaseRenewals
  readonly returns: LeaseReturns
  readonly known: KnownManagers
  /** A request that stands in line may have its seat now. */
  readonly onOffered: (request: string) => void
  /** Somebody waits at this manager for seats that we have of it; who has them from us is to be told. */
  readonly onWanted: (manager: string, product: ProductName) => void
  /** A manager has made a detachment for this agent, or one of its is longer. */
  readonly onDetachment?: ((manager: string, id: string) => void) | undefined
  readonly onTrouble: (what: string, error: unknown) => void
}

/** ms for leases that go back because somebody waits. */
const wantedTimeout = 5_000

export class LeaseNews {
  readonly #parts: LeaseNewsParts
  readonly #streams = new Map<string, Cancel>()

  constructor(parts: LeaseNewsParts) {
    this.#parts = parts
  }

  /** Follows who is to be followed. To be called often. */
  look(): void {
    const { leases, known } = this.#parts
    const wanted = new Set<string>()
    for (const { manager } of leases.list()) wanted.add(manager.id)
    for (const [manager, cancel] of this.#streams) {
      if (wanted.has(manager)) continue
      this.#streams.delete(manager)
      cancel()
    }
    for (const manager of wanted) {
      const link = this.#streams.has(manager) ? undefined : known.link(manager)
      if (!link) continue
      const stream = link.follow({
        onEvent: (event) => this.hear(manager, event),
        onUp: () => this.#heardAgain(manager),
      })
      this.#streams.set(manager, stream)
    }
  }

  /** What a manager may tell of is its own leases only. */
  hear(manager: string, event: PeerEvent): void {
    const { leases, returns, onOffered, onWanted, onDetachment, onTrouble } = this.#parts
    if (event.kind === 'ended' && leases.get(event.lease)?.manager.id === manager)
      leases
        .ended([{ id: event.lease, reason: event.reason }])
        .catch((error: unknown) => onTrouble('the end of a lease could not be stored', error))
    else if (event.kind === 'seat-offered' && leases.get(event.request)?.manager.id === manager)
      onOffered(event.request)
    else if (event.kind === 'detachment-ready') onDetachment?.(manager, event.detachment)
    else if (event.kind === 'counts' && event.wanted) {
      const product = event.product as ProductName
      onWanted(manager, product)
      returns
        .giveBackIdle(manager, product, wantedTimeout)
        .catch((error: unknown) => onTrouble('a lease that is wanted could not be given back', error))
    }
  }

  stop(): void {
    for (const cancel of this.#streams.values()) cancel()
    this.#streams.clear()
  }

  /** It may have restarted, or was out of reach: whatever is owed to it or due is done now. */
  #heardAgain(manager: string): void {
    this.#parts.renewals.hurry(manager)
    this.#parts.returns.hurry(manager)
  }
}
