/**
 * Agents that take seats along from each other without a network: their real owners over a store in memory, and between them what the
 * wire would carry, as plain calls that can be lost. Each has a clock of its own; nothing runs by itself: `look()` does what an agent
 * does every second and every minute.
 */
import { DateFloor } from '../../agent/date-floor.ts'
import { DetachmentAsking } from '../../agent/detachment-asking.ts'
import { DetachmentBlocks } from '../../agent/detachment-blocks.ts'
import { DetachmentBook } from '../../agent/detachment-book.ts'
import { DetachmentContact } from '../../agent/detachment-contact.ts'
import { DetachmentEnding } from '../../agent/detachment-ending.ts'
import { DetachmentHolding } from '../../agent/detachment-holding.ts'
import type { DetachmentLink, DetachmentManagers } from '../../agent/detachment-link.ts'
import { DetachmentMaking, type DetachSettings } from '../../agent/detachment-making.ts'
import { DetachmentReturning } from '../../agent/detachment-returning.ts'
import { DetachmentTexts } from '../../agent/detachment-texts.ts'
import { Detachments } from '../../agent/detachments.ts'
import { DocumentDesk } from '../../agent/document-desk.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import type { JournalEntry } from '../../agent/domain/journal.ts'
import type { SessionCommand } from '../../agent/domain/seats.ts'
import type { Refusal } from '../../agent/errors.ts'
import { Health } from '../../agent/health.ts'
import { type DetachmentJobParts, reconcile, remind } from '../../agent/jobs/detachment-jobs.ts'
import { Leases } from '../../agent/leases.ts'
import { Lessor, type OpenAnswer, type SeatEvent } from '../../agent/lessor.ts'
import { LicenseShelf } from '../../agent/license-shelf.ts'
import { Licenses } from '../../agent/licenses.ts'
import { DetachmentDesk } from '../../agent/peers/detachment-desk.ts'
import type { PeerCaller } from '../../agent/peers/lease-desk-ask.ts'
import { type LeaseGuardOptions, LeaseGuards } from '../../agent/peers/lease-desk-guards.ts'
import type { Refused, Unreachable } from '../../agent/peers/manager-link.ts'
import { peerProblemSchema } from '../../agent/peers/wire.ts'
import { Proofs } from '../../agent/proofs.ts'
import { Signatures } from '../../agent/signatures.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Batch, CommitOutcome } from '../../agent/store/store.ts'
import { VendorTrust } from '../../agent/vendor-trust.ts'
import { Writer } from '../../agent/writer.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { usualHardware } from '../helpers/memory-agent.ts'
import { FailingStore } from '../store/failing-store.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

/** What becomes of the next call to a machine. */
export type Fate = 'works' | 'unsent' | 'lost' | 'reply lost'

/** A store whose every state is kept, so that the folder can be copied and put back. */
class KeptStore extends FailingStore {
  readonly batches: Batch[] = []

  override async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    const outcome = await super.commit(batch, revision)
    this.batches.push(batch)
    return outcome
  }
}

type Parts = ReturnType<Machine['build']>

const trouble = (error: unknown): never => {
  throw error
}

export class Machine {
  readonly name: string
  readonly key: SigningKey
  readonly clock: ManualClock
  store: KeptStore
  settings: DetachSettings = { enabled: true, reservedSeats: 0, reservedPercent: 0, maxDays: 14 }
  graceSeconds = 600
  access: 'none' | 'approved' | 'rules' = 'rules'
  readonly guards: Partial<LeaseGuardOptions> = {}
  isUp = true
  readonly fates: Fate[] = []
  /** Machines that it knows, by id. */
  readonly known = new Map<string, Machine>()
  readonly told: string[] = []
  readonly forgotten: string[] = []
  readonly events: SeatEvent[] = []
  #ids = 0
  #parts: Parts

  private constructor(name: string, clock: ManualClock, key: SigningKey, store: KeptStore) {
    this.name = name
    this.clock = clock
    this.key = key
    this.store = store
    this.#parts = this.build()
  }

  static async start(
    name: string,
    { clock = new ManualClock(), key = sampleKey(name), store = new KeptStore(new MemoryStore()) } = {},
  ): Promise<Machine> {
    const machine = new Machine(name, clock, key, store)
    await machine.#open()
    return machine
  }

  get parts(): Parts {
    return this.#parts
  }

  get id(): string {
    return this.key.id
  }

  get caller(): PeerCaller {
    return { id: this.id, name: this.name, address: '192.0.2.7' }
  }

  meet(...others: readonly Machine[]): this {
    for (const other of others) {
      this.known.set(other.id, other)
      other.known.set(this.id, this)
    }
    return this
  }

  // ---- time

  /** What an agent does every second and every minute. */
  async look(): Promise<void> {
    const { floor, licenses, ending, holding, asking } = this.#parts
    await floor.tick()
    await licenses.refresh()
    await ending.look()
    await holding.look()
    asking.look()
    await turns()
    ending.showDates()
  }

  /** Time passes while the machine runs. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.look()
  }

  /** Another process on the same store, in the same boot. */
  async restart(): Promise<void> {
    await this.store.close()
    this.clock.restart()
    await this.#reopen()
  }

  /** The machine is off for `ms` and boots. */
  async reboot(ms = 30_000): Promise<void> {
    await this.store.close()
    this.clock.reboot(ms)
    await this.#reopen()
  }

  /** The store as it is now, as a folder that somebody copies. */
  async copy(): Promise<KeptStore> {
    return await replay(this.store.batches)
  }

  /** The folder is put back. */
  async putBack(store: KeptStore): Promise<void> {
    await this.store.close()
    this.store = store
    this.clock.restart()
    await this.#reopen()
  }

  // ---- seats

  open(id: string, more: Partial<SessionCommand> = {}): Promise<OpenAnswer> {
    return this.#parts.lessor.open({
      id,
      instance: this.id,
      holder: this.id,
      product: 'acme/cad',
      seats: 1,
      who: { account: id },
      body: 'body',
      activity: 'heartbeat',
      waited: false,
      ...more,
    })
  }

  /** In one word. */
  async opens(id: string, more: Partial<SessionCommand> = {}): Promise<string> {
    const answer = await this.open(id, more)
    return 'why' in answer ? answer.why : answer.kind
  }

  async install(block: string): Promise<string> {
    const added = await this.#parts.documents.addLicenses(block, true)
    if (added.kind === 'refused') throw new Error(`${added.code}: ${added.detail}`)
    return added.ids[0] ?? ''
  }

  async used(): Promise<number> {
    let used = 0
    for (const { id } of this.#parts.lessor.view.supplies()) used += this.#parts.lessor.view.used(id)
    return used
  }

  async entries(type: string): Promise<JournalEntry[]> {
    const found: JournalEntry[] = []
    for await (const entry of this.store.journal({ limit: 100_000, order: 'oldest-first' }))
      if (entry.type === type) found.push(entry)
    return found
  }

  reconcile(): Promise<void> {
    return reconcile(this.#jobs)
  }

  remind(): Promise<void> {
    return remind(this.#jobs)
  }

  get #jobs(): DetachmentJobParts {
    return {
      ...this.#parts,
      writes: this.#parts.writer,
      onDifference: (facts) => {
        throw new Error(JSON.stringify(facts))
      },
    }
  }

  // ---- calls

  /** This machine as others call it. */
  linkFor(caller: Machine): DetachmentLink {
    const desk = () => this.#parts.desk
    return {
      id: this.id,
      name: this.name,
      detach: (id, ask) =>
        this.#deliver(async () => {
          const answer = await desk().ask(caller.caller, id, ask)
          if (answer.kind === 'refused') return refusedBy(answer)
          return 'plan' in answer.answer
            ? { kind: 'planned', plan: answer.answer.plan }
            : { kind: 'detached', detachment: answer.answer.detachment }
        }),
      take: (id) =>
        this.#deliver(async () => {
          const answer = await desk().take(caller.caller, id)
          return answer.kind === 'refused' ? refusedBy(answer) : { kind: 'detached', detachment: answer.detachment }
        }),
      giveBack: (id) =>
        this.#deliver(async () => {
          const answer = await desk().release(caller.caller, id)
          return answer.kind === 'refused' ? refusedBy(answer) : answer
        }),
      report: (ask) =>
        this.#deliver(async () => {
          const answer = await desk().report(caller.caller, ask)
          return answer.kind === 'refused' ? refusedBy(answer) : { kind: 'answered', answer }
        }),
    }
  }

  async #deliver<T>(act: () => Promise<T>): Promise<T | Unreachable> {
    const fate = this.isUp ? (this.fates.shift() ?? 'works') : 'unsent'
    if (fate === 'unsent') return { kind: 'unreachable', unsent: true, step: 'connect', detail: 'Nobody is there.' }
    const reply = fate === 'lost' ? undefined : await act()
    if (fate === 'works' && reply !== undefined) return reply
    return { kind: 'unreachable', unsent: false, step: 'answer', detail: 'No answer came.' }
  }

  #managers(): DetachmentManagers {
    return {
      offering: (product) =>
        [...this.known.values()].flatMap((other) => {
          const offer = other.offerOf(product)
          return other.isUp && offer !== undefined ? [{ link: { id: other.id, name: other.name } as never, offer }] : []
        }),
      link: (id) => this.known.get(id)?.linkFor(this),
      isMeant: (id, typed) => id === typed || this.known.get(id)?.name === typed,
      isReachable: (id) => this.known.get(id)?.isUp === true,
    }
  }

  /** As much of an offer as detaching looks at; an agent without seats passes on what others have. */
  offerOf(product: string) {
    const { making, lessor } = this.#parts
    const own = [...lessor.view.supplies()].some((one) => one.kind !== 'lease')
    const figures = making.figures(product as never)
    if (own) return { detachable: figures.detachable, maxDetachDays: figures.maxDays, chain: [] } as never
    const above = [...this.known.values()].find((other) => [...other.parts.lessor.view.supplies()].length > 0)
    return above === undefined ? undefined : ({ detachable: 1, maxDetachDays: 14, chain: [above.id] } as never)
  }

  // ---- building

  build() {
    const { clock, store, key } = this
    const self = () => ({ id: this.id, name: this.name })
    const randomId = (): string => `${this.name.toLowerCase()}-${String(++this.#ids).padStart(16, '0')}`
    const health = new Health(clock)
    const writer = new Writer({
      store,
      ballast: { free: async () => undefined, restore: async () => true },
      clock,
      timers: clock,
      instance: this.id,
      salt: () => 'salt',
    })
    const floor = new DateFloor({ clock, timers: clock, writes: writer, health, onTrouble: trouble })
    const lessor = new Lessor({
      writes: writer,
      clock,
      timers: clock,
      idleLimit: () => 720 * minute,
      onEvent: (event) => this.events.push(event),
    })
    const vendors = new VendorTrust()
    const dates = (signers: readonly string[]) => floor.dates(signers)
    const hardware = () => usualHardware
    const shelf = new LicenseShelf({ lessor, clock, dates, instance: this.id, hardware })
    const hearTime = (signer: string, time: number, fresh = false) => floor.hear(signer, time, fresh)
    const licenses = new Licenses({ writes: writer, shelf, vendors, clock, agent: key, hardware, randomId, hearTime })
    const leases = new Leases({ lessor, writes: writer, clock, instance: this.id })
    const book = new DetachmentBook(clock)
    const texts = new DetachmentTexts({ shelf, book, agent: key, self })
    const settings = () => this.settings
    const graceSeconds = () => this.graceSeconds
    const common = { book, lessor, writes: writer, clock, dates, texts, self, settings, graceSeconds }
    const making = new DetachmentMaking(common)
    const returning = new DetachmentReturning(common)
    const ending = new DetachmentEnding(common)
    const isEnabled = () => this.settings.enabled
    const holding = new DetachmentHolding({ ...common, leases, hearTime, vendors, agent: key, isEnabled, randomId })
    const managers = this.#managers()
    const asking = new DetachmentAsking({ ...common, holding, leases, managers, isEnabled, randomId })
    const contact = new DetachmentContact({ ...common, holding, asking, managers, onTrouble: trouble })
    const guards = new LeaseGuards({
      access: () => this.access,
      approvalOf: () => 'known',
      rules: { machine: () => ({ kind: 'allowed' }), user: () => ({ kind: 'allowed' }) },
      serving: { refusal: () => undefined },
      isRestored: () => this.forgotten.length > 0,
      seatsPerAgent: () => 0,
      ...this.guards,
    })
    const keyOf = (agent: string) => this.known.get(agent)?.key.jwk
    const onForgotten = (by: string): void => void this.forgotten.push(by)
    const desk = new DetachmentDesk({ ...common, making, returning, ending, guards, managers, keyOf, onForgotten })
    const detachments = new Detachments({
      ...common,
      making,
      returning,
      ending,
      holding,
      asking,
      managers,
      agent: key,
      zone: () => 'UTC',
      randomId,
      productsNamed: () => ['acme/cad'],
      agentOf: (named) => {
        const found = [...this.known.values()].find(({ id, name }) => id === named || name === named)
        return found && { id: found.id, key: found.key.jwk, name: found.name, ahead: found.clock.wall() - clock.wall() }
      },
      refuseNew: () => guards.refuseNew(),
      tell: (agent, id) => void this.told.push(`${this.known.get(agent)?.name ?? agent} ${id}`),
    })
    const blocks = new DetachmentBlocks({ holding, returning })
    const documents = new DocumentDesk({ licenses, shelf, vendors, detachments: blocks })
    const signatures = new Signatures(key.privateKey)
    const proofs = new Proofs({
      shelf,
      lessor,
      clock,
      agent: key,
      sign: (text) => signatures.sign(text),
      randomId,
      linksOf: (supply) => leases.linksOf(supply) ?? holding.linksOf(supply),
      keyOf,
    })
    for (const owner of [floor, vendors, shelf, leases, lessor.records, book]) writer.register(owner)
    for (const participant of [lessor.records, ending, book]) writer.participate(participant)
    writer.participate({ accompany: (transaction) => floor.write(transaction) })
    return {
      writer,
      floor,
      lessor,
      vendors,
      shelf,
      licenses,
      leases,
      book,
      making,
      returning,
      ending,
      holding,
      asking,
      contact,
      desk,
      detachments,
      documents,
      proofs,
      health,
      signatures,
    }
  }

  async #reopen(): Promise<void> {
    this.#parts = this.build()
    await this.#open()
  }

  async #open(): Promise<void> {
    await this.#parts.writer.open()
    await this.look()
  }
}

/** A store that went through the same batches. */
async function replay(batches: readonly Batch[]): Promise<KeptStore> {
  const store = new KeptStore(new MemoryStore())
  let { revision } = await store.open()
  for (const batch of batches) {
    const outcome = await store.commit(batch, revision)
    if (outcome.kind === 'committed') revision = outcome.revision
  }
  await store.close()
  return store
}

/** The same time passes for everybody. */
export async function pass(ms: number, ...machines: readonly Machine[]): Promise<void> {
  for (const machine of machines) await machine.pass(ms)
}

/** Lets promises go on until none can. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function refusedBy({ code, detail, facts }: Refusal): Refused | Unreachable {
  if (code === 'store_unavailable') return { kind: 'unreachable', unsent: false, step: 'answer', detail }
  return { kind: 'refused', status: 409, problem: peerProblemSchema.parse({ code, detail, ...facts }) }
}
