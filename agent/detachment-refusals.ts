/**
 * What is said when seats can not be taken along: each with the value that would be allowed. Pure; owns nothing.
 */
import type { Departed } from './departures.ts'
import type { JudgedEnd } from './domain/detach-days.ts'
import { type Refusal, refuse } from './errors.ts'

/** ms by which the clocks of two machines may differ (R12). */
export const mostClockDifference = 10 * 60_000
const day = 86_400_000

export function detachDisabled(machine: string): Refusal {
  return refuse('detach_disabled', `Detaching is switched off on ${machine}.`, { machine })
}

export function unknownDetachment(id: string): Refusal {
  return refuse('unknown_detachment', `There is no detachment ${id} here.`)
}

/** @param how `returned`, `ended` or the reason of its end */
export function alreadyOver(how: string): Refusal {
  return refuse('session_ended', 'The detachment is over.', { reason: how })
}

/** @param there what the other machine's clock says @param here the date that counts here */
export function clocksDiffer(name: string, there: number, self: string, here: number): Refusal {
  const minutes = Math.round(Math.abs(there - here) / 60_000)
  const side = there < here ? 'behind' : 'ahead of'
  return refuse(
    'clocks_differ',
    `By ${name} it is ${iso(there)}, by ${self} ${iso(here)}: ${minutes} minutes ${side} it. A recipient block must be fresh, too.`,
    { there: iso(there), here: iso(here), minutes },
  )
}

export function endRefusal(judged: Exclude<JudgedEnd, { kind: 'good' }>, maxDays: number): Refusal {
  if (judged.kind === 'date_in_past')
    return refuse('date_in_past', `It must be later than ${iso(judged.now)}.`, { after: iso(judged.now) })
  const latest = iso(judged.latest)
  return judged.kind === 'beyond_maximum'
    ? refuse('beyond_maximum', `The latest date that is allowed now is ${latest}.`, { latest, maxDays })
    : refuse('beyond_license_end', `The license ends at ${latest}.`, { latest })
}

export function placeRefusal(
  departed: Exclude<Departed, { kind: 'departed' }>,
  { product, seats }: { readonly product: string; readonly seats: number },
  now: number,
  bootAt: number,
): Refusal {
  switch (departed.kind) {
    case 'not_detachable':
      return refuse('not_detachable', `No license here allows seats of ${product} to be detached.`)
    case 'beyond_maximum':
      return endRefusal({ kind: 'beyond_maximum', latest: now + departed.days * day }, departed.days)
    case 'beyond_license_end':
      return endRefusal({ kind: 'beyond_license_end', latest: now + departed.until - bootAt }, 0)
    case 'too_many_seats': {
      const most = departed.detachable
      const said = most === 0 ? 'None' : most === 1 ? 'Only 1' : `Only ${most}`
      return refuse('too_many_seats', `${said} of ${product} can be detached now; ${seats} asked for.`, {
        detachable: most,
      })
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/** Nothing is left to extend or to give back by a receipt. */
export function detachmentOver(reason: string): Refusal {
  return refuse('detachment_over', 'The detachment is over.', { reason })
}
