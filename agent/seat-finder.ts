/**
 * Finds seats: first here (own licenses, then leases that are kept), then at other managers, then in the line. For sessions of this
 * machine and for leases of other agents, which wait in the same line. Owns the line; seats are the lessor's, leases `leases.ts`'s.
 * Must not import http.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import { fill, openSupplies } from './domain/placement.ts'
import { type ProductName, vendorOf } from './domain/product-name.ts'
import { type OpenCommand, wantedBy } from './domain/seats.ts'
import type { SupplyKind } from './domain/supply.ts'
import { type ErrorCode, errorTable } from './errors.ts'
import type { Placed } from './lease-asking.ts'
import type { Asked, ManagerRefusal, Obtained } from './lease-search.ts'
import type { LeaseSeats } from './lease-seats.ts'
import { type Want, wantOf } from './lease-want.ts'
import type { Lessor, OpenAnswer, SeatEvent } from './lessor.ts'
import { type Place, type StandingPlace, type WaitAnswer, WaitingRoom } from './waiting-room.ts'
import type { Transaction } from './writes.ts'

export interface SeatFinderOptions {
  readonly lessor: Lessor
  readonly clock: Clock
  readonly timers: Timers
  /** This agent's id. */
  readonly self: () => { readonly id: string }
  /** Absent: there are no other managers. */
  readonly remote?: LeaseSeats
  readonly onLine?: (product: ProductName, waiting: number) => void
}

export type FindAnswer =
  | WaitAnswer<OpenAnswer>
  /** Nobody who has the product can be reached. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** A manager refused, for another reason than that there is no seat. */
  | { readonly kind: 'denied'; readonly code: ErrorCode; readonly by: ManagerRefusal }

export interface Found {
  readonly answer: FindAnswer
  /** Every manager that was asked, and what it said. */
  readonly asked: readonly Asked[]
  readonly refusals: readonly ManagerRefusal[]
}

export interface FindOptions {
  /** Waits in line for so many ms where there is no seat. */
  readonly wait?: number
  /** Aborted when nobody listens for the answer any more. */
  readonly signal?: AbortSignal | undefined
}

type Searched = Obtained<OpenAnswer>

const notSearched: Searched = { asked: [], refusals: [], unreachable: 0 }

export class SeatFinder {
  readonly #options: SeatFinderOptions
  readonly #room: WaitingRoom<OpenAnswer>
  /** What is being looked for at other managers. */
  readonly #searching = new Map<string, { readonly body: string; readonly over: Promise<unknown> }>()
  /** Told when other managers, or what they offer, have changed. */
  readonly #lookouts = new Set<() => void>()

  constructor(options: SeatFinderOptions) {
    this.#options = options
    const { clock, timers, onLine, remote } = options
    this.#room = new WaitingRoom({
      clock,
      timers,
      ask: (command) => this.#askHere(command),
      isFinal: (answer) => answer.kind !== 'short',
      again: (answer) => (answer.kind === 'granted' ? { ...answer, kind: 'repeated' } : answer),
      ...(remote === undefined
        ? {}
        : { stand: (command: OpenCommand, place: StandingPlace) => this.#stand(remote, command, place) }),
      ...(onLine === undefined ? {} : { onChange: onLine }),
    })
    remote?.known.onChange(() => {
      for (const look of [...this.#lookouts]) look()
    })
  }

  /** Rejects with `store_unavailable`; the same id asked again then finds what it had (R1). */
  async find(command: OpenCommand, { wait = 0, signal }: FindOptions = {}): Promise<Found> {
    const { id, product, body } = command
    if (this.isInDoubt(id)) return found({ kind: 'closed', why: 'manager_unreachable' })
    const isBehind = this.#room.othersAhead(product, id)
    let here: OpenAnswer
    do {
      const other = this.#searching.get(id)
      if (other && other.body !== body) return found({ kind: 'conflict' })
      // The same request again, while the first is still looked for at other managers.
      await other?.over
      here = await this.#openHere(isBehind ? { ...command, sharedOnly: true } : command)
      if (isSettled(here)) return this.#settle(command, here)
    } while (this.#searching.has(id))
    // It lives, and its manager must be heard first: that is no reason to fetch another seat for it.
    if (this.#options.lessor.view.grant(id)) return found(here)
    const searched = isBehind ? notSearched : await this.#searchOnce(command, here, signal)
    if (searched.placed) return this.#settle(command, searched.placed, searched)
    // Who has others in front asks nobody (R30), so that there is nothing here says little.
    const isLined = isBehind && here.kind !== 'short' && this.#isElsewhere(command)
    const answer = isLined ? this.#shortOf(command, here) : this.#refusalOf(command, here, searched)
    if (answer.kind !== 'short') return found(answer, searched)
    if (wait <= 0) return found(answer, searched)
    return found(await this.#room.wait(command, wait, signal), searched)
  }

  /**
   * Whether what a live grant lives on may be over, and only its manager knows (R9, R20). Who renews sessions or leases asks this
   * first, and answers "later"; the manager is being asked then.
   */
  isInDoubt(id: string): boolean {
    const { lessor, remote } = this.#options
    if (!remote || remote.leases.size === 0) return false
    const grant = lessor.view.grant(id)
    if (!grant || grant.ending !== undefined) return false
    return remote.isInDoubt(grant.parts.map(({ supply }) => supply))
  }

  /** Everybody who waits, in order. */
  queue(): readonly Place[] {
    return this.#room.list()
  }

  /** Position from 1 in the line of its product, and how many wait there. */
  placeOf(product: ProductName, id: string): { readonly position: number; readonly waiting: number } | undefined {
    return this.#room.placeOf(product, id)
  }

  /** How many wait for a product. */
  waiting(product: ProductName): number {
    return this.#room.waiting(product)
  }

  /** How many wait before this one. */
  ahead(product: ProductName, id: string): number {
    return this.#room.othersAhead(product, id) ? this.#room.waiting(product) : 0
  }

  /** To be called with everything the lessor tells: seats that came free are offered to who waits. */
  noteSeats(event: SeatEvent): void {
    if (event.kind === 'opened' || event.kind === 'ending') return
    this.#room.serve(event.kind === 'supplies' ? undefined : vendorOf(event.grant.product))
  }

  stop(): void {
    this.#room.stop()
  }

  // ---- here

  #openHere(command: OpenCommand): Promise<OpenAnswer> {
    return this.#options.lessor.open(this.#allowed(command))
  }

  /** The head of the line: while it can stand in line elsewhere, nothing that is said here but a seat is final. */
  async #askHere(command: OpenCommand): Promise<OpenAnswer> {
    const answer = await this.#openHere(command)
    if (isSettled(answer) || answer.kind === 'short') return answer
    return this.#isElsewhere(command) ? { kind: 'short' } : answer
  }

  /** A manager that is out of reach for a moment costs nobody the place in the line (R30). */
  #isElsewhere(command: OpenCommand): boolean {
    const { remote } = this.#options
    if (!remote?.search.isOpen(command.product)) return false
    return this.#candidates(this.#wantOf(command)).length > 0 || remote.known.lost(command.product).length > 0
  }

  /** The product's license mode says where seats may come from (I10). */
  #allowed(command: OpenCommand): OpenCommand {
    const mode = this.#options.remote?.settings().forProduct(command.product).mode ?? 'both'
    if (mode === 'both') return command
    const kinds: readonly SupplyKind[] = mode === 'local' ? ['license', 'detachment'] : ['lease', 'detachment']
    const both = command.kinds === undefined ? kinds : kinds.filter((one) => command.kinds?.includes(one))
    return { ...command, kinds: both }
  }

  #settle(command: OpenCommand, answer: OpenAnswer, searched: Searched = notSearched): Found {
    this.#room.settle(command.product, command.id, answer)
    return found(answer, searched)
  }

  // ---- at other managers

  async #searchOnce(command: OpenCommand, here: OpenAnswer, signal: AbortSignal | undefined): Promise<Searched> {
    const { remote } = this.#options
    if (!remote?.search.isOpen(command.product) || !mayLease(command)) return notSearched
    const search = this.#search(remote, command, here, signal)
    this.#searching.set(command.id, { body: command.body, over: search.catch(() => undefined) })
    try {
      return await search
    } finally {
      this.#searching.delete(command.id)
    }
  }

  async #search(
    remote: LeaseSeats,
    command: OpenCommand,
    here: OpenAnswer,
    signal: AbortSignal | undefined,
  ): Promise<Searched> {
    const { search } = remote
    await this.#someManager(remote, command)
    if (signal?.aborted) return notSearched
    const want = this.#wantOf(command, here)
    return await search.obtain(want, (transaction) => this.#place(transaction, command), signal)
  }

  /** Before the first search is over nobody knows what there is; the first manager that has it is reason enough to ask. */
  #someManager({ search, known }: LeaseSeats, command: OpenCommand): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#lookouts.delete(look)
        resolve()
      }
      const look = (): void => {
        if (search.candidates(this.#wantOf(command)).length > 0) done()
      }
      this.#lookouts.add(look)
      void known.settled().then(done)
      look()
    })
  }

  #place(transaction: Transaction, command: OpenCommand): Placed<OpenAnswer> {
    const answer = this.#options.lessor.openIn(transaction, this.#allowed(command))
    return { isPlaced: answer.kind === 'granted', isOver: isSettled(answer), answer }
  }

  #stand(remote: LeaseSeats, command: OpenCommand, place: StandingPlace): Cancel {
    if (!remote.search.isOpen(command.product) || !mayLease(command)) return () => undefined
    return remote.line.stand<OpenAnswer>({
      want: this.#wantOf(command),
      until: place.until,
      isAway: place.isAway,
      place: (transaction) => this.#place(transaction, command),
      done: (answer) => this.#room.deliver(command.product, command.id, answer),
    })
  }

  #wantOf(command: OpenCommand, here?: OpenAnswer): Want {
    return wantOf(
      command,
      this.#options.self().id,
      here?.kind === 'unknown_product' ? command.seats : this.#missing(command),
    )
  }

  /** How many seats there are too few here. Seats that only its own key may have do not count: leases share those (R17). */
  #missing(command: OpenCommand): number {
    if (command.seats === 1) return 1
    const { lessor, clock } = this.#options
    const wanted = wantedBy(this.#allowed(command))
    const supplies = openSupplies(lessor.view, wanted, clock.boot().at).filter((one) => one.onlyKey === undefined)
    return Math.max(1, fill(lessor.view, supplies, wanted).missing)
  }

  #candidates(want: Want) {
    return this.#options.remote?.search.candidates(want) ?? []
  }

  // ---- what is said in the end

  #refusalOf(command: OpenCommand, here: OpenAnswer, { refusals, unreachable, unplaced }: Searched): FindAnswer {
    if (here.kind === 'short') return here
    const isFull = refusals.some(({ problem }) => problem.code === 'no_seats' || problem.code === 'queue_full')
    if (here.kind === 'too_many' || isFull) return this.#shortOf(command, here)
    // There are seats, but not for long enough to be passed on (R10).
    if (unplaced?.kind === 'lease_too_short') return unplaced
    const denied = refusals.find(({ problem }) => !saysNothing(problem.code))
    if (denied) return { kind: 'denied', code: codeOf(denied), by: denied }
    if (here.kind === 'closed') return here
    return this.#unreachable(command, unreachable) ?? here
  }

  /** There is no seat now; where there are too few in all, waiting is of no use. */
  #shortOf(command: OpenCommand, here: OpenAnswer): OpenAnswer {
    const offers = this.#candidates(this.#wantOf(command)).map(({ offer }) => offer.seats + offer.anySeats)
    const own = here.kind === 'too_many' ? here.seats : 0
    const seats = command.lease ? Math.max(own, ...offers) : offers.reduce((sum, one) => sum + one, own)
    return command.seats > seats ? { ...here, kind: 'too_many', seats } : { kind: 'short' }
  }

  #unreachable({ product }: OpenCommand, unreachable: number): FindAnswer | undefined {
    const { remote } = this.#options
    if (!remote?.search.isOpen(product)) return undefined
    const { manager } = remote.settings().forProduct(product)
    const offering = remote.known.offering(product)
    const lost = remote.known.lost(product)
    if (manager !== '' && !offering.some(({ link }) => remote.known.isAt(link.id, manager)))
      return {
        kind: 'unreachable',
        detail: `The license server that is set for ${product}, ${manager}, can not be reached.`,
      }
    const [first] = lost
    if (first)
      return { kind: 'unreachable', detail: `${first.name} has ${product}, but can not be reached: ${first.detail}` }
    if (unreachable > 0)
      return { kind: 'unreachable', detail: `No license manager that has ${product} can be reached.` }
    return undefined
  }
}

/** Only detached seats may be had while nothing else is given out; those are not leased. */
function mayLease({ kinds }: OpenCommand): boolean {
  return kinds === undefined || kinds.includes('lease')
}

function isSettled(answer: { readonly kind: string }): boolean {
  return ['granted', 'repeated', 'conflict', 'ended'].includes(answer.kind)
}

/** The manager does not have it any more, or we asked it twice: nothing that a person could do about. */
function saysNothing(code: string): boolean {
  return ['unknown_product', 'id_conflict', 'session_ended', 'loop_detected'].includes(code)
}

function codeOf({ problem }: ManagerRefusal): ErrorCode {
  return Object.hasOwn(errorTable, problem.code) ? (problem.code as ErrorCode) : 'manager_unreachable'
}

function found(answer: FindAnswer, { asked, refusals }: Searched = notSearched): Found {
  return { answer, asked, refusals }
}
