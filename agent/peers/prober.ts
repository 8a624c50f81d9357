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
  /** Best first; changes while the object lives. */
  readonly places: readonly Place[]
}

/** Somebody answered and proved, with signature and certificate, to be the agent that the hello names. */
export interface Met {
  readonly kind: 'met'
  readonly hello: Hello
  /** The IP address that answered, where the place is a name. */
  readonly address?: string
  /** ms from asking to the answer, on a connection that was open. */
  readonly ms: number
}

/** With the id of the agent that answered instead, where it is another one than was expected. */
export type Missed = Unreachable & { readonly otherId?: string }
export type ProbeResult = Met | Missed

export type PeerAnswer<T> = { readonly kind: 'answered'; readonly value: T } | Refused | Unreachable

/** Never rejects: every outcome is a value. */
export interface Prober {
  /** Says hello at a place. @param expectedId only this agent is taken for an answer */
  probe(place: Place, expectedId: string | undefined, signal: AbortSignal): Promise<ProbeResult>
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
