/**
 * Seats that leave for other machines until a date: the grants of kind `detachment`. They are never renewed, and they end by their
 * date, which the owner of detachments watches (R11), not by elapsed time. Only the lessor makes one of this; owns no state.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { SeatView } from './domain/book.ts'
import { type DetachPlace, type DetachWish, detachableFor, placeDetachment } from './domain/detaching.ts'
import type { Grant, Tombstone, Who } from './domain/grant.ts'
import * as happenings from './domain/happenings.ts'
import { leaseSecondsOf } from './domain/placement.ts'
import type { Supply } from './domain/supply.ts'
import type { Endings, SeatEvent } from './endings.ts'
import type { Transaction } from './writes.ts'

export interface Departure {
  /** Id of the grant; `departureId`. */
  readonly id: string
  readonly instance: string
  /** The agent that takes the seats along. */
  readonly holder: string
  readonly wish: DetachWish
  /** When it ends, as ms since 1970. */
  readonly until: number
  /** In how many ms its seats are free, if nothing is heard. */
  readonly freeIn: number
  readonly who: Who
}

export type Departed =
  | { readonly kind: 'departed'; readonly grant: Grant; readonly supply: Supply }
  | Exclude<DetachPlace, { kind: 'placed' }>

/** Nothing that another agent could ask for by an id of its own: those have no slash. */
export function departureId(holder: string, id: string): string {
  return `${holder}/detached/${id}`
}

export class Departures {
  readonly #keeper: Bookkeeper
  readonly #endings: Endings
  readonly #tell: (event: SeatEvent) => void

  constructor(keeper: Bookkeeper, endings: Endings, tell: (event: SeatEvent) => void) {
    this.#keeper = keeper
    this.#endings = endings
    this.#tell = tell
  }

  /** Within a job: grants seats until a date. What it is converted from ends in the same batch (R16). */
  depart(transaction: Transaction, departure: Departure): Departed {
    const { draft } = this.#keeper
    const { wish } = departure
    const { place, converting } = this.#place(wish)
    if (place.kind !== 'placed') return place
    const supply = draft.supply(place.part.supply)
    if (supply === undefined) return { kind: 'not_detachable' }
    const grant = this.#grantOf(departure, [place.part], leaseSecondsOf(draft, [place.part]))
    // Before the others end: a session would be moved to the seat that is free in between (R31).
    this.#open(transaction, grant)
    for (const one of converting) this.#endings.end(transaction, one, 'detached')
    return { kind: 'departed', grant, supply }
  }

  /** What becomes it must have its seats from the same supply: what lives on it is counted by that license's rule (R17). */
  #place(wish: DetachWish): { readonly place: DetachPlace; readonly converting: readonly Grant[] } {
    const { draft } = this.#keeper
    let converting = (wish.converting ?? []).flatMap(({ id }) => draft.grant(id) ?? [])
    for (;;) {
      const place = placeDetachment(draft, { ...wish, converting })
      if (place.kind !== 'placed') return { place, converting }
      const fitting = converting.filter(({ parts }) => parts.every(({ supply }) => supply === place.part.supply))
      if (fitting.length === converting.length) return { place, converting }
      converting = fitting
    }
  }

  /** Within a job: what this agent signed and no longer knows counts again, be it more than there are seats (R24). */
  adopt(transaction: Transaction, departure: Departure, supply: string): Grant {
    const part = { supply, seats: departure.wish.seats }
    const grant = this.#grantOf(departure, [part], leaseSecondsOf(this.#keeper.draft, [part]))
    this.#open(transaction, grant)
    return grant
  }

  /** Within a job: it lasts longer. @param freeIn ms */
  prolong(transaction: Transaction, id: string, { until, freeIn }: Pick<Departure, 'until' | 'freeIn'>): void {
    const { draft, readings } = this.#keeper
    const grant = draft.grant(id)
    if (grant?.kind !== 'detachment') return
    const written = { boot: readings.boot.id, at: readings.boot.at }
    const prolonged: Grant = { ...grant, until, freeIn, written }
    draft.putGrant(prolonged)
    this.#keeper.promiseUntilDate(transaction, prolonged)
    transaction.after(() => this.#tell({ kind: 'changed', grant: prolonged }))
  }

  /** Within a job: its seats are free. @param overlap they may still be in use, by order */
  end(transaction: Transaction, id: string, reason: string, overlap?: Tombstone['overlap']): void {
    const grant = this.#keeper.draft.grant(id)
    if (grant?.kind === 'detachment') this.#endings.end(transaction, grant, reason, overlap)
  }

  /** Within a job: what is known of an id that may not be granted any more. */
  gone(id: string): string | undefined {
    return this.#keeper.draft.tombstone(id)?.reason
  }

  /** Within a job: a request of this id that may still come gets nothing (R15). */
  forbid(id: string, instance: string): void {
    const { draft } = this.#keeper
    if (draft.grant(id) === undefined && draft.tombstone(id) === undefined)
      draft.putTombstone({ id, instance, reason: 'released', peer: true })
  }

  /** The state that is being decided on. */
  get view(): SeatView {
    return this.#keeper.draft
  }

  /** How many seats could be detached for this wish now. */
  detachable(wish: DetachWish): number {
    return detachableFor(this.#keeper.draft, wish)
  }

  /** When its seats are free by the date, in ms from now, as it is known better than from the record: for people. */
  date(id: string, freeIn: number): void {
    this.#keeper.promises.date(id, this.#keeper.now + freeIn)
  }

  #open(transaction: Transaction, grant: Grant): void {
    this.#keeper.draft.putGrant(grant)
    transaction.journal(happenings.grantOpened(grant))
    this.#keeper.promiseUntilDate(transaction, grant)
    transaction.after(() => this.#tell({ kind: 'opened', grant }))
  }

  #grantOf(
    { id, instance, holder, wish, until, freeIn, who }: Departure,
    parts: Grant['parts'],
    leaseSeconds: number,
  ): Grant {
    const { readings } = this.#keeper
    return {
      id,
      instance,
      kind: 'detachment',
      holder,
      product: wish.product,
      ...(wish.feature === undefined ? {} : { feature: wish.feature }),
      seats: wish.seats,
      parts,
      leaseSeconds,
      who,
      body: '',
      until,
      activity: 'heartbeat',
      startedAt: readings.wall,
      idleFor: 0,
      freeIn,
      written: { boot: readings.boot.id, at: readings.boot.at },
    }
  }
}
