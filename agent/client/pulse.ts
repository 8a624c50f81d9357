/**
 * The rhythm of one seat: when the next heartbeat is due, what a failed one means, and when the promise is over (R9).
 * Owns the term as the last answer gave it. All times are readings of `atMost` in ms, which come in from outside.
 */
import type { Elapsed } from '../clock.ts'
import type { Problem } from './answers.ts'
import type { Term } from './seat.ts'

/** ms for a heartbeat's answer; also how long a seat whose time went by in a sleep waits for it. */
export const beatPatience = 5_000
export const pauseAfterFailure = 2_000
/** ms: who was asked in vain so shortly before did not sleep, and knows enough when the time is over. */
const justAsked = 10_000
const shortestPatience = 1_000

export class Pulse {
  #until: Elapsed
  #dueAt: Elapsed
  #failedAt: Elapsed | undefined

  constructor(term: Term) {
    this.#until = term.until
    this.#dueAt = term.renewAt
  }

  get until(): Elapsed {
    return this.#until
  }

  get dueAt(): Elapsed {
    return this.#dueAt
  }

  /** Whether the last heartbeat was in vain. */
  get isFailing(): boolean {
    return this.#failedAt !== undefined
  }

  /** The time is over, and asking once more is of no use. Past its time and not over: the machine slept, so ask (R9). */
  isOver(now: Elapsed): boolean {
    return now >= this.#until && this.#failedAt !== undefined && now - this.#failedAt < justAsked
  }

  /** ms to wait for the answer of a heartbeat that is sent now. */
  patience(now: Elapsed): number {
    const left = this.#until - now
    return left > 0 ? Math.min(beatPatience, Math.max(left, shortestPatience)) : beatPatience
  }

  renew({ until, renewAt }: Term): void {
    this.#until = until
    this.#dueAt = renewAt
    this.#failedAt = undefined
  }

  /** @param askedAt before the heartbeat was sent @param pause ms until it is worth another */
  fail(askedAt: Elapsed, now: Elapsed, pause = pauseAfterFailure): 'over' | 'try-again' {
    if (now < this.#until) {
      this.#failedAt = now
      this.#dueAt = Math.min(now + pause, this.#until)
    } else {
      // One that was on its way when the machine fell asleep says nothing about now.
      if (now - askedAt < justAsked) return 'over'
      this.#dueAt = now
    }
    return 'try-again'
  }
}

/** Whether a refused heartbeat says that the seat is ours no more, rather than that the agent has trouble. */
export function isEnd({ code }: Problem): boolean {
  return code === 'session_ended' || code === 'unknown_session' || code === 'wrong_key'
}
