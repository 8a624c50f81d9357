/**
 * Nonces of signed requests, remembered for as long as such a request could be sent again (R13). In memory; each start of the
 * agent has its own, since requests name the start. Must not import owners.
 */
import type { Clock, Elapsed } from '../clock.ts'

export class Nonces {
  readonly #clock: Pick<Clock, 'atLeast'>
  readonly #span: number
  readonly #most: number
  #recent = new Set<string>()
  #previous = new Set<string>()
  #turned: Elapsed

  /**
   * @param span ms for which one is remembered at least
   * @param most how many are remembered in a span; more are not taken
   */
  constructor(clock: Pick<Clock, 'atLeast'>, span: number, most = 500_000) {
    this.#clock = clock
    this.#span = span
    this.#most = most
    this.#turned = clock.atLeast()
  }

  take(nonce: string): 'fresh' | 'used' | 'full' {
    const now = this.#clock.atLeast()
    if (now - this.#turned > this.#span) {
      this.#previous = now - this.#turned > 2 * this.#span ? new Set() : this.#recent
      this.#recent = new Set()
      this.#turned = now
    }
    if (this.#recent.has(nonce) || this.#previous.has(nonce)) return 'used'
    if (this.#recent.size >= this.#most) return 'full'
    this.#recent.add(nonce)
    return 'fresh'
  }
}
