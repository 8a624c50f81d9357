/**
 * When tombstones may be forgotten: those of sessions after a day, those of other agents' requests once no copy of them can come
 * any more (R15). Memory only; counted anew from every start. Owned by the bookkeeper.
 */
import type { Tombstone } from './domain/grant.ts'

/** In ms. */
const sessionLife = 24 * 3_600_000
const peerLife = 10 * 60_000
/** Those that come within so many ms are kept together, until the time of the last of them is over. */
const groupLength = 1_000

/** So many tombstones are dropped with one batch; the lists are long and a batch is short. */
const mostAtOnce = 2_000

export interface Over {
  readonly ids: readonly string[]
  /** They are dropped for good. */
  readonly forget: () => void
}

export class TombstoneEnds {
  readonly #ofSessions = new Ends(sessionLife)
  readonly #ofPeers = new Ends(peerLife)

  add({ id, peer, overlap }: Tombstone, now: number): void {
    // An overlap is shown for as long as it may last.
    if (peer && overlap === undefined) this.#ofPeers.add(id, now)
    else this.#ofSessions.add(id, now)
  }

  hasOver(now: number): boolean {
    return this.#ofSessions.hasOver(now) || this.#ofPeers.hasOver(now)
  }

  /** Some of those whose time is over, always the same until they are forgotten. @param now reading of `atLeast` */
  over(now: number): Over | undefined {
    const first = [this.#ofPeers, this.#ofSessions].find((one) => one.hasOver(now))
    if (first === undefined) return undefined
    const ids = first.over(now)
    return { ids, forget: () => first.forget(ids.length) }
  }
}

interface Group {
  readonly since: number
  until: number
  readonly ids: string[]
}

/** Ids that all live equally long, the oldest groups first. */
class Ends {
  readonly #life: number
  readonly #groups: Group[] = []

  constructor(life: number) {
    this.#life = life
  }

  add(id: string, now: number): void {
    let newest = this.#groups.at(-1)
    if (newest === undefined || newest.since + groupLength <= now) {
      newest = { since: now, until: 0, ids: [] }
      this.#groups.push(newest)
    }
    newest.until = now + this.#life
    newest.ids.push(id)
  }

  hasOver(now: number): boolean {
    const oldest = this.#groups[0]
    return oldest !== undefined && oldest.until <= now
  }

  over(now: number): string[] {
    const ids: string[] = []
    for (const { until, ids: some } of this.#groups) {
      const left = mostAtOnce - ids.length
      if (until > now || left === 0) break
      ids.push(...some.slice(-left))
    }
    return ids
  }

  /** The first so many, in the order of `over`, which takes a group from its end. */
  forget(count: number): void {
    for (let left = count; left > 0 && this.#groups.length > 0; ) {
      const ids = this.#groups[0]?.ids ?? []
      const taken = Math.min(left, ids.length)
      ids.length -= taken
      left -= taken
      if (ids.length === 0) this.#groups.shift()
    }
  }
}
