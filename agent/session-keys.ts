/**
 * Ids and keys of sessions: the id follows from the Idempotency-Key, so that a repeat finds it; the key, the right to keep and
 * end the session, follows from the id under a secret of this agent, so that a repeat can be given it again and nothing has
 * to be stored. Imports nothing of ours.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

export interface SessionIdParts {
  readonly idempotencyKey: string
  readonly processId?: number
  readonly account?: string
}

export class SessionKeys {
  readonly #idSecret: KeyObject
  readonly #keySecret: KeyObject

  /** @param deriveKey 32 bytes of this agent per label */
  constructor(deriveKey: (label: string) => Buffer) {
    this.#idSecret = createSecretKey(deriveKey('session-id'))
    this.#keySecret = createSecretKey(deriveKey('session-key'))
  }

  idOf(parts: SessionIdParts): string {
    const told = JSON.stringify([parts.idempotencyKey, parts.processId ?? null, parts.account ?? null])
    // Ids stand in signed documents, where they begin with a letter or digit.
    return `s${digest(this.#idSecret, told)}`
  }

  /** 128 bit, base64url. */
  keyOf(id: string): string {
    return digest(this.#keySecret, id)
  }

  isKeyOf(id: string, key: string): boolean {
    const right = Buffer.from(this.keyOf(id))
    const given = Buffer.from(key)
    return right.length === given.length && timingSafeEqual(right, given)
  }
}

function digest(secret: KeyObject, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22)
}
