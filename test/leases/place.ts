/**
 * An agent that leases from managers: the real writer, lessor, leases, finder and broker over a store in memory, on a clock that is
 * moved by hand, with fake managers around it. It can crash at any moment and start again.
 */
import { createHash } from 'node:crypto'
import { Broker, type BrokerOptions, type OpenedSessionView } from '../../agent/broker.ts'
import type { ProductName } from '../../agent/domain/product-name.ts'
import type { Supply } from '../../agent/domain/supply.ts'
import type { RemoteSettings } from '../../agent/lease-search.ts'
import { LeaseSeats } from '../../agent/lease-seats.ts'
import { Leases } from '../../agent/leases.ts'
import { Lessor, type SeatEvent } from '../../agent/lessor.ts'
import type { KnownManagers, LostManager, ManagerLink, Offering } from '../../agent/peers/manager-link.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import { SessionKeys } from '../../agent/session-keys.ts'
import type { OpenRequest } from '../../agent/session-request.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { Writer } from '../../agent/writer.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FailingStore } from '../store/failing-store.ts'
import { FakeManager, type FakeManagerOptions } from './fake-manager.ts'

export const second = 1000
export const self = { id: 'agent-1', name: 'Agent one' }

/** The managers that there are, as a directory would know them. */
export class FakeNetwork implements KnownManagers {
  readonly managers: FakeManager[]
  /** Ids that the directory knows to be out of reach. */
  readonly lostIds = new Set<string>()
  readonly #listeners = new Set<() => void>()
  settling: Promise<void> = Promise.resolve()

  constructor(managers: readonly FakeManager[]) {
    this.managers = [...managers]
  }

  offering(product: ProductName): readonly Offering[] {
    if (product !== 'acme/cad') return []
    return this.managers.filter(({ id }) => !this.lostIds.has(id)).map((link) => ({ link, offer: link.offer }))
  }

  productsNamed(product: string): readonly ProductName[] {
    return product === 'cad' && this.offering('acme/cad').length > 0 ? ['acme/cad'] : []
  }

  lost(product: ProductName): readonly LostManager[] {
    if (product !== 'acme/cad') return []
    return this.managers
      .filter(({ id }) => this.lostIds.has(id))
      .map(({ id, name }) => ({ id, name, detail: 'It does not answer.' }))
  }

  link(id: string): ManagerLink | undefined {
    return this.managers.find((one) => one.id === id)
  }

  isAt(id: string, address: string): boolean {
    return id === address
  }

  settled(): Promise<void> {
    return this.settling
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  change(): void {
    for (const listener of this.#listeners) listener()
  }
}

export interface PlaceOptions {
  readonly supplies?: readonly Supply[]
  readonly broker?: Partial<BrokerOptions>
}

export class Place {
  readonly clock: ManualClock
  readonly store = new FailingStore(new MemoryStore())
  readonly network: FakeNetwork
  readonly #options: PlaceOptions
  settings = { allowed: true, lingerSeconds: 300, mode: 'both' as 'both' | 'local' | 'network', manager: '' }
  readonly troubles: string[] = []
  readonly events: SeatEvent[] = []
  #ids = 0
  writer!: Writer
  lessor!: Lessor
  leases!: Leases
  remote!: LeaseSeats
  finder!: SeatFinder
  broker!: Broker

  private constructor(clock: ManualClock, managers: readonly FakeManager[], options: PlaceOptions) {
    this.clock = clock
    this.network = new FakeNetwork(managers)
    this.#options = options
  }

  static async start(clock: ManualClock, managers: readonly FakeManager[], options: PlaceOptions = {}): Promise<Place> {
    const place = new Place(clock, managers, options)
    await place.begin()
    return place
  }

  /** A process begins. */
  async begin(): Promise<void> {
    const { clock, store, network } = this
    const timers = clock
    this.writer = new Writer({
      store,
      ballast: { free: async () => undefined, restore: async () => true },
      clock,
      timers,
      instance: self.id,
      salt: () => 'salt',
    })
    const writes = this.writer
    this.lessor = new Lessor({
      writes,
      clock,
      timers,
      idleLimit: () => 720 * 60_000,
      onEvent: (event) => {
        this.events.push(event)
        this.broker.noteSeats(event)
      },
    })
    const { lessor } = this
    this.leases = new Leases({ lessor, writes, clock, instance: self.id })
    const { leases } = this
    this.remote = new LeaseSeats({
      leases,
      known: network,
      writes,
      clock,
      timers,
      self: () => self,
      settings: () => this.#remoteSettings(),
      randomId: () => `lease-${String(++this.#ids).padStart(16, '0')}`,
      random: () => 0.5,
      onTrouble: (what, error) => this.troubles.push(`${what}: ${String(error)}`),
    })
    const { remote } = this
    this.finder = new SeatFinder({ lessor, clock, timers, self: () => self, remote })
    this.broker = new Broker({
      lessor,
      finder: this.finder,
      remote,
      writes,
      clock,
      keys: new SessionKeys((label) => createHash('sha256').update(label).digest()),
      prover: { prove: (grant, nonce) => ({ proof: [grant.binding ?? '', nonce] }) },
      processes: { startOf: () => undefined },
      self: () => self,
      settings: () => ({ idleLimit: 720 * 60_000, privacy: 'names' }),
      ...this.#options.broker,
    })
    writes.register(lessor.records)
    writes.participate(lessor.records)
    writes.register({
      kinds: ['license'],
      reset: () => undefined,
      restore: () => undefined,
      ready: () => lessor.setSupplies(this.#options.supplies ?? []),
    })
    writes.register(leases)
    await writes.open()
    lessor.start()
    remote.start()
  }

  /** The process is gone in the middle of whatever it does; another begins, in the same boot or after one. */
  async restart(how: 'crash' | 'reboot' = 'crash'): Promise<void> {
    for (const manager of this.network.managers) manager.followers.clear()
    if (how === 'crash') this.clock.restart()
    else this.clock.reboot()
    await this.store.close()
    await this.begin()
  }

  open(key: string, more: Partial<OpenRequest> = {}): ReturnType<Broker['open']> {
    return this.broker.open({
      idempotencyKey: key,
      address: '127.0.0.1',
      product: 'acme/cad',
      seats: 1,
      activity: 'heartbeat',
      ...more,
    })
  }

  /** Opens and expects to get it. */
  async get(key: string, more?: Partial<OpenRequest>): Promise<OpenedSessionView> {
    const outcome = await this.open(key, more)
    if (outcome.kind !== 'opened') throw new Error(`${key}: ${outcome.code}: ${outcome.detail}`)
    return outcome.session
  }

  beat(session: OpenedSessionView): ReturnType<Broker['heartbeat']> {
    return this.broker.heartbeat(session.id, session.key, {})
  }

  async close(session: OpenedSessionView): Promise<void> {
    const outcome = await this.broker.close(session.id, session.key)
    if (outcome.kind !== 'closed') throw new Error(outcome.detail)
  }

  /** State of every record, in order of their ids. */
  states(): string[] {
    return [...this.leases.list()].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ state }) => state)
  }

  /** Ids of leases that are held. */
  held(): string[] {
    return [...this.leases.list()].filter((one) => one.state === 'held').map(({ id }) => id)
  }

  async journal(type: string): Promise<Readonly<Record<string, unknown>>[]> {
    const facts: Readonly<Record<string, unknown>>[] = []
    for await (const entry of this.store.journal({ limit: 10_000, order: 'oldest-first' }))
      if (entry.type === type) facts.push(entry.facts)
    return facts
  }

  #remoteSettings(): RemoteSettings {
    const { allowed, lingerSeconds, mode, manager } = this.settings
    return { allowed, lingerSeconds, forProduct: () => ({ mode, manager }) }
  }
}

/** A place among managers `manager-1`, `manager-2` and so on. */
export async function placeWith(managers: readonly FakeManagerOptions[], options: PlaceOptions = {}) {
  const clock = new ManualClock()
  const fakes = managers.map((one, index) => new FakeManager(clock, { id: `manager-${index + 1}`, ...one }))
  const place = await Place.start(clock, fakes, options)
  const manager = (number: number): FakeManager => {
    const found = fakes[number - 1]
    if (!found) throw new Error(`there is no manager ${number}`)
    return found
  }
  return { clock, place, manager }
}

/** Lets promises go on until none can. */
export async function turn(times = 5): Promise<void> {
  for (let count = 0; count < times; count++) await new Promise((resolve) => setImmediate(resolve))
}

/** What an opening or heartbeat came to: its kind, or the code of the refusal. */
export function codeOf(outcome: { readonly kind: string; readonly code?: string }): string {
  return outcome.code ?? outcome.kind
}
