/**
 * Which agents get seats from here, and for whom, in the one order: access, approval, machine rules; whether seats are given out;
 * user rules; the limit. The first that refuses is the one that is named. Owns nothing.
 * Must not import transport or http.
 */
import { permitOf } from '../access-rules.ts'
import type { LicenseLimit } from '../domain/access/decide.ts'
import type { Grant } from '../domain/grant.ts'
import { type ErrorCode, type Refusal, refuse } from '../errors.ts'
import type { Serving } from '../serving.ts'
import type { PeerCaller } from './lease-desk-ask.ts'
import type { Offers } from './wire.ts'

/** The agent, as rules for machines look at it. */
export interface MachineSubject {
  readonly agent: string
  readonly name: string
  readonly address: string
}

/** Who uses the seat, as rules for users look at it. */
export interface UserSubject {
  readonly account?: string
  readonly email?: string
  readonly host?: string
  readonly address?: string
  readonly agent: string
  readonly product: string
  readonly feature?: string
}

export type Verdict =
  | { readonly kind: 'allowed'; readonly licenses?: LicenseLimit }
  | { readonly kind: 'denied'; readonly code: ErrorCode; readonly rule?: string; readonly detail: string }

export interface LeaseGuardOptions {
  /** The setting `serving.access`. */
  readonly access: () => 'none' | 'approved' | 'rules'
  /** What an administrator has said of the agent. */
  readonly approvalOf: (agent: string) => 'known' | 'pending' | 'approved' | 'denied' | undefined
  readonly rules: { machine(subject: MachineSubject): Verdict; user(subject: UserSubject): Verdict }
  readonly serving: Pick<Serving, 'refusal'>
  /** This agent is a copy of an earlier state: nothing new until an administrator confirms it (R24). */
  readonly isRestored: () => boolean
  /** The setting `serving.seatsPerAgent`; 0 = no limit. */
  readonly seatsPerAgent: () => number
}

export class LeaseGuards {
  readonly #options: LeaseGuardOptions

  constructor(options: LeaseGuardOptions) {
    this.#options = options
  }

  /** Whether other agents get anything from here at all. */
  closed(): Refusal | undefined {
    if (this.#options.access() !== 'none') return undefined
    return refuse('remote_access_off', 'This agent gives no seats to other machines.')
  }

  /** Whether the agent gets seats from here. */
  refuseAgent(peer: PeerCaller): Refusal | undefined {
    const closed = this.closed() ?? this.#refuseDenied(peer)
    if (closed) return closed
    if (this.#options.access() === 'approved' && this.#options.approvalOf(peer.id) !== 'approved')
      return refuse('approval_pending', 'The administrator has not approved this machine yet.', { retryIn: 60 })
    return this.#refuseByRule(peer)
  }

  /** Whether it was said of this agent that it gets nothing: what it has ends, too. Who only waits for approval keeps it. */
  refuseHolder(peer: PeerCaller): Refusal | undefined {
    return this.#refuseDenied(peer) ?? this.#refuseByRule(peer)
  }

  /** An administrator has said that this agent is one of theirs. */
  isApproved(agent: string): boolean {
    return this.#options.approvalOf(agent) === 'approved'
  }

  /** Whether anything new is given out now. */
  refuseNew(): Refusal | undefined {
    if (this.#options.isRestored())
      return refuse(
        'handing_out_disabled',
        'This agent was set back to an earlier state; it gives out nothing new until its administrator confirms that.',
        { retryIn: 60 },
      )
    return this.#options.serving.refusal()
  }

  /** The rules for users; also of seats that are in use. */
  refuseUser(subject: UserSubject): Refusal | undefined {
    return refusalOf(this.#options.rules.user(subject))
  }

  /** The same for a new seat: also from which licenses it may come. */
  permitUser(subject: UserSubject, licenses: Iterable<string>): ReturnType<typeof permitOf> {
    const verdict = this.#options.rules.user(subject)
    return verdict.kind === 'allowed' ? permitOf(verdict, licenses) : (refusalOf(verdict) as Refusal)
  }

  /** @param holding seats of the product that the agent has or is asking for */
  refuseMore(seats: number, holding: () => number): Refusal | undefined {
    const most = this.#options.seatsPerAgent()
    if (most === 0) return undefined
    const held = holding()
    if (held + seats <= most) return undefined
    const has = held === 0 ? 'none yet' : String(held)
    return refuse(
      'agent_limit_reached',
      `One machine may hold ${most} seats of this product; this one has ${has} and asks for ${seats}.`,
      { retryIn: 30 },
    )
  }

  #refuseDenied({ id }: PeerCaller): Refusal | undefined {
    if (this.#options.approvalOf(id) !== 'denied') return undefined
    return refuse('denied_by_rule', 'The administrator has denied this machine.')
  }

  #refuseByRule({ id, name, address }: PeerCaller): Refusal | undefined {
    return refusalOf(this.#options.rules.machine({ agent: id, name, address }))
  }
}

/** Who uses a seat, of a request or a grant. */
export function subjectOf(asked: Pick<Grant, 'who' | 'holder' | 'product' | 'feature'>): UserSubject {
  const { who, holder, product, feature } = asked
  const { account, email, host, address } = who
  return {
    agent: holder,
    product,
    ...(feature === undefined ? {} : { feature }),
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(host === undefined ? {} : { host }),
    ...(address === undefined ? {} : { address }),
  }
}

/** What an agent is told of a refusal that holds for all products. */
export function servingOf(refusal: Refusal | undefined): Offers['serving'] {
  switch (refusal?.code) {
    case undefined:
      return 'open'
    case 'handing_out_disabled':
    case 'serving_stopped':
    case 'remote_access_off':
    case 'approval_pending':
      return refusal.code
    default:
      return 'denied_by_rule'
  }
}

function refusalOf(verdict: Verdict): Refusal | undefined {
  if (verdict.kind === 'allowed') return undefined
  const { code, detail, rule } = verdict
  return rule === undefined ? refuse(code, detail) : refuse(code, detail, { rule })
}
