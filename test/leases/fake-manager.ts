/**
 * A manager that counts its seats, without anything below it, behind a network that loses, delays and doubles what it is told to.
 * What it says is what the wire says; what it does is what a lessor does, in a few lines.
 */
import type { Cancel } from '../../agent/clock.ts'
import { countKey } from '../../agent/domain/count-key.ts'
import type {
  CallOptions,
  LeaseReply,
  ManagerLink,
  ReleaseReply,
  RenewalsReply,
  Unreachable,
} from '../../agent/peers/manager-link.ts'
import type { LeaseAsk, LeaseGrant, Offer, PeerEvent, PeerProblem, RenewalsAnswer } from '../../agent/peers/wire.ts'
import type { ManualClock } from '../helpers/manual-clock.ts'

/**
 * `unsent`: never left. `lost`: never arrived. `reply lost`: arrived, the answer did not. `late`: arrives a minute after it was given
 * up. `doubled`: a copy arrives a minute later.
 */
export type Fate = 'works' | 'unsent' | 'lost' | 'reply lost' | 'late' | 'doubled'

export interface FakeLease {
  readonly id: string
  readonly ask: LeaseAsk
  seats: number
  readonly key: string | undefined
  /** On the wall, which a test does not set: true time for a manager on another machine, while this one sleeps or is off, too. */
  promisedUntil: number
  freeAt: number
  ended?: string
}

export interface FakeManagerOptions {
  readonly id?: string
  readonly seats?: number
  readonly rule?: Offer['rule']
  readonly leaseSeconds?: number
  readonly license?: string
  readonly features?: Offer['features']
  readonly chain?: readonly string[]
  readonly vendorKey?: string
}

const grace = 15_000
const lateness = 60_000

export class FakeManager implements ManagerLink {
  readonly id: string
  readonly name: string
  readonly clock: ManualClock
  readonly options: FakeManagerOptions
  seats: number
  /** Seats that others have. */
  others = 0
  readonly leases = new Map<string, FakeLease>()
  readonly over = new Set<string>()
  readonly line: string[] = []
  /** Every call, as it arrived. */
  readonly calls: string[] = []
  readonly asks: LeaseAsk[] = []
  /** What becomes of the next calls; after them all work. */
  readonly fates: Fate[] = []
  /** False: nothing gets through. */
  isUp = true
  /** ms until an answer is there. */
  delay = 0
  /** Refuses to lease, with this code. */
  refusal: PeerProblem | undefined
  /** Renewal calls with more leases than this fail. */
  mostRenewals = Number.POSITIVE_INFINITY
  isLater = false
  news: PeerEvent[] = []
  readonly followers = new Set<{ onEvent: (event: PeerEvent) => void; onUp: () => void }>()

  constructor(clock: ManualClock, options: FakeManagerOptions = {}) {
    this.clock = clock
    this.options = options
    this.id = options.id ?? 'manager-1'
    this.name = `The manager ${this.id}`
    this.seats = options.seats ?? 1
  }

  get offer(): Offer {
    const { rule, features, license, chain, vendorKey } = this.options
    return {
      product: 'acme/cad',
      vendorKey: vendorKey ?? 'key of acme',
      features: features === undefined ? [] : [...features],
      seats: this.seats,
      used: this.used,
      detached: 0,
      notDetachable: this.seats,
      detachable: 0,
      maxDetachDays: 0,
      anySeats: 0,
      anyUsed: 0,
      rule: rule ?? 'session',
      waiting: this.line.length,
      licenses: [{ id: license ?? 'license-1', model: 'perpetual', seats: this.seats }],
      chain: [...(chain ?? [])],
    }
  }

  /** Seats that can't be given to anybody else now. */
  get used(): number {
    this.#sweep()
    const keys = new Map<string, number>()
    let seats = this.others
    for (const one of this.leases.values()) {
      if (one.key === undefined) seats += one.seats
      else keys.set(one.key, Math.max(keys.get(one.key) ?? 0, one.seats))
    }
    for (const held of keys.values()) seats += held
    return seats
  }

  ask(id: string, ask: LeaseAsk, options: CallOptions): Promise<LeaseReply> {
    return this.#call(`ask ${id}`, options, () => this.#grant(id, ask))
  }

  renew(leases: readonly string[], options: CallOptions): Promise<RenewalsReply> {
    return this.#call(`renew ${leases.length}`, options, () => this.#renew(leases))
  }

  release(id: string, options: CallOptions): Promise<ReleaseReply> {
    return this.#call(`release ${id}`, options, () => {
      this.#end(id)
      return { kind: 'acknowledged' }
    })
  }

  follow(listener: { readonly onEvent: (event: PeerEvent) => void; readonly onUp: () => void }): Cancel {
    this.followers.add(listener)
    return () => this.followers.delete(listener)
  }

  /** Says it to everybody who listens. */
  say(event: PeerEvent): void {
    for (const { onEvent } of this.followers) onEvent(event)
  }

  /** It can be reached again. */
  comeBack(): void {
    this.isUp = true
    for (const { onUp } of this.followers) onUp()
  }

  /** Ends a lease from this side; the seat is free when that is confirmed, or by its time. */
  disconnect(id: string, reason = 'disconnected'): void {
    const lease = this.leases.get(id)
    if (lease) lease.ended = reason
    this.say({ kind: 'ended', lease: id, reason })
  }

  /** Somebody else takes so many seats, or gives them back. */
  occupy(seats: number): void {
    this.others += seats
    if (seats < 0) this.#serveLine()
  }

  // ---- the manager

  #grant(id: string, ask: LeaseAsk): LeaseReply {
    this.asks.push(ask)
    this.#sweep()
    const live = this.leases.get(id)
    if (live) {
      if (live.ended !== undefined) return refused(410, { code: 'session_ended', reason: live.ended })
      return { kind: 'granted', lease: this.#promise(live) }
    }
    if (this.over.has(id)) return refused(410, { code: 'session_ended', reason: 'released' })
    if (this.refusal) return refused(403, this.refusal)
    const key = this.#keyOf(ask)
    const free = this.seats - this.used + this.#heldBy(key)
    const seats = ask.purpose === 'reserve' ? Math.min(ask.seats, free) : ask.seats
    const isBehind = this.line.length > 0 && this.line[0] !== id
    if (seats > free || seats < 1 || isBehind) {
      if ((ask.wait ?? 0) <= 0) {
        // A copy of the request that comes late gets nothing either; later ones are too old to be read.
        this.over.add(id)
        return refused(409, { code: 'no_seats', detail: 'All seats are in use.', largest: Math.max(0, free) })
      }
      if (!this.line.includes(id)) this.line.push(id)
      const position = this.line.indexOf(id) + 1
      return { kind: 'queued', position, waiting: this.line.length, retryIn: 5 }
    }
    const at = this.line.indexOf(id)
    if (at >= 0) this.line.splice(at, 1)
    const lease: FakeLease = { id, ask, seats, key, promisedUntil: 0, freeAt: 0 }
    this.leases.set(id, lease)
    return { kind: 'granted', lease: this.#promise(lease) }
  }

  #renew(ids: readonly string[]): RenewalsReply {
    this.#sweep()
    if (ids.length > this.mostRenewals) return refused(500, { code: 'internal_error' })
    const results = ids.map((id): RenewalsAnswer['results'][number] => {
      const live = this.leases.get(id)
      if (!live) return { id, outcome: 'unknown' }
      if (this.isLater) return { id, outcome: 'later', retryIn: 7 }
      if (live.ended !== undefined) return { id, outcome: 'ended', reason: live.ended }
      const { seats, expiresIn, freeIn, renewIn } = this.#promise(live)
      return { id, outcome: 'renewed', seats, expiresIn, freeIn, renewIn, root: 'r', leases: [`lease of ${id} anew`] }
    })
    return { kind: 'answered', answer: { roots: { r: ['license', 'activation'] }, results, news: this.news.splice(0) } }
  }

  #promise(lease: FakeLease): LeaseGrant {
    const { leaseSeconds = 600, rule = 'session', license = 'license-1', chain = [] } = this.options
    lease.promisedUntil = this.clock.wall() + leaseSeconds * 1000
    lease.freeAt = lease.promisedUntil + grace
    const { ask } = lease
    const key = this.#countKey(ask)
    return {
      id: lease.id,
      product: ask.product,
      ...(ask.feature === undefined ? {} : { feature: ask.feature }),
      seats: lease.seats,
      license,
      rule,
      ...(key === undefined ? {} : { key: { rule: key.rule, parts: [...key.parts] } }),
      leaseSeconds,
      expiresIn: leaseSeconds,
      freeIn: leaseSeconds + grace / 1000,
      renewIn: leaseSeconds / 3,
      depth: 3,
      chain: [...chain, this.id],
      overlap: true,
      proof: ['license', 'activation', `lease of ${lease.id}`],
    }
  }

  #countKey({ purpose, agent, process, who }: LeaseAsk) {
    if (purpose === 'reserve') return undefined
    return countKey(this.options.rule ?? 'session', { agent, process, account: who.account, email: who.email })
  }

  #keyOf(ask: LeaseAsk): string | undefined {
    const key = this.#countKey(ask)
    return key && JSON.stringify(key)
  }

  #heldBy(key: string | undefined): number {
    if (key === undefined) return 0
    return Math.max(0, ...[...this.leases.values()].filter((one) => one.key === key).map((one) => one.seats))
  }

  #end(id: string): void {
    this.leases.delete(id)
    this.over.add(id)
    const at = this.line.indexOf(id)
    if (at >= 0) this.line.splice(at, 1)
    this.#serveLine()
  }

  #serveLine(): void {
    const [head] = this.line
    if (head !== undefined && this.used < this.seats) this.say({ kind: 'seat-offered', request: head, expiresIn: 10 })
  }

  /** What was not renewed is free by itself. */
  #sweep(): void {
    const now = this.clock.wall()
    for (const one of this.leases.values()) if (one.freeAt <= now) this.#end(one.id)
  }

  // ---- the network

  #call<T extends { readonly kind: string }>(
    what: string,
    { timeout }: CallOptions,
    act: () => T,
  ): Promise<T | Unreachable> {
    const fate = this.isUp ? (this.fates.shift() ?? 'works') : 'unsent'
    const arrive = (): T => {
      this.calls.push(what)
      return act()
    }
    const after = (ms: number): Promise<void> => new Promise((resolve) => void this.clock.after(ms, resolve))
    const lost = async (): Promise<Unreachable> => {
      await after(timeout)
      return unreachable(false)
    }
    switch (fate) {
      case 'unsent':
        return Promise.resolve(unreachable(true))
      case 'lost':
        return lost()
      case 'reply lost':
        arrive()
        return lost()
      case 'late':
        this.clock.after(timeout + lateness, arrive)
        return lost()
      case 'doubled':
        this.clock.after(timeout + lateness, arrive)
        break
    }
    if (this.delay === 0) return Promise.resolve(arrive())
    if (this.delay > timeout) return after(timeout).then(() => unreachable(false))
    return after(this.delay).then(arrive)
  }
}

function refused(
  status: number,
  problem: PeerProblem,
): LeaseReply & RenewalsReply & ReleaseReply & { kind: 'refused' } {
  return { kind: 'refused', status, problem }
}

function unreachable(unsent: boolean): Unreachable {
  return { kind: 'unreachable', unsent, step: unsent ? 'connect' : 'answer', detail: 'No answer came.' }
}
