/**
 * Runs the simulated world for a number of steps and checks it after every one. A failure names the seed and the step that
 * repeat it, with the last things that happened.
 */
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Store } from '../../agent/store/store.ts'
import { checkQuiet } from './quiet.ts'
import { step } from './schedule.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly steps: number
  readonly store?: Store
  /** False: only the counts of believed seats are checked, not that each belief has its record. */
  readonly checksBacking?: boolean
  /** How much slower than true the clocks of applications may run. */
  readonly longestLag?: number
}

export interface Report {
  readonly seed: number
  readonly steps: number
  /** Simulated time, in ms. */
  readonly time: number
  readonly revision: number
  readonly happened: Readonly<Record<string, number>>
  /** The hash of the journal's head: two runs of one seed end alike. */
  readonly head: string
}

export class SimulationFailure extends Error {
  constructor(options: SimulationOptions, at: number, cause: unknown, trace: readonly string[]) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${options.seed}, step ${at}: ${what}\n${trace.map((line) => `    ${line}`).join('\n')}`, { cause })
    this.name = 'SimulationFailure'
  }
}

/** Everything is made quiet and counted again after so many steps, and at the end. */
const stepsUntilQuiet = 5_000

export async function simulate(options: SimulationOptions): Promise<Report> {
  const { seed, steps } = options
  const world = new World({
    seed,
    store: options.store ?? new MemoryStore(),
    checksBacking: options.checksBacking ?? true,
    longestLag: options.longestLag ?? 0.0024,
  })
  let at = 0
  try {
    for (at = 1; at <= steps; at++) {
      await step(world)
      world.check()
      if (at % stepsUntilQuiet === 0 || at === steps) await checkQuiet(world)
    }
  } catch (error) {
    throw new SimulationFailure(options, at, error, world.trace)
  } finally {
    await world.crashAgent()
  }
  const counted = Object.entries(world.auditor.seen).map(([name, count]) => [`seen ${name}`, count] as const)
  return {
    seed,
    steps,
    time: world.machine.now,
    revision: world.ledger.revision,
    happened: Object.fromEntries([...world.happened, ...counted].sort(([one], [other]) => (one < other ? -1 : 1))),
    head: world.ledger.head.hash,
  }
}
