/**
 * The date floor (R11, R12): the date that dates end and begin by. It ticks by elapsed time and follows the wall clock only
 * as far as the wall can be believed, so that a clock set back lengthens nothing and a clock set ahead locks nobody out.
 * Pure: state and readings in, state and facts out. Imports nothing of ours but the journal's types.
 */
import type { Happening } from './journal.ts'

const minute = 60_000
const hour = 60 * minute

/** The wall is believed at once up to this far ahead, in ms. */
export const aheadTolerance = 5 * minute
/** The wall is called behind from here on, in ms. */
export const behindTolerance = 10 * minute
/** Running time after which a wall further ahead is believed: as it was found at a start or wake, or stepped while running. */
const runningNeeded = { found: hour, step: 24 * hour } as const
/** What a wall that is ahead must wait for at least, in ms of running. */
export const runningWait = hour
/** Ticking time for which detached supplies still take new sessions while the wall is behind (R12). */
export const behindGrace = 24 * hour
/** Several steps ahead wait at once, each on its own time: a paused virtual machine steps every morning. */
const mostClaims = 16

/** A later date that the wall says and that is not believed yet. */
export type Claim = {
  readonly kind: 'found' | 'step'
  /** How far beyond the floor it is, in ms. */
  readonly lead: number
  /** For how long the machine ran, sleep excluded, while the wall was at least that far ahead; summed over starts. */
  readonly ran: number
}

/** A date that ticks, with the later dates that wait, smallest lead first. */
export type Track = { readonly date: number; readonly claims: readonly Claim[] }

type BootMark = { readonly id: string; readonly at: number }

/** As it is stored. A type and not an interface, so that it is a JSON value. */
export type FloorState = {
  /** When `date`s were true. */
  readonly boot: BootMark
  readonly track: Track
  /** Ticking time since the wall fell behind, null while it is not. */
  readonly behind: number | null
  /** Signers (key ids) whose own signed time differs from the floor: it counts only for what their keys signed. */
  readonly signers: { readonly [signer: string]: Track }
}

export interface FloorReading {
  readonly wall: number
  readonly boot: BootMark
}

export interface StepReading extends FloorReading {
  /** For how long the machine ran since the last step, sleep excluded; 0 at a start. */
  readonly ran: number
  /** `arriving` = at a start or wake, where a wall ahead is nothing unusual. */
  readonly occasion: 'arriving' | 'running'
}

export type ClockFact = Omit<Happening, 'instance'>

export interface Step {
  readonly state: FloorState
  readonly facts: readonly ClockFact[]
}

/** What may be believed now. */
export interface Dates {
  /** The date by which things begin and end, ms since 1970. */
  readonly date: number
  /** The later date that the wall says and that is not believed yet. */
  readonly later?: number
  /** How far the wall is behind, and for how long that has been so in ticking time; absent up to 10 minutes. */
  readonly behind?: { readonly by: number; readonly ticked: number }
}

/** A first install has no floor: its wall is taken as it is. */
export function beginFloor(reading: FloorReading): FloorState {
  return { boot: mark(reading.boot), track: { date: reading.wall, claims: [] }, behind: null, signers: {} }
}

/** To be called at every start, on waking, and every minute. */
export function stepFloor(state: FloorState, reading: StepReading): Step {
  const elapsed = elapsedSince(state.boot, reading.boot)
  const facts: ClockFact[] = []
  const track = stepTrack(state.track, elapsed, reading, facts)
  const signers: Record<string, Track> = {}
  for (const [signer, own] of Object.entries(state.signers)) {
    const stepped = stepTrack(own, elapsed, reading, [])
    if (Math.abs(stepped.date - track.date) > aheadTolerance) signers[signer] = stepped
  }
  const by = track.date - reading.wall
  const behind = by > behindTolerance ? (state.behind === null ? 0 : state.behind + elapsed) : null
  if (behind !== null && state.behind === null) facts.push(clockFact('clock.back', 'behind', by, track.date, reading))
  if (behind === null && state.behind !== null) facts.push(clockFact('clock.back', 'right', by, track.date, reading))
  return { state: { boot: mark(reading.boot), track, behind, signers }, facts }
}

/** An administrator says that the wall is right: it is believed at once. It never lowers the floor. */
export function acceptWall(state: FloorState, reading: FloorReading): Step {
  const { state: stepped, facts } = stepFloor(state, { ...reading, ran: 0, occasion: 'running' })
  const lead = reading.wall - stepped.track.date
  if (lead <= 0) return { state: stepped, facts }
  const accepted = clockFact('clock.forward', 'accepted', lead, reading.wall, reading, 'administrator')
  const others = facts.filter((fact) => fact.type === 'clock.back')
  return { state: { ...stepped, track: { date: reading.wall, claims: [] } }, facts: [...others, accepted] }
}

/**
 * A time that `signer` has signed. It counts only for things whose chain contains that key.
 * @param fresh the answer was made for a question of ours (its nonce fits): then it may also be earlier than the floor.
 */
export function hearTime(
  state: FloorState,
  reading: FloorReading,
  signer: string,
  time: number,
  fresh: boolean,
): FloorState {
  const elapsed = elapsedSince(state.boot, reading.boot)
  const known = (state.signers[signer] ?? state.track).date + elapsed
  if (!fresh && time <= known) return state
  // kept as of the state's own mark, so that one elapsed time fits all of it
  const track: Track = { date: time - elapsed, claims: [] }
  const { [signer]: _, ...others } = state.signers
  const agrees = Math.abs(track.date - state.track.date) <= aheadTolerance
  return { ...state, signers: agrees ? others : { ...others, [signer]: track } }
}

/** @param signers key ids of the chain in question, nearest first */
export function readDates(state: FloorState, reading: FloorReading, signers: readonly string[] = []): Dates {
  const elapsed = elapsedSince(state.boot, reading.boot)
  const signer = signers.find((id) => Object.hasOwn(state.signers, id))
  const track = (signer === undefined ? undefined : state.signers[signer]) ?? state.track
  const date = track.date + elapsed
  const by = state.track.date + elapsed - reading.wall
  return {
    date,
    ...(reading.wall - date > aheadTolerance ? { later: reading.wall } : {}),
    ...(by > behindTolerance ? { behind: { by, ticked: state.behind === null ? 0 : state.behind + elapsed } } : {}),
  }
}

export function hasBegun(dates: Dates, begin: number): boolean {
  return dates.date >= begin
}

/** `held` = only the later date would end it: it takes no new sessions, nothing is written as ended, nothing is freed. */
export function endOf(dates: Dates, end: number): 'running' | 'held' | 'ended' {
  if (dates.date >= end) return 'ended'
  return dates.later !== undefined && dates.later >= end ? 'held' : 'running'
}

/** R12: detached supplies take no new sessions any more because the wall has been behind for too long. */
export function isSetBack(dates: Dates): boolean {
  return dates.behind !== undefined && dates.behind.ticked >= behindGrace
}

/** How much longer the machine must run until the next later date is believed, in ms; undefined when none waits. */
export function runningLeft(track: Track): number | undefined {
  if (track.claims.length === 0) return undefined
  return Math.max(0, Math.min(...track.claims.map((claim) => runningNeeded[claim.kind] - claim.ran)))
}

function stepTrack(track: Track, elapsed: number, reading: StepReading, facts: ClockFact[]): Track {
  const { wall, ran, occasion } = reading
  const date = track.date + elapsed
  const lead = wall - date
  const isHeld = (claim: Claim) => lead > aheadTolerance && lead >= claim.lead - aheadTolerance
  const held = track.claims.filter(isHeld).map((claim) => ({ ...claim, ran: claim.ran + ran }))
  const withdrawn = track.claims.filter((claim) => !isHeld(claim))
  for (const claim of withdrawn)
    facts.push(clockFact('clock.forward', 'withdrawn', claim.lead, date, reading, claim.kind))
  if (lead <= aheadTolerance) return { date: Math.max(date, wall), claims: [] }

  const ripe = held.findLast((claim) => claim.ran >= runningNeeded[claim.kind])
  const raise = ripe ? Math.min(ripe.lead, lead) : 0
  if (ripe) facts.push(clockFact('clock.forward', 'accepted', raise, date + raise, reading, ripe.kind))
  const claims = held
    .map((claim) => ({ ...claim, lead: claim.lead - raise }))
    .filter((claim) => claim.lead > aheadTolerance)
  const rest = lead - raise
  if (rest <= aheadTolerance) return { date: wall, claims: [] }

  if (rest > (claims.at(-1)?.lead ?? 0) + aheadTolerance && claims.length < mostClaims) {
    // a wall that went back part of the way says less than what was found, so it needs no more than that did
    const found = occasion === 'arriving' || withdrawn.some((claim) => claim.kind === 'found')
    const claim: Claim = { kind: found ? 'found' : 'step', lead: rest, ran: 0 }
    facts.push(clockFact('clock.forward', 'pending', rest, date + raise, reading, claim.kind))
    claims.push(claim)
  }
  return { date: date + raise, claims }
}

/** Another boot: nothing is known about the time between. */
function elapsedSince(from: BootMark, to: BootMark): number {
  return from.id === to.id ? Math.max(0, to.at - from.at) : 0
}

function mark(boot: BootMark): BootMark {
  return { id: boot.id, at: boot.at }
}

function clockFact(
  type: 'clock.back' | 'clock.forward',
  outcome: string,
  by: number,
  date: number,
  reading: FloorReading,
  because?: Claim['kind'] | 'administrator',
): ClockFact {
  const facts = {
    outcome,
    bySeconds: Math.round(by / 1000),
    date: new Date(date).toISOString(),
    wall: new Date(reading.wall).toISOString(),
  }
  return { type, facts: because === undefined ? facts : { ...facts, because } }
}
