/**
 * The sending end of what agents say to each other: signed requests over connections that are kept, each to the agent whose key
 * is expected and to nobody else (R13, R24). Owns one channel per agent. Must not import http.
 */
import type { CallOptions, Unreachable } from './manager-link.ts'
import { type Meeting, type MeetingParts, meetAt } from './meeting.ts'
import type { PeerAddress, PeerAnswer, PeerClientParts, PeerRequest } from './peer-call.ts'
import { PeerChannel } from './peer-channel.ts'
import { deadline, readPlace } from './peer-connection.ts'
import type { PeerStream, StreamListener } from './peer-stream.ts'
import { revisit } from './revisit.ts'

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
      return await meetAt(this.#meeting, place, limit.signal, expected)
    } finally {
      limit.clear()
    }
  }

  /** The same to an agent that proved before that it is there: over a connection that is open, where it answers on that. */
  async meetAgain(address: string, options: CallOptions, id: string): Promise<Meeting> {
    const place = readPlace(address)
    const channel = this.#channels.get(id)
    const kept = place && channel?.keptTo(place)
    if (place === undefined || channel === undefined || kept === undefined) return await this.meet(address, options, id)
    const limit = deadline(this.#parts.timers, options.timeout, options.signal)
    try {
      const { meeting, isMoved } = await revisit(this.#meeting, place, limit.signal, id, kept)
      if (isMoved) channel.leave()
      return meeting
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

  get #meeting(): MeetingParts {
    return { ...this.#parts, self: this.#parts.agent.id }
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
