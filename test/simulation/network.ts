/**
 * The messages between applications and the agent of their machine. Requests and replies wait until the scheduler delivers them, at most a
 * second of running time; they come late, twice, or not at all when an end of the connection is gone. What an application
 * learns from a reply is put into its belief here.
 */
import { type Application, type Attempt, type Exchange, type ExchangeKind, openRequest } from './application.ts'
import type { Site } from './site.ts'

type Answer = { readonly kind: 'failed' } | { readonly kind: 'answered'; readonly value: unknown }

export interface Message {
  readonly exchange: Exchange
  /** Undefined: the request itself. */
  readonly answer?: Answer
  /** On the machine's monotonic clock. */
  readonly deadline: number
}

interface Told {
  readonly kind: string
  readonly created?: boolean
  readonly session?: {
    readonly id: string
    readonly key: string
    readonly startedAt: string
    readonly expiresIn: number
    readonly renewIn: number
  }
  readonly code?: string
  readonly facts?: { readonly reason?: string }
}

const longestDelay = 1_000
/** For so long after somebody waited for a product others may be refused although seats are free (R30), in ms. */
const placeKept = 6_000

export class Network {
  readonly #site: Site
  messages: Message[] = []
  /** Requests that the agent has and has not answered. */
  readonly #open = new Set<Exchange>()
  /** When somebody waited for a product last, on the monotonic clock. */
  readonly #waited = new Map<string, number>()
  #numbers = 0

  constructor(site: Site) {
    this.#site = site
  }

  /** Requests that were delivered and not answered. */
  get unanswered(): number {
    return this.#open.size
  }

  send(application: Application, attempt: Attempt, kind: ExchangeKind, active = false): void {
    const exchange: Exchange = {
      number: ++this.#numbers,
      kind,
      application,
      attempt,
      sentAt: application.clock(),
      trulySentAt: this.#site.machine.now,
      active,
      isCopy: false,
      controller: new AbortController(),
      isAnswered: false,
    }
    application.waitingFor += 1
    this.#post(exchange)
    // Not of heartbeats: being answered that it has ended is the holder's confirmation (R5), so somebody must hear it.
    if (kind !== 'beat' && this.#site.world.random.chance(0.03)) this.#post({ ...exchange, isCopy: true })
  }

  /** Nobody listens any more for what this application has sent. */
  hangUp(application: Application): void {
    for (const exchange of this.#open) if (exchange.application === application) exchange.controller.abort()
    for (const { exchange } of this.messages) if (exchange.application === application) exchange.controller.abort()
  }

  /** Connections are cut: what was not answered fails, and replies under way arrive or not. */
  agentCrashed(): void {
    for (const { attempt } of this.#site.applications) if (attempt && !attempt.session) delete attempt.arrivedAt
    for (const exchange of this.#open) this.#reply(exchange, { kind: 'failed' })
    this.messages = this.messages.map((message) =>
      message.answer !== undefined && this.#site.world.random.chance(0.5)
        ? { ...message, answer: { kind: 'failed' } }
        : message,
    )
  }

  clear(): void {
    this.messages = []
    this.#open.clear()
    this.#waited.clear()
  }

  /** A seat is free for those in whose time one was free at every moment. */
  noteRoom(isMixed: boolean): void {
    for (const exchange of this.#open) {
      if (isMixed) exchange.roomAllTheTime = false
      this.#noteRoomFor(exchange)
    }
  }

  deliver(message: Message): void {
    this.messages = this.messages.filter((one) => one !== message)
    if (message.answer === undefined) this.#toAgent(message.exchange)
    else this.#toApplication(message.exchange, message.answer)
  }

  #post(exchange: Exchange, answer?: Answer): void {
    const deadline = this.#site.machine.monotonic + longestDelay
    this.messages.push(answer === undefined ? { exchange, deadline } : { exchange, answer, deadline })
  }

  #reply(exchange: Exchange, answer: Answer): void {
    this.#open.delete(exchange)
    this.#post(exchange, answer)
  }

  #toAgent(exchange: Exchange): void {
    const { agent } = this.#site
    if (!agent?.isListening) {
      this.#post(exchange, { kind: 'failed' })
      return
    }
    this.#open.add(exchange)
    exchange.attempt.arrivedAt ??= this.#site.machine.now
    exchange.revision = this.#site.ledger.revision
    exchange.roomAllTheTime = exchange.kind === 'open'
    this.#noteRoomFor(exchange)
    void this.#ask(exchange)
      .then(
        (value): Answer => ({ kind: 'answered', value }),
        (): Answer => ({ kind: 'failed' }),
      )
      .then((answer) => {
        if (!this.#open.has(exchange)) return
        this.#noteRoomFor(exchange)
        this.#reply(exchange, answer)
      })
  }

  async #ask(exchange: Exchange): Promise<unknown> {
    const { broker } = (this.#site.agent as NonNullable<Site['agent']>) ?? {}
    const { session } = exchange.attempt
    if (exchange.kind === 'open') return await broker.open(openRequest(exchange))
    const { id, key } = session ?? { id: '', key: '' }
    if (exchange.kind === 'beat') return await broker.heartbeat(id, key, exchange.active ? { active: true } : {})
    return await broker.close(id, key)
  }

  #noteRoomFor(exchange: Exchange): void {
    const { product, feature, seats, wait } = exchange.attempt.wish
    const now = this.#site.machine.monotonic
    const { agent } = this.#site
    const isAnybodyWaiting = (agent?.broker.waiting(product as `${string}/${string}`) ?? 0) > 0
    if ((exchange.kind === 'open' && wait > 0) || isAnybodyWaiting) this.#waited.set(product, now)
    if (!exchange.roomAllTheTime) return
    const isOpen = agent?.serving.state() === 'open'
    const isLine =
      now - (this.#waited.get(product) ?? Number.NEGATIVE_INFINITY) < placeKept ||
      [...this.#open].some(
        ({ kind, attempt: { wish } }) => kind === 'open' && wish.wait > 0 && wish.product === product,
      )
    exchange.roomAllTheTime = isOpen && !isLine && this.#site.ledger.hasRoom(product, feature, seats)
  }

  #toApplication(exchange: Exchange, answer: Answer): void {
    const { application, attempt } = exchange
    const told = answer.kind === 'answered' ? (answer.value as Told) : undefined
    const name = `${application.name} ${exchange.kind} ${attempt.idempotencyKey}${exchange.isCopy ? ' (copy)' : ''}`
    this.#site.world.say(`${name}: ${told ? (told.code ?? `${told.kind} ${told.session?.expiresIn ?? ''}`) : 'failed'}`)
    if (told?.kind === 'opened' && told.session)
      this.#site.auditor.opened(exchange, told.created ?? false, told.session)
    if (told?.kind === 'kept') this.#site.auditor.kept(exchange)
    if (told?.code === 'no_seats') this.#site.auditor.refused(exchange)
    if (exchange.isCopy || exchange.isAnswered) return
    exchange.isAnswered = true
    if (application.attempt !== attempt) return
    application.waitingFor -= 1
    if (!told) return
    this.#site.world.count(`${exchange.kind}: ${told.code ?? told.kind}`)
    if (told.session) {
      const { id, key, startedAt, expiresIn, renewIn } = told.session
      if (exchange.kind === 'open') attempt.session ??= { id, key, startedAt }
      if (attempt.isOver) return
      if (exchange.kind === 'open' && attempt.believedUntil === undefined) attempt.activeAt = this.#site.machine.now
      if (exchange.active) attempt.activeAt = this.#site.machine.now
      const until = exchange.sentAt + expiresIn * 1000
      if (until > (attempt.believedUntil ?? 0)) attempt.believedSince = exchange.trulySentAt
      attempt.believedUntil = Math.max(attempt.believedUntil ?? 0, until)
      attempt.renewIn = renewIn
      attempt.lastBeat = exchange.sentAt
    } else if (told.code === 'session_ended' || told.code === 'unknown_session' || told.code === 'wrong_key') {
      if (exchange.kind !== 'close') this.#site.auditor.lost(exchange, told.code, told.facts?.reason)
      this.#over(attempt)
    } else if (told.kind === 'closed') this.#over(attempt)
  }

  #over(attempt: Attempt): void {
    attempt.isOver = true
    attempt.knownEndedFrom ??= this.#numbers + 1
  }
}
