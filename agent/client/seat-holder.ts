/**
 * Keeps one seat for as long as somebody needs it: heartbeats, noticing that it is lost, trying to get another, giving it
 * back. Owns the seat from `start` to `close`. Time and timers come in from outside; a loss is counted on a clock that
 * counts sleep (R9), the time to find another on one that does not.
 */
import type { Cancel, Elapsed } from '../clock.ts'
import type { Problem } from './answers.ts'
import { beatPatience, isEnd, Pulse, pauseAfterFailure } from './pulse.ts'
import { askForSeat, giveSeatBack, keepSeat, type Seat, type SeatParts, type SeatRequest } from './seat.ts'

export type Loss =
  /** The agent said so; the problem says why. */
  | { readonly kind: 'ended'; readonly problem: Problem }
  /** No heartbeat was answered until the promise was over. */
  | { readonly kind: 'unreached' }

export interface SeatHolderOptions extends SeatParts {
  readonly request: SeatRequest
  readonly onLost: (loss: Loss) => void
  readonly onRegained: (seat: Seat) => void
  /** Called once per loss, when the time to find another seat is over; with the last refusal where there was one. */
  readonly onGaveUp: (refused: Problem | undefined) => void
  /** Whether to go on trying after that. */
  readonly keepTrying: boolean
}

const tick = 1_000
const pauseAfterRefusal = 5_000
const slowPause = 30_000
/** ms to find another seat. */
export const findPatience = 60_000

type State =
  | {
      readonly kind: 'held'
      readonly seat: Seat
      readonly pulse: Pulse
    }
  | {
      readonly kind: 'lost'
      /** The old seat, while the agent may still have it. */
      old: Seat | undefined
      /** Goes with every repeat until there is a clear answer. */
      id: string
      nextTry: Elapsed
      /** On the clock that stands still in a sleep. */
      readonly giveUpAt: Elapsed
      gaveUp: boolean
      refused: Problem | undefined
    }

export class SeatHolder {
  readonly #options: SeatHolderOptions
  readonly #stopper = new AbortController()
  #state: State
  #cancel: Cancel | undefined
  #work: Promise<void> | undefined

  constructor(seat: Seat, options: SeatHolderOptions) {
    this.#options = options
    this.#state = { kind: 'held', seat, pulse: new Pulse(seat.term) }
  }

  start(): void {
    this.#cancel ??= this.#options.timers.every(tick, () => this.#look())
  }

  /** Ends the use of the seat and gives it back. The agent takes back by itself what it can't be told of. */
  async close(): Promise<void> {
    this.#cancel?.()
    this.#stopper.abort()
    await this.#work
    const seat = this.#state.kind === 'held' ? this.#state.seat : this.#state.old
    if (seat !== undefined) await giveSeatBack(this.#options, seat, beatPatience)
  }

  #look(): void {
    const state = this.#state
    if (state.kind === 'lost' && !state.gaveUp && this.#options.clock.atLeast() >= state.giveUpAt) {
      state.gaveUp = true
      this.#options.onGaveUp(state.refused)
    }
    if (this.#work !== undefined || !this.#isDue(state)) return
    if (state.kind === 'held' && state.pulse.isOver(this.#options.clock.atMost())) {
      this.#lose(state.seat, { kind: 'unreached' })
      return
    }
    this.#work = (state.kind === 'held' ? this.#beat(state) : this.#regain(state)).finally(() => {
      this.#work = undefined
    })
  }

  #isDue(state: State): boolean {
    const now = this.#options.clock.atMost()
    if (state.kind === 'held') return now >= state.pulse.dueAt
    return now >= state.nextTry && (!state.gaveUp || this.#options.keepTrying)
  }

  async #beat({ seat, pulse }: State & { kind: 'held' }): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopper
    const askedAt = clock.atMost()
    const outcome = await keepSeat(this.#options, seat, { patience: pulse.patience(askedAt), signal })
    if (outcome.kind === 'stopped') return
    if (outcome.kind === 'kept') pulse.renew(outcome.term)
    else if (outcome.kind === 'refused' && isEnd(outcome.problem))
      this.#lose(undefined, { kind: 'ended', problem: outcome.problem })
    else if (pulse.fail(askedAt, clock.atMost()) === 'over') this.#lose(seat, { kind: 'unreached' })
  }

  #lose(old: Seat | undefined, loss: Loss): void {
    const { clock, newId, onLost } = this.#options
    this.#state = {
      kind: 'lost',
      old,
      id: newId(),
      nextTry: clock.atMost(),
      giveUpAt: clock.atLeast() + findPatience,
      gaveUp: false,
      refused: undefined,
    }
    onLost(loss)
  }

  async #regain(state: State & { kind: 'lost' }): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopper
    if (state.old !== undefined) {
      const kept = await keepSeat(this.#options, state.old, { patience: beatPatience, signal })
      if (kept.kind === 'kept') return this.#regained({ ...state.old, term: kept.term })
      if (kept.kind !== 'refused' || !isEnd(kept.problem)) {
        state.nextTry = clock.atMost() + pauseAfterFailure
        return
      }
      state.old = undefined
    }
    const left = Math.ceil((state.giveUpAt - clock.atLeast()) / 1000)
    const wait = state.gaveUp ? 0 : Math.max(0, left)
    const outcome = await askForSeat(this.#options, this.#options.request, state.id, wait, signal)
    if (outcome.kind === 'opened') return this.#regained(outcome.seat)
    if (outcome.kind !== 'refused') {
      state.nextTry = clock.atMost() + pauseAfterFailure
      return
    }
    state.refused = outcome.problem
    // The seat was there and is over again, and its answer was lost.
    if (outcome.problem.code === 'session_ended') state.id = this.#options.newId()
    state.nextTry = clock.atMost() + (state.gaveUp ? slowPause : pauseAfterRefusal)
  }

  #regained(seat: Seat): void {
    this.#state = { kind: 'held', seat, pulse: new Pulse(seat.term) }
    this.#options.onRegained(seat)
  }
}
