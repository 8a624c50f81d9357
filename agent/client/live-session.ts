/**
 * One session of an application, kept until it ends: heartbeats when they are due, proofs, activity, and an end whose order is
 * fixed: the use ends first, then the agent is told (R5). Owns the session. Time and timers come in from outside; what the
 * application may believe is counted from before each request, on a clock that counts sleep (R9, R27).
 */
import type { Cancel, Elapsed } from '../clock.ts'
import type { AgentNews } from './agent-news.ts'
import { type KeptSeat, type OpenedSeat, type Problem, seenSession } from './answers.ts'
import { beatPatience, isEnd, Pulse, pauseAfterFailure } from './pulse.ts'
import { giveSeatBack, keepSeat, pathOf, type Seat, type SeatParts, type SeatRequest, type Term } from './seat.ts'
import {
  endOf,
  type Session,
  type SessionEnd,
  type SessionProof,
  type SessionSource,
  type SessionState,
  type Verification,
} from './session.ts'
import type { SessionProofs } from './session-proof.ts'

export interface LiveSessionOptions extends SeatParts {
  readonly request: SeatRequest
  readonly seat: Seat
  readonly news: AgentNews
  /** Absent: nothing is to be proved. */
  readonly proofs: SessionProofs | undefined
  /** A seat that the agent can't prove is none. */
  readonly requireProof: boolean
  readonly onEnd: ((end: SessionEnd) => void | Promise<void>) | undefined
}

/** ms at most between two looks at the clock: a sleep of the machine is noticed by then. */
const lookEvery = 1_000
/** ms after which the agent must have been told of activity. */
const reportEvery = 120_000
const longestPause = 30_000

export class LiveSession implements Session {
  readonly ended: Promise<SessionEnd>
  readonly #options: LiveSessionOptions
  readonly #stopper = new AbortController()
  readonly #listeners = new Set<(session: Session) => void>()
  #resolveEnded: (end: SessionEnd) => void = () => {}
  readonly #pulse: Pulse
  #state: SessionState = 'active'
  #end: SessionEnd | undefined
  /** Until when the use may go on after the end: the agent ordered it and has promised that time. */
  #finishUntil: Elapsed = 0
  #source: SessionSource | undefined
  #idleEndsAt: Date | undefined
  #proof: SessionProof = { kind: 'none' }
  #reportedAt: Elapsed
  #touchedAt: Elapsed | undefined
  /** One thing at a time; never rejects. */
  #work: Promise<unknown> = Promise.resolve()
  #busy = 0
  #cancelTimer: Cancel | undefined
  #unfollow: Cancel | undefined

  constructor(options: LiveSessionOptions) {
    this.#options = options
    this.#pulse = new Pulse(options.seat.term)
    this.#reportedAt = options.clock.atMost()
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  get id(): string {
    return this.#options.seat.id
  }

  get product(): string {
    return this.#options.seat.product
  }

  get feature(): string | undefined {
    return this.#options.request.feature
  }

  get seats(): number {
    return this.#options.request.seats
  }

  get state(): SessionState {
    return this.#state
  }

  get end(): SessionEnd | undefined {
    return this.#end
  }

  get validUntil(): Date {
    return new Date(this.#options.clock.wall() + this.#msLeft())
  }

  get secondsLeft(): number {
    return Math.floor(this.#msLeft() / 1000)
  }

  get source(): SessionSource | undefined {
    return this.#source
  }

  get idleEndsAt(): Date | undefined {
    return this.#idleEndsAt
  }

  get proof(): SessionProof {
    return this.#proof
  }

  /**
   * Takes the answer that opened the session, and where that is old already (it waited in line) keeps it once.
   * @param sentAt before the first nonce was sent
   * @returns why it is no session after all; the seat is back then
   */
  async begin(answer: OpenedSeat, sentAt: Elapsed): Promise<SessionEnd | undefined> {
    const { seat, proofs, clock } = this.#options
    const flaw = this.#take(seat.term, answer, proofs?.binding, sentAt)
    if (flaw !== undefined) await this.#finish(flaw)
    else if (clock.atMost() >= this.#pulse.dueAt) await this.#beat(false)
    if (this.#end !== undefined) return this.#end
    this.#unfollow = this.#options.news.follow(seat.id, () => void this.#enqueue(() => this.#see()))
    this.#arm()
    return undefined
  }

  onChange(listener: (session: Session) => void): () => void {
    const own = (session: Session): void => listener(session)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  touch(): void {
    if (this.#options.request.activity !== 'reported' || this.#end !== undefined) return
    const now = this.#options.clock.atMost()
    this.#touchedAt = now
    if (this.#busy === 0 && this.#isReportDue(now)) void this.#enqueue(() => this.#beat(true))
  }

  async verify(): Promise<Verification> {
    const reached = await this.#enqueue(() => this.#beat(false))
    if (this.#end !== undefined) return { kind: 'ended', end: this.#end }
    return reached === true ? this.#proof : { kind: 'unreached' }
  }

  async close(): Promise<void> {
    if (this.#end !== undefined) return
    this.#stopper.abort()
    await this.#work
    await this.#finish(endOf('closed'))
  }

  #msLeft(): number {
    const until = this.#end === undefined ? this.#pulse.until : this.#finishUntil
    return Math.max(0, until - this.#options.clock.atMost())
  }

  /** @returns undefined when the session has ended before its turn came */
  #enqueue<T>(task: () => Promise<T>): Promise<T | undefined> {
    this.#busy += 1
    const run = this.#work.then(() => (this.#end === undefined ? task() : undefined))
    this.#work = run.then(
      () => this.#workDone(),
      () => this.#workDone(),
    )
    return run
  }

  #workDone(): void {
    this.#busy -= 1
    this.#arm()
  }

  #arm(): void {
    this.#cancelTimer?.()
    if (this.#end !== undefined) return
    const { clock, timers } = this.#options
    const wait = Math.min(lookEvery, Math.max(1, this.#pulse.dueAt - clock.atMost()))
    this.#cancelTimer = timers.after(wait, () => this.#look())
  }

  #look(): void {
    const now = this.#options.clock.atMost()
    if (this.#busy > 0) return
    if (this.#pulse.isOver(now)) void this.#enqueue(() => this.#finish(endOf('unreached')))
    else if (now >= this.#pulse.dueAt || this.#isReportDue(now)) {
      if (now >= this.#pulse.until) this.#change('renewing')
      void this.#enqueue(() => this.#beat(true))
    } else this.#arm()
  }

  #isReportDue(now: Elapsed): boolean {
    return this.#touchedAt !== undefined && !this.#pulse.isFailing && now - this.#reportedAt >= reportEvery
  }

  /** @returns whether the agent answered that the seat is kept */
  async #beat(quiet: boolean): Promise<boolean> {
    const { clock, proofs, seat } = this.#options
    const askedAt = clock.atMost()
    const touchedAt = this.#touchedAt
    const nonce = proofs?.newNonce()
    const outcome = await keepSeat(this.#options, seat, {
      patience: this.#pulse.patience(askedAt),
      signal: this.#stopper.signal,
      quiet,
      beat: {
        ...(nonce === undefined ? {} : { nonce }),
        ...(touchedAt === undefined ? {} : { activeAt: new Date(clock.wall() - (askedAt - touchedAt)).toISOString() }),
      },
    })
    if (outcome.kind === 'stopped') return false
    if (outcome.kind === 'kept') {
      if (touchedAt !== undefined) this.#reportedAt = askedAt
      if (this.#touchedAt === touchedAt) this.#touchedAt = undefined
      const flaw = this.#take(outcome.term, outcome.answer, nonce, askedAt)
      if (flaw !== undefined) await this.#finish(flaw)
      return flaw === undefined
    }
    if (outcome.kind === 'refused' && isEnd(outcome.problem)) {
      await this.#finish(endByAgent(outcome.problem), 'gone')
      return false
    }
    const told = outcome.kind === 'refused' ? (outcome.problem.retryIn ?? 0) * 1000 : 0
    const pause = Math.min(Math.max(told, pauseAfterFailure), longestPause)
    if (this.#pulse.fail(askedAt, clock.atMost(), pause) === 'over') await this.#finish(endOf('unreached'))
    else this.#change('renewing')
    return false
  }

  /** @returns why the answer ends the session */
  #take(term: Term, answer: KeptSeat | OpenedSeat, nonce: string | undefined, sentAt: Elapsed): SessionEnd | undefined {
    const { proofs, requireProof, seat, clock } = this.#options
    let { until, renewAt } = term
    let proof = this.#proof
    if (proofs !== undefined && nonce !== undefined) {
      const judged = proofs.judge(answer, nonce, seat, clock.wall())
      if (judged.kind === 'invalid') return endOf('proof_invalid', judged.detail)
      if (judged.kind === 'unavailable') {
        if (requireProof) return endOf('proof_unavailable')
        proof = judged
      } else {
        proof = judged.proof
        until = Math.min(until, sentAt + judged.validFor * 1000)
        // Where less is proved than was said, the next heartbeat leaves time for others.
        renewAt = Math.min(renewAt, sentAt + judged.validFor * 500)
      }
    }
    this.#pulse.renew({ until, renewAt })
    const isNews = JSON.stringify([proof, answer.source]) !== JSON.stringify([this.#proof, this.#source])
    this.#proof = proof
    this.#source = answer.source
    this.#idleEndsAt = answer.idleEndsAt === undefined ? undefined : new Date(answer.idleEndsAt)
    this.#change('active', isNews)
    return undefined
  }

  /** Something happened to the session: whether its end was ordered. The use ends before a heartbeat could confirm that (R5). */
  async #see(): Promise<void> {
    const { call, seat } = this.#options
    const { signal } = this.#stopper
    const reply = await call({ method: 'GET', path: pathOf(seat.id), patience: beatPatience, signal, quiet: true })
    if (reply.kind === 'answered') {
      const seen = seenSession.safeParse(reply.value).data
      if (seen?.state === 'ending') await this.#finish(endOf(seen.reason), 'ordered')
    } else if (reply.kind === 'refused' && reply.problem.code === 'unknown_session') await this.#beat(true)
  }

  #change(state: SessionState, isNews = false): void {
    if (state === this.#state && !isNews) return
    this.#state = state
    for (const listener of [...this.#listeners]) {
      try {
        listener(this)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  /**
   * @param how `gone`: the agent has ended it and need not be told; `ordered`: the time that was promised is left to finish in
   */
  async #finish(end: SessionEnd, how?: 'gone' | 'ordered'): Promise<void> {
    if (this.#end !== undefined) return
    if (how === 'ordered') this.#finishUntil = this.#pulse.until
    this.#end = end
    this.#cancelTimer?.()
    this.#unfollow?.()
    this.#change('ended')
    // Before `begin` is over the application does not know the session yet.
    if (this.#unfollow !== undefined && end.reason !== 'closed') {
      try {
        await this.#options.onEnd?.(end)
      } catch (error) {
        throwLater(error)
      }
    }
    if (how !== 'gone') await giveSeatBack(this.#options, this.#options.seat, beatPatience)
    this.#finishUntil = 0
    this.#resolveEnded(end)
  }
}

function endByAgent({ code, reason, detail }: Problem): SessionEnd {
  return endOf(code === 'session_ended' ? reason : code, detail)
}

/** What a handler of the application throws is not ours to hide, and must not keep a seat. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
