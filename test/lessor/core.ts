/**
 * The core of an agent for tests: the real lessor and writer over a store in memory, on a clock that is moved by hand. It can
 * crash, be started again, and have its commits held back.
 */
import type { SessionCommand } from '../../agent/domain/seats.ts'
import { licenseSupplyId, type Supply } from '../../agent/domain/supply.ts'
import type { EndReason } from '../../agent/errors.ts'
import { type GrantRecord, readGrantRecord } from '../../agent/grant-records.ts'
import { Lessor, type OpenAnswer, type Renewal, type SeatEvent } from '../../agent/lessor.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Batch, CommitOutcome, StoreErrorCode } from '../../agent/store/store.ts'
import { type Ballast, Writer, type WriterState } from '../../agent/writer.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FailingStore } from '../store/failing-store.ts'

export const minute = 60_000
/** Lease time 600 s, grace 15 s: what a promise needs, and what a record holds. */
export const promised = 615_000
export const stored = 1_215_000

const product = 'acme/cad'

export interface CoreOptions {
  /** Id of the agent. */
  readonly agent?: string
  readonly code?: StoreErrorCode
  readonly ballast?: Ballast
}

/** A store whose commits can be held back; nothing of them is on it until they are released. */
class HeldStore extends FailingStore {
  readonly batches: Batch[] = []
  #gate: Promise<void> | undefined
  #release: () => void = () => undefined

  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#release = resolve
    })
  }

  release(): void {
    this.#gate = undefined
    this.#release()
  }

  /** What is held back is never written. */
  drop(): void {
    this.#gate = undefined
    this.#release = () => undefined
  }

  override async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    await this.#gate
    const outcome = await super.commit(batch, revision)
    this.batches.push(batch)
    return outcome
  }
}

export class Core {
  readonly agent: string
  readonly clock = new ManualClock()
  readonly store: HeldStore
  readonly events: SeatEvent[] = []
  readonly states: WriterState['kind'][] = []
  readonly #ballast: Ballast
  #supplies: readonly Supply[] = []
  writer!: Writer
  lessor!: Lessor

  private constructor(options: CoreOptions) {
    this.agent = options.agent ?? 'agent-1'
    this.store = new HeldStore(new MemoryStore(), options.code)
    this.#ballast = options.ballast ?? { free: async () => undefined, restore: async () => true }
  }

  static async start(supplies: readonly Supply[], options: CoreOptions = {}): Promise<Core> {
    const core = new Core(options)
    core.#supplies = supplies
    await core.begin()
    return core
  }

  /** A process begins; it does not tick before `lessor.start()`. */
  async begin(): Promise<void> {
    const { clock, store } = this
    this.writer = new Writer({
      store,
      ballast: this.#ballast,
      clock,
      timers: clock,
      instance: this.agent,
      salt: () => 'salt',
      onState: (state) => this.states.push(state.kind),
    })
    this.lessor = new Lessor({
      writes: this.writer,
      clock,
      timers: clock,
      idleLimit: () => 3_600_000,
      onEvent: (event) => this.events.push(event),
    })
    const { lessor } = this
    this.writer.register(lessor.records)
    this.writer.participate(lessor.records)
    this.writer.register({
      kinds: ['license'],
      reset: () => undefined,
      restore: () => undefined,
      ready: () => lessor.setSupplies(this.#supplies),
    })
    await this.writer.open()
  }

  /** The process is gone; what was not written is lost. */
  async crash(): Promise<void> {
    this.clock.restart()
    this.store.drop()
    await this.store.close()
  }

  async restart(): Promise<void> {
    await this.crash()
    await this.begin()
  }

  open(id: string, more: Partial<SessionCommand> = {}): Promise<OpenAnswer> {
    return this.lessor.open(this.command(id, more))
  }

  /** What `open` asks for. */
  command(id: string, more: Partial<SessionCommand> = {}): SessionCommand {
    return {
      id,
      instance: this.agent,
      holder: this.agent,
      product,
      seats: 1,
      who: { account: id },
      body: 'body',
      activity: 'heartbeat',
      waited: false,
      ...more,
    }
  }

  async putSupply(supply: Supply, reason: EndReason = 'license_removed'): Promise<void> {
    this.keep(supply)
    await this.writer.submit((transaction) => this.lessor.putSupply(transaction, supply, reason))
  }

  /** It is there again after the next start. */
  keep(supply: Supply): void {
    this.#supplies = [...this.#supplies.filter((one) => one.id !== supply.id), supply]
  }

  async dropSupply(id: string): Promise<void> {
    this.#supplies = this.#supplies.filter((one) => one.id !== id)
    await this.writer.submit((transaction) => this.lessor.dropSupply(transaction, id, 'license_removed'))
  }

  /** Ids by what the store knows of them: seats given out, or that they have ended. */
  async records(kind: GrantRecord['kind']): Promise<string[]> {
    const keys: string[] = []
    for await (const record of this.store.load())
      if (record.kind === 'grant' && readGrantRecord(record).kind === kind) keys.push(record.key)
    return keys
  }

  /** What the last batch journaled. */
  lastEntries(): string[] {
    return (
      this.store.batches.at(-1)?.entries.map((entry) => `${entry.type} ${entry.facts.session ?? entry.facts.lease}`) ??
      []
    )
  }
}

/** @param more `product: undefined` makes it fit any product */
export function supply(
  seats: number,
  more: Omit<Partial<Supply>, 'product'> & { readonly product?: string | undefined } = {},
): Supply {
  const license = more.license ?? 'L1'
  const kept = 'product' in more ? more.product : 'cad'
  const { product: _, ...rest } = more
  return {
    id: licenseSupplyId(license, kept),
    instance: 'agent-1',
    kind: 'license',
    license,
    vendor: 'acme',
    ...(kept === undefined ? {} : { product: kept }),
    seats,
    features: {},
    rule: 'session',
    leaseSeconds: 600,
    takes: { kind: 'sessions' },
    overlap: true,
    depth: 4,
    chain: [],
    ...rest,
  }
}

/** What was promised. */
export function secondsOf(answer: OpenAnswer | Renewal): number {
  if (!('expiresIn' in answer)) throw new Error(`There is no promise in ${JSON.stringify(answer)}.`)
  return answer.expiresIn
}

/** Lets promises go on until none can. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
