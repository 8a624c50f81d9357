/**
 * Verifies that a seat is real: the chain vendor > license > activation > [lease | detachment]* > assertion, with nothing but
 * the vendor's public key (R26, R27). Part of the library for applications: imports nothing but domain.
 *
 * What it proves: the license was issued by the vendor and activated for an agent, and an agent at the end of that chain answers
 * for a seat of this session now. It shows fake servers, not a patched real one.
 */
import type { CountKey } from './count-key.ts'
import type { Activation } from './documents/activation.ts'
import { type DocumentType, documentNames, type Opened, openDocument } from './documents/document.ts'
import { splitJws } from './documents/jws.ts'
import { keyId, type PublicJwk, type VerifyingKey, verifyingKey } from './documents/keys.ts'
import type { License } from './documents/license.ts'
import type { Assertion } from './documents/links.ts'
import { endScope, findAssertionFlaw, licenseScope, narrowScope, type Scope, type ScopeFlaw } from './proof-scope.ts'

export interface ProofExpectation {
  /** The vendor's public key, built into the application; a `VerifyingKey` saves making the key object each time. */
  readonly vendorKey: PublicJwk | VerifyingKey
  /** `vendor/product`. */
  readonly product: string
  /** Absent: the session must name none. */
  readonly feature?: string
  /** At least so many; default 1. */
  readonly seats?: number
  /** The nonce that was just sent. */
  readonly nonce: string
  /** The first nonce of this session. */
  readonly binding: string
  /** Id of the session, once it is known. */
  readonly session?: string
  /** What the seat must be counted for, where the application knows. */
  readonly key?: CountKey
  /** Wall time in seconds since 1970. */
  readonly now: number
  /** Seconds that the wall clocks of vendor and application may differ; default 300. */
  readonly clockTolerance?: number
}

export type ProofFlaw =
  | ScopeFlaw
  | 'malformed_chain'
  | 'bad_link'
  | 'broken_parent'
  | 'wrong_license'
  | 'agent_repeated'
  | 'not_yet_valid'
  | 'expired'
  | 'wrong_nonce'
  | 'wrong_binding'
  | 'wrong_session'
  | 'too_few_seats'

export interface ValidProof {
  readonly kind: 'valid'
  /** Seconds; count them from before the nonce was sent, on a clock that counts sleep. */
  readonly validFor: number
  readonly license: License
  readonly activation: Activation
  readonly assertion: Assertion
  /** Id of the agent that answers for the seat. */
  readonly agent: string
  /** Second since 1970 at which the seat's license, activation or detachment ends; absent = never. */
  readonly endsAt?: number
}

export interface InvalidProof {
  readonly kind: 'invalid'
  readonly reason: ProofFlaw
  /** Place in the chain, 0 = license. */
  readonly link: number
  readonly detail: string
}

const maxLinks = 2 + 4 + 1
const defaultClockTolerance = 300
/**
 * A lease's end is told in its manager's wall time, which may be wrong without costing anybody a lease (R13); it can't be longer
 * than this, so what is older was never renewed.
 */
const leaseClockTolerance = 86_400

function invalid(link: number, reason: ProofFlaw, detail: string): InvalidProof {
  return { kind: 'invalid', reason, link, detail }
}

function flawAt(link: number, flaw: ScopeFlaw): InvalidProof {
  return invalid(link, flaw, `Link ${link} is more than the one before it allows.`)
}

interface Walk {
  readonly scope: Scope
  /** Key of the next signer. */
  readonly signer: VerifyingKey
  /** Hash of the text before. */
  readonly parent: string
}

function openLink<T extends DocumentType>(
  chain: readonly string[],
  link: number,
  typ: T,
  key: VerifyingKey,
): Opened<T> | InvalidProof {
  const opened = openDocument(chain[link] ?? '', typ, key)
  return opened.kind === 'opened'
    ? opened
    : invalid(link, 'bad_link', `Link ${link}, ${documentNames[typ]}: ${opened.detail}`)
}

function isVerifyingKey(key: PublicJwk | VerifyingKey): key is VerifyingKey {
  return 'key' in key
}

function typeOf(text: string): string | undefined {
  const parts = splitJws(text)
  return parts.kind === 'parts' ? parts.header.typ : undefined
}

/** The links between activation and assertion. */
function followLinks(chain: readonly string[], start: Walk, expected: ProofExpectation): Walk | InvalidProof {
  const agents = new Set([start.signer.id])
  const tolerance = expected.clockTolerance ?? defaultClockTolerance
  let walk = start
  for (let link = 2; link < chain.length - 1; link++) {
    const typ = typeOf(chain[link] ?? '') === 'leasehold-detachment' ? 'leasehold-detachment' : 'leasehold-lease'
    const opened = openLink(chain, link, typ, walk.signer)
    if (opened.kind === 'invalid') return opened
    const { payload } = opened
    if (payload.parent !== walk.parent) return invalid(link, 'broken_parent', `Link ${link} follows another text.`)
    const next = keyId(payload.next)
    if (agents.has(next)) return invalid(link, 'agent_repeated', `Link ${link} goes back to an agent before it.`)
    agents.add(next)
    const scope = narrowScope(walk.scope, payload)
    if (typeof scope === 'string') return flawAt(link, scope)
    const slack = typ === 'leasehold-lease' ? leaseClockTolerance : tolerance
    if (expected.now >= payload.exp + slack) return invalid(link, 'expired', `Link ${link} is past its end.`)
    if (expected.now < (payload.nbf ?? 0) - slack) return invalid(link, 'not_yet_valid', `Link ${link} has not begun.`)
    walk = { scope, signer: verifyingKey(payload.next), parent: opened.hash }
  }
  return walk
}

function findMismatch(assertion: Assertion, expected: ProofExpectation): [ProofFlaw, string] | undefined {
  if (assertion.nonce !== expected.nonce) return ['wrong_nonce', 'It answers another nonce.']
  if (assertion.binding !== expected.binding) return ['wrong_binding', 'It is the proof of another session.']
  if (expected.session !== undefined && assertion.session !== expected.session)
    return ['wrong_session', `It is about session ${assertion.session}.`]
  if (assertion.product !== expected.product) return ['wrong_product', `It is about ${assertion.product}.`]
  if (assertion.feature !== expected.feature)
    return ['wrong_feature', `It is about ${assertion.feature === undefined ? 'no feature' : assertion.feature}.`]
  if (assertion.seats < (expected.seats ?? 1)) return ['too_few_seats', `It is about ${assertion.seats} seats.`]
  const { key } = expected
  if (
    key !== undefined &&
    JSON.stringify([key.rule, key.parts]) !== JSON.stringify([assertion.key.rule, assertion.key.parts])
  )
    return ['wrong_count_key', 'Its seat is counted for somebody or something else.']
  return undefined
}

/** @param chain compact texts, from the license to the assertion, as in `proof` of a session */
export function verifyProof(chain: readonly string[], expected: ProofExpectation): ValidProof | InvalidProof {
  if (chain.length < 3 || chain.length > maxLinks)
    return invalid(0, 'malformed_chain', `A proof has 3 to ${maxLinks} links, this one has ${chain.length}.`)
  const vendor = isVerifyingKey(expected.vendorKey) ? expected.vendorKey : verifyingKey(expected.vendorKey)
  const tolerance = expected.clockTolerance ?? defaultClockTolerance

  const license = openLink(chain, 0, 'leasehold-license', vendor)
  if (license.kind === 'invalid') return license
  const activation = openLink(chain, 1, 'leasehold-activation', vendor)
  if (activation.kind === 'invalid') return activation
  if (activation.payload.license !== license.payload.id)
    return invalid(1, 'wrong_license', 'The activation is for another license.')
  if (activation.payload.parent !== license.hash)
    return invalid(1, 'broken_parent', 'The activation is for another text of the license.')
  const scope = endScope(licenseScope(license.payload), activation.payload.exp)
  if (typeof scope === 'string') return flawAt(1, scope)
  if (scope.exp !== undefined && expected.now >= scope.exp + tolerance)
    return invalid(1, 'expired', 'The license or its activation is past its end.')
  if (scope.nbf !== undefined && expected.now < scope.nbf - tolerance)
    return invalid(0, 'not_yet_valid', 'The license has not begun.')

  const start = { scope, signer: verifyingKey(activation.payload.next), parent: activation.hash }
  const walk = followLinks(chain, start, expected)
  if ('kind' in walk) return walk

  const last = chain.length - 1
  const assertion = openLink(chain, last, 'leasehold-assertion', walk.signer)
  if (assertion.kind === 'invalid') return assertion
  if (assertion.payload.parent !== walk.parent)
    return invalid(last, 'broken_parent', 'The assertion follows another text.')
  const flaw = findAssertionFlaw(walk.scope, assertion.payload, tolerance)
  if (flaw !== undefined) return flawAt(last, flaw)
  const mismatch = findMismatch(assertion.payload, expected)
  if (mismatch !== undefined) return invalid(last, ...mismatch)
  const { endsAt } = walk.scope
  return {
    kind: 'valid',
    validFor: assertion.payload.validFor,
    license: license.payload,
    activation: activation.payload,
    assertion: assertion.payload,
    agent: walk.signer.id,
    ...(endsAt !== undefined && { endsAt }),
  }
}
