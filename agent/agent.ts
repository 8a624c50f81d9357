/**
 * The composition root: builds every part, connects them, starts and stops them in order. Depends on everything, so only
 * `main.ts` and tests import it.
 */
import { randomBytes } from 'node:crypto'
import os from 'node:os'
import { subjectOf } from './access-rules.ts'
import { buildAccess } from './agent-access.ts'
import { connectApi, type Owners } from './agent-api.ts'
import { connectDesk } from './agent-desk.ts'
import { connectDetach } from './agent-detach.ts'
import { watchHealth } from './agent-health.ts'
import { connectHistory } from './agent-history.ts'
import { connectNetwork } from './agent-network.ts'
import type { Agent, AgentOptions } from './agent-options.ts'
import { connectPages } from './agent-pages.ts'
import { publishSeats } from './agent-seats.ts'
import { connectSites } from './agent-sites.ts'
import { keepUp } from './agent-upkeep.ts'
import { Broker, type BrokerOptions } from './broker.ts'
import { Configuration } from './config/configuration.ts'
import { DateFloor } from './date-floor.ts'
import { DocumentDesk } from './document-desk.ts'
import type { ProductName } from './domain/product-name.ts'
import { Events } from './events.ts'
import { Health } from './health.ts'
import { CookieAccess } from './http/access.ts'
import { EventStreams } from './http/api/events.ts'
import { createRequestListener } from './http/app.ts'
import { Listener } from './http/listener.ts'
import { createPageServer } from './http/page-server.ts'
import { buildInterface } from './http/routes.ts'
import { renewCliKey } from './identity.ts'
import { Journal } from './journal.ts'
import { Lessor, type SeatEvent } from './lessor.ts'
import { LicenseShelf } from './license-shelf.ts'
import { Licenses } from './licenses.ts'
import { packagePaths } from './paths.ts'
import { Peaks } from './peaks.ts'
import { Administrator } from './people/administrator.ts'
import { ScryptPasswords } from './people/password.ts'
import { ProcessWatch, watchedIn } from './process-watch.ts'
import { Proofs } from './proofs.ts'
import { createRandomTexts, randomShare } from './random-texts.ts'
import { Refusals } from './refusals.ts'
import { remembered } from './remembered.ts'
import { RemoteOffers } from './remote-offers.ts'
import { OwnSeats } from './reserve-own.ts'
import { removeRunning, writeRunning } from './running-file.ts'
import { SeatFinder } from './seat-finder.ts'
import { Serving, type ServingState } from './serving.ts'
import { SessionKeys } from './session-keys.ts'
import { SessionList } from './session-list.ts'
import { whoOf } from './session-request.ts'
import { Signatures } from './signatures.ts'
import { VendorTrust } from './vendor-trust.ts'
import { readVersion } from './version.ts'
import { Writer } from './writer.ts'

const minute = 60_000
/** ms that running requests get to end when the agent stops. */
const stopGrace = 3_000

export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { paths, identity, store, clock, timers, log, processes } = options
  const pause = () => new Promise<void>((resolve) => void timers.after(0, resolve))
  const randomId = createRandomTexts(16)
  const version = readVersion()
  const health = new Health(clock)
  const events = new Events(identity.startId)
  const writer = new Writer({
    store,
    ballast: options.ballast,
    clock,
    timers,
    instance: identity.id,
    salt: createRandomTexts(9),
    onState: (state) => {
      if (state.kind === 'recovering') log.error('the store can not be written', { error: state.cause })
      health$.noteStore(state)
    },
  })
  const trouble = (what: string) => (error: unknown) => log.error(what, { error })
  const configuration = new Configuration({
    fixed: options.fixed,
    writes: writer,
    onTrouble: (what, facts) => log.warn(what, facts),
  })
  // Asked for with every request, so they are looked up only when the configuration was changed.
  const self = remembered(() => ({ id: identity.id, name: configuration.get('agent.name') || os.hostname() }))
  const sessionSettings = remembered(() => ({
    idleLimit: configuration.get('session.idleMinutes') * minute,
    privacy: configuration.get('privacy.holders'),
  }))
  const idleLimit = (): number => sessionSettings().idleLimit
  // What most parts are built from.
  const base = {
    identity,
    paths,
    version,
    self,
    configuration,
    health,
    events,
    clock,
    timers,
    log,
    randomId,
    writer,
    writes: writer,
  }
  const floor = new DateFloor({
    clock,
    timers,
    writes: writer,
    health,
    onTrouble: trouble('the date could not be stored'),
  })
  const lessor = new Lessor({ writes: writer, clock, timers, idleLimit, onEvent: (event) => noteSeats(event) })
  const vendors = new VendorTrust()
  const hardware = () => options.hardware
  const shelf = new LicenseShelf({
    lessor,
    clock,
    dates: (signers) => floor.dates(signers),
    instance: identity.id,
    hardware,
    onChange: (id) => {
      events.publish('license.changed', { id })
      health$.look()
    },
  })
  const agent = identity.signingKey
  const licenses = new Licenses({
    ...base,
    shelf,
    vendors,
    agent,
    hardware,
    hearTime: (signer, time) => floor.hear(signer, time, false),
  })
  const journal = new Journal(store, () => writer.head)
  const allowing = buildAccess({ configuration, writer, journal, clock, timers, pause, self })
  const administrator = new Administrator({
    writes: writer,
    clock,
    passwords: new ScryptPasswords(),
    random: randomBytes,
  })
  const network = connectNetwork({
    ...base,
    administrator,
    lessor,
    shelf,
    proxy: allowing.proxy,
    random: randomShare,
    port: () => port,
    listener: () => listener,
    onDetachments: (manager, ids) => detach.contact.noteReady(manager, ids),
    onPeer: () => desk.desk.notePolicy(),
    own: () => own,
  })
  const { peers, remote } = network
  const signatures = new Signatures(agent.privateKey)
  const proofs = new Proofs({
    ...base,
    shelf,
    lessor,
    agent,
    sign: (text) => signatures.sign(text),
    linksOf: (supply) => network.leases.linksOf(supply) ?? detach.holding.linksOf(supply),
    keyOf: (id) => peers.book.get(id)?.key.jwk,
  })
  const finder = new SeatFinder({
    ...base,
    lessor,
    remote,
    onLine: (product, waiting) => {
      events.publish('queue.changed', { product, waiting })
      desk.desk.noteLine(product)
    },
  })
  const serving = new Serving({
    ...base,
    lessor,
    handingOut: () => configuration.get('serving.handingOut'),
    setHandingOut: (on, by) => configuration.change({ 'serving.handingOut': on }, by),
    onChange: (state) => {
      events.publish('serving.changed', { state })
      // Who waits gets nothing from here any more.
      if (state !== 'open') finder.stop()
      desk.desk.notePolicy()
    },
    onTrouble: trouble('a seat could not be told that serving has stopped'),
  })
  // A copy of an earlier state gives out nothing new until an administrator confirms it (R24).
  const servingState = (): ServingState => (peers.book.self.is() ? 'handing_out_disabled' : serving.state())
  const rules: BrokerOptions['rules'] = ({ who, ...wanted }) =>
    allowing.rules.user(subjectOf(who, wanted, { machine: self().name, agent: identity.id }))
  const own = new OwnSeats({
    ...base,
    lessor,
    serving: servingState,
  })
  const kept = connectSites({
    ...base,
    lessor,
    remote,
    own,
    rules,
    isInDoubt: (session) => finder.isInDoubt(session),
    onChange: (kind, id) => events.publish(`${kind}.changed`, { id }),
  })
  const broker = new Broker({
    ...base,
    lessor,
    finder,
    keys: new SessionKeys((label) => identity.deriveKey(label)),
    prover: proofs,
    processes,
    settings: sessionSettings,
    agentName: (id) => peers.book.get(id)?.name,
    remote,
    rules,
    serving: servingState,
    detachable: (product) => detach.offered.figures(product).detachable,
    onRefused: (request, product, refusal) => {
      refusals.note({ ...request, product, who: whoOf(request) }, refusal)
      if (refusal.code === 'no_seats') desk.desk.noteWanted(product as ProductName)
    },
  })
  const refusals = new Refusals({
    journal,
    wall: () => clock.wall(),
    onChange: (product) => events.publish('session.refused', { product }),
  })
  const peaks = new Peaks()
  const history = connectHistory({ journal, writer, lessor, clock, timers, pause, agent: identity.id })
  const health$ = watchHealth({ health, shelf, administrator, configuration, folder: paths.data, paths })
  const watch = new ProcessWatch({
    table: processes,
    timers,
    boot: () => clock.boot().id,
    sessions: () => watchedIn(lessor.view.grants()),
    gone: (id) => void lessor.end(id, 'process_gone').catch(trouble('a seat could not be taken back')),
  })

  function noteSeats(event: SeatEvent): void {
    broker.noteSeats(event)
    serving.noteSeats(event)
    desk.desk.noteSeats(event)
    kept.noteSeats(event)
    publishSeats(event, { events, peaks, lessor })
  }

  const desk = connectDesk({
    ...base,
    lessor,
    finder,
    broker,
    proofs,
    shelf,
    refusals,
    serving,
    book: peers.book,
    rules: allowing.rules,
    remote,
    relayed: network.relayed,
    detaching: () => detach.offered,
    onAsked: ({ id, name, address }, { product, who }, outcome) =>
      allowing.clients.note({ agent: { id, name }, address, ...who, product, outcome }),
  })
  writer.participate(lessor.records)
  writer.participate({ accompany: (transaction) => floor.write(transaction) })
  configuration.onAnyChange((names) => {
    self.forget()
    sessionSettings.forget()
    if (names.includes('session.idleMinutes')) lessor.reconsiderIdle()
    serving.look()
    if (names.some((name) => name.startsWith('serving.') || name.startsWith('users.'))) desk.desk.notePolicy()
    events.publish('configuration.changed', { names })
  })
  health.onChange((code) => events.publish('health.changed', { code }))

  let cliKey: string | undefined
  let port = 0
  const startedAt = new Date(clock.wall()).toISOString()
  const access = new CookieAccess({
    administrator,
    agentId: identity.id,
    cliKey: () => cliKey,
    protection: () => configuration.get('ui.protection'),
    hasPublicName: () => configuration.get('network.names').length > 0,
  })
  const known = {
    ...base,
    ...allowing,
    managers: network.discovery.api,
    remoteOffers: new RemoteOffers({
      agents: () => network.discovery.directory.agents,
      vendors,
      isAllowed: () => configuration.get('remote.allow'),
      wall: () => clock.wall(),
    }),
    hasSearched: () => network.hasSearched(),
    checkChange: peers.reach.check.bind(peers.reach),
    broker,
    serving,
    lessor,
    kept: {
      ...kept,
      lessor,
      leases: network.leases,
      isReachable: (id: string) =>
        id === identity.id || network.discovery.directory.find(id)?.condition.state === 'reachable',
      wall: () => clock.wall(),
    },
    licenses,
    shelf,
    sessions: new SessionList(lessor, () => ({
      ...broker.viewContext(),
      agentName: (id) => peers.book.get(id)?.name,
    })),
    journal,
    history,
    refusals,
    peaks,
    wall: () => clock.wall(),
    atLeast: () => clock.atLeast(),
    pause,
    agent,
    status: () => ({ port, dataFolder: paths.data, startedAt }),
    floor,
    viewContext: () => ({ shelf, lessor, vendors, self: self(), wall: clock.wall() }),
  }
  const detach = connectDetach({ ...known, vendors, access, network, desk })
  const documents = new DocumentDesk({ licenses, shelf, vendors, detachments: detach.blocks })
  const owners: Owners = { ...known, detaching: detach.api, desk: documents }
  const seats = [shelf, network.leases, lessor.records, detach.records, kept.reserves, kept.book]
  for (const owner of [floor, configuration, administrator, vendors, ...seats, peers.book, allowing.clients])
    writer.register(owner)
  const streams = new EventStreams({ follow: (watcher, lastId) => events.follow(watcher, lastId) }, timers)
  const api = connectApi(owners, { administrator, access }, streams)
  const { routes, describe } = buildInterface(api)
  const folders = { views: packagePaths.views, public: packagePaths.public, pause }
  const pages = await createPageServer(folders, connectPages(owners, administrator, access, describe, { log, network }))
  const listener = new Listener({
    timers,
    log,
    newRequestId: randomId,
    ...peers.listening,
    handler: createRequestListener({
      ...peers.app,
      peers: { ...peers.app.peers, routes: [...peers.app.peers.routes, ...desk.routes, ...detach.routes] },
      routes,
      access,
      log,
      newRequestId: randomId,
      ...pages,
      publicFolder: packagePaths.public,
    }),
  })
  const stops: (() => void)[] = []

  return {
    start: async () => {
      await writer.open()
      refusals.load(writer.head.sequence).catch(trouble('the last refusals could not be read'))
      stops.push(await floor.start())
      await licenses.refresh()
      health$.look()
      cliKey = await renewCliKey(paths)
      const started = await listener.start(configuration.get('network.port'))
      if (started.kind !== 'listening') return started
      port = started.port
      await writeRunning(paths, { pid: process.pid, port })
      network.start()
      lessor.start()
      detach.start()
      watch.start()
      watch.look()
      kept.start()
      stops.push(keepUp({ timers, licenses, writer, look: () => health$.look(), trouble }))
      const { startCounter } = writer
      await writer.submit((transaction) =>
        transaction.journal({ type: 'agent.started', facts: { version, startCounter } }),
      )
      return started
    },
    stop: async () => {
      broker.stop()
      kept.stop()
      streams.endAll()
      desk.desk.stop()
      desk.streams.endAll()
      await detach.stop()
      await network.stop()
      await listener.stop(stopGrace)
      for (const stop of stops.splice(0)) stop()
      if (port !== 0) await removeRunning(paths)
      watch.stop()
      lessor.stop()
      await allowing.clients.stop()
      await writer
        .submit((transaction) => transaction.journal({ type: 'agent.stopped', facts: {} }))
        .catch(() => undefined)
      await writer.close()
      await signatures.close()
    },
  }
}
