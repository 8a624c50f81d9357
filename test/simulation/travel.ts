/**
 * What one process of an agent has to do with detachments: the real owners of both sides, wired as the composition root wires them.
 * The license shelf is the simulator's.
 */
import { DateFloor } from '../../agent/date-floor.ts'
import { DetachmentAsking } from '../../agent/detachment-asking.ts'
import { DetachmentBlocks } from '../../agent/detachment-blocks.ts'
import { DetachmentBook } from '../../agent/detachment-book.ts'
import { DetachmentContact } from '../../agent/detachment-contact.ts'
import { DetachmentEnding } from '../../agent/detachment-ending.ts'
import { DetachmentHolding } from '../../agent/detachment-holding.ts'
import type { DetachmentManagers } from '../../agent/detachment-link.ts'
import { DetachmentMaking } from '../../agent/detachment-making.ts'
import { DetachmentReturning } from '../../agent/detachment-returning.ts'
import { DetachmentTexts, type DetachmentTextsParts } from '../../agent/detachment-texts.ts'
import { Detachments } from '../../agent/detachments.ts'
import { DocumentDesk } from '../../agent/document-desk.ts'
import type { PublicJwk, SigningKey } from '../../agent/domain/documents/keys.ts'
import { Health } from '../../agent/health.ts'
import { peerDetachmentRoutes } from '../../agent/http/peer-api/detachments.ts'
import type { Route } from '../../agent/http/route.ts'
import { type DetachmentJobParts, reconcile, remind } from '../../agent/jobs/detachment-jobs.ts'
import type { Leases } from '../../agent/leases.ts'
import type { Lessor } from '../../agent/lessor.ts'
import { LicenseShelf } from '../../agent/license-shelf.ts'
import { Licenses } from '../../agent/licenses.ts'
import { detachmentLink } from '../../agent/peers/detachment-calls.ts'
import { DetachmentDesk } from '../../agent/peers/detachment-desk.ts'
import type { LeaseGuards } from '../../agent/peers/lease-desk-guards.ts'
import type { KnownManager, PeerCalls } from '../../agent/peers/manager-calls.ts'
import { VendorTrust } from '../../agent/vendor-trust.ts'
import type { Writer } from '../../agent/writer.ts'
import type { Settings } from './agent.ts'
import type { SimulatedProcess } from './machine.ts'
import type { SimulatedManagers } from './managers.ts'

/** What people decide about detachments at one machine. */
export interface TravelSources {
  readonly agent: SigningKey
  /** A license that is installed here, with its text. */
  readonly shelf: DetachmentTextsParts['shelf']
  /** Every agent that there is, by its id or name. */
  readonly agentOf: (
    named: string,
  ) => { readonly id: string; readonly name: string; readonly key: PublicJwk } | undefined
  /** By how many ms the clock of another machine is ahead. */
  readonly ahead: (agent: string) => number
}

export interface TravelParts extends TravelSources {
  readonly self: { readonly id: string; readonly name: string }
  readonly process: SimulatedProcess
  readonly writer: Writer
  readonly lessor: Lessor
  readonly leases: Leases
  readonly managers: SimulatedManagers
  readonly known: readonly KnownManager[]
  readonly calls: PeerCalls
  readonly guards: LeaseGuards
  readonly settings: Settings
  readonly randomId: () => string
  readonly tell: (agent: string, id: string) => void
  readonly onTrouble: (what: string, error: unknown) => void
}

const second = 1_000
const minute = 60_000
const mostDays = 3

export class Travel {
  readonly floor: DateFloor
  readonly book: DetachmentBook
  readonly contact: DetachmentContact
  readonly detachments: Detachments
  readonly documents: DocumentDesk
  readonly holding: DetachmentHolding
  readonly routes: readonly Route[]
  readonly #making: DetachmentMaking
  readonly #ending: DetachmentEnding
  readonly #asking: DetachmentAsking
  readonly #desk: DetachmentDesk
  readonly #process: SimulatedProcess
  readonly #jobs: DetachmentJobParts
  readonly #onTrouble: (error: unknown) => void

  constructor(parts: TravelParts) {
    const { agent, self, process, writer, lessor, leases, settings, shelf, randomId, guards, known, calls } = parts
    const { clock } = process
    const onTrouble = (error: unknown): void => parts.onTrouble('a detachment could not be brought up to date', error)
    this.#process = process
    this.#onTrouble = onTrouble
    const health = new Health(clock)
    this.floor = new DateFloor({ clock, timers: process, writes: writer, health, onTrouble })
    const { floor } = this
    this.book = new DetachmentBook(clock)
    const { book } = this
    const named = () => self
    const dates = (signers: readonly string[]) => floor.dates(signers)
    const hearTime = (signer: string, time: number, fresh = false) => floor.hear(signer, time, fresh)
    const texts = new DetachmentTexts({ shelf, book, agent, self: named })
    const isEnabled = (): boolean => settings.detaching
    const detachSettings = () => ({
      enabled: settings.detaching,
      reservedSeats: settings.kept,
      reservedPercent: 0,
      maxDays: mostDays,
    })
    const graceSeconds = (): number => settings.graceSeconds
    const common = {
      book,
      lessor,
      writes: writer,
      clock,
      dates,
      texts,
      self: named,
      settings: detachSettings,
      graceSeconds,
    }
    this.#making = new DetachmentMaking(common)
    const making = this.#making
    const returning = new DetachmentReturning(common)
    this.#ending = new DetachmentEnding(common)
    const ending = this.#ending
    const vendors = new VendorTrust()
    this.holding = new DetachmentHolding({ ...common, leases, hearTime, vendors, agent, isEnabled, randomId })
    const { holding } = this
    const managers: DetachmentManagers = {
      offering: (product) => parts.managers.offering(product),
      link: (id) => {
        const peer = known.find((one) => one.id === id)
        return peer && detachmentLink(peer, calls)
      },
      isMeant: (id, typed) => id === typed,
      isReachable: (id) => parts.managers.isReachable(id),
    }
    this.#asking = new DetachmentAsking({ ...common, holding, leases, managers, isEnabled, randomId })
    const asking = this.#asking
    this.contact = new DetachmentContact({ ...common, holding, asking, managers, onTrouble })
    this.#desk = new DetachmentDesk({
      ...common,
      making,
      returning,
      ending,
      guards,
      managers,
      keyOf: (id) => parts.agentOf(id)?.key,
      onForgotten: (by) => onTrouble(new Error(`${by} shows a detachment that is forgotten here.`)),
    })
    this.detachments = new Detachments({
      ...common,
      making,
      returning,
      ending,
      holding,
      asking,
      managers,
      agent,
      zone: () => 'UTC',
      randomId,
      productsNamed: () => [],
      agentOf: (text) => {
        const found = parts.agentOf(text)
        return found && { ...found, ahead: parts.ahead(found.id) }
      },
      refuseNew: () => guards.refuseNew(),
      tell: parts.tell,
    })
    // What is pasted is read as it is; licenses are installed by the simulator's own means.
    const hardware = () => ({})
    const emptyShelf = new LicenseShelf({ lessor, clock, dates, instance: self.id, hardware })
    const installing = { writes: writer, shelf: emptyShelf, vendors, clock, agent, hardware, randomId, hearTime }
    this.documents = new DocumentDesk({
      licenses: new Licenses(installing),
      shelf: emptyShelf,
      vendors,
      detachments: new DetachmentBlocks({ holding, returning }),
    })
    this.routes = peerDetachmentRoutes(this.#desk)
    const { contact } = this
    this.#jobs = {
      book,
      holding,
      contact,
      lessor,
      writes: writer,
      health,
      onDifference: (facts) => onTrouble(new Error(`seats are counted wrongly: ${JSON.stringify(facts)}`)),
    }
    parts.managers.onChange(() => contact.noteManagers())
  }

  /** What other agents are told. */
  get offered() {
    return {
      ready: (agent: string) => this.#desk.readyFor(agent),
      figures: (product: `${string}/${string}`) => this.#making.figures(product),
    }
  }

  /** After the lessor's own. */
  participate(writer: Writer): void {
    writer.participate(this.#ending)
    writer.participate(this.book)
    writer.participate({ accompany: (transaction) => this.floor.write(transaction) })
  }

  start(): void {
    const look = (): void => {
      this.#ending.look().catch(this.#onTrouble)
      this.holding.look().catch(this.#onTrouble)
      this.#asking.look()
    }
    const tidy = (): void => {
      this.#ending.showDates()
      Promise.all([this.#ending.prune(), this.holding.prune()]).catch(this.#onTrouble)
      this.contact.noteManagers()
    }
    this.#process.every(second, look)
    this.#process.every(minute, tidy)
    this.#process.every(10 * minute, () => {
      Promise.all([reconcile(this.#jobs), remind(this.#jobs), this.contact.meetAll()]).catch(this.#onTrouble)
    })
    void this.floor.start().catch(this.#onTrouble)
    look()
  }
}
