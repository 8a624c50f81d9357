/**
 * What the pages need of detaching: seats that are taken along, on both sides, in the shapes of the interface.
 * Types only; must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type {
  ClockState,
  DetachableProduct,
  Detachment,
  DetachPlan,
  Recipient,
  Returned,
  ReturnReceipt,
} from '../api/detachment-shapes.ts'

export interface DetachWish {
  readonly product: string
  readonly feature?: string
  readonly seats: number
  /** Valid for 3 days and renewed while there is a way; then there is no `until`. */
  readonly soft: boolean
  /** A calendar day in the zone of the machine that takes it along, such as `2026-12-24`. */
  readonly until?: string
  /** Id of the manager that they shall come from. */
  readonly manager?: string
  /** Another machine: its id, or its block; absent: this machine. */
  readonly recipient?: string
  readonly user?: { readonly account?: string; readonly email?: string }
}

export type MadeDetachment = { readonly kind: 'made'; readonly detachment: Detachment } | Refusal

export interface DetachingPart {
  /** “Enable Detaching of Licenses” is on here, for this product. */
  enabled(product: string): boolean
  /** Both sides, also those that are over; those that end next come first. */
  list(): readonly Detachment[]
  get(id: string): Detachment | undefined
  /** What could be detached, once for each manager that has it. */
  offers(): readonly DetachableProduct[]
  /** The block that names this machine. */
  recipient(): Recipient
  clock(): ClockState
  /** An administrator says that the clock is right: what waits for that ends or begins now. */
  acceptClock(): Promise<{ readonly kind: 'accepted' } | Refusal>
  /** Refused with facts: `latest` (of a date), `detachable` (seats), `machine` (of a switch). */
  plan(wish: DetachWish): Promise<{ readonly kind: 'planned'; readonly plan: DetachPlan } | Refusal>
  /** A fresh key for one order. */
  order(): string
  /** @param order the same again is the same detachment */
  detach(wish: DetachWish, order?: string): Promise<MadeDetachment>
  /** @param until a calendar day; absent for soft ones */
  extend(id: string, until?: string): Promise<MadeDetachment>
  giveBack(id: string): Promise<({ readonly kind: 'returned' } & Returned) | Refusal>
  /** Gives it back for good; the same again answers the same receipt. */
  makeReceipt(id: string): Promise<({ readonly kind: 'made' } & ReturnReceipt) | Refusal>
  /** The block for the other machine; from then on only that machine can give it back. */
  block(id: string): Promise<{ readonly kind: 'made'; readonly block: string } | Refusal>
  declareLost(
    id: string,
    note?: string,
  ): Promise<{ readonly kind: 'declared'; readonly detachment: Detachment } | Refusal>
}
