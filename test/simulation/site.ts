/**
 * One machine of the world: its disk, at most one agent on it, its applications, and what goes on between those. Holds the
 * machine's part of all that there is and lets single things happen.
 */

import type { Cancel } from '../../agent/clock.ts'
import type { DetachmentTextsParts } from '../../agent/detachment-texts.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import type { PeerCaller } from '../../agent/peers/lease-desk-ask.ts'
import type { NewsListener } from '../../agent/peers/lease-desk-news.ts'
import type { PeerAnswered } from '../../agent/peers/manager-calls.ts'
import type { Store } from '../../agent/store/store.ts'
import { type Settings, SimulatedAgent } from './agent.ts'
import { Application, type HostProcess, idleLimit } from './application.ts'
import { Auditor } from './auditor.ts'
import { SimulatedDisk } from './disk.ts'
import { Ledger } from './ledger.ts'
import type { License } from './licenses.ts'
import { SimulatedMachine, type SimulatedProcess } from './machine.ts'
import type { PeerRequest } from './neighbors.ts'
import { Network } from './network.ts'
import { checkSent } from './sent.ts'
import type { SitePlan } from './topology.ts'
import { licenseText } from './vendors.ts'
import { Visitors } from './visitors.ts'
import type { World } from './world.ts'

export interface SiteOptions extends SitePlan {
  readonly store: Store
  /** Licenses that are installed here at first. */
  readonly catalog: readonly License[]
  readonly applications: number
  /** How fast its clocks run. */
  readonly rate: number
}

/** Detachments are made by the wall, which is right at first where there are any. */
const startOfWalls = Date.UTC(2027, 0, 4, 8)
/** For how long the seats of a detachment are kept after its date. */
const graceSeconds = 600

export class Site {
  readonly world: World
  readonly name: string
  readonly agentId: string
  readonly key: SigningKey
  readonly #knows: readonly number[]
  /** Whether the system tells boots and processes apart, as Linux does; else every start of the agent counts as another boot. */
  readonly seesProcesses: boolean
  readonly machine: SimulatedMachine
  readonly disk: SimulatedDisk
  readonly ledger: Ledger
  readonly auditor: Auditor
  readonly network: Network
  readonly visitors: Visitors
  readonly applications: Application[]
  readonly catalog: readonly License[]
  readonly settings: Settings
  processes: HostProcess[] = []
  agent: SimulatedAgent | undefined
  /** The agent's process. */
  process: SimulatedProcess | undefined
  /** Product > who is first in line, and since when without a break, in true time. */
  #heads = new Map<string, { readonly id: string; readonly since: number }>()
  #processes = 0
  /** In which boot its agent started last. */
  #boots = 0
  #isSetUp = false

  constructor(world: World, options: SiteOptions) {
    const { random } = world
    const { name, key, knows, store, catalog, applications, rate, lingerSeconds } = options
    this.world = world
    this.name = name
    this.agentId = key.id
    this.key = key
    this.#knows = knows
    this.catalog = catalog
    this.settings = {
      handingOut: true,
      remoteAllowed: true,
      access: 'rules',
      denied: undefined,
      lingerSeconds,
      detaching: true,
      kept: 0,
      graceSeconds,
    }
    this.seesProcesses = random.chance(0.7)
    const isTraveling = world.options.detaching === true
    const wall = startOfWalls + (isTraveling ? random.integer(-120_000, 120_000) : random.integer(0, 1_000_000))
    this.machine = new SimulatedMachine({ wall, tellsBoots: this.seesProcesses, rate })
    const now = (): number => this.machine.now
    this.network = new Network(this)
    this.visitors = new Visitors(this)
    this.ledger = new Ledger(now, {
      written: (isMixed) => this.network.noteRoom(isMixed),
      opened: (id) => this.auditor.noteOpened(id, this.#heads),
    })
    this.auditor = new Auditor(this)
    this.disk = new SimulatedDisk(store, this.ledger, now)
    this.applications = Array.from({ length: applications }, (_, index) => {
      const lag = random.next() * world.options.longestLag
      const called = world.options.agents === 1 ? `app-${index + 1}` : `${name}-${index + 1}`
      return new Application(called, lag, () => this.machine.sinceBoot, this.newProcess())
    })
  }

  /** Machines whose agents this one may ask for seats. */
  get knows(): readonly Site[] {
    return this.#knows.flatMap((index) => this.world.sites[index] ?? [])
  }

  /** A process of an application; its number may have been that of an earlier one, or its neighbors share one process. */
  newProcess(): HostProcess {
    const { random } = this.world
    const alive = this.processes.filter((process) => process.alive)
    if (alive.length > 0 && random.chance(0.3)) return random.pick(alive)
    const free = Array.from({ length: 40 }, (_, index) => 100 + index).filter(
      (id) => !alive.some((process) => process.id === id),
    )
    const process = { id: random.pick(free), startedAt: `tick-${++this.#processes}`, alive: true }
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
    const { world } = this
    const { random } = world
    // What was not counted while it was off is found on the network.
    if (world.options.detaching && (!this.seesProcesses || this.machine.boots !== this.#boots)) this.setRight()
    this.#boots = this.machine.boots
    const process = this.machine.startProcess()
    this.process = process
    const agent = new SimulatedAgent({
      self: { id: this.agentId, name: this.name },
      process,
      ...this.disk.connect(),
      salt: () => random.text(8),
      idleLimit,
      trueTime: () => this.machine.now,
      onLicenseEnd: (supply) => this.auditor.closing(supply),
      startOf: (id) =>
        this.seesProcesses ? this.processes.find((one) => one.alive && one.id === id)?.startedAt : undefined,
      settings: this.settings,
      ...(world.options.agents === 1
        ? {}
        : {
            network: {
              calls: world.wires.callsOf(this, process),
              managers: this.knows.map(({ agentId, name }) => ({ id: agentId, name, addresses: [name] })),
              randomId: () => random.text(22),
              random: () => random.next(),
              onTrouble: (what, error) => this.noteTrouble(what, error),
              ...(world.options.detaching
                ? {
                    travel: {
                      agent: this.key,
                      shelf: { get: (id) => this.#installed(id) },
                      agentOf: (named) => {
                        const found = world.sites.find((site) => site.agentId === named || site.name === named)
                        return found && { id: found.agentId, name: found.name, key: found.key.jwk }
                      },
                      ahead: (id) => world.siteOf(id).machine.wall - this.machine.wall,
                    },
                  }
                : {}),
            },
          }),
    })
    this.agent = agent
    this.say('starts')
    void agent.start().then(() => {
      this.say(agent.hasFailed ? 'could not start' : 'listens')
      if (!this.#isSetUp && agent.isListening) for (const license of this.catalog) this.#setUp(agent, license)
    })
  }

  /** Nothing waits on its disk or between its applications and its agent. */
  get isIdle(): boolean {
    return (
      this.disk.pending.length === 0 &&
      [this.network.messages, this.visitors.errands].every(({ length }) => length === 0) &&
      this.network.unanswered + this.visitors.unanswered === 0
    )
  }

  say(what: string): void {
    this.world.say(`${this.name} ${what}`)
  }

  /** A license as documents have it. */
  #installed(id: string): ReturnType<DetachmentTextsParts['shelf']['get']> {
    const license = this.agent?.licenses.get(id)
    return license && ({ license: licenseText(license), activation: undefined } as never)
  }

  /** The wall as a clock that is right has it. */
  setRight(off = 0): void {
    this.auditor.settingWall()
    this.machine.wall = startOfWalls + this.machine.now + off
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
    const kept = this.world.random.chance(0.5)
    const [operation] = this.disk.pending
    this.say(`crashes${operation ? ` in ${operation.name}, which is ${kept ? 'kept' : 'lost'}` : ''}`)
    await this.disk.crash(kept)
    this.#ended()
  }

  async stopAgent(): Promise<void> {
    const { agent } = this
    if (!agent?.isListening) return
    this.say('stops in order')
    await agent.stop()
    if (this.agent !== agent) return
    this.say('has stopped')
    this.agent = undefined
    this.process?.end()
    this.process = undefined
    this.#ended()
  }

  #ended(): void {
    this.#heads.clear()
    this.network.agentCrashed()
    this.visitors.agentCrashed()
    this.world.wires.crashed(this)
  }

  async reboot(ms: number): Promise<void> {
    await this.crashAgent()
    this.say(`reboots, ${ms} ms`)
    this.network.clear()
    this.visitors.rebooted()
    this.world.wires.rebooted(this)
    for (const process of this.processes) process.alive = false
    this.machine.reboot(ms)
    for (const application of this.applications) {
      application.crash()
      application.process = this.newProcess()
      application.nextAt = this.machine.now + ms + this.world.random.integer(0, 20_000)
    }
  }

  // ---- the network

  answer(from: Site, request: PeerRequest): Promise<PeerAnswered> {
    const network = this.agent?.network
    if (!network) throw new Error(`${this.name} has no network.`)
    return network.answer(callerOf(from), request)
  }

  openStream(from: Site, listener: NewsListener): Cancel {
    return this.agent?.network?.openStream(callerOf(from), listener) ?? (() => undefined)
  }

  /** What must be on this machine's disk before it says so to another one. */
  checkSent(manager: string, request: PeerRequest): void {
    checkSent(this, manager, request)
  }

  noteTrouble(what: string, error: unknown): void {
    this.say(`has trouble: ${what}: ${error instanceof Error ? error.message : String(error)}`)
    const isExpected = error instanceof Error && 'code' in error && error.code === 'store_unavailable'
    if (!isExpected) this.world.report(error)
  }

  // ---- the line

  /** After every step. */
  checkLine(): void {
    const { agent } = this
    const isServing = agent?.isListening && agent.writer.state.kind === 'open' && agent.serving.state() === 'open'
    const heads = (isServing ? agent.broker.queue() : []).filter((place) => place.position === 1)
    const before = this.#heads
    this.#heads = new Map(
      heads.map(({ waiting: { id, product } }) => {
        const known = before.get(product)
        return [product, known?.id === id ? known : { id, since: this.machine.now }]
      }),
    )
    this.auditor.checkLine(
      heads.map(({ waiting }) => ({ id: waiting.id, wish: { ...waiting } })),
      this.disk.pending.length > 0,
      this.machine.monotonic,
    )
  }
}

function callerOf({ agentId, name }: Site): PeerCaller {
  return { id: agentId, name, address: '192.0.2.1' }
}
