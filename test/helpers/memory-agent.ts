/**
 * All owners of an agent on a store in memory or on disk, without HTTP: wired as `agent.ts` does, on a clock that tests move and
 * with hardware that tests make. Nothing runs by itself: `look()` does what the agent does every minute.
 */
import { randomBytes } from 'node:crypto'
import { watchHealth } from '../../agent/agent-health.ts'
import { Broker } from '../../agent/broker.ts'
import type { Configuration } from '../../agent/config/configuration.ts'
import { DateFloor } from '../../agent/date-floor.ts'
import { DocumentDesk } from '../../agent/document-desk.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import type { HardwareParts } from '../../agent/domain/hardware.ts'
import type { JournalEntry } from '../../agent/domain/journal.ts'
import { Health } from '../../agent/health.ts'
import { Journal } from '../../agent/journal.ts'
import { Lessor } from '../../agent/lessor.ts'
import { LicenseShelf } from '../../agent/license-shelf.ts'
import { licenseDetails } from '../../agent/license-view.ts'
import { Licenses } from '../../agent/licenses.ts'
import { pathsIn } from '../../agent/paths.ts'
import type { Administrator } from '../../agent/people/administrator.ts'
import { noProcesses } from '../../agent/process-watch.ts'
import { featureViews, productViews } from '../../agent/product-view.ts'
import { Proofs, type ProofsOptions } from '../../agent/proofs.ts'
import { SeatFinder } from '../../agent/seat-finder.ts'
import { SessionKeys } from '../../agent/session-keys.ts'
import type { OpenRequest } from '../../agent/session-request.ts'
import { Signatures } from '../../agent/signatures.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Store } from '../../agent/store/store.ts'
import { VendorTrust } from '../../agent/vendor-trust.ts'
import { Writer } from '../../agent/writer.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import { ManualClock } from './manual-clock.ts'

export const usualHardware: HardwareParts = {
  machine: '3d1219c7c4c5404aaa1f6d2a48adfda4',
  board: '4c4c4544-0042-3510-8052-b4c04f4d4d32',
  processor: 'Example Processor 9000',
  network: '52:54:00:12:34:56',
  disk: 'WD-1234567890ABCDE',
}

export interface MemoryAgentOptions {
  readonly store?: Store
  readonly clock?: ManualClock
  readonly key?: SigningKey
  readonly hardware?: HardwareParts
  /** Keys of agents that lease from this one, and what came with leases of its own. */
  readonly peers?: Pick<ProofsOptions, 'keyOf' | 'linksOf'>
}

type Parts = ReturnType<typeof build>

const trouble = (error: unknown): never => {
  throw error
}

function build(
  store: Store,
  clock: ManualClock,
  key: SigningKey,
  hardware: HardwareParts,
  peers: Pick<ProofsOptions, 'keyOf' | 'linksOf'>,
) {
  const self = { id: key.id, name: 'WS-17' }
  const randomId = (): string => randomBytes(16).toString('base64url')
  const health = new Health(clock)
  const writer = new Writer({
    store,
    ballast: { free: async () => undefined, restore: async () => true },
    clock,
    timers: clock,
    instance: self.id,
    salt: () => randomBytes(9).toString('base64url'),
  })
  const floor = new DateFloor({ clock, timers: clock, writes: writer, health, onTrouble: trouble })
  const lessor = new Lessor({
    writes: writer,
    clock,
    timers: clock,
    idleLimit: () => 720 * 60_000,
    onEvent: (event) => broker.noteSeats(event),
  })
  const vendors = new VendorTrust()
  const changed: string[] = []
  const shelf = new LicenseShelf({
    lessor,
    clock,
    dates: (signers) => floor.dates(signers),
    instance: self.id,
    hardware: () => hardware,
    onChange: (id) => changed.push(id),
  })
  const licenses = new Licenses({
    writes: writer,
    shelf,
    vendors,
    clock,
    agent: key,
    hardware: () => hardware,
    randomId,
    hearTime: (signer, time) => floor.hear(signer, time, false),
  })
  const signatures = new Signatures(key.privateKey)
  const sign = (text: string) => signatures.sign(text)
  const proofs = new Proofs({ shelf, lessor, clock, agent: key, sign, randomId, ...peers })
  const broker: Broker = new Broker({
    lessor,
    finder: new SeatFinder({ lessor, clock, timers: clock, self: () => self }),
    writes: writer,
    clock,
    keys: new SessionKeys((label) => Buffer.alloc(32, label)),
    prover: proofs,
    processes: noProcesses,
    self: () => self,
    settings: () => ({ idleLimit: 720 * 60_000, privacy: 'names' }),
  })
  for (const owner of [floor, vendors, shelf, lessor.records]) writer.register(owner)
  writer.participate(lessor.records)
  writer.participate({ accompany: (transaction) => floor.write(transaction) })
  const watch = watchHealth({
    health,
    shelf,
    administrator: { hasPassword: () => true } as Administrator,
    configuration: {} as Configuration,
    folder: '/nowhere',
    paths: pathsIn('/nowhere'),
  })
  const desk = new DocumentDesk({ licenses, shelf, vendors })
  const journal = new Journal(store, () => writer.head)
  const view = () => ({ shelf, lessor, vendors, self, wall: clock.wall(), waiting: () => 0 })
  return {
    self,
    health,
    writer,
    floor,
    lessor,
    vendors,
    shelf,
    licenses,
    proofs,
    broker,
    watch,
    desk,
    journal,
    view,
    changed,
    randomId,
  }
}

let keys = 0

/** A fresh Idempotency-Key. */
export function freshKey(): string {
  return `idempotency-key-${++keys}`
}

export class MemoryAgent {
  readonly clock: ManualClock
  readonly store: Store
  readonly key: SigningKey
  hardware: HardwareParts
  readonly #peers: Pick<ProofsOptions, 'keyOf' | 'linksOf'>
  #parts: Parts

  private constructor({ store = new MemoryStore(), clock = new ManualClock(), ...options }: MemoryAgentOptions) {
    this.store = store
    this.clock = clock
    this.key = options.key ?? sampleKey('agent of the test')
    this.hardware = options.hardware ?? usualHardware
    this.#peers = options.peers ?? {}
    this.#parts = this.#build()
  }

  static async start(options: MemoryAgentOptions = {}): Promise<MemoryAgent> {
    const agent = new MemoryAgent(options)
    await agent.#open()
    return agent
  }

  get parts(): Parts {
    return this.#parts
  }

  /** What the agent does every minute. */
  async look(): Promise<void> {
    const { floor, licenses, watch } = this.#parts
    await floor.tick()
    await licenses.refresh()
    watch.look()
  }

  /** Time passes while the machine runs, and the agent looks at the end of it. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.look()
  }

  async stop(): Promise<void> {
    await this.#parts.writer.close()
  }

  /** Another process on the same store, in the same boot; the hardware is read anew. */
  async restart(): Promise<void> {
    await this.stop()
    this.clock.restart()
    await this.#reopen()
  }

  /** The machine is off for `ms` and boots. */
  async reboot(ms = 30_000): Promise<void> {
    await this.stop()
    this.clock.reboot(ms)
    await this.#reopen()
  }

  /** Asks for a seat of acme/cad; `changes` say what else. */
  open(changes: Partial<OpenRequest> = {}) {
    return this.#parts.broker.open({
      idempotencyKey: freshKey(),
      address: '127.0.0.1',
      product: 'acme/cad',
      seats: 1,
      activity: 'heartbeat',
      ...changes,
    })
  }

  /** Asks for a seat and must get it. */
  async seat(changes: Partial<OpenRequest> = {}) {
    const opened = await this.open(changes)
    if (opened.kind === 'refused') throw new Error(`${opened.code}: ${opened.detail}`)
    return opened.session
  }

  /** The code with which a seat is refused, or `undefined`. */
  async refusal(changes: Partial<OpenRequest> = {}): Promise<string | undefined> {
    const opened = await this.open(changes)
    return opened.kind === 'refused' ? opened.code : undefined
  }

  beat({ id, key }: { readonly id: string; readonly key: string }, nonce?: string) {
    return this.#parts.broker.heartbeat(id, key, { nonce })
  }

  close({ id, key }: { readonly id: string; readonly key: string }) {
    return this.#parts.broker.close(id, key)
  }

  /** Installs a license block and trusts its vendor; must be able to. @returns the license's id */
  async install(block: string): Promise<string> {
    const added = await this.#parts.desk.addLicenses(block, true)
    if (added.kind === 'refused') throw new Error(`${added.code}: ${added.detail}`)
    return added.ids[0] ?? ''
  }

  /** The block that asks the vendor for an activation. */
  async requestActivation(id: string): Promise<string> {
    const requested = await this.#parts.licenses.requestActivation(id)
    if (requested.kind === 'refused') throw new Error(`${requested.code}: ${requested.detail}`)
    return this.#parts.desk.writeBlock(requested.text)
  }

  license(id: string) {
    const installed = this.#parts.shelf.get(id)
    if (!installed) throw new Error(`no license ${id}`)
    return licenseDetails(installed, this.#parts.view())
  }

  state(id: string): string {
    return this.license(id).state
  }

  products() {
    return productViews(this.#parts.view())
  }

  features() {
    return featureViews(this.#parts.view())
  }

  async entries(type?: string): Promise<JournalEntry[]> {
    const found: JournalEntry[] = []
    for await (const entry of this.#parts.journal.read({ type, order: 'oldest-first' }, Number.MAX_SAFE_INTEGER))
      found.push(entry)
    return found
  }

  #build(): Parts {
    return build(this.store, this.clock, this.key, this.hardware, this.#peers)
  }

  async #reopen(): Promise<void> {
    this.#parts = this.#build()
    await this.#open()
  }

  async #open(): Promise<void> {
    await this.#parts.writer.open()
    await this.look()
  }
}
