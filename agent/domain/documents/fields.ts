/**
 * The fields that documents share, each with its meaning, unit and limits.
 */
import { z } from 'zod'
import { countRules } from '../count-key.ts'

/** Seconds since 1970, up to the year 9999. */
export const seconds = z.int().min(0).max(253_402_300_799)

/** 32 bytes in canonical base64url: a SHA-256 hash, a key id, a public key. */
export const bytes32 = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'must be 32 bytes in base64url without padding')

/** Opaque id of a document. Never begins with a dash, so that it can stand on a command line. */
export const documentId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/,
    'must be 8 to 64 letters, digits, - or _, beginning with a letter or digit',
  )

/** Id of a license server: an agent's own has the agent's id, which may begin with any character of base64url. */
export const instanceId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'must be 8 to 64 letters, digits, - or _')

/** Opaque id of a session. */
export const sessionId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters without spaces')

/** Short name of a vendor, product or feature. Begins with a letter or digit: it also names folders. */
export const shortName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be 1 to 64 lower-case letters, digits, -, _ or ., beginning with a letter or digit',
  )

/** `vendor/product`. */
export const productName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}\/[a-z0-9][a-z0-9._-]{0,63}$/, 'must be vendor/product')

/**
 * Text for people: 1 to 255 characters. Refused: control characters, line separators, characters that turn the direction of
 * writing (a title could pretend to be another one), halves of surrogate pairs.
 */
export const title = z
  .string()
  .min(1)
  .max(255)
  .regex(
    /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u,
    'must not have control characters, line breaks or marks of writing direction',
  )

/** An address of the World Wide Web, encrypted only. */
export const secureUrl = z
  .url({ protocol: /^https$/, error: 'must be an https address' })
  .max(2048)
  .regex(/^\S+$/, 'must not have spaces')

export const maxSeats = 1_000_000
export const seats = z.int().min(1).max(maxSeats)

/** Random text of whoever asks, repeated in the answer. */
export const nonce = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/, 'must be 16 to 128 characters of base64url')

/** What a seat is counted for: each session, each process, each machine, each user. */
export const countRule = z.enum(countRules)

/** A count key in the clear (R18); no parts = each session counts for itself. */
export const countKeySchema = z.strictObject({ rule: countRule, parts: z.array(z.string().max(1024)).max(8) })

/** What every payload begins with. `v` is the version of the format, `iat` the time of signing in seconds since 1970. */
export function envelope<T extends string>(typ: T) {
  return { typ: z.literal(typ), v: z.literal(1), id: documentId, iat: seconds }
}
