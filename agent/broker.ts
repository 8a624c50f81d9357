/**
 * The broker gets sessions for applications: which product is meant, whose turn it is, and what to say when there is no seat.
 * Owns the waiting line. Seats themselves are the lessor's. Must not import http.
 */
import type { Clock, Timers } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import { type ProductName, parseProductName, productName, vendorOf } from './domain/product-name.ts'
import type { OpenCommand } from './domain/seats.ts'
import { LeaseholdError, type Refusal, refuse } from './errors.ts'
import { Explanations, type ExplanationView, type HolderPrivacy } from './explanation.ts'
import type { EndAnswer, Lessor, OpenAnswer, SeatEvent } from './lessor.ts'
import type { ProcessTable } from './process-watch.ts'
import type { SessionKeys } from './session-keys.ts'
import { RefusalJournal } from './session-refusal-journal.ts'
import { endedSession, noSeats, refusalOf, tooManySeats, unknownSession } from './session-refusals.ts'
import { bodyHash, isLocal, type OpenRequest, whoOf } from './session-request.ts'
import { type AgentName, type KeptSessionView, keptSession, type ViewContext } from './session-view.ts'
import { type Place, type WaitAnswer, WaitingRoom } from './waiting-room.ts'
import type { Writes } from './writes.ts'

export type OpenedSessionView = KeptSessionView & { key: string }
export interface OpenedSession {
  readonly kind: 'opened'
  readonly created: boolean
  readonly session: OpenedSessionView
}
export interface KeptSession {
  readonly kind: 'kept'
  readonly session: KeptSessionView
}

type Proof = { proof: string[] } | { proofUnavailable: 'not_activated' }

/** Proofs of sessions (R27); the key of the vendor that signed a license. */
export interface Prover {
  prove(grant: Grant, nonce: string): Proof | Promise<Proof>
  vendorKeyOf(license: string): string | undefined
}

export interface BrokerOptions {
  readonly lessor: Lessor
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  readonly keys: SessionKeys
  readonly prover: Prover
  readonly processes: ProcessTable
  readonly self: () => AgentName
  readonly settings: () => { readonly idleLimit: number; readonly privacy: HolderPrivacy }
  readonly onLine?: (product: ProductName, waiting: number) => void
  /** Told of every request that was refused, with the product it was taken to mean. */
  readonly onRefused?: (request: OpenRequest, product: string, refusal: Refusal) => void
}

type AskAnswer = WaitAnswer<OpenAnswer>

export class Broker {
  readonly #options: BrokerOptions
  readonly #room: WaitingRoom<OpenAnswer>
  readonly #explanations: Explanations
  readonly #refusals: RefusalJournal

  constructor(options: BrokerOptions) {
    this.#options = options
    const { clock, timers, lessor, writes, self, settings } = options
    this.#refusals = new RefusalJournal(writes, clock, self)
    this.#explanations = new Explanations({ lessor, clock, self, settings })
    this.#room = new WaitingRoom({
      clock,
      timers,
      ask: (command) => lessor.open(command),
      isFinal: (answer) => answer.kind !== 'short',
      again: (answer) => (answer.kind === 'granted' ? { ...answer, kind: 'repeated' } : answer),
      ...(options.onLine === undefined ? {} : { onChange: options.onLine }),
    })
  }

  async open(request: OpenRequest): Promise<OpenedSession | Refusal> {
    const named = this.#nameOf(request.product)
    if (typeof named !== 'string') return await this.#refused(request, request.product, named)
    const foreign = this.#foreignVendor(named, request.vendorKey)
    if (foreign) return await this.#refused(request, named, foreign)
    const command = this.#command(request, named)
    const answer = await this.#ask(command, request)
    if (answer.kind === 'granted' || answer.kind === 'repeated') {
      const { grant, expiresIn } = answer
      const session: OpenedSessionView = { ...this.#told(grant, expiresIn), key: this.#options.keys.keyOf(grant.id) }
      if (request.nonce !== undefined) await this.#prove(session, grant, request.nonce)
      return { kind: 'opened', created: answer.kind === 'granted', session }
    }
    return await this.#refused(request, named, this.#refusalOf(answer, command))
  }

  /** @param activeAt wall time in ms */
  async heartbeat(
    id: string,
    key: string | undefined,
    beat: {
      readonly nonce?: string | undefined
      readonly active?: boolean | undefined
      readonly activeAt?: number | undefined
    },
  ): Promise<KeptSession | Refusal> {
    const wrong = this.#checkKey(id, key)
    if (wrong) return wrong
    const { lessor, clock } = this.#options
    if (beat.active || beat.activeAt !== undefined) {
      const ago = beat.active ? 0 : Math.max(0, clock.wall() - (beat.activeAt ?? 0))
      lessor.noteActivity(id, clock.atLeast() - ago)
    }
    const pending = lessor.renew(id, beat.nonce)
    const renewal = pending instanceof Promise ? await pending : pending
    if (renewal.kind === 'unknown') return unknownSession(id)
    if (renewal.kind === 'ended') return endedSession(renewal.reason)
    if (renewal.kind === 'later')
      return refuse('manager_unreachable', 'The manager that the seat comes from was not heard yet.', { retryIn: 5 })
    const session = this.#told(renewal.grant, renewal.expiresIn)
    if (beat.nonce !== undefined) await this.#prove(session, renewal.grant, beat.nonce)
    return { kind: 'kept', session }
  }

  /** Gives the seat back; also right when it is already back. */
  async close(id: string, key: string | undefined): Promise<{ readonly kind: 'closed' } | Refusal> {
    const wrong = this.#checkKey(id, key)
    if (wrong) return wrong
    const answer = await this.#options.lessor.end(id, 'released')
    return answer.kind === 'unknown' ? unknownSession(id) : { kind: 'closed' }
  }

  disconnect(
    id: string,
    options: { readonly freeNow: boolean; readonly by?: string; readonly note?: string },
  ): Promise<EndAnswer> {
    return this.#options.lessor.disconnect(id, 'disconnected', options)
  }

  /** Everybody who waits, in order. */
  queue(): readonly Place[] {
    return this.#room.list()
  }

  /** How many wait for a product. */
  waiting(product: ProductName): number {
    return this.#room.waiting(product)
  }

  explain(product: ProductName, feature?: string): ExplanationView {
    return this.#explanations.explain(product, feature)
  }

  /** To be called with everything the lessor tells: seats that came free are offered to who waits. */
  noteSeats(event: SeatEvent): void {
    if (event.kind === 'opened' || event.kind === 'ending') return
    this.#room.serve(event.kind === 'supplies' ? undefined : vendorOf(event.grant.product))
  }

  stop(): void {
    this.#room.stop()
  }

  viewContext(): ViewContext {
    const { clock, lessor } = this.#options
    return { clock, view: lessor.view, self: this.#options.self(), idleLimit: this.#options.settings().idleLimit }
  }

  async #ask(command: OpenCommand, request: OpenRequest): Promise<AskAnswer> {
    const { id, product } = command
    const ahead = this.#room.othersAhead(product, id)
    const answer = await this.#options.lessor.open(ahead ? { ...command, sharedOnly: true } : command)
    if (answer.kind !== 'short') {
      this.#room.settle(product, id, answer)
      return answer
    }
    const seconds = request.wait ?? 0
    return seconds > 0 ? await this.#room.wait(command, seconds * 1000, request.signal) : answer
  }

  #command(request: OpenRequest, product: ProductName): OpenCommand {
    const { keys, processes, clock } = this.#options
    const { user, feature } = request
    const processId = request.process?.id
    const startedAt = processId === undefined || !isLocal(request) ? undefined : processes.startOf(processId)
    const self = this.#options.self().id
    return {
      id: keys.idOf({
        idempotencyKey: request.idempotencyKey,
        ...(processId === undefined ? {} : { processId }),
        ...(user?.account === undefined ? {} : { account: user.account }),
      }),
      instance: self,
      holder: self,
      product,
      ...(feature === undefined ? {} : { feature }),
      seats: request.seats,
      who: whoOf(request),
      body: bodyHash(request),
      ...(request.nonce === undefined ? {} : { binding: request.nonce }),
      ...(processId === undefined || startedAt === undefined
        ? {}
        : { process: { boot: clock.boot().id, id: processId, startedAt } }),
      activity: request.activity,
      waited: false,
    }
  }

  #nameOf(text: string): ProductName | Refusal {
    const { view } = this.#options.lessor
    const parts = parseProductName(text)
    if (!parts)
      return refuse('unknown_product', `“${text}” is not the name of a product; it is written vendor/product.`)
    if (parts.vendor !== undefined) return productName(parts.vendor, parts.product)
    const named = view.vendorsOf(parts.product)
    const [only] = named
    if (only !== undefined && named.length === 1) return only
    if (named.length > 1)
      return refuse('ambiguous_product', `“${text}” may be ${named.join(' or ')}.`, { products: named })
    const [any, ...more] = view.vendorsOfAny()
    if (any !== undefined && more.length === 0) return productName(any, parts.product)
    return refuse('unknown_product', `No license for “${text}” is installed here.`)
  }

  /** Offers of another vendor key than the application trusts are no offers. */
  #foreignVendor(product: ProductName, vendorKey: string | undefined): Refusal | undefined {
    if (vendorKey === undefined) return undefined
    const { lessor, prover } = this.#options
    const supplies = lessor.view.suppliesFor(product)
    if (supplies.length === 0 || supplies.some((one) => prover.vendorKeyOf(one.license) === vendorKey)) return undefined
    return refuse(
      'unknown_product',
      `The licenses for ${product} here are signed with another key than the application trusts.`,
    )
  }

  #told(grant: Grant, expiresIn: number): KeptSessionView {
    return keptSession(grant, expiresIn, this.#options.lessor.promiseOf(grant.id), this.viewContext())
  }

  async #prove(session: KeptSessionView, grant: Grant, nonce: string): Promise<void> {
    const proof = this.#options.prover.prove(grant, nonce)
    Object.assign(session, proof instanceof Promise ? await proof : proof)
  }

  #checkKey(id: string, key: string | undefined): Refusal | undefined {
    const { lessor, keys } = this.#options
    if (!lessor.isReady) throw new LeaseholdError('store_unavailable', 'The store is being read again.', { retryIn: 2 })
    if (key !== undefined && keys.isKeyOf(id, key)) return undefined
    const known = lessor.view.grant(id) ?? lessor.view.tombstone(id)
    return known
      ? refuse('wrong_key', 'The header Session-Key must hold the key that was given when the session was opened.')
      : unknownSession(id)
  }

  #refusalOf(answer: Exclude<AskAnswer, { kind: 'granted' | 'repeated' }>, command: OpenCommand): Refusal {
    const { product, feature } = command
    if (answer.kind !== 'short' && answer.kind !== 'too_many') return refusalOf(answer, product, feature)
    const explanation = this.explain(product, feature)
    if (answer.kind === 'too_many') return tooManySeats(command, answer.seats, explanation)
    const ahead = this.#room.othersAhead(product, command.id) ? this.#room.waiting(product) : 0
    return noSeats(command, explanation, ahead, this.#options.clock.wall())
  }

  async #refused(request: OpenRequest, product: string, refusal: Refusal): Promise<Refusal> {
    this.#options.onRefused?.(request, product, refusal)
    await this.#refusals.note(request, product, refusal)
    return refusal
  }
}
