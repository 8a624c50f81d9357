/**
 * One process of an agent, from its start to its end: the real writer, lessor, broker and process watch, wired as the
 * composition root wires them, over the simulated disk and clock; in a network also what it leases and what it lends.
 */
import { createHash } from 'node:crypto'
import { Broker } from '../../agent/broker.ts'
import { Lessor } from '../../agent/lessor.ts'
import { ProcessWatch } from '../../agent/process-watch.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import { Serving } from '../../agent/serving.ts'
import { SessionKeys } from '../../agent/session-keys.ts'
import type { Store } from '../../agent/store/store.ts'
import { type Ballast, Writer } from '../../agent/writer.ts'
import { SimulatedLicenses } from './licenses.ts'
import type { SimulatedProcess } from './machine.ts'
import { AgentNetwork, type NetworkSources } from './neighbors.ts'

const licenseLookInterval = 1_000
const relaxInterval = 5_000

export interface AgentParts {
  readonly self: { readonly id: string; readonly name: string }
  readonly process: SimulatedProcess
  readonly store: Store
  readonly ballast: Ballast
  readonly salt: () => string
  readonly idleLimit: number
  readonly trueTime: () => number
  readonly onLicenseEnd: (supply: string) => void
  /** When a process of this machine began; undefined = there is none. */
  readonly startOf: (processId: number) => string | undefined
  readonly settings: Settings
  /** Absent: there are no other agents. */
  readonly network?: NetworkSources
}

/** What an administrator has set; kept over restarts. */
export interface Settings {
  handingOut: boolean
  /** “Allow Access to Remote Licenses”. */
  remoteAllowed: boolean
  access: 'none' | 'rules'
  /** An account that gets nothing from here. */
  denied: string | undefined
  readonly lingerSeconds: number
  /** “Enable Detaching of Licenses”. */
  detaching: boolean
  /** Seats that are never detached. */
  kept: number
  graceSeconds: number
}

export class SimulatedAgent {
  readonly writer: Writer
  readonly lessor: Lessor
  readonly broker: Broker
  readonly serving: Serving
  readonly licenses: SimulatedLicenses
  readonly network: AgentNetwork | undefined
  readonly #watch: ProcessWatch
  readonly #process: SimulatedProcess
  /** Takes requests. */
  isListening = false
  /** It could not start. */
  hasFailed = false

  constructor(parts: AgentParts) {
    const { process, store, ballast, salt, idleLimit, trueTime, startOf, onLicenseEnd, settings, self } = parts
    const { clock } = process
    this.#process = process
    this.writer = new Writer({ store, ballast, clock, timers: process, instance: self.id, salt })
    const { writer } = this
    this.lessor = new Lessor({
      writes: writer,
      clock,
      timers: process,
      idleLimit: () => idleLimit,
      onEvent: (event) => {
        this.broker.noteSeats(event)
        this.serving.noteSeats(event)
        this.network?.desk.noteSeats(event)
        this.network?.kept.noteSeats(event)
      },
    })
    const { lessor } = this
    this.licenses = new SimulatedLicenses({
      clock,
      writes: writer,
      lessor,
      instance: self.id,
      trueTime,
      onEnd: onLicenseEnd,
    })
    const isDenied = (account: string | undefined): boolean =>
      settings.denied !== undefined && account === settings.denied
    const rule = (account: string | undefined) =>
      isDenied(account)
        ? { kind: 'denied' as const, code: 'denied_by_rule' as const, detail: 'A rule says so.' }
        : { kind: 'allowed' as const }
    this.network =
      parts.network &&
      new AgentNetwork({
        ...parts.network,
        self,
        process,
        writer,
        lessor,
        settings,
        refusal: () => this.serving.refusal(),
        serving: () => this.serving.state(),
        mayUse: rule,
        explain: (product, feature) => this.broker.explain(product, feature).managers.find((one) => one.id === self.id),
        finder: () => finder,
      })
    const remote = this.network?.seats
    const finder = new SeatFinder({
      lessor,
      clock,
      timers: process,
      self: () => self,
      ...(remote === undefined ? {} : { remote }),
      onLine: (product) => this.network?.desk.noteLine(product),
    })
    this.serving = new Serving({
      lessor,
      writes: writer,
      handingOut: () => settings.handingOut,
      setHandingOut: async (on) => {
        settings.handingOut = on
        return { kind: 'changed' }
      },
      onChange: (state) => {
        if (state !== 'open') finder.stop()
        this.network?.desk.notePolicy()
      },
    })
    this.broker = new Broker({
      lessor,
      finder,
      writes: writer,
      clock,
      keys: new SessionKeys((label) => createHash('sha256').update(`${self.id} ${label}`).digest()),
      prover: { prove: () => ({ proofUnavailable: 'not_activated' }) },
      processes: { startOf },
      self: () => self,
      settings: () => ({ idleLimit, privacy: 'names' }),
      ...(remote === undefined ? {} : { remote }),
      rules: ({ who }) => rule(who.account),
      serving: () => this.serving.state(),
      onRefused: (_request, product, { code }) => {
        if (code === 'no_seats') this.network?.desk.noteWanted(product as `${string}/${string}`)
      },
    })
    this.#watch = new ProcessWatch({
      table: { startOf },
      timers: process,
      boot: () => clock.boot().id,
      sessions: () => this.#watched(),
      gone: (id) => void lessor.end(id, 'process_gone').catch(() => undefined),
    })
    const travel = this.network?.travel
    if (travel) writer.register(travel.floor)
    writer.register(this.licenses)
    if (this.network) writer.register(this.network.leases)
    writer.register(lessor.records)
    if (travel) writer.register(travel.book)
    if (this.network) for (const owner of [this.network.kept.reserves, this.network.kept.book]) writer.register(owner)
    writer.participate(lessor.records)
    travel?.participate(writer)
  }

  async start(): Promise<void> {
    try {
      await this.writer.open()
    } catch {
      this.hasFailed = true
      return
    }
    this.network?.start()
    this.lessor.start()
    this.#watch.start()
    this.#process.every(licenseLookInterval, () => void this.licenses.look().catch(() => undefined))
    this.#process.every(relaxInterval, () => void this.writer.relax().catch(() => undefined))
    this.isListening = true
  }

  /** Ends in order: nothing new is taken, what is queued is written. */
  async stop(): Promise<void> {
    this.isListening = false
    this.broker.stop()
    this.network?.stop()
    this.lessor.stop()
    this.#watch.stop()
    await this.writer.close()
  }

  *#watched() {
    for (const { id, process } of this.lessor.view.grants()) if (process) yield { id, process }
  }
}
