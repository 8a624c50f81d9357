/**
 * The real clock (R9): what the machine's clocks say, joined to the two readings of elapsed time that logic may use.
 * Owns nothing but the marks it needs to join them. Leaf module: imports the clock's types and the boot id only.
 */
import os from 'node:os'
import { readBootId } from './boot-id.ts'
import type { BootReading, Clock, Elapsed, Timers } from './clock.ts'

/** The machine's clocks as they are, in milliseconds. */
export interface ClockSources {
  /** Since 1970; may be set to anything at any time. */
  wall(): number
  /** Since some origin; may stand still while the machine sleeps. */
  monotonic(): number
  /** Since boot, sleep included; may be as coarse as 20 ms. */
  sinceBoot(): number
  readonly bootId: string
}

/** The wall counts as elapsed time only where it ran ahead by more than this. */
const wallTolerance = 30_000
/** The boot clock holds `atLeast` back only where it fell behind by more than this: it is coarse, and jitter must not add up. */
const bootTolerance = 1000

/**
 * Every reading looks at how far the clocks moved against each other since the marks, not since the start: a wall clock that
 * was set ahead and back again must neither stop elapsed time nor hide the next pause of a virtual machine.
 */
export class JoinedClock implements Clock {
  readonly #sources: ClockSources
  readonly #monotonicStart: number
  readonly #bootStart: number
  #boot: number
  /** What the boot clock ran backward in all, added again so that only its forward movement counts. */
  #bootReturn = 0
  /** The smallest lead of wall over boot clock since the last time it was counted. */
  #wallLead: number
  #wallCredit = 0
  /** The largest lead of boot over monotonic clock since the last time it was counted. */
  #bootLead: number
  #bootLoss = 0
  #atLeast = 0

  constructor(sources: ClockSources) {
    this.#sources = sources
    this.#monotonicStart = sources.monotonic()
    this.#bootStart = sources.sinceBoot()
    this.#boot = this.#bootStart
    this.#wallLead = sources.wall() - this.#bootStart
    this.#bootLead = this.#bootStart - this.#monotonicStart
  }

  wall(): number {
    return this.#sources.wall()
  }

  atMost(): Elapsed {
    const boot = this.#readBoot()
    const lead = this.#sources.wall() - boot
    if (lead < this.#wallLead) this.#wallLead = lead
    else if (lead - this.#wallLead > wallTolerance) {
      this.#wallCredit += lead - this.#wallLead
      this.#wallLead = lead
    }
    return boot - this.#bootStart + this.#wallCredit
  }

  atLeast(): Elapsed {
    const monotonic = this.#sources.monotonic()
    const lead = this.#readBoot() - monotonic
    if (lead > this.#bootLead) this.#bootLead = lead
    else if (this.#bootLead - lead > bootTolerance) {
      this.#bootLoss += this.#bootLead - lead
      this.#bootLead = lead
    }
    const reading = monotonic - this.#monotonicStart - this.#bootLoss
    if (reading > this.#atLeast) this.#atLeast = reading
    return this.#atLeast
  }

  boot(): BootReading {
    const boot = this.#readBoot()
    return { id: this.#sources.bootId, at: boot - this.#bootReturn }
  }

  #readBoot(): number {
    const boot = this.#sources.sinceBoot() + this.#bootReturn
    if (boot >= this.#boot) {
      this.#boot = boot
      return boot
    }
    this.#bootReturn += this.#boot - boot
    return this.#boot
  }
}

function readMonotonic(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}

/** The boot clock is read anew at least this often, in ms of monotonic time. */
const bootReadEvery = 100
/** Wall and monotonic clock that moved apart by more than this since the last reading: the machine may have slept. */
const bootSleepHint = 20
/** The boot clock itself went back by more than its coarseness: that is for the joined clock to see. */
const bootStep = 1000

/**
 * The boot clock costs a system call of several microseconds and is as coarse as 10 ms, and requests ask for it all the time.
 * So it is carried on by the monotonic clock for at most 100 ms, and only while wall and monotonic clock agree that nothing
 * stood still meanwhile. What was read is never more than the truth, so neither is what is carried on.
 */
export function carryOnBoot(read: () => number, monotonic: () => number, wall: () => number): () => number {
  let boot = Number.NEGATIVE_INFINITY
  let readAt = Number.NEGATIVE_INFINITY
  let wallAt = 0
  return () => {
    const now = monotonic()
    const passed = now - readAt
    const wallNow = wall()
    if (passed < bootReadEvery && Math.abs(wallNow - wallAt - passed) < bootSleepHint) return boot + passed
    const fresh = read()
    const carried = boot + passed
    boot = carried > fresh && carried - fresh < bootStep ? carried : fresh
    readAt = now
    wallAt = wallNow
    return boot
  }
}

/** Linux and Windows count sleep in os.uptime(); macOS counts it in hrtime, and its uptime follows the wall clock. */
export function systemSources(platform: NodeJS.Platform = process.platform): ClockSources {
  return {
    wall: Date.now,
    monotonic: readMonotonic,
    sinceBoot:
      platform === 'darwin'
        ? readMonotonic
        : carryOnBoot(
            () => os.uptime() * 1000,
            readMonotonic,
            () => Date.now(),
          ),
    bootId: readBootId(),
  }
}

/** Node fires timers at once that are longer than this. */
const longestTimer = 2 ** 31 - 1

function checkDelay(ms: number): void {
  if (!(ms <= longestTimer)) throw new RangeError(`a timer of ${ms} ms would fire at once`)
}

export const systemTimers: Timers = {
  after(ms, task) {
    checkDelay(ms)
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
  every(ms, task) {
    checkDelay(ms)
    const timer = setInterval(task, ms)
    return () => clearInterval(timer)
  },
}

/** As `systemTimers`, but what waits here keeps no process alive. */
export const quietTimers: Timers = {
  after(ms, task) {
    checkDelay(ms)
    const timer = setTimeout(task, ms).unref()
    return () => clearTimeout(timer)
  },
  every(ms, task) {
    checkDelay(ms)
    const timer = setInterval(task, ms).unref()
    return () => clearInterval(timer)
  },
}
