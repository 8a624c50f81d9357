/**
 * A manager's desk with everything below it (lessor, writer, a store in memory, one line for all) and a clock that is moved by
 * hand. Seats are looked for here only.
 */
import type { SessionCommand } from '../../agent/domain/seats.ts'
import type { Supply } from '../../agent/domain/supply.ts'
import type { EndReason, Refusal } from '../../agent/errors.ts'
import { Lessor, type SeatEvent } from '../../agent/lessor.ts'
import { type LeaseAnswer, LeaseDesk, type LeaseDeskOptions } from '../../agent/peers/lease-desk.ts'
import type { PeerCaller } from '../../agent/peers/lease-desk-ask.ts'
import { type LeaseGuardOptions, LeaseGuards } from '../../agent/peers/lease-desk-guards.ts'
import type { LeaseFinder } from '../../agent/peers/lease-desk-line.ts'
import {
  type LeaseAsk,
  type LeaseGrant,
  type PeerEvent,
  type PeerProblem,
  peerProblemSchema,
  type RenewalsAnswer,
} from '../../agent/peers/wire.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { Writer } from '../../agent/writer.ts'
import { supply } from '../domain/world.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FailingStore } from '../store/failing-store.ts'

/** An agent's id: 32 bytes in base64url. */
export function agentId(letter: string): string {
  return `${letter.repeat(42)}A`
}

export const self = agentId('M')
export const vendorKey = agentId('V')

export function peer(letter: string, more: Partial<PeerCaller> = {}): PeerCaller {
  return { id: agentId(letter), name: `WS-${letter}`, address: '192.0.2.7', ...more }
}

/** The id that a peer gives a lease. */
export function leaseId(name: string): string {
  return name.padEnd(16, '-')
}

export function pool(seats: number, more: Partial<Supply> = {}): Supply {
  return supply('l1/cad', { seats, vendorKey, instance: self, ...more })
}

export interface DeskStandOptions {
  readonly supplies?: readonly Supply[]
  readonly guards?: Partial<LeaseGuardOptions>
  readonly desk?: Partial<LeaseDeskOptions>
  /** In place of the line of this stand. */
  readonly finder?: (finder: LeaseFinder) => LeaseFinder
}

export interface DeskStand {
  readonly desk: LeaseDesk
  readonly lessor: Lessor
  readonly writer: Writer
  readonly store: FailingStore
  readonly clock: ManualClock
  readonly events: SeatEvent[]
  readonly outcomes: ('granted' | Refusal)[]
  ask(from: PeerCaller, id: string, more?: Partial<LeaseAsk>): Promise<LeaseAnswer>
  /** Asks and expects to get it. */
  get(from: PeerCaller, id: string, more?: Partial<LeaseAsk>): Promise<LeaseGrant>
  renew(from: PeerCaller, ...ids: readonly string[]): Promise<RenewalsAnswer['results']>
  release(from: PeerCaller, id: string): ReturnType<LeaseDesk['release']>
  /** Opens a stream; what is heard on it. */
  listen(from: PeerCaller): { readonly heard: PeerEvent[]; readonly over: () => boolean; close(): void }
  /** A session of this machine. @param more `wait` in ms */
  session(
    id: string,
    more?: Partial<SessionCommand> & { readonly wait?: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly kind: string }>
  put(one: Supply, reason?: EndReason): Promise<void>
  used(id?: string): number
}

export function askOf(from: PeerCaller, more: Partial<LeaseAsk> = {}): LeaseAsk {
  return {
    product: 'acme/cad',
    seats: 1,
    purpose: 'session',
    agent: from.id,
    who: { account: 'ana' },
    machine: from.name,
    chain: [from.id],
    ...more,
  }
}

let salts = 0

export async function deskStand(options: DeskStandOptions = {}): Promise<DeskStand> {
  const clock = new ManualClock()
  const store = new FailingStore(new MemoryStore())
  const writer = new Writer({
    store,
    ballast: { free: async () => undefined, restore: async () => true },
    clock,
    timers: clock,
    instance: self,
    salt: () => `salt-${++salts}`,
  })
  const events: SeatEvent[] = []
  const outcomes: DeskStand['outcomes'] = []
  const lessor = new Lessor({
    writes: writer,
    clock,
    timers: clock,
    idleLimit: () => 720 * 60_000,
    onEvent: (event) => {
      events.push(event)
      finder.noteSeats(event)
      desk.noteSeats(event)
    },
  })
  const finder = new SeatFinder({
    lessor,
    clock,
    timers: clock,
    self: () => ({ id: self }),
    onLine: (product) => desk.noteLine(product),
  })
  const desk = new LeaseDesk({
    lessor,
    finder: options.finder?.(finder) ?? finder,
    guards: new LeaseGuards({
      access: () => 'rules',
      approvalOf: () => 'known',
      rules: { machine: () => ({ kind: 'allowed' }), user: () => ({ kind: 'allowed' }) },
      serving: { refusal: () => undefined },
      isRestored: () => false,
      seatsPerAgent: () => 0,
      ...options.guards,
    }),
    upstream: { renewFirst: async () => undefined, isInDoubt: () => false },
    clock,
    timers: clock,
    self,
    linksOf: async () => undefined,
    explain: () => undefined,
    licenseFacts: () => ({ model: 'perpetual' }),
    relayed: () => [],
    onOutcome: (_peer, _ask, outcome) => outcomes.push(outcome),
    ...options.desk,
  })
  writer.register(lessor.records)
  writer.participate(lessor.records)
  const supplies = new Map((options.supplies ?? [pool(1)]).map((one) => [one.id, one]))
  writer.register({
    kinds: [],
    reset: () => undefined,
    restore: () => undefined,
    ready: () => lessor.setSupplies(supplies.values()),
  })
  await writer.open()
  lessor.start()

  const ask: DeskStand['ask'] = (from, id, more = {}) => desk.ask(from, leaseId(id), askOf(from, more))
  return {
    desk,
    lessor,
    writer,
    store,
    clock,
    events,
    outcomes,
    ask,
    async get(from, id, more) {
      const answer = await ask(from, id, more)
      if (answer.kind !== 'granted') throw new Error(`${id}: ${JSON.stringify(answer)}`)
      return answer.lease
    },
    async renew(from, ...ids) {
      const answer = await desk.renew(from, { leases: ids.map(leaseId) })
      if (answer.kind !== 'answered') throw new Error(JSON.stringify(answer))
      return answer.results
    },
    release: (from, id) => desk.release(from, leaseId(id)),
    listen(from) {
      const heard: PeerEvent[] = []
      let isOver = false
      const close = desk.events(from, {
        onEvent: (event) => heard.push(event),
        onReplaced: () => {
          isOver = true
        },
      })
      return { heard, over: () => isOver, close }
    },
    session: async (id, { wait = 0, signal, ...more } = {}) => {
      const command = {
        id,
        instance: self,
        holder: self,
        product: 'acme/cad' as const,
        seats: 1,
        who: { account: id },
        body: 'body',
        activity: 'heartbeat' as const,
        waited: false,
        ...more,
      }
      const { answer } = await finder.find(command, { wait, signal })
      return answer
    },
    put: (one, reason = 'license_removed') => {
      supplies.set(one.id, one)
      return writer.submit((transaction) => lessor.putSupply(transaction, one, reason))
    },
    used: (id = 'l1/cad') => lessor.view.used(id),
  }
}

/** What was answered, in a word. */
export function wordOf(answer: LeaseAnswer | { readonly kind: string }): string {
  return 'code' in answer ? String(answer.code) : answer.kind
}

/** A refusal as the wire has it. */
export function problemOf(answer: LeaseAnswer): PeerProblem {
  if (answer.kind !== 'refused') throw new Error(`no refusal: ${JSON.stringify(answer)}`)
  const { code, detail, facts } = answer
  return peerProblemSchema.parse({ code, detail, ...facts })
}
