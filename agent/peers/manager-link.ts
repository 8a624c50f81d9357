/**
 * Managers as the broker sees them: ports only. The transport implements a link, the directory says which managers there are;
 * the simulator and the tests have their own. Imports the wire's shapes only.
 */
import type { Cancel } from '../clock.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { LeaseAsk, LeaseGrant, LeaseQueued, Offer, PeerEvent, PeerProblem, RenewalsAnswer } from './wire.ts'

/** How far a call came that got no answer: `unsent` means that the manager can't have seen it, so nothing must be cancelled (R30). */
export interface Unreachable {
  readonly kind: 'unreachable'
  readonly unsent: boolean
  readonly step: 'name' | 'connect' | 'tls' | 'identity' | 'version' | 'answer'
  /** A sentence for people. */
  readonly detail: string
}

export interface Refused {
  readonly kind: 'refused'
  /** HTTP status. */
  readonly status: number
  readonly problem: PeerProblem
}

export type LeaseReply =
  | { readonly kind: 'granted'; readonly lease: LeaseGrant }
  | ({ readonly kind: 'queued' } & LeaseQueued)
  | Refused
  | Unreachable

export type RenewalsReply = { readonly kind: 'answered'; readonly answer: RenewalsAnswer } | Refused | Unreachable
/** `acknowledged`: it is over at the manager, whatever it was before. */
export type ReleaseReply = { readonly kind: 'acknowledged' } | Refused | Unreachable

export interface CallOptions {
  /** ms for the whole call. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

/** One manager that this agent knows by its key. Calls are answered with values and never reject. */
export interface ManagerLink {
  readonly id: string
  readonly name: string
  ask(id: string, ask: LeaseAsk, options: CallOptions): Promise<LeaseReply>
  renew(leases: readonly string[], options: CallOptions): Promise<RenewalsReply>
  release(id: string, options: CallOptions): Promise<ReleaseReply>
  /** Keeps one events stream open, and opens it again; calls `onUp` whenever it is open anew. */
  follow(listener: { readonly onEvent: (event: PeerEvent) => void; readonly onUp: () => void }): Cancel
}

/** A manager with what it offers of one product at the moment, as far as is known. */
export interface Offering {
  readonly link: ManagerLink
  readonly offer: Offer
}

export interface LostManager {
  readonly id: string
  readonly name: string
  /** Why it can't be reached, a sentence for people. */
  readonly detail: string
}

/** Which managers there are. Written by the directory. */
export interface KnownManagers {
  /** Managers that offer the product now and can be reached, best first: free seats, then a short chain, then latency. */
  offering(product: ProductName): readonly Offering[]
  /** Products of that bare name, over all managers that can be reached. */
  productsNamed(product: string): readonly ProductName[]
  /** Managers that offered the product when they were last reached, and can't be reached now. */
  lost(product: ProductName): readonly LostManager[]
  /** A manager by its agent id, reached lately or not; undefined = never heard of. */
  link(id: string): ManagerLink | undefined
  /** Whether this manager is the one at the address that somebody typed: host, host:port, URL, or its id. */
  isAt(id: string, address: string): boolean
  /** Resolves once the first search after the start is done, at most after its deadline. */
  settled(): Promise<void>
  /** Told when offers have changed. */
  onChange(listener: () => void): void
}
