/**
 * Managers as seats are taken along from them: ports only. The transport implements a link; tests have their own. Calls are answered
 * with values and never reject.
 */
import type { ProductName } from './domain/product-name.ts'
import type { DetachAsk, DetachmentTold, DetachPlanTold, HeldAnswer, HeldAsk } from './peers/detachment-wire.ts'
import type { CallOptions, Offering, Refused, ReleaseReply, Unreachable } from './peers/manager-link.ts'

export type DetachReply =
  | { readonly kind: 'detached'; readonly detachment: DetachmentTold }
  | { readonly kind: 'planned'; readonly plan: DetachPlanTold }
  | Refused
  | Unreachable

export type TakeReply = { readonly kind: 'detached'; readonly detachment: DetachmentTold } | Refused | Unreachable
export type HeldReply = { readonly kind: 'answered'; readonly answer: HeldAnswer } | Refused | Unreachable

export interface DetachmentLink {
  readonly id: string
  readonly name: string
  detach(id: string, ask: DetachAsk, options: CallOptions): Promise<DetachReply>
  /** What was made for this agent there. */
  take(id: string, options: CallOptions): Promise<TakeReply>
  giveBack(id: string, options: CallOptions): Promise<ReleaseReply>
  report(ask: HeldAsk, options: CallOptions): Promise<HeldReply>
}

export interface DetachmentManagers {
  /** Managers that offer the product and can be reached, best first. */
  offering(product: ProductName): readonly Pick<Offering, 'link' | 'offer'>[]
  /** A manager by its agent id; undefined = never heard of. */
  link(id: string): DetachmentLink | undefined
  /** Whether this manager is meant by what somebody typed: its id, name or address. */
  isMeant(id: string, typed: string): boolean
  isReachable(id: string): boolean
}
