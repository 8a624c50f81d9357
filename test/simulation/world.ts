/**
 * The simulated world: machines with their disks, agents and applications, and the network between them. Holds all that there
 * is; what happens next is decided in `schedule.ts`.
 */
import type { Store } from '../../agent/store/store.ts'
import { Census } from './census.ts'
import { inventDetaching, inventLicenses, ruleOfAll, serverLicense } from './licenses.ts'
import { Mail } from './mail.ts'
import { Random } from './random.ts'
import { Site } from './site.ts'
import { inventNetwork, inventRow } from './topology.ts'
import { Wires } from './wires.ts'

const traceLength = 60

export interface WorldOptions {
  readonly seed: number
  /** How many machines there are, each with one agent. */
  readonly agents: number
  /** One for each machine. */
  readonly store: () => Store
  /** False: only the counts of believed seats are checked, not that each belief has its record. */
  readonly checksBacking: boolean
  /** How much slower than those of their machine the clocks of applications may run; the grace is for less than 0.25 % (R10). */
  readonly longestLag: number
  /** Each machine knows the one before it only, so that seats come over all of them. */
  readonly isRow?: boolean
  /** Seats are taken along until a date, too. */
  readonly detaching?: boolean
  /** Web sites hand seats on to their own users, too. */
  readonly sites?: boolean
  /** How much of the last happenings is kept for a failure to show. */
  readonly traceLength?: number
}

export class World {
  readonly options: WorldOptions
  readonly random: Random
  readonly sites: readonly Site[]
  readonly wires: Wires
  readonly mail: Mail
  readonly census: Census
  readonly trace: string[] = []
  readonly happened = new Map<string, number>()
  /** While true nothing goes wrong. */
  isQuiet = false
  /** While true timers may be later than else: nothing but waiting goes on. */
  isWaiting = false
  #found: unknown

  constructor(options: WorldOptions) {
    this.options = options
    const random = new Random(options.seed)
    this.random = random
    this.wires = new Wires(this)
    this.mail = new Mail(this)
    const rule = ruleOfAll(random)
    const plans = options.isRow ? inventRow(random, options.agents) : inventNetwork(random, options.agents)
    this.sites = plans.map(
      (plan, index, { length }) =>
        new Site(this, {
          ...plan,
          store: options.store(),
          catalog: (plan.hasLicenses ? inventLicenses(random, rule, length === 1 ? '' : String(index + 1)) : [])
            .flatMap((license, number) =>
              options.sites && number === 0 ? [license, serverLicense(license)] : [license],
            )
            .map((license) => (options.detaching ? { ...license, detach: inventDetaching(random) } : license)),
          applications: length === 1 ? random.integer(4, 20) : random.integer(1, 6),
          // Two of them differ by less than 0.25 %.
          rate: length === 1 ? 1 : 1 + (random.next() - 0.5) * 0.0024,
        }),
    )
    this.census = new Census(this.sites, () => this.now, options)
  }

  /** True time in ms. */
  get now(): number {
    return this.sites[0]?.machine.now ?? 0
  }

  get isNetwork(): boolean {
    return this.sites.length > 1
  }

  siteOf(agent: string): Site {
    const site = this.sites.find((one) => one.agentId === agent)
    if (!site) throw new Error(`There is no agent ${agent}.`)
    return site
  }

  say(text: string): void {
    let named = text
    for (const site of this.sites ?? []) named = named.replaceAll(site.agentId, site.name)
    this.trace.push(`${(this.now / 1000).toFixed(3)} s  ${named}`)
    if (this.trace.length > (this.options.traceLength ?? traceLength)) this.trace.shift()
  }

  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1)
  }

  /** What was found where it could not be thrown to who runs the simulation. */
  report(found: unknown): void {
    this.#found ??= found
  }

  /** Everything that must be true at every moment. */
  check(): void {
    if (this.#found !== undefined) throw this.#found
    this.census.check()
    for (const site of this.sites) site.checkLine()
  }
}
