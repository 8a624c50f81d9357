/**
 * Counts failed attempts per address and says when to wait; never a lock for everybody.
 * In memory only; must not import owners.
 */
import type { Clock, Elapsed } from '../clock.ts'
import { type Refusal, refuse } from '../errors.ts'

const most = 10
const span = 15 * 60 * 1000
/** Addresses that are remembered at a time; the one that was heard of longest ago is forgotten. */
const mostAddresses = 1000

export interface Attempt {
  readonly kind: 'begun'
  /** It succeeded, or was not tried after all. */
  forget(): void
}

export class Attempts {
  readonly #clock: Clock
  readonly #failures = new Map<string, Elapsed[]>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts as a failure until it is forgotten. */
  begin(address: string): Attempt | Refusal {
    const who = merge(address)
    const now = this.#clock.atLeast()
    const recent = (this.#failures.get(who) ?? []).filter((at) => now - at < span)
    const [oldest] = recent
    if (recent.length >= most && oldest !== undefined) {
      const retryIn = Math.ceil((oldest + span - now) / 1000)
      return refuse('too_many_requests', `${most} attempts from this address failed.`, { retryIn })
    }
    recent.push(now)
    this.#failures.delete(who)
    this.#failures.set(who, recent)
    for (const other of this.#failures.keys()) {
      if (this.#failures.size <= mostAddresses) break
      this.#failures.delete(other)
    }
    return {
      kind: 'begun',
      forget: () => {
        const list = this.#failures.get(who)
        const index = list?.indexOf(now) ?? -1
        if (index >= 0) list?.splice(index, 1)
        if (list?.length === 0) this.#failures.delete(who)
      },
    }
  }
}

/** A program of this machine can send from any address of 127.0.0.0/8, and whoever has one IPv6 address has a /64 of them. */
function merge(address: string): string {
  if (address.startsWith('127.') || address === '::1') return 'loopback'
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':')
    while (groups.length + rest.length < 8) groups.push('0')
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
