/**
 * What agents say to each other about detachments, as shapes: both sides check by it. Beside `wire.ts`, which has leases and events.
 * Imports the domain's fields only.
 */
import { z } from 'zod'
import { bytes32, documentId, instanceId, productName, seats, shortName } from '../domain/documents/fields.ts'
import { publicJwk } from '../domain/documents/keys.ts'
import { peerId, peerWhoSchema } from './wire.ts'

const shown = (most: number) =>
  z
    .string()
    .max(most)
    .overwrite((value) => value.replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, ''))
const compact = z.string().max(64 * 1024)
/** Wall or date, in ms since 1970. */
const moment = z.int().min(0).max(253_402_300_799_000)
const version = z.int().min(0).max(1_000_000)

export const mostHeld = 100

/**
 * `PUT detachments/{id}`: asks for seats until a date, or, with the version that the recipient has, for a later date. The same again
 * gets the same document. After it was given back or has ended: 410.
 */
export const detachAskSchema = z.strictObject({
  /** The license server that is meant; absent = the agent's own. */
  instance: instanceId.optional(),
  product: productName,
  feature: shortName.optional(),
  seats,
  /** When it is to end; absent with `soft`. */
  until: moment.optional(),
  /** It may end earlier where it has to, but not before this: the beginning of the calendar day. */
  earliest: moment.optional(),
  soft: z.literal(true).optional(),
  zone: shown(64).optional(),
  /** Only what it would be. */
  preview: z.literal(true).optional(),
  /** The version that the recipient has; 0 = none yet. */
  version,
  /** What the recipient's clock says (R12). */
  time: moment,
  /** Who takes the seats along, where that is another than who asks: it came through an agent without such seats (R22). */
  recipient: z.strictObject({ key: publicJwk, name: shown(64) }).optional(),
  /** Leases of who asks, by its ids, that become the detachment (R16). */
  replaces: z.array(peerId).max(64).optional(),
  who: peerWhoSchema,
  machine: shown(64),
  /** Agents that the request came through, the recipient first, the sender last. */
  chain: z.array(bytes32).min(1).max(8),
  vendorKey: bytes32.optional(),
})
export type DetachAsk = z.output<typeof detachAskSchema>

export const detachmentSchema = z.object({
  id: documentId,
  version: z.int().min(1).max(1_000_000),
  until: moment,
  /** Seconds until the seats are free at the manager, if nothing is heard. */
  freeIn: z.int().min(0),
  soft: z.literal(true).optional(),
  zone: shown(64).optional(),
  /** The date at the manager, now (R11). */
  time: moment,
  /** From the license down to the latest version of the document. */
  texts: z.array(compact).min(2).max(8),
})
export type DetachmentTold = z.output<typeof detachmentSchema>

export const detachPlanSchema = z.object({
  until: moment,
  /** The date was beyond what is allowed, so that the day is cut off there. */
  cut: z.boolean(),
  latest: moment,
  freeIn: z.int().min(0),
  detachable: z.int().min(0),
  earlyReturn: z.enum(['online', 'offline', 'atDate']),
  manager: z.object({ id: bytes32, name: shown(255) }),
})
export type DetachPlanTold = z.output<typeof detachPlanSchema>

export const detachAnswerSchema = z.union([
  z.object({ detachment: detachmentSchema }),
  z.object({ plan: detachPlanSchema }),
])
export type DetachAnswer = z.output<typeof detachAnswerSchema>

/** `POST detachments`: what the sender has of the manager; for both to know how it stands (R23, R24). */
export const heldAskSchema = z.strictObject({
  held: z
    .array(z.strictObject({ id: documentId, version, text: compact, state: z.enum(['attached', 'returned']) }))
    .max(mostHeld),
  time: moment,
})
export type HeldAsk = z.output<typeof heldAskSchema>

export const heldAnswerSchema = z.object({
  results: z
    .array(
      z.discriminatedUnion('outcome', [
        z.object({ id: documentId, outcome: z.literal('current') }),
        z.object({ id: documentId, outcome: z.literal('newer'), detachment: detachmentSchema }),
        /** It is over here, so it must not be used any more. */
        z.object({ id: documentId, outcome: z.literal('over'), reason: z.string().max(64) }),
        z.object({ id: documentId, outcome: z.literal('unknown') }),
      ]),
    )
    .max(mostHeld),
  /** Made for the sender and not taken yet. */
  ready: z.array(documentId).max(mostHeld),
})
export type HeldAnswer = z.output<typeof heldAnswerSchema>
