/**
 * A supply from another agent that became fewer seats: nothing is taken back before it was promised to end, and the youngest is
 * the first that is not renewed (R19). Pure.
 */
import type { SeatView } from './book.ts'
import type { Grant } from './grant.ts'
import type { Supply } from './supply.ts'

/**
 * ms for which the supply still has a seat for this grant; infinite while it has seats for all that are out. More than there are
 * may be out of a license of this agent (R6), so this is of leases and detachments only.
 * @param bootAt now, in ms
 */
export function seatLasts(view: SeatView, supply: Supply, grant: Grant, bootAt: number): number {
  if (supply.kind === 'license' || view.used(supply.id) <= supply.seats) return Number.POSITIVE_INFINITY
  if (!isTooMany(view, supply, grant)) return Number.POSITIVE_INFINITY
  return Math.max(0, (supply.before?.until ?? 0) - bootAt)
}

/** Whether the seats are used up by grants that began earlier. Who is ending is not renewed and leaves its place to others. */
function isTooMany(view: SeatView, supply: Supply, grant: Grant): boolean {
  const grants = [...view.grantsOf(supply.id)].filter((one) => one.ending === undefined || one.id === grant.id)
  grants.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
  const keys = new Map<string, number>()
  let seats = 0
  for (const one of grants) {
    const part = one.parts.find((candidate) => candidate.supply === supply.id)
    if (!part) continue
    const had = part.key === undefined ? 0 : (keys.get(part.key) ?? 0)
    const more = Math.max(0, part.seats - had)
    const fits = seats + more <= supply.seats
    if (one.id === grant.id) return !fits
    if (!fits) continue
    seats += more
    if (part.key !== undefined) keys.set(part.key, had + more)
  }
  return false
}
