/**
 * Asking an agent who it is and what it offers, as the directory and the search see it: ports only. The transport implements
 * them; tests have their own. Imports the wire's shapes and the domain's place only.
 */
import type { Place } from '../domain/place.ts'
import type { CallOptions, Refused, Unreachable } from './manager-link.ts'
import type { Hello, Offers, Peers } from './wire.ts'

/** An agent whose key is known, and where it may be reached. */
export interface KnownPeer {
  readonly id: string
  readonly name: string
  /** `host:port`, best first; changes while the object lives. */
  readonly addresses: readonly string[]
}

export interface ProbeStep {
  readonly step: Unreachable['step']
  readonly outcome: 'done' | 'failed'
  /** ms that it took. */
  readonly ms: number
  readonly detail: string
}

/** Somebody answered and proved, with signature and certificate, to be the agent that the hello names. */
export interface Answered {
  readonly kind: 'met'
  readonly hello: Hello
  /** The version of the interface between agents that both speak. */
  readonly version: number
  /** ms from the greeting to its answer. */
  readonly latency: number
  /** ms by which its wall clock is ahead of ours. */
  readonly clockDifference: number
  readonly steps: readonly ProbeStep[]
}

export type Missed = Unreachable & { readonly steps: readonly ProbeStep[] }
export type ProbeResult = Answered | Missed

export type PeerAnswer<T> = { readonly kind: 'answered'; readonly value: T } | Refused | Unreachable

/** Never rejects: every outcome is a value. */
export interface Prober {
  /**
   * Says hello at a place.
   * @param expectedId only this agent is taken for an answer; another one fails at `identity`
   * @param isKnown it proved before that it is there: a connection that is open to it may serve
   */
  probe(place: Place, expectedId: string | undefined, signal: AbortSignal, isKnown?: boolean): Promise<ProbeResult>
  offers(peer: KnownPeer, options: CallOptions): Promise<PeerAnswer<Offers>>
  peers(peer: KnownPeer, options: CallOptions): Promise<PeerAnswer<Peers>>
}

/** The network below TLS, for sweeps and for the connection test. Never rejects. */
export interface Network {
  /** Whether anything takes a connection there within `ms`; what is said if not, for people. */
  knock(place: Place, ms: number, signal: AbortSignal): Promise<Knock>
  /** Addresses of a host name; an address is its own. */
  resolve(host: string, ms: number): Promise<Resolved>
  /** Adapters of this machine with an address, the machine's own loopback included. */
  adapters(): readonly Adapter[]
}

export type Knock =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' | 'silent' | 'no-route'; readonly detail: string }
export type Resolved =
  | { readonly kind: 'resolved'; readonly addresses: readonly string[] }
  | { readonly kind: 'unknown'; readonly detail: string }

export interface Adapter {
  readonly name: string
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  /** Length of the subnet's prefix. */
  readonly prefix: number
  readonly internal: boolean
}
