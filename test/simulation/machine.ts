/**
 * A simulated machine: true time, the clocks that may disagree with it, sleep and being off, and the processes that read the
 * clocks. The readings are joined by the real rules (R9). A process that is ended reads on but its timers never fire again.
 */
import type { Cancel, Clock, Timers } from '../../agent/clock.ts'
import { JoinedClock } from '../../agent/system-clock.ts'

/** In ms; what adding up times may make wrong. */
const tiny = 0.001

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

  /** Fires the next timer if it is due. @returns whether it was */
  fire(): boolean {
    const timer = this.#next()
    if (!timer || timer.due > this.#machine.monotonic + tiny) return false
    if (timer.period === undefined) this.#timers.delete(timer)
    else timer.due = this.#machine.monotonic + Math.max(1, timer.period)
    timer.task()
    return true
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

export interface MachineOptions {
  /** In ms since 1970. */
  readonly wall: number
  /** False where a boot can't be told from another, so that each process counts as one. */
  readonly tellsBoots: boolean
  /** How fast its clocks run; two machines differ by less than 0.25 %. */
  readonly rate: number
}

export class SimulatedMachine {
  /** True time in ms since the simulation began; nobody in it can read this. */
  now = 0
  wall: number
  monotonic = 0
  sinceBoot = 60_000
  boots = 1
  /** True times until which it is. */
  #asleepUntil = 0
  #offUntil = 0

  readonly #tellsBoots: boolean
  readonly #rate: number
  #starts = 0

  constructor({ wall, tellsBoots, rate }: MachineOptions) {
    this.wall = wall
    this.#tellsBoots = tellsBoots
    this.#rate = rate
  }

  startProcess(): SimulatedProcess {
    const bootId = this.#tellsBoots ? `boot-${this.boots}` : `start-${++this.#starts}`
    return new SimulatedProcess(
      this,
      new JoinedClock({
        wall: () => Math.floor(this.wall),
        monotonic: () => this.monotonic,
        sinceBoot: () => this.sinceBoot,
        bootId,
      }),
    )
  }

  /** Neither asleep nor off. */
  get isRunning(): boolean {
    return this.now + tiny >= this.#asleepUntil && this.now + tiny >= this.#offUntil
  }

  /** True time in ms until its monotonic clock shows this, while it runs. */
  until(monotonic: number): number {
    return (monotonic - this.monotonic) / this.#rate
  }

  /** True time at which it wakes or is on again; undefined = it is running. */
  get backAt(): number | undefined {
    return this.isRunning ? undefined : Math.max(this.#asleepUntil, this.#offUntil)
  }

  /** True time passes, at most until `backAt`. The monotonic clock stands still in sleep (Linux). */
  pass(ms: number): void {
    const counted = ms * this.#rate
    const isOff = this.now + tiny < this.#offUntil
    if (this.isRunning) this.monotonic += counted
    if (!isOff) this.sinceBoot += counted
    this.wall += counted
    this.now += ms
  }

  suspend(ms: number): void {
    this.#asleepUntil = this.now + ms
  }

  wake(): void {
    this.#asleepUntil = 0
  }

  /** Off for `ms`. All processes must have been ended. */
  reboot(ms: number): void {
    this.#offUntil = this.now + ms
    this.#asleepUntil = 0
    this.boots += 1
    this.monotonic = 0
    this.sinceBoot = 0
  }
}
