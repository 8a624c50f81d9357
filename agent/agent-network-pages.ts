/**
 * Connects the pages about the network to the owners. Part of the composition root; only its other files import it.
 */
import os from 'node:os'
import { clientViews, testProxy } from './agent-access.ts'
import type { Owners } from './agent-api.ts'
import { changeable, importConfiguration } from './agent-configuration.ts'
import type { ConnectedNetwork } from './agent-network.ts'
import type { KnownAgent, Listening, LogLine, NetworkPart, Reach } from './http/ui/network-parts.ts'
import type { Parts } from './http/ui/parts.ts'
import { LeaseViews } from './lease-view.ts'
import type { RootLog } from './log.ts'

export interface NetworkOwners {
  readonly log: Partial<Pick<RootLog, 'last'>>
  readonly network: ConnectedNetwork
}

type NetworkPages = Pick<
  Parts,
  'managers' | 'search' | 'leases' | 'serving' | 'service' | 'access' | 'network' | 'import'
>

/** More than are ever known. */
const mostManagers = 100_000
const testTimeout = 30_000
const by = 'administrator'

export function connectNetworkPages(owners: Owners, { network, log }: NetworkOwners): NetworkPages {
  const { configuration, serving, managers } = owners
  const { book } = network.peers
  return {
    managers: {
      list: () =>
        managers
          .list({ limit: mostManagers })
          .items.map((agent) => ({ ...agent, trouble: troubleOf(network, agent.id) })),
      judge: async (id, approval) => {
        const outcome = approval === 'denied' ? await book.deny(id, by) : await managers.approve(id)
        return outcome.kind === 'refused' ? outcome : { kind: 'judged' }
      },
      forget: (id) => managers.forget(id),
      test: (address) => managers.test(address, AbortSignal.timeout(testTimeout)),
      isRestored: () => book.self.is(),
      confirmRestored: () => book.self.confirm(by),
    },
    search: {
      isOff: () => !configuration.get('remote.allow'),
      last: () => managers.lastSearch(),
      start: () => managers.search(),
    },
    leases: connectLeases(owners, network),
    serving: {
      view: () => serving.view(),
      change: (order) => serving.change(order, by),
    },
    service: {
      view: () => ({
        startedAt: owners.status().startedAt,
        process: process.pid,
        listening: listening(owners, network),
        others: configuration.get('remote.broadcast') ? ['mDNS 5353/udp'] : [],
      }),
      log: (limit) => (log.last?.(limit) ?? []).map(readLine),
    },
    access: {
      recent: () => clientViews(owners.clients),
      check: (wish) => owners.ruleCheck.check({ ...wish, days: dryRunDays }, neverClosed),
    },
    network: {
      reach: () => reachOf(owners, network),
      adapters: listAdapters,
      certificate: () => certificateOf(network),
      testProxy: (address) => testProxy(owners.proxy, address, neverClosed),
    },
    import: {
      read: (text, apply, { channel }) =>
        importConfiguration(changeable(configuration, owners.checkChange, channel), text, { apply, by }),
    },
  }
}

const dryRunDays = 30
const neverClosed = () => new AbortController().signal

function troubleOf(network: ConnectedNetwork, id: string): KnownAgent['trouble'] {
  const peer = network.peers.book.get(id)
  return peer?.forked ? 'forked' : peer?.rolledBack ? 'rolled_back' : undefined
}

function connectLeases({ lessor, wall }: Owners, { leases, remote, discovery }: ConnectedNetwork): Parts['leases'] {
  const isReachable = (manager: string) => discovery.directory.find(manager)?.condition.state === 'reachable'
  return new LeaseViews({ leases, renewals: remote.renewals, lessor, isReachable, wall })
}

function listening({ status }: Owners, { peers }: ConnectedNetwork): Listening[] {
  const { remote, serving, addresses, proxy } = peers.reach.state()
  const audiences = [...(serving ? ['agents' as const] : []), ...(remote ? ['people' as const] : [])]
  return [
    ...['127.0.0.1', '[::1]'].map((host) => ({
      address: `${host}:${status().port}`,
      audiences: ['machine' as const, ...audiences],
    })),
    ...addresses.map((address) => ({ address, audiences })),
    ...(proxy === undefined ? [] : [{ address: proxy, audiences: ['proxy' as const] }]),
  ]
}

function reachOf({ configuration }: Owners, { peers }: ConnectedNetwork): Reach[] {
  const { remote, serving, addresses: places, proxy } = peers.reach.state()
  const access = configuration.get('serving.access')
  const isReached = places.length > 0
  return [
    ...(isReached && serving && access !== 'none' ? [{ who: access, places }] : []),
    ...(isReached && remote ? [{ who: 'people' as const, places }] : []),
    ...(proxy === undefined ? [] : [{ who: 'proxy' as const, places: [proxy] }]),
  ]
}

function certificateOf({ peers }: ConnectedNetwork): ReturnType<NetworkPart['certificate']> {
  const { current } = peers.certificates
  if (current === undefined) return undefined
  const { fingerprint, source, endsAt } = current
  return { fingerprint, source, endsAt: new Date(endsAt).toISOString() }
}

function listAdapters() {
  return Object.entries(os.networkInterfaces()).flatMap(([name, addresses = []]) => {
    const outer = addresses.filter(({ internal }) => !internal).map(({ address }) => address)
    return outer.length === 0 ? [] : [{ name, addresses: outer }]
  })
}

/** A line as the log wrote it. */
function readLine(line: string): LogLine {
  const { time, level, event, pid: _, ...facts } = JSON.parse(line) as Record<string, unknown>
  return {
    at: String(time),
    level: String(level),
    event: String(event),
    facts: Object.keys(facts).length === 0 ? '' : JSON.stringify(facts),
  }
}
