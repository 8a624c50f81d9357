/**
 * Greeting an agent again that proved before that it is there: over a connection that is open to it, and over a new one where
 * that says nothing, so that a look at it costs no handshake and a connection that is dead costs no manager. Must not import
 * http.
 */
import type { Place } from '../domain/place.ts'
import { greetAt, isBusy, type Kept, type Meeting, type MeetingParts, meetAt, passOrAbort } from './meeting.ts'

/** ms in which an agent answers over a connection that is alive; then a new one is tried beside it. */
const promptly = 500

export interface Revisit {
  readonly meeting: Meeting
  /** It answered over a new connection only: the ones that are open lead to nothing, or to what it was before. */
  readonly isMoved: boolean
}

export async function revisit(
  parts: MeetingParts,
  place: Place,
  signal: AbortSignal,
  id: string,
  kept: Kept,
): Promise<Revisit> {
  const done = new AbortController()
  const both = AbortSignal.any([signal, done.signal])
  const greeting = greetAt(parts, place, both, id, kept)
  const early = await Promise.race([greeting, passOrAbort(parts.timers, promptly, both)])
  try {
    if (early?.kind === 'met') return { meeting: early, isMoved: false }
    if (early !== undefined && isBusy(early))
      return { meeting: await meetAt(parts, place, both, id, kept), isMoved: false }
    const ways = [
      greeting.then((meeting) => ({ meeting, isMoved: false })),
      meetAt(parts, place, both, id).then((meeting) => ({ meeting, isMoved: meeting.kind === 'met' })),
    ] as const
    const first = await Promise.race(ways)
    if (first.meeting.kind === 'met') return first
    const [overKept, anew] = await Promise.all(ways)
    return overKept.meeting.kind === 'met' ? overKept : anew
  } finally {
    done.abort()
  }
}
