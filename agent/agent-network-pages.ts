/**
 * Connects the pages about the network to the owners. What an agent has no owner for is as of one that is alone: it knows
 * nobody, holds no leases, and nothing reaches it from outside.
 * Part of the composition root; only its other files import it.
 */
import os from 'node:os'
import type { Owners } from './agent-api.ts'
import { importConfiguration } from './agent-configuration.ts'
import type { ConnectedPeers } from './agent-peers.ts'
import { refuse } from './errors.ts'
import { type ConfigurationParts, patchOf } from './http/api/configuration.ts'
import type { ManagersParts } from './http/api/managers.ts'
import type { ReachState } from './http/reach.ts'
import type { KnownAgent, Listening, LogLine, NetworkPart, Reach } from './http/ui/network-parts.ts'
import type { Parts } from './http/ui/parts.ts'
import type { RootLog } from './log.ts'

/** The owners of the network, as far as there are any. */
export interface NetworkOwners {
  /** What a change of settings asks of where it comes from. */
  readonly checkChange?: ConfigurationParts['check']
  readonly log?: Partial<Pick<RootLog, 'last'>>
  readonly managers?: ManagersParts
  /** What other machines reach, and what is remembered of them. */
  readonly peers?: Pick<ConnectedPeers, 'book' | 'reach' | 'certificates'>
  readonly leases?: Parts['leases']
  readonly access?: Parts['access']
  readonly testProxy?: NetworkPart['testProxy']
  /** Whether the system started the agent, where that is known. */
  readonly isInstalled?: boolean
}

type NetworkPages = Pick<
  Parts,
  'managers' | 'search' | 'leases' | 'serving' | 'service' | 'access' | 'network' | 'import'
>

const by = 'administrator'
/** More than are ever known. */
const mostManagers = 100_000

export function connectNetworkPages(owners: Owners, network: NetworkOwners): NetworkPages {
  const { configuration, serving } = owners
  const { managers, peers } = network
  return {
    managers: {
      list: () => {
        const { items = [] } = managers?.list({ limit: mostManagers }) ?? {}
        return items.map((agent) => ({ ...agent, trouble: troubleOf(peers, agent.id) }))
      },
      judge: async (id, approval) => {
        if (approval === 'denied') {
          const met = (await peers?.book.deny(id, by)) ?? unknownPeer(id)
          return met.kind === 'refused' ? met : { kind: 'judged' }
        }
        const outcome = await managers?.approve(id)
        if (outcome === undefined) return unknownPeer(id)
        return outcome.kind === 'refused' ? outcome : { kind: 'judged' }
      },
      forget: async (id) => (await managers?.forget(id)) ?? unknownPeer(id),
      test: async (address) =>
        (await managers?.test(address, AbortSignal.timeout(testTimeout))) ??
        refuse('invalid_request', 'This agent reaches no others.'),
      isRestored: () => peers?.book.self.is() ?? false,
      confirmRestored: async () => {
        await peers?.book.self.confirm(by)
      },
    },
    search: {
      isOff: () => managers === undefined || !configuration.get('remote.allow'),
      last: () => managers?.lastSearch(),
      start: () => managers?.search(),
    },
    leases: network.leases ?? { inUse: () => [], behind: () => undefined },
    serving: {
      view: () => serving.view(),
      change: (order) => serving.change(order, by),
    },
    service: {
      view: () => ({
        startedAt: owners.status().startedAt,
        process: process.pid,
        installed: network.isInstalled,
        listening: listListening(owners.status().port, peers?.reach.state()),
        others: configuration.get('remote.broadcast') && configuration.get('remote.allow') ? ['mDNS 5353/udp'] : [],
      }),
      log: (limit) => (network.log?.last?.(limit) ?? []).map(readLine),
    },
    access: network.access ?? {
      recent: () => [],
      check: async () => ({ kind: 'checked', answer: {} }),
    },
    network: {
      reach: () => listReach(peers?.reach.state(), configuration.get('serving.access')),
      adapters: listAdapters,
      certificate: () => {
        const current = peers?.certificates.current
        if (current === undefined) return undefined
        const { fingerprint, source, endsAt } = current
        return { fingerprint, source, endsAt: new Date(endsAt).toISOString() }
      },
      testProxy: async (address) =>
        (await network.testProxy?.(address)) ?? refuse('invalid_request', 'No proxy is set.'),
    },
    import: {
      read: async (text, apply, { channel }) => {
        const planned = await importConfiguration(configuration, text, { apply: false, by })
        if (planned.kind === 'refused' || !apply) return planned
        const refused = await network.checkChange?.(patchOf(planned.imported), channel)
        return refused ?? (await importConfiguration(configuration, text, { apply: true, by }))
      },
    },
  }
}

const testTimeout = 30_000

function unknownPeer(id: string) {
  return refuse('unknown_peer', `No agent ${id} is known here.`)
}

function troubleOf(peers: NetworkOwners['peers'], id: string): KnownAgent['trouble'] {
  const peer = peers?.book.get(id)
  if (peer?.forked !== undefined) return 'forked'
  return peer?.rolledBack === undefined ? undefined : 'rolled_back'
}

function listListening(port: number, reach: ReachState | undefined): Listening[] {
  const here: Listening[] = ['127.0.0.1', '[::1]'].map((host) => ({
    address: `${host}:${port}`,
    audiences: ['machine'],
  }))
  if (reach === undefined) return here
  const audiences = [...(reach.serving ? (['agents'] as const) : []), ...(reach.remote ? (['people'] as const) : [])]
  const outer = reach.addresses.map((address) => ({ address, audiences }))
  const proxy: Listening[] = reach.proxy === undefined ? [] : [{ address: reach.proxy, audiences: ['proxy'] }]
  return [...here, ...outer, ...proxy]
}

function listReach(state: ReachState | undefined, access: 'none' | 'approved' | 'rules'): Reach[] {
  if (state === undefined) return []
  const { addresses: places, serving, remote, proxy } = state
  const isReached = places.length > 0
  return [
    ...(isReached && serving && access !== 'none' ? [{ who: access, places }] : []),
    ...(isReached && remote ? [{ who: 'people' as const, places }] : []),
    ...(proxy === undefined ? [] : [{ who: 'proxy' as const, places: [proxy] }]),
  ]
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
