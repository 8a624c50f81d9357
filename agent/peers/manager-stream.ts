/**
 * The stream of news from one manager, kept open for whoever follows it: opened again when it breaks, each time a little later.
 * Owns the one open stream and its next attempt.
 */
import type { Cancel, Clock, Timers } from '../clock.ts'
import type { CallOptions, ManagerLink, Unreachable } from './manager-link.ts'
import { peerEventSchema } from './wire.ts'

export interface StreamListener {
  /** @param data parsed JSON, not checked yet */
  readonly onEvent: (name: string, data: unknown) => void
  /** It is over, whoever ended it; called once. */
  readonly onEnd: (detail: string) => void
}

export interface StreamParts {
  /** Opens one; never rejects. */
  readonly open: (
    listener: StreamListener,
    options: CallOptions,
  ) => Promise<{ readonly kind: 'open'; close(): void } | { readonly kind: 'answered' } | Unreachable>
  readonly clock: Clock
  readonly timers: Timers
  /** 0 to 1. */
  readonly random: () => number
}

type Follower = Parameters<ManagerLink['follow']>[0]

/** In ms. */
const openTimeout = 5_000
const shortestPause = 1_000
const longestPause = 60_000
/** A stream that was open for so long counts as one that works. */
const steadyAfter = 10_000

export class ManagerStream {
  readonly #parts: StreamParts
  readonly #followers = new Set<Follower>()
  #controller: AbortController | undefined
  #close: Cancel | undefined
  #retry: Cancel | undefined
  #failures = 0
  #openedAt = 0
  #isUp = false

  constructor(parts: StreamParts) {
    this.#parts = parts
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0
  }

  join(follower: Follower): Cancel {
    // A wrapper, so that the same one may join twice.
    const own: Follower = { onEvent: (event) => follower.onEvent(event), onUp: () => follower.onUp() }
    this.#followers.add(own)
    if (this.#isUp) own.onUp()
    else if (this.#followers.size === 1) this.#open()
    return () => {
      if (this.#followers.delete(own) && this.#followers.size === 0) this.close()
    }
  }

  /** For good. */
  close(): void {
    this.#followers.clear()
    this.#retry?.()
    this.#retry = undefined
    this.#controller?.abort()
    this.#controller = undefined
    this.#isUp = false
    this.#close?.()
    this.#close = undefined
  }

  #open(): void {
    const controller = new AbortController()
    this.#controller = controller
    const isCurrent = (): boolean => this.#controller === controller && this.isFollowed
    let isOver = false
    const listener: StreamListener = {
      onEvent: (name, data) => {
        if (isCurrent()) this.#hear(name, data)
      },
      onEnd: () => {
        isOver = true
        if (isCurrent()) this.#broke()
      },
    }
    this.#parts
      .open(listener, { timeout: openTimeout, signal: controller.signal })
      .then((answer) => {
        if (answer.kind !== 'open') {
          if (isCurrent()) this.#broke()
          return
        }
        if (!isCurrent()) answer.close()
        else if (!isOver) this.#opened(() => answer.close())
      })
      .catch(() => {
        if (isCurrent()) this.#broke()
      })
  }

  #opened(close: Cancel): void {
    this.#close = close
    this.#isUp = true
    this.#openedAt = this.#parts.clock.atLeast()
    for (const follower of [...this.#followers]) follower.onUp()
  }

  #broke(): void {
    const { clock, timers, random } = this.#parts
    const wasSteady = this.#isUp && clock.atLeast() - this.#openedAt >= steadyAfter
    this.#failures = wasSteady ? 0 : this.#failures + 1
    this.#isUp = false
    this.#close = undefined
    this.#controller = undefined
    const pause = Math.min(longestPause, shortestPause * 2 ** Math.min(this.#failures, 6))
    // Not all agents at the same moment, when a manager comes back.
    this.#retry = timers.after(Math.ceil(pause * (0.5 + random())), () => {
      this.#retry = undefined
      if (this.isFollowed) this.#open()
    })
  }

  /** What is not known here is left out; a later version may tell more. */
  #hear(name: string, data: unknown): void {
    if (typeof data !== 'object' || data === null) return
    const event = peerEventSchema.safeParse({ ...data, kind: name })
    if (!event.success) return
    for (const follower of [...this.#followers]) follower.onEvent(event.data)
  }
}
