import test from 'ava'
import { connectDiscovery, type DiscoveryParts } from '../../agent/agent-managers.ts'
import { Configuration } from '../../agent/config/configuration.ts'
import { Events } from '../../agent/events.ts'
import { ok } from '../../agent/http/reply.ts'
import { defineRoute } from '../../agent/http/route.ts'
import { buildInterface } from '../../agent/http/routes.ts'
import { PeerProber } from '../../agent/peers/peer-prober.ts'
import { systemNetwork } from '../../agent/peers/system-network.ts'
import { JoinedClock, systemSources, systemTimers } from '../../agent/system-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { call, makeParts, withAgent } from '../http/api/api-call.ts'
import { FakeLink, idOf, makeOffer, Neighborhood } from './neighborhood.ts'
import { PeerAgent } from './peer-agent.ts'

/** Everything that finds other agents, as the agent connects it, in a network in memory. */
function make(net = new Neighborhood(), real: Partial<DiscoveryParts> = {}) {
  const writes = new ManualWrites()
  const configuration = new Configuration({
    fixed: { environment: new Map(), file: new Map() },
    writes,
    onTrouble: (what) => {
      throw new Error(what)
    },
  })
  writes.load(configuration)
  const events = new Events('start-1')
  const heard: { type: string; data: unknown }[] = []
  events.follow(({ type, data }) => heard.push({ type, data }))
  const forgotten: string[] = []
  const served: { port: number | undefined } = { port: undefined }
  const announced: string[] = []
  let searches = 0
  const discovery = connectDiscovery({
    self: () => ({ id: net.self, name: 'self' }),
    prober: net,
    network: net,
    memory: net.memory,
    linkTo: (peer) => new FakeLink(peer),
    clock: net.clock,
    timers: net.clock,
    configuration,
    health: net.health,
    events,
    ownLicenses: () => [],
    servedPort: () => served.port,
    newId: () => `search-${++searches}`,
    onForgotten: (id) => forgotten.push(id),
    loadMulticast: async () => () => ({
      browse: () => {},
      endBrowse: () => {},
      announce: (_, port) => announced.push(`announce ${port}`),
      withdraw: async () => void announced.push('goodbye'),
      close: async () => {},
    }),
    ...real,
  })
  return { net, configuration, discovery, heard, forgotten, served, announced }
}

const page = { limit: 100 }
/** ms on a machine that is busy: where a probe is too slow the next round has it. */
const patience = 100_000

test('search parameters that are submitted are searched at once, and each step is an event', async (t) => {
  const { net, configuration, discovery, heard } = make()
  net.add('LIC-1', '10.0.0.5:1947')
  discovery.start()
  await net.clock.run(1500)
  t.is(discovery.api.list(page).total, 0)
  t.is(discovery.api.lastSearch(), undefined)
  await configuration.change({ 'remote.search': ['10.0.0.5', '10.0.0.6'] }, 'test')
  await net.clock.run(1000)
  t.like(discovery.api.list(page).items[0], { name: 'LIC-1', state: 'reachable' })
  t.like(discovery.api.lastSearch(), { id: 'search-1', state: 'running', found: 1 })
  const steps = heard.filter(({ type }) => type === 'search.step').map(({ data }) => data)
  t.like(steps[0], { search: 'search-1', address: '10.0.0.5:1947', step: 'connect', result: 'running' })
  t.true(heard.some(({ type }) => type === 'manager.changed'))
  await net.clock.run(3000)
  t.deepEqual(
    heard.filter(({ type }) => type === 'search.changed').map(({ data }) => data),
    [
      { id: 'search-1', state: 'running' },
      { id: 'search-1', state: 'done' },
    ],
  )
  await discovery.stop()
  t.is(net.clock.waiting, 0)
})

test('wrong search parameters are named by line and reason, and nothing is saved or searched', async (t) => {
  const { net, configuration, discovery } = make()
  const outcome = await configuration.change(
    { 'remote.search': ['10.0.0.5', '10.0.0.300'], 'remote.aggressive': true },
    'test',
  )
  t.like(outcome, { kind: 'refused', code: 'invalid_request' })
  t.regex(
    outcome.kind === 'refused' ? outcome.detail : '',
    /line 2, "10\.0\.0\.300": an IPv4 address has four numbers from 0 to 255/,
  )
  t.deepEqual(configuration.get('remote.search'), [])
  t.false(configuration.get('remote.aggressive'))
  t.is(discovery.api.lastSearch(), undefined)
  t.is(net.probed.length, 0)
})

test('the server that a product has to come from is searched as if it were typed, and no other offers it', async (t) => {
  const { net, configuration, discovery } = make()
  net.add('far', '10.0.0.7:1947', { delay: 90 })
  net.add('near', '10.0.0.5:1947')
  await configuration.change({ 'remote.search': ['10.0.0.5'] }, 'test')
  discovery.start()
  await net.clock.run(1000)
  t.deepEqual(
    discovery.directory.offering('acme/cad').map(({ link }) => link.name),
    ['near'],
  )
  await configuration.change({ 'products.acme/cad.manager': '10.0.0.7' }, 'test')
  await net.clock.run(1000)
  t.deepEqual(
    discovery.directory.offering('acme/cad').map(({ link }) => link.name),
    ['far'],
  )
  await t.throwsAsync(async () => {
    const outcome = await configuration.change({ 'products.acme/cad.manager': '10.0.0.0/24' }, 'test')
    if (outcome.kind === 'refused') throw new Error(outcome.detail)
  })
  await discovery.stop()
})

test('managers, search and test over HTTP', async (t) => {
  const { net, configuration, discovery, forgotten } = make()
  net.add('LIC-1', '10.0.0.5:1947', {
    offers: [
      makeOffer({
        title: 'CAD',
        features: [
          { name: 'render', seats: 2 },
          { name: 'plot', seats: null },
        ],
      }),
    ],
  })
  net.add('LIC-2', '10.0.0.6:1947', { serving: 'handing_out_disabled', offers: [] })
  await configuration.change({ 'remote.search': ['10.0.0.5', '10.0.0.6'] }, 'test')
  discovery.start()
  // The search that the change began is over.
  await net.clock.run(2000)
  await withAgent({ api: { managers: discovery.api } }, async (agent) => {
    const get = async (path: string) => (await call(agent, 'GET', path)).body
    t.like(await get('/api/v1/managers'), { total: 2 })
    t.like(await get('/api/v1/managers?state=refusing'), {
      total: 1,
      items: [{ name: 'LIC-2', code: 'handing_out_disabled' }],
    })
    t.like(await get('/api/v1/managers?product=acme/cad&limit=1'), { total: 1, items: [{ name: 'LIC-1' }] })
    t.is((await call(agent, 'GET', '/api/v1/managers?state=gone')).status, 422)

    const id = idOf('LIC-1')
    const approved = await call(agent, 'POST', `/api/v1/managers/${id}/approve`)
    t.is(approved.status, 200)
    t.like(approved.body, { approval: 'approved', actions: ['forget'] })
    t.is((await call(agent, 'POST', `/api/v1/managers/${idOf('nobody')}/approve`)).status, 404)
    t.is((await call(agent, 'POST', `/api/v1/managers/${id}/forget`)).status, 204)
    t.like(await get('/api/v1/managers'), { total: 1 })
    t.deepEqual(forgotten, [id])
    t.like((await call(agent, 'POST', `/api/v1/managers/${id}/forget`)).body, { code: 'unknown_peer' })

    const started = await call(agent, 'POST', '/api/v1/search')
    t.is(started.status, 202)
    t.like(started.body, { state: 'running' })
    await net.clock.run(1000)
    t.like(await get('/api/v1/search'), { search: { id: (started.body as { id: string }).id, found: 2 } })
    t.like(await get('/api/v1/managers'), { total: 2 })

    const wrong = await call(agent, 'POST', '/api/v1/managers/test', { address: '10.0.0.300' })
    t.is(wrong.status, 422)
    t.like(wrong.body, { fields: [{ field: 'address' }] })
    const tested = await call(agent, 'POST', '/api/v1/managers/test', { address: '' })
    t.is(tested.status, 422)
  })
  await discovery.stop()
})

test('the calls about managers are described, with guards that a page of others can not pass', (t) => {
  const { routes } = buildInterface(makeParts())
  const guards = routes
    .filter(({ path }) => /^\/api\/v1\/(managers|search)/.test(path))
    .map(({ method, path, guard }) => `${method} ${path} ${guard}`)
  t.deepEqual(guards, [
    'GET /api/v1/managers read',
    'POST /api/v1/managers/{id}/approve administrator',
    'POST /api/v1/managers/{id}/forget administrator',
    'POST /api/v1/managers/test administrator',
    'POST /api/v1/search administrator',
    'GET /api/v1/search read',
  ])
})

test('an agent announces itself while others reach it, with a goodbye at the end', async (t) => {
  const { net, discovery, served, announced } = make()
  net.adapterList = [{ name: 'eth0', family: 'IPv4', address: '10.0.0.9', prefix: 24, internal: false }]
  discovery.start()
  await net.clock.run(6000)
  t.deepEqual(announced, [])
  served.port = 1947
  await net.clock.run(6000)
  t.deepEqual(announced, ['announce 1947'])
  served.port = undefined
  await net.clock.run(6000)
  t.deepEqual(announced, ['announce 1947', 'goodbye'])
  served.port = 1948
  await net.clock.run(6000)
  await discovery.stop()
  t.deepEqual(announced.slice(2), ['announce 1948', 'goodbye'])
  t.is(net.clock.waiting, 0)
})

test('agents that were reached are told to others that search', async (t) => {
  const { net, configuration, discovery } = make()
  net.add('LIC-1', '10.0.0.5:1947')
  await configuration.change({ 'remote.search': ['10.0.0.5', '10.0.0.6'] }, 'test')
  discovery.start()
  await net.clock.run(1000)
  t.deepEqual(discovery.directory.reached(), [{ agent: idOf('LIC-1'), name: 'LIC-1', addresses: ['10.0.0.5:1947'] }])
  await discovery.stop()
})

test('over real connections a manager among twenty dead addresses is there soon after Submit, and after a restart', async (t) => {
  const offers = defineRoute({
    method: 'GET',
    path: '/peer/v1/offers',
    guard: 'peer',
    operation: 'offers',
    summary: 'What it offers',
    example: { answers: {} },
    answers: {},
    handle: () => ok({ instance: manager.id, serving: 'open', offers: [makeOffer()] }),
  })
  const manager = await PeerAgent.start({ name: 'LIC-1', routes: [offers] })
  const asker = await PeerAgent.start({ name: 'WS-7' })
  t.teardown(() => Promise.all([manager.stop(), asker.stop()]))
  const clock = new JoinedClock(systemSources())
  const start = () => {
    const made = make(new Neighborhood(), {
      self: () => ({ id: asker.id, name: 'WS-7' }),
      prober: new PeerProber(asker.client),
      network: systemNetwork(systemTimers),
      memory: asker.book,
      clock,
      timers: systemTimers,
    })
    made.discovery.start()
    return made
  }
  const { configuration, discovery } = start()
  const dead = Array.from({ length: 20 }, (_, index) => `192.0.2.${index + 1}`)
  const live = `127.0.0.1:${manager.port}`
  const began = performance.now()
  await configuration.change({ 'remote.broadcast': false, 'remote.search': [...dead, live] }, 'test')
  await waitFor('an offer', () => discovery.directory.offering('acme/cad').length > 0, patience)
  t.log(`${Math.round(performance.now() - began)} ms after Submit`)
  t.like(discovery.api.list(page).items[0], { id: manager.id, approval: 'known', addresses: [{ address: live }] })
  await discovery.stop()

  const again = start()
  await again.discovery.directory.settled()
  await waitFor('the offer of before', () => again.discovery.directory.offering('acme/cad').length > 0, patience)
  t.deepEqual(again.discovery.api.list(page).items[0]?.foundBy, ['remembered'])
  t.is((await again.discovery.api.approve(manager.id)).kind, 'approved')
  t.is(asker.book.get(manager.id)?.approval, 'approved')
  t.is((await again.discovery.api.forget(manager.id)).kind, 'forgotten')
  t.is(asker.book.get(manager.id), undefined)
  await again.discovery.stop()
})
