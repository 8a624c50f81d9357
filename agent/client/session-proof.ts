/**
 * Has the seat of one session proved: makes the nonces, keeps the first one as the binding, and compares what comes back with
 * everything the application knows (R26, R27). Owns the binding. Must not import anything of the agent but the domain.
 */
import { type CountKey, countKey } from '../domain/count-key.ts'
import type { VerifyingKey } from '../domain/documents/keys.ts'
import { verifyProof } from '../domain/proof.ts'
import type { SeatRequest } from './seat.ts'
import type { SessionProof } from './session.ts'

export type Judgement =
  | {
      readonly kind: 'valid'
      /** Seconds from before the nonce was sent. */
      readonly validFor: number
      readonly proof: SessionProof
    }
  | { readonly kind: 'unavailable'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly detail: string }

export interface SessionProofsOptions {
  readonly vendor: VerifyingKey
  readonly request: SeatRequest
  /** 16 to 128 random characters of base64url. */
  readonly newNonce: () => string
  /** Every seat of the session must be proved. */
  readonly strict: boolean
}

export class SessionProofs {
  readonly #options: SessionProofsOptions
  /** The session's first nonce; sent with the request for the seat and with every repeat of it. */
  readonly binding: string

  constructor(options: SessionProofsOptions) {
    this.#options = options
    this.binding = options.newNonce()
  }

  /** Thumbprint of the vendor's key. */
  get vendor(): string {
    return this.#options.vendor.id
  }

  newNonce(): string {
    return this.#options.newNonce()
  }

  /**
   * @param answer of the agent to the request that `nonce` went with
   * @param session as the answer to opening named it
   * @param wall in ms
   */
  judge(
    answer: { readonly proof?: readonly string[] | undefined; readonly proofUnavailable?: string | undefined },
    nonce: string,
    session: { readonly id: string; readonly product: string },
    wall: number,
  ): Judgement {
    const { vendor, request, strict } = this.#options
    if (answer.proof === undefined)
      return answer.proofUnavailable === undefined
        ? { kind: 'invalid', detail: 'The agent answered without a proof and did not say why.' }
        : { kind: 'unavailable', reason: answer.proofUnavailable }
    const product = fullName(request.product, session.product)
    if (product === undefined) return { kind: 'invalid', detail: `The seat is of ${session.product}.` }
    const outcome = verifyProof(answer.proof, {
      vendorKey: vendor,
      product,
      ...(request.feature === undefined ? {} : { feature: request.feature }),
      seats: strict ? request.seats : 1,
      nonce,
      binding: this.binding,
      session: session.id,
      now: Math.floor(wall / 1000),
    })
    if (outcome.kind === 'invalid') return { kind: 'invalid', detail: `${outcome.detail} (${outcome.reason})` }
    const { assertion, license, agent, validFor, endsAt } = outcome
    if (!isKeyOf(assertion.key, agent, request))
      return { kind: 'invalid', detail: 'The seat is counted for somebody or something else. (wrong_count_key)' }
    return {
      kind: 'valid',
      validFor,
      proof: {
        kind: 'valid',
        license: license.id,
        agent,
        seats: assertion.seats,
        ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt * 1000) }),
      },
    }
  }
}

/** A bare product name means the one that the vendor's own license gives the seat of. */
function fullName(asked: string, given: string): string | undefined {
  if (asked.includes('/')) return asked
  return given.endsWith(`/${asked}`) ? given : undefined
}

/** Whether the seat is counted for this user, machine or process, as far as the application knows them (R27). */
function isKeyOf(key: CountKey, agent: string, { user, process }: SeatRequest): boolean {
  if (key.rule === 'process') {
    // An agent that can't see processes counts each session for itself. Boot and start time are the agent's to know.
    const [owner, , id] = key.parts
    return key.parts.length === 0 || (owner === agent && id === String(process?.id))
  }
  const parts = countKey(key.rule, { agent, account: user?.account, email: user?.email })?.parts ?? []
  return key.parts.length === parts.length && parts.every((part, at) => part === key.parts[at])
}
