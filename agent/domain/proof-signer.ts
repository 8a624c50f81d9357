/**
 * Makes proofs: the session's assertion, to be signed below the links that its supply came with, or the lease of another agent
 * below them (R26, R27). On the hot path, so everything that is the same for a supply is made once: only the last link is made
 * anew. Pure; ids come from outside.
 */
import type { CountKey, CountRule } from './count-key.ts'
import { hashText } from './documents/base64url.ts'
import type { Opened } from './documents/document.ts'
import { encodeHeader, encodeUnsigned, joinSignature, splitJws } from './documents/jws.ts'
import type { PublicJwk, SigningKey } from './documents/keys.ts'
import { type Assertion, type Detachment, detachmentSchema, type Lease, leaseSchema } from './documents/links.ts'
import { readStrictJson } from './documents/strict-json.ts'

/** What a session's proof says. The caller has checked it: the lessor granted exactly this. */
export interface AssertionFacts {
  /** Fresh id of the assertion. */
  readonly id: string
  /** Seconds since 1970. */
  readonly now: number
  readonly session: string
  /** `vendor/product`. */
  readonly product: string
  readonly feature?: string
  /** The seats are any-product seats. */
  readonly any?: boolean
  readonly seats: number
  readonly rule: CountRule
  /** Absent: each session counts for itself. */
  readonly key?: CountKey
  /** The session's first nonce, stored before (R27). */
  readonly binding: string
  readonly nonce: string
  /** Seconds for which the seat is promised, at least 1. */
  readonly validFor: number
}

/** What the text of a lease says. The caller has checked it: the lessor granted exactly this, and no link above allows less. */
export interface LeaseFacts {
  /** Fresh id of the text: 8 to 64 letters, digits, - or _, beginning with a letter or digit. */
  readonly id: string
  /** Seconds since 1970, by the clock that the link above was signed by. */
  readonly now: number
  /** Key of the agent that holds the lease. */
  readonly next: PublicJwk
  readonly product: string
  readonly feature?: string
  readonly any?: boolean
  readonly seats: number
  readonly rule: CountRule
  /** The lease serves only this key (R17). */
  readonly key?: CountKey
  /** Over how many agents it may be passed on from there. */
  readonly depth: number
  /** Seconds for which it is promised, at least 1. */
  readonly validFor: number
}

/** A link that is still to be signed, which is left to the caller: it takes as long as all the rest of a request. */
export interface Unsigned<Complete> {
  /** What the signature is over. */
  readonly unsigned: string
  /** @param signature Ed25519, of the key that was prepared for */
  complete(signature: Buffer): Complete
}

export interface ProofSigner {
  readonly kind: 'ready'
  /** What is signed below: license, activation and what came after them. */
  readonly links: readonly string[]
  /** The whole chain, from the license to a new assertion. */
  prove(facts: AssertionFacts): Unsigned<string[]>
  /** The text of a lease below these links. */
  lease(facts: LeaseFacts): Unsigned<string>
}

/** @param links from the license to the last link, whose `next` is `key`; at least license and activation */
export function prepareProof(links: readonly string[], key: SigningKey): ProofSigner {
  const last = links.at(-1)
  if (last === undefined || links.length < 2) throw new TypeError('a proof begins with license and activation')
  const parent = hashText(last)
  const header = encodeHeader('leasehold-assertion', key)
  const leaseHeader = encodeHeader('leasehold-lease', key)
  return {
    kind: 'ready',
    links,
    prove(facts) {
      const payload: Assertion = {
        typ: 'leasehold-assertion',
        v: 1,
        id: facts.id,
        iat: facts.now,
        parent,
        session: facts.session,
        product: facts.product,
        ...(facts.feature !== undefined && { feature: facts.feature }),
        ...(facts.any === true && { any: true }),
        seats: facts.seats,
        key: { rule: facts.rule, parts: [...(facts.key?.parts ?? [])] },
        binding: facts.binding,
        nonce: facts.nonce,
        validFor: facts.validFor,
      }
      const unsigned = encodeUnsigned(header, payload)
      return { unsigned, complete: (signature) => [...links, joinSignature(unsigned, signature)] }
    },
    lease(facts) {
      const payload: Lease = {
        typ: 'leasehold-lease',
        v: 1,
        id: facts.id,
        iat: facts.now,
        parent,
        next: facts.next,
        product: facts.product,
        ...(facts.feature !== undefined && { feature: facts.feature }),
        ...(facts.any === true && { any: true }),
        seats: facts.seats,
        count: facts.rule,
        ...(facts.key !== undefined && { key: { rule: facts.key.rule, parts: [...facts.key.parts] } }),
        depth: facts.depth,
        exp: facts.now + facts.validFor,
      }
      const unsigned = encodeUnsigned(leaseHeader, payload)
      return { unsigned, complete: (signature) => joinSignature(unsigned, signature) }
    },
  }
}

/**
 * The last link that an agent was given: what it holds, as it was told by who signed it. The signature was checked when it came.
 * @returns undefined when the text is no such link
 */
export function readLastLink(links: readonly string[]): Lease | Detachment | undefined {
  const parts = splitJws(links.at(-1) ?? '')
  if (parts.kind !== 'parts') return undefined
  const read = readStrictJson(parts.payload.toString('utf8'))
  if (read.kind !== 'value') return undefined
  const schema = parts.header.typ === 'leasehold-detachment' ? detachmentSchema : leaseSchema
  const parsed = schema.safeParse(read.value)
  return parsed.success ? parsed.data : undefined
}

/** Why a session of this license gets no proof. */
export interface ProofUnavailable {
  readonly kind: 'unavailable'
  readonly proofUnavailable: 'not_activated'
}

/** For a license of this agent itself. A license that needs no activation names no agent that could sign. */
export function prepareLicenseProof(
  license: Opened<'leasehold-license'>,
  activation: Opened<'leasehold-activation'> | undefined,
  key: SigningKey,
): ProofSigner | ProofUnavailable {
  if (activation === undefined || activation.payload.agent !== key.id)
    return { kind: 'unavailable', proofUnavailable: 'not_activated' }
  return prepareProof([license.text, activation.text], key)
}
