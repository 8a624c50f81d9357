/**
 * Seats of this agent's own licenses and detachments, kept in advance: the agent leases them to itself, through the same port as
 * from any other manager, so that they are renewed, given back and journaled alike. Such seats stay on this machine. Owns who
 * listens; the grants are the lessor's. Must not import who keeps seats, broker or http.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import { isOwnLease, peerGrantId } from './domain/grant.ts'
import { openSupplies, roomIn } from './domain/placement.ts'
import type { ProductName } from './domain/product-name.ts'
import type { LeaseCommand } from './domain/seats.ts'
import type { Supply } from './domain/supply.ts'
import { errorTable, LeaseholdError } from './errors.ts'
import type { Lessor, OpenAnswer, SeatEvent } from './lessor.ts'
import { leaseCommand } from './peers/lease-desk-ask.ts'
import { leaseGrant, ownIdOf } from './peers/lease-desk-grant.ts'
import { DeskRenewals } from './peers/lease-desk-renewals.ts'
import type {
  KnownManagers,
  LeaseReply,
  ManagerLink,
  Refused,
  ReleaseReply,
  RenewalsReply,
  Unreachable,
} from './peers/manager-link.ts'
import type { LeaseAsk, Offer } from './peers/wire.ts'
import type { ServingState } from './serving.ts'

export interface OwnSeatsOptions {
  readonly lessor: Lessor
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => { readonly id: string; readonly name: string }
  readonly serving: () => ServingState
}

type Listener = Parameters<ManagerLink['follow']>[0]

/** Not the seats that came from other managers: those are kept as they are. */
const kinds = ['detachment', 'license'] as const

export class OwnSeats implements ManagerLink {
  readonly #options: OwnSeatsOptions
  readonly #renewals: DeskRenewals
  readonly #listeners = new Set<Listener>()

  constructor(options: OwnSeatsOptions) {
    this.#options = options
    const { lessor, clock, timers } = options
    this.#renewals = new DeskRenewals({
      lessor,
      clock,
      timers,
      linksOf: unsigned,
      self: options.self().id,
      upstream: { renewFirst: async () => undefined, isInDoubt: () => false },
      mayStay: () => ({ kind: 'yes' }),
      isUnderWay: () => false,
    })
  }

  get id(): string {
    return this.#options.self().id
  }

  get name(): string {
    return this.#options.self().name
  }

  /** What would be leased now; undefined: no seat is free. Asking then is of no use. */
  freeSeat(product: ProductName, feature?: string): Pick<Offer, 'vendorKey'> | undefined {
    const { lessor, clock, serving } = this.#options
    if (!lessor.isReady || serving() !== 'open') return undefined
    const wanted = { product, kinds, keyless: true as const, ...(feature === undefined ? {} : { feature }) }
    const free = openSupplies(lessor.view, wanted, clock.boot().at).find(
      (one): one is Supply & { readonly vendorKey: string } =>
        one.vendorKey !== undefined && roomIn(lessor.view, one, feature, undefined) > 0,
    )
    return free && { vendorKey: free.vendorKey }
  }

  async ask(id: string, ask: LeaseAsk): Promise<LeaseReply> {
    const { lessor, serving } = this.#options
    const state = serving()
    if (state !== 'open') return refused(state)
    try {
      const answer = await lessor.open(this.#command(id, ask))
      if (answer.kind !== 'granted' && answer.kind !== 'repeated') return refused(codeOf(answer))
      const lease = await leaseGrant(answer, { ...this.#options, self: this.id, linksOf: unsigned })
      return lease ? { kind: 'granted', lease } : refused('session_ended')
    } catch (error) {
      return unavailable(error)
    }
  }

  async renew(leases: readonly string[]): Promise<RenewalsReply> {
    try {
      return { kind: 'answered', answer: { ...(await this.#renewals.renewAll(this.id, leases)), news: [] } }
    } catch (error) {
      return unavailable(error)
    }
  }

  async release(id: string): Promise<ReleaseReply> {
    try {
      await this.#options.lessor.forbid(peerGrantId(this.id, id), this.id)
      return { kind: 'acknowledged' }
    } catch (error) {
      return unavailable(error)
    }
  }

  follow(listener: Listener): Cancel {
    this.#listeners.add(listener)
    queueMicrotask(() => listener.onUp())
    return () => this.#listeners.delete(listener)
  }

  /** To be called with everything the lessor tells: what it ends by itself is told like any manager tells it. */
  noteSeats(event: SeatEvent): void {
    if (!('reason' in event) || !isOwnLease(event.grant)) return
    const isNews = event.kind === 'ending' || event.grant.ending === undefined
    if (!isNews || event.reason === 'released' || event.reason === 'expired') return
    for (const { onEvent } of this.#listeners)
      onEvent({ kind: 'ended', lease: ownIdOf(event.grant), reason: event.reason })
  }

  #command(id: string, ask: LeaseAsk): LeaseCommand {
    const peer = { id: this.id, name: this.name, address: '127.0.0.1' }
    const command = leaseCommand(ask, id, peer, this.id)
    return { ...command, kinds, lease: { ...command.lease, chain: [], here: true } }
  }
}

/** What an agent gives itself needs no signature: it proves it as what it came from. */
const unsigned = async (): Promise<undefined> => undefined

/** The managers that there are, and this agent itself where a lease comes from it. */
export class ManagersAndSelf implements KnownManagers {
  readonly #others: KnownManagers
  readonly #own: () => OwnSeats

  constructor(others: KnownManagers, own: () => OwnSeats) {
    this.#others = others
    this.#own = own
  }

  offering(product: ProductName): ReturnType<KnownManagers['offering']> {
    return this.#others.offering(product)
  }

  productsNamed(product: string): readonly ProductName[] {
    return this.#others.productsNamed(product)
  }

  lost(product: ProductName): ReturnType<KnownManagers['lost']> {
    return this.#others.lost(product)
  }

  link(id: string): ManagerLink | undefined {
    const own = this.#own()
    return id === own.id ? own : this.#others.link(id)
  }

  isAt(id: string, address: string): boolean {
    return this.#others.isAt(id, address)
  }

  settled(): Promise<void> {
    return this.#others.settled()
  }

  onChange(listener: () => void): void {
    this.#others.onChange(listener)
  }
}

function codeOf(answer: Exclude<OpenAnswer, { kind: 'granted' | 'repeated' }>): string {
  switch (answer.kind) {
    case 'closed':
      return answer.why
    case 'short':
    case 'too_many':
      return 'no_seats'
    case 'conflict':
      return 'id_conflict'
    case 'ended':
      return 'session_ended'
    default:
      return answer.kind
  }
}

function refused(code: string): Refused {
  const known = Object.hasOwn(errorTable, code) ? errorTable[code as keyof typeof errorTable] : undefined
  return { kind: 'refused', status: known?.status ?? 409, problem: { code, detail: `${known?.title ?? code}.` } }
}

/** Whether it was written is not known (R1); the same is asked again. */
function unavailable(error: unknown): Unreachable {
  if (!(error instanceof LeaseholdError)) throw error
  return { kind: 'unreachable', unsent: false, step: 'answer', detail: error.message }
}
