/**
 * The way to one other agent: its connections, what its clock says, which start of it answers, and signing for it (R13). Calls
 * are repeated once where a repeat can help: another start or time, another certificate, a connection that had just been closed.
 * Owned by the client. Must not import http of ours.
 */
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { contentDigest } from '../domain/http-signature.ts'
import { type Place, showPlace } from '../domain/place.ts'
import type { Unreachable } from './manager-link.ts'
import { type Kept, meetAnywhere, type Step } from './meeting.ts'
import type { PeerAnswer, PeerClientParts, PeerRequest } from './peer-call.ts'
import { connectSecurely, deadline, readPlace } from './peer-connection.ts'
import { type Exchange, exchange } from './peer-exchange.ts'
import { ConnectionFailure, OtherCertificate, Pool } from './peer-pool.ts'
import { PeerStanding } from './peer-standing.ts'
import { type PeerStream, readEvents, type StreamListener } from './peer-stream.ts'
import { Turns } from './turns.ts'

const mostAnswer = 1024 * 1024
/** Requests at a time; the pool alone would open a connection for each of those that come at once. */
const mostConnections = 32
/** ms for getting to know the agent, over all of its addresses. */
const meetingTime = 10_000
const mostAttempts = 3

type Outcome = PeerAnswer | Unreachable | { readonly kind: 'opened'; readonly stream: PeerStream }
/** It can help to try once more. */
type Again = { readonly kind: 'again'; readonly sent: boolean; readonly failure: Outcome }

function unreachable(step: Unreachable['step'], unsent: boolean, detail: string): Unreachable {
  return { kind: 'unreachable', unsent, step, detail }
}

export class PeerChannel {
  readonly #parts: PeerClientParts
  readonly #id: string
  #places: readonly Place[] = []
  #standing: PeerStanding | undefined
  #meeting: Promise<PeerStanding | Unreachable> | undefined
  /** What is being tried while the agent is being met. */
  #step: Step['step'] = 'name'
  readonly #pool: Pool
  readonly #turns = new Turns(mostConnections)
  readonly #streams = new Set<PeerStream>()

  constructor(parts: PeerClientParts, id: string) {
    this.#parts = parts
    this.#id = id
    this.#pool = new Pool(mostConnections, (signal) => this.#connect(signal))
  }

  /** Where the agent may be found. */
  leadTo(addresses: readonly string[]): void {
    this.#places = addresses.flatMap((address) => readPlace(address) ?? [])
  }

  async call(request: PeerRequest, signal: AbortSignal): Promise<PeerAnswer | Unreachable> {
    const outcome = await this.#repeat(request, signal)
    return outcome.kind === 'opened' ? unreachable('answer', false, 'It sent a stream of events.') : outcome
  }

  async stream(
    request: PeerRequest,
    listener: StreamListener,
    signal: AbortSignal,
  ): Promise<PeerStream | PeerAnswer | Unreachable> {
    const outcome = await this.#repeat(request, signal, listener)
    return outcome.kind === 'opened' ? outcome.stream : outcome
  }

  /** The connections to it, if that is where it was met. */
  keptTo(place: Place): Kept | undefined {
    const standing = this.#standing
    if (standing === undefined || showPlace(standing.place) !== showPlace(place)) return undefined
    return {
      certificate: standing.certificate,
      send: async (outgoing, limit, signal) => {
        const said = await exchange(outgoing, { pool: this.#pool, signal, limit })
        if (said.kind === 'said' || !said.reused || signal.aborted) return said
        this.#pool.dropIdle()
        return await exchange(outgoing, { pool: this.#pool, signal, limit })
      },
    }
  }

  /** It has to be met anew, and what is open to it is used no more; streams go on. */
  leave(): void {
    this.#standing = undefined
    this.#pool.dropIdle()
  }

  close(): void {
    this.#standing = undefined
    this.#pool.destroy()
    for (const stream of [...this.#streams]) stream.close()
  }

  async #repeat(request: PeerRequest, signal: AbortSignal, listener?: StreamListener): Promise<Outcome> {
    let sent = false
    for (let attempt = 1; ; attempt++) {
      const standing = await this.#stand(signal)
      if ('kind' in standing) return { ...standing, unsent: !sent }
      const outcome = listener
        ? await this.#open(standing, request, listener, signal)
        : await this.#ask(standing, request, signal)
      if (outcome.kind !== 'again')
        return outcome.kind === 'unreachable' && sent ? { ...outcome, unsent: false } : outcome
      sent ||= outcome.sent
      if (attempt < mostAttempts && !signal.aborted) continue
      return outcome.failure.kind === 'unreachable' ? { ...outcome.failure, unsent: !sent } : outcome.failure
    }
  }

  /** The agent as it was met; all calls wait for the same meeting, each no longer than it wants to. */
  async #stand(signal: AbortSignal): Promise<PeerStanding | Unreachable> {
    if (this.#standing !== undefined) return this.#standing
    this.#meeting ??= this.#meet().finally(() => {
      this.#meeting = undefined
    })
    const met = await orAborted(this.#meeting, signal)
    return met ?? unreachable(this.#step, true, 'It did not answer in time.')
  }

  async #meet(): Promise<PeerStanding | Unreachable> {
    const { clock, timers, randomId, connect, book, agent } = this.#parts
    const limit = deadline(timers, meetingTime)
    this.#step = 'name'
    const onStep = (step: Step['step']) => {
      this.#step = step
    }
    try {
      const parts = { connect, clock, timers, randomId, self: agent.id, onStep }
      const met = await meetAnywhere(parts, this.#places, limit.signal, this.#id)
      if (met.kind === 'unreachable') return met
      const { hello, address, evidence } = met
      const known = await book.meet({ key: hello.key, name: hello.name, address })
      if (known.kind === 'refused') return unreachable('identity', true, known.detail)
      book.noteAnswer(this.#id, evidence)
      this.#standing = new PeerStanding(this.#parts, met)
      return this.#standing
    } catch {
      return unreachable('identity', true, 'The agent could not be remembered: the store can not be written.')
    } finally {
      limit.clear()
    }
  }

  async #ask(standing: PeerStanding, request: PeerRequest, signal: AbortSignal): Promise<Outcome | Again> {
    const { clock } = this.#parts
    const since = clock.atMost()
    const leave = await this.#turns.enter(signal)
    if (leave === undefined)
      return unreachable('connect', true, 'Too many requests before this one waited for their answers.')
    // signed when it is its turn, since it is good for a minute only
    const outgoing = standing.sign(request)
    const said = await exchange(outgoing, { pool: this.#pool, signal, limit: mostAnswer })
    leave()
    if (said.kind === 'broken') return this.#explain(standing, said, signal)
    const isSigned = standing.verify(said, outgoing, contentDigest(said.body))
    return this.#judge(standing, said, isSigned, clock.atMost() - since)
  }

  async #open(
    standing: PeerStanding,
    request: PeerRequest,
    listener: StreamListener,
    signal: AbortSignal,
  ): Promise<Outcome | Again> {
    const since = this.#parts.clock.atMost()
    let socket: TLSSocket
    try {
      socket = await this.#connect(signal)
    } catch (cause) {
      return this.#explain(standing, { kind: 'broken', detail: '', sent: false, reused: false, cause }, signal)
    }
    const outgoing = standing.sign(request)
    let response: IncomingMessage | undefined
    const take = (one: IncomingMessage): boolean => {
      if (one.statusCode !== 200 || one.headers['content-type'] !== 'text/event-stream') return false
      response = one
      return true
    }
    const said = await exchange(outgoing, { socket, signal, limit: mostAnswer, take })
    if (said.kind === 'broken') return this.#explain(standing, said, signal)
    const digest = response === undefined ? contentDigest(said.body) : undefined
    const isSigned = standing.verify(said, outgoing, digest)
    if (response === undefined || !isSigned) {
      socket.destroy()
      return this.#judge(standing, said, isSigned, this.#parts.clock.atMost() - since)
    }
    const stream = readEvents(
      response,
      {
        ...listener,
        onEnd: (detail) => {
          this.#streams.delete(stream)
          listener.onEnd(detail)
        },
      },
      this.#parts.timers,
    )
    this.#streams.add(stream)
    return { kind: 'opened', stream }
  }

  #judge(
    standing: PeerStanding,
    said: Extract<Exchange, { kind: 'said' }>,
    isSigned: boolean,
    ms: number,
  ): Outcome | Again {
    const { status, json } = said
    if (isSigned) {
      const answer: PeerAnswer = { kind: 'answered', status, body: json, ms }
      // sent, but not heeded: what is stale changes nothing there
      return status === 401 && codeOf(json) === 'stale' ? { kind: 'again', sent: false, failure: answer } : answer
    }
    const code = codeOf(json)
    const detail = `It answered ${status}${code === undefined ? '' : ` (${code})`} without its signature.`
    const failure = unreachable('answer', false, detail)
    if (code !== 'wrong_agent') return failure
    // another agent has the certificate now, or it has another key
    this.#forget(standing)
    return { kind: 'again', sent: false, failure }
  }

  #explain(
    standing: PeerStanding,
    { cause, detail, sent, reused }: Extract<Exchange, { kind: 'broken' }>,
    signal: AbortSignal,
  ): Outcome | Again {
    if (cause instanceof OtherCertificate || cause instanceof ConnectionFailure) {
      this.#forget(standing)
      const step = cause instanceof ConnectionFailure ? cause.step : 'identity'
      return { kind: 'again', sent: false, failure: unreachable(step, true, `${cause.message}.`) }
    }
    // the others that were idle are as dead as this one
    if (reused) this.#pool.dropIdle()
    const failure = unreachable(sent ? 'answer' : 'connect', !sent, `${showPlace(standing.place)}: ${detail}.`)
    return reused && !signal.aborted ? { kind: 'again', sent, failure } : failure
  }

  /** It has to be met anew. */
  #forget(standing: PeerStanding): void {
    if (this.#standing === standing) this.#standing = undefined
  }

  async #connect(signal: AbortSignal): Promise<TLSSocket> {
    const standing = this.#standing
    if (standing === undefined) throw new ConnectionFailure('connect', 'The agent has to be met anew')
    const secured = await connectSecurely(this.#parts.connect, standing.place, signal)
    if (secured.kind === 'failed')
      throw new ConnectionFailure(secured.step, `${showPlace(standing.place)}: ${secured.detail}`)
    if (secured.certificate === standing.certificate) return secured.socket
    secured.socket.destroy()
    throw new OtherCertificate(`${showPlace(standing.place)}: it has another certificate than before`)
  }
}

function codeOf(json: unknown): string | undefined {
  const code = typeof json === 'object' && json !== null && 'code' in json ? json.code : undefined
  return typeof code === 'string' ? code.slice(0, 64) : undefined
}

/** `undefined` when the signal comes first. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
