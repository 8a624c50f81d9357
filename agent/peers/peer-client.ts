/**
 * The sending end of what agents say to each other: signed requests over connections that are kept, each to the agent whose key
 * is expected and to nobody else (R13, R24). Owns one channel per agent. Must not import http.
 */
import type { Clock, Timers } from '../clock.ts'
import type { SigningKey } from '../domain/documents/keys.ts'
import type { CallOptions, Unreachable } from './manager-link.ts'
import { type Meeting, meetAt } from './meeting.ts'
import type { PeerBook } from './peer-book.ts'
import { PeerChannel } from './peer-channel.ts'
import { type Connect, deadline, readPlace } from './peer-connection.ts'
import type { PeerStream, StreamListener } from './peer-stream.ts'

/** Whom to call. */
export interface PeerAddress {
  /** Id of the agent: only the holder of that key is spoken to. */
  readonly id: string
  /** `host:port`, `[v6]:port` or a host alone, the most likely first. */
  readonly addresses: readonly string[]
}

export interface PeerRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Below `/peer/v1`, with its slash: `/leases/abc`. The client puts the version in front that both speak. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Agents that the request came through, the first one first, this agent not among them: for the loop guard. */
  readonly via?: readonly string[]
}

export interface PeerAnswer {
  readonly kind: 'answered'
  /** Any status, refusals included; its signature was checked. */
  readonly status: number
  /** Undefined where there is none. */
  readonly body: unknown
  /** From the sending of the request to the end of its answer. */
  readonly ms: number
}

export interface PeerClientParts {
  readonly agent: SigningKey
  /** What this agent calls itself. */
  readonly name: () => string
  readonly startId: string
  readonly startCounter: () => number
  readonly clock: Clock
  readonly timers: Timers
  /** Fresh random text of 22 base64url characters. */
  readonly randomId: () => string
  readonly book: PeerBook
  /** `connectDirectly`, or through an outgoing proxy. */
  readonly connect: Connect
}

export class PeerClient {
  readonly #parts: PeerClientParts
  readonly #channels = new Map<string, PeerChannel>()

  constructor(parts: PeerClientParts) {
    this.#parts = parts
  }

  /** Never rejects. A refusal of the other agent is an answer. */
  async call(peer: PeerAddress, request: PeerRequest, options: CallOptions): Promise<PeerAnswer | Unreachable> {
    const limit = deadline(this.#parts.timers, options.timeout, options.signal)
    try {
      return await this.#channelTo(peer).call(request, limit.signal)
    } finally {
      limit.clear()
    }
  }

  /**
   * Opens a stream of events and resolves once it is open or refused; `timeout` is for the opening. Never rejects. Events that
   * are no JSON or too long end it. Whoever opened it closes it; it is not opened again by itself.
   */
  async stream(
    peer: PeerAddress,
    request: Pick<PeerRequest, 'path'>,
    listener: StreamListener,
    options: CallOptions,
  ): Promise<PeerStream | PeerAnswer | Unreachable> {
    const limit = deadline(this.#parts.timers, options.timeout, options.signal)
    try {
      return await this.#channelTo(peer).stream({ method: 'GET', path: request.path }, listener, limit.signal)
    } finally {
      limit.clear()
    }
  }

  /** Says hello to whoever answers at an address. Nothing is remembered of it: that is `PeerBook.meet`. Never rejects. */
  async meet(address: string, options: CallOptions, expected?: string): Promise<Meeting> {
    const place = readPlace(address)
    if (place === undefined)
      return { kind: 'unreachable', unsent: true, step: 'name', detail: `${address} is no address.`, steps: [] }
    const limit = deadline(this.#parts.timers, options.timeout, options.signal)
    try {
      return await meetAt({ ...this.#parts, self: this.#parts.agent.id }, place, limit.signal, expected)
    } finally {
      limit.clear()
    }
  }

  /** Closes what is open to an agent. */
  forget(id: string): void {
    this.#channels.get(id)?.close()
    this.#channels.delete(id)
  }

  /** Closes everything. */
  close(): void {
    for (const id of [...this.#channels.keys()]) this.forget(id)
  }

  #channelTo({ id, addresses }: PeerAddress): PeerChannel {
    let channel = this.#channels.get(id)
    if (channel === undefined) {
      channel = new PeerChannel(this.#parts, id)
      this.#channels.set(id, channel)
    }
    channel.leadTo(addresses)
    return channel
  }
}
