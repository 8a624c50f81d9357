/**
 * Time as it comes in from outside: the readings that logic may use, and timers.
 * The real clock is in `system-clock.ts`; the simulator and the tests have their own.
 * Leaf module: imports nothing of ours.
 */

/** Milliseconds of elapsed time since an origin that stays fixed while the process lives. Only differences mean something. */
export type Elapsed = number

export interface BootReading {
  /** Changes with every boot of the machine. Where a boot can't be told from another, it changes with every process. */
  readonly id: string
  /** Milliseconds since that boot, sleep included. */
  readonly at: number
}

/**
 * Read anew for every promise, never kept across an await (R9).
 */
export interface Clock {
  /** What the wall clock says, in ms since 1970. For people and for the date floor (R11); frees and promises nothing by itself. */
  wall(): number
  /** Elapsed time for what we hold: counts sleep, and the wall clock where it ran ahead by more than 30 s. Never runs backward. */
  atMost(): Elapsed
  /** Elapsed time for what we may free: the smaller of the monotonic and the boot clock. Never runs backward. */
  atLeast(): Elapsed
  boot(): BootReading
}

/** Cancels a timer; calling it twice is harmless. */
export type Cancel = () => void

export interface Timers {
  /** Runs `task` once after `ms`; at most 24 days (Node fires longer ones at once). */
  after(ms: number, task: () => void): Cancel
  /** Runs `task` every `ms` until cancelled. */
  every(ms: number, task: () => void): Cancel
}
