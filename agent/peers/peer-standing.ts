/**
 * One other agent as it was met: where, with which certificate and key, which start of it answers and what its clock says. Signs
 * requests for it and checks what it answers (R13, R24). Owned by the channel. Must not import http of ours.
 */
import type { Elapsed } from '../clock.ts'
import { type VerifyingKey, verifyingKey } from '../domain/documents/keys.ts'
import { contentDigest, emptyDigest } from '../domain/http-signature.ts'
import {
  answerHeader,
  type Evidence,
  evidenceHeader,
  readAnswer,
  signRequest,
  writeEvidence,
  writeName,
} from '../domain/peer-signature.ts'
import type { Place } from '../domain/place.ts'
import type { Met } from './meeting.ts'
import type { PeerClientParts, PeerRequest } from './peer-call.ts'
import { hostHeader } from './peer-connection.ts'
import { type Exchange, headerOf, type Outgoing } from './peer-exchange.ts'

type Parts = Pick<PeerClientParts, 'agent' | 'name' | 'startId' | 'startCounter' | 'clock' | 'randomId' | 'book'>

export class PeerStanding {
  readonly place: Place
  /** base64url SHA-256; all connections to it show this one. */
  readonly certificate: string
  readonly #parts: Parts
  readonly #id: string
  readonly #version: number
  readonly #key: VerifyingKey
  #start: string
  /** Its clock, in ms, at our elapsed time `#at`. */
  #time: number
  #at: Elapsed
  /** The newest revision seen within `#start`. */
  #revision: number

  constructor(parts: Parts, { hello, place, certificate, version, evidence }: Met) {
    this.#parts = parts
    this.#id = hello.agent
    this.place = place
    this.certificate = certificate
    this.#version = version
    this.#key = verifyingKey(hello.key)
    this.#start = evidence.start
    this.#time = evidence.time
    this.#at = parts.clock.atLeast()
    this.#revision = evidence.revision
  }

  sign({ method, path, body, via = [] }: PeerRequest): Outgoing {
    const { agent, name, startId, startCounter, clock, randomId, book } = this.#parts
    const target = `/peer/v${this.#version}${path}`
    const text = body === undefined ? undefined : JSON.stringify(body)
    const facts = {
      to: this.#id,
      start: this.#start,
      key: agent.jwk.x,
      name: writeName(name()),
      'from-start': startId,
      'from-count': startCounter(),
      seen: this.#revision,
    }
    const digest = text === undefined ? emptyDigest : contentDigest(text)
    const created = Math.floor((this.#time + clock.atLeast() - this.#at) / 1000)
    const signed = signRequest({ method, target, digest, facts, created, nonce: randomId() }, agent)
    const headers: Record<string, string> = { host: hostHeader(this.place), ...signed }
    if (via.length > 0) headers.via = via.map((id) => `1.1 ${id}`).join(', ')
    const evidence = book.evidenceFor(this.#id)
    if (evidence !== undefined) headers[evidenceHeader] = writeEvidence(evidence)
    return text === undefined ? { method, path: target, headers } : { method, path: target, headers, body: text }
  }

  /**
   * @param digest of the body as it came; undefined for a stream
   * @returns whether the answer is signed for this request
   */
  verify(said: Extract<Exchange, { kind: 'said' }>, { headers }: Outgoing, digest: string | undefined): boolean {
    if (digest !== undefined && headerOf(said, 'content-digest') !== digest) return false
    const to = { signature: headers.signature ?? '' }
    const message = { status: said.status, digest, to, facts: headerOf(said, answerHeader) }
    const signed = { input: headerOf(said, 'signature-input'), signature: headerOf(said, 'signature') }
    const evidence = readAnswer(message, signed, this.#key)
    if (evidence === undefined) return false
    this.hear(evidence)
    return true
  }

  /** What it has signed about itself just now. */
  hear(evidence: Evidence): void {
    const { start, time, revision } = evidence
    this.#revision = this.#start === start ? Math.max(this.#revision, revision) : revision
    this.#start = start
    this.#time = time
    this.#at = this.#parts.clock.atLeast()
    this.#parts.book.noteAnswer(this.#id, evidence)
  }
}
