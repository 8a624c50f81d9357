/**
 * The words of every refusal that concerns a session. Owns nothing.
 */

import { endSentences } from './domain/end-sentences.ts'
import type { ProductName } from './domain/product-name.ts'
import { type EndReason, type Refusal, refuse } from './errors.ts'
import type { ExplanationView } from './explanation.ts'
import type { FindAnswer } from './seat-finder.ts'

type Refused = Exclude<FindAnswer, { kind: 'granted' | 'repeated' | 'short' | 'too_many' }>

/** Seconds; also how often it is worth asking when nothing is known of a return. */
const retryIn = 30

/** @param explanation of what the managers said */
export function refusalOf(
  answer: Refused,
  product: ProductName,
  feature: string | undefined,
  explanation: ExplanationView,
): Refusal {
  const asked = explanation.asked.length > 0
  // What is denied by a rule says nothing of who holds the seats.
  const said = asked ? { explanation: { managers: [], asked: explanation.asked } } : undefined
  switch (answer.kind) {
    case 'conflict':
      return refuse('id_conflict', 'This Idempotency-Key was used before, with another body.')
    case 'ended':
      return endedSession(answer.reason)
    case 'unknown_product':
      return refuse('unknown_product', noLicense(product, asked), said)
    case 'unknown_feature':
      return refuse('unknown_feature', `No license for ${product} has the feature “${feature}”.`)
    case 'lease_too_short':
      return refuse('lease_too_short', `A seat of ${product} could not be promised for long enough.`, { retryIn })
    case 'closed':
      if (answer.why === 'manager_unreachable')
        return refuse(
          'manager_unreachable',
          `The manager that seats of ${product} are leased from was not heard yet.`,
          {
            retryIn: 5,
          },
        )
      return refuse(answer.why, `${product} has a license here, but it gives out no seats now.`, said)
    case 'unreachable':
      return refuse('manager_unreachable', answer.detail, { retryIn, ...said })
    case 'denied': {
      const { manager, problem } = answer.by
      const { retryIn: later, detail, rule } = problem
      return refuse(answer.code, `${manager.name} refused: ${detail ?? 'it gave no reason.'}`, {
        ...(later === undefined ? {} : { retryIn: later }),
        explanation: { managers: [], asked: explanation.asked, ...(rule === undefined ? {} : { rule }) },
      })
    }
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
  const { managers } = explanation
  const sum = (of: 'used' | 'seats'): number => managers.reduce((total, one) => total + one[of], 0)
  const used = `${sum('used')} of ${sum('seats')} seats of ${nameOf(wanted)} are in use`
  const asked = seats > 1 ? `; ${seats} are asked for` : ''
  const line = ahead > 0 ? `; ${ahead} ${ahead === 1 ? 'waits' : 'wait'} for one already` : ''
  const returns = managers.flatMap(({ nextReturnAt }) => (nextReturnAt === undefined ? [] : [Date.parse(nextReturnAt)]))
  const next = Math.min(...returns.filter((one) => !Number.isNaN(one)))
  const due = Number.isFinite(next) ? Math.max(1, Math.ceil((next - wall) / 1000)) : retryIn
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

export function noLicense(product: string, asked: boolean): string {
  return asked
    ? `No license for ${product} is installed here, and no manager has a seat of it.`
    : `No license for ${product} is installed here.`
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

const sentences: Readonly<Record<EndReason, string>> = endSentences
