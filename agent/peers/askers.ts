/**
 * Which start of another agent asks here, and how far it says that it has seen: finds two copies of one agent that both ask
 * (R24). In memory only; must not import owners.
 */
import type { Clock, Elapsed } from '../clock.ts'
import { orderTolerance } from './peer-record.ts'

interface Start {
  readonly start: string
  readonly count: number
}

interface Asker extends Start {
  /** When this start was first seen asking. */
  readonly since: Elapsed
  /** The highest number presented long enough ago to count; then in the span before this one; then in this one. */
  settled: number
  previous: number
  recent: number
  turned: Elapsed
}

export class Askers {
  readonly #clock: Pick<Clock, 'atLeast'>
  readonly #askers = new Map<string, Asker>()

  constructor(clock: Pick<Clock, 'atLeast'>) {
    this.#clock = clock
  }

  /**
   * @param known the start that asked last, as remembered over a restart of this agent
   * @returns `next`: another start than before, which is fine; `old`: a request of a start that has just ended
   */
  judge(
    id: string,
    known: Start | undefined,
    asked: Start & { readonly seen: number },
  ): 'good' | 'next' | 'old' | 'forked' {
    const now = this.#clock.atLeast()
    const asker = this.#askers.get(id)
    const last = asker ?? known
    const isSame = last?.start === asked.start && last.count === asked.count
    if (last !== undefined && !isSame && asked.count <= last.count) {
      const crossed = asker !== undefined && asked.count < last.count && now - asker.since <= orderTolerance
      return crossed ? 'old' : 'forked'
    }
    if (asker === undefined || !isSame) {
      const { start, count, seen } = asked
      this.#askers.set(id, { start, count, since: now, settled: 0, previous: 0, recent: seen, turned: now })
      return isSame ? 'good' : 'next'
    }
    if (now - asker.turned > orderTolerance) {
      asker.settled = Math.max(asker.settled, asker.previous)
      asker.previous = Math.max(asker.previous, asker.recent)
      asker.recent = 0
      asker.turned = now
    }
    if (asked.seen < asker.settled) return 'forked'
    asker.recent = Math.max(asker.recent, asked.seen)
    return 'good'
  }

  forget(id: string): void {
    this.#askers.delete(id)
  }
}
