/**
 * An agent that keeps seats in advance: the real writer, lessor, leases, keeper, reserves and sites over a store in memory, on a clock
 * that is moved by hand, with fake managers around it. It can crash at any moment and start again.
 */
import { type ConnectedSites, connectSites, type SiteOwners } from '../../agent/agent-sites.ts'
import type { Supply } from '../../agent/domain/supply.ts'
import { LeaseSeats } from '../../agent/lease-seats.ts'
import { Leases } from '../../agent/leases.ts'
import { Lessor, type SeatEvent } from '../../agent/lessor.ts'
import { ManagersAndSelf, OwnSeats } from '../../agent/reserve-own.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import type { ServingState } from '../../agent/serving.ts'
import type { RecycleSchedule } from '../../agent/site-book.ts'
import type { Calendar } from '../../agent/site-schedules.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Store } from '../../agent/store/store.ts'
import { Writer } from '../../agent/writer.ts'
import { supply } from '../domain/world.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FakeManager, type FakeManagerOptions } from '../leases/fake-manager.ts'
import { FakeNetwork, self } from '../leases/place.ts'
import { FailingStore } from '../store/failing-store.ts'

/** Seats of an own license. */
export function own(id: string, more: Partial<Supply> = {}): Supply {
  return supply(id, { vendorKey: 'key of acme', ...more })
}

/** The store as one process sees it: with the process its calls end, and what it still does reaches nothing. */
class OwnStore implements Store {
  readonly #store: Store
  isOver = false

  constructor(store: Store) {
    this.#store = store
  }

  open(): ReturnType<Store['open']> {
    return this.#alive(() => this.#store.open())
  }

  load(): ReturnType<Store['load']> {
    return this.#store.load()
  }

  commit(...given: Parameters<Store['commit']>): ReturnType<Store['commit']> {
    return this.#alive(() => this.#store.commit(...given))
  }

  journal(...given: Parameters<Store['journal']>): ReturnType<Store['journal']> {
    return this.#store.journal(...given)
  }

  close(): Promise<void> {
    return this.#alive(() => this.#store.close())
  }

  #alive<T>(call: () => Promise<T>): Promise<T> {
    return this.isOver ? new Promise(() => undefined) : call()
  }
}

/** Due when the test says so. */
export class HandCalendar implements Calendar {
  readonly tasks = new Map<string, () => void>()

  check({ cron }: RecycleSchedule): ReturnType<Calendar['check']> {
    return cron.split(' ').length === 5 ? undefined : { field: 'cron', message: 'must be five fields' }
  }

  next(): number {
    return Date.UTC(2027, 0, 5, 4, 30)
  }

  run({ cron, zone }: RecycleSchedule, task: () => void): () => void {
    const name = `${cron} ${zone}`
    this.tasks.set(name, task)
    return () => void this.tasks.delete(name)
  }
}

export class Stand {
  readonly clock = new ManualClock()
  readonly store = new FailingStore(new MemoryStore())
  readonly calendar = new HandCalendar()
  readonly network: FakeNetwork
  readonly troubles: string[] = []
  readonly warnings: string[] = []
  readonly settings = { allowed: true, lingerSeconds: 0, mode: 'both' as 'both' | 'local' | 'network' }
  supplies: readonly Supply[]
  serving: ServingState = 'open'
  denied: string[] = []
  #ids = 0
  #own: OwnStore | undefined
  writer!: Writer
  lessor!: Lessor
  leases!: Leases
  remote!: LeaseSeats
  finder!: SeatFinder
  kept!: ConnectedSites

  private constructor(supplies: readonly Supply[], managers: readonly FakeManagerOptions[]) {
    this.supplies = supplies
    this.network = new FakeNetwork(
      managers.map((one, index) => new FakeManager(this.clock, { id: `manager-${index + 1}`, ...one })),
    )
  }

  static async start(supplies: readonly Supply[], managers: readonly FakeManagerOptions[] = []): Promise<Stand> {
    const stand = new Stand(supplies, managers)
    await stand.begin()
    return stand
  }

  async begin(): Promise<void> {
    const { clock, network } = this
    const store = new OwnStore(this.store)
    this.#own = store
    const timers = clock
    const trouble = (what: string, error?: unknown): number => this.troubles.push(`${what}: ${String(error)}`)
    const writes = new Writer({
      store,
      ballast: { free: async () => undefined, restore: async () => true },
      clock,
      timers,
      instance: self.id,
      salt: () => 'salt',
    })
    this.writer = writes
    const noteSeats = (event: SeatEvent): void => {
      this.finder.noteSeats(event)
      this.kept.noteSeats(event)
    }
    const lessor = new Lessor({ writes, clock, timers, idleLimit: () => 720 * 60_000, onEvent: noteSeats })
    this.lessor = lessor
    this.leases = new Leases({ lessor, writes, clock, instance: self.id })
    const own = new OwnSeats({
      lessor,
      clock,
      timers,
      self: () => self,
      serving: () => this.serving,
    })
    const { allowed, lingerSeconds } = this.settings
    const randomId = (): string => `lease-${String(++this.#ids).padStart(16, '0')}`
    this.remote = new LeaseSeats({
      leases: this.leases,
      known: new ManagersAndSelf(network, () => own),
      writes,
      clock,
      timers,
      self: () => self,
      settings: () => ({
        allowed,
        lingerSeconds,
        forProduct: () => ({ mode: this.settings.mode, manager: '' }),
      }),
      randomId,
      random: () => 0.5,
      onTrouble: trouble,
    })
    this.finder = new SeatFinder({ lessor, clock, timers, self: () => self, remote: this.remote })
    this.kept = connectSites({
      lessor,
      remote: this.remote,
      own,
      writes,
      clock,
      timers,
      self: () => self,
      randomId,
      rules: ({ who }) =>
        this.denied.includes(who.email ?? '')
          ? { kind: 'denied', code: 'denied_by_rule', rule: `deny=${who.email}`, detail: 'Line 1 refuses it.' }
          : { kind: 'allowed' },
      isInDoubt: (session) => this.finder.isInDoubt(session),
      log: {
        warn: (what) => this.warnings.push(what),
        error: (what, facts) => trouble(what, facts?.error),
      },
      calendar: this.calendar,
    })
    writes.register({
      kinds: ['license'],
      reset: () => undefined,
      restore: () => undefined,
      ready: () => lessor.setSupplies(this.supplies),
    })
    for (const owner of [this.leases, lessor.records, this.kept.reserves, this.kept.book]) writes.register(owner)
    writes.participate(lessor.records)
    await writes.open()
    lessor.start()
    this.remote.start()
    this.kept.start()
  }

  /** The process is gone in the middle of whatever it does; another begins, in the same boot or after one. */
  async restart(how: 'crash' | 'reboot' = 'crash'): Promise<void> {
    for (const manager of this.network.managers) manager.followers.clear()
    this.calendar.tasks.clear()
    if (this.#own) this.#own.isOver = true
    if (how === 'crash') this.clock.restart()
    else this.clock.reboot()
    await this.store.close()
    await this.begin()
  }

  manager(number = 1): FakeManager {
    const found = this.network.managers[number - 1]
    if (!found) throw new Error(`there is no manager ${number}`)
    return found
  }

  get owners(): SiteOwners {
    return {
      ...this.kept,
      lessor: this.lessor,
      leases: this.leases,
      isReachable: (id) => this.network.managers.every((one) => one.id !== id || one.isUp),
      wall: () => this.clock.wall(),
    }
  }

  async journal(type: string): Promise<Readonly<Record<string, unknown>>[]> {
    const facts: Readonly<Record<string, unknown>>[] = []
    for await (const entry of this.store.journal({ limit: 10_000, order: 'oldest-first' }))
      if (entry.type === type) facts.push(entry.facts)
    return facts
  }

  /** Seats of the own licenses that are given out. */
  used(supply = 'l1/cad'): number {
    return this.lessor.view.used(supply)
  }

  /** The clock runs until something is so; the time it may take is time of the clock. */
  async until(what: string, isSo: () => boolean, most = 60_000): Promise<void> {
    for (let passed = 0; !isSo(); passed += 500) {
      if (passed > most) throw new Error(`not so after ${most} ms: ${what}; ${this.troubles.join('; ')}`)
      await this.clock.run(500)
    }
  }
}
