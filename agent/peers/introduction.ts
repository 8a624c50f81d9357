/**
 * How this agent introduces itself: who it is, which versions it speaks, and its signed statement which TLS certificate is its
 * own. Owns the statement. Must not import http.
 */
import type { Clock } from '../clock.ts'
import { sealDocument } from '../domain/documents/document.ts'
import type { SigningKey } from '../domain/documents/keys.ts'
import type { Certificates } from './certificate.ts'
import { type Hello, peerVersions } from './wire.ts'

export interface IntroductionParts {
  readonly agent: SigningKey
  readonly name: () => string
  /** Of the program. */
  readonly version: string
  readonly startId: string
  readonly startCounter: () => number
  readonly certificates: Pick<Certificates, 'get'>
  readonly clock: Pick<Clock, 'wall'>
  readonly randomId: () => string
}

const lifetime = 7 * 24 * 60 * 60
/** A statement that ends sooner is made anew. */
const leastLeft = lifetime / 2

export class Introduction {
  readonly #parts: IntroductionParts
  #statement: { readonly certificate: string; readonly text: string; readonly from: number } | undefined

  constructor(parts: IntroductionParts) {
    this.#parts = parts
  }

  async hello(): Promise<Hello> {
    const { agent, name, version, startId, startCounter, clock, certificates } = this.#parts
    const { hash } = await certificates.get()
    const time = clock.wall()
    return {
      agent: agent.id,
      key: agent.jwk,
      name: name().slice(0, 64),
      version,
      versions: [...peerVersions],
      startId,
      startCounter: startCounter(),
      time,
      statement: this.#state(hash, Math.floor(time / 1000)),
    }
  }

  #state(certificate: string, now: number): string {
    const made = this.#statement
    // a clock that was set back makes it anew, too
    if (made?.certificate === certificate && now >= made.from && now < made.from + lifetime - leastLeft)
      return made.text
    const { agent, randomId } = this.#parts
    const facts = { id: `s${randomId()}`, iat: now, agent: agent.id, key: agent.jwk, certificate, exp: now + lifetime }
    const text = sealDocument('leasehold-statement', facts, agent)
    this.#statement = { certificate, text, from: now }
    return text
  }
}
