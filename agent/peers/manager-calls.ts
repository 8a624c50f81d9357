/**
 * A manager as the broker sees it, over the transport: what is sent, and what an honest manager may answer. Everything that comes
 * back is checked; what can not be true is as good as no answer. Owns the streams of events that are kept open.
 * Must not import http.
 */
import type { Cancel, Clock, Timers } from '../clock.ts'
import { errorTable } from '../errors.ts'
import type { CallOptions, LeaseReply, ManagerLink, ReleaseReply, RenewalsReply, Unreachable } from './manager-link.ts'
import { ManagerStream, type StreamListener, type StreamParts } from './manager-stream.ts'
import {
  type LeaseAsk,
  type LeaseGrant,
  leaseGrantSchema,
  leaseQueuedSchema,
  peerEventSchema,
  peerProblemSchema,
  renewalsAnswerSchema,
} from './wire.ts'

/** Whom to call; `PeerAddress` of the transport. */
export interface CalledPeer {
  readonly id: string
  readonly addresses: readonly string[]
}

export interface PeerAnswered {
  readonly kind: 'answered'
  readonly status: number
  readonly body: unknown
}

/** The sending end of the transport, as far as it is needed here. Paths are below the version. */
export interface PeerCalls {
  call(
    peer: CalledPeer,
    request: {
      readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
      readonly path: string
      readonly body?: unknown
      readonly via?: readonly string[]
    },
    options: CallOptions,
  ): Promise<PeerAnswered | Unreachable>
  stream(
    peer: CalledPeer,
    request: { readonly path: string },
    listener: StreamListener,
    options: CallOptions,
  ): Promise<{ readonly kind: 'open'; close(): void } | PeerAnswered | Unreachable>
}

export interface ManagerCallsOptions {
  readonly calls: PeerCalls
  readonly clock: Clock
  readonly timers: Timers
  /** 0 to 1. */
  readonly random: () => number
  /** Id of this agent. */
  readonly self: string
}

/** A manager that is known by its key. */
export interface KnownManager extends CalledPeer {
  readonly name: string
}

/** Server errors after which nothing has been decided; all others are the manager's last word. */
const undecided = new Set<string>(['store_unavailable', 'internal_error'])

export class ManagerCalls {
  readonly #options: ManagerCallsOptions
  /** At most one stream to a manager, however many follow it. */
  readonly #streams = new Map<string, ManagerStream>()

  constructor(options: ManagerCallsOptions) {
    this.#options = options
  }

  /** @param peer its name and addresses may change while it lives */
  linkTo(peer: KnownManager): ManagerLink {
    return {
      id: peer.id,
      get name() {
        return peer.name
      },
      ask: (lease, ask, options) => this.#ask(peer, lease, ask, options),
      renew: (leases, options) => this.#renew(peer, leases, options),
      release: (lease, options) => this.#release(peer, lease, options),
      follow: (listener) => this.#follow(peer, listener),
    }
  }

  /** Closes all streams. */
  close(): void {
    for (const stream of this.#streams.values()) stream.close()
    this.#streams.clear()
  }

  async #ask(peer: KnownManager, id: string, ask: LeaseAsk, options: CallOptions): Promise<LeaseReply> {
    const request = { method: 'PUT', path: pathOf(id), body: ask, via: ask.chain.slice(0, -1) } as const
    const answer = await this.#options.calls.call(peer, request, options)
    if (answer.kind === 'unreachable') return answer
    if (answer.status === 202) {
      const queued = leaseQueuedSchema.safeParse(answer.body)
      return queued.success ? { kind: 'queued', ...queued.data } : unusable('Its answer can not be read')
    }
    if (answer.status !== 200 && answer.status !== 201) return refusalIn(answer)
    const granted = leaseGrantSchema.safeParse(answer.body)
    if (!granted.success) return unusable('Its answer can not be read')
    const lie = lieIn(granted.data, id, ask, peer.id, this.#options.self)
    return lie === undefined ? { kind: 'granted', lease: granted.data } : unusable(lie)
  }

  async #renew(peer: KnownManager, leases: readonly string[], options: CallOptions): Promise<RenewalsReply> {
    const answer = await this.#options.calls.call(
      peer,
      { method: 'POST', path: '/renewals', body: { leases } },
      options,
    )
    if (answer.kind === 'unreachable') return answer
    if (answer.status !== 200) return refusalIn(answer)
    const read = renewalsAnswerSchema.safeParse(withKnownNews(answer.body))
    if (!read.success) return unusable('Its answer can not be read')
    const asked = new Set(leases)
    const { roots, news } = read.data
    // A lease that was not asked for, or twice, is nothing that an honest manager answers; it costs the others nothing.
    const results = read.data.results.filter((one) => asked.delete(one.id))
    for (const one of results)
      if (one.outcome === 'renewed' && one.freeIn < one.expiresIn) return unusable('It promises more than it keeps')
    return { kind: 'answered', answer: { roots, results, news } }
  }

  async #release(peer: KnownManager, id: string, options: CallOptions): Promise<ReleaseReply> {
    const answer = await this.#options.calls.call(peer, { method: 'DELETE', path: pathOf(id) }, options)
    if (answer.kind === 'unreachable') return answer
    return answer.status === 204 || answer.status === 200 ? { kind: 'acknowledged' } : refusalIn(answer)
  }

  #follow(peer: KnownManager, listener: Parameters<ManagerLink['follow']>[0]): Cancel {
    const { id } = peer
    const { calls, clock, timers, random } = this.#options
    const parts: StreamParts = {
      open: (heard, options) => calls.stream(peer, { path: '/events' }, heard, options),
      clock,
      timers,
      random,
    }
    const known = this.#streams.get(id)
    const stream = known ?? new ManagerStream(parts)
    if (!known) this.#streams.set(id, stream)
    const leave = stream.join(listener)
    return () => {
      leave()
      if (!stream.isFollowed && this.#streams.get(id) === stream) this.#streams.delete(id)
    }
  }
}

function pathOf(lease: string): string {
  return `/leases/${encodeURIComponent(lease)}`
}

export function unusable(detail: string): Unreachable {
  return { kind: 'unreachable', unsent: false, step: 'answer', detail: `${detail}.` }
}

/** A later version may tell more than is known here. */
function withKnownNews(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('news' in body) || !Array.isArray(body.news)) return body
  return { ...body, news: body.news.filter((one) => peerEventSchema.safeParse(one).success) }
}

/** A refusal, or no answer at all: where nothing was decided the lease may be there, so it has to be cancelled. */
export function refusalIn({ status, body }: PeerAnswered): Extract<LeaseReply, { kind: 'refused' | 'unreachable' }> {
  const problem = peerProblemSchema.safeParse(body)
  if (!problem.success || status < 400) return unusable(`It answered ${status} without a reason`)
  const { code, detail } = problem.data
  const isUnknown = status >= 500 && !Object.hasOwn(errorTable, code)
  if (undecided.has(code) || isUnknown) return unusable((detail ?? `It answered ${code}`).replace(/\.$/, ''))
  return { kind: 'refused', status, problem: problem.data }
}

/** What can not be true of a lease, or undefined. */
function lieIn(lease: LeaseGrant, id: string, ask: LeaseAsk, manager: string, self: string): string | undefined {
  if (lease.id !== id) return 'It granted another lease than was asked for'
  if (lease.product !== ask.product || lease.feature !== ask.feature) return 'It granted another product or feature'
  if (lease.seats > ask.seats) return 'It granted more seats than were asked for'
  if (ask.purpose === 'session' && lease.seats < ask.seats) return 'It granted fewer seats than were asked for'
  if (lease.expiresIn > lease.leaseSeconds || lease.freeIn < lease.expiresIn) return 'It promises more than it keeps'
  if (lease.chain.at(-1) !== manager || new Set(lease.chain).size < lease.chain.length)
    return 'The way that the seats came can not be true'
  if (lease.chain.includes(self) || lease.chain.some((agent) => ask.chain.includes(agent)))
    return 'The seats come from an agent that asks for them'
  if (ask.purpose === 'reserve' && lease.key !== undefined) return 'It granted seats for one user only'
  return undefined
}
