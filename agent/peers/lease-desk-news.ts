/**
 * News for other agents: over the stream that an agent keeps open, else kept for its next renewal. Owns the open streams, at most
 * one of an agent, and what waits to be told; in memory, since everything of it is also found by asking.
 */
import type { Cancel } from '../clock.ts'
import type { PeerEvent } from './wire.ts'

export interface NewsListener {
  readonly onEvent: (event: PeerEvent) => void
  /** The same agent opened another stream: this one is over. */
  readonly onReplaced: () => void
}

/** So much waits for one agent, and so many agents are waited for; the oldest goes first. */
const mostWaiting = 200
const mostAgents = 2_000

export class PeerNews {
  readonly #streams = new Map<string, NewsListener>()
  readonly #waiting = new Map<string, PeerEvent[]>()

  /** The new stream takes the place of one that is open: that one is broken, and only this side has not seen it yet. */
  open(agent: string, listener: NewsListener): Cancel {
    const before = this.#streams.get(agent)
    this.#streams.set(agent, listener)
    before?.onReplaced()
    for (const event of this.take(agent)) listener.onEvent(event)
    return () => {
      if (this.#streams.get(agent) === listener) this.#streams.delete(agent)
    }
  }

  send(agent: string, event: PeerEvent): void {
    const stream = this.#streams.get(agent)
    if (stream) {
      stream.onEvent(event)
      return
    }
    const waiting = (this.#waiting.get(agent) ?? []).filter((one) => !isSameTopic(one, event))
    waiting.push(event)
    // Put at the end: who had news last is forgotten last.
    this.#waiting.delete(agent)
    this.#waiting.set(agent, waiting.slice(-mostWaiting))
    const [oldest] = this.#waiting.keys()
    if (this.#waiting.size > mostAgents && oldest !== undefined) this.#waiting.delete(oldest)
  }

  /** To everybody who listens now. */
  tell(event: PeerEvent): void {
    for (const stream of this.#streams.values()) stream.onEvent(event)
  }

  /** What waits for an agent that has no stream; it is told with this answer. */
  take(agent: string): PeerEvent[] {
    const waiting = this.#waiting.get(agent) ?? []
    this.#waiting.delete(agent)
    return waiting
  }

  listens(agent: string): boolean {
    return this.#streams.has(agent)
  }

  get streams(): number {
    return this.#streams.size
  }
}

/** The later one says all that the earlier one said. */
function isSameTopic(one: PeerEvent, other: PeerEvent): boolean {
  if (one.kind !== other.kind) return false
  switch (one.kind) {
    case 'counts':
      return other.kind === 'counts' && one.product === other.product && (other.wanted || !one.wanted)
    case 'ended':
      return other.kind === 'ended' && one.lease === other.lease
    case 'seat-offered':
      return other.kind === 'seat-offered' && one.request === other.request
    case 'detachment-ready':
      return other.kind === 'detachment-ready' && one.detachment === other.detachment
    case 'policy':
      return true
  }
}
