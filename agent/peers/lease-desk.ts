/**
 * What a manager does for other agents: offers, leases, renewals, returns, news. It knows the agent that asks by its verified id
 * and nothing of how the request came. Owns nothing but its parts; seats are the lessor's, the line is the finder's.
 * Must not import transport or http.
 */
import { licensesOf } from '../access-rules.ts'
import type { Cancel, Clock, Timers } from '../clock.ts'
import { type Grant, isOwnLease, peerGrantId } from '../domain/grant.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { LeaseCommand } from '../domain/seats.ts'
import type { Refusal } from '../errors.ts'
import type { Lessor, PromisedSeats, SeatEvent } from '../lessor.ts'
import { checkAsk, leaseCommand, type PeerCaller } from './lease-desk-ask.ts'
import { LeaseCounts } from './lease-desk-counts.ts'
import { type LeaseLinks, leaseGrant, ownIdOf } from './lease-desk-grant.ts'
import { type LeaseGuards, servingOf, subjectOf } from './lease-desk-guards.ts'
import { HeldLeases } from './lease-desk-held.ts'
import { type FoundLease, type LeaseFinder, LeaseLine } from './lease-desk-line.ts'
import { type NewsListener, PeerNews } from './lease-desk-news.ts'
import { type LeaseOfferOptions, leaseOffers } from './lease-desk-offers.ts'
import {
  idConflict,
  isFinal,
  leaseEnded,
  leaseRefusal,
  orUnavailable,
  type RefusalContext,
  unavailable,
} from './lease-desk-refusals.ts'
import { RefusedIds } from './lease-desk-refused.ts'
import { DeskRenewals, type Upstream } from './lease-desk-renewals.ts'
import type { LeaseAsk, LeaseGrant, LeaseQueued, Offers, RenewalsAnswer, RenewalsAsk } from './wire.ts'

/** Seats that are taken along, as other agents are told of them. */
export interface OfferedDetachments {
  ready(agent: string): readonly string[]
  figures(product: ProductName): { readonly detachable: number; readonly detached: number; readonly maxDays: number }
}

export interface LeaseDeskOptions {
  readonly lessor: Pick<Lessor, 'view' | 'promiseOf' | 'isReady' | 'renew' | 'disconnect' | 'forbid'>
  readonly finder: LeaseFinder
  readonly guards: LeaseGuards
  readonly upstream: Upstream
  readonly clock: Clock
  readonly timers: Timers
  /** Id of this agent, which is that of its license server. */
  readonly self: string
  /** Signs the links of a lease anew; undefined where its license gives no proof. */
  readonly linksOf: (grant: Grant) => Promise<LeaseLinks | undefined>
  /** How the pool of this agent stands. */
  readonly explain: RefusalContext['explain']
  readonly licenseFacts: LeaseOfferOptions['licenseFacts']
  readonly relayed: LeaseOfferOptions['relayed']
  /** What of this agent can be taken along, and what was made for an agent and is not taken yet. */
  readonly detaching?: () => OfferedDetachments
  /** Told what came of every request but repeats. */
  readonly onOutcome?: (peer: PeerCaller, ask: LeaseAsk, outcome: 'granted' | Refusal) => void
}

export type LeaseAnswer =
  | { readonly kind: 'granted'; readonly created: boolean; readonly lease: LeaseGrant }
  | ({ readonly kind: 'queued' } & LeaseQueued)
  | Refusal

/** Seconds after which who stands in line asks again to keep the place. */
const repeatIn = 5

export class LeaseDesk {
  readonly #options: LeaseDeskOptions
  readonly #news = new PeerNews()
  readonly #held: HeldLeases
  readonly #line: LeaseLine
  readonly #refused: RefusedIds
  readonly #counts: LeaseCounts
  readonly #renewals: DeskRenewals

  constructor(options: LeaseDeskOptions) {
    const { lessor, finder, clock, timers, guards } = options
    this.#options = options
    this.#held = new HeldLeases(lessor)
    this.#refused = new RefusedIds(clock)
    this.#line = new LeaseLine({
      finder,
      timers,
      onEnded: (command, found) => this.#endedUnheard(command, found),
    })
    this.#counts = new LeaseCounts({
      lessor,
      news: this.#news,
      clock,
      timers,
      waiting: (product) => finder.waiting(product),
    })
    this.#renewals = new DeskRenewals({
      ...options,
      isUnderWay: (id) => this.#line.has(id),
      mayStay: (grant) =>
        guards.refuseUser(subjectOf(grant)) ? { kind: 'no', reason: 'user_disabled' } : { kind: 'yes' },
    })
  }

  /** `GET offers`. */
  offers(peer: PeerCaller): Offers {
    const { guards, self, explain, finder } = this.#options
    const refusal = guards.refuseAgent(peer) ?? guards.refuseNew()
    const state = servingOf(refusal)
    const isTold = state === 'open' || state === 'handing_out_disabled' || state === 'serving_stopped'
    const offers = isTold
      ? leaseOffers(peer.id, self, {
          ...this.#options,
          waiting: (product) => finder.waiting(product),
          figures: (product) => this.#options.detaching?.().figures(product),
          nextReturnAt: (product) => explain(product, undefined)?.nextReturnAt,
        })
      : []
    const ready = this.#options.detaching?.().ready(peer.id) ?? []
    return { instance: self, serving: state, offers, ...(ready.length === 0 ? {} : { detachments: [...ready] }) }
  }

  /** `PUT leases/{id}`: asks for a lease, keeps its place in the line, or renews it (R14). */
  ask(peer: PeerCaller, id: string, ask: LeaseAsk): Promise<LeaseAnswer> {
    return orUnavailable(() => this.#ask(peer, id, ask))
  }

  /** `POST renewals`. Seats of who is denied end with it; who only waits for approval keeps them. */
  renew(
    peer: PeerCaller,
    { leases }: RenewalsAsk,
  ): Promise<({ readonly kind: 'answered' } & RenewalsAnswer) | Refusal> {
    return orUnavailable(async () => {
      const { guards } = this.#options
      const closed = guards.closed()
      if (closed) return closed
      if (guards.refuseHolder(peer)) await this.#endHeld(peer.id, new Set(leases))
      const answer = await this.#renewals.renewAll(peer.id, leases)
      return { kind: 'answered', ...answer, news: this.#news.take(peer.id) }
    })
  }

  /** `DELETE leases/{id}`: always heard, whoever may ask; a copy of the request that comes later gets nothing (R15). */
  release(peer: PeerCaller, id: string): Promise<{ readonly kind: 'acknowledged' } | Refusal> {
    return orUnavailable(async () => {
      const grantId = peerGrantId(peer.id, id)
      const { lessor, self } = this.#options
      this.#line.giveUp(grantId)
      await lessor.forbid(grantId, self)
      return { kind: 'acknowledged' }
    })
  }

  /** `GET events`: what waits to be told comes first, with the ends that are not confirmed yet. */
  events(peer: PeerCaller, listener: NewsListener): Cancel {
    const cancel = this.#news.open(peer.id, listener)
    for (const grant of this.#held.of(peer.id))
      if (isEndingHere(grant)) listener.onEvent({ kind: 'ended', lease: ownIdOf(grant), reason: grant.ending })
    return cancel
  }

  /** To be called with everything the lessor tells. */
  noteSeats(event: SeatEvent): void {
    this.#held.note(event)
    if (event.kind === 'supplies') {
      this.#counts.noteSupplies()
      return
    }
    const { grant } = event
    this.#counts.note(grant.product)
    if (grant.kind !== 'lease' || isOwnLease(grant) || !('reason' in event)) return
    // What its holder gave back, or was told of before, is no news.
    const isNews = event.kind === 'ending' || grant.ending === undefined
    if (isNews && event.reason !== 'released' && event.reason !== 'expired')
      this.#news.send(grant.holder, { kind: 'ended', lease: ownIdOf(grant), reason: event.reason })
  }

  /** To be called whenever a line has changed: who stands in it is answered so. */
  noteLine(product: ProductName): void {
    this.#line.noteLine(product)
    if (this.#options.finder.waiting(product) > 0) this.#counts.want(product)
  }

  /** Somebody was refused a seat of this product because all are in use (R32). */
  noteWanted(product: ProductName): void {
    this.#counts.want(product)
  }

  /** Somebody waits at this manager for seats that we have of it: who has them from us is told (R32). */
  passWanted(manager: string, product: ProductName): void {
    this.#counts.passOn(manager, product)
  }

  /** Access, approvals, rules or the switches of serving are others now. */
  notePolicy(): void {
    const refusal = this.#options.guards.closed() ?? this.#options.guards.refuseNew()
    if (refusal) this.#line.closeAll(refusal)
    this.#counts.notePolicy()
  }

  /** A detachment was made for an agent, or made longer. */
  noteDetachment(agent: string, id: string): void {
    this.#news.send(agent, { kind: 'detachment-ready', detachment: id })
  }

  /** Agents that listen to news now. */
  get streams(): number {
    return this.#news.streams
  }

  /** Who stands in line is answered that there is no seat; nothing is told any more. */
  stop(): void {
    this.#line.closeAll(unavailable('The agent stops.'))
    this.#counts.stop()
  }

  async #ask(peer: PeerCaller, id: string, ask: LeaseAsk): Promise<LeaseAnswer> {
    const { lessor, guards, self } = this.#options
    const wrong = guards.closed() ?? checkAsk(ask, peer, self)
    if (wrong) return wrong
    if (!lessor.isReady) return unavailable('The store is being read again.')
    const asked = leaseCommand(ask, id, peer, self)
    const live = lessor.view.grant(asked.id)
    if (live) return await this.#repeat(live, asked, peer)
    const ended = lessor.view.tombstone(asked.id)
    if (ended) return leaseEnded(ended.reason)
    const before = this.#refused.get(asked.id)
    if (before) return before
    const permit = this.#permit(peer, asked)
    if (permit.kind === 'refused') {
      this.#line.giveUp(asked.id)
      return this.#note(peer, ask, asked, permit)
    }
    const { command } = permit
    const answer = await this.#line.ask(command, (ask.wait ?? 0) * 1000)
    switch (answer.kind) {
      case 'queued':
        return { kind: 'queued', position: answer.position, waiting: answer.waiting, retryIn: repeatIn }
      case 'conflict':
        return idConflict()
      case 'given_up':
        return leaseEnded('released')
      case 'too_many':
        return this.#note(peer, ask, command, this.#refusalOf({ kind: 'queue_full' }, command))
      case 'found':
        return await this.#told(answer.found, peer, ask, command)
    }
  }

  /** The command with what the rules permit of the licenses. */
  #permit(
    peer: PeerCaller,
    command: LeaseCommand,
  ): { readonly kind: 'permitted'; readonly command: LeaseCommand } | Refusal {
    const { guards, lessor } = this.#options
    const { holder, product, seats } = command
    const refusal = guards.refuseAgent(peer) ?? guards.refuseNew()
    if (refusal) return refusal
    const permit = guards.permitUser(subjectOf(command), licensesOf(lessor.view.suppliesFor(product)))
    if (permit.kind === 'refused') return permit
    const permitted = permit.licenses === undefined ? command : { ...command, licenses: permit.licenses }
    const more = this.#line.has(command.id)
      ? undefined
      : guards.refuseMore(seats, () => this.#held.seats(holder, product) + this.#line.seats(holder, product))
    return more ?? { kind: 'permitted', command: permitted }
  }

  async #told(found: FoundLease, peer: PeerCaller, ask: LeaseAsk, command: LeaseCommand): Promise<LeaseAnswer> {
    if (found.kind !== 'granted' && found.kind !== 'repeated')
      return this.#note(peer, ask, command, this.#refusalOf(found, command))
    if (found.kind === 'granted') this.#options.onOutcome?.(peer, ask, 'granted')
    return await this.#granted(found, found.kind === 'granted')
  }

  /** The same id again, of a lease that lives (R14). */
  async #repeat(grant: Grant, command: LeaseCommand, peer: PeerCaller): Promise<LeaseAnswer> {
    if (grant.body !== command.body) return idConflict()
    if (grant.ending !== undefined) return leaseEnded(grant.ending)
    if (this.#options.guards.refuseHolder(peer)) {
      await this.#options.lessor.disconnect(grant.id, 'user_disabled')
      return leaseEnded('user_disabled')
    }
    await this.#renewals.freshen([grant])
    const renewal = await this.#renewals.renew(grant)
    switch (renewal.kind) {
      case 'renewed':
        return await this.#granted(renewal, false)
      case 'ended':
        return leaseEnded(renewal.reason)
      case 'unknown':
        return leaseEnded('expired')
      case 'later':
        return unavailable('The manager that the seat comes from has not confirmed it yet.')
    }
  }

  async #granted(promised: PromisedSeats, created: boolean): Promise<LeaseAnswer> {
    const lease = await leaseGrant(promised, this.#options)
    return lease ? { kind: 'granted', created, lease } : leaseEnded('license_removed')
  }

  #refusalOf(found: Exclude<FoundLease, { kind: 'granted' | 'repeated' }>, command: LeaseCommand): Refusal {
    const { explain, finder, guards, clock } = this.#options
    return leaseRefusal(found, command, {
      explain,
      showsHolders: guards.isApproved(command.holder),
      wall: clock.wall(),
      waiting: finder.waiting(command.product),
    })
  }

  /** What is refused stays so for as long as a copy of the request could come (R15). */
  #note(peer: PeerCaller, ask: LeaseAsk, command: LeaseCommand, refusal: Refusal): Refusal {
    if (!isFinal(refusal)) return refusal
    this.#refused.note(command.id, refusal)
    if (refusal.code === 'no_seats') this.#counts.want(command.product)
    this.#options.onOutcome?.(peer, ask, refusal)
    return refusal
  }

  /** A request that stands in line is decided, and nobody listens: the agent is told where there is a seat (R30). */
  #endedUnheard(command: LeaseCommand, found: FoundLease): void {
    if (found.kind !== 'granted' && found.kind !== 'repeated') {
      // Whoever asks again is told so; it has waited for as long as it said.
      const refusal = this.#refusalOf(found, command)
      if (isFinal(refusal)) this.#refused.note(command.id, refusal)
      return
    }
    const { grant, expiresIn } = found
    this.#news.send(grant.holder, { kind: 'seat-offered', request: ownIdOf(grant), expiresIn })
  }

  async #endHeld(holder: string, leases: ReadonlySet<string>): Promise<void> {
    const held = [...this.#held.of(holder)].filter((one) => one.ending === undefined && leases.has(ownIdOf(one)))
    await Promise.all(held.map(({ id }) => this.#options.lessor.disconnect(id, 'user_disabled')))
  }
}

/** Ending by an order of this side; what its holder gave back is not told to it. */
function isEndingHere(grant: Grant): grant is Grant & { readonly ending: string } {
  return grant.ending !== undefined && grant.ending !== 'released'
}
