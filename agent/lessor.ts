/**
 * The lessor owns supplies and grants: it is their only writer. Decisions are pure functions on a draft of the book, one draft
 * per batch of the writer; after the batch is on disk the draft becomes the book (R4). Renewals that fit into what is stored
 * are answered from memory (R3). It ends what is overdue by elapsed time (R2) and tells who listens.
 * Must not import who asks: broker, licenses, http.
 */
import { Bookkeeper } from './bookkeeper.ts'
import type { Clock, Timers } from './clock.ts'
import { Departures } from './departures.ts'
import type { Book, SeatView } from './domain/book.ts'
import { type Grant, isOwnLease, type Tombstone } from './domain/grant.ts'
import * as happenings from './domain/happenings.ts'
import { decideOpen, moveBack, type OpenCommand, type OpenOutcome } from './domain/seats.ts'
import type { Supply, SupplyKind } from './domain/supply.ts'
import { decideTransfer } from './domain/transfer.ts'
import { EarlyReturns, isGivenBack } from './early-returns.ts'
import { Endings, isEmpty, type SeatEvent } from './endings.ts'
import type { EndReason } from './errors.ts'
import type { LivePromise } from './promises.ts'
import { type Renewal, Renewals } from './renewals.ts'
import { Upkeep } from './upkeep.ts'
import type { BatchParticipant, RecordOwner, Transaction, Writes } from './writes.ts'

export type { SeatEvent } from './endings.ts'
export type { Renewal } from './renewals.ts'

export interface LessorOptions {
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  /** After how much time without reported activity a session ends, in ms. */
  readonly idleLimit: () => number
  readonly onEvent?: (event: SeatEvent) => void
}

export interface PromisedSeats {
  readonly grant: Grant
  /** Seconds for which the holder may believe in it, rounded down. */
  readonly expiresIn: number
  /** Seconds until the seat may be reused if nothing else is heard, rounded up. */
  readonly freeIn: number
}

export type OpenAnswer =
  | Exclude<OpenOutcome, { kind: 'granted' | 'repeated' }>
  | ({ readonly kind: 'granted' } & PromisedSeats)
  | ({ readonly kind: 'repeated' } & PromisedSeats)

export type EndAnswer =
  | { readonly kind: 'ended'; readonly grant: Grant; readonly overlap?: Tombstone['overlap'] }
  /**
   * Also of a lease that its holder gave back when it had given back too many early (R28): it is over for the holder.
   * @property freeAt wall time in ms at which the seat is free at the latest, for people
   */
  | { readonly kind: 'ending'; readonly grant: Grant; readonly freeAt: number }
  | { readonly kind: 'overlap_forbidden' }
  | { readonly kind: 'gone'; readonly reason: string }
  | { readonly kind: 'unknown' }

export class Lessor {
  /** Seats that leave for other machines until a date. */
  readonly departures: Departures
  readonly #options: LessorOptions
  readonly #keeper: Bookkeeper
  readonly #endings: Endings
  readonly #renewals: Renewals
  readonly #upkeep: Upkeep
  readonly #returns: EarlyReturns

  constructor(options: LessorOptions) {
    const { writes, clock, timers, idleLimit } = options
    this.#options = options
    this.#keeper = new Bookkeeper(clock, idleLimit, (transaction) => this.#upkeep.sweep(transaction))
    this.#returns = new EarlyReturns(this.#keeper)
    this.#endings = new Endings({ keeper: this.#keeper, tell: (event) => this.#tell(event) })
    this.departures = new Departures(this.#keeper, this.#endings, (event) => this.#tell(event))
    this.#renewals = new Renewals({ keeper: this.#keeper, endings: this.#endings, writes, clock })
    this.#upkeep = new Upkeep({ keeper: this.#keeper, endings: this.#endings, writes, clock, timers })
  }

  /** To be registered with the writer. */
  get records(): RecordOwner & BatchParticipant {
    return this.#keeper
  }

  /** The committed state. */
  get view(): SeatView &
    Pick<Book, 'grants' | 'supplies' | 'grantCount' | 'vendorsOf' | 'vendorsOfAny' | 'tombstones'> {
    return this.#keeper.book
  }

  promiseOf(id: string): Readonly<LivePromise> | undefined {
    return this.#keeper.promises.get(id)
  }

  /** False while everything is loaded anew; an unknown id means nothing then. */
  get isReady(): boolean {
    return this.#keeper.isReady
  }

  start(): void {
    this.#upkeep.start()
  }

  stop(): void {
    this.#upkeep.stop()
  }

  /** Whether nothing lives on the supply, as committed. */
  isEmpty(supply: string): boolean {
    return isEmpty(this.view, supply)
  }

  /** Gives seats to an application or to another agent; a repeat of a live id is a renewal (R14). */
  open(command: OpenCommand): Promise<OpenAnswer> {
    return this.#options.writes.submit<OpenAnswer>((transaction) => this.openIn(transaction, command), {
      growing: true,
    })
  }

  /** The same within a job of another owner: what was fetched and for whom is one batch (R7). */
  openIn(transaction: Transaction, command: OpenCommand): OpenAnswer {
    const { draft, readings } = this.#keeper
    const returned = command.kind === 'lease' ? this.#returns.waitingOf(command.holder) : []
    const outcome = decideOpen(draft, command, readings, returned)
    if (outcome.kind === 'repeated') return this.#repeat(transaction, outcome.grant, command)
    if (outcome.kind !== 'granted') return outcome
    const { grant, moved, takenOver } = outcome
    for (const one of takenOver) this.#endings.noteEnded(transaction, one, 'released')
    const expiresIn = this.#renewals.secondsFor(draft, grant, readings.bootAt)
    transaction.journal(happenings.grantOpened(grant))
    this.#endings.noteMoves(transaction, moved)
    const freeIn = this.#keeper.promise(transaction, grant, expiresIn)
    transaction.after(() => this.#tell({ kind: 'opened', grant }))
    return { kind: 'granted', grant, expiresIn, freeIn }
  }

  #repeat(transaction: Transaction, grant: Grant, { kind, binding }: OpenCommand): OpenAnswer {
    const { unconfirmed: _, ...heard } = grant
    // Another agent that asks again has heard of its seat; a session has when it beats (R30).
    const renewed = this.#renewals.promiseDurably(transaction, kind === 'lease' ? heard : grant, binding)
    // Being answered that it has ended confirms nothing here: this may be a late copy that nobody listens for.
    if (renewed.kind === 'ended') return renewed
    return renewed.kind === 'later' ? { kind: 'closed', why: 'manager_unreachable' } : { ...renewed, kind: 'repeated' }
  }

  /**
   * Keeps a session or a lease. Answers at once where that needs no write.
   * @param binding a nonce; the first one is the session's binding and is stored (R27)
   */
  renew(id: string, binding?: string): Renewal | Promise<Renewal> {
    return this.#renewals.renew(id, binding)
  }

  /** The same on behalf of a holder that is not asking now, so that it hears nothing: an end is not confirmed by it (R5). */
  keep(id: string): Renewal | Promise<Renewal> {
    return this.#renewals.renew(id, undefined, false)
  }

  /** The idle limit was changed. */
  reconsiderIdle(): void {
    this.#keeper.promises.lookAtAll(this.view.grants())
  }

  /** The application was active at this reading of `atLeast`. */
  noteActivity(id: string, at: number): void {
    this.#keeper.promises.noteActivity(id, at)
  }

  /**
   * The holder gives the seat back, or is known to have stopped: free at once, but for an agent that gives back too many leases
   * early (R28).
   */
  end(id: string, reason: EndReason): Promise<EndAnswer> {
    return this.#options.writes.submit<EndAnswer>((transaction) => this.#endIn(transaction, id, reason))
  }

  /**
   * The same where the request that asks for it may still come: an id that is not known is never granted then (R15).
   * @param instance the license server that is meant
   */
  forbid(id: string, instance: string): Promise<EndAnswer> {
    return this.#options.writes.submit<EndAnswer>((transaction) => {
      const answer = this.#endIn(transaction, id, 'released')
      if (answer.kind !== 'unknown') return answer
      this.#keeper.draft.putTombstone({ id, instance, reason: 'released', peer: true })
      return { kind: 'gone', reason: 'released' }
    })
  }

  #endIn(transaction: Transaction, id: string, reason: EndReason): EndAnswer {
    const { draft } = this.#keeper
    const grant = draft.grant(id)
    if (!grant || grant.kind === 'detachment') return goneOrUnknown(draft, id)
    if (grant.kind === 'lease' && reason === 'released' && this.#mustWait(transaction, grant))
      return { kind: 'ending', grant: draft.grant(id) ?? grant, freeAt: this.#freeAt(grant) }
    this.#endings.end(transaction, grant, grant.ending ?? reason)
    return { kind: 'ended', grant }
  }

  /** Whether the seat of a lease that is given back is free only at the end of its text (R28); makes it wait. */
  #mustWait(transaction: Transaction, grant: Grant): boolean {
    if (isOwnLease(grant)) return false
    if (isGivenBack(grant)) return true
    // It confirms an end that was ordered here.
    if (grant.ending !== undefined || this.#returns.mayFree(transaction, grant)) return false
    this.#endings.begin(transaction, grant, 'released')
    transaction.after(() => {
      this.#keeper.promises.giveBack(grant, this.#options.clock.atLeast())
      this.#returns.noteGivenBack(grant)
    })
    return true
  }

  /** Wall time in ms, for people. */
  #freeAt(grant: Grant): number {
    const { readings } = this.#keeper
    return readings.wall + Math.max(0, Math.ceil(this.#keeper.freeAtOf(grant) - readings.atLeast))
  }

  /**
   * Ends a session from this side: the holder is told, the seat is free when it confirms or its time is over (R5).
   * With `freeNow` it is free at once although it may still run; that is an overlap, recorded until then.
   */
  disconnect(
    id: string,
    reason: EndReason,
    options: { readonly freeNow?: boolean; readonly by?: string; readonly note?: string } = {},
  ): Promise<EndAnswer> {
    const { freeNow: _, ...order } = options
    return this.#options.writes.submit<EndAnswer>((transaction) => {
      const { draft } = this.#keeper
      const grant = draft.grant(id)
      if (!grant || grant.kind === 'detachment') return goneOrUnknown(draft, id)
      const freeAt = this.#freeAt(grant)
      if (!options.freeNow) {
        this.#endings.begin(transaction, grant, reason, order)
        return { kind: 'ending', grant: draft.grant(id) ?? grant, freeAt }
      }
      const supplies = grant.parts.map((part) => part.supply)
      // A license that was removed may have forbidden it, and is found again when it is back (R6).
      if (supplies.some((supply) => draft.supply(supply)?.overlap !== true)) return { kind: 'overlap_forbidden' }
      const overlap = { supplies, seats: grant.seats, until: freeAt }
      transaction.journal(happenings.seatOverlap(grant, freeAt, reason, order))
      this.#endings.end(transaction, grant, grant.ending ?? reason, overlap)
      return { kind: 'ended', grant, overlap }
    })
  }

  /**
   * Adds or changes a supply, within a job of its owner. A supply that takes nothing any more ends what can't move.
   * @param endReason of the sessions that end with it
   */
  putSupply(transaction: Transaction, supply: Supply, endReason: EndReason): void {
    const { draft, readings } = this.#keeper
    draft.putSupply(supply)
    if (supply.takes.kind === 'nothing') this.#endings.supplyEnded(transaction, supply.id, endReason)
    else this.#endings.noteMoves(transaction, moveBack(draft, [supply.id], readings))
    transaction.after(() => this.#tell({ kind: 'supplies' }))
  }

  /** The supply is gone; its grants count until they are free (R6). */
  dropSupply(transaction: Transaction, id: string, endReason: EndReason): void {
    this.#keeper.draft.dropSupply(id)
    this.#endings.supplyEnded(transaction, id, endReason)
    transaction.after(() => this.#tell({ kind: 'supplies' }))
  }

  /**
   * Adds a supply that takes over everything that is out of another one, which ends (R6, R16).
   * @param endReason of leases that can't go on there
   * @returns by how many seats more are out than the new one has
   */
  transferSupply(transaction: Transaction, from: string, to: Supply, endReason: EndReason = 'license_removed'): number {
    const { draft } = this.#keeper
    draft.putSupply(to)
    const { moved, ending, excess } = decideTransfer(draft, from, to, endReason)
    this.#endings.noteMoves(transaction, moved)
    for (const grant of ending) this.#endings.noteEnding(transaction, grant, endReason)
    draft.dropSupply(from)
    transaction.after(() => this.#tell({ kind: 'supplies' }))
    return excess
  }

  /** All supplies of one kind as they are after loading, without a write. */
  setSupplies(supplies: Iterable<Supply>, kind: SupplyKind = 'license'): void {
    const { book } = this.#keeper
    const draft = book.draft()
    for (const supply of book.supplies()) if (supply.kind === kind) draft.dropSupply(supply.id)
    for (const supply of supplies) draft.putSupply(supply)
    book.apply(draft)
  }

  #tell(event: SeatEvent): void {
    if (event.kind === 'opened') this.#returns.noteOpened(event.grant)
    else if (event.kind === 'ended') this.#returns.noteEnded(event.grant)
    this.#options.onEvent?.(event)
  }
}

function goneOrUnknown(view: SeatView, id: string): EndAnswer {
  const tombstone = view.tombstone(id)
  return tombstone ? { kind: 'gone', reason: tombstone.reason } : { kind: 'unknown' }
}
