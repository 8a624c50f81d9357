/**
 * How grants end and move, within the batch that is being decided: the decision, its journal entries, and who is told after it
 * is on disk. Used by the lessor and its upkeep only; owns no state.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { SeatView } from './domain/book.ts'
import type { Grant, Tombstone } from './domain/grant.ts'
import * as happenings from './domain/happenings.ts'
import { decideEnd, decideEnding, decideSupplyEnd } from './domain/seats.ts'
import type { EndReason } from './errors.ts'
import type { Transaction } from './writes.ts'

/** Told after it is on disk. */
export type SeatEvent =
  | { readonly kind: 'opened' | 'changed'; readonly grant: Grant }
  | { readonly kind: 'ending' | 'ended'; readonly grant: Grant; readonly reason: string }
  | { readonly kind: 'supplies' }

export interface EndingParts {
  readonly keeper: Bookkeeper
  readonly tell: (event: SeatEvent) => void
}

export class Endings {
  readonly #keeper: Bookkeeper
  readonly #tell: EndingParts['tell']

  constructor({ keeper, tell }: EndingParts) {
    this.#keeper = keeper
    this.#tell = tell
  }

  /** For good: the seat is free with this batch. */
  end(transaction: Transaction, grant: Grant, reason: string, overlap?: Tombstone['overlap']): void {
    const decided = decideEnd(this.#keeper.draft, grant.id, reason, this.#keeper.readings, overlap)
    if (!decided) return
    this.noteEnded(transaction, decided.ended, reason)
    this.noteMoves(transaction, decided.moved)
  }

  /** It was ended by another decision of this batch. */
  noteEnded(transaction: Transaction, ended: Grant, reason: string): void {
    transaction.journal(happenings.grantEnded(ended, reason))
    transaction.after(() => this.#tell({ kind: 'ended', grant: ended, reason }))
  }

  /** From the lessor's side: no more renewals; the seat counts until the holder confirms or its time is over (R5). */
  begin(transaction: Transaction, grant: Grant, reason: string, order: happenings.EndOrder = {}): void {
    if (grant.ending !== undefined) return
    const ending = decideEnding(this.#keeper.draft, grant.id, reason)
    if (ending) this.noteEnding(transaction, ending, reason, order)
  }

  /** Sessions of a supply that has ended move where they fit; the others begin to end (R6, R31). */
  supplyEnded(transaction: Transaction, supply: string, reason: EndReason): void {
    const decided = decideSupplyEnd(this.#keeper.draft, supply, reason, this.#keeper.readings)
    this.noteMoves(transaction, decided.moved)
    for (const grant of decided.ending) this.noteEnding(transaction, grant, reason)
  }

  noteMoves(transaction: Transaction, moved: readonly Grant[]): void {
    for (const grant of moved) {
      transaction.journal(happenings.grantMoved(grant))
      transaction.after(() => this.#tell({ kind: 'changed', grant }))
    }
  }

  /** Whatever is known of seats may be another now. */
  noteLoaded(transaction: Transaction): void {
    transaction.after(() => {
      this.#keeper.noteTold()
      this.#tell({ kind: 'supplies' })
    })
  }

  noteEnding(transaction: Transaction, grant: Grant, reason: string, order: happenings.EndOrder = {}): void {
    transaction.journal(happenings.grantEnding(grant, reason, order))
    transaction.after(() => this.#tell({ kind: 'ending', grant, reason }))
  }
}

/** Whether no grant has seats out of the supply. */
export function isEmpty(view: SeatView, supply: string): boolean {
  for (const _ of view.grantsOf(supply)) return false
  return true
}
