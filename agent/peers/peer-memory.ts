/**
 * What is remembered of agents over restarts, as the directory sees it: a port only; the peer book implements it.
 */
import type { PublicJwk } from '../domain/documents/keys.ts'

export type Approval = 'known' | 'pending' | 'approved' | 'denied'

export interface RememberedPeer {
  readonly id: string
  readonly name: string
  readonly approval: Approval
  /** `host:port`, the last one first. */
  readonly addresses: readonly string[]
  /** Wall time in ms. */
  readonly firstSeen: number
  readonly lastSeen: number
}

export interface PeerMemory {
  list(): Iterable<RememberedPeer>
  find(id: string): RememberedPeer | undefined
  /** An agent proved to be there. Returns what keeps it from being used, as a sentence; undefined where nothing does. */
  meet(met: {
    readonly id: string
    readonly key: PublicJwk
    readonly name: string
    readonly address: string
  }): string | undefined
  /** @returns false for an agent that is not remembered */
  approve(id: string, by: string): Promise<boolean>
  forget(id: string, by: string): Promise<boolean>
}
