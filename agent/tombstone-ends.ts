/**
 * When tombstones may be forgotten: those of sessions after a day, those of other agents' requests once no copy of them can come
 * any more (R15). Memory only; counted anew from every start. Owned by the bookkeeper.
 */
import type { Tombstone } from './domain/grant.ts'

interface End {
  readonly id: string
  /** Reading of `atLeast`. */
  readonly at: number
}

/** In ms. */
const sessionLife = 24 * 3_600_000
const peerLife = 10 * 60_000

/** So many tombstones are dropped with one batch; the lists are long and a batch is short. */
const mostAtOnce = 2_000

export class TombstoneEnds {
  /** Each in order of time, since all in it live equally long. */
  #ofSessions: End[] = []
  #ofPeers: End[] = []

  add({ id, peer, overlap }: Tombstone, now: number): void {
    // An overlap is shown for as long as it may last.
    if (peer && overlap === undefined) this.#ofPeers.push({ id, at: now + peerLife })
    else this.#ofSessions.push({ id, at: now + sessionLife })
  }

  hasOver(now: number): boolean {
    return isOver(this.#ofSessions[0], now) || isOver(this.#ofPeers[0], now)
  }

  /** Some of those whose time is over, always the same until they are forgotten. */
  over(now: number): string[] {
    if (!this.hasOver(now)) return []
    const first = isOver(this.#ofPeers[0], now) ? this.#ofPeers : this.#ofSessions
    return first
      .slice(0, mostAtOnce)
      .filter((one) => isOver(one, now))
      .map(({ id }) => id)
  }

  /** What `over` named is dropped. */
  forget(ids: readonly string[]): void {
    const [first] = ids
    if (first === this.#ofPeers[0]?.id) this.#ofPeers = this.#ofPeers.slice(ids.length)
    else this.#ofSessions = this.#ofSessions.slice(ids.length)
  }
}

function isOver(end: End | undefined, now: number): boolean {
  return end !== undefined && end.at <= now
}
