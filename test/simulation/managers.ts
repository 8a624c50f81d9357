/**
 * Which managers an agent knows, as the directory has it: those that it may find at all, asked for their offers now and then and
 * whenever something is heard of them. What it knows is as old and as wrong as the network makes it.
 */
import type { Timers } from '../../agent/clock.ts'
import { type ProductName, productName, productOf, vendorOf } from '../../agent/domain/product-name.ts'
import type { KnownManager } from '../../agent/peers/manager-calls.ts'
import type { KnownManagers, LostManager, ManagerLink, Offering, Unreachable } from '../../agent/peers/manager-link.ts'
import { ManagerLinks } from '../../agent/peers/manager-links.ts'
import { compareOffers } from '../../agent/peers/offers.ts'
import type { Offer, Offers } from '../../agent/peers/wire.ts'

export interface SimulatedManagersParts {
  readonly managers: readonly KnownManager[]
  readonly linkTo: (peer: KnownManager) => ManagerLink
  readonly readOffers: (peer: KnownManager) => Promise<Pick<Offers, 'offers' | 'serving'> | Unreachable>
  readonly timers: Timers
  readonly self: string
  readonly isAllowed: () => boolean
}

interface Known {
  readonly peer: KnownManager
  state: 'asking' | 'reachable' | 'refusing' | 'unreachable'
  offers: readonly Offer[]
  isAsked: boolean
}

const askEvery = 15_000

export class SimulatedManagers implements KnownManagers {
  readonly #parts: SimulatedManagersParts
  readonly #known: readonly Known[]
  readonly #links: ManagerLinks
  readonly #listeners: (() => void)[] = []
  readonly #settled: Promise<void>
  #settle: () => void = () => undefined
  #isStopped = false

  constructor(parts: SimulatedManagersParts) {
    this.#parts = parts
    this.#known = parts.managers.map((peer) => ({ peer, state: 'asking', offers: [], isAsked: false }))
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#links = new ManagerLinks({
      linkTo: (peer) => parts.linkTo(peer),
      timers: parts.timers,
      onNews: (id) => {
        const known = this.#known.find(({ peer }) => peer.id === id)
        if (known) void this.#ask(known)
      },
    })
  }

  start(): void {
    void Promise.all(this.#known.map((one) => this.#ask(one))).then(() => this.#settle())
    this.#parts.timers.every(askEvery, () => {
      for (const one of this.#known) void this.#ask(one)
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#settle()
  }

  /** What managers offer, to be passed on. */
  *relayed(): Iterable<{ readonly manager: string; readonly offer: Offer }> {
    for (const { peer, state, offers } of this.#known)
      if (state === 'reachable') for (const offer of offers) yield { manager: peer.id, offer }
  }

  offering(product: ProductName): readonly Offering[] {
    if (!this.#parts.isAllowed()) return []
    const found = this.#known.flatMap((one) => {
      const offer = one.state === 'reachable' ? offerOf(one, product) : undefined
      if (!offer || offer.chain.includes(this.#parts.self)) return []
      return [{ link: this.#links.make(one.peer), offer }]
    })
    return found.sort((a, b) => compareOffers(a.offer, b.offer))
  }

  productsNamed(product: string): readonly ProductName[] {
    if (!this.#parts.isAllowed()) return []
    const offers = [...this.relayed()].map(({ offer }) => offer.product as ProductName)
    return [...new Set(offers.filter((one) => productOf(one) === product))]
  }

  lost(product: ProductName): readonly LostManager[] {
    if (!this.#parts.isAllowed()) return []
    return this.#known
      .filter((one) => one.state === 'unreachable' && offerOf(one, product) !== undefined)
      .map(({ peer }) => ({ id: peer.id, name: peer.name, detail: 'It does not answer.' }))
  }

  link(id: string): ManagerLink | undefined {
    const known = this.#known.find(({ peer }) => peer.id === id)
    return known && this.#links.make(known.peer)
  }

  isReachable(id: string): boolean {
    const state = this.#known.find(({ peer }) => peer.id === id)?.state
    return state === 'reachable' || state === 'refusing'
  }

  isAt(id: string, address: string): boolean {
    return id === address
  }

  settled(): Promise<void> {
    return this.#settled
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async #ask(known: Known): Promise<void> {
    if (known.isAsked || this.#isStopped) return
    known.isAsked = true
    const answer = await this.#parts.readOffers(known.peer)
    known.isAsked = false
    if (this.#isStopped) return
    if ('kind' in answer) known.state = 'unreachable'
    else {
      known.state = answer.serving === 'open' ? 'reachable' : 'refusing'
      known.offers = answer.offers
    }
    for (const listener of this.#listeners) listener()
  }
}

function offerOf({ offers }: Known, product: ProductName): Offer | undefined {
  const any = productName(vendorOf(product), '*')
  return offers.find((one) => one.product === product) ?? offers.find((one) => one.product === any)
}
