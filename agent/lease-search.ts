/**
 * Looks for a lease at the managers that offer the product: best first, one at a time, each within its time, all within 15 s.
 * What each said is kept for the explanation (X1). Owns nothing.
 */
import type { Clock } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import type { AskReply, LeaseAsking, Piece, Placed, Ticket } from './lease-asking.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { LeaseReturns } from './lease-returns.ts'
import { isKeyed, mayAsk, type Want } from './lease-want.ts'
import type { Leases } from './leases.ts'
import type { KnownManagers, Offering } from './peers/manager-link.ts'
import { hasFree } from './peers/offers.ts'
import type { Offer, PeerProblem } from './peers/wire.ts'
import type { Transaction } from './writes.ts'

/** What the administrator set about seats of other managers. */
export interface RemoteSettings {
  readonly allowed: boolean
  /** How long a lease is kept for its next use, in seconds. */
  readonly lingerSeconds: number
  /** Where seats of the product come from, and the one manager to ask; '' = any. */
  forProduct(product: ProductName): { readonly mode: 'both' | 'local' | 'network'; readonly manager: string }
}

export interface ManagerName {
  readonly id: string
  readonly name: string
}

/** A manager that was asked, and what it said: `granted`, an error code, `unreachable`, `queued`. */
export interface Asked {
  readonly manager: ManagerName
  readonly outcome: string
  /** A sentence for people. */
  readonly detail: string
  readonly ms: number
}

export interface ManagerRefusal {
  readonly manager: ManagerName
  readonly problem: PeerProblem
}

export interface Obtained<T> {
  /** Absent: nobody granted it. */
  readonly placed?: T
  /** Why what was granted did not serve and went back. */
  readonly unplaced?: T
  readonly asked: readonly Asked[]
  readonly refusals: readonly ManagerRefusal[]
  readonly unreachable: number
}

export interface LeaseSearchParts {
  readonly asking: LeaseAsking
  readonly leases: Leases
  readonly renewals: LeaseRenewals
  readonly returns: LeaseReturns
  readonly known: KnownManagers
  readonly clock: Clock
  readonly settings: () => RemoteSettings
}

interface Search<T = unknown> {
  readonly want: Want
  readonly asked: Asked[]
  readonly refusals: ManagerRefusal[]
  unreachable: number
  unplaced?: T
  /** On `atLeast`. */
  readonly deadline: number
  readonly signal: AbortSignal | undefined
}

/** In ms. */
export const askTimeout = 5_000
const searchTimeout = 15_000
const shortestAsk = 100
/** So many leases are put together for one session. */
const mostPieces = 16

const silent: AskReply = {
  kind: 'unreachable',
  unsent: true,
  step: 'answer',
  detail: 'It does not renew what is leased from it.',
}

export class LeaseSearch {
  readonly #parts: LeaseSearchParts

  constructor(parts: LeaseSearchParts) {
    this.#parts = parts
  }

  /** Whether managers may be asked for this product at all. */
  isOpen(product: ProductName): boolean {
    const { allowed, forProduct } = this.#parts.settings()
    return allowed && forProduct(product).mode !== 'local'
  }

  /**
   * Managers that may be asked, best first. Who only passes on what another one has that is asked itself is left out unless it has
   * free seats of its own: else everybody would ask everybody for the same seats (R32).
   */
  candidates(want: Want): Offering[] {
    if (!this.isOpen(want.product)) return []
    const { known } = this.#parts
    const { manager } = this.#parts.settings().forProduct(want.product)
    const offerings = known
      .offering(want.product)
      .filter(({ link, offer }) => (manager === '' || known.isAt(link.id, manager)) && mayAsk(want, link.id, offer))
    const hops = new Map(offerings.map(({ link, offer }) => [link.id, offer.chain.length]))
    const isNearer = (id: string, { chain }: Offer): boolean => (hops.get(id) ?? chain.length) < chain.length
    return offerings.filter(({ offer }) => hasFree(offer) || !offer.chain.some((id) => isNearer(id, offer)))
  }

  /**
   * @param place grants what the leases were fetched for, in the batch in which they are taken (R7)
   * Rejects with `store_unavailable`.
   */
  async obtain<T>(
    want: Want,
    place: (transaction: Transaction) => Placed<T>,
    signal?: AbortSignal,
  ): Promise<Obtained<T>> {
    const search: Search<T> = {
      want,
      asked: [],
      refusals: [],
      unreachable: 0,
      deadline: this.#parts.clock.atLeast() + searchTimeout,
      signal,
    }
    const placed = (await this.#whole(search, place)) ?? (await this.#pieces(search, place))
    const { asked, refusals, unreachable, unplaced } = search
    const answer = placed ? { placed: placed.answer } : unplaced === undefined ? {} : { unplaced }
    return { ...answer, asked, refusals, unreachable }
  }

  async #whole<T>(search: Search<T>, place: (transaction: Transaction) => Placed<T>): Promise<Placed<T> | undefined> {
    for (const offering of this.candidates(search.want)) {
      const { want } = search
      const seats = isKeyed(want, offering.offer) ? want.seats : want.missing
      const reply = await this.#ask(offering, seats, search)
      if (reply?.kind !== 'granted') continue
      const placed = await this.#parts.asking.take([reply.piece], place)
      if (placed.isPlaced || placed.isOver) return placed
      search.unplaced = placed.answer
    }
    return undefined
  }

  /** Nobody had all the seats: puts them together from what each could give (R18). */
  async #pieces<T>(search: Search<T>, place: (transaction: Transaction) => Placed<T>): Promise<Placed<T> | undefined> {
    const { want, refusals } = search
    if (want.inOne || want.purpose === 'reserve' || want.seats < 2) return undefined
    const most = new Map(refusals.map(({ manager, problem }) => [manager.id, problem.largest ?? 0]))
    const givers = this.candidates(want)
      .filter(({ link }) => (most.get(link.id) ?? 0) > 0)
      .sort((a, b) => (most.get(b.link.id) ?? 0) - (most.get(a.link.id) ?? 0))
    const pieces: Piece[] = []
    let missing = want.missing
    for (const giver of givers) {
      let largest = most.get(giver.link.id) ?? 0
      while (missing > 0 && largest > 0 && pieces.length < mostPieces) {
        const reply = await this.#ask(giver, Math.min(missing, largest), search)
        if (reply?.kind !== 'granted' || !this.#adds(pieces, reply.piece)) {
          if (reply?.kind === 'granted') await this.#giveUp([reply.piece])
          const less = reply?.kind === 'refused' ? (reply.problem.largest ?? 0) : 0
          largest = Math.min(less, largest - 1)
          continue
        }
        pieces.push(reply.piece)
        missing -= reply.piece.lease.seats
      }
    }
    if (missing > 0) {
      await this.#giveUp(pieces)
      return undefined
    }
    const placed = await this.#parts.asking.take(pieces, place)
    if (placed.isPlaced || placed.isOver) return placed
    search.unplaced = placed.answer
    return undefined
  }

  /** A second lease under the same key of the same license is the same seats at the manager, so it adds nothing (R17). */
  #adds(pieces: readonly Piece[], { lease }: Piece): boolean {
    const { key, license } = lease
    if (key === undefined || key.parts.length === 0) return true
    const isSame = (other: { license: string; key?: typeof key | undefined }): boolean =>
      other.license === license && JSON.stringify(other.key) === JSON.stringify(key)
    if (pieces.some((one) => isSame(one.lease))) return false
    for (const { terms } of this.#parts.leases.list()) if (terms !== undefined && isSame(terms)) return false
    return true
  }

  async #giveUp(pieces: readonly Piece[]): Promise<void> {
    if (pieces.length === 0) return
    await this.#parts.asking.take(pieces, () => ({ isPlaced: false, answer: undefined }))
  }

  /** Asks one manager; where it has no seat because we keep some for nobody, they go back first, and it is asked once more (R32). */
  async #ask(offering: Offering, seats: number, search: Search): Promise<AskReply | undefined> {
    const { renewals, returns, clock } = this.#parts
    const { link } = offering
    const began = clock.atLeast()
    // What lives is kept before something new is wanted (R32).
    const isHeard = this.#timeLeft(search) < shortestAsk || (await renewals.keepFirst(link.id))
    let reply = isHeard ? await this.#askOnce(offering, seats, search) : silent
    if (reply?.kind === 'refused' && reply.problem.code === 'no_seats') {
      const isFree = await returns.giveBackIdle(link.id, search.want.product, this.#timeLeft(search))
      if (isFree) reply = (await this.#askOnce(offering, seats, search)) ?? reply
    }
    if (reply) note(search, link, reply, Math.round(clock.atLeast() - began))
    return reply
  }

  async #askOnce(offering: Offering, seats: number, search: Search): Promise<AskReply | undefined> {
    const { asking } = this.#parts
    const timeout = this.#timeLeft(search)
    if (timeout < shortestAsk || search.signal?.aborted) return undefined
    const ticket = await asking.begin(offering, search.want, seats)
    const reply = await asking.send(ticket, { timeout, signal: search.signal })
    await this.#close(ticket, reply)
    return reply
  }

  async #close(ticket: Ticket, reply: AskReply): Promise<void> {
    if (reply.kind === 'granted') return
    if (reply.kind === 'refused') this.#parts.asking.refused(ticket)
    else await this.#parts.asking.drop([ticket])
  }

  #timeLeft(search: Search): number {
    return Math.max(0, Math.min(askTimeout, search.deadline - this.#parts.clock.atLeast()))
  }
}

function note(search: Search, { id, name }: ManagerName, reply: AskReply, ms: number): void {
  const manager = { id, name }
  if (reply.kind === 'refused') search.refusals.push({ manager, problem: reply.problem })
  if (reply.kind === 'unreachable') search.unreachable++
  search.asked.push({ manager, ...toldOf(reply), ms })
}

function toldOf(reply: AskReply): { readonly outcome: string; readonly detail: string } {
  switch (reply.kind) {
    case 'granted':
      return { outcome: 'granted', detail: 'It gave a seat.' }
    case 'queued':
      return { outcome: 'queued', detail: `${reply.position - 1} wait there before this.` }
    case 'refused':
      return { outcome: reply.problem.code, detail: reply.problem.detail ?? 'It gave no reason.' }
    default:
      return { outcome: reply.kind, detail: reply.detail }
  }
}
