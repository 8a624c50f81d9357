/**
 * Ids and keys of sessions: the id follows from the Idempotency-Key, so that a repeat finds it; the key, the right to keep and
 * end the session, follows from the id under a secret of this agent, so that a repeat can be given it again and nothing has
 * to be stored. Imports nothing of ours.
 */
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto'

export interface SessionIdParts {
  readonly idempotencyKey: string
  readonly processId?: number
  readonly account?: string
}

const mostRecent = 2_000

export class SessionKeys {
  readonly #idSecret: string
  readonly #keySecret: KeyObject
  /** Keys of the ids that were opened last: most are asked for again soon. */
  readonly #recent = new Map<string, string>()

  /** @param deriveKey 32 bytes of this agent per label */
  constructor(deriveKey: (label: string) => Buffer) {
    this.#idSecret = deriveKey('session-id').toString('base64url')
    this.#keySecret = createSecretKey(deriveKey('session-key'))
  }

  idOf(parts: SessionIdParts): string {
    const told = JSON.stringify([parts.idempotencyKey, parts.processId ?? null, parts.account ?? null])
    // Ids stand in signed documents, where they begin with a letter or digit. Half of the hash is cut off, so nothing can be added.
    return `s${hash('sha256', this.#idSecret + told, 'base64url').slice(0, 22)}`
  }

  /** 128 bit, base64url. */
  keyOf(id: string): string {
    const known = this.#recent.get(id)
    if (known !== undefined) return known
    const key = createHmac('sha256', this.#keySecret).update(id).digest('base64url').slice(0, 22)
    this.#recent.set(id, key)
    if (this.#recent.size > mostRecent) this.#forgetOldest()
    return key
  }

  #forgetOldest(): void {
    const { value: oldest } = this.#recent.keys().next()
    if (oldest !== undefined) this.#recent.delete(oldest)
  }

  isKeyOf(id: string, key: string): boolean {
    const right = Buffer.from(this.keyOf(id))
    const given = Buffer.from(key)
    return right.length === given.length && timingSafeEqual(right, given)
  }
}
