/**
 * The receiving end of what agents say to each other: verifies signed requests and signs the answers (R13, R24). Owns the nonces
 * and what unverified senders may cost. Knows nothing of HTTP servers; must not import http.
 */
import type { Clock } from '../clock.ts'
import { type SigningKey, type VerifyingKey, verifyingKey } from '../domain/documents/keys.ts'
import { contentDigest } from '../domain/http-signature.ts'
import {
  type AnswerFacts,
  type ClaimedRequest,
  isRequestSigned,
  readEvidence,
  readName,
  readRequest,
  requestNonce,
  signAnswer,
} from '../domain/peer-signature.ts'
import { type Refusal, refuse } from '../errors.ts'
import { Buckets } from './buckets.ts'
import { Nonces } from './nonces.ts'
import type { PeerBook } from './peer-book.ts'
import type { Approval } from './peer-record.ts'

export interface PeerDoorParts {
  readonly agent: SigningKey
  readonly startId: string
  readonly startCounter: () => number
  /** Of the store. */
  readonly revision: () => number
  readonly clock: Clock
  readonly book: PeerBook
}

/** The verified sender of a request. */
export interface Caller {
  readonly id: string
  /** What it calls itself. */
  readonly name: string
  /** The address that it asks from. */
  readonly address: string
  /** What this agent's administrator thinks of it. */
  readonly approval: Approval
}

/** A request as it came in. Values of headers; absent ones are empty. */
export interface IncomingRequest {
  readonly method: string
  /** Path and query, exactly as they were sent. */
  readonly target: string
  readonly address: string
  readonly body: Buffer
  readonly digest: string
  readonly facts: string
  readonly signatureInput: string
  readonly signature: string
  readonly via: string
  readonly evidence: string
}

export type Admission =
  | { readonly kind: 'admitted'; readonly caller: Caller }
  /** `signed`: the sender has proved its key, so that the answer is signed for it. */
  | { readonly kind: 'turned-away'; readonly refusal: Refusal; readonly signed: boolean }

/** ms by which the time of a request may be off. */
const tolerance = 60_000
const mostHops = 8
/** What an address may send that does not verify, and how many new agents may come from it. */
const unverified = { size: 100, perSecond: 50 }
const strangers = { size: 30, perSecond: 0.1 }
/** `hello` costs a signature and is asked by anybody; many agents may come from the address of one router or proxy. */
const greetings = { size: 300, perSecond: 50 }
const mostKeys = 2_000

export class PeerDoor {
  readonly #parts: PeerDoorParts
  readonly #nonces: Nonces
  readonly #unverified: Buckets
  readonly #strangers: Buckets
  readonly #greetings: Buckets
  readonly #keys = new Map<string, VerifyingKey>()
  /** What the wall said at the start; from there the clock of the signatures only runs forward. */
  readonly #origin: number

  constructor(parts: PeerDoorParts) {
    this.#parts = parts
    const { clock } = parts
    // a request is valid for the tolerance on both sides of its time
    this.#nonces = new Nonces(clock, 2 * tolerance + 1000)
    this.#unverified = new Buckets(clock, unverified.size, unverified.perSecond)
    this.#strangers = new Buckets(clock, strangers.size, strangers.perSecond)
    this.#greetings = new Buckets(clock, greetings.size, greetings.perSecond)
    this.#origin = clock.wall() - clock.atLeast()
  }

  /** Verifies a request over its raw body; whoever is new is remembered first. */
  async admit(request: IncomingRequest): Promise<Admission> {
    const { address } = request
    if (!this.#unverified.has(address))
      return away(refuse('too_many_requests', 'Too many requests from there could not be verified.', { retryIn: 1 }))
    const verified = this.#verify(request)
    if (verified.kind === 'turned-away') {
      if (!verified.signed) this.#unverified.take(address)
      return verified
    }
    return await this.#let(verified.claimed, verified.key, request)
  }

  /** Whether `address` may ask for one more `hello`. */
  greet(address: string): Refusal | undefined {
    if (this.#greetings.take(address)) return undefined
    return refuse('too_many_requests', 'Too many greetings from there.', { retryIn: 1 })
  }

  /**
   * The headers of an answer.
   * @param body as it is sent; undefined for a stream
   * @param to the `Signature` of the request, or the nonce of a `hello`
   */
  sign(
    status: number,
    body: string | undefined,
    to: { readonly signature: string } | { readonly nonce: string } | undefined,
  ): Readonly<Record<string, string>> {
    const digest = body === undefined ? undefined : contentDigest(body)
    // what is no nonce is not repeated
    const answered = to !== undefined && 'nonce' in to && !requestNonce.safeParse(to.nonce).success ? undefined : to
    return signAnswer({ status, digest, to: answered, facts: this.#facts() }, this.#parts.agent)
  }

  #facts(): AnswerFacts {
    const { startId, startCounter, revision } = this.#parts
    return { start: startId, count: startCounter(), revision: revision(), time: Math.floor(this.#time()) }
  }

  #time(): number {
    return this.#origin + this.#parts.clock.atLeast()
  }

  #verify(
    request: IncomingRequest,
  ): Exclude<Admission, { kind: 'admitted' }> | { kind: 'verified'; claimed: ClaimedRequest; key: VerifyingKey } {
    const { method, target, digest, facts } = request
    const claimed = readRequest(
      { method, target, digest, facts },
      { input: request.signatureInput, signature: request.signature },
    )
    if (claimed === undefined) return away(refuse('peer_signature_wrong', 'The request is not signed as agents sign.'))
    if (digest !== contentDigest(request.body))
      return away(refuse('peer_signature_wrong', 'The body is not the one that was signed.'))
    if (claimed.facts.to !== this.#parts.agent.id)
      return away(refuse('wrong_agent', 'The request is signed for another agent.'))
    const key = this.#keyOf(claimed)
    if (key === undefined || !isRequestSigned(claimed, key))
      return away(refuse('peer_signature_wrong', 'The signature is not that of the key that is named.'))
    const off = claimed.created * 1000 - this.#time()
    if (claimed.facts.start !== this.#parts.startId || Math.abs(off) > tolerance) {
      // anybody can make a key
      if (this.#parts.book.get(claimed.sender) === undefined) this.#unverified.take(request.address)
      return away(refuse('stale', 'The request was signed for another start or time of this agent.'), true)
    }
    const taken = this.#nonces.take(`${claimed.sender} ${claimed.nonce}`)
    if (taken === 'used') return away(refuse('replayed', 'This very request was here before.'), true)
    if (taken === 'full') return away(refuse('too_many_requests', 'Too many requests at once.', { retryIn: 60 }), true)
    if (this.#wasHere(request.via)) return away(refuse('loop_detected', 'The request came through this agent.'), true)
    return { kind: 'verified', claimed, key }
  }

  /** The key must hash to the id that the signature names. */
  #keyOf({ sender, facts }: ClaimedRequest): VerifyingKey | undefined {
    const known = this.#parts.book.get(sender)?.key ?? this.#keys.get(sender)
    if (known !== undefined) return known.jwk.x === facts.key ? known : undefined
    let key: VerifyingKey
    try {
      key = verifyingKey({ kty: 'OKP', crv: 'Ed25519', x: facts.key })
    } catch {
      return undefined
    }
    if (key.id !== sender) return undefined
    // making a key costs more than verifying with it
    if (this.#keys.size >= mostKeys) this.#keys.clear()
    this.#keys.set(sender, key)
    return key
  }

  async #let({ sender, facts }: ClaimedRequest, key: VerifyingKey, request: IncomingRequest): Promise<Admission> {
    const { book } = this.#parts
    const { address, method } = request
    if (sender === this.#parts.agent.id) return away(refuse('loop_detected', 'An agent does not ask itself.'), true)
    if (book.get(sender) === undefined && !this.#strangers.take(address))
      return away(refuse('too_many_requests', 'Too many new agents come from there.', { retryIn: 10 }), true)
    const name = readName(facts.name)
    const met = await book.meet({ key: key.jwk, name: name === '' ? sender.slice(0, 8) : name, from: address })
    if (met.kind === 'refused') return away(met, true)
    const { peer } = met
    if (peer.approval === 'denied')
      return away(refuse('peer_denied', 'The administrator has refused this machine.'), true)
    const asked = book.noteRequest(sender, { start: facts['from-start'], count: facts['from-count'], seen: facts.seen })
    if (asked === 'old') return away(refuse('stale', 'The request is of a start that is over.'), true)
    // giving back is always taken
    if (asked === 'forked' && method !== 'DELETE')
      return away(refuse('peer_forked', 'Two agents with the same key ask here.'), true)
    if (request.evidence !== '') {
      const evidence = readEvidence(request.evidence, this.#parts.agent)
      if (evidence !== undefined) book.self.heed(evidence, this.#facts(), sender)
    }
    return { kind: 'admitted', caller: { id: sender, name: peer.name, address, approval: peer.approval } }
  }

  /** `Via` names the agents that a request came through, as `1.1 <agent id>`. */
  #wasHere(via: string): boolean {
    if (via === '') return false
    const hops = via.split(',').map((hop) => hop.trim().split(/\s+/)[1] ?? '')
    return hops.length > mostHops || hops.includes(this.#parts.agent.id)
  }
}

function away(refusal: Refusal, signed = false): Extract<Admission, { kind: 'turned-away' }> {
  return { kind: 'turned-away', refusal, signed }
}
