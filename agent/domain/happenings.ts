/**
 * What the journal says of seats. The facts are kept from the start for history, dry runs and forecast. Pure.
 */
import type { Grant, GrantKind, Who } from './grant.ts'
import type { Happening, JournalFact } from './journal.ts'

type SeatHappening = Omit<Happening, 'instance'> & { readonly instance: string }

/** What the journal calls the beginning and the end of a grant, and what it calls the grant itself. */
const names = {
  session: {
    opened: 'session.opened',
    ended: 'session.ended',
    ending: 'session.ending',
    moved: 'session.moved',
    id: 'session',
  },
  lease: {
    opened: 'lease.granted',
    ended: 'lease.ended',
    ending: 'lease.ending',
    moved: 'lease.moved',
    id: 'lease',
  },
  detachment: {
    opened: 'detachment.made',
    ended: 'detachment.ended',
    ending: 'detachment.ending',
    moved: 'detachment.moved',
    id: 'detachment',
  },
} as const satisfies Record<GrantKind, Record<string, string>>

export function grantOpened(grant: Grant): SeatHappening {
  const facts = seatFacts(grant)
  facts.supplies = grant.parts.map((part) => part.supply)
  facts.waited = grant.unconfirmed ?? false
  return { type: names[grant.kind].opened, instance: grant.instance, facts, personal: personalFacts(grant.who) }
}

export function grantEnded(grant: Grant, reason: string): SeatHappening {
  const facts = seatFacts(grant)
  facts.reason = reason
  return { type: names[grant.kind].ended, instance: grant.instance, facts, personal: personalFacts(grant.who) }
}

/** Who ordered an end from this side, and what they said about it. */
export interface EndOrder {
  readonly by?: string
  readonly note?: string
}

/** The lessor began to end it; the end follows when the holder confirms or the seat is free (R5). */
export function grantEnding(grant: Grant, reason: string, order: EndOrder): SeatHappening {
  return {
    type: names[grant.kind].ending,
    instance: grant.instance,
    facts: { ...seatFacts(grant), reason },
    personal: { ...order },
  }
}

export function grantMoved(grant: Grant): SeatHappening {
  return {
    type: names[grant.kind].moved,
    instance: grant.instance,
    facts: { ...seatFacts(grant), supplies: grant.parts.map((part) => part.supply) },
  }
}

/** @param until wall time in ms until which the seat may still be in use */
export function seatOverlap(grant: Grant, until: number, reason: string, order: EndOrder): SeatHappening {
  return {
    type: 'seat.overlap',
    instance: grant.instance,
    facts: { ...seatFacts(grant), until: new Date(until).toISOString(), reason },
    personal: { ...order },
  }
}

export interface RefusedRequest {
  readonly instance: string
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly who: Who
  readonly code: string
  readonly rule?: string
}

export function sessionRefused(request: RefusedRequest): SeatHappening {
  const facts: Record<string, JournalFact> = { product: request.product, seats: request.seats, code: request.code }
  if (request.feature !== undefined) facts.feature = request.feature
  if (request.rule !== undefined) facts.rule = request.rule
  return { type: 'session.refused', instance: request.instance, facts, personal: personalFacts(request.who) }
}

function seatFacts(grant: Grant): Record<string, JournalFact> {
  const id = names[grant.kind].id
  const facts: Record<string, JournalFact> = { [id]: grant.id, product: grant.product, seats: grant.seats }
  if (grant.kind !== 'session') facts.holder = grant.holder
  // The agent that the application runs at, where the holder leases on.
  if (grant.facts !== undefined) facts.agent = grant.facts.agent
  if (grant.feature !== undefined) facts.feature = grant.feature
  if (grant.until !== undefined) facts.until = new Date(grant.until).toISOString()
  return facts
}

function personalFacts(who: Who): Record<string, string> {
  const personal: Record<string, string> = {}
  if (who.account !== undefined) personal.account = who.account
  if (who.email !== undefined) personal.email = who.email
  if (who.host !== undefined) personal.host = who.host
  if (who.address !== undefined) personal.address = who.address
  if (who.application !== undefined) personal.application = who.application
  return personal
}
