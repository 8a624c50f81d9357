/**
 * What agents sign when they speak to each other (R13, R24): which parts of a request and of an answer are covered, the two
 * headers of our own that are among them, and reading them back. Pure; imports the signatures and the keys.
 */
import { z } from 'zod'
import { bytes32 } from './documents/fields.ts'
import type { SigningKey, VerifyingKey } from './documents/keys.ts'
import {
  type Component,
  type ReadSignature,
  readSignature,
  type SignatureHeaders,
  type Signed,
  signatureBase,
  signMessage,
  verifySignature,
} from './http-signature.ts'

/** Which signature of a message is ours. */
const label = 'leasehold'
export const requestHeader = 'leasehold-request'
export const answerHeader = 'leasehold-answer'
/** Of a `hello`, which nobody signs: makes its answer one for this moment. */
export const nonceHeader = 'leasehold-nonce'
/** What the recipient signed once and now contradicts (R24). */
export const evidenceHeader = 'leasehold-evidence'

const startId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/)
const counter = z.int().min(0)
export const requestNonce = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/)

/** Who asks, and whom. */
const requestFacts = z.strictObject({
  /** Agent id of the recipient. */
  to: bytes32,
  /** The recipient's start, as known from its last answer. */
  start: startId,
  /** The `x` of the sender's public key; its hash is the key id of the signature. */
  key: bytes32,
  /** What the sender calls itself, percent-encoded. */
  name: z.string().max(600),
  /** Which start of the sender this is, and how many there were. */
  'from-start': startId,
  'from-count': counter,
  /** The newest revision of the recipient's that the sender has seen a signature on, within `start`. */
  seen: counter,
})
export type RequestFacts = Readonly<z.output<typeof requestFacts>>

/** Where the agent stands that answers. */
const answerFacts = z.strictObject({
  start: startId,
  count: counter,
  revision: counter,
  /** The clock that requests to this agent are measured by: ms since 1970; it never runs backward within a start. */
  time: counter,
})
export type AnswerFacts = Readonly<z.output<typeof answerFacts>>

/** A dictionary of structured fields (RFC 8941) with plain texts and whole numbers. */
function writeFacts(facts: Readonly<Record<string, string | number>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${typeof value === 'number' ? value : `"${value}"`}`)
    .join(', ')
}

function readFacts(text: string): Record<string, string | number> | undefined {
  if (text.length > 2048) return undefined
  const facts: Record<string, string | number> = Object.create(null) as Record<string, string | number>
  for (const part of text.split(', ')) {
    const [, name = '', string, digits] =
      /^([a-z-]{1,16})=(?:"([\x21\x23-\x5b\x5d-\x7e]*)"|(\d{1,15}))$/.exec(part) ?? []
    if (name === '' || name in facts) return undefined
    facts[name] = string ?? Number(digits)
  }
  return facts
}

export function writeName(name: string): string {
  return encodeURIComponent(
    name
      .replaceAll(/\p{Cs}/gu, '')
      .slice(0, 64)
      .replaceAll(/\p{Cs}/gu, ''),
  )
}

export function readName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
      .replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '')
      .slice(0, 64)
  } catch {
    return ''
  }
}

export interface RequestMessage {
  readonly method: string
  /** Path and query, as they stand in the request. */
  readonly target: string
  /** Values of the headers. */
  readonly digest: string
  readonly facts: string
}

const requestIdentifiers = ['"@method"', '"@path"', '"@query"', '"content-digest"', `"${requestHeader}"`] as const

function requestComponents({ method, target, digest, facts }: RequestMessage): Component[] {
  const mark = target.indexOf('?')
  const values = [
    method,
    mark < 0 ? target : target.slice(0, mark),
    // of no query at all the value is the mark alone
    mark < 0 ? '?' : target.slice(mark),
    digest,
    facts,
  ]
  return requestIdentifiers.map((identifier, at) => ({ identifier, value: values[at] ?? '' }))
}

export interface RequestToSign {
  readonly method: string
  readonly target: string
  readonly digest: string
  readonly facts: RequestFacts
  /** What the recipient's clock is believed to say, in whole seconds. */
  readonly created: number
  readonly nonce: string
}

export type HeadersOf<Name extends string> = { readonly [Key in Name | 'content-digest']: string } & {
  readonly 'signature-input': string
  readonly signature: string
}

export function signRequest(request: RequestToSign, key: SigningKey): HeadersOf<typeof requestHeader> {
  const facts = writeFacts(request.facts)
  const { created, nonce } = request
  const parameters = { created, nonce, keyid: key.id, alg: 'ed25519', tag: requestHeader }
  const signed = signMessage(label, requestComponents({ ...request, facts }), parameters, key.privateKey)
  return { 'content-digest': request.digest, [requestHeader]: facts, ...headersOf(signed) }
}

function headersOf({ input, signature }: SignatureHeaders) {
  return { 'signature-input': input, signature }
}

/** A request taken apart; nothing of it is believed before `isRequestSigned`. */
export interface ClaimedRequest {
  readonly sender: string
  readonly facts: RequestFacts
  /** In whole seconds. */
  readonly created: number
  readonly nonce: string
  readonly message: RequestMessage
  readonly signature: ReadSignature
}

export function readRequest(message: RequestMessage, headers: SignatureHeaders): ClaimedRequest | undefined {
  const signature = readSignature(label, headers)
  const facts = requestFacts.safeParse(readFacts(message.facts))
  if (signature === undefined || !facts.success || !covers(signature, requestIdentifiers)) return undefined
  const { created, nonce, keyid, alg, tag } = signature.parameters
  if (alg !== 'ed25519' || tag !== requestHeader || created === undefined || keyid === undefined) return undefined
  if (!requestNonce.safeParse(nonce).success || nonce === undefined) return undefined
  return { sender: keyid, facts: facts.data, created, nonce, message, signature }
}

export function isRequestSigned({ message, signature }: ClaimedRequest, key: VerifyingKey): boolean {
  return verifySignature(signature, requestComponents(message), key.key)
}

/** Exactly what we cover, in our order: nothing is left to what the other side chose. */
function covers({ identifiers }: ReadSignature, wanted: readonly string[]): boolean {
  return identifiers.length === wanted.length && wanted.every((one, at) => identifiers[at] === one)
}

export interface AnswerMessage {
  readonly status: number
  /** Of the answer's content; undefined for a stream, whose events are trusted by its channel. */
  readonly digest: string | undefined
  /**
   * What the answer is to: the value of the request's `Signature` header, or the nonce of a `hello`; undefined where the
   * request had neither.
   */
  readonly to: { readonly signature: string } | { readonly nonce: string } | undefined
  /** Value of the header. */
  readonly facts: string
}

function answerComponents({ status, digest, to, facts }: AnswerMessage): Component[] {
  const components: Component[] = [{ identifier: '"@status"', value: String(status) }]
  if (digest !== undefined) components.push({ identifier: '"content-digest"', value: digest })
  components.push({ identifier: `"${answerHeader}"`, value: facts })
  if (to === undefined) return components
  if ('nonce' in to) components.push({ identifier: `"${nonceHeader}";req`, value: to.nonce })
  // of a dictionary's member the value is what stands behind its name
  else components.push({ identifier: `"signature";req;key="${label}"`, value: to.signature.slice(label.length + 1) })
  return components
}

export function signAnswer(
  { status, digest, to, facts }: Omit<AnswerMessage, 'facts'> & { readonly facts: AnswerFacts },
  key: SigningKey,
): Readonly<Record<string, string>> {
  const text = writeFacts(facts)
  const components = answerComponents({ status, digest, to, facts: text })
  const created = Math.floor(facts.time / 1000)
  const signed: Signed = signMessage(
    label,
    components,
    { created, keyid: key.id, alg: 'ed25519', tag: answerHeader },
    key.privateKey,
  )
  const headers = { [answerHeader]: text, ...headersOf(signed) }
  return digest === undefined ? headers : { 'content-digest': digest, ...headers }
}

/** Where an agent stood, with its signature under it: what it can be shown later (R24). */
export interface Evidence extends AnswerFacts {
  /** The signature base, and the signature as base64. */
  readonly base: string
  readonly signature: string
}

/** @returns undefined unless `key` signed exactly this message */
export function readAnswer(message: AnswerMessage, headers: SignatureHeaders, key: VerifyingKey): Evidence | undefined {
  const signature = readSignature(label, headers)
  const facts = answerFacts.safeParse(readFacts(message.facts))
  if (signature === undefined || !facts.success) return undefined
  const components = answerComponents(message)
  const identifiers = components.map(({ identifier }) => identifier)
  const { alg, tag, keyid } = signature.parameters
  if (!covers(signature, identifiers) || alg !== 'ed25519' || tag !== answerHeader || keyid !== key.id) return undefined
  if (!verifySignature(signature, components, key.key)) return undefined
  return {
    ...facts.data,
    base: signatureBase(components, signature.text),
    signature: signature.signature.toString('base64'),
  }
}

/** Value of the evidence header. */
export function writeEvidence({ base, signature }: Pick<Evidence, 'base' | 'signature'>): string {
  return `${Buffer.from(base).toString('base64url')}.${signature}`
}

const mostEvidence = 4096

/** What `key` once signed about where it stood; undefined where it did not. */
export function readEvidence(value: string, key: VerifyingKey): Evidence | undefined {
  if (value.length > mostEvidence) return undefined
  const [encoded = '', signature = '', ...rest] = value.split('.')
  if (rest.length > 0) return undefined
  const base = Buffer.from(encoded, 'base64url').toString('utf8')
  const lines = base.split('\n')
  const last = lines.at(-1) ?? ''
  const parameters = '"@signature-params": '
  if (!last.startsWith(parameters)) return undefined
  const read = readSignature(label, {
    input: `${label}=${last.slice(parameters.length)}`,
    signature: `${label}=:${signature}:`,
  })
  if (read === undefined || read.parameters.tag !== answerHeader || read.parameters.keyid !== key.id) return undefined
  const components: Component[] = []
  for (const [at, identifier] of read.identifiers.entries()) {
    const line = lines[at]
    if (line?.startsWith(`${identifier}: `) !== true) return undefined
    components.push({ identifier, value: line.slice(identifier.length + 2) })
  }
  if (components.length !== lines.length - 1 || !verifySignature(read, components, key.key)) return undefined
  const facts = answerFacts.safeParse(
    readFacts(components.find(({ identifier }) => identifier === `"${answerHeader}"`)?.value ?? ''),
  )
  return facts.success ? { ...facts.data, base, signature } : undefined
}
