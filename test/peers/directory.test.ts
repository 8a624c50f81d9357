import test from 'ava'
import { managerView, managerViews } from '../../agent/peers/manager-view.ts'
import { idOf, makeOffer, Neighborhood } from './neighborhood.ts'

async function started(prepare: (net: Neighborhood) => void): Promise<Neighborhood> {
  const net = new Neighborhood()
  prepare(net)
  net.search.start()
  await net.clock.run(100)
  return net
}

const minute = 60_000

// ---- what is known

test('an agent that was typed is known with its name, version, latency, clock difference and offers', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.5']
    net.add('LIC-1', '10.0.0.5:1947', { delay: 4, ahead: 90_000 })
  })
  t.like(managerView(net, idOf('LIC-1')), {
    name: 'LIC-1',
    state: 'reachable',
    approval: 'known',
    foundBy: ['configured'],
    page: 'https://10.0.0.5:1947/',
    version: '0.1.0',
    latency: 4,
    clockDifference: 90,
    actions: ['approve', 'forget'],
  })
  t.like(managerView(net, idOf('LIC-1'))?.offers[0], { product: 'acme/cad', seats: 5, free: 5, over: [] })
  t.true(net.changed.includes(idOf('LIC-1')))
})

test('several addresses of one agent are one agent, and the one that answered last is asked first', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.5', '10.9.9.5', 'license.example']
    net.names.set('license.example', ['10.0.0.5'])
    net.add('LIC-1', '10.0.0.5:1947').places.push('10.9.9.5:1947')
  })
  t.is([...net.directory.agents].length, 1)
  t.is(net.of('LIC-1')?.places.length, 3)
  const neighbor = net.neighbors[0]
  neighbor?.places.splice(0, 1)
  await net.clock.run(40_000)
  t.is(net.stateOf('LIC-1'), 'reachable')
  t.is(net.of('LIC-1')?.addresses[0], '10.9.9.5:1947')
})

test('states: unreachable, refusing with its code, pending, other version, and reachable again', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.5']
    net.add('LIC-1', '10.0.0.5:1947')
  })
  const [neighbor] = net.neighbors
  if (neighbor === undefined) throw new Error('there is one')
  const after = async (change: Partial<typeof neighbor>) => {
    Object.assign(neighbor, { failure: undefined, refused: undefined, serving: 'open' }, change)
    await net.clock.run(35_000)
    return net.of('LIC-1')?.condition
  }
  t.like(await after({ failure: { step: 'connect', detail: 'It is off.' } }), {
    state: 'unreachable',
    detail: 'It is off.',
  })
  t.like(await after({ serving: 'serving_stopped' }), { state: 'refusing', code: 'serving_stopped' })
  t.like(await after({ serving: 'approval_pending' }), { state: 'pending' })
  const problem = { code: 'denied_by_rule', detail: 'No.' }
  t.like(await after({ refused: { kind: 'refused', status: 403, problem } }), {
    state: 'refusing',
    code: 'denied_by_rule',
  })
  t.like(await after({ failure: { step: 'version', detail: 'Update LIC-1.' } }), { state: 'other_version' })
  t.like(await after({}), { state: 'reachable', detail: '' })
})

test('id@host takes no other agent for the one that is meant, and lists the one that is meant', async (t) => {
  const net = await started((net) => {
    net.lines = [`${idOf('LIC-1')}@10.0.0.5`]
    net.add('LIC-2', '10.0.0.5:1947')
  })
  t.is(net.of('LIC-2'), undefined)
  t.like(managerView(net, idOf('LIC-1')), { name: '10.0.0.5', state: 'wrong_identity', foundBy: ['configured'] })
  t.deepEqual(net.directory.offering('acme/cad'), [])
})

test('an address that another agent has now is that agent’s, and the one before is known to be elsewhere', async (t) => {
  const net = await started((net) => {
    net.hand.hints = [net.hint('10.0.0.5')]
    net.add('LIC-1', '10.0.0.5:1947')
  })
  net.neighbors.length = 0
  net.add('LIC-2', '10.0.0.5:1947')
  await net.clock.run(65_000)
  t.is(net.stateOf('LIC-1'), 'wrong_identity')
  t.is(net.stateOf('LIC-2'), 'reachable')
})

test('a name that is known with another key is refused', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.5']
    net.add('LIC-1', '10.0.0.5:1947')
    net.memory.strangers.add(idOf('LIC-1'))
  })
  t.like(net.of('LIC-1')?.condition, { state: 'wrong_identity', code: 'peer_key_changed' })
  t.deepEqual(net.directory.offering('acme/cad'), [])
})

test('this agent is not its own manager', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.9']
    net.add('self', '10.0.0.9:1947')
  })
  t.is([...net.directory.agents].length, 0)
  await net.clock.run(65_000)
  t.is(net.probed.length, 1)
})

test('an agent that was not heard of for a day is forgotten, one that is typed by its id is not', async (t) => {
  const net = await started((net) => {
    net.lines = [`${idOf('LIC-2')}@10.0.0.6`]
    net.hand.hints = [net.hint('10.0.0.5')]
    net.add('LIC-1', '10.0.0.5:1947')
    net.add('LIC-2', '10.0.0.6:1947')
  })
  net.neighbors.length = 0
  net.hand.hints = []
  await net.clock.run(23 * 60 * minute)
  t.is(net.stateOf('LIC-1'), 'unreachable')
  await net.clock.run(70 * minute)
  t.is(net.of('LIC-1'), undefined)
  t.is(net.stateOf('LIC-2'), 'unreachable')
})

test('a restart finds the managers of before at once, without any other hint', async (t) => {
  const net = await started((net) => {
    net.add('LIC-1', '10.0.0.5:1947')
    const wall = net.clock.wall()
    const peer = {
      name: 'LIC-1',
      approval: 'known',
      firstSeen: 0,
      addresses: ['10.0.0.4:1947', '10.0.0.5:1947'],
    } as const
    net.memory.peers.set(idOf('LIC-1'), { ...peer, id: idOf('LIC-1'), lastSeen: wall - 60 * minute })
    net.memory.peers.set(idOf('OLD'), { ...peer, id: idOf('OLD'), name: 'OLD', lastSeen: wall - 25 * 60 * minute })
  })
  await net.clock.run(2500)
  t.is(net.stateOf('LIC-1'), 'reachable')
  t.is(net.of('OLD'), undefined)
})

test('an agent that only asked here is listed until it is judged, and forgetting takes both away', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.5']
    net.add('LIC-1', '10.0.0.5:1947', { offers: [] })
    const peer = { approval: 'pending', addresses: [], from: '10.0.0.7', firstSeen: 1, lastSeen: 2 } as const
    net.memory.peers.set(idOf('WS-7'), { ...peer, id: idOf('WS-7'), name: 'WS-7' })
  })
  t.deepEqual(
    managerViews(net).map(({ name, state, foundBy, actions }) => [name, state, foundBy, actions]),
    [
      ['LIC-1', 'reachable', ['configured'], ['approve', 'forget']],
      ['WS-7', 'asking', ['asked'], ['approve', 'forget']],
    ],
  )
  await net.memory.approve(idOf('WS-7'))
  t.deepEqual(managerView(net, idOf('WS-7'))?.actions, ['forget'])
  t.true(net.directory.forget(idOf('LIC-1')))
  t.false(net.directory.forget(idOf('LIC-1')))
})

// ---- what the broker asks

test('managers come best first: with free seats, then over fewer agents, then nearer', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']
    net.add('full', '10.0.0.1:1947', { delay: 1, offers: [makeOffer({ used: 5 })] })
    net.add('far', '10.0.0.2:1947', { delay: 50 })
    net.add('branch', '10.0.0.3:1947', { delay: 1, offers: [makeOffer({ chain: [idOf('far')] })] })
    net.add('near', '10.0.0.4:1947', { delay: 5 })
    net.add('any', '10.0.0.5:1947', { delay: 10, offers: [makeOffer({ used: 5, anySeats: 3, anyUsed: 2 })] })
    net.add('loop', '10.0.0.6:1947', { delay: 1, offers: [makeOffer({ chain: [net.self] })] })
  })
  const names = net.directory.offering('acme/cad').map(({ link }) => link.name)
  t.deepEqual(names, ['near', 'any', 'far', 'branch', 'full'])
  t.deepEqual(net.directory.offering('acme/paint'), [])
  t.deepEqual(net.directory.productsNamed('cad'), ['acme/cad'])
  t.deepEqual(net.directory.productsNamed('paint'), [])
})

test('who refuses or can not be reached is not asked for seats, and its link stays for what is held there', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1', '10.0.0.2']
    net.add('stopped', '10.0.0.1:1947', { serving: 'serving_stopped' })
    net.add('gone', '10.0.0.2:1947')
  })
  const link = net.directory.link(idOf('gone'))
  net.neighbors.pop()
  await net.clock.run(35_000)
  t.deepEqual(net.directory.offering('acme/cad'), [])
  t.truthy(link)
  t.is(net.directory.link(idOf('gone')), link)
  t.is(net.directory.link(idOf('nobody')), undefined)
})

test('an agent that is forgotten and found again at another address has the same link, which leads there', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1', '10.0.0.2']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  const link = net.directory.link(idOf('LIC-1'))
  net.directory.forget(idOf('LIC-1'))
  t.is(net.directory.link(idOf('LIC-1')), link)
  net.neighbors[0]?.places.splice(0, 1, '10.0.0.2:1947')
  await net.clock.run(35_000)
  t.is(net.directory.offering('acme/cad')[0]?.link, link)
  t.deepEqual(net.links[0]?.peer.addresses, ['10.0.0.2:1947'])
  t.is(net.links.length, 1)
})

test('with access to remote licenses off nothing is offered and nobody is asked', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  t.is(net.directory.offering('acme/cad').length, 1)
  net.allowed = false
  net.search.submit()
  const asked = net.probed.length
  t.deepEqual(net.directory.offering('acme/cad'), [])
  t.deepEqual(net.directory.productsNamed('cad'), [])
  t.truthy(net.directory.link(idOf('LIC-1')))
  await net.clock.run(120_000)
  t.is(net.probed.length, asked)
  t.true(net.hand.rests > 0)
  net.allowed = true
  net.search.submit()
  await net.clock.run(100)
  t.is(net.directory.offering('acme/cad').length, 1)
})

test('a product that has to come from one server comes from no other', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1', '10.0.0.2']
    net.add('near', '10.0.0.1:1947')
    net.add('meant', '10.0.0.2:1947', { delay: 50 })
  })
  net.pinned = '10.0.0.2'
  t.deepEqual(
    net.directory.offering('acme/cad').map(({ link }) => link.name),
    ['meant'],
  )
  net.pinned = `${idOf('near')}@10.7.7.7`
  t.deepEqual(
    net.directory.offering('acme/cad').map(({ link }) => link.name),
    ['near'],
  )
})

test('offers are asked for again a second after the manager says that they changed, however often it does', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  const [neighbor] = net.neighbors
  net.directory.link(idOf('LIC-1'))?.follow({ onEvent: () => {}, onUp: () => {} })
  const heard: number[] = []
  net.directory.onChange(() => heard.push(1))
  const before = neighbor?.asked ?? 0
  if (neighbor !== undefined) neighbor.offers = [makeOffer({ used: 5 })]
  for (let count = 0; count < 100; count++)
    net.links[0]?.listener?.onEvent({ kind: 'counts', product: 'acme/cad', wanted: false })
  net.links[0]?.listener?.onEvent({ kind: 'policy' })
  await net.clock.run(2000)
  t.is(neighbor?.asked, before + 1)
  t.is(net.of('LIC-1')?.offers[0]?.used, 5)
  t.true(heard.length > 0)
})

test('a manager that could not be reached for a lease is looked after at once', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  const link = net.directory.link(idOf('LIC-1'))
  net.neighbors.length = 0
  if (net.links[0] !== undefined)
    net.links[0].reply = { kind: 'unreachable', unsent: true, step: 'connect', detail: 'off' }
  await link?.release('lease-0000000000000001', { timeout: 100 })
  await net.clock.run(3500)
  t.is(net.stateOf('LIC-1'), 'unreachable')
})

test('a manager that renews again is asked for its offers at once, and not with every renewal', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  const link = net.directory.link(idOf('LIC-1'))
  const back = net.neighbors.splice(0)
  await net.clock.run(35_000)
  t.is(net.stateOf('LIC-1'), 'unreachable')
  net.neighbors.push(...back)
  if (net.links[0] !== undefined) net.links[0].reply = { kind: 'acknowledged' }
  await link?.release('lease-0000000000000001', { timeout: 100 })
  await net.clock.run(1500)
  t.is(net.stateOf('LIC-1'), 'reachable')
  const asked = back[0]?.asked
  await link?.release('lease-0000000000000002', { timeout: 100 })
  await net.clock.run(1500)
  t.is(back[0]?.asked, asked)
})

// ---- two agents with the same license (I15)

test('two agents that serve the same license are warned of until one stops; seats leased on are no second server', async (t) => {
  const license = { id: 'license-0001', model: 'perpetual', seats: 5 }
  const net = await started((net) => {
    net.lines = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
    net.add('LIC-1', '10.0.0.1:1947', { offers: [makeOffer({ licenses: [license] })] })
    net.add('LIC-2', '10.0.0.2:1947', { offers: [makeOffer({ licenses: [license] })] })
    net.add('branch', '10.0.0.3:1947', { offers: [makeOffer({ licenses: [license], chain: [idOf('LIC-1')] })] })
  })
  const warnings = () => net.health.list().filter(({ code }) => code === 'license_served_twice')
  t.is(warnings().length, 1)
  t.true(warnings()[0]?.text.startsWith('LIC-1 and LIC-2 give out seats of license license-0001.'))
  const second = net.neighbors[1]
  if (second !== undefined) second.offers = [makeOffer()]
  await net.clock.run(35_000)
  t.is(warnings().length, 0)
  net.ownLicenses = ['license-0001']
  await net.clock.run(35_000)
  t.true(warnings()[0]?.text.startsWith('LIC-1 and self give out'))
  net.ownLicenses = []
  await net.clock.run(35_000)
  t.is(warnings().length, 0)
})

// ---- hostile agents

test('20,000 fake agents leave at most 1,000 entries, and the real manager stays', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('LIC-1', '10.0.0.1:1947')
  })
  const began = performance.now()
  for (let index = 0; index < 20_000; index++) net.add(`fake-${index}`, `10.1.0.1:${index + 2000}`, { offers: [] })
  const places = Array.from({ length: 20_000 }, (_, index) => ({ host: '10.1.0.1', port: index + 2000 }))
  // The finder caps what it hands on; the search caps what a finder hands on; the directory caps what it keeps.
  net.hand.hints = places.map((place) => ({ place, foundBy: 'broadcast' as const }))
  await net.clock.run(35_000)
  t.true([...net.directory.agents].length <= 1000)
  t.true(net.most <= 64 + 1)
  await net.clock.run(65_000)
  t.is(net.stateOf('LIC-1'), 'reachable')
  t.is(net.directory.offering('acme/cad').length, 1)
  t.true(performance.now() - began < 20_000)
})

test('a manager that is typed finds room where others have taken all of it', async (t) => {
  const net = await started((net) => {
    for (let index = 0; index < 1100; index++) net.add(`fake-${index}`, `10.1.0.1:${index + 2000}`, { offers: [] })
    net.hand.hints = net.neighbors.map((_, index) => ({
      place: { host: '10.1.0.1', port: index + 2000 },
      foundBy: 'broadcast',
    }))
  })
  await net.clock.run(1000)
  t.is([...net.directory.agents].length, 1000)
  net.add('LIC-1', '10.0.0.1:1947')
  net.lines = ['10.0.0.1']
  net.search.submit()
  await net.clock.run(1000)
  t.is(net.stateOf('LIC-1'), 'reachable')
})

test('an agent that offers more than anybody has is kept in part, and what it calls itself is cleaned', async (t) => {
  const many = Array.from({ length: 5000 }, (_, index) =>
    makeOffer({
      product: `acme/p${index}`,
      features: Array.from({ length: 100 }, (_, at) => ({ name: `f${at}`, seats: null })),
    }),
  )
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    net.add('evil\u202e\u0007 name that is much longer than anybody can read in a table of machines', '10.0.0.1:1947', {
      offers: many,
    })
  })
  const [agent] = net.directory.agents
  t.true((agent?.offers.length ?? 0) <= 200)
  t.is(agent?.name, 'evil name that is much longer than anybody can read in a table o')
  t.notRegex(agent?.name ?? '', /[\p{Cc}\u202a-\u202e]/u)
})

test('an agent keeps at most 16 places, and those that answered or were typed before others', async (t) => {
  const net = await started((net) => {
    net.lines = ['10.0.0.1']
    const neighbor = net.add('LIC-1', '10.0.0.1:1947')
    for (let index = 0; index < 40; index++) neighbor.places.push(`10.2.0.${index}:1947`)
    net.hand.hints = neighbor.places.slice(1).map((place) => net.hint(place))
  })
  t.true((net.of('LIC-1')?.places.length ?? 0) <= 16)
  t.true(net.of('LIC-1')?.addresses.includes('10.0.0.1:1947'))
})
