/**
 * A call from one agent to another, as values: whom, what, the answer; and what the client needs for it. Types only.
 */
import type { Clock, Timers } from '../clock.ts'
import type { SigningKey } from '../domain/documents/keys.ts'
import type { PeerBook } from './peer-book.ts'
import type { Connect } from './peer-connection.ts'

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
