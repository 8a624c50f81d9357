/**
 * The documents that bind a license to one agent and its hardware: request, activation, and the receipt that undoes it.
 * `exchange.ts` makes and checks them.
 */
import { z } from 'zod'
import { hardwarePartNames } from '../hardware.ts'
import { bytes32, documentId, envelope, instanceId, nonce, seats, seconds } from './fields.ts'
import { publicJwk } from './keys.ts'

/** Salted hash of each hardware part that could be read (hardware.ts), at least 2, machine id or board among them. */
const recordedParts = z
  .partialRecord(z.enum(hardwarePartNames), bytes32)
  .refine((parts) => Object.keys(parts).length >= 2, 'at least 2 hardware parts are needed')
  .refine((parts) => parts.machine !== undefined || parts.board !== undefined, 'machine id or board must be among them')

/** Counts the activations of one license; only ever rises. */
const activationNumber = z.int().min(1).max(1_000_000_000)

/** Signed by the agent; carries its key. */
export const activationRequestSchema = z.strictObject({
  ...envelope('leasehold-activation-request'),
  /** Id of the license. */
  license: documentId,
  /** Hash of the exact text of the license. */
  licenseHash: bytes32,
  /** Id of the agent that signs. */
  agent: bytes32,
  key: publicJwk,
  parts: recordedParts,
  nonce,
  /** Number of the last activation of this license that this agent knows; 0 = none. */
  number: z.int().min(0).max(1_000_000_000),
})
export type ActivationRequest = z.output<typeof activationRequestSchema>

/** Signed by the vendor; the second link of every proof. */
export const activationSchema = z.strictObject({
  ...envelope('leasehold-activation'),
  license: documentId,
  /** Id of the agent that may serve the license; `next` is its key. */
  agent: bytes32,
  parts: recordedParts,
  /** Of the request that this answers. */
  nonce,
  number: activationNumber,
  /** License server that may serve it; an agent's own has the agent's id. */
  instance: instanceId,
  /** Hash of the exact text of the license. */
  parent: bytes32,
  next: publicJwk,
  /** Until before this second; absent for a perpetual license. */
  exp: seconds.optional(),
})
export type Activation = z.output<typeof activationSchema>

/** Signed by the agent: it serves the license no more. */
export const deactivationSchema = z.strictObject({
  ...envelope('leasehold-deactivation'),
  license: documentId,
  licenseHash: bytes32,
  agent: bytes32,
  key: publicJwk,
  /** Number of the activation that ends; a receipt for an earlier one frees nothing. */
  number: activationNumber,
  /** Seats that were still out and until when they may be in use, where an administrator confirmed that. */
  overlap: z.strictObject({ seats, until: seconds }).optional(),
})
export type Deactivation = z.output<typeof deactivationSchema>
