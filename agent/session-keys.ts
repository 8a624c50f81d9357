/**
 * Ids and keys of sessions: the id follows from the Idempotency-Key, so that a repeat finds it; the key, the right to keep and
 * end the session, follows from the id under a secret of this agent, so that a repeat can be given it again and nothing has
 * to be stored. Imports nothing of ours.
 */
import { hash } from 'node:crypto'

export interface SessionIdParts {
  readonly idempotencyKey: string
  readonly processId?: number
  readonly account?: string
}

/**
 * Half of each hash is cut off, so nothing can be added to what was hashed; and both secrets have the same length always.
 */
export class SessionKeys {
  readonly #idSecret: string
  readonly #keySecret: string

  /** @param deriveKey 32 bytes of this agent per label */
  constructor(deriveKey: (label: string) => Buffer) {
    this.#idSecret = deriveKey('session-id').toString('base64url')
    this.#keySecret = deriveKey('session-key').toString('base64url')
  }

  idOf(parts: SessionIdParts): string {
    const told = JSON.stringify([parts.idempotencyKey, parts.processId ?? null, parts.account ?? null])
    // Ids stand in signed documents, where they begin with a letter or digit.
    return `s${hash('sha256', this.#idSecret + told, 'base64url').slice(0, 22)}`
  }

  /** 128 bit, base64url. */
  keyOf(id: string): string {
    return hash('sha256', this.#keySecret + id, 'base64url').slice(0, 22)
  }

  /** Looks at every character, so that the time it takes tells nothing of the right key. */
  isKeyOf(id: string, key: string): boolean {
    const right = this.keyOf(id)
    let difference = right.length ^ key.length
    for (let index = 0; index < right.length; index += 1) difference |= right.charCodeAt(index) ^ key.charCodeAt(index)
    return difference === 0
  }
}
