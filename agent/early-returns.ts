/**
 * Leases that other agents give back before their time. The text of a lease can be shown until it ends, so an agent that gave back
 * more within one lease time than it ever had at one time has its further ones free at the end of their text (R28).
 * Memory only, made anew from the grants after loading. Only the lessor uses it.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { Book } from './domain/book.ts'
import type { Grant } from './domain/grant.ts'
import type { Transaction } from './writes.ts'

/** What one agent has, had and gave back of one license. Times are readings of `atLeast`. */
interface Holding {
  seats: number
  /** The most seats at one time. */
  most: number
  readonly returns: { readonly at: number; readonly seats: number }[]
}

const sweepInterval = 512
/** No lease lasts longer, in ms. */
const longestLease = 86_400_000

export class EarlyReturns {
  readonly #keeper: Bookkeeper
  /** By holder and license. */
  readonly #holdings = new Map<string, Holding>()
  /** Lease > whose holding it counts in: its license may be gone when it ends. */
  readonly #names = new Map<string, string>()
  /** Holder > its leases that wait for the end of their text. */
  readonly #waiting = new Map<string, Set<string>>()
  /** Seats that the batch that is being decided frees, by holder and license. */
  readonly #freeing = new WeakMap<Transaction, Map<string, number>>()
  #book: Book | undefined
  #returns = 0

  constructor(keeper: Bookkeeper) {
    this.#keeper = keeper
  }

  /** Whether the seats may be free at once. Within a job; counts as given back once the batch is on disk. */
  mayFree(transaction: Transaction, grant: Grant): boolean {
    this.#catchUp()
    const name = this.#names.get(grant.id) ?? this.#nameOf(grant)
    const holding = this.#holdings.get(name)
    const freeing = this.#freeing.get(transaction) ?? new Map<string, number>()
    this.#freeing.set(transaction, freeing)
    const { atLeast: now } = this.#keeper.readings
    const since = now - grant.leaseSeconds * 1000
    const recent = (holding?.returns ?? []).reduce((sum, one) => (one.at > since ? sum + one.seats : sum), 0)
    const before = recent + (freeing.get(name) ?? 0)
    // What was opened in this very batch is in no holding yet.
    if (before + grant.seats > Math.max(holding?.most ?? 0, grant.seats)) return false
    freeing.set(name, (freeing.get(name) ?? 0) + grant.seats)
    transaction.after(() => {
      const current = this.#holdingOf(name)
      while ((current.returns[0]?.at ?? now) <= since) current.returns.shift()
      current.returns.push({ at: now, seats: grant.seats })
      if (++this.#returns % sweepInterval === 0) this.#sweep(now)
    })
    return true
  }

  /** Leases of this agent that it gave back and whose seats wait. */
  waitingOf(holder: string): Grant[] {
    this.#catchUp()
    const ids = this.#waiting.get(holder)
    if (!ids) return []
    return [...ids].flatMap((id) => this.#keeper.draft.grant(id) ?? []).filter(isGivenBack)
  }

  /** Committed. */
  noteOpened(grant: Grant): void {
    if (grant.kind !== 'lease' || this.#catchUp()) return
    this.#add(grant)
  }

  noteGivenBack(grant: Grant): void {
    if (this.#catchUp()) return
    this.#wait(grant)
  }

  noteEnded(grant: Grant): void {
    if (grant.kind !== 'lease' || this.#catchUp()) return
    const holding = this.#holdings.get(this.#names.get(grant.id) ?? '')
    this.#names.delete(grant.id)
    if (holding) holding.seats = Math.max(0, holding.seats - grant.seats)
    const waiting = this.#waiting.get(grant.holder)
    if (waiting?.delete(grant.id) && waiting.size === 0) this.#waiting.delete(grant.holder)
  }

  /** Everything may have been loaded anew (R1). @returns whether it was counted anew, this change included */
  #catchUp(): boolean {
    const { book } = this.#keeper
    if (this.#book === book) return false
    this.#book = book
    this.#holdings.clear()
    this.#names.clear()
    this.#waiting.clear()
    for (const grant of book.grants()) {
      if (grant.kind !== 'lease') continue
      this.#add(grant)
      if (isGivenBack(grant)) this.#wait(grant)
    }
    return true
  }

  #add(grant: Grant): void {
    const name = this.#nameOf(grant)
    this.#names.set(grant.id, name)
    const holding = this.#holdingOf(name)
    holding.seats += grant.seats
    holding.most = Math.max(holding.most, holding.seats)
  }

  #wait(grant: Grant): void {
    const waiting = this.#waiting.get(grant.holder)
    if (waiting) waiting.add(grant.id)
    else this.#waiting.set(grant.holder, new Set([grant.id]))
  }

  #holdingOf(name: string): Holding {
    const known = this.#holdings.get(name)
    if (known) return known
    const holding: Holding = { seats: 0, most: 0, returns: [] }
    this.#holdings.set(name, holding)
    return holding
  }

  /** Forgets agents that have nothing and gave nothing back for longer than any lease lasts. */
  #sweep(now: number): void {
    for (const [name, { seats, returns }] of this.#holdings)
      if (seats === 0 && (returns.at(-1)?.at ?? now) <= now - longestLease) this.#holdings.delete(name)
  }

  /** A license that is gone is as good as the supply's own name. */
  #nameOf(grant: Grant): string {
    const supply = grant.parts[0]?.supply ?? ''
    return `${grant.holder}\0${this.#keeper.book.supply(supply)?.license ?? supply}`
  }
}

/** A lease that its holder gave back; its seats are free at the end of its text. */
export function isGivenBack(grant: Grant): boolean {
  return grant.kind === 'lease' && grant.ending === 'released'
}
