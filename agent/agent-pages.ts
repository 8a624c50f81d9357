/**
 * Connects the pages to the owners. Part of the composition root; only `agent.ts` imports it.
 */
import os from 'node:os'
import {
  deactivate,
  detailsOf,
  features,
  healthProblems,
  licenseViews,
  type Owners,
  products,
  requestActivation,
} from './agent-api.ts'
import { changeable, entryOf, fieldsOf, plain } from './agent-configuration.ts'
import { connectDetaching } from './agent-detach-pages.ts'
import { connectInsight } from './agent-insight.ts'
import { connectNetworkPages, type NetworkOwners } from './agent-network-pages.ts'
import { recountProduct } from './agent-recount.ts'
import { connectSitePages } from './agent-sites.ts'
import { configurationPages } from './config/setting.ts'
import { shortGroups } from './domain/documents/keys.ts'
import type { CookieAccess } from './http/access.ts'
import type { List, Session } from './http/api/shapes.ts'
import type { Asker, PageGuard, Parts } from './http/ui/parts.ts'
import { type SessionSelection, selectSessions } from './http/ui/session-selection.ts'
import { licenseView } from './license-view.ts'
import type { Administrator } from './people/administrator.ts'
import { addSample } from './sample.ts'
import { disconnectComputer, disconnectSession } from './session-end.ts'
import type { SessionList } from './session-list.ts'

/** Machines with their users that the pages look through at most. */
const mostComputers = 100_000

export function connectPages(
  owners: Owners,
  administrator: Administrator,
  access: CookieAccess,
  describe: Parts['interface']['describe'],
  network: NetworkOwners,
): Parts {
  const { licenses, shelf, desk, sessions, configuration, health } = owners
  return {
    now: owners.wall,
    frame: () => ({
      machineName: owners.self().name,
      version: owners.version,
      language: configuration.get('ui.language') === 'auto' ? undefined : configuration.get('ui.language'),
      rowsPerPage: configuration.get('ui.rowsPerPage'),
      refreshSeconds: configuration.get('ui.refreshSeconds'),
      hostNames: [os.hostname(), owners.self().name, 'localhost'].map((name) => name.toLowerCase()),
    }),
    health: { problems: () => healthProblems(health) },
    ...connectInsight(owners),
    detaching: connectDetaching(owners),
    products: {
      list: () => products(owners),
      mode: (id) => {
        const { mode, manager } = configuration.forProduct(id)
        return { mode, manager }
      },
      recount: (id) => recountProduct(owners, id),
    },
    features: { list: () => features(owners) },
    ...connectSitePages(owners.kept),
    computers: {
      list: () => sessions.computers({ limit: mostComputers }).items,
      endsBy: (id) => lastEnd(owners, id),
      overlapOf: (id) => overlapOf(owners, id),
      disconnect: async (id, order) => {
        const outcome = await disconnectComputer(owners, id, { ...order, by: 'administrator' })
        return outcome.kind === 'refused' ? outcome : { kind: 'disconnected', ...outcome.outcome }
      },
    },
    ...connectNetworkPages(owners, network),
    documents: { process: (text, order) => desk.process(text, order) },
    licenses: {
      list: () => licenseViews(owners),
      get: (id) => detailsOf(owners, id),
      add: async ({ text, trust }) => {
        const added = await desk.addLicenses(text, trust)
        if (added.kind === 'refused') return added
        const found = added.ids.flatMap((id) => shelf.get(id) ?? [])
        return { kind: 'added', licenses: found.map((one) => licenseView(one, owners.viewContext())) }
      },
      requestActivation: async (id) => {
        const outcome = await requestActivation(owners, id)
        if (outcome.kind === 'refused') return outcome
        return { kind: 'made', request: outcome.request, fingerprint: shortGroups(owners.self().id) }
      },
      activate: (id, text) => desk.activate(id, text),
      deactivate: (id, confirmOverlap) => deactivate(owners, id, confirmOverlap),
      remove: (id) => licenses.remove(id),
    },
    sessions: {
      list: (selection) => listSessions(sessions, selection),
      get: (id) => sessions.get(id),
      overlapOf: (id) => {
        const session = sessions.get(id)
        return session && { seats: session.seats, until: session.freeAt ?? session.expiresAt }
      },
      disconnect: async (id, order) => {
        const outcome = await disconnectSession(owners, id, { ...order, by: 'administrator' })
        return outcome.kind === 'refused' ? outcome : { kind: 'disconnected', ...outcome.outcome }
      },
    },
    configuration: {
      describe: (section) => {
        const page = configurationPages.find((one) => one === section)
        return page === undefined ? [] : configuration.describe(page).map(entryOf)
      },
      change: async (patch, { channel }) => {
        const settings = changeable(configuration, owners.checkChange, channel)
        const outcome = await settings.change(patch, 'administrator')
        if (outcome.kind === 'refused') return fieldsOf(outcome)
        const changes = outcome.changes.map(({ name, from, to }) => ({ name, before: plain(from), after: plain(to) }))
        return { kind: 'changed', changes }
      },
    },
    administrator: connectAdministrator(administrator, access, () => configuration.get('detach.needsAdministrator')),
    interface: { describe },
    sample: {
      install: async () => {
        const added = await addSample(owners)
        return added.kind === 'refused' ? added : { kind: 'installed' }
      },
    },
  }
}

/** When the last seat of a computer is free, if it is never heard of again. */
function lastEnd({ lessor, sessions, atLeast, wall }: Owners, id: string): string | undefined {
  const grants = sessions.grantsOf(id)
  if (grants.length === 0) return undefined
  const now = atLeast()
  const ends = grants.map((grant) => (lessor.promiseOf(grant.id)?.freeAt ?? now) - now)
  return new Date(wall() + Math.max(0, ...ends)).toISOString()
}

/** Undefined where a license forbids it. */
function overlapOf(owners: Owners, id: string): { readonly seats: number; readonly until: string } | undefined {
  const grants = owners.sessions.grantsOf(id)
  const { view } = owners.lessor
  const isForbidden = grants.some(({ parts }) => parts.some(({ supply }) => view.supply(supply)?.overlap !== true))
  const until = lastEnd(owners, id)
  if (isForbidden || until === undefined) return undefined
  return { seats: grants.reduce((sum, { seats }) => sum + seats, 0), until }
}

/** The usual page, newest first, is found without building what every other session looks like. */
function listSessions(sessions: SessionList, selection: SessionSelection): List<Session> {
  const { search, state, license, product, hosts, sort, descending, offset, limit } = selection
  const isUsual = search === '' && license === undefined && product === undefined && hosts === undefined
  if (!isUsual || sort !== 'since' || !descending) return selectSessions(sessions.all(), selection)
  const { items, total } = sessions.list({ limit: offset + limit, state })
  return { items: items.slice(offset), total }
}

function connectAdministrator(
  administrator: Administrator,
  access: CookieAccess,
  detachAsks: () => boolean,
): Parts['administrator'] {
  const signedIn = ({ cookies }: Asker): boolean => {
    const token = access.readToken(cookies)
    return token !== undefined && administrator.isSignedIn(token)
  }
  const asks = (guard: PageGuard): boolean => {
    if (guard === 'open') return false
    const isRead = guard === 'see' || (guard === 'take' && !detachAsks())
    return access.asks(isRead ? 'read' : 'change')
  }
  return {
    protected: () => administrator.hasPassword(),
    signedIn,
    may: (guard, asker) => !asks(guard) || signedIn(asker),
    signIn: async (password, asker) => {
      const outcome = await administrator.signIn(password, asker.address, access.readToken(asker.cookies))
      return outcome.kind === 'refused'
        ? outcome
        : { kind: 'signed_in', cookie: access.writeCookie(outcome.token, asker.channel) }
    },
    signOut: async ({ cookies, channel }) => {
      const token = access.readToken(cookies)
      if (token !== undefined) await administrator.signOut(token)
      return access.writeCookie(undefined, channel)
    },
    changePassword: async (change, asker) => {
      const outcome = await administrator.changePassword({ ...change, reset: false }, asker.address)
      return outcome.kind === 'refused'
        ? outcome
        : { kind: 'changed', cookie: access.writeCookie(outcome.token, asker.channel) }
    },
  }
}
