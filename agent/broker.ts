/**
 * The broker gets sessions for applications: which product is meant, whose turn it is, and what to say when there is no seat.
 * Owns the waiting line. Seats themselves are the lessor's. Must not import http.
 */
import type { Clock, Timers } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import { sessionRefused } from './domain/happenings.ts'
import { keyIn, openSupplies } from './domain/placement.ts'
import { type ProductName, parseProductName, productName } from './domain/product-name.ts'
import { factsOfCommand, type OpenCommand } from './domain/seats.ts'
import { LeaseholdError, type Refusal, refuse } from './errors.ts'
import { type ExplanationView, explain, type HolderPrivacy } from './explanation.ts'
import type { EndAnswer, Lessor, OpenAnswer, SeatEvent } from './lessor.ts'
import type { ProcessTable } from './process-watch.ts'
import type { SessionKeys } from './session-keys.ts'
import { endedSession, noSeats, refusalOf, unknownSession } from './session-refusals.ts'
import { bodyHash, type OpenRequest, whoOf } from './session-request.ts'
import { type AgentName, type KeptSessionView, keptSession, type ViewContext } from './session-view.ts'
import { type Place, WaitingRoom } from './waiting-room.ts'
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

/** Proofs of sessions (R27); the key of the vendor that signed a license. */
export interface Prover {
  prove(grant: Grant, nonce: string): { proof: string[] } | { proofUnavailable: 'not_activated' }
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
}

type AskAnswer = OpenAnswer | { readonly kind: 'queue_full' }

export class Broker {
  readonly #options: BrokerOptions
  readonly #room: WaitingRoom<OpenAnswer>

  constructor(options: BrokerOptions) {
    this.#options = options
    const { clock, timers, lessor } = options
    this.#room = new WaitingRoom({
      clock,
      timers,
      ask: (command) => lessor.open(command),
      isSeat: (answer) => answer.kind !== 'short',
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
      const session = this.#told(answer.grant, answer.expiresIn, request.nonce)
      return {
        kind: 'opened',
        created: answer.kind === 'granted',
        session: { ...session, key: this.#options.keys.keyOf(answer.grant.id) },
      }
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
    return { kind: 'kept', session: this.#told(renewal.grant, renewal.expiresIn, beat.nonce) }
  }

  /** Gives the seat back; also right when it is already back. */
  async close(id: string, key: string | undefined): Promise<{ readonly kind: 'closed' } | Refusal> {
    const wrong = this.#checkKey(id, key)
    if (wrong) return wrong
    const answer = await this.#options.lessor.end(id, 'released')
    return answer.kind === 'unknown' ? unknownSession(id) : { kind: 'closed' }
  }

  disconnect(id: string, options: { readonly freeNow: boolean; readonly by?: string }): Promise<EndAnswer> {
    return this.#options.lessor.disconnect(id, 'disconnected', options)
  }

  /** How many wait for a product. */
  waiting(product: ProductName): number {
    return this.#room.lengthOf(product)
  }

  /** Everybody who waits, in order. */
  queue(): readonly Place[] {
    return this.#room.list()
  }

  explain(product: ProductName, feature?: string): ExplanationView {
    const { lessor, clock } = this.#options
    const { idleLimit, privacy } = this.#options.settings()
    return explain(product, feature, { lessor, clock, self: this.#options.self(), privacy, idleLimit })
  }

  /** To be called with everything the lessor tells: seats that came free are offered to who waits. */
  noteSeats(event: SeatEvent): void {
    if (event.kind === 'opened' || event.kind === 'ending') return
    this.#room.serve()
  }

  stop(): void {
    this.#room.stop()
  }

  viewContext(): ViewContext {
    const { clock, lessor } = this.#options
    return { clock, view: lessor.view, self: this.#options.self(), idleLimit: this.#options.settings().idleLimit }
  }

  async #ask(command: OpenCommand, request: OpenRequest): Promise<AskAnswer> {
    const { lessor } = this.#options
    const known = lessor.view.grant(command.id) ?? lessor.view.tombstone(command.id)
    const waits = (request.wait ?? 0) > 0
    if (known || !this.#room.othersAhead(command.product, command.id) || this.#sharesSeat(command)) {
      const answer = await lessor.open(command)
      if (answer.kind !== 'short' || !waits) return answer
    }
    if (!waits) return { kind: 'short' }
    return await this.#room.wait(command, (request.wait ?? 0) * 1000, request.signal)
  }

  /** Its count key already occupies enough seats: it takes nothing from who waits (R30). */
  #sharesSeat(command: OpenCommand): boolean {
    const { lessor, clock } = this.#options
    const wanted = { ...command, facts: factsOfCommand(command) }
    return openSupplies(lessor.view, wanted, clock.atMost()).some((supply) => {
      const key = keyIn(supply, wanted)
      return key !== undefined && lessor.view.occupied(supply.id, key) >= command.seats
    })
  }

  #command(request: OpenRequest, product: ProductName): OpenCommand {
    const { keys, processes, clock } = this.#options
    const { user, feature } = request
    const processId = request.process?.id
    const processName = request.process?.name
    const startedAt = processId === undefined ? undefined : processes.startOf(processId)
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

  #told(grant: Grant, expiresIn: number, nonce: string | undefined): KeptSessionView {
    const { lessor, prover } = this.#options
    const session = keptSession(grant, expiresIn, lessor.promiseOf(grant.id), this.viewContext())
    return nonce === undefined ? session : { ...session, ...prover.prove(grant, nonce) }
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
    if (answer.kind !== 'short') return refusalOf(answer, product, feature)
    return noSeats(product, feature, this.explain(product, feature), this.#options.clock.wall())
  }

  /** Refusals are facts for history and forecast, so they are in the journal; without a store they are still refusals. */
  async #refused(request: OpenRequest, product: string, refusal: Refusal): Promise<Refusal> {
    const { writes } = this.#options
    const happening = sessionRefused({
      instance: this.#options.self().id,
      product,
      ...(request.feature === undefined ? {} : { feature: request.feature }),
      seats: request.seats,
      who: whoOf(request),
      code: refusal.code,
    })
    await writes.submit((transaction) => transaction.journal(happening)).catch(() => undefined)
    return refusal
  }
}
