/**
 * The links of a proof below the activation: lease, detachment, and the session's assertion at the end (R26, R27).
 */
import { z } from 'zod'
import {
  bytes32,
  countKeySchema,
  countRule,
  envelope,
  nonce,
  productName,
  seats,
  seconds,
  sessionId,
  shortName,
  title,
} from './fields.ts'
import { publicJwk } from './keys.ts'

/** What a link hands on, and to whom. */
const passedOn = {
  /** Hash of the exact text of the link before. */
  parent: bytes32,
  /** Key of the agent that holds this, and signs what follows. */
  next: publicJwk,
  product: productName,
  /** Serves only this feature; absent = only sessions that name none. */
  feature: shortName.optional(),
  /** The seats are any-product seats of the license. */
  any: z.literal(true).optional(),
  seats,
  /** The license's rule, repeated. */
  count: countRule,
  /** Serves only this count key (R17). */
  key: countKeySchema.optional(),
  /** Over how many agents it may be passed on from here. */
  depth: z.int().min(0).max(4),
  nbf: seconds.optional(),
  /** Until before this second. */
  exp: seconds,
}

/** Signed by the lessor for another agent; ends soon unless renewed. */
export const leaseSchema = z.strictObject({ ...envelope('leasehold-lease'), ...passedOn })
export type Lease = z.output<typeof leaseSchema>

/** Signed by the lessor for one recipient; works with no network until its date. A new version has the same id (R23). */
export const detachmentSchema = z.strictObject({
  ...envelope('leasehold-detachment'),
  ...passedOn,
  version: z.int().min(1).max(1_000_000),
  /** Who signs it, so that a machine that never met that agent can check it and name it. */
  manager: z.strictObject({ key: publicJwk, name: title }).optional(),
})
export type Detachment = z.output<typeof detachmentSchema>

/** Signed by the agent that the application asked; the last link of a proof. */
export const assertionSchema = z.strictObject({
  ...envelope('leasehold-assertion'),
  parent: bytes32,
  /** Id of the session. */
  session: sessionId,
  product: productName,
  feature: shortName.optional(),
  any: z.literal(true).optional(),
  seats,
  /** What the seat is counted for, in the clear; the application compares the parts with what it knows. */
  key: countKeySchema,
  /** The first nonce of the session; never changes (R27). */
  binding: nonce,
  /** The nonce that this answers. */
  nonce,
  /** Seconds for which the seat is promised, counted from before the nonce was sent. */
  validFor: z.int().min(1).max(86_400),
})
export type Assertion = z.output<typeof assertionSchema>
