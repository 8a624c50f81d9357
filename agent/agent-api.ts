/**
 * Connects the API's handlers to the owners: what each handler needs, in the shapes of the interface.
 * Part of the composition root; only `agent.ts` imports it.
 */
import { type AccessOwners, clientViews, testProxy } from './agent-access.ts'
import { type CheckChange, changeable, entryOf, fieldsOf, importConfiguration } from './agent-configuration.ts'
import { recountProduct } from './agent-recount.ts'
import {
  activityView,
  definitionOf,
  putReserve,
  reserveView,
  reserveViews,
  type SiteOwners,
  signInView,
  siteOf,
  siteUser,
  siteViews,
} from './agent-sites.ts'
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { fileJsonSchema } from './config/schema.ts'
import { type ConfigurationPage, configurationPages } from './config/setting.ts'
import type { DateFloor } from './date-floor.ts'
import type { DocumentDesk } from './document-desk.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { JournalEntry } from './domain/journal.ts'
import { LeaseholdError, type Refusal } from './errors.ts'
import type { Events } from './events.ts'
import type { Health } from './health.ts'
import type { History } from './history.ts'
import type { JournalLine } from './http/api/agent-shapes.ts'
import type { ManagersParts } from './http/api/managers.ts'
import type { ApiParts } from './http/routes.ts'
import type { Journal } from './journal.ts'
import type { Lessor } from './lessor.ts'
import type { LicenseShelf } from './license-shelf.ts'
import {
  type LicenseDetailsView,
  type LicenseView,
  type LicenseViewContext,
  licenseDetails,
  licenseView,
} from './license-view.ts'
import type { Licenses } from './licenses.ts'
import { paged } from './paging.ts'
import type { Paths } from './paths.ts'
import type { Peaks } from './peaks.ts'
import {
  type FeatureView,
  featureViews,
  type ProductView,
  type ProductViewContext,
  productViews,
} from './product-view.ts'
import type { Refusals } from './refusals.ts'
import type { RemoteOffers } from './remote-offers.ts'
import { addSample } from './sample.ts'
import type { Serving } from './serving.ts'
import { disconnectComputer, disconnectSession } from './session-end.ts'
import type { SessionList } from './session-list.ts'
import { refusedSeatViews } from './session-refusal-view.ts'
import type { AgentName } from './session-view.ts'
import type { Writer } from './writer.ts'

export interface Owners extends AccessOwners {
  readonly managers: ManagersParts
  /** Seats that are taken along, and the clock that they end by. */
  readonly detaching: Pick<ApiParts, 'detachments' | 'clock'>
  readonly remoteOffers: RemoteOffers
  /** The first search for managers after the start is done. */
  readonly hasSearched: () => boolean
  /** Whether a change of settings may be made, beyond what each setting takes. */
  readonly checkChange: CheckChange
  readonly broker: Broker
  readonly serving: Serving
  readonly lessor: Lessor
  readonly kept: SiteOwners
  readonly licenses: Licenses
  readonly shelf: LicenseShelf
  readonly desk: DocumentDesk
  readonly sessions: SessionList
  readonly configuration: Configuration
  readonly health: Health
  readonly events: Events
  readonly journal: Journal
  readonly history: History
  readonly refusals: Refusals
  readonly peaks: Peaks
  readonly writer: Writer
  readonly self: () => AgentName
  readonly version: string
  readonly floor: Pick<DateFloor, 'dates'>
  readonly clock: Clock
  readonly paths: Paths
  /** Wall time in ms. */
  readonly wall: () => number
  readonly atLeast: () => number
  /** Lets whatever else waits have its turn. */
  readonly pause: () => Promise<void>
  readonly randomId: () => string
  /** Signs documents in the agent's name. */
  readonly agent: SigningKey
  readonly status: () => { readonly port: number; readonly dataFolder: string; readonly startedAt: string }
  readonly viewContext: () => LicenseViewContext
}

export function connectApi(owners: Owners, signIn: ApiParts['signIn'], streams: ApiParts['streams']): ApiParts {
  const { broker, licenses, desk, sessions, configuration, health, journal } = owners
  return {
    signIn,
    streams,
    sessions: {
      // Nobody needs to be told that the asker is gone unless it waits.
      open: (request, closed) => broker.open((request.wait ?? 0) > 0 ? { ...request, signal: closed() } : request),
      heartbeat: (id, key, beat) =>
        broker.heartbeat(id, key, {
          nonce: beat.nonce,
          active: beat.active,
          activeAt: beat.activeAt === undefined ? undefined : Date.parse(beat.activeAt),
        }),
      close: (id, key) => broker.close(id, key),
      list: (query) => sessions.list(query),
      get: (id) => sessions.get(id),
      disconnect: (id, order) => disconnectSession(owners, id, { ...order, by: 'administrator' }),
    },
    queue: {
      list: ({ product, ...page }) =>
        paged(
          queue(broker, owners.wall(), owners.atLeast()).filter(
            (one) => product === undefined || one.product === product,
          ),
          page,
        ),
    },
    refusals: {
      list: ({ product, user, ...page }) => paged(refusedSeatViews(owners.refusals.list(), { product, user }), page),
    },
    computers: {
      list: (query) => sessions.computers(query),
      disconnect: (id, order) => disconnectComputer(owners, id, { ...order, by: 'administrator' }),
    },
    serving: {
      view: () => ({ ...owners.serving.view(), access: configuration.get('serving.access') }),
      change: (change) => owners.serving.change(change, 'administrator'),
    },
    licenses: {
      list: (page) => paged(licenseViews(owners), page),
      get: (id) => detailsOf(owners, id),
      add: async ({ text, trust }) => {
        const added = await desk.addLicenses(text, trust)
        return added.kind === 'refused' ? added : { kind: 'added', license: mustFind(owners, added.ids[0] ?? '') }
      },
      remove: (id) => licenses.remove(id),
      requestActivation: (id) => requestActivation(owners, id),
      deactivate: async (id, confirmOverlap) => deactivate(owners, id, confirmOverlap),
      addSample: async () => {
        const added = await addSample(owners)
        return added.kind === 'refused' ? added : { kind: 'added', license: mustFind(owners, added.id) }
      },
    },
    documents: { process: ({ text, apply, trust }) => desk.process(text, { apply, trust }) },
    products: {
      products: (page) => paged(products(owners), page),
      features: ({ product, ...page }) =>
        paged(
          features(owners).filter((one) => product === undefined || one.product === product),
          page,
        ),
      mode: (id) => {
        const { mode, manager } = configuration.forProduct(id)
        return { mode, manager }
      },
      changeMode: async (id, { mode, manager }, by) => {
        const patch = {
          ...(mode === undefined ? {} : { [`products.${id}.mode`]: mode }),
          ...(manager === undefined ? {} : { [`products.${id}.manager`]: manager === '' ? null : manager }),
        }
        const outcome = await configuration.change(patch, by)
        return outcome.kind === 'refused' ? fieldsOf(outcome) : outcome
      },
      recount: (id) => recountProduct(owners, id),
    },
    health: {
      health: () => ({ state: worstOf(health), problems: healthProblems(health) }),
      ready: () => owners.writer.state.kind === 'open' && owners.hasSearched(),
      version: () => ({
        program: 'leasehold',
        version: owners.version,
        agent: owners.self(),
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
      }),
      status: () => ({
        ...owners.status(),
        pid: process.pid,
        version: owners.version,
        agent: owners.self(),
        sessions: owners.lessor.view.grantCount,
      }),
    },
    configuration: {
      describe: (section) =>
        section === undefined
          ? configuration.describe().map(entryOf)
          : isPage(section)
            ? configuration.describe(section).map(entryOf)
            : [],
      change: async (patch, by) => {
        const outcome = await configuration.change(patch, by)
        return outcome.kind === 'refused' ? fieldsOf(outcome) : { kind: 'changed' }
      },
      validate: (patch) => {
        const outcome = configuration.validate(patch)
        return outcome.kind === 'refused' ? fieldsOf(outcome) : { kind: 'valid' }
      },
      check: owners.checkChange,
      import: (text, { channel, ...order }) =>
        importConfiguration(changeable(configuration, owners.checkChange, channel), text, order),
      schema: () => fileJsonSchema(),
    },
    managers: owners.managers,
    ...owners.detaching,
    rules: { check: (wish, closed) => owners.ruleCheck.check(wish, closed) },
    recentClients: { list: (page) => paged(clientViews(owners.clients), page) },
    proxy: { test: (address, closed) => testProxy(owners.proxy, address, closed) },
    reserves: {
      list: (page) => paged(reserveViews(owners.kept), page),
      get: (id) => {
        const found = owners.kept.reserves.get(id)
        return found && reserveView(found, owners.kept)
      },
      put: (id, wish) => putReserve(owners.kept, id, wish),
      remove: (id) => owners.kept.reserves.remove(id, 'administrator'),
    },
    sites: connectSiteCalls(owners),
    journal: {
      list: async ({ limit, cursor, ...filter }) => {
        const total = await journal.count(filter)
        const start = Number.parseInt(cursor ?? '', 10)
        const from = !(start >= 1) ? {} : filter.order === 'newest-first' ? { to: start } : { from: start }
        const items: JournalLine[] = []
        let next: string | undefined
        for await (const entry of journal.read({ ...filter, ...from }, limit + 1)) {
          if (items.length === limit) next = String(entry.sequence)
          else items.push(lineOf(entry))
        }
        return { items, total, ...(next === undefined ? {} : { next }) }
      },
      lines: (filter) => lines(journal, filter),
      verify: () => journal.verify(),
    },
  }
}

function connectSiteCalls({ kept, wall }: Owners): ApiParts['sites'] {
  const { sites } = kept
  const by = 'administrator'
  return {
    list: (page) => paged(siteViews(kept), page),
    get: (id, isSite) => siteOf(id, kept, isSite),
    define: (id, wish) => sites.define(id, definitionOf(wish), by),
    remove: (id) => sites.remove(id, by),
    renewToken: (id) => sites.renewToken(id, by),
    isToken: (id, token) => sites.isToken(id, token),
    recycle: (id) => sites.recycle(id, by),
    start: (id) => sites.startSite(id, 'site'),
    stop: (id) => sites.stopSite(id, 'site'),
    signIn: async (id, { id: signIn, user, administrator }, address) => {
      const outcome = await sites.signIn(id, {
        id: signIn,
        user: siteUser(user),
        isAdministrator: administrator,
        address,
      })
      return outcome.kind === 'refused' ? outcome : { ...outcome, signIn: signInView(outcome.signIn, wall()) }
    },
    signOut: (id, signIn) => sites.signOut(id, signIn),
    noteActivity: async (id, ids) => {
      const outcome = await sites.noteActivity(id, ids)
      if (outcome.kind === 'refused') return outcome
      return { kind: 'noted', items: outcome.activities.map((one) => activityView(one, wall())) }
    },
  }
}

type JournalFilter = Parameters<Journal['read']>[0]

async function* lines(journal: Journal, filter: JournalFilter): AsyncIterable<JournalLine> {
  for await (const entry of journal.read(filter, Number.MAX_SAFE_INTEGER)) yield lineOf(entry)
}

export function lineOf(entry: JournalEntry): JournalLine {
  const facts = Object.fromEntries(
    Object.entries(entry.facts).map(([name, fact]) => [name, isList(fact) ? [...fact] : fact]),
  )
  return {
    sequence: entry.sequence,
    at: new Date(entry.at).toISOString(),
    instance: entry.instance,
    type: entry.type,
    facts,
    personal: { ...entry.personal?.texts },
    hash: entry.hash,
  }
}

function isList(fact: JournalEntry['facts'][string]): fact is readonly string[] {
  return Array.isArray(fact)
}

/** @param now reading of `atLeast`, the clock that the line counts by */
function queue(broker: Broker, wall: number, now: number) {
  return broker.queue().map(({ position, waiting, command }) => ({
    position,
    product: waiting.product,
    ...(waiting.feature === undefined ? {} : { feature: waiting.feature }),
    seats: waiting.seats,
    user: {
      ...(command.who.account === undefined ? {} : { account: command.who.account }),
      ...(command.who.email === undefined ? {} : { email: command.who.email }),
      ...(command.who.displayName === undefined ? {} : { displayName: command.who.displayName }),
    },
    ...(command.who.host === undefined ? {} : { host: command.who.host }),
    since: new Date(wall - (now - waiting.since)).toISOString(),
    until: new Date(wall + (waiting.until - now)).toISOString(),
  }))
}

export function detailsOf(owners: Owners, id: string): LicenseDetailsView | undefined {
  const installed = owners.shelf.get(id)
  return installed && licenseDetails(installed, owners.viewContext())
}

function mustFind(owners: Owners, id: string): LicenseDetailsView {
  const found = detailsOf(owners, id)
  if (!found) throw new LeaseholdError('unknown_license', `License ${id} was removed a moment ago.`)
  return found
}

export async function requestActivation(
  owners: Owners,
  id: string,
): Promise<{ readonly kind: 'requested'; readonly request: string } | Refusal> {
  const requested = await owners.licenses.requestActivation(id)
  return requested.kind === 'refused'
    ? requested
    : { kind: 'requested', request: owners.desk.writeBlock(requested.text) }
}

export async function deactivate(
  owners: Owners,
  id: string,
  confirmOverlap: boolean,
): Promise<
  | { readonly kind: 'deactivated'; readonly receipt: string }
  | { readonly kind: 'deactivating'; readonly freeAt: string }
  | Refusal
> {
  const outcome = await owners.licenses.deactivate(id, confirmOverlap)
  if (outcome.kind === 'deactivated') return { kind: 'deactivated', receipt: owners.desk.writeBlock(outcome.receipt) }
  return outcome.kind === 'deactivating'
    ? { kind: 'deactivating', freeAt: new Date(outcome.freeAt).toISOString() }
    : outcome
}

export function productContext(owners: Owners): ProductViewContext {
  return { ...owners.viewContext(), waiting: (product) => owners.broker.waiting(product) }
}

/** With the peaks, which are kept since the start. */
/** Here, then at known managers. */
export function products(owners: Owners): ProductView[] {
  return [...productViews(productContext(owners)), ...owners.remoteOffers.products()]
}

export function licenseViews(owners: Owners): LicenseView[] {
  const own = owners.shelf.list().map((one) => licenseView(one, owners.viewContext()))
  return [...own, ...owners.remoteOffers.licenses()]
}

export function features(owners: Owners): FeatureView[] {
  const own = featureViews(productContext(owners))
  return [
    ...own.map((one) => ({ ...one, peak: owners.peaks.of(one.product, one.name) })),
    ...owners.remoteOffers.features(),
  ]
}

export function healthProblems(health: Health) {
  return health.list().map(({ code, severity, title, text, action }) => ({
    code,
    severity,
    title,
    text,
    ...(action === undefined ? {} : { action: { label: action.label, address: action.href } }),
  }))
}

function worstOf(health: Health) {
  const worst = health.worst()
  return worst === 'good' ? ('ok' as const) : worst
}

function isPage(section: string): section is ConfigurationPage {
  return (configurationPages as readonly string[]).includes(section)
}
