/**
 * What a web site is told where it has no seat, with when there may be one. Pure; must not import owners.
 */
import { type Refusal, refuse } from './errors.ts'
import type { KeepTrouble } from './reserve-keep.ts'
import type { KeptState } from './reserves.ts'
import type { SiteRecord } from './site-book.ts'

/** Seconds after which a recycle is usually over. */
const soon = 5

export function unknownSite(id: string): Refusal {
  return refuse('unknown_site', `There is no site ${id} here.`)
}

export function siteNotStarted(id: string): Refusal {
  return refuse('site_not_started', `The site ${id} is not started.`)
}

export function noServerLicense({ id, serverProduct }: SiteRecord, trouble: KeepTrouble | undefined): Refusal {
  const detail = trouble === undefined ? 'No manager is known that has it.' : trouble.detail
  return refuse('no_server_license', `The site ${id} needs one seat of ${serverProduct}. ${detail}`, {
    ...(trouble === undefined ? {} : { retryIn: Math.max(1, trouble.retryIn) }),
    explanation: { managers: [], asked: trouble?.asked ?? [] },
  })
}

/** It has a seat, and whether that goes on only its manager knows (R9, R20). */
export const seatUnheard = refuse('manager_unreachable', 'The manager that the seat comes from was not heard yet.', {
  retryIn: 5,
})

export interface EmptyReserve {
  readonly kept: KeptState
  readonly isRecycling: boolean
  /** ms until the first seat goes back where nobody does anything; undefined: nobody has one. */
  readonly nextIn: number | undefined
  /** Wall time in ms. */
  readonly wall: number
}

/** Why a site has no seat for one more. */
export function emptyReserve(site: SiteRecord, { kept, isRecycling, nextIn, wall }: EmptyReserve): Refusal {
  const { taken, used, trouble } = kept
  const facts = { seats: site.seats, taken, used }
  if (isRecycling)
    return refuse('site_reserve_empty', `The seats of the site ${site.id} are being recycled.`, {
      ...facts,
      retryIn: soon,
    })
  const fewer = taken === site.seats ? '' : ` (${site.seats} are wanted)`
  const why =
    taken === 0
      ? 'It could not take any seat in advance.'
      : `${taken === 1 ? 'Its 1 seat is' : `All ${taken} seats are`} in use${fewer}.`
  const until = nextIn === undefined ? '' : ` Unless its user does something, the next is free ${inMinutes(nextIn)}.`
  const cause = trouble === undefined ? '' : ` More were not to be had: ${trouble.detail}`
  return refuse('site_reserve_empty', `The site ${site.id} has no free seat. ${why}${until}${cause}`, {
    ...facts,
    ...(nextIn === undefined ? {} : { nextAt: new Date(wall + nextIn).toISOString() }),
    ...(trouble === undefined ? {} : { retryIn: Math.max(1, trouble.retryIn) }),
  })
}

function inMinutes(time: number): string {
  const minutes = Math.max(1, Math.ceil(time / 60_000))
  return minutes === 1 ? 'within a minute' : `in ${minutes} minutes`
}
