/**
 * Which agents there are, where they answer and what they offer. Owns the known agents; what is true of them after a restart is
 * the peer book's. What agents say is bounded here, and nothing of it leads to a connection but to the agent itself.
 * Must not import finders' implementations, HTTP or the transport.
 */
import { setMaxListeners } from 'node:events'
import type { Clock, Timers } from '../clock.ts'
import { parseSearchParameter, readPlace } from '../config/search-parameters.ts'
import { type Place, showPlace } from '../domain/place.ts'
import { type ProductName, productName, productOf, vendorOf } from '../domain/product-name.ts'
import type { FoundBy, Hint } from './finders/finder.ts'
import { type Condition, KnownAgent } from './known-agent.ts'
import { LicenseTwins, type LicenseTwinsParts } from './license-twins.ts'
import type { KnownManagers, LostManager, ManagerLink, Offering, Unreachable } from './manager-link.ts'
import { ManagerLinks, type News } from './manager-links.ts'
import { compareOffers } from './offers.ts'
import type { PeerMemory } from './peer-memory.ts'
import type { Answered, KnownPeer, Missed, Prober } from './prober.ts'
import { type Probes, probePatience } from './probes.ts'
import type { Offer, Offers, Peers } from './wire.ts'

export interface DirectoryParts {
  readonly self: () => { readonly id: string; readonly name: string }
  readonly probes: Pick<Probes, 'probe'>
  readonly prober: Pick<Prober, 'offers'>
  readonly clock: Clock
  readonly timers: Timers
  readonly memory: PeerMemory
  readonly linkTo: (peer: KnownPeer) => ManagerLink
  /** “Allow Access to Remote Licenses”. */
  readonly isAllowed: () => boolean
  /** The place or agent that a product has to come from; undefined: any. */
  readonly managerOf: (product: ProductName) => { readonly place: Place; readonly id?: string } | undefined
  readonly health: LicenseTwinsParts['health']
  readonly ownLicenses: LicenseTwinsParts['ownLicenses']
  /** Something about this agent has changed. */
  readonly onAgent: (id: string) => void
}

const mostAgents = 1000
/** Offers, features and licenses that are kept, counted together: of one agent, and of all. */
const mostKept = 20_000
const mostKeptOfAll = 200_000
const forgetAfter = 24 * 3600_000

export class Directory implements KnownManagers {
  readonly #parts: DirectoryParts
  readonly #agents = new Map<string, KnownAgent>()
  /** Place > agent that answered there. */
  readonly #at = new Map<string, KnownAgent>()
  /** Places where this agent itself answers. */
  readonly #own = new Set<string>()
  readonly #links: ManagerLinks
  readonly #listeners = new Set<() => void>()
  readonly #twins: LicenseTwins
  readonly #stopper = new AbortController()
  readonly #settled: Promise<void>
  #settle: () => void = () => {}
  #kept = 0

  constructor(parts: DirectoryParts) {
    this.#parts = parts
    // Every probe that runs listens to it.
    setMaxListeners(0, this.#stopper.signal)
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#links = new ManagerLinks({ ...parts, onNews: (id, news) => this.#heed(id, news) })
    this.#twins = new LicenseTwins({ ...parts, nameOf: (id) => this.#agents.get(id)?.name ?? id })
  }

  // ---- what the broker asks

  offering(product: ProductName): readonly Offering[] {
    if (!this.#parts.isAllowed()) return []
    const wanted = this.#parts.managerOf(product)
    const found: { readonly agent: KnownAgent; readonly offer: Offer }[] = []
    for (const agent of this.#agents.values()) {
      if (agent.condition.state !== 'reachable') continue
      if (wanted !== undefined && !isMeant(agent, wanted)) continue
      const offer = offerOf(agent, product)
      if (offer !== undefined && !offer.chain.includes(this.#parts.self().id)) found.push({ agent, offer })
    }
    found.sort((a, b) => compareOffers(a.offer, b.offer) || (a.agent.latency ?? 0) - (b.agent.latency ?? 0))
    return found.map(({ agent, offer }) => ({ link: this.#links.make(agent), offer }))
  }

  productsNamed(product: string): readonly ProductName[] {
    const names = new Set<ProductName>()
    if (this.#parts.isAllowed())
      for (const { condition, offers } of this.#agents.values())
        if (condition.state === 'reachable')
          for (const offer of offers)
            if (productOf(offer.product as ProductName) === product) names.add(offer.product as ProductName)
    return [...names]
  }

  lost(product: ProductName): readonly LostManager[] {
    if (!this.#parts.isAllowed()) return []
    return [...this.#agents.values()]
      .filter(
        ({ condition, offers }) => condition.state === 'unreachable' && offerOf({ offers }, product) !== undefined,
      )
      .map(({ id, name, condition: { detail } }) => ({ id, name, detail }))
  }

  isAt(id: string, address: string): boolean {
    const text = address.trim()
    if (text === id) return true
    const parsed = parseSearchParameter(text)
    const agent = this.#agents.get(id)
    return parsed.kind === 'place' && agent !== undefined && isMeant(agent, parsed)
  }

  link(id: string): ManagerLink | undefined {
    const agent = this.#agents.get(id)
    return agent === undefined ? this.#links.get(id) : this.#links.make(agent)
  }

  settled(): Promise<void> {
    return this.#settled
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  // ---- what the search does

  get agents(): Iterable<KnownAgent> {
    return this.#agents.values()
  }

  find(id: string): KnownAgent | undefined {
    return this.#agents.get(id)
  }

  /** Those that answered last time, for other agents that search. */
  reached(): Peers['peers'] {
    return [...this.#agents.values()]
      .filter(({ condition }) => condition.state === 'reachable' || condition.state === 'refusing')
      .map(({ id: agent, name, addresses }) => ({ agent, name, addresses: [...addresses] }))
  }

  /** The first search is done. */
  settle(): void {
    this.#settle()
  }

  stop(): void {
    this.#stopper.abort()
    this.#settle()
  }

  /** Takes up what is remembered from before the start; places that others named are tried, too, since they answered once. */
  restore(): void {
    const wall = this.#parts.clock.wall()
    for (const { id, name, addresses, lastSeen } of this.#parts.memory.list()) {
      const age = Math.max(0, wall - lastSeen)
      if (id === this.#parts.self().id || age > forgetAfter || addresses.length === 0) continue
      const agent = this.#make(id, name, 'remembered')
      if (agent === undefined) continue
      agent.heardAt = this.#parts.clock.atMost() - age
      agent.lastSeen = lastSeen
      for (const address of addresses) {
        const place = readPlace(address)
        if (!('reason' in place)) agent.add({ place, foundBy: 'remembered', hops: 1 })
      }
    }
  }

  /** Asks a known agent whether it is there and what it offers. */
  async visit(agent: KnownAgent): Promise<void> {
    const [first, ...others] = agent.places
    if (agent.isVisited || first === undefined || this.#stopper.signal.aborted) return
    agent.isVisited = true
    try {
      const missed = await this.#visitAt(agent, first)
      if (missed === undefined) return
      // All others at the same time: one of them is as good as the next.
      const outcomes = await Promise.all(others.map((place) => this.#visitAt(agent, place)))
      if (outcomes.includes(undefined) || this.#stopper.signal.aborted) return
      this.#noteMissed(agent, [missed, ...outcomes.flatMap((one) => one ?? [])])
    } finally {
      agent.isVisited = false
    }
  }

  /** Looks into a hint. A place that is known needs nothing: its agent is visited anyway. */
  async follow(hint: Hint, signal: AbortSignal): Promise<void> {
    const key = showPlace(hint.place)
    if (this.#own.has(key)) return
    const known = this.#at.get(key)
    if (known !== undefined && (hint.id === undefined || hint.id === known.id)) {
      known.add(hint)
      return
    }
    const expected = hint.id === undefined ? undefined : this.#expect(hint.id, hint)
    if (expected === undefined && this.#isFull(hint.foundBy)) return
    const result = await this.#parts.probes.probe(hint, signal)
    if (signal.aborted) return
    if (result.kind === 'met') await this.#meet(result, hint)
    else if (expected !== undefined && expected.condition.state !== 'reachable') this.#noteMissed(expected, [result])
  }

  /** Agents that were not heard of for a day are gone; a typed id stays, since it is asked for in every round. */
  forgetOld(): void {
    const limit = this.#parts.clock.atMost() - forgetAfter
    for (const agent of this.#agents.values()) if (agent.heardAt < limit) this.forget(agent.id)
    this.#twins.look()
  }

  forget(id: string): boolean {
    const agent = this.#agents.get(id)
    if (agent === undefined) return false
    this.#agents.delete(id)
    for (const [key, one] of this.#at) if (one === agent) this.#at.delete(key)
    this.#kept -= agent.size
    this.#twins.note(id, [])
    this.#tell(id)
    return true
  }

  /** Own addresses may have changed. */
  forgetOwnPlaces(): void {
    this.#own.clear()
  }

  // ---- what agents answer

  async #visitAt(agent: KnownAgent, place: Place): Promise<Missed | undefined> {
    const probe = { place, foundBy: agent.foundAt(place), id: agent.id, isKnown: true }
    const result = await this.#parts.probes.probe(probe, this.#stopper.signal)
    if (this.#stopper.signal.aborted || this.#agents.get(agent.id) !== agent) return undefined
    if (result.kind === 'met') {
      await this.#meet(result, { place, foundBy: 'remembered' }, agent)
      return undefined
    }
    if (isOther(result) && !agent.isTyped(place)) {
      // Somebody else has the address now, and is asked there as anybody.
      agent.drop(place)
      this.#at.delete(showPlace(place))
    }
    return result
  }

  async #meet(met: Answered, hint: Hint, visited?: KnownAgent): Promise<void> {
    const { hello } = met
    if (hello.agent === this.#parts.self().id) {
      this.#own.add(showPlace(hint.place))
      return
    }
    const agent = visited ?? this.#agents.get(hello.agent) ?? this.#make(hello.agent, hello.name, hint.foundBy)
    if (agent === undefined) return
    if (visited === undefined && !agent.add(hint)) return
    this.#at.set(showPlace(hint.place), agent)
    agent.noteAnswer(hint.place, met, this.#parts.clock.wall(), this.#parts.clock.atMost())
    const { key } = hello
    const introduction = { key, name: agent.name, address: showPlace(hint.place) }
    // A store that fails is no reason to do without the manager.
    const remembered = await this.#parts.memory.meet(introduction).catch(() => ({ kind: 'met' as const }))
    if (this.#stopper.signal.aborted || this.#agents.get(agent.id) !== agent) return
    if (remembered.kind === 'met') await this.#askOffers(agent)
    else {
      const { code, detail } = remembered
      this.#keepOffers(agent, { offers: [] })
      this.#setCondition(agent, { state: code === 'peer_key_changed' ? 'wrong_identity' : 'refusing', code, detail })
    }
  }

  async #askOffers(agent: KnownAgent): Promise<void> {
    const answer = await this.#parts.prober.offers(agent, { timeout: probePatience, signal: this.#stopper.signal })
    if (this.#stopper.signal.aborted || this.#agents.get(agent.id) !== agent) return
    if (answer.kind === 'answered') this.#keepOffers(agent, answer.value)
    else if (answer.kind === 'unreachable') this.#noteMissed(agent, [answer])
    else {
      const { code, detail = '' } = answer.problem
      this.#keepOffers(agent, { offers: [] })
      this.#setCondition(agent, { state: code === 'approval_pending' ? 'pending' : 'refusing', code, detail })
    }
  }

  #keepOffers(agent: KnownAgent, { serving = 'open', offers }: Pick<Offers, 'offers'> & Partial<Offers>): void {
    const before = agent.size
    agent.keepOffers({ offers }, Math.min(mostKept, mostKeptOfAll - this.#kept + before))
    this.#kept += agent.size - before
    this.#twins.note(agent.id, agent.offers)
    if (serving === 'open') this.#setCondition(agent, { state: 'reachable', detail: '' })
    else {
      const state = serving === 'approval_pending' ? 'pending' : 'refusing'
      this.#setCondition(agent, { state, code: serving, detail: '' })
    }
  }

  #noteMissed(agent: KnownAgent, failures: readonly (Missed | Unreachable)[]): void {
    const [told] = [...failures].sort((a, b) => telling(b) - telling(a))
    if (told === undefined) return
    const state = isOther(told) ? 'wrong_identity' : told.step === 'version' ? 'other_version' : 'unreachable'
    this.#setCondition(agent, { state, detail: told.detail })
  }

  #setCondition(agent: KnownAgent, condition: Condition): void {
    agent.condition = condition
    this.#tell(agent.id)
  }

  // ---- who is known

  #make(id: string, name: string, foundBy: FoundBy): KnownAgent | undefined {
    const known = this.#agents.get(id)
    if (known !== undefined) return known
    if (this.#isFull(foundBy)) return undefined
    this.#makeRoom()
    const agent = new KnownAgent(id, name, this.#parts.clock.atMost(), Number.POSITIVE_INFINITY)
    this.#agents.set(id, agent)
    return agent
  }

  /** An agent that is meant by its id is listed even if it never answers. */
  #expect(id: string, hint: Hint): KnownAgent | undefined {
    if (id === this.#parts.self().id) return undefined
    const known = this.#agents.get(id)
    // What others name is listed once it has answered.
    const agent = known ?? (hint.foundBy === 'configured' ? this.#make(id, hint.place.host, hint.foundBy) : undefined)
    if (hint.foundBy !== 'configured') return agent
    agent?.add(hint)
    if (agent !== undefined) agent.heardAt = this.#parts.clock.atMost()
    return agent
  }

  /** Places that were typed always find room. */
  #isFull(foundBy: FoundBy): boolean {
    return foundBy !== 'configured' && this.#agents.size >= mostAgents && this.#findSpare() === undefined
  }

  #makeRoom(): void {
    const spare = this.#agents.size >= mostAgents ? this.#findSpare() : undefined
    if (spare !== undefined) this.forget(spare.id)
  }

  /** One that can't be reached, and was not heard of for longest. */
  #findSpare(): KnownAgent | undefined {
    let oldest: KnownAgent | undefined
    for (const agent of this.#agents.values())
      if (agent.condition.state === 'unreachable' && !agent.foundBy.includes('configured'))
        if (oldest === undefined || agent.heardAt < oldest.heardAt) oldest = agent
    return oldest
  }

  #heed(id: string, news: News): void {
    const agent = this.#agents.get(id)
    if (agent === undefined || this.#stopper.signal.aborted) return
    const { state } = agent.condition
    if (news === 'lost' || state === 'unreachable') void this.visit(agent)
    else if (news === 'counts') void this.#askOffers(agent)
  }

  #tell(id: string): void {
    this.#parts.onAgent(id)
    for (const listener of this.#listeners) listener()
  }
}

function isMeant(agent: KnownAgent, { place, id }: { readonly place: Place; readonly id?: string }): boolean {
  return id === undefined ? agent.has(place) : agent.id === id
}

/** Of the product itself, else of the vendor's seats that fit any product. */
function offerOf({ offers }: Pick<KnownAgent, 'offers'>, product: ProductName): Offer | undefined {
  const any = productName(vendorOf(product), '*')
  return offers.find((one) => one.product === product) ?? offers.find((one) => one.product === any)
}

function isOther(failure: Missed | Unreachable): boolean {
  return failure.step === 'identity'
}

/** How much a failure says: who answered as somebody else says more than nobody at another place. */
function telling({ step }: Missed | Unreachable): number {
  return ['name', 'connect', 'answer', 'tls', 'version', 'identity'].indexOf(step)
}
