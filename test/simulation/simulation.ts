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
  /** How many machines with an agent each; 1 without one. */
  readonly agents?: number
  /** Each machine knows the one before it only. */
  readonly isRow?: boolean
  /** Seats are taken along until a date, too. */
  readonly detaching?: boolean
  /** Web sites hand seats on to their own users, too; of machines in a network. */
  readonly sites?: boolean
  /** Made anew for each machine. */
  readonly store?: () => Store
  /** False: only the counts of believed seats are checked, not that each belief has its record. */
  readonly checksBacking?: boolean
  /** How much slower than those of their machine the clocks of applications may run. */
  readonly longestLag?: number
  /** How many of the last happenings a failure shows. */
  readonly traceLength?: number
}

export interface Report {
  readonly seed: number
  readonly steps: number
  /** Simulated time, in ms. */
  readonly time: number
  /** Batches of all agents together. */
  readonly revision: number
  readonly happened: Readonly<Record<string, number>>
  /** The hash of each journal's head: two runs of one seed end alike. */
  readonly heads: readonly string[]
}

export class SimulationFailure extends Error {
  constructor(options: SimulationOptions, at: number, cause: unknown, trace: readonly string[]) {
    const what = cause instanceof Error ? cause.message : String(cause)
    super(
      `seed ${options.seed}, agents ${options.agents ?? 1}${options.isRow ? ', in a row' : ''}${options.detaching ? ', detaching' : ''}${options.sites ? ', sites' : ''}, step ${at}: ${what}\n${trace.map((line) => `    ${line}`).join('\n')}`,
      { cause },
    )
    this.name = 'SimulationFailure'
  }
}

/** Everything is made quiet and counted again after so many steps, and at the end. */
const stepsUntilQuiet = { alone: 5_000, network: 10_000 }

export async function simulate(options: SimulationOptions): Promise<Report> {
  const { seed, steps, traceLength } = options
  const world = new World({
    seed,
    agents: options.agents ?? 1,
    store: options.store ?? (() => new MemoryStore()),
    checksBacking: options.checksBacking ?? true,
    longestLag: options.longestLag ?? 0.0024,
    detaching: (options.detaching ?? false) && (options.agents ?? 1) > 1,
    isRow: options.isRow ?? false,
    sites: (options.sites ?? false) && (options.agents ?? 1) > 1,
    ...(traceLength === undefined ? {} : { traceLength }),
  })
  const untilQuiet = world.isNetwork ? stepsUntilQuiet.network : stepsUntilQuiet.alone
  let at = 0
  try {
    for (at = 1; at <= steps; at++) {
      await step(world)
      world.check()
      if (at % untilQuiet === 0 || at === steps) await checkQuiet(world)
    }
  } catch (error) {
    throw new SimulationFailure(options, at, error, world.trace)
  } finally {
    for (const site of world.sites) await site.crashAgent()
  }
  const seen = new Map(Object.entries(world.census.seen))
  for (const { auditor } of world.sites)
    for (const [name, count] of Object.entries(auditor.seen)) seen.set(name, (seen.get(name) ?? 0) + count)
  const counted = [...seen].map(([name, count]) => [`seen ${name}`, count] as const)
  return {
    seed,
    steps,
    time: world.now,
    revision: world.sites.reduce((sum, { ledger }) => sum + ledger.revision, 0),
    happened: Object.fromEntries([...world.happened, ...counted].sort(([one], [other]) => (one < other ? -1 : 1))),
    heads: world.sites.map(({ ledger }) => ledger.head.hash),
  }
}
