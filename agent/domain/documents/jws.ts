/**
 * Compact JWS with EdDSA (RFC 7515, RFC 8037) and nothing else of JOSE: the header is exactly `{ alg, typ, kid }`, the
 * algorithm is fixed, the key comes from the caller. Knows nothing of what the payloads mean.
 */
import { sign, verify } from 'node:crypto'
import { z } from 'zod'
import { decodeBase64url } from './base64url.ts'
import { bytes32 } from './fields.ts'
import type { SigningKey, VerifyingKey } from './keys.ts'
import { type DocumentRefusal, refuseDocument } from './refusal.ts'
import { readStrictJson } from './strict-json.ts'

/** Characters of a document or of a pasted text; nothing longer is looked at. */
export const maxDocumentLength = 256 * 1024
const maxHeaderLength = 512

const headerSchema = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string(), kid: bytes32 })
export type JwsHeader = Readonly<z.output<typeof headerSchema>>

export interface JwsParts {
  readonly kind: 'parts'
  readonly header: JwsHeader
  /** What the signature covers. */
  readonly signed: string
  /** Not to be believed before the signature is checked. */
  readonly payload: Buffer
  readonly signature: Buffer
}

/** The first segment of everything that `key` signs as `typ`; made once where many are signed. */
export function encodeHeader(typ: string, key: SigningKey): string {
  return Buffer.from(JSON.stringify({ alg: 'EdDSA', typ, kid: key.id })).toString('base64url')
}

/** What is to be signed. @param header from `encodeHeader` with the key that will sign */
export function encodeUnsigned(header: string, payload: object): string {
  return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
}

/** @param unsigned from `encodeUnsigned` */
export function joinSignature(unsigned: string, signature: Buffer): string {
  return `${unsigned}.${signature.toString('base64url')}`
}

/** @param header from `encodeHeader` with the same key */
export function signJws(header: string, payload: object, key: SigningKey): string {
  const unsigned = encodeUnsigned(header, payload)
  return joinSignature(unsigned, sign(null, Buffer.from(unsigned), key.privateKey))
}

/** Takes a compact text apart and checks its form; the signature is not checked yet. */
export function splitJws(text: string): JwsParts | DocumentRefusal {
  if (text.length > maxDocumentLength)
    return refuseDocument('body_too_large', `A document has at most ${maxDocumentLength} characters.`)
  const [encodedHeader, encodedPayload, encodedSignature, ...rest] = text.split('.')
  if (encodedHeader === undefined || encodedPayload === undefined || encodedSignature === undefined || rest.length > 0)
    return refuseDocument('not_a_document', 'A signed document has three parts with dots between them.')
  if (encodedHeader.length > maxHeaderLength)
    return refuseDocument('not_a_document', 'The header is longer than that of any document.')
  const header = decodeBase64url(encodedHeader)
  const payload = decodeBase64url(encodedPayload)
  const signature = decodeBase64url(encodedSignature)
  if (header === undefined || payload === undefined || signature?.length !== 64)
    return refuseDocument('document_altered', 'The document is not spelled as it was signed.')
  const read = readStrictJson(header.toString('utf8'))
  const parsed = read.kind === 'value' ? headerSchema.safeParse(read.value) : undefined
  if (parsed?.success !== true)
    return refuseDocument('not_a_document', 'The header is not that of a document: { alg: "EdDSA", typ, kid }.')
  return { kind: 'parts', header: parsed.data, signed: `${encodedHeader}.${encodedPayload}`, payload, signature }
}

/** True where `key` signed it and the header names that key. */
export function isSignedBy(parts: JwsParts, key: VerifyingKey): boolean {
  return parts.header.kid === key.id && verify(null, Buffer.from(parts.signed), key.key, parts.signature)
}
