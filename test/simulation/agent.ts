/**
 * One process of the agent, from its start to its end: the real writer, lessor, broker and process watch, wired as the
 * composition root wires them, over the simulated disk and clock.
 */
import { createHash } from 'node:crypto'
import { Broker } from '../../agent/broker.ts'
import { Lessor } from '../../agent/lessor.ts'
import { ProcessWatch } from '../../agent/process-watch.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import { SessionKeys } from '../../agent/session-keys.ts'
import type { Store } from '../../agent/store/store.ts'
import { type Ballast, Writer } from '../../agent/writer.ts'
import { SimulatedLicenses } from './licenses.ts'
import type { SimulatedProcess } from './machine.ts'

/** The agent's id, which is also the name of its own instance. */
export const agentId = 'agent-1'
const licenseLookInterval = 1_000
const relaxInterval = 5_000

export interface AgentParts {
  readonly process: SimulatedProcess
  readonly store: Store
  readonly ballast: Ballast
  readonly salt: () => string
  readonly idleLimit: number
  readonly trueTime: () => number
  readonly onLicenseEnd: (supply: string) => void
  /** When a process of this machine began; undefined = there is none. */
  readonly startOf: (processId: number) => string | undefined
}

export class SimulatedAgent {
  readonly writer: Writer
  readonly lessor: Lessor
  readonly broker: Broker
  readonly licenses: SimulatedLicenses
  readonly #watch: ProcessWatch
  readonly #process: SimulatedProcess
  /** Takes requests. */
  isListening = false
  /** It could not start. */
  hasFailed = false

  constructor(parts: AgentParts) {
    const { process, store, ballast, salt, idleLimit, trueTime, startOf, onLicenseEnd } = parts
    const { clock } = process
    this.#process = process
    this.writer = new Writer({ store, ballast, clock, timers: process, instance: agentId, salt })
    this.lessor = new Lessor({
      writes: this.writer,
      clock,
      timers: process,
      idleLimit: () => idleLimit,
      onEvent: (event) => this.broker.noteSeats(event),
    })
    this.licenses = new SimulatedLicenses({
      clock,
      writes: this.writer,
      lessor: this.lessor,
      instance: agentId,
      trueTime,
      onEnd: onLicenseEnd,
    })
    this.writer.register(this.lessor.records)
    this.writer.participate(this.lessor.records)
    this.writer.register(this.licenses)
    const self = () => ({ id: agentId, name: 'the machine' })
    this.broker = new Broker({
      lessor: this.lessor,
      finder: new SeatFinder({ lessor: this.lessor, clock, timers: process, self }),
      writes: this.writer,
      clock,
      keys: new SessionKeys((label) => createHash('sha256').update(label).digest()),
      prover: { prove: () => ({ proofUnavailable: 'not_activated' }) },
      processes: { startOf },
      self,
      settings: () => ({ idleLimit, privacy: 'names' }),
    })
    this.#watch = new ProcessWatch({
      table: { startOf },
      timers: process,
      boot: () => clock.boot().id,
      sessions: () => this.#watched(),
      gone: (id) => void this.lessor.end(id, 'process_gone').catch(() => undefined),
    })
  }

  async start(): Promise<void> {
    try {
      await this.writer.open()
    } catch {
      this.hasFailed = true
      return
    }
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
    this.lessor.stop()
    this.#watch.stop()
    await this.writer.close()
  }

  *#watched() {
    for (const { id, process } of this.lessor.view.grants()) if (process) yield { id, process }
  }
}
