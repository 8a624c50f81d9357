/**
 * What is remembered of agents over restarts, as the directory and the Managers page see it: a port only; the peer book
 * implements it. Imports the error table and the domain's keys only.
 */
import type { PublicJwk } from '../domain/documents/keys.ts'
import type { Refusal } from '../errors.ts'

export interface RememberedPeer {
  readonly id: string
  readonly name: string
  readonly approval: 'known' | 'pending' | 'approved' | 'denied'
  /** `host:port` where it answered, the last one first. */
  readonly addresses: readonly string[]
  /** The address that it asked from last. */
  readonly from?: string
  /** Wall time in ms. */
  readonly firstSeen: number
  readonly lastSeen: number
}

type Remembered = { readonly kind: 'met'; readonly peer: RememberedPeer } | Refusal

export interface PeerMemory {
  list(): readonly RememberedPeer[]
  get(id: string): RememberedPeer | undefined
  /** An agent proved its key at an address. Refused: `peer_key_changed` where the name is known with another key. */
  meet(introduction: { readonly key: PublicJwk; readonly name: string; readonly address: string }): Promise<Remembered>
  approve(id: string, by: string): Promise<Remembered>
  forget(id: string, by: string): Promise<{ readonly kind: 'forgotten' } | Refusal>
}
