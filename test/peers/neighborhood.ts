/**
 * A network of other agents in memory, on a clock that tests move: who answers where, with what, after how long; and a
 * directory with its search in the middle of it.
 */
import { createHash } from 'node:crypto'
import { parseSearchParameters, type SearchParameter } from '../../agent/config/search-parameters.ts'
import type { PublicJwk } from '../../agent/domain/documents/keys.ts'
import { type Place, showPlace } from '../../agent/domain/place.ts'
import { Health } from '../../agent/health.ts'
import { Directory } from '../../agent/peers/directory.ts'
import { ConfiguredFinder } from '../../agent/peers/finders/configured.ts'
import type { Finder, Hint, Look } from '../../agent/peers/finders/finder.ts'
import { GossipFinder } from '../../agent/peers/finders/gossip.ts'
import { SweepFinder } from '../../agent/peers/finders/sweep.ts'
import type { ManagerLink, Refused, Unreachable } from '../../agent/peers/manager-link.ts'
import type { PeerMemory, RememberedPeer } from '../../agent/peers/peer-memory.ts'
import type { Adapter, KnownPeer, Network, PeerAnswer, ProbeResult, Prober } from '../../agent/peers/prober.ts'
import { Probes } from '../../agent/peers/probes.ts'
import { Search } from '../../agent/peers/search.ts'
import type { Offer, Offers, PeerEvent, Peers } from '../../agent/peers/wire.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const ids = new Map<string, string>()

/** An agent's id that belongs to a name. */
export function idOf(name: string): string {
  const id = ids.get(name) ?? createHash('sha256').update(name).digest('base64url')
  ids.set(name, id)
  return id
}

export function makeOffer(changes: Partial<Offer> = {}): Offer {
  return {
    product: 'acme/cad',
    vendorKey: idOf('acme'),
    features: [],
    seats: 5,
    used: 0,
    detached: 0,
    notDetachable: 0,
    detachable: 5,
    maxDetachDays: 14,
    anySeats: 0,
    anyUsed: 0,
    rule: 'session',
    waiting: 0,
    licenses: [],
    chain: [],
    ...changes,
  }
}

export interface Neighbor {
  readonly name: string
  readonly places: string[]
  /** ms until it answers. */
  delay: number
  offers: Offer[]
  serving: Offers['serving']
  peers: Peers['peers']
  failure?: Pick<Unreachable, 'step' | 'detail'>
  refused?: Refused
  /** ms by which its clock is ahead. */
  ahead: number
  asked: number
}

export class FakeMemory implements PeerMemory {
  readonly peers = new Map<string, RememberedPeer>()
  /** Ids of agents whose name is known with another key. */
  readonly strangers = new Set<string>()
  #wall: () => number

  constructor(wall: () => number) {
    this.#wall = wall
  }

  list(): readonly RememberedPeer[] {
    return [...this.peers.values()]
  }

  get(id: string): RememberedPeer | undefined {
    return this.peers.get(id)
  }

  async meet({ key, name, address }: { key: PublicJwk; name: string; address: string }) {
    const id = key.x
    if (this.strangers.has(id))
      return { kind: 'refused' as const, code: 'peer_key_changed' as const, detail: `${name} had another key.` }
    const { approval = 'known', firstSeen = this.#wall(), addresses = [] } = this.peers.get(id) ?? {}
    const peer = {
      id,
      name,
      approval,
      firstSeen,
      lastSeen: this.#wall(),
      addresses: [address, ...addresses.filter((one) => one !== address)],
    }
    this.peers.set(id, peer)
    return { kind: 'met' as const, peer }
  }

  async approve(id: string) {
    const peer = this.peers.get(id)
    if (peer === undefined) return { kind: 'refused' as const, code: 'unknown_peer' as const, detail: 'unknown' }
    this.peers.set(id, { ...peer, approval: 'approved' })
    return { kind: 'met' as const, peer }
  }

  async forget(id: string) {
    return this.peers.delete(id)
      ? { kind: 'forgotten' as const }
      : { kind: 'refused' as const, code: 'unknown_peer' as const, detail: 'unknown' }
  }
}

export class FakeLink implements ManagerLink {
  readonly peer: KnownPeer
  listener: { onEvent: (event: PeerEvent) => void; onUp: () => void } | undefined
  reply: Unreachable | { kind: 'acknowledged' } = { kind: 'acknowledged' }

  constructor(peer: KnownPeer) {
    this.peer = peer
  }

  get id(): string {
    return this.peer.id
  }

  get name(): string {
    return this.peer.name
  }

  ask = async () => ({ kind: 'queued' as const, position: 1, waiting: 1, retryIn: 5 })
  renew = async () => ({ kind: 'answered' as const, answer: { roots: {}, results: [], news: [] } })
  release = async () => this.reply
  follow = (listener: { onEvent: (event: PeerEvent) => void; onUp: () => void }) => {
    this.listener = listener
    return () => {
      this.listener = undefined
    }
  }
}

/** A finder whose hints tests give by hand. */
export class HandFinder implements Finder {
  readonly foundBy = 'broadcast'
  readonly every = 30_000
  on = true
  hints: Hint[] = []
  look: Look | undefined
  rests = 0

  isOn(): boolean {
    return this.on
  }

  async find(look: Look): Promise<void> {
    this.look = look
    for (const hint of this.hints) look.hint(hint)
  }

  rest(): void {
    this.rests += 1
  }
}

export class Neighborhood implements Prober, Network {
  readonly clock = new ManualClock()
  readonly health = new Health(this.clock)
  readonly memory = new FakeMemory(() => this.clock.wall())
  readonly neighbors: Neighbor[] = []
  readonly links: FakeLink[] = []
  readonly self = idOf('self')
  readonly hand = new HandFinder()
  readonly probed: string[] = []
  readonly knocked: string[] = []
  readonly changed: string[] = []
  readonly events: Record<string, unknown>[] = []
  readonly names = new Map<string, readonly string[]>()
  adapterList: Adapter[] = []
  allowed = true
  aggressive = false
  lines: string[] = []
  pinned: string | undefined
  ownLicenses: string[] = []
  running = 0
  most = 0
  readonly probes: Probes
  readonly directory: Directory
  readonly search: Search

  constructor() {
    const self = () => ({ id: this.self, name: 'self' })
    this.probes = new Probes({ prober: this, timers: this.clock })
    this.directory = new Directory({
      self,
      probes: this.probes,
      prober: this,
      clock: this.clock,
      timers: this.clock,
      memory: this.memory,
      linkTo: (peer) => {
        const link = new FakeLink(peer)
        this.links.push(link)
        return link
      },
      isAllowed: () => this.allowed,
      managerOf: () => {
        const [parameter] = this.#parse(this.pinned === undefined ? [] : [this.pinned])
        return parameter?.kind === 'place' ? parameter : undefined
      },
      health: this.health,
      ownLicenses: () => this.ownLicenses,
      onAgent: (id) => this.changed.push(id),
    })
    const parameters = () => this.#parse(this.lines)
    const aggressive = () => this.aggressive
    const gossip = new GossipFinder({
      prober: this,
      clock: this.clock,
      aggressive,
      sources: () => [...this.directory.agents].map((peer) => ({ peer, hops: peer.hops })),
      isKnown: (id) => id === this.self || this.directory.find(id)?.condition.state === 'reachable',
    })
    let searches = 0
    this.search = new Search({
      directory: this.directory,
      finders: [
        new ConfiguredFinder(parameters),
        this.hand,
        gossip,
        new SweepFinder({ network: this, parameters, aggressive }),
      ],
      gossip,
      probes: this.probes,
      clock: this.clock,
      timers: this.clock,
      self: this.self,
      newId: () => `search-${++searches}`,
      isAllowed: () => this.allowed,
      onStep: (search, step) => this.events.push({ ...step, search, at: this.clock.atLeast() }),
      onState: (state) => this.events.push({ ...state, at: this.clock.atLeast() }),
    })
  }

  add(name: string, place: string, changes: Partial<Neighbor> = {}): Neighbor {
    const neighbor: Neighbor = {
      name,
      places: [place],
      delay: 2,
      offers: [makeOffer()],
      serving: 'open',
      peers: [],
      ahead: 0,
      asked: 0,
      ...changes,
    }
    this.neighbors.push(neighbor)
    return neighbor
  }

  /** What the directory says of an agent by its name. */
  of(name: string) {
    return this.directory.find(idOf(name))
  }

  stateOf(name: string): string | undefined {
    return this.of(name)?.condition.state
  }

  hint(place: string, changes: Partial<Hint> = {}): Hint {
    const [parameter] = this.#parse([place])
    if (parameter?.kind !== 'place') throw new Error(`${place} is no place`)
    return { place: parameter.place, foundBy: 'broadcast', ...changes }
  }

  // ---- Prober

  async probe(place: Place, expectedId: string | undefined, signal: AbortSignal): Promise<ProbeResult> {
    const key = showPlace(place)
    this.probed.push(key)
    this.running += 1
    this.most = Math.max(this.most, this.running)
    const neighbor = this.#at(key)
    await this.#pass(neighbor?.delay ?? Number.POSITIVE_INFINITY, signal)
    this.running -= 1
    const missed = (step: Unreachable['step'], detail: string): ProbeResult => ({
      kind: 'unreachable',
      unsent: true,
      step,
      detail,
      steps: [],
    })
    if (neighbor === undefined) return missed('connect', `${key}: no answer.`)
    const id = idOf(neighbor.name)
    if (neighbor.failure !== undefined) return missed(neighbor.failure.step, neighbor.failure.detail)
    if (expectedId !== undefined && expectedId !== id) return missed('identity', `${key}: another agent answers.`)
    return {
      kind: 'met',
      hello: {
        agent: id,
        key: { kty: 'OKP', crv: 'Ed25519', x: id },
        name: neighbor.name,
        version: '0.1.0',
        versions: [1],
        startId: 'start-0001',
        startCounter: 1,
        time: this.clock.wall() + neighbor.ahead,
        statement: '',
      },
      version: 1,
      latency: neighbor.delay,
      clockDifference: neighbor.ahead,
      steps: [{ step: 'tls', outcome: 'done', ms: 1, detail: 'TLS' }],
    }
  }

  async offers(peer: KnownPeer): Promise<PeerAnswer<Offers>> {
    const neighbor = this.#of(peer)
    if (neighbor === undefined) return { kind: 'unreachable', unsent: true, step: 'connect', detail: 'gone' }
    neighbor.asked += 1
    if (neighbor.refused !== undefined) return neighbor.refused
    return { kind: 'answered', value: { instance: peer.id, serving: neighbor.serving, offers: neighbor.offers } }
  }

  async peers(peer: KnownPeer): Promise<PeerAnswer<Peers>> {
    const neighbor = this.#of(peer)
    if (neighbor === undefined) return { kind: 'unreachable', unsent: true, step: 'connect', detail: 'gone' }
    return { kind: 'answered', value: { peers: neighbor.peers } }
  }

  // ---- Network

  async knock(place: Place, ms: number, signal: AbortSignal) {
    const key = showPlace(place)
    this.knocked.push(key)
    this.running += 1
    this.most = Math.max(this.most, this.running)
    const isThere = this.#at(key) !== undefined
    if (!isThere) await this.#pass(ms, signal)
    this.running -= 1
    return isThere
      ? ({ kind: 'open' } as const)
      : ({ kind: 'silent', detail: `no answer within ${ms / 1000} s` } as const)
  }

  async resolve(host: string) {
    const addresses = this.names.get(host) ?? (/^[\d.]+$|:/.test(host) ? [host] : undefined)
    return addresses === undefined
      ? ({ kind: 'unknown', detail: 'no such name is known' } as const)
      : ({ kind: 'resolved', addresses } as const)
  }

  adapters(): readonly Adapter[] {
    return this.adapterList
  }

  #at(key: string): Neighbor | undefined {
    const port = key.slice(key.lastIndexOf(':'))
    const [address = key] = this.names.get(key.slice(0, -port.length)) ?? []
    return this.neighbors.find(({ places }) => places.includes(key) || places.includes(`${address}${port}`))
  }

  #of(peer: KnownPeer): Neighbor | undefined {
    return this.neighbors.find(({ name, places }) => idOf(name) === peer.id && places.length > 0)
  }

  #pass(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = Number.isFinite(ms) ? this.clock.after(ms, resolve) : () => {}
      signal.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }

  #parse(lines: readonly string[]): readonly SearchParameter[] {
    const parsed = parseSearchParameters(lines)
    if (parsed.kind === 'wrong') throw new Error(JSON.stringify(parsed.problems))
    return parsed.parameters
  }
}
