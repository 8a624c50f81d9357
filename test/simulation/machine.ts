/**
 * The simulated machine: true time, the clocks that may disagree with it, and the processes that read them. The readings are
 * joined by the real rules (R9). A process that is ended reads on but its timers never fire again.
 */
import type { Cancel, Clock, Timers } from '../../agent/clock.ts'
import { JoinedClock } from '../../agent/system-clock.ts'

interface Timer {
  due: number
  readonly period: number | undefined
  readonly order: number
  readonly task: () => void
}

/** One process of the agent: a clock with its own origin, and timers on the clock that stands still in sleep. */
export class SimulatedProcess implements Timers {
  readonly clock: Clock
  readonly #machine: SimulatedMachine
  readonly #timers = new Set<Timer>()
  #order = 0
  #ended = false

  constructor(machine: SimulatedMachine, clock: Clock) {
    this.#machine = machine
    this.clock = clock
  }

  after(ms: number, task: () => void): Cancel {
    return this.#add(ms, undefined, task)
  }

  every(ms: number, task: () => void): Cancel {
    return this.#add(ms, ms, task)
  }

  end(): void {
    this.#ended = true
    this.#timers.clear()
  }

  /** When the next timer fires, on the machine's monotonic clock. */
  get nextDue(): number | undefined {
    return this.#next()?.due
  }

  /** Fires the next timer if it is due. */
  fire(): void {
    const timer = this.#next()
    if (!timer || timer.due > this.#machine.monotonic) return
    if (timer.period === undefined) this.#timers.delete(timer)
    else timer.due = this.#machine.monotonic + Math.max(1, timer.period)
    timer.task()
  }

  #add(ms: number, period: number | undefined, task: () => void): Cancel {
    if (this.#ended) return () => undefined
    const timer: Timer = { due: this.#machine.monotonic + Math.max(1, ms), period, order: this.#order++, task }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  #next(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers)
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer
    return first
  }
}

export class SimulatedMachine {
  /** True time in ms since the simulation began; nobody in it can read this. */
  now = 0
  wall: number
  monotonic = 0
  sinceBoot = 60_000
  boots = 1

  readonly #tellsBoots: boolean
  #starts = 0

  /** @param tellsBoots false where a boot can't be told from another, so that each process counts as one */
  constructor(wall: number, tellsBoots: boolean) {
    this.wall = wall
    this.#tellsBoots = tellsBoots
  }

  startProcess(): SimulatedProcess {
    const bootId = this.#tellsBoots ? `boot-${this.boots}` : `start-${++this.#starts}`
    return new SimulatedProcess(
      this,
      new JoinedClock({
        wall: () => this.wall,
        monotonic: () => this.monotonic,
        sinceBoot: () => this.sinceBoot,
        bootId,
      }),
    )
  }

  /** All clocks run. */
  run(ms: number): void {
    this.monotonic += ms
    this.standStill(ms)
  }

  /** The monotonic clock stands still (Linux). */
  standStill(ms: number): void {
    this.now += ms
    this.wall += ms
    this.sinceBoot += ms
  }

  /** Off for `ms`. All processes must have been ended. */
  reboot(ms: number): void {
    this.now += ms
    this.wall += ms
    this.boots += 1
    this.monotonic = 0
    this.sinceBoot = 0
  }
}
