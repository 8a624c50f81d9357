/**
 * HTTP message signatures (RFC 9421) with Ed25519 and digests of content (RFC 9530): the signature base, signing, reading and
 * verifying. What must be covered, and what the parameters mean, is for the caller. Pure; imports nothing of ours.
 */
import { hash, type KeyObject, sign, verify } from 'node:crypto'

/** One covered component, with the value that it has in the message at hand. */
export interface Component {
  /** As the signature names it: `"@method"`, `"content-digest"`, `"signature";req;key="x"`. */
  readonly identifier: string
  readonly value: string
}

/** In the order in which they are written. Times are whole seconds since 1970. */
export interface SignatureParameters {
  readonly created?: number
  readonly nonce?: string
  readonly keyid?: string
  readonly alg?: string
  readonly tag?: string
}

/** What the two headers of a signature say, before anything is believed. */
export interface ReadSignature {
  readonly identifiers: readonly string[]
  readonly parameters: SignatureParameters
  /** The text of `@signature-params`, exactly as it came. */
  readonly text: string
  readonly signature: Buffer
}

/** Values of the headers `Signature-Input` and `Signature`. */
export interface SignatureHeaders {
  readonly input: string
  readonly signature: string
}

const longest = 4096
const mostComponents = 16
const label = /^[a-z][a-z0-9_-]{0,31}$/
/** A string of structured fields (RFC 8941): printable ASCII, quote and backslash escaped; we take none that needs escaping. */
const plainText = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/

function spellText(text: string): string {
  if (!plainText.test(text)) throw new TypeError(`a signature can not say ${JSON.stringify(text)}`)
  return `"${text}"`
}

/** The text of `@signature-params`. @throws TypeError for a text parameter that is not plain ASCII */
export function writeParameters(identifiers: readonly string[], parameters: SignatureParameters): string {
  let text = `(${identifiers.join(' ')})`
  for (const [name, value] of Object.entries(parameters))
    text += `;${name}=${typeof value === 'number' ? value : spellText(String(value))}`
  return text
}

/** What is signed: one line for each component, then the parameters. */
export function signatureBase(components: readonly Component[], parameters: string): string {
  const lines = components.map(({ identifier, value }) => `${identifier}: ${value}`)
  lines.push(`"@signature-params": ${parameters}`)
  return lines.join('\n')
}

export interface Signed extends SignatureHeaders {
  readonly base: string
  /** base64, as it stands between the colons. */
  readonly bytes: string
}

export function signMessage(
  name: string,
  components: readonly Component[],
  parameters: SignatureParameters,
  key: KeyObject,
): Signed {
  const identifiers = components.map(({ identifier }) => identifier)
  const text = writeParameters(identifiers, parameters)
  const base = signatureBase(components, text)
  const bytes = sign(null, Buffer.from(base), key).toString('base64')
  return { base, bytes, input: `${name}=${text}`, signature: `${name}=:${bytes}:` }
}

const identifierPattern = /^"(?:@?[a-z0-9-]{1,64})"(?:;[a-z]{1,8}(?:="[\x21\x23-\x5b\x5d-\x7e]{0,64}")?){0,3}/
const parameterPattern = /^;([a-z]{1,16})=(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{0,512})"|(\d{1,15}))/
const kinds = { created: 'number', nonce: 'string', keyid: 'string', alg: 'string', tag: 'string' } as const

function isParameter(name: string): name is keyof typeof kinds {
  return Object.hasOwn(kinds, name)
}

/**
 * Reads the one signature called `name`; undefined for anything else, for other signatures beside it, unknown parameters, and
 * components that stand twice: stricter than the standard, since only agents speak to agents.
 */
export function readSignature(name: string, headers: SignatureHeaders): ReadSignature | undefined {
  const { input, signature } = headers
  if (!label.test(name) || input.length > longest || signature.length > 128) return undefined
  if (!input.startsWith(`${name}=(`) || !signature.startsWith(`${name}=:`) || !signature.endsWith(':')) return undefined
  const bytes = decodeBase64(signature.slice(name.length + 2, -1))
  if (bytes?.length !== 64) return undefined
  const text = input.slice(name.length + 1)
  let rest = text.slice(1)
  const identifiers: string[] = []
  while (!rest.startsWith(')')) {
    const identifier = identifierPattern.exec(rest)?.[0]
    if (identifier === undefined || identifiers.includes(identifier) || identifiers.length >= mostComponents)
      return undefined
    identifiers.push(identifier)
    rest = rest.slice(identifier.length)
    if (rest.startsWith(' "')) rest = rest.slice(1)
    else if (!rest.startsWith(')')) return undefined
  }
  const parameters = readParameters(rest.slice(1))
  return parameters && { identifiers, parameters, text, signature: bytes }
}

function readParameters(text: string): SignatureParameters | undefined {
  const parameters: Record<string, string | number> = {}
  let rest = text
  while (rest !== '') {
    const match = parameterPattern.exec(rest)
    if (match === null) return undefined
    const [whole, name = '', string, digits] = match
    if (!isParameter(name) || Object.hasOwn(parameters, name)) return undefined
    const value = string ?? Number(digits)
    if (typeof value !== kinds[name]) return undefined
    parameters[name] = value
    rest = rest.slice(whole.length)
  }
  return parameters
}

/** @param components in the order of `read.identifiers`, with the values of the message at hand */
export function verifySignature(read: ReadSignature, components: readonly Component[], key: KeyObject): boolean {
  return verify(null, Buffer.from(signatureBase(components, read.text)), key, read.signature)
}

/** Value of the header `Content-Digest`: SHA-256 over the content as it is sent. */
export function contentDigest(content: Buffer | string): string {
  return `sha-256=:${hash('sha256', content, 'base64')}:`
}

/** The digest of no content. */
export const emptyDigest = contentDigest('')

/** Only the one canonical spelling. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
