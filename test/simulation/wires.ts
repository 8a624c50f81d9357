/**
 * The network between agents: letters that are lost, late, doubled or overtaken, connections that are cut in one direction or
 * both, streams of events that break. Stands for the transport: what is told is the caller's verified id and what was sent, and
 * a request is taken only by the start of the agent that it was signed for, and for a minute of its clock (R13).
 */
import type { PeerAnswered, PeerCalls } from '../../agent/peers/manager-calls.ts'
import type { Unreachable } from '../../agent/peers/manager-link.ts'
import type { SimulatedProcess } from './machine.ts'
import type { PeerRequest } from './neighbors.ts'
import type { Site } from './site.ts'
import { EventStream, type StreamListener } from './streams.ts'
import type { World } from './world.ts'

export interface Letter {
  readonly to: Site
  /** True times between which it arrives, unless the machine sleeps. */
  earliest: number
  readonly latest: number
  /** Letters of one stream arrive in their order. */
  readonly stream?: EventStream
  deliver(): void
}

type Answer = PeerAnswered | Unreachable

interface Exchange {
  readonly from: Site
  readonly to: Site
  readonly request: PeerRequest
  readonly answered: (answer: Answer) => void
  readonly isOver: () => boolean
  /** The request has left this machine. */
  isSent: boolean
}

/** What the request is signed for. */
interface Signature {
  readonly process: SimulatedProcess | undefined
  /** On that process's clock. */
  readonly at: number
}

/** In ms. What adding up times may make wrong, and how long letters take. */
const tiny = 0.001
const usualDelay = 1_000
const quietDelay = 200
/** So late a letter may still come. */
const longestDelay = 65_000
/** For so long a signed request is taken (R13). */
const signedFor = 60_000

export class Wires {
  readonly #world: World
  letters: Letter[] = []
  readonly #streams = new Set<EventStream>()
  /** Requests that are being answered. */
  readonly #open = new Set<Exchange>()
  /** Pairs of names > true time until which nothing gets from the first to the second. */
  readonly #cuts = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  /** The transport of one process. */
  callsOf(from: Site, process: SimulatedProcess): PeerCalls {
    return {
      call: (peer, request, { timeout, signal }) =>
        new Promise((resolve) => this.#call(from, process, peer.id, request, timeout, signal, resolve)),
      stream: (peer, _request, listener, { timeout }) =>
        new Promise((resolve) => this.#openStream(from, process, peer.id, listener, timeout, resolve)),
    }
  }

  /** Letters that may arrive now. */
  arriving(): Letter[] {
    const { now } = this.#world
    return this.letters.filter(({ to, earliest }) => earliest <= now + tiny && to.machine.isRunning)
  }

  /** True times at which something is next to happen. */
  get nextAt(): number {
    const { now } = this.#world
    let next = Number.POSITIVE_INFINITY
    for (const { to, earliest, latest } of this.letters)
      if (to.machine.isRunning) next = Math.min(next, earliest > now + tiny ? earliest : latest)
    return next
  }

  take(letter: Letter): void {
    // Of a stream the first comes first.
    const taken = letter.stream ? (this.letters.find(({ stream }) => stream === letter.stream) ?? letter) : letter
    this.letters = this.letters.filter((one) => one !== taken)
    taken.deliver()
  }

  post(to: Site, deliver: () => void, options: { delay?: readonly [number, number]; stream?: EventStream } = {}): void {
    const { random, isQuiet, now } = this.#world
    const { delay = [0, isQuiet ? quietDelay : usualDelay], stream } = options
    const earliest = now + delay[0] + (delay[0] > 0 ? random.next() * (delay[1] - delay[0]) : 0)
    const latest = Math.max(earliest + (isQuiet ? quietDelay : usualDelay), now + delay[1])
    this.letters.push({ to, earliest, latest, deliver, ...(stream === undefined ? {} : { stream }) })
  }

  // ---- what goes wrong

  cut(from: Site, to: Site, ms: number): void {
    this.#cuts.set(`${from.name} ${to.name}`, this.#world.now + ms)
    for (const stream of this.#streams) if (stream.joins(from, to) && this.#world.random.chance(0.7)) stream.break()
  }

  heal(): void {
    this.#cuts.clear()
  }

  breakStreams(site: Site): void {
    for (const stream of this.#streams) if (stream.touches(site)) stream.break()
  }

  /** The process is gone, and with it its ends of all connections. */
  crashed(site: Site): void {
    for (const exchange of this.#open) {
      if (exchange.to === site) this.#answer(exchange, broken('It closed the connection.', false))
      if (exchange.from === site) this.#open.delete(exchange)
    }
    for (const stream of this.#streams) if (stream.touches(site)) stream.break()
  }

  /** The machine is off: what is on the way to it is lost. */
  rebooted(site: Site): void {
    this.letters = this.letters.filter(({ to }) => to !== site)
  }

  isCut(from: Site, to: Site): boolean {
    return this.#cutUntil(from, to) > this.#world.now
  }

  forget(stream: EventStream): void {
    this.#streams.delete(stream)
    this.letters = this.letters.filter((letter) => letter.stream !== stream)
  }

  // ---- calls

  #call(
    from: Site,
    process: SimulatedProcess,
    id: string,
    request: PeerRequest,
    timeout: number,
    signal: AbortSignal | undefined,
    resolve: (answer: Answer) => void,
  ): void {
    let isOver = false
    const answered = (answer: Answer): void => {
      if (isOver || from.process !== process) return
      isOver = true
      cancel()
      this.#world.say(`${from.name} ${describe(request)} at ${exchange.to.name}: ${told(answer)}`)
      resolve(answer)
    }
    const cancel = process.after(timeout, () => answered(broken('No answer came in time.', !exchange.isSent)))
    const to = this.#world.siteOf(id)
    const exchange: Exchange = { from, to, request, answered, isOver: () => isOver, isSent: false }
    const giveUp = (): void => answered(broken('It was given up.', !exchange.isSent))
    if (signal?.aborted) {
      giveUp()
      return
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    from.checkSent(id, request)
    this.#send(exchange)
  }

  /** Over a connection that is there, or over a new one: that fails before anything is sent. */
  #send(exchange: Exchange): void {
    const { random, isQuiet } = this.#world
    const { from, to } = exchange
    const signature = { process: to.process, at: to.process?.clock.atLeast() ?? 0 }
    const isThere = random.chance(0.5)
    if (!isThere && (this.isCut(from, to) || this.isCut(to, from) || !to.machine.isRunning)) return
    exchange.isSent = true
    const until = this.#cutUntil(from, to) - this.#world.now
    const late: readonly [number, number] = [1, longestDelay]
    const deliver = (delay?: readonly [number, number]): void =>
      this.post(to, () => this.#arrive(exchange, signature), delay === undefined ? {} : { delay })
    const fate = isQuiet ? 1 : random.next()
    if (until > longestDelay || fate < 0.03) return
    if (until > 0) deliver([until, until + 5_000])
    else deliver(fate < 0.06 ? late : undefined)
    // The connection broke, and it was sent over another one as well.
    if (fate >= 0.06 && fate < 0.09) deliver(random.chance(0.5) ? undefined : late)
  }

  #arrive(exchange: Exchange, { process, at }: Signature): void {
    const { from, to, request } = exchange
    if (!to.agent?.isListening) {
      this.#answer(exchange, broken('Nothing listens there.', true))
      return
    }
    const isStale = process !== undefined && (process !== to.process || process.clock.atLeast() - at > signedFor)
    if (isStale) {
      // It is told so, and repeats it once.
      if (!exchange.isOver()) this.#send(exchange)
      return
    }
    this.#open.add(exchange)
    to.answer(from, request).then(
      (answer) => {
        if (this.#open.delete(exchange)) this.#answer(exchange, answer)
      },
      (error: unknown) => this.#world.report(error),
    )
  }

  #answer(exchange: Exchange, answer: Answer): void {
    const { random, isQuiet } = this.#world
    const { from, to } = exchange
    this.#open.delete(exchange)
    if (this.isCut(to, from)) return
    const fate = isQuiet ? 1 : random.next()
    if (fate < 0.03) return
    this.post(from, () => exchange.answered(answer), fate < 0.06 ? { delay: [1, 10_000] } : {})
  }

  // ---- streams

  #openStream(
    from: Site,
    process: SimulatedProcess,
    id: string,
    listener: StreamListener,
    timeout: number,
    resolve: (answer: { readonly kind: 'open'; close(): void } | Unreachable) => void,
  ): void {
    let isOver = false
    const answered = (answer: { readonly kind: 'open'; close(): void } | Unreachable): void => {
      if (from.process !== process) return
      if (!isOver) resolve(answer)
      else if (answer.kind === 'open') answer.close()
      isOver = true
      cancel()
    }
    const cancel = process.after(timeout, () => answered(broken('No answer came in time.', false)))
    const to = this.#world.siteOf(id)
    if (this.isCut(from, to) || this.isCut(to, from)) return
    this.post(to, () => {
      if (!to.agent?.isListening) {
        this.post(from, () => answered(broken('Nothing listens there.', true)))
        return
      }
      const stream = new EventStream(this.#world, this, { from, to, process, listener })
      this.#streams.add(stream)
      stream.open((close) => answered({ kind: 'open', close }))
    })
  }

  #cutUntil(from: Site, to: Site): number {
    return this.#cuts.get(`${from.name} ${to.name}`) ?? 0
  }
}

function broken(detail: string, unsent: boolean): Unreachable {
  return { kind: 'unreachable', unsent, step: unsent ? 'connect' : 'answer', detail }
}

function describe({ method, path }: PeerRequest): string {
  return `${method} ${path}`
}

function told(answer: Answer): string {
  if (answer.kind === 'unreachable') return `unreachable${answer.unsent ? ', unsent' : ''}`
  const { code, expiresIn, results } = (answer.body ?? {}) as Record<string, unknown>
  const outcomes = Array.isArray(results) ? results.map(({ outcome }) => outcome).join(' ') : ''
  return `${answer.status} ${code ?? expiresIn ?? outcomes}`
}
