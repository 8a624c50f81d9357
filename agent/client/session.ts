/**
 * What an application sees of its session: state, time, proof, and how it ends. Types and words only; the session that does it
 * is `live-session.ts`. Must not import anything of the agent.
 */
import { endSentences } from '../domain/end-sentences.ts'
import type { EndReason } from '../errors.ts'

/**
 * - `active`: the seat is yours
 * - `renewing`: the agent does not answer at the moment; the seat is yours until `validUntil`
 * - `ended`: it will not come back; `end` says why
 */
export type SessionState = 'active' | 'renewing' | 'ended'

/** Reasons that the agent gives, and those that only the application's side knows. */
export type SessionEndReason =
  | EndReason
  /** The application closed it. */
  | 'closed'
  /** No heartbeat was answered until the time was over. */
  | 'unreached'
  /** The agent knows no such session: it has another data folder than before. */
  | 'unknown_session'
  | 'wrong_key'
  /** What the agent gave as a proof does not prove this seat. */
  | 'proof_invalid'
  /** The agent gives no proof, and the application asks for one (`requireProof`). */
  | 'proof_unavailable'
  /** A reason that this version of the library does not know. */
  | 'other'

export interface SessionEnd {
  readonly reason: SessionEndReason
  /** A sentence for people. */
  readonly detail: string
}

export const endWords: Readonly<Record<SessionEndReason, string>> = {
  ...endSentences,
  closed: 'The application gave the seat back.',
  unreached: 'The agent could not be reached for as long as the seat was promised.',
  unknown_session: 'The agent of this machine does not know the session.',
  wrong_key: 'The agent of this machine does not take the key of the session.',
  proof_invalid: 'The seat could not be proved.',
  proof_unavailable: 'The agent gives no proof of the seat.',
  other: 'The session has ended.',
}

/** @param reason as the agent writes it */
export function endOf(reason: string | undefined, detail?: string): SessionEnd {
  const known = reason !== undefined && Object.hasOwn(endWords, reason) ? (reason as SessionEndReason) : 'other'
  return { reason: known, detail: detail ?? endWords[known] }
}

export type SessionProof =
  /** None was asked for: the library was given no `vendorKey`. */
  | { readonly kind: 'none' }
  | {
      readonly kind: 'valid'
      /** Id of the license. */
      readonly license: string
      /** Id of the agent that answers for the seat. */
      readonly agent: string
      /** Seats that are proved; fewer than the session has where they come from several licenses. */
      readonly seats: number
      /** When license, activation or detachment end; absent = never. */
      readonly endsAt?: Date
    }
  /** The agent says that it can't prove this seat. Whether that is enough is for the application to decide. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export type Verification =
  | SessionProof
  /** The agent did not answer. What was proved before holds until `validUntil`. */
  | { readonly kind: 'unreached' }
  | { readonly kind: 'ended'; readonly end: SessionEnd }

export interface SessionSource {
  readonly kind: 'license' | 'lease' | 'detachment'
  readonly manager: { readonly id: string; readonly name: string }
}

export interface Session {
  readonly id: string
  /** `vendor/product`. */
  readonly product: string
  readonly feature: string | undefined
  readonly seats: number

  readonly state: SessionState
  /** Why it has ended; absent until then. */
  readonly end: SessionEnd | undefined
  /** Resolves once it has ended and the agent was told. Never rejects. */
  readonly ended: Promise<SessionEnd>

  /** For people. A program asks `secondsLeft`, which a wrong wall clock does not move. */
  readonly validUntil: Date
  /**
   * Whole seconds for which the seat is promised, counted from before the request for it was sent, on a clock that counts
   * sleep (R9). 0 while the time is over and the agent is asked once more, and when it has ended; where the agent ordered the
   * end, what is left to finish in.
   */
  readonly secondsLeft: number
  /** Where the seat comes from. */
  readonly source: SessionSource | undefined
  /** When it ends unless `touch` is called; only with activity `reported`. */
  readonly idleEndsAt: Date | undefined
  readonly proof: SessionProof

  /** Calls `listener` when state, proof or source have changed, until what it returns is called. */
  onChange(listener: (session: Session) => void): () => void
  /** The person did something. Told to the agent with the next heartbeat, or at once where the last word is 2 minutes old. */
  touch(): void
  /** Sends a heartbeat now, and with `vendorKey` has the seat proved anew. */
  verify(): Promise<Verification>
  /** Gives the seat back; end the use of it before. `onEnd` is not called. Harmless when it has ended. Never rejects. */
  close(): Promise<void>
}
