/**
 * Builds and connects what this agent has to do with others: the transport, the search for managers, and the seats that are
 * leased from them. Part of the composition root; only `agent.ts` and tests import it.
 */
import { connectDiscovery, type Discovery } from './agent-managers.ts'
import { type ConnectedPeers, connectPeers, type PeerSources } from './agent-peers.ts'
import type { Configuration } from './config/configuration.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Events } from './events.ts'
import type { RemoteSettings } from './lease-search.ts'
import { LeaseSeats } from './lease-seats.ts'
import { Leases } from './leases.ts'
import type { Lessor } from './lessor.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { LeaseOfferOptions } from './peers/lease-desk-offers.ts'
import { ManagerCalls } from './peers/manager-calls.ts'
import type { OutgoingProxy } from './peers/outgoing-proxy.ts'
import { PeerProber } from './peers/peer-prober.ts'
import type { Prober } from './peers/prober.ts'
import { systemNetwork } from './peers/system-network.ts'
import { ManagersAndSelf, type OwnSeats } from './reserve-own.ts'
import type { AgentName } from './session-view.ts'

export interface NetworkParts extends Omit<PeerSources, 'connect' | 'peers' | 'self'> {
  readonly self: () => AgentName
  readonly events: Events
  readonly lessor: Lessor
  readonly shelf: LicenseShelf
  readonly proxy: OutgoingProxy
  /** Seats of this agent's own licenses, kept in advance; asked for only after everything is built. */
  readonly own: () => OwnSeats
  /** 0 to 1. */
  readonly random: () => number
  /** Detachments that a manager has made for this agent, or made longer, as it says. */
  readonly onDetachments: (manager: string, ids: readonly string[]) => void
}

export interface ConnectedNetwork {
  readonly peers: ConnectedPeers
  readonly discovery: Discovery
  /** To be registered with the writer, after the licenses. */
  readonly leases: Leases
  /** Seats of other managers. */
  readonly remote: LeaseSeats
  /** What other managers offer now; nothing while this agent may not use them. */
  readonly relayed: LeaseOfferOptions['relayed']
  /** The first search after the start is done. */
  hasSearched(): boolean
  /** After the store is open and the port is known. */
  start(): void
  /** Before the store is closed. */
  stop(): Promise<void>
}

export function connectNetwork(parts: NetworkParts): ConnectedNetwork {
  const { configuration, clock, timers, lessor, log, identity, randomId, random, shelf, self, writer } = parts
  const trouble = (what: string, error: unknown): void => log.error(what, { error })
  const peers = connectPeers({
    ...parts,
    connect: parts.proxy.connectThrough,
    peers: () => discovery.directory.reached(),
  })
  const { book, client, reach } = peers
  const calls = new ManagerCalls({ calls: client, clock, timers, random, self: identity.id })
  const discovery = connectDiscovery({
    ...parts,
    prober: hearing(new PeerProber(client), parts.onDetachments),
    network: systemNetwork(timers),
    memory: book,
    linkTo: (peer) => calls.linkTo(peer),
    ownLicenses: () => shelf.list().map(({ license }) => license.payload.id),
    servedPort: () => {
      const { serving, addresses } = reach.state()
      return serving && addresses.length > 0 ? parts.port() : undefined
    },
    newId: randomId,
    onForgotten: (id) => client.forget(id),
  })
  const leases = new Leases({ lessor, writes: writer, clock, instance: identity.id })
  const remote = new LeaseSeats({
    leases,
    known: new ManagersAndSelf(discovery.directory, parts.own),
    writes: writer,
    clock,
    timers,
    self,
    settings: rememberSettings(configuration, () => lessor.isReady),
    randomId,
    random,
    onTrouble: trouble,
    onDetachment: (manager, id) => parts.onDetachments(manager, [id]),
  })
  configuration.onAnyChange(() => remote.look())
  const stops: (() => void)[] = []
  let hasSearched = false
  void discovery.directory.settled().then(() => {
    hasSearched = true
  })
  return {
    peers,
    discovery,
    leases,
    remote,
    hasSearched: () => hasSearched,
    relayed: function* () {
      if (!configuration.get('remote.allow')) return
      for (const agent of discovery.directory.agents)
        if (agent.condition.state === 'reachable') for (const offer of agent.offers) yield { manager: agent.id, offer }
    },
    start: () => {
      stops.push(reach.start(), book.start())
      discovery.directory.restore()
      discovery.start()
      remote.start()
    },
    stop: async () => {
      for (const stop of stops.splice(0)) stop()
      remote.stop()
      // Before the connections are closed, so that the goodbye goes out.
      await discovery.stop()
      calls.close()
      client.close()
      await book.flush().catch((error: unknown) => trouble('what is known of other agents could not be stored', error))
    },
  }
}

/** The same prober; what comes with offers is heard, too. */
function hearing(prober: PeerProber, onDetachments: NetworkParts['onDetachments']): Prober {
  return {
    probe: (...asked) => prober.probe(...asked),
    peers: (peer, options) => prober.peers(peer, options),
    offers: async (peer, options) => {
      const answer = await prober.offers(peer, options)
      const ready = answer.kind === 'answered' ? (answer.value.detachments ?? []) : []
      if (ready.length > 0) onDetachments(peer.id, ready)
      return answer
    },
  }
}

const mostProducts = 1_000

/** Asked for with every session, so each is looked up only once until the configuration is changed. */
function rememberSettings(configuration: Configuration, isLoaded: () => boolean): () => RemoteSettings {
  let known: RemoteSettings | undefined
  configuration.onAnyChange(() => {
    known = undefined
  })
  return () => {
    // While everything is read anew, settings that are not there yet must not be remembered as such.
    if (!isLoaded()) return readSettings(configuration)
    known ??= readSettings(configuration)
    return known
  }
}

function readSettings(configuration: Configuration): RemoteSettings {
  const products = new Map<ProductName, ReturnType<RemoteSettings['forProduct']>>()
  return {
    allowed: configuration.get('remote.allow'),
    lingerSeconds: configuration.get('cache.lingerSeconds'),
    forProduct(product) {
      const before = products.get(product)
      if (before !== undefined) return before
      const { mode, manager } = configuration.forProduct(product)
      if (products.size < mostProducts) products.set(product, { mode, manager })
      return { mode, manager }
    },
  }
}
