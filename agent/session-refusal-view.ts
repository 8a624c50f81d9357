/**
 * The last refusals as the interface shows them: filtered, with the words of their codes and what was said then. Owns nothing.
 */
import { errorTable } from './errors.ts'
import type { ExplanationView } from './explanation.ts'
import type { RefusedSeat } from './refusals.ts'
import { fitsUser } from './session-list.ts'
import { type SessionView, userOf } from './session-view.ts'

export interface RefusedSeatView {
  id: string
  product: string
  feature?: string
  seats: number
  user: SessionView['user']
  host?: string
  application?: string
  code: string
  title: string
  detail?: string
  help: string
  times: number
  firstAt: string
  lastAt: string
  retryIn?: number
  explanation?: ExplanationView
  rule?: string
}

export interface RefusalFilter {
  /** `vendor/product`, or the product alone. */
  readonly product?: string | undefined
  /** What account, e-mail or name contain, in any case. */
  readonly user?: string | undefined
}

/** In the order that they come in. */
export function refusedSeatViews(kept: readonly RefusedSeat[], { product, user }: RefusalFilter): RefusedSeatView[] {
  return kept
    .filter((one) => product === undefined || isOf(one.product, product))
    .filter((one) => user === undefined || fitsUser(one.who, user.toLowerCase()))
    .map(refusedSeatView)
}

/** What was asked for may have been a product alone too. */
function isOf(asked: string, wanted: string): boolean {
  return asked === wanted || (!wanted.includes('/') && asked.endsWith(`/${wanted}`))
}

function refusedSeatView(kept: RefusedSeat): RefusedSeatView {
  const { id, product, feature, seats, who, code, times, firstAt, lastAt, refusal, rule } = kept
  const { title, help } = errorTable[code]
  const retryIn = refusal?.facts?.retryIn
  const explanation = refusal?.facts?.explanation as ExplanationView | undefined
  return {
    id,
    product,
    ...(feature === undefined ? {} : { feature }),
    seats,
    user: userOf(who),
    ...(who.host === undefined ? {} : { host: who.host }),
    ...(who.application === undefined ? {} : { application: who.application }),
    code,
    title,
    ...(refusal === undefined ? {} : { detail: refusal.detail }),
    help,
    times,
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
    ...(typeof retryIn === 'number' ? { retryIn } : {}),
    ...(explanation === undefined ? {} : { explanation }),
    ...(rule === undefined ? {} : { rule }),
  }
}
