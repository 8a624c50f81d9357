/**
 * Builds and connects what takes seats along: both sides of detachments, their calls, their jobs. Part of the composition root; only
 * `agent.ts` and tests import it.
 */
import type { AccessRules } from './access-rules.ts'
import type { ConnectedDesk } from './agent-desk.ts'
import { clockApi, detachmentsApi, localZone } from './agent-detach-api.ts'
import type { ConnectedNetwork } from './agent-network.ts'
import type { Clock, Timers } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import type { DateFloor } from './date-floor.ts'
import { DetachmentAsking } from './detachment-asking.ts'
import { DetachmentBlocks } from './detachment-blocks.ts'
import { DetachmentBook } from './detachment-book.ts'
import { DetachmentContact } from './detachment-contact.ts'
import { DetachmentEnding } from './detachment-ending.ts'
import { DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentManagers } from './detachment-link.ts'
import { DetachmentMaking, type DetachSettings } from './detachment-making.ts'
import { DetachmentReturning } from './detachment-returning.ts'
import { DetachmentTexts } from './detachment-texts.ts'
import { Detachments } from './detachments.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Events } from './events.ts'
import type { Health } from './health.ts'
import type { CookieAccess } from './http/access.ts'
import { peerDetachmentRoutes } from './http/peer-api/detachments.ts'
import type { Route } from './http/route.ts'
import type { ApiParts } from './http/routes.ts'
import { detachmentJobs } from './jobs/detachment-jobs.ts'
import { Housekeeping } from './jobs/housekeeping.ts'
import type { Lessor } from './lessor.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { Log } from './log.ts'
import { detachmentLink } from './peers/detachment-calls.ts'
import { DetachmentDesk } from './peers/detachment-desk.ts'
import type { OfferedDetachments } from './peers/lease-desk.ts'
import type { AgentName } from './session-view.ts'
import type { VendorTrust } from './vendor-trust.ts'
import type { Writer } from './writer.ts'

export interface DetachParts {
  readonly lessor: Lessor
  readonly shelf: LicenseShelf
  readonly vendors: VendorTrust
  readonly writer: Writer
  readonly floor: DateFloor
  readonly clock: Clock
  readonly timers: Timers
  readonly agent: SigningKey
  readonly self: () => AgentName
  readonly configuration: Configuration
  readonly rules: Pick<AccessRules, 'user'>
  readonly health: Health
  readonly events: Events
  readonly log: Log
  readonly access: Pick<CookieAccess, 'asks'>
  readonly network: Pick<ConnectedNetwork, 'leases' | 'peers' | 'discovery'>
  readonly desk: Pick<ConnectedDesk, 'guards' | 'desk'>
  readonly randomId: () => string
}

export interface ConnectedDetach {
  /** To be registered with the writer after the lessor's records. */
  readonly records: DetachmentBook
  readonly holding: DetachmentHolding
  readonly blocks: DetachmentBlocks
  readonly contact: DetachmentContact
  /** What other agents are told. */
  readonly offered: OfferedDetachments
  readonly detachments: Detachments
  readonly housekeeping: Housekeeping
  /** For other agents. */
  readonly routes: readonly Route[]
  readonly api: Pick<ApiParts, 'detachments' | 'clock'>
  /** After the store is open. */
  start(): void
  stop(): Promise<void>
}

const second = 1_000
const minute = 60_000

export function connectDetach(parts: DetachParts): ConnectedDetach {
  const { leases, peers, discovery } = parts.network
  const { guards } = parts.desk
  const { lessor, writer, floor, clock, timers, self, configuration, events, health, log, randomId } = parts
  const trouble = (error: unknown): void => log.error('a detachment could not be brought up to date', { error })
  const book = new DetachmentBook(clock)
  const dates = (signers: readonly string[]) => floor.dates(signers)
  const texts = new DetachmentTexts({ ...parts, book })
  const settings = (product: ProductName): DetachSettings => {
    const { detachEnabled, ...own } = configuration.forProduct(product)
    return { enabled: detachEnabled, ...own }
  }
  const graceSeconds = (): number => configuration.get('detach.graceSeconds')
  const common = { book, lessor, writes: writer, clock, dates, texts, self, settings, graceSeconds }
  const making = new DetachmentMaking(common)
  const returning = new DetachmentReturning(common)
  const ending = new DetachmentEnding(common)
  const isEnabled = (product: ProductName): boolean => settings(product).enabled
  const holding = new DetachmentHolding({
    ...parts,
    leases,
    book,
    writes: writer,
    dates,
    isEnabled,
    hearTime: (signer, time, fresh) => floor.hear(signer, time, fresh),
  })
  const managers = managersOf(parts)
  const asking = new DetachmentAsking({
    book,
    holding,
    leases,
    managers,
    writes: writer,
    clock,
    self,
    isEnabled,
    randomId,
  })
  const contact = new DetachmentContact({ book, holding, asking, managers, writes: writer, clock, onTrouble: trouble })
  const desk = new DetachmentDesk({
    ...parts,
    making,
    returning,
    ending,
    book,
    managers,
    writes: writer,
    guards,
    keyOf: (agent) => peers.book.get(agent)?.key.jwk,
    onForgotten: (by) => peers.book.self.report(by),
  })
  const detachments = new Detachments({
    ...parts,
    book,
    making,
    returning,
    ending,
    holding,
    asking,
    managers,
    settings,
    zone: localZone,
    productsNamed: (product) => discovery.directory.productsNamed(product),
    agentOf: (named) => agentOf(named, parts),
    refuseNew: () => guards.refuseNew(),
    tell: (agent, id) => parts.desk.desk.noteDetachment(agent, id),
  })
  const housekeeping = new Housekeeping({
    jobs: detachmentJobs({
      book,
      holding,
      contact,
      lessor,
      writes: writer,
      health,
      onDifference: (facts) => log.error('detached seats are counted wrongly', facts),
    }),
    onFailed: (job, error) => log.error('a job failed', { job, error }),
  })
  writer.participate(ending)
  writer.participate(book)
  book.onChange(({ side, id }) => {
    if (side !== 'relay') events.publish('detachment.changed', { id, direction: side })
  })
  discovery.directory.onChange(() => contact.noteManagers())
  const stops: (() => void)[] = []

  return {
    records: book,
    holding,
    blocks: new DetachmentBlocks({ holding, returning }),
    contact,
    offered: {
      ready: (agent) => desk.readyFor(agent),
      figures: (product) => making.figures(product),
    },
    detachments,
    housekeeping,
    routes: peerDetachmentRoutes(desk),
    api: {
      detachments: detachmentsApi({ ...parts, detachments, making, directory: discovery.directory }),
      clock: clockApi(floor, clock),
    },
    start: () => {
      const look = (): void => {
        ending.look().catch(trouble)
        holding.look().catch(trouble)
        asking.look()
      }
      const tidy = (): void => {
        ending.showDates()
        Promise.all([ending.prune(), holding.prune()]).catch(trouble)
        contact.noteManagers()
      }
      stops.push(timers.every(second, look), timers.every(minute, tidy))
      look()
      housekeeping.start()
      void housekeeping.run('remind of detachments').catch(trouble)
    },
    stop: async () => {
      for (const stop of stops.splice(0)) stop()
      await housekeeping.stop()
    },
  }
}

function managersOf({ network }: DetachParts): DetachmentManagers {
  const { directory } = network.discovery
  const { book, client } = network.peers
  const known = (id: string) => directory.find(id) ?? book.get(id)
  return {
    offering: (product) => directory.offering(product),
    link: (id) => {
      const peer = known(id)
      return peer && detachmentLink(peer, client)
    },
    isMeant: (id, typed) => directory.isAt(id, typed) || known(id)?.name.toLowerCase() === typed.trim().toLowerCase(),
    isReachable: (id) => {
      const state = directory.find(id)?.condition.state
      return state === 'reachable' || state === 'refusing'
    },
  }
}

/** By its id or name; what waits for approval or is denied is nobody to give seats to. */
function agentOf(named: string, { network }: DetachParts) {
  const { directory } = network.discovery
  const { book } = network.peers
  const known = book.list().find(({ id, name }) => id === named || name.toLowerCase() === named.toLowerCase())
  if (known === undefined || known.approval === 'denied') return undefined
  const found = directory.find(known.id)
  const ahead = found?.condition.state === 'unreachable' ? undefined : found?.clockDifference
  return {
    id: known.id,
    key: known.key.jwk,
    name: known.name,
    ...(ahead === undefined ? {} : { ahead }),
  }
}
