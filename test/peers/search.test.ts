import test from 'ava'
import { findWrongLines } from '../../agent/config/search-parameters.ts'
import { Events } from '../../agent/events.ts'
import { readGossip } from '../../agent/peers/finders/gossip.ts'
import { localRanges } from '../../agent/peers/finders/sweep.ts'
import { Gate } from '../../agent/peers/gate.ts'
import type { Adapter } from '../../agent/peers/prober.ts'
import { idOf, Neighborhood } from './neighborhood.ts'

const eth0: Adapter = { name: 'eth0', family: 'IPv4', address: '10.0.0.9', prefix: 24, internal: false }

async function until(net: Neighborhood, what: string, condition: () => boolean, most = 3000): Promise<number> {
  for (let ms = 0; ms <= most; ms += 10) {
    if (condition()) return ms
    await net.clock.run(10)
  }
  throw new Error(`in vain: ${what}`)
}

// ---- when it searches

test('the first search is settled when all were asked, at the latest after three seconds', async (t) => {
  const quick = new Neighborhood()
  quick.lines = ['10.0.0.5']
  quick.add('LIC-1', '10.0.0.5:1947')
  let settled = 0
  void quick.directory.settled().then(() => {
    settled = quick.clock.atLeast()
  })
  quick.search.start()
  await until(quick, 'settled', () => settled > 0)
  t.true(settled < 100)
  t.is(quick.stateOf('LIC-1'), 'reachable')

  const slow = new Neighborhood()
  slow.hand.find = () => new Promise<void>(() => {})
  let done = false
  void slow.directory.settled().then(() => {
    done = true
  })
  slow.search.start()
  await slow.clock.run(2900)
  t.false(done)
  await slow.clock.run(200)
  t.true(done)
})

test('twenty dead addresses do not delay a live one: it offers within a second of Submit, a hundred times of a hundred', async (t) => {
  const delays: number[] = []
  for (let round = 0; round < 100; round++) {
    const net = new Neighborhood()
    net.search.start()
    await net.clock.run(round * 311)
    net.lines = Array.from({ length: 20 }, (_, index) => `10.0.1.${index + 1}`)
    net.lines.splice(round % 21, 0, '10.0.0.5')
    net.add('LIC-1', '10.0.0.5:1947', { delay: 5 })
    net.search.submit()
    delays.push(await until(net, 'an offer', () => net.directory.offering('acme/cad').length > 0))
  }
  delays.sort((a, b) => a - b)
  t.true((delays[94] ?? 9999) <= 1000, `p95 is ${delays[94]} ms`)
})

test('it searches every 30 seconds by itself, and known agents are asked as often', async (t) => {
  const net = new Neighborhood()
  net.lines = ['10.0.0.5']
  net.search.start()
  await net.clock.run(1000)
  net.add('LIC-1', '10.0.0.5:1947')
  await until(net, 'found by itself', () => net.stateOf('LIC-1') === 'reachable', 35_000)
  const asked = net.neighbors[0]?.asked ?? 0
  await net.clock.run(300_000)
  t.is(net.neighbors[0]?.asked, asked + 10)
})

test('what the settings want no more ends at once', async (t) => {
  const net = new Neighborhood()
  net.adapterList = [eth0]
  net.aggressive = true
  net.search.start()
  await net.clock.run(1500)
  const knocked = net.knocked.length
  t.true(knocked >= 64)
  net.aggressive = false
  net.hand.on = false
  net.search.submit()
  await net.clock.run(10_000)
  t.true(net.knocked.length <= knocked + 64)
  t.true(net.hand.rests > 0)
})

test('hints that come after a finder has been switched off lead nowhere', async (t) => {
  const net = new Neighborhood()
  net.search.start()
  await net.clock.run(100)
  const { look } = net.hand
  net.add('LIC-1', '10.0.0.5:1947')
  look?.hint(net.hint('10.0.0.5'))
  await net.clock.run(100)
  t.is(net.stateOf('LIC-1'), 'reachable')
  net.allowed = false
  look?.hint(net.hint('10.0.0.6'))
  await net.clock.run(100)
  t.false(net.probed.includes('10.0.0.6:1947'))
})

test('after stop nothing is asked any more', async (t) => {
  const net = new Neighborhood()
  net.lines = ['10.0.0.5']
  net.add('LIC-1', '10.0.0.5:1947')
  net.search.start()
  await net.clock.run(100)
  net.search.stop()
  const asked = net.probed.length
  await net.clock.run(120_000)
  t.is(net.probed.length, asked)
  t.is(net.clock.waiting, 0)
})

// ---- what people watch

test('each probe of a live search is told within a second with address, step and result, and its end once more', async (t) => {
  const net = new Neighborhood()
  net.search.start()
  await net.clock.run(100)
  net.lines = ['10.0.0.5', '10.0.0.6', '10.0.0.7']
  net.add('LIC-1', '10.0.0.5:1947', { delay: 40 })
  net.add('LIC-2', '10.0.0.7:1947', { failure: { step: 'version', detail: 'Update LIC-2.' } })
  const view = net.search.search()
  t.like(view, { id: 'search-1', state: 'running' })
  t.is(net.search.search().id, 'search-1')
  const began = net.clock.atLeast()
  await until(net, 'the end', () => net.search.view()?.state === 'done')
  const first = net.events.filter((event) => event.result === 'running')
  t.deepEqual(
    first.map(({ address }) => address),
    ['10.0.0.5:1947', '10.0.0.6:1947', '10.0.0.7:1947'],
  )
  t.true(first.every(({ at }) => Number(at) - began < 1000))
  const last = net.search.view()
  t.deepEqual(
    last?.steps.map(({ address, step, result }) => [address, step, result]),
    [
      ['10.0.0.5:1947', 'answer', 'found'],
      ['10.0.0.6:1947', 'answer', 'failed'],
      ['10.0.0.7:1947', 'version', 'failed'],
    ],
  )
  t.like(last, { tried: 3, found: 1 })
  t.like(last?.steps[0], { ms: 40, agent: { id: idOf('LIC-1'), name: 'LIC-1' } })
  t.like(net.events.at(-1), { id: 'search-1', state: 'done' })
})

test('Submit ends the search that runs and begins another by the new settings', async (t) => {
  const net = new Neighborhood()
  net.lines = ['10.0.0.6']
  net.search.start()
  net.search.search()
  await net.clock.run(200)
  net.lines = ['10.0.0.5']
  net.add('LIC-1', '10.0.0.5:1947')
  t.is(net.search.submit().id, 'search-2')
  await until(net, 'found', () => net.stateOf('LIC-1') === 'reachable', 500)
  await until(net, 'the end', () => net.search.view()?.state === 'done')
  t.deepEqual(
    net.search.view()?.steps.map(({ address }) => address),
    ['10.0.0.5:1947'],
  )
})

test('with access to remote licenses off a search says so and asks nobody', async (t) => {
  const net = new Neighborhood()
  net.allowed = false
  net.lines = ['10.0.0.5']
  net.search.start()
  net.search.search()
  await net.clock.run(100)
  t.is(net.search.view()?.state, 'done')
  t.regex(net.search.view()?.notes[0] ?? '', /switched off/)
  t.is(net.probed.length, 0)
})

// ---- sweeps

test('a typed range is tried address by address, 64 at a time for a second each, and told together', async (t) => {
  const net = new Neighborhood()
  net.search.start()
  await net.clock.run(100)
  net.lines = ['10.1.2.255']
  net.add('LIC-1', '10.1.2.77:1947')
  net.search.search()
  const took = await until(net, 'the end', () => net.search.view()?.state === 'done', 6000)
  t.true(took <= 4500, `${took} ms`)
  t.is(new Set(net.knocked).size, 256)
  t.true(net.most <= 64 + 1)
  t.is(net.stateOf('LIC-1'), 'reachable')
  const view = net.search.view()
  t.is(view?.tried, 256)
  t.true((view?.steps.length ?? 99) < 20)
  const told = view?.steps.filter(({ result }) => result === 'nothing') ?? []
  t.is(
    told.reduce((sum, { addresses }) => sum + addresses, 0),
    255,
  )
  t.regex(told[0]?.address ?? '', /^10\.1\.2\.\d+ to 10\.1\.2\.\d+:1947$/)
})

test('an aggressive search tries the local subnets up to /22 without this machine, every five minutes', async (t) => {
  const net = new Neighborhood()
  net.adapterList = [eth0, { ...eth0, name: 'lo', address: '127.0.0.1', prefix: 8, internal: true }]
  net.search.start()
  await net.clock.run(60_000)
  t.is(net.knocked.length, 0)
  net.aggressive = true
  net.search.submit()
  await net.clock.run(6000)
  t.is(net.knocked.length, 255)
  t.false(net.knocked.includes('10.0.0.9:1947'))
  await net.clock.run(200_000)
  t.is(net.knocked.length, 255)
  await net.clock.run(110_000)
  t.is(net.knocked.length, 510)
})

test('what an aggressive search leaves out is said: larger subnets, and IPv6', (t) => {
  const notes: string[] = []
  const adapters: Adapter[] = [
    eth0,
    { ...eth0, name: 'eth1', address: '10.4.0.1', prefix: 16 },
    { ...eth0, name: 'eth0', family: 'IPv6', address: 'fe80::1', prefix: 64 },
  ]
  t.deepEqual(
    localRanges(adapters, { note: (text) => notes.push(text) }).map(({ text, count }) => [text, count]),
    [['10.0.0.9/24', 256]],
  )
  t.is(notes.length, 2)
  t.regex(notes[0] ?? '', /^The subnet of eth1 \(10\.4\.0\.1\/16\) has more than 1024 addresses/)
  t.regex(notes[1] ?? '', /^IPv6 subnets/)
})

// ---- what others know

test('agents that known agents know are found over two of them and no further, and only where it is aggressive', async (t) => {
  const net = new Neighborhood()
  net.lines = ['10.0.0.1']
  const chain = ['one', 'two', 'three', 'four']
  for (const [index, name] of chain.entries())
    net.add(name, `10.0.0.${index + 1}:1947`, {
      peers: [{ agent: idOf(chain[index + 1] ?? ''), name: '', addresses: [`10.0.0.${index + 2}:1947`] }],
    })
  net.search.start()
  await net.clock.run(100)
  t.is([...net.directory.agents].length, 1)
  net.aggressive = true
  net.search.submit()
  await net.clock.run(10_000)
  t.deepEqual(
    [...net.directory.agents].map(({ name, hops }) => [name, hops]),
    [
      ['one', 0],
      ['two', 1],
      ['three', 2],
    ],
  )
  await net.clock.run(600_000)
  t.is(net.of('four'), undefined)
})

test('nobody can aim this agent at others: names, public addresses, loopback, other services, wrong agents', async (t) => {
  const table: readonly (readonly [string, boolean])[] = [
    ['10.0.0.5:1947', true],
    ['192.168.1.5', true],
    ['[fd00::5]:1947', true],
    ['10.0.0.5:443', true],
    ['10.0.0.5:22', false],
    ['127.0.0.1:1947', false],
    ['[::1]:1947', false],
    ['169.254.169.254:1947', false],
    ['203.0.113.5:1947', false],
    ['[2001:db8::5]:1947', false],
    ['[fe80::5%eth0]:1947', false],
    ['localhost:1947', false],
    ['license.example.com', false],
    ['http://10.0.0.5/', false],
    ['10.0.0.5/24', false],
    ['224.0.0.251:5353', false],
  ]
  for (const [address, allowed] of table) t.is(readGossip(address) !== undefined, allowed, address)

  const net = new Neighborhood()
  net.aggressive = true
  net.lines = ['10.0.0.1']
  net.add('liar', '10.0.0.1:1947', {
    peers: Array.from({ length: 1000 }, (_, index) => ({
      agent: idOf(`made-up-${index}`),
      name: 'x',
      addresses: Array.from({ length: 16 }, (_, at) => `10.9.${index % 256}.${at}:${2000 + index}`),
    })),
  })
  net.add('innocent', '10.9.0.0:2000')
  net.search.start()
  await net.clock.run(40_000)
  const aimed = net.probed.filter((place) => place.startsWith('10.9.'))
  t.true(aimed.length > 0 && aimed.length <= 64 * 4, `${aimed.length} places`)
  t.is(net.of('innocent'), undefined)
  await net.clock.run(600_000)
  t.is(new Set(net.probed.filter((place) => place.startsWith('10.9.'))).size, new Set(aimed).size)
})

// ---- parts

test('a gate lets so many in at a time and the others in their order, whatever becomes of them', async (t) => {
  const gate = new Gate(2)
  const order: number[] = []
  let inside = 0
  const tasks = Array.from({ length: 10 }, (_, index) =>
    gate
      .run(async () => {
        t.true(++inside <= 2)
        order.push(index)
        await new Promise((resolve) => setImmediate(resolve))
        inside -= 1
        if (index % 3 === 0) throw new Error('it failed')
      })
      .catch(() => undefined),
  )
  await Promise.all(tasks)
  t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.is(await gate.run(async () => 5), 5)
})

test('steps of a search are events of the agent, so that a page can follow them', (t) => {
  const events = new Events('start-1')
  const heard: string[] = []
  events.follow(({ type }) => heard.push(type))
  const step = { number: 1, address: '10.0.0.5:1947', foundBy: 'configured', step: 'answer', result: 'found' } as const
  events.publish('search.step', { search: 's', ...step, detail: '', addresses: 1 })
  events.publish('search.changed', { id: 's', state: 'done' })
  t.deepEqual(heard, ['search.step', 'search.changed'])
  t.deepEqual(findWrongLines([step.address]), [])
})
