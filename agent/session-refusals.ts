/**
 * The words of every refusal that concerns a session. Owns nothing.
 */
import type { ProductName } from './domain/product-name.ts'
import { type EndReason, type Refusal, refuse } from './errors.ts'
import type { ExplanationView } from './explanation.ts'
import type { OpenAnswer } from './lessor.ts'

type Refused =
  | Exclude<OpenAnswer, { kind: 'granted' | 'repeated' | 'short' | 'too_many' }>
  | { readonly kind: 'queue_full' }

/** Seconds; also how often it is worth asking when nothing is known of a return. */
const retryIn = 30

export function refusalOf(answer: Refused, product: ProductName, feature: string | undefined): Refusal {
  switch (answer.kind) {
    case 'conflict':
      return refuse('id_conflict', 'This Idempotency-Key was used before, with another body.')
    case 'ended':
      return endedSession(answer.reason)
    case 'unknown_product':
      return refuse('unknown_product', `No license for ${product} is installed here.`)
    case 'unknown_feature':
      return refuse('unknown_feature', `No license for ${product} has the feature “${feature}”.`)
    case 'lease_too_short':
      return refuse('lease_too_short', `A seat of ${product} could not be promised for long enough.`, { retryIn })
    case 'closed':
      return refuse(answer.why, `${product} has a license here, but it gives out no seats now.`)
    case 'queue_full':
      return refuse('queue_full', `Too many wait for ${product}.`, { retryIn })
  }
}

/** @param ahead how many wait for one before this request @param wall now, in ms */
export function noSeats(
  wanted: { readonly product: ProductName; readonly feature?: string; readonly seats: number },
  explanation: ExplanationView,
  ahead: number,
  wall: number,
): Refusal {
  const { feature, seats } = wanted
  const [manager] = explanation.managers
  const used = `${manager?.used ?? 0} of ${manager?.seats ?? 0} seats of ${nameOf(wanted)} are in use`
  const asked = seats > 1 ? `; ${seats} are asked for` : ''
  const line = ahead > 0 ? `; ${ahead} ${ahead === 1 ? 'waits' : 'wait'} for one already` : ''
  const next = manager?.nextReturnAt
  const due = next === undefined ? retryIn : Math.max(1, Math.ceil((Date.parse(next) - wall) / 1000))
  return refuse('no_seats', `${used}${asked}${line}.`, {
    retryIn: Math.min(retryIn, due),
    explanation,
    ...(feature === undefined ? {} : { feature }),
  })
}

/** More than there are, so that asking again is of no use. */
export function tooManySeats(
  wanted: { readonly product: ProductName; readonly feature?: string; readonly seats: number },
  seats: number,
  explanation: ExplanationView,
): Refusal {
  const { feature } = wanted
  return refuse('no_seats', `${wanted.seats} seats of ${nameOf(wanted)} are asked for; there are ${seats} in all.`, {
    explanation,
    ...(feature === undefined ? {} : { feature }),
  })
}

function nameOf({ product, feature }: { readonly product: ProductName; readonly feature?: string }): string {
  return feature === undefined ? product : `${product} with feature ${feature}`
}

export function endedSession(reason: string): Refusal {
  return refuse('session_ended', sentences[reason as EndReason] ?? 'The session has ended.', { reason })
}

export function unknownSession(id: string): Refusal {
  return refuse('unknown_session', `There is no session ${id} here.`)
}

const sentences: Record<EndReason, string> = {
  released: 'The seat was given back.',
  expired: 'No heartbeat came in time.',
  idle: 'It was idle for too long.',
  process_gone: 'Its process has ended.',
  disconnected: 'An administrator disconnected it.',
  serving_stopped: 'The license server was stopped.',
  license_removed: 'The license was removed.',
  user_disabled: 'The user was switched off.',
  lease_lost: 'The lease of its seat was lost.',
  detachment_ended: 'The detached seat has reached its date.',
  recycled: 'The site returned its seats.',
}
