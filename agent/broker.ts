/**
 * The broker gets sessions for applications: which product is meant, whose turn it is, and what to say when there is no seat.
 * Owns the waiting line. Seats themselves are the lessor's. Must not import http.
 */
import { licensesOf, permitOf } from './access-rules.ts'
import type { Clock } from './clock.ts'
import type { LicenseLimit } from './domain/access/decide.ts'
import type { Grant } from './domain/grant.ts'
import { type ProductName, parseProductName, productName } from './domain/product-name.ts'
import type { OpenCommand } from './domain/seats.ts'
import { type ErrorCode, LeaseholdError, type Refusal, refuse } from './errors.ts'
import { Explanations, type ExplanationView, type HolderPrivacy } from './explanation.ts'
import type { LeaseSeats } from './lease-seats.ts'
import type { EndAnswer, Lessor, SeatEvent } from './lessor.ts'
import type { ProcessTable } from './process-watch.ts'
import type { Found, SeatFinder } from './seat-finder.ts'
import type { SessionKeys } from './session-keys.ts'
import { RefusalJournal } from './session-refusal-journal.ts'
import { endedSession, noLicense, noSeats, refusalOf, tooManySeats, unknownSession } from './session-refusals.ts'
import { bodyHash, isLocal, type OpenRequest, whoOf } from './session-request.ts'
import { type AgentName, type KeptSessionView, keptSession, type ViewContext } from './session-view.ts'
import type { Place } from './waiting-room.ts'
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

/** Proofs of sessions (R27). */
export interface Prover {
  prove(grant: Grant, nonce: string): Proof | Promise<Proof>
}

/** Who asks for a seat, as far as rules may tell people apart (S14). */
export interface Asker {
  readonly product: ProductName
  readonly feature?: string
  readonly who: Grant['who']
}

export type Verdict =
  /** With licenses: the seat must come from one of these, or from none of them. */
  | { readonly kind: 'allowed'; readonly licenses?: LicenseLimit }
  | { readonly kind: 'denied'; readonly code: ErrorCode; readonly rule?: string; readonly detail: string }

/** Whether this agent gives out seats at all, and what says that it does not. */
export type ServingState = 'open' | 'handing_out_disabled' | 'serving_stopped'

export interface BrokerOptions {
  readonly lessor: Lessor
  readonly finder: SeatFinder
  readonly writes: Writes
  readonly clock: Clock
  readonly keys: SessionKeys
  readonly prover: Prover
  readonly processes: ProcessTable
  readonly self: () => AgentName
  readonly settings: () => { readonly idleLimit: number; readonly privacy: HolderPrivacy }
  /** What another agent calls itself. */
  readonly agentName?: (id: string) => string | undefined
  /** Seats of other managers; the same that the finder has. Absent: there are none. */
  readonly remote?: LeaseSeats
  /** The user rules; absent: everybody may. */
  readonly rules?: (asker: Asker) => Verdict
  /** How many seats of a product could be detached now; absent: none. */
  readonly detachable?: (product: ProductName) => number
  /** Absent: open. */
  readonly serving?: () => ServingState
  /** Told of every request that was refused, with the product it was taken to mean. */
  readonly onRefused?: (request: OpenRequest, product: string, refusal: Refusal) => void
}

const unheard = refuse('manager_unreachable', 'The manager that the seat comes from was not heard yet.', { retryIn: 5 })

export class Broker {
  readonly #options: BrokerOptions
  readonly #explanations: Explanations
  readonly #refusals: RefusalJournal

  constructor(options: BrokerOptions) {
    this.#options = options
    const { clock, writes, self, remote } = options
    this.#refusals = new RefusalJournal(writes, clock, self)
    const known = remote?.known
    this.#explanations = new Explanations({ ...options, ...(known === undefined ? {} : { known }) })
  }

  async open(request: OpenRequest): Promise<OpenedSession | Refusal> {
    this.#mustBeReady()
    const named = await this.#nameOf(request.product)
    if (typeof named !== 'string') return await this.#refused(request, request.product, named)
    const command = this.#command(request, named)
    const permit = this.#permit(command)
    if (permit.kind === 'refused') return await this.#refused(request, named, permit)
    const { finder, keys } = this.#options
    const found = await finder.find(permit.command, { wait: (request.wait ?? 0) * 1000, signal: request.signal })
    const { answer } = found
    if (answer.kind === 'granted' || answer.kind === 'repeated') {
      const { grant, expiresIn } = answer
      const session: OpenedSessionView = { ...this.#told(grant, expiresIn), key: keys.keyOf(grant.id) }
      if (request.nonce !== undefined) await this.#prove(session, grant, request.nonce)
      return { kind: 'opened', created: answer.kind === 'granted', session }
    }
    return await this.#refused(request, named, this.#refusalOf(found, answer, command))
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
    if (this.#options.finder.isInDoubt(id)) return unheard
    const pending = lessor.renew(id, beat.nonce)
    const renewal = pending instanceof Promise ? await pending : pending
    if (renewal.kind === 'unknown') return unknownSession(id)
    if (renewal.kind === 'ended') return endedSession(renewal.reason)
    if (renewal.kind === 'later') return unheard
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
    return this.#options.finder.queue()
  }

  /** How many wait for a product. */
  waiting(product: ProductName): number {
    return this.#options.finder.waiting(product)
  }

  explain(product: ProductName, feature?: string): ExplanationView {
    return this.#explanations.explain(product, feature)
  }

  /** To be called with everything the lessor tells: seats that came free are offered to who waits. */
  noteSeats(event: SeatEvent): void {
    this.#options.finder.noteSeats(event)
  }

  stop(): void {
    this.#options.finder.stop()
  }

  viewContext(): ViewContext {
    const { clock, lessor, self, settings, agentName } = this.#options
    const idleLimit = settings().idleLimit
    return { clock, view: lessor.view, self: self(), idleLimit, ...(agentName && { agentName }) }
  }

  /** The first that refuses is the one that is named. Who has a seat keeps it. */
  #permit(command: OpenCommand): { readonly kind: 'permitted'; readonly command: OpenCommand } | Refusal {
    const { id, product, feature, who } = command
    const { lessor, serving, rules } = this.#options
    const permitted = { kind: 'permitted' as const, command }
    if (lessor.view.grant(id)) return permitted
    const state = serving?.() ?? 'open'
    // Detached seats are had whatever the license server says.
    if (state !== 'open' && !lessor.view.suppliesFor(product).some((one) => one.kind === 'detachment'))
      return refuse(state, state === 'serving_stopped' ? 'It was stopped here.' : 'It is disabled here.')
    const verdict = rules?.({ product, who, ...(feature === undefined ? {} : { feature }) }) ?? { kind: 'allowed' }
    if (verdict.kind === 'denied') {
      const { code, detail, rule } = verdict
      return refuse(code, detail, rule === undefined ? {} : { explanation: { managers: [], asked: [], rule } })
    }
    const permit = permitOf(verdict, licensesOf(lessor.view.suppliesFor(product)))
    if (permit.kind === 'refused' || permit.licenses === undefined)
      return permit.kind === 'refused' ? permit : permitted
    return { kind: 'permitted', command: { ...command, licenses: permit.licenses } }
  }

  #command(request: OpenRequest, product: ProductName): OpenCommand {
    const { keys, processes, clock, serving } = this.#options
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
      ...(request.vendorKey === undefined ? {} : { vendorKey: request.vendorKey }),
      ...((serving?.() ?? 'open') === 'open' ? {} : { kinds: ['detachment'] as const }),
    }
  }

  /** Before the first search is over nobody knows which products other managers have. */
  async #nameOf(text: string): Promise<ProductName | Refusal> {
    const name = this.#nameNow(text)
    const { remote } = this.#options
    if (typeof name === 'string' || name.code !== 'unknown_product' || !remote?.settings().allowed) return name
    await remote.known.settled()
    return this.#nameNow(text)
  }

  #nameNow(text: string): ProductName | Refusal {
    const { lessor, remote } = this.#options
    const { view } = lessor
    const parts = parseProductName(text)
    if (!parts)
      return refuse('unknown_product', `“${text}” is not the name of a product; it is written vendor/product.`)
    if (parts.vendor !== undefined) return productName(parts.vendor, parts.product)
    const elsewhere = remote?.settings().allowed ? remote.known.productsNamed(parts.product) : []
    const named = [...new Set([...view.vendorsOf(parts.product), ...elsewhere])]
    const [only] = named
    if (only !== undefined && named.length === 1) return only
    if (named.length > 1)
      return refuse('ambiguous_product', `“${text}” may be ${named.join(' or ')}.`, { products: named })
    const [any, ...more] = view.vendorsOfAny()
    if (any !== undefined && more.length === 0) return productName(any, parts.product)
    return refuse('unknown_product', noLicense(`“${text}”`, elsewhere.length > 0))
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
    this.#mustBeReady()
    if (key !== undefined && keys.isKeyOf(id, key)) return undefined
    const known = lessor.view.grant(id) ?? lessor.view.tombstone(id)
    return known
      ? refuse('wrong_key', 'The header Session-Key must hold the key that was given when the session was opened.')
      : unknownSession(id)
  }

  /** While everything is loaded anew, an id or a product that is not known means nothing. */
  #mustBeReady(): void {
    if (this.#options.lessor.isReady) return
    throw new LeaseholdError('store_unavailable', 'The store is being read again.', { retryIn: 2 })
  }

  #refusalOf(
    found: Found,
    answer: Exclude<Found['answer'], { kind: 'granted' | 'repeated' }>,
    command: OpenCommand,
  ): Refusal {
    const { product, feature, id } = command
    const explanation = this.#explanations.explain(product, feature, found)
    if (answer.kind === 'too_many') return tooManySeats(command, answer.seats, explanation)
    const { clock, finder } = this.#options
    if (answer.kind === 'short') return noSeats(command, explanation, finder.ahead(product, id), clock.wall())
    return this.#foreignVendor(command, answer.kind) ?? refusalOf(answer, product, feature, explanation)
  }

  /** Seats of licenses of another vendor key than the application trusts are no seats. */
  #foreignVendor({ product, vendorKey }: OpenCommand, kind: Found['answer']['kind']): Refusal | undefined {
    if (vendorKey === undefined || (kind !== 'unknown_product' && kind !== 'unknown_feature')) return undefined
    const { lessor, remote } = this.#options
    const offered = remote?.known.offering(product) ?? []
    if (lessor.view.suppliesFor(product).length + offered.length === 0) return undefined
    return refuse(
      'unknown_product',
      `The licenses for ${product} are signed with another key than the application trusts.`,
    )
  }

  async #refused(request: OpenRequest, product: string, refusal: Refusal): Promise<Refusal> {
    this.#options.onRefused?.(request, product, refusal)
    await this.#refusals.note(request, product, refusal)
    return refusal
  }
}
