/**
 * What the lessor tells of seats, as news for pages and programs. Part of the composition root; only `agent.ts` imports it.
 */
import type { Events } from './events.ts'
import type { Lessor, SeatEvent } from './lessor.ts'
import type { Peaks } from './peaks.ts'
import { publicId } from './session-id.ts'

export interface SeatNews {
  readonly events: Events
  readonly peaks: Peaks
  readonly lessor: Lessor
}

export function publishSeats(event: SeatEvent, { events, peaks, lessor }: SeatNews): void {
  // What is taken along is no session, and told by its own events.
  if (event.kind === 'supplies' || event.grant.kind === 'detachment') return
  const { product } = event.grant
  const id = publicId(event.grant.id)
  if (event.kind === 'opened') {
    peaks.note(event.grant, lessor.view)
    events.publish('session.opened', { id, product })
  } else if (event.kind === 'ended') events.publish('session.ended', { id, product, reason: event.reason as never })
  else events.publish('session.changed', { id, product })
}
