/**
 * A token bucket for each address: so many at once, then so many a second. In memory only; must not import owners.
 */
import type { Clock, Elapsed } from '../clock.ts'

interface Bucket {
  tokens: number
  at: Elapsed
}

/** Addresses that are remembered at a time; the one that was heard of longest ago is forgotten. */
const mostAddresses = 4096

export class Buckets {
  readonly #clock: Pick<Clock, 'atMost'>
  readonly #size: number
  readonly #perSecond: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Pick<Clock, 'atMost'>, size: number, perSecond: number) {
    this.#clock = clock
    this.#size = size
    this.#perSecond = perSecond
  }

  /** Whether one more may be taken; takes nothing. */
  has(address: string): boolean {
    return this.#fill(address).tokens >= 1
  }

  /** @returns false where there is none */
  take(address: string): boolean {
    const bucket = this.#fill(address)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    this.#buckets.delete(address)
    this.#buckets.set(address, bucket)
    if (this.#buckets.size > mostAddresses)
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    return true
  }

  #fill(address: string): Bucket {
    const now = this.#clock.atMost()
    const bucket = this.#buckets.get(address) ?? { tokens: this.#size, at: now }
    bucket.tokens = Math.min(this.#size, bucket.tokens + ((now - bucket.at) / 1000) * this.#perSecond)
    bucket.at = now
    return bucket
  }
}
