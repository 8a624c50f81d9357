/**
 * A simulated application: what it wants, what it sent, and above all what it believes: until when it may use a seat, counted
 * from before it sent the request, on its own clock that counts sleep and may run a little slow. It acts by the contract of
 * the API and by nothing that is inside the agent.
 */
import type { OpenRequest } from '../../agent/session-request.ts'

/** After how much time without reported activity a session ends, in ms. */
export const idleLimit = 300_000

export interface Wish {
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly user?: { readonly account?: string; readonly email?: string }
  readonly tellsProcess: boolean
  readonly wait: number
  readonly activity: 'heartbeat' | 'reported'
}

/** A process of the machine; several applications of the simulation may live in one. */
export interface HostProcess {
  readonly id: number
  readonly startedAt: string
  alive: boolean
}

/** One life of an idempotency key, from its first request until the application forgets it. */
export interface Attempt {
  readonly idempotencyKey: string
  readonly wish: Wish
  readonly process: HostProcess
  /** What was told when it was granted. */
  session?: { readonly id: string; readonly key: string; readonly startedAt: string }
  /** On the application's clock; undefined = it has never had a seat. */
  believedUntil?: number
  /** True time at which the request was sent that the belief rests on. */
  believedSince: number
  /** In seconds, as the agent said. */
  renewIn: number
  lastBeat: number
  /** True time of the last report of activity that was answered, or of the opening. */
  activeAt: number
  /** True time at which an agent that still runs got its first request. */
  arrivedAt?: number
  /** It gave the seat back, or was told that it has ended. */
  isOver: boolean
  /** Number of the first message that was sent after the agent had said that it is over. */
  knownEndedFrom?: number
  sentClose: boolean
}

export type ExchangeKind = 'open' | 'beat' | 'close'

export interface Exchange {
  readonly number: number
  readonly kind: ExchangeKind
  readonly application: Application
  readonly attempt: Attempt
  /** On the application's clock, before it was sent. */
  readonly sentAt: number
  /** The same in true time. */
  readonly trulySentAt: number
  readonly active: boolean
  /** A late copy of a message; nobody listens for the answer. */
  readonly isCopy: boolean
  readonly controller: AbortController
  /** What was on the disk when the agent got it. */
  revision?: number
  /** Whether a seat was free for it all the time since the agent has it. */
  roomAllTheTime?: boolean
  isAnswered: boolean
}

export class Application {
  readonly name: string
  /** How much slower than true its clock runs; less than 0.25 %. */
  readonly #lag: number
  readonly #sinceBoot: () => number
  process: HostProcess
  attempt: Attempt | undefined
  /** True time at which it acts next. */
  nextAt = 0
  /** Requests that are out. */
  waitingFor = 0

  constructor(name: string, lag: number, sinceBoot: () => number, process: HostProcess) {
    this.name = name
    this.#lag = lag
    this.#sinceBoot = sinceBoot
    this.process = process
  }

  /** Counts sleep. */
  clock(): number {
    return this.#sinceBoot() * (1 - this.#lag)
  }

  begin(idempotencyKey: string, wish: Wish): Attempt {
    this.attempt = {
      idempotencyKey,
      wish,
      process: this.process,
      believedSince: 0,
      renewIn: 5,
      lastBeat: this.clock(),
      activeAt: 0,
      isOver: false,
      sentClose: false,
    }
    return this.attempt
  }

  /** Its process is gone, and with it what it believed. */
  crash(): void {
    this.attempt = undefined
    this.waitingFor = 0
  }
}

export function isBelieved(attempt: Attempt, at: number): boolean {
  return !attempt.isOver && attempt.process.alive && attempt.believedUntil !== undefined && at <= attempt.believedUntil
}

export function openRequest(exchange: Exchange): OpenRequest {
  const { wish, idempotencyKey, process } = exchange.attempt
  return {
    idempotencyKey,
    address: '127.0.0.1',
    product: wish.product,
    ...(wish.feature === undefined ? {} : { feature: wish.feature }),
    seats: wish.seats,
    ...(wish.user === undefined ? {} : { user: wish.user }),
    ...(wish.tellsProcess ? { process: { id: process.id } } : {}),
    ...(wish.wait > 0 ? { wait: wish.wait } : {}),
    activity: wish.activity,
    signal: exchange.controller.signal,
  }
}
