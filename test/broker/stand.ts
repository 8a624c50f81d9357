/**
 * A broker with everything below it (lessor, writer, a store in memory) and a clock that is moved by hand.
 */
import { createHash } from 'node:crypto'
import { Broker, type BrokerOptions, type OpenedSessionView } from '../../agent/broker.ts'
import type { JournalEntry } from '../../agent/domain/journal.ts'
import type { Supply } from '../../agent/domain/supply.ts'
import type { EndReason, Refusal } from '../../agent/errors.ts'
import { Lessor, type SeatEvent } from '../../agent/lessor.ts'
import { SeatFinder, type SeatFinderOptions } from '../../agent/seat-finder.ts'
import { SessionKeys } from '../../agent/session-keys.ts'
import type { OpenRequest } from '../../agent/session-request.ts'
import type { KeptSessionView } from '../../agent/session-view.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Store } from '../../agent/store/store.ts'
import { Writer } from '../../agent/writer.ts'
import { supply } from '../domain/world.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

export interface StandOptions {
  readonly store?: Store
  readonly clock?: ManualClock
  readonly supplies?: readonly Supply[]
  readonly broker?: Partial<BrokerOptions>
  readonly finder?: Partial<SeatFinderOptions>
  readonly idleLimit?: number
}

export interface Stand {
  readonly broker: Broker
  readonly lessor: Lessor
  readonly writer: Writer
  readonly clock: ManualClock
  readonly store: Store
  readonly events: SeatEvent[]
  open(key: string, more?: Partial<OpenRequest>): ReturnType<Broker['open']>
  /** Opens and expects to get it. */
  get(key: string, more?: Partial<OpenRequest>): Promise<OpenedSessionView>
  beat(session: OpenedSessionView, beat?: Parameters<Broker['heartbeat']>[2]): ReturnType<Broker['heartbeat']>
  keep(session: OpenedSessionView, beat?: Parameters<Broker['heartbeat']>[2]): Promise<KeptSessionView>
  close(session: OpenedSessionView): ReturnType<Broker['close']>
  put(supply: Supply, reason?: EndReason): Promise<void>
  used(supply?: string): number
  journal(type?: string): Promise<JournalEntry[]>
  stop(): Promise<void>
}

let salts = 0

export async function stand(options: StandOptions = {}): Promise<Stand> {
  const clock = options.clock ?? new ManualClock()
  const store = options.store ?? new MemoryStore()
  const writer = new Writer({
    store,
    ballast: { free: async () => undefined, restore: async () => true },
    clock,
    timers: clock,
    instance: 'agent-1',
    salt: () => `salt-${++salts}`,
  })
  const events: SeatEvent[] = []
  const idleLimit = options.idleLimit ?? 720 * 60_000
  const lessor = new Lessor({
    writes: writer,
    clock,
    timers: clock,
    idleLimit: () => idleLimit,
    onEvent: (event) => {
      events.push(event)
      broker.noteSeats(event)
    },
  })
  const self = () => ({ id: 'agent-1', name: 'Agent one' })
  const broker = new Broker({
    lessor,
    finder: new SeatFinder({ lessor, clock, timers: clock, self, ...options.finder }),
    writes: writer,
    clock,
    keys: new SessionKeys((label) => createHash('sha256').update(label).digest()),
    prover: { prove: (grant, nonce) => ({ proof: [grant.binding ?? '', nonce] }) },
    processes: { startOf: () => undefined },
    self,
    settings: () => ({ idleLimit, privacy: 'names' }),
    ...options.broker,
  })
  writer.register(lessor.records)
  writer.participate(lessor.records)
  const supplies = new Map((options.supplies ?? [supply('l1/cad')]).map((one) => [one.id, one]))
  // In the agent the licenses do this.
  writer.register({
    kinds: [],
    reset: () => undefined,
    restore: () => undefined,
    ready: () => lessor.setSupplies(supplies.values()),
  })
  await writer.open()
  lessor.start()

  const open: Stand['open'] = (key, more = {}) =>
    broker.open({
      idempotencyKey: key,
      address: '127.0.0.1',
      product: 'acme/cad',
      seats: 1,
      activity: 'heartbeat',
      ...more,
    })
  return {
    broker,
    lessor,
    writer,
    clock,
    store,
    events,
    open,
    async get(key, more) {
      const outcome = await open(key, more)
      if (outcome.kind !== 'opened') throw new Error(`${key}: ${outcome.code}: ${outcome.detail}`)
      return outcome.session
    },
    beat: (session, beat = {}) => broker.heartbeat(session.id, session.key, beat),
    async keep(session, beat = {}) {
      const outcome = await broker.heartbeat(session.id, session.key, beat)
      if (outcome.kind !== 'kept') throw new Error(`${outcome.code}: ${outcome.detail}`)
      return outcome.session
    },
    close: (session) => broker.close(session.id, session.key),
    put: (one, reason = 'license_removed') => {
      supplies.set(one.id, one)
      return writer.submit((transaction) => lessor.putSupply(transaction, one, reason))
    },
    used: (id = 'l1/cad') => lessor.view.used(id),
    async journal(type) {
      const entries: JournalEntry[] = []
      for await (const entry of store.journal({ limit: 100_000, order: 'oldest-first' }))
        if (type === undefined || entry.type === type) entries.push(entry)
      return entries
    },
    async stop() {
      broker.stop()
      lessor.stop()
      await writer.close()
    },
  }
}

/** The code of a refusal, or what it was instead. */
export function codeOf(outcome: { readonly kind: string } | Refusal): string {
  return 'code' in outcome ? outcome.code : outcome.kind
}

/** Its state at this moment, without waiting for it. */
export async function peek<T>(promise: Promise<T>): Promise<T | 'pending'> {
  const pending = Symbol('pending')
  const late = new Promise<typeof pending>((resolve) => setImmediate(() => resolve(pending)))
  const first = await Promise.race([promise, late])
  return first === pending ? 'pending' : first
}
