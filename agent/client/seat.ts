/**
 * The three calls about a seat: ask for one, keep it, give it back; and asking until there is one or a clear no.
 * Owns nothing. Time comes in from outside; how long a seat is ours is counted from before the request (R9).
 */
import type { Clock, Elapsed, Timers } from '../clock.ts'
import { type KeptSeat, keptSeat, type OpenedSeat, openedSeat, type Problem } from './answers.ts'
import type { AgentReply, CallAgent } from './call-agent.ts'

/** What is asked for; repeated letter for letter with the same id. */
export interface SeatRequest {
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly user?: { readonly account?: string; readonly email?: string; readonly displayName?: string }
  readonly host?: string
  readonly process?: { readonly id: number; readonly name?: string }
  readonly application?: string
  /** Asks for a proof; the first one is the binding of the session (R27). */
  readonly nonce?: string
  /** Thumbprint of the vendor key that the application trusts. */
  readonly vendorKey?: string
  readonly activity?: 'heartbeat' | 'reported'
}

/** Both readings of `atMost`. */
export interface Term {
  /** Until when the seat may be used. */
  readonly until: Elapsed
  readonly renewAt: Elapsed
}

export interface Seat {
  readonly id: string
  /** The right to keep it and give it back. */
  readonly key: string
  readonly product: string
  readonly term: Term
}

export type Unreached = Extract<AgentReply, { kind: 'no-agent' | 'no-answer' | 'foreign' | 'stopped' }>
export type SeatRefused = { readonly kind: 'refused'; readonly problem: Problem; readonly text: string }
export type AskOutcome =
  | { readonly kind: 'opened'; readonly seat: Seat; readonly answer: OpenedSeat }
  | SeatRefused
  | Unreached

export interface SeatParts {
  readonly call: CallAgent
  readonly clock: Clock
  readonly timers: Timers
  /** A fresh Idempotency-Key. */
  readonly newId: () => string
}

/** ms beyond the wait in line that an agent gets to answer: it may ask several managers first. */
const answerTime = 20_000
/** Seconds that an agent lets anybody wait in line at a time. */
const longestWait = 300
/** ms for which a request is repeated when its answer was lost or the store can't be written. */
const lostPatience = 30_000
const pauseBetween = 1_000
/** ms: the longest that an agent is believed when it says how long to wait before a repeat. */
const longestPause = 10_000

/** Asks once. @param wait seconds in line */
export async function askForSeat(
  { call, clock }: SeatParts,
  request: SeatRequest,
  id: string,
  wait: number,
  signal: AbortSignal,
): Promise<AskOutcome> {
  const askedAt = clock.atMost()
  const reply = await call({
    method: 'POST',
    path: '/api/v1/sessions',
    headers: { 'Idempotency-Key': id },
    body: wait > 0 ? { ...request, wait } : request,
    patience: wait * 1000 + answerTime,
    signal,
  })
  if (reply.kind !== 'answered') return reply
  const opened = openedSeat.safeParse(reply.value)
  if (!opened.success) return { kind: 'foreign', detail: 'its answer is not about a seat' }
  const { key, product, expiresIn, renewIn } = opened.data
  const seat = { id: opened.data.id, key, product, term: termFrom(askedAt, expiresIn, renewIn) }
  return { kind: 'opened', seat, answer: opened.data }
}

function termFrom(askedAt: Elapsed, expiresIn: number, renewIn: number): Term {
  return { until: askedAt + expiresIn * 1000, renewAt: askedAt + renewIn * 1000 }
}

export type KeepOutcome =
  | { readonly kind: 'kept'; readonly term: Term; readonly answer: KeptSeat }
  | SeatRefused
  | Unreached

export interface KeepOptions {
  /** ms to wait for the answer. */
  readonly patience: number
  readonly signal: AbortSignal
  /** What the heartbeat says besides that somebody is there. */
  readonly beat?: { readonly nonce?: string; readonly activeAt?: string }
  /** Waiting for the answer does not keep the process alive. */
  readonly quiet?: boolean
}

/** The heartbeat. */
export async function keepSeat(
  { call, clock }: SeatParts,
  { id, key }: Pick<Seat, 'id' | 'key'>,
  { patience, signal, beat = {}, quiet = false }: KeepOptions,
): Promise<KeepOutcome> {
  const askedAt = clock.atMost()
  const headers = { 'Session-Key': key }
  const reply = await call({ method: 'PUT', path: pathOf(id), headers, body: beat, patience, signal, quiet })
  if (reply.kind !== 'answered') return reply
  const kept = keptSeat.safeParse(reply.value)
  if (!kept.success) return { kind: 'foreign', detail: 'its answer is not about a seat' }
  return { kind: 'kept', term: termFrom(askedAt, kept.data.expiresIn, kept.data.renewIn), answer: kept.data }
}

/** An answer that was lost is asked for once more. The agent takes back by itself what it can't be told of. */
export async function giveSeatBack(
  { call }: Pick<SeatParts, 'call'>,
  { id, key }: Pick<Seat, 'id' | 'key'>,
  patience: number,
): Promise<AgentReply> {
  const order = { method: 'DELETE', path: pathOf(id), headers: { 'Session-Key': key }, patience } as const
  const reply = await call(order)
  return reply.kind === 'no-answer' ? await call(order) : reply
}

export function pathOf(id: string): string {
  return `/api/v1/sessions/${encodeURIComponent(id)}`
}

/**
 * Asks until there is a seat, a clear no, or nobody to ask. The same id goes with every repeat, so that a lost reply takes no
 * second seat and a place in the line is kept.
 * @param wait seconds in line, as long as you like
 */
export async function obtainSeat(
  parts: SeatParts,
  request: SeatRequest,
  wait: number,
  signal: AbortSignal,
): Promise<AskOutcome> {
  const { clock, timers } = parts
  const id = parts.newId()
  const end = clock.atMost() + wait * 1000
  /** When answers began to be missing. */
  let lostAt: Elapsed | undefined
  for (;;) {
    const left = Math.max(0, Math.ceil((end - clock.atMost()) / 1000))
    const outcome = await askForSeat(parts, request, id, Math.min(left, longestWait), signal)
    const now = clock.atMost()
    if (isOnlyLine(outcome)) {
      if (left === 0 || now >= end) return outcome
      lostAt = undefined
    } else {
      if (!isWorthRepeating(outcome, lostAt !== undefined)) return outcome
      lostAt ??= now
      if (now - lostAt >= lostPatience) return outcome
    }
    if (!(await pause(timers, pauseAfter(outcome), signal))) return { kind: 'stopped' }
  }
}

function isOnlyLine(outcome: AskOutcome): boolean {
  return outcome.kind === 'refused' && outcome.problem.code === 'no_seats'
}

/** @param heard whether an agent was there before: then one that is gone is expected back */
function isWorthRepeating(outcome: AskOutcome, heard: boolean): boolean {
  if (outcome.kind === 'refused') return outcome.problem.code === 'store_unavailable'
  return outcome.kind === 'no-answer' || (outcome.kind === 'no-agent' && heard)
}

function pauseAfter(outcome: AskOutcome): number {
  const seconds = outcome.kind === 'refused' && !isOnlyLine(outcome) ? (outcome.problem.retryIn ?? 0) : 0
  return Math.min(Math.max(pauseBetween, seconds * 1000), longestPause)
}

/** @returns false when the signal ended it */
function pause(timers: Timers, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const stop = (): void => {
      cancel()
      resolve(false)
    }
    const cancel = timers.after(ms, () => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}
