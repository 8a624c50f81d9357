/**
 * Builds and connects what finds other agents: directory, finders, search, connection test, and their part of the API.
 * Part of the composition root; only `agent.ts` and tests import it.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { parseSearchParameter, parseSearchParameters, type SearchParameter } from './config/search-parameters.ts'
import { refuse } from './errors.ts'
import type { Events } from './events.ts'
import type { Health } from './health.ts'
import type { Manager } from './http/api/manager-shapes.ts'
import type { ManagersParts } from './http/api/managers.ts'
import { paged } from './paging.ts'
import { ConnectionTest } from './peers/connection-test.ts'
import { Directory } from './peers/directory.ts'
import { BroadcastFinder } from './peers/finders/broadcast.ts'
import { ConfiguredFinder } from './peers/finders/configured.ts'
import { GossipFinder } from './peers/finders/gossip.ts'
import { loadMulticast, type OpenMulticast } from './peers/finders/multicast.ts'
import { SweepFinder } from './peers/finders/sweep.ts'
import type { ManagerLink } from './peers/manager-link.ts'
import { type ManagerView, managerView, managerViews } from './peers/manager-view.ts'
import type { OutgoingProxy } from './peers/outgoing-proxy.ts'
import type { PeerMemory } from './peers/peer-memory.ts'
import type { KnownPeer, Network, Prober } from './peers/prober.ts'
import { Probes } from './peers/probes.ts'
import { Search } from './peers/search.ts'

export interface DiscoveryParts {
  readonly self: () => { readonly id: string; readonly name: string }
  readonly prober: Prober
  readonly network: Network
  readonly memory: PeerMemory
  readonly linkTo: (peer: KnownPeer) => ManagerLink
  readonly clock: Clock
  readonly timers: Timers
  readonly configuration: Configuration
  readonly health: Health
  readonly events: Events
  readonly ownLicenses: () => Iterable<string>
  /** The port where other agents reach this one; undefined while they can not. */
  readonly servedPort: () => number | undefined
  readonly newId: () => string
  /** An agent is forgotten: what is open to it is closed. */
  readonly onForgotten: (id: string) => void
  readonly proxy?: OutgoingProxy
  readonly loadMulticast?: () => Promise<OpenMulticast>
}

export interface Discovery {
  readonly directory: Directory
  readonly search: Search
  readonly api: ManagersParts
  start(): void
  /** Says goodbye to the network. */
  stop(): Promise<void>
}

const by = 'administrator'
/** ms after which it is noticed that this agent is reached from elsewhere, or no more. */
const announceEvery = 5000

export function connectDiscovery(parts: DiscoveryParts): Discovery {
  const { prober, network, memory, clock, timers, configuration, health, events } = parts
  const self = parts.self().id
  const isAllowed = () => configuration.get('remote.allow')
  const aggressive = () => configuration.get('remote.aggressive')
  const parameters = () => searchParameters(configuration)
  const probes = new Probes({ prober, timers })
  const directory = new Directory({
    ...parts,
    probes,
    isAllowed,
    managerOf: (product) => {
      const parsed = parseSearchParameter(configuration.forProduct(product).manager)
      return parsed.kind === 'place' ? parsed : undefined
    },
    onAgent: (id) => events.publish('manager.changed', { id }),
  })
  const gossip = new GossipFinder({
    prober,
    clock,
    aggressive,
    sources: function* () {
      for (const agent of directory.agents)
        if (agent.condition.state === 'reachable' || agent.condition.state === 'refusing')
          yield { peer: agent, hops: agent.hops }
    },
    isKnown: (id) => id === self || directory.find(id)?.condition.state === 'reachable',
  })
  const broadcast = new BroadcastFinder({
    load: parts.loadMulticast ?? loadMulticast,
    adapters: () => network.adapters(),
    timers,
    health,
    self,
    isOn: () => configuration.get('remote.broadcast'),
  })
  const search = new Search({
    directory,
    finders: [
      new ConfiguredFinder(parameters),
      broadcast,
      gossip,
      new SweepFinder({ network, parameters, aggressive }),
    ],
    gossip,
    probes,
    clock,
    timers,
    self,
    newId: parts.newId,
    isAllowed,
    onStep: (id, step) => events.publish('search.step', { search: id, ...step }),
    onState: (state) => events.publish('search.changed', state),
  })
  configuration.onAnyChange((names) => {
    if (names.some((name) => name.startsWith('remote.') || /^products\..+\.manager$/.test(name))) search.submit()
  })
  const test = new ConnectionTest({ ...parts, now: () => clock.atLeast(), self })
  const stops: Cancel[] = []
  const view = (id: string) => managerView({ directory, memory }, id)

  return {
    directory,
    search,
    start: () => {
      search.start()
      const announce = () => void broadcast.announce(parts.servedPort())
      stops.push(timers.every(announceEvery, announce), configuration.onAnyChange(announce))
      announce()
    },
    stop: async () => {
      for (const stop of stops.splice(0)) stop()
      search.stop()
      await broadcast.stop()
    },
    api: {
      list: ({ state, product, ...page }) =>
        paged(
          managerViews({ directory, memory })
            .filter((one) => state === undefined || one.state === state)
            .filter(({ offers }) => product === undefined || offers.some((offer) => offer.product === product))
            .map(managerOf),
          page,
        ),
      approve: async (id) => {
        const outcome = await memory.approve(id, by)
        if (outcome.kind === 'refused') return outcome
        events.publish('manager.changed', { id })
        const found = view(id)
        return found === undefined
          ? refuse('unknown_peer', `No agent ${id} is known here.`)
          : { kind: 'approved', manager: managerOf(found) }
      },
      forget: async (id) => {
        const wasListed = directory.forget(id)
        const outcome = await memory.forget(id, by)
        parts.onForgotten(id)
        return wasListed || outcome.kind === 'forgotten' ? { kind: 'forgotten' } : outcome
      },
      test: async (address, closed) => {
        const report = await test.run(address, closed)
        if (report.kind === 'refused') return report
        return { ...report, steps: [...report.steps] }
      },
      search: () => searchOf(search.search()),
      lastSearch: () => {
        const last = search.view()
        return last && searchOf(last)
      },
    },
  }
}

/** What is typed as search parameters, and the managers that products have to come from. */
function searchParameters(configuration: Configuration): readonly SearchParameter[] {
  const parsed = parseSearchParameters(configuration.get('remote.search'))
  const typed = parsed.kind === 'good' ? parsed.parameters : []
  const ofProducts = configuration.describe('remote-managers').flatMap(({ name, value }) => {
    if (!/^products\..+\.manager$/.test(name) || typeof value !== 'string') return []
    const parameter = parseSearchParameter(value)
    return parameter.kind === 'place' ? [parameter] : []
  })
  return [...typed, ...ofProducts]
}

/** The same with lists that the interface's shapes can have. */
function managerOf(view: ManagerView): Manager {
  return {
    ...view,
    addresses: view.addresses.map((one) => ({ ...one, foundBy: [...one.foundBy] })),
    foundBy: [...view.foundBy],
    offers: view.offers.map((offer) => ({
      ...offer,
      features: [...offer.features],
      licenses: [...offer.licenses],
      over: [...offer.over],
    })),
    actions: [...view.actions],
  }
}

function searchOf(view: NonNullable<ReturnType<Search['view']>>) {
  return { ...view, steps: [...view.steps], notes: [...view.notes] }
}
