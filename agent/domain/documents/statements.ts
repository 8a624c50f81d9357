/**
 * What an agent says about itself: which certificate is its own, who the recipient of a detachment is, that one was returned.
 * All are signed by the agent and carry its key.
 */
import { z } from 'zod'
import { bytes32, documentId, envelope, seconds, title } from './fields.ts'
import { publicJwk } from './keys.ts'

const speaker = { agent: bytes32, key: publicJwk }

export const statementSchema = z.strictObject({
  ...envelope('leasehold-statement'),
  ...speaker,
  /** base64url SHA-256 of the TLS certificate. */
  certificate: bytes32,
  /** Until before this second. */
  exp: seconds,
})
export type Statement = z.output<typeof statementSchema>

/** For whom a detachment can be made; `iat` is the recipient's time (R12). */
export const recipientSchema = z.strictObject({
  ...envelope('leasehold-recipient'),
  ...speaker,
  name: title,
  /** The zone that its calendar days are in, such as `Europe/Berlin`. */
  zone: z
    .string()
    .regex(/^[A-Za-z0-9+_/-]{1,64}$/, 'must be the name of a time zone')
    .optional(),
})
export type Recipient = z.output<typeof recipientSchema>

/** The recipient gave a detachment back; frees the seat only if it names the latest version (R23). */
export const returnSchema = z.strictObject({
  ...envelope('leasehold-return'),
  ...speaker,
  /** Id of the detachment. */
  detachment: documentId,
  version: z.int().min(1).max(1_000_000),
})
export type Return = z.output<typeof returnSchema>
