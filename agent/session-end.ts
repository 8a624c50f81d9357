/**
 * Ending seats by order of an administrator: one, or all that one user uses at one machine (I8). Owns nothing; the lessor ends.
 */
import { type Refusal, refuse } from './errors.ts'
import type { EndAnswer, Lessor } from './lessor.ts'
import { grantIdOf } from './session-id.ts'
import type { SessionList } from './session-list.ts'

export interface DisconnectOrder {
  /** Why, for the journal. */
  readonly reason?: string | undefined
  /** Also where it may still be in use; recorded as an overlap until then. */
  readonly freeNow: boolean
  /** Who ordered it, for the journal. */
  readonly by: string
}

export interface DisconnectedView {
  /** `confirmed`: free. `ending`: the holder is told. */
  ended: 'confirmed' | 'ending'
  /** When it is free, at the latest. */
  freeAt: string
  overlap?: { seats: number; until: string }
}

export type Disconnected = { readonly kind: 'disconnected'; readonly outcome: DisconnectedView } | Refusal

export interface EndParts {
  readonly lessor: Pick<Lessor, 'view' | 'disconnect'>
  /** Wall time in ms. */
  readonly wall: () => number
}

/** @param shown id as lists show it */
export async function disconnectSession(parts: EndParts, shown: string, order: DisconnectOrder): Promise<Disconnected> {
  const answer = await disconnect(parts, grantIdOf(shown, parts.lessor.view), order)
  switch (answer.kind) {
    case 'unknown':
      return refuse('unknown_session', `There is no session ${shown} here.`)
    case 'gone':
      return refuse('session_ended', 'The session has ended already.', { reason: answer.reason })
    case 'overlap_forbidden':
      return forbidden()
    default:
      return { kind: 'disconnected', outcome: sumUp([answer], parts.wall()) }
  }
}

/** @param id of a computer in the list */
export async function disconnectComputer(
  parts: EndParts & { readonly sessions: Pick<SessionList, 'grantsOf'> },
  id: string,
  order: DisconnectOrder,
): Promise<Disconnected> {
  const { lessor, sessions, wall } = parts
  const grants = sessions.grantsOf(id)
  if (grants.length === 0) return refuse('unknown_session', 'Nothing is in use there any more.')
  // All or none: who asked for it would not see which were left.
  const isForbidden = grants.some((grant) =>
    grant.parts.some(({ supply }) => lessor.view.supply(supply)?.overlap !== true),
  )
  if (order.freeNow && isForbidden) return forbidden()
  const answers = await Promise.all(grants.map((grant) => disconnect(parts, grant.id, order)))
  return { kind: 'disconnected', outcome: sumUp(answers, wall()) }
}

function disconnect({ lessor }: EndParts, id: string, { freeNow, by, reason }: DisconnectOrder): Promise<EndAnswer> {
  return lessor.disconnect(id, 'disconnected', { freeNow, by, ...(reason === undefined ? {} : { note: reason }) })
}

function sumUp(answers: readonly EndAnswer[], wall: number): DisconnectedView {
  let freeAt = wall
  let overlap: { seats: number; until: number } | undefined
  for (const answer of answers) {
    if (answer.kind === 'ending') freeAt = Math.max(freeAt, answer.freeAt)
    if (answer.kind !== 'ended' || answer.overlap === undefined) continue
    const { seats, until } = answer.overlap
    overlap = { seats: (overlap?.seats ?? 0) + seats, until: Math.max(overlap?.until ?? 0, until) }
  }
  return {
    ended: answers.some((answer) => answer.kind === 'ending') ? 'ending' : 'confirmed',
    freeAt: iso(freeAt),
    ...(overlap === undefined ? {} : { overlap: { seats: overlap.seats, until: iso(overlap.until) } }),
  }
}

function forbidden(): Refusal {
  return refuse('overlap_forbidden', 'The license does not allow a seat to be freed while it may be in use.')
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
