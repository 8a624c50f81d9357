/**
 * A clock and timers whose time tests move by hand. The readings are joined by the real rules (R9), so that a test which
 * sets the wall clock or lets the machine sleep sees what a machine would see.
 */
import type { BootReading, Cancel, Clock, Elapsed, Timers } from '../../agent/clock.ts'
import { type ClockSources, JoinedClock } from '../../agent/system-clock.ts'

interface Timer {
  due: number
  readonly period: number | undefined
  readonly order: number
  readonly task: () => void
}

export class ManualClock implements Clock, Timers {
  #wall: number
  #monotonic = 0
  #boot: number
  #boots = 1
  #order = 0
  #joined: JoinedClock
  readonly #timers = new Set<Timer>()

  constructor(wall: number = Date.UTC(2027, 0, 4, 8), sinceBoot = 60_000) {
    this.#wall = wall
    this.#boot = sinceBoot
    this.#joined = new JoinedClock(this.#sources())
  }

  wall(): number {
    return this.#joined.wall()
  }

  atMost(): Elapsed {
    return this.#joined.atMost()
  }

  atLeast(): Elapsed {
    return this.#joined.atLeast()
  }

  boot(): BootReading {
    return this.#joined.boot()
  }

  after(ms: number, task: () => void): Cancel {
    return this.#add(ms, undefined, task)
  }

  every(ms: number, task: () => void): Cancel {
    return this.#add(ms, ms, task)
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size
  }

  /** All clocks run `ms`; timers fire in order, each at its time, without a pause for promises between them. */
  advance(ms: number): void {
    const end = this.#monotonic + ms
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) this.#fire(timer)
    this.#move(end - this.#monotonic)
  }

  /** Like `advance`, and after each timer lets what it set off (promises, immediate callbacks) go on. */
  async run(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#fire(timer)
      await settle()
    }
    this.#move(end - this.#monotonic)
    await settle()
  }

  /** The machine sleeps: the monotonic clock stands and no timer fires; boot clock and wall run. */
  sleepMachine(ms: number): void {
    this.#boot += ms
    this.#wall += ms
  }

  /** A paused virtual machine that corrects its wall clock on waking: only the wall runs. */
  pauseMachine(ms: number): void {
    this.#wall += ms
  }

  setWall(ms: number): void {
    this.#wall = ms
  }

  /** The process ends and another begins in the same boot: timers are gone, elapsed time has a new origin. */
  restart(): void {
    this.#timers.clear()
    this.#joined = new JoinedClock(this.#sources())
  }

  /** The machine is off for `ms` and boots: a new boot id, boot clock near 0, and a new process. */
  reboot(ms = 30_000): void {
    this.#wall += ms
    this.#boots += 1
    this.#boot = 0
    this.#monotonic = 0
    this.restart()
  }

  #sources(): ClockSources {
    return {
      wall: () => this.#wall,
      monotonic: () => this.#monotonic,
      sinceBoot: () => this.#boot,
      bootId: `boot-${this.#boots}`,
    }
  }

  #add(ms: number, period: number | undefined, task: () => void): Cancel {
    const timer: Timer = { due: this.#monotonic + Math.max(1, ms), period, order: this.#order++, task }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.due > end) continue
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer
    }
    return first
  }

  #fire(timer: Timer): void {
    this.#move(Math.max(0, timer.due - this.#monotonic))
    if (timer.period === undefined) this.#timers.delete(timer)
    else timer.due += Math.max(1, timer.period)
    timer.task()
  }

  #move(ms: number): void {
    this.#monotonic += ms
    this.#boot += ms
    this.#wall += ms
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
