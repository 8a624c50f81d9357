/**
 * Every kind of signed document: sealing one and opening one. Opening checks in this order: form, kind, signature, and only
 * then what the payload says. Signatures say who wrote something; whether that one may is for the caller.
 */
import type { z } from 'zod'
import { activationRequestSchema, activationSchema, deactivationSchema } from './activation.ts'
import { hashText } from './base64url.ts'
import { explainIssues, spellIssue } from './issues.ts'
import { encodeHeader, isSignedBy, type JwsParts, signJws, splitJws } from './jws.ts'
import { keyId, publicJwk, type SigningKey, type VerifyingKey, verifyingKey } from './keys.ts'
import { licenseSchema } from './license.ts'
import { assertionSchema, detachmentSchema, leaseSchema } from './links.ts'
import { type DocumentRefusal, refuseDocument } from './refusal.ts'
import { recipientSchema, returnSchema, statementSchema } from './statements.ts'
import { readStrictJson } from './strict-json.ts'

const schemas = {
  'leasehold-license': licenseSchema,
  'leasehold-activation-request': activationRequestSchema,
  'leasehold-activation': activationSchema,
  'leasehold-lease': leaseSchema,
  'leasehold-detachment': detachmentSchema,
  'leasehold-recipient': recipientSchema,
  'leasehold-return': returnSchema,
  'leasehold-deactivation': deactivationSchema,
  'leasehold-assertion': assertionSchema,
  'leasehold-statement': statementSchema,
} as const

export type DocumentType = keyof typeof schemas
export type Payload<T extends DocumentType> = z.output<(typeof schemas)[T]>

/** A document whose signature and form are right. */
export interface Opened<T extends DocumentType> {
  readonly kind: 'opened'
  readonly typ: T
  readonly payload: Payload<T>
  /** The compact text; keep this one, since its hash is what other documents name. */
  readonly text: string
  readonly hash: string
  /** Id of the key that signed. */
  readonly signer: string
}
export type AnyOpened = { [T in DocumentType]: Opened<T> }[DocumentType]

export const documentNames: Readonly<Record<DocumentType, string>> = {
  'leasehold-license': 'license',
  'leasehold-activation-request': 'activation request',
  'leasehold-activation': 'activation',
  'leasehold-lease': 'lease',
  'leasehold-detachment': 'detachment',
  'leasehold-recipient': 'recipient',
  'leasehold-return': 'return receipt',
  'leasehold-deactivation': 'deactivation receipt',
  'leasehold-assertion': 'assertion',
  'leasehold-statement': 'statement',
}

export function isDocumentType(text: string): text is DocumentType {
  return Object.hasOwn(schemas, text)
}

/** @throws ZodError when the payload is not that of such a document: a mistake of the caller, never an outcome */
export function sealDocument<T extends DocumentType>(
  typ: T,
  payload: Omit<Payload<T>, 'typ' | 'v'>,
  key: SigningKey,
): string {
  const schema: z.ZodType = schemas[typ]
  const checked = schema.parse({ typ, v: 1, ...payload })
  if (typeof checked !== 'object' || checked === null) throw new TypeError('a payload is an object')
  return signJws(encodeHeader(typ, key), checked, key)
}

/**
 * Opens a document of a known kind.
 * @param key the only key it may be signed with; absent for the kinds that carry their signer's key (license, requests,
 * receipts, statements): then `signer` names that key, and the caller decides what it is worth
 */
export function openDocument<T extends DocumentType>(
  text: string,
  typ: T,
  key?: VerifyingKey,
): Opened<T> | DocumentRefusal {
  const parts = splitJws(text)
  if (parts.kind === 'refused') return parts
  if (parts.header.typ !== typ) return refuseDocument('not_a_document', wrongKind(parts.header.typ, typ))
  return openParts(text, parts, typ, key ?? embeddedKey(parts))
}

/** Opens a document of any kind. @param keyOf finds the key of a signer for the kinds that do not carry it */
export function openAnyDocument(
  text: string,
  keyOf: (signer: string) => VerifyingKey | undefined,
): AnyOpened | DocumentRefusal {
  const parts = splitJws(text)
  if (parts.kind === 'refused') return parts
  const { typ, kid } = parts.header
  if (!isDocumentType(typ))
    return refuseDocument('not_a_document', `There is no kind of document called ${typ.slice(0, 64)}.`)
  const key = embeddedKey(parts) ?? keyOf(kid)
  if (key === undefined)
    return refuseDocument('wrong_recipient', 'It is signed with a key that is not known here.', { signer: kid, typ })
  // The generic return type can't be joined over kinds by the compiler; the pair (typ, payload) comes from one schema.
  return openParts(text, parts, typ, key) as AnyOpened | DocumentRefusal
}

function wrongKind(found: string, wanted: DocumentType): string {
  return isDocumentType(found)
    ? `This is a document of the kind "${documentNames[found]}"; "${documentNames[wanted]}" is wanted.`
    : `There is no kind of document called ${found.slice(0, 64)}.`
}

/**
 * The signer's key from the payload of a kind that carries it. It is read before the signature is checked, which is safe only
 * because the key must hash to the key id of the header and must then have signed the whole.
 */
function embeddedKey(parts: JwsParts): VerifyingKey | undefined {
  const payload = peek(parts)
  const holder = isRecord(payload) ? holderOfKey(payload, parts.header.typ) : payload
  const parsed = publicJwk.safeParse(isRecord(holder) ? holder.key : undefined)
  return parsed.success && keyId(parsed.data) === parts.header.kid ? verifyingKey(parsed.data) : undefined
}

function holderOfKey(payload: Record<string, unknown>, typ: string): unknown {
  if (typ === 'leasehold-license') return payload.vendor
  return typ === 'leasehold-detachment' ? payload.manager : payload
}

function peek(parts: JwsParts): unknown {
  try {
    return JSON.parse(parts.payload.toString('utf8'))
  } catch {
    return undefined
  }
}

function openParts<T extends DocumentType>(
  text: string,
  parts: JwsParts,
  typ: T,
  key: VerifyingKey | undefined,
): Opened<T> | DocumentRefusal {
  if (key === undefined || !isSignedBy(parts, key))
    return refuseDocument('bad_signature', `The signature of the ${documentNames[typ]} does not fit.`)
  const read = readPayload(parts)
  if (read.kind === 'unreadable')
    return refuseDocument('document_invalid', `The signed text is no JSON that is taken: ${read.reason}.`)
  const newer = isRecord(read.value) && typeof read.value.v === 'number' && read.value.v > 1
  if (newer)
    return refuseDocument('document_too_new', `The ${documentNames[typ]} has a format that this version does not know.`)
  const schema: z.ZodType = schemas[typ]
  const parsed = schema.safeParse(read.value)
  if (!parsed.success) {
    const fields = explainIssues(parsed.error).map(spellIssue)
    return refuseDocument(
      'document_invalid',
      `The ${documentNames[typ]} says something that can not be: ${fields[0]}.`,
      { fields },
    )
  }
  // The schema of this kind has just produced it.
  const payload = parsed.data as Payload<T>
  if (!namesItsSigner(payload, key.id))
    return refuseDocument(
      'document_invalid',
      `The ${documentNames[typ]} names another key than the one that signed it.`,
    )
  return { kind: 'opened', typ, payload, text, hash: hashText(text), signer: key.id }
}

/** Who speaks for itself names its own key: the vendor in a license, the agent in its requests, receipts and statements. */
function namesItsSigner(payload: Payload<DocumentType>, signer: string): boolean {
  switch (payload.typ) {
    case 'leasehold-license':
      return keyId(payload.vendor.key) === signer
    case 'leasehold-activation-request':
    case 'leasehold-deactivation':
    case 'leasehold-recipient':
    case 'leasehold-return':
    case 'leasehold-statement':
      return payload.agent === signer && keyId(payload.key) === signer
    case 'leasehold-activation':
      return payload.agent === keyId(payload.next)
    default:
      return true
  }
}

function readPayload(parts: JwsParts): ReturnType<typeof readStrictJson> {
  try {
    return readStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(parts.payload))
  } catch {
    return { kind: 'unreadable', reason: 'syntax' }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
