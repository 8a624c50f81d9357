/**
 * Puts refusals of seats in the journal: facts for history and forecast. Who asks again and again is written down once a
 * minute, so that a program in a loop does not fill the journal. Used by the broker only.
 */
import type { Clock } from './clock.ts'
import { sessionRefused } from './domain/happenings.ts'
import type { Refusal } from './errors.ts'
import { type OpenRequest, whoOf } from './session-request.ts'
import type { AgentName } from './session-view.ts'
import type { Writes } from './writes.ts'

const apart = 60_000
const mostKnown = 10_000

export class RefusalJournal {
  readonly #writes: Writes
  readonly #clock: Clock
  readonly #self: () => AgentName
  /** When a request was last written down with a code, the longest ago first. */
  readonly #written = new Map<string, number>()

  constructor(writes: Writes, clock: Clock, self: () => AgentName) {
    this.#writes = writes
    this.#clock = clock
    this.#self = self
  }

  /** Resolves when it is on disk, or can't be: without a store a refusal is still a refusal. */
  async note(request: OpenRequest, product: string, refusal: Refusal): Promise<void> {
    if (!this.#isNews(`${refusal.code} ${request.idempotencyKey}`)) return
    const happening = sessionRefused({
      instance: this.#self().id,
      product,
      ...(request.feature === undefined ? {} : { feature: request.feature }),
      seats: request.seats,
      who: whoOf(request),
      code: refusal.code,
    })
    const written = this.#writes.submit((transaction) => transaction.journal(happening), { growing: true })
    await written.catch(() => undefined)
  }

  #isNews(refusal: string): boolean {
    const now = this.#clock.atLeast()
    for (const [one, at] of this.#written) {
      if (now - at < apart && this.#written.size < mostKnown) break
      this.#written.delete(one)
    }
    if (this.#written.has(refusal)) return false
    this.#written.set(refusal, now)
    return true
  }
}
