/**
 * Ids of other agents that were refused: for as long as a copy of the request could still come, the same id gets the same answer,
 * since who asked has gone on (R15). Owns them, in memory: after a restart no copy of before is taken.
 */
import type { Clock } from '../clock.ts'
import type { Refusal } from '../errors.ts'

const kept = 60_000
const mostKept = 20_000

export class RefusedIds {
  readonly #clock: Clock
  /** The oldest first. */
  readonly #refused = new Map<string, { readonly refusal: Refusal; readonly at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(id: string): Refusal | undefined {
    this.#prune()
    return this.#refused.get(id)?.refusal
  }

  note(id: string, refusal: Refusal): void {
    this.#prune()
    this.#refused.delete(id)
    this.#refused.set(id, { refusal, at: this.#clock.atLeast() })
  }

  #prune(): void {
    const now = this.#clock.atLeast()
    for (const [id, { at }] of this.#refused) {
      if (now - at < kept && this.#refused.size <= mostKept) return
      this.#refused.delete(id)
    }
  }
}
