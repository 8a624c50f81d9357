/**
 * The simulated world: one machine with its disk, at most one agent on it, applications, and the messages between them. Holds
 * all that there is and lets single things happen; what happens next is decided in `schedule.ts`.
 */
import type { Store } from '../../agent/store/store.ts'
import { agentId, SimulatedAgent } from './agent.ts'
import { Application, type HostProcess } from './application.ts'
import { Auditor } from './auditor.ts'
import { SimulatedDisk } from './disk.ts'
import { Ledger } from './ledger.ts'
import type { License } from './licenses.ts'
import { SimulatedMachine, type SimulatedProcess } from './machine.ts'
import { Network } from './network.ts'
import { Random } from './random.ts'

/** After how much time without reported activity a session ends, in ms. */
export const idleLimit = 300_000
const traceLength = 60

export interface WorldOptions {
  readonly seed: number
  readonly store: Store
  /** False: only the counts of believed seats are checked, not that each belief has its record. */
  readonly checksBacking: boolean
  /** How much slower than true the clocks of applications may run; the grace is for less than 0.25 % (R10). */
  readonly longestLag: number
}

export class World {
  readonly random: Random
  /** Whether the system tells boots and processes apart, as Linux does; else every start of the agent counts as another boot. */
  readonly seesProcesses: boolean
  readonly machine: SimulatedMachine
  readonly disk: SimulatedDisk
  readonly ledger: Ledger
  readonly auditor: Auditor
  readonly network: Network
  readonly applications: Application[]
  readonly catalog: readonly License[]
  readonly trace: string[] = []
  readonly happened = new Map<string, number>()
  processes: HostProcess[] = []
  agent: SimulatedAgent | undefined
  /** The agent's process. */
  process: SimulatedProcess | undefined
  /** While true nothing goes wrong. */
  isQuiet = false
  #processes = 0
  #isSetUp = false

  constructor(options: WorldOptions) {
    const random = new Random(options.seed)
    this.random = random
    this.seesProcesses = random.chance(0.7)
    this.machine = new SimulatedMachine(Date.UTC(2027, 0, 4, 8) + random.integer(0, 1_000_000), this.seesProcesses)
    const now = (): number => this.machine.now
    this.network = new Network(this)
    this.ledger = new Ledger(now, () => this.network.noteRoom())
    this.auditor = new Auditor(this.ledger, now, {
      agent: agentId,
      idleLimit,
      seesProcesses: this.seesProcesses,
      checksBacking: options.checksBacking,
    })
    this.disk = new SimulatedDisk(options.store, this.ledger, now)
    this.catalog = inventLicenses(random)
    this.applications = Array.from({ length: random.integer(4, 20) }, (_, index) => {
      const lag = random.next() * options.longestLag
      return new Application(`app-${index + 1}`, lag, () => this.machine.sinceBoot, this.newProcess())
    })
  }

  say(text: string): void {
    this.trace.push(`${(this.machine.now / 1000).toFixed(3)} s  ${text}`)
    if (this.trace.length > traceLength) this.trace.shift()
  }

  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1)
  }

  /** Everything that must be true at every moment. */
  check(): void {
    this.auditor.check(this.applications)
    const { agent } = this
    const places = agent?.isListening && agent.writer.state.kind === 'open' ? agent.broker.queue() : []
    const heads = places
      .filter((place) => place.position === 1)
      .map(({ waiting }) => ({ id: waiting.id, wish: { ...waiting } }))
    this.auditor.checkLine(heads, this.disk.pending.length > 0, this.machine.monotonic)
  }

  /** A process of an application; its number may have been that of an earlier one, or its neighbours share one process. */
  newProcess(): HostProcess {
    const alive = this.processes.filter((process) => process.alive)
    if (alive.length > 0 && this.random.chance(0.3)) return this.random.pick(alive)
    const free = Array.from({ length: 40 }, (_, index) => 100 + index).filter(
      (id) => !alive.some((process) => process.id === id),
    )
    const process = { id: this.random.pick(free), startedAt: `tick-${++this.#processes}`, alive: true }
    this.processes = [...alive, process]
    return process
  }

  killProcess(process: HostProcess): void {
    process.alive = false
    for (const application of this.applications) {
      if (application.process !== process) continue
      application.crash()
      this.network.hangUp(application)
    }
    for (const application of this.applications)
      if (application.process === process) application.process = this.newProcess()
  }

  startAgent(): void {
    const process = this.machine.startProcess()
    this.process = process
    const agent = new SimulatedAgent({
      process,
      ...this.disk.connect(),
      salt: () => this.random.text(8),
      idleLimit,
      trueTime: () => this.machine.now,
      onLicenseEnd: (supply) => this.auditor.closing(supply),
      startOf: (id) =>
        this.seesProcesses ? this.processes.find((one) => one.alive && one.id === id)?.startedAt : undefined,
    })
    this.agent = agent
    this.say('the agent starts')
    void agent.start().then(() => {
      this.say(agent.hasFailed ? 'the agent could not start' : 'the agent listens')
      if (!this.#isSetUp && agent.isListening) for (const license of this.catalog) this.#setUp(agent, license)
    })
  }

  #setUp(agent: SimulatedAgent, license: License): void {
    this.#isSetUp = true
    void agent.licenses.put(license).catch(() => undefined)
  }

  /** Everything that the process held is gone. */
  async crashAgent(): Promise<void> {
    if (!this.agent) return
    this.agent = undefined
    this.process?.end()
    this.process = undefined
    const kept = this.random.chance(0.5)
    const [operation] = this.disk.pending
    this.say(`the agent crashes${operation ? ` in ${operation.name}, which is ${kept ? 'kept' : 'lost'}` : ''}`)
    await this.disk.crash(kept)
    this.network.agentCrashed()
  }

  async stopAgent(): Promise<void> {
    const { agent } = this
    if (!agent?.isListening) return
    this.say('the agent stops in order')
    await agent.stop()
    if (this.agent !== agent) return
    this.say('the agent has stopped')
    this.agent = undefined
    this.process?.end()
    this.process = undefined
    this.network.agentCrashed()
  }

  async reboot(ms: number): Promise<void> {
    await this.crashAgent()
    this.say(`the machine reboots, ${ms} ms`)
    this.network.clear()
    const processes = this.processes
    for (const process of processes) process.alive = false
    this.machine.reboot(ms)
    for (const application of this.applications) {
      application.crash()
      application.process = this.newProcess()
      application.nextAt = this.machine.now + this.random.integer(0, 20_000)
    }
  }
}

const leaseTimes = [20, 30, 60, 120]

function inventLicenses(random: Random): License[] {
  // Mostly one rule for all, so that the count over a whole vendor can be checked too.
  const rules = ['session', 'process', 'host', 'user'] as const
  const ruleOfAll = random.chance(0.7) ? random.pick(rules) : undefined
  const make = (id: string, product: string | undefined): License => ({
    id,
    vendor: 'acme',
    ...(product === undefined ? {} : { product }),
    seats: random.integer(1, 5),
    features: product === 'cad' ? { render: random.integer(1, 2), plot: null } : {},
    rule: ruleOfAll ?? random.pick(rules),
    leaseSeconds: random.pick(leaseTimes),
    takes: { kind: 'sessions' },
  })
  const all = [
    make('L1', 'cad'),
    make('L2', 'cad'),
    make('L3', 'cam'),
    make('L4', undefined),
    { ...make('L5', 'cad'), vendor: 'other' },
  ]
  return all.filter((_, index) => index === 0 || random.chance(0.7))
}
