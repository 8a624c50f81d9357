/**
 * Connects what other machines reach, and how this agent reaches others: certificate, signatures, the peers it knows, the port
 * beyond loopback. Part of the composition root; only `agent.ts` imports it.
 */
import os from 'node:os'
import type { Clock, Timers } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import type { Health } from './health.ts'
import type { AppParts } from './http/app.ts'
import type { Listener } from './http/listener.ts'
import { helloRoutes } from './http/peer-api/hello.ts'
import { peersRoutes } from './http/peer-api/peers.ts'
import { Reach } from './http/reach.ts'
import { createRedirect } from './http/redirect.ts'
import type { Route } from './http/route.ts'
import type { ListenerParts } from './http/servers.ts'
import type { Identity } from './identity.ts'
import type { Log } from './log.ts'
import type { Paths } from './paths.ts'
import { Certificates } from './peers/certificate.ts'
import { Introduction } from './peers/introduction.ts'
import { PeerBook } from './peers/peer-book.ts'
import { PeerClient } from './peers/peer-client.ts'
import { type Connect, connectDirectly } from './peers/peer-connection.ts'
import { PeerDoor } from './peers/peer-door.ts'
import type { Peers } from './peers/wire.ts'
import type { Administrator } from './people/administrator.ts'
import type { Writer } from './writer.ts'

export interface PeerSources {
  readonly identity: Identity
  readonly paths: Paths
  readonly version: string
  readonly self: () => { readonly name: string }
  readonly writer: Writer
  readonly configuration: Configuration
  readonly administrator: Administrator
  readonly health: Health
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
  readonly randomId: () => string
  /** 0 while the agent does not listen. */
  readonly port: () => number
  readonly listener: () => Listener
  /** Straight, where nothing else is said. */
  readonly connect?: Connect
  /** Agents that others are told of. */
  readonly peers?: () => Peers['peers']
  /** What is remembered of an agent has changed, or it is forgotten. */
  readonly onPeer?: (id: string) => void
  /** What a manager does for other agents. */
  readonly routes?: readonly Route[]
}

export interface ConnectedPeers {
  readonly book: PeerBook
  readonly client: PeerClient
  readonly certificates: Certificates
  readonly reach: Reach
  readonly app: Required<Pick<AppParts, 'peers' | 'outside'>>
  readonly listening: Required<Pick<ListenerParts, 'certificate' | 'redirect'>>
}

export function connectPeers(sources: PeerSources): ConnectedPeers {
  const { identity, paths, configuration, administrator, health, clock, timers, writer, log, randomId } = sources
  const trouble = (error: unknown) => log.error('other agents are not served as they should be', { error })
  const book = new PeerBook({
    writes: writer,
    clock,
    timers,
    asksForApproval: () => configuration.get('serving.access') === 'approved',
    health,
    onTrouble: trouble,
    ...(sources.onPeer === undefined ? {} : { onChange: sources.onPeer }),
  })
  const certificates = new Certificates({
    clock,
    files: { certificate: paths.tlsCertificate, key: paths.tlsKey },
    named: () => ({
      certificate: configuration.get('network.tls.certificate'),
      key: configuration.get('network.tls.key'),
    }),
    names: () => reach.names(),
    onTrouble: (reason) => {
      if (reason === undefined) health.clear('certificate_unusable')
      else health.set('certificate_unusable', { reason })
    },
    onChange: (certificate) => sources.listener().useCertificate(certificate),
  })
  const reach = new Reach({
    listener: { follow: (wanted) => sources.listener().follow(wanted) },
    configuration,
    administrator,
    certificates,
    adapters: os.networkInterfaces,
    hostName: os.hostname(),
    agentId: identity.id,
    port: sources.port,
    timers,
    health,
    writes: writer,
    onTrouble: trouble,
  })
  const common = {
    agent: identity.signingKey,
    name: () => sources.self().name,
    startId: identity.startId,
    startCounter: () => writer.startCounter,
    clock,
    timers,
    randomId,
    book,
  }
  const introduction = new Introduction({ ...common, version: sources.version, certificates })
  const door = new PeerDoor({ ...common, revision: () => writer.revision })
  const routes = [
    ...helloRoutes(introduction),
    ...peersRoutes({ peers: sources.peers ?? (() => listPeers(book)) }),
    ...(sources.routes ?? []),
  ]
  return {
    book,
    certificates,
    reach,
    client: new PeerClient({ ...common, connect: sources.connect ?? connectDirectly }),
    app: { peers: { routes, door }, outside: () => reach.outside() },
    listening: {
      certificate: () => certificates.get(),
      redirect: createRedirect(() => reach.outside().names),
    },
  }
}

const mostTold = 1000

function listPeers(book: PeerBook): Peers['peers'] {
  return book
    .list()
    .filter(({ addresses, approval }) => addresses.length > 0 && approval !== 'denied')
    .slice(0, mostTold)
    .map(({ id, name, addresses }) => ({ agent: id, name, addresses: [...addresses] }))
}
