/**
 * Ed25519 keys as documents name them: the public key as JWK, its id, and the fingerprint that people compare.
 * Makes no keys (that is randomness); key objects are made once and kept, since making one costs more than a signature.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { bytes32 } from './fields.ts'

/** A public Ed25519 key as JWK (RFC 8037). */
export const publicJwk = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: bytes32 })
export type PublicJwk = Readonly<z.output<typeof publicJwk>>

/** RFC 7638 thumbprint: base64url SHA-256, 43 characters. The id of an agent and of a vendor key. */
export function keyId(jwk: PublicJwk): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`).digest('base64url')
}

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * The fingerprint of a key for people: the first 100 bits of its id as four groups of five characters, none of which is
 * easily mistaken for another (Crockford's base 32: no I, L, O, U).
 */
export function shortGroups(id: string): string {
  const bits = [...Buffer.from(id, 'base64url').subarray(0, 13)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  const characters = Array.from({ length: 20 }, (_, at) =>
    digits.charAt(Number.parseInt(bits.slice(at * 5, at * 5 + 5).padEnd(5, '0'), 2)),
  ).join('')
  return [0, 5, 10, 15].map((at) => characters.slice(at, at + 5)).join('-')
}

/** True where `typed` is the fingerprint of the key `id` (case, dashes, spaces, O for 0, I or L for 1 do not matter) or the id itself. */
export function isFingerprintOf(typed: string, id: string): boolean {
  if (typed.trim() === id) return true
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  return plain === shortGroups(id).replace(/-/g, '')
}

export interface VerifyingKey {
  readonly id: string
  readonly jwk: PublicJwk
  readonly key: KeyObject
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject
}

export function verifyingKey(jwk: PublicJwk): VerifyingKey {
  return { id: keyId(jwk), jwk, key: createPublicKey({ key: { ...jwk }, format: 'jwk' }) }
}

/** @throws TypeError when the key is no private Ed25519 key */
export function signingKey(privateKey: KeyObject): SigningKey {
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519')
    throw new TypeError('a private Ed25519 key is needed')
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: 'jwk' })
  const jwk = publicJwk.parse({ kty, crv, x })
  return { ...verifyingKey(jwk), privateKey }
}
