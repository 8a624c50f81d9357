/**
 * Connects the pages about the network to the owners. What an agent has no owner for is as of one that is alone: it knows
 * nobody, holds no leases, and nothing reaches it from outside.
 * Part of the composition root; only its other files import it.
 */
import os from 'node:os'
import type { Owners } from './agent-api.ts'
import { importConfiguration } from './agent-configuration.ts'
import { refuse } from './errors.ts'
import type { ManagersParts } from './http/api/managers.ts'
import type { KnownAgent, Listening, LogLine, NetworkPart, ServicePart } from './http/ui/network-parts.ts'
import type { Parts } from './http/ui/parts.ts'
import type { RootLog } from './log.ts'

/** The owners of the network, as far as there are any. */
export interface NetworkOwners {
  readonly log?: Partial<Pick<RootLog, 'last'>>
  readonly managers?: ManagersParts
  /** Where the administrator's word about other agents is kept. */
  readonly peers?: {
    deny(id: string): Promise<{ readonly kind: 'judged' } | ReturnType<typeof refuse>>
    trouble(id: string): KnownAgent['trouble']
    isRestored(): boolean
    confirmRestored(): Promise<void>
  }
  readonly leases?: Parts['leases']
  readonly access?: Parts['access']
  readonly network?: Pick<NetworkPart, 'reach' | 'certificate' | 'testProxy'>
  readonly listening?: Pick<ReturnType<ServicePart['view']>, 'listening' | 'others' | 'installed'>
}

type NetworkPages = Pick<
  Parts,
  'managers' | 'search' | 'leases' | 'serving' | 'service' | 'access' | 'network' | 'import'
>

/** More than are ever known. */
const mostManagers = 100_000

export function connectNetworkPages(owners: Owners, network: NetworkOwners): NetworkPages {
  const { configuration, serving } = owners
  const { managers, peers } = network
  return {
    managers: {
      list: () => {
        const { items = [] } = managers?.list({ limit: mostManagers }) ?? {}
        return items.map((agent) => ({ ...agent, trouble: peers?.trouble(agent.id) }))
      },
      judge: async (id, approval) => {
        if (approval === 'denied') return (await peers?.deny(id)) ?? unknownPeer(id)
        const outcome = await managers?.approve(id)
        if (outcome === undefined) return unknownPeer(id)
        return outcome.kind === 'refused' ? outcome : { kind: 'judged' }
      },
      forget: async (id) => (await managers?.forget(id)) ?? unknownPeer(id),
      test: async (address) =>
        (await managers?.test(address, AbortSignal.timeout(testTimeout))) ??
        refuse('invalid_request', 'This agent reaches no others.'),
      isRestored: () => peers?.isRestored() ?? false,
      confirmRestored: async () => {
        await peers?.confirmRestored()
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
      change: (order) => serving.change(order, 'administrator'),
    },
    service: {
      view: () => ({
        startedAt: owners.status().startedAt,
        process: process.pid,
        ...(network.listening ?? { listening: listenHere(owners.status().port), others: [] }),
      }),
      log: (limit) => (network.log?.last?.(limit) ?? []).map(readLine),
    },
    access: network.access ?? {
      recent: () => [],
      check: async () => ({ kind: 'checked', answer: {} }),
    },
    network: {
      reach: () => network.network?.reach() ?? [],
      adapters: listAdapters,
      certificate: () => network.network?.certificate(),
      testProxy: async (address) =>
        (await network.network?.testProxy(address)) ?? refuse('invalid_request', 'No proxy is set.'),
    },
    import: {
      read: (text, apply) => importConfiguration(configuration, text, { apply, by: 'administrator' }),
    },
  }
}

const testTimeout = 30_000

function unknownPeer(id: string) {
  return refuse('unknown_peer', `No agent ${id} is known here.`)
}

function listenHere(port: number): Listening[] {
  return ['127.0.0.1', '[::1]'].map((host) => ({ address: `${host}:${port}`, audiences: ['machine'] }))
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
