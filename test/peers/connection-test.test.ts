import test from 'ava'
import { ok } from '../../agent/http/reply.ts'
import { defineRoute } from '../../agent/http/route.ts'
import { ConnectionTest, type ConnectionTestParts } from '../../agent/peers/connection-test.ts'
import { itself } from '../../agent/peers/meeting.ts'
import { PeerProber } from '../../agent/peers/peer-prober.ts'
import { systemNetwork } from '../../agent/peers/system-network.ts'
import { systemTimers } from '../../agent/system-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { idOf, makeOffer, Neighborhood } from './neighborhood.ts'
import { PeerAgent } from './peer-agent.ts'

const open = new AbortController().signal
/** ms that something which comes for sure may take, on a machine that is busy. */
const patience = 30_000

async function run(net: Neighborhood, address: string, proxy?: ConnectionTestParts['proxy']) {
  const connection = new ConnectionTest({
    ...(proxy && { proxy }),
    network: net,
    prober: net,
    timers: net.clock,
    now: () => net.clock.atLeast(),
    self: net.self,
  })
  let isDone = false
  const tested = connection.run(address, open).finally(() => {
    isDone = true
  })
  while (!isDone) await net.clock.run(10)
  const report = await tested
  if (report.kind === 'refused') throw new Error(report.detail)
  return { ...report, outcomes: report.steps.map(({ step, outcome }) => `${step} ${outcome}`).join(', ') }
}

test('a test tells name, TCP, TLS, identity, version, latency, clock difference and licenses', async (t) => {
  const net = new Neighborhood()
  net.names.set('license.example', ['10.0.0.5', 'fd00::5'])
  net.add('LIC-1', '10.0.0.5:1947', { delay: 7, ahead: -125_000, offers: [makeOffer({ used: 2 })] })
  const report = await run(net, 'license.example')
  t.is(
    report.outcomes,
    'name passed, tcp passed, tls passed, identity passed, version passed, latency passed, clock passed, licenses passed',
  )
  t.true(report.reached)
  t.like(report.agent, { id: idOf('LIC-1'), name: 'LIC-1' })
  const said = report.steps.map(({ detail }) => detail).join('\n')
  for (const part of [
    'stands for 10.0.0.5, fd00::5',
    '10.0.0.5:1947 takes',
    'LIC-1',
    'version 1',
    '7 ms',
    '125 s behind',
    'acme/cad (3 of 5 free)',
  ])
    t.true(said.includes(part), part)
  t.regex(report.steps[6]?.help ?? '', /Set the clock right/)
})

test('a manager behind the outgoing proxy is tested through it, also where only the proxy knows its name', async (t) => {
  const net = new Neighborhood()
  net.add('far', 'far.example:1947')
  let isGood = true
  const failed = { step: 'login', outcome: 'failed', detail: 'the proxy wants another password' } as const
  const proxy: ConnectionTestParts['proxy'] = {
    leadsTo: async ({ host }) => host === 'far.example',
    test: async () => ({ way: 'proxy', good: isGood, steps: isGood ? [] : [failed], ms: 5 }),
  }
  t.true((await run(net, 'far.example', proxy)).reached)
  isGood = false
  const report = await run(net, 'far.example', proxy)
  t.regex(report.outcomes, /^name passed, tcp failed, tls skipped/)
  t.is(report.steps[1]?.detail, 'By the outgoing proxy: the proxy wants another password.')
  t.regex(report.steps[1]?.help ?? '', /Configuration > Network/)
  t.regex((await run(net, 'near.example', proxy)).outcomes, /^name failed/)
})

test('the step that fails says what to ask the network administrator for, and those after it are skipped', async (t) => {
  const net = new Neighborhood()
  net.adapterList = [{ name: 'eth0', family: 'IPv4', address: '10.0.0.9', prefix: 24, internal: false }]
  net.add('old', '10.0.0.6:1947', { failure: { step: 'version', detail: 'Update old.' } })
  net.add('web', '10.0.0.7:1947', { failure: { step: 'tls', detail: 'It speaks no TLS.' } })
  net.add('mute', '10.0.0.8:1947', { failure: { step: 'answer', detail: 'It says nothing.' } })
  net.add('self', '10.0.0.13:1947', { failure: { step: 'identity', detail: `10.0.0.13:1947: ${itself}.` } })
  net.add('stopped', '10.0.0.10:1947', { serving: 'serving_stopped' })
  net.add('bare', '10.0.0.11:1947', { offers: [] })
  net.add('waits', '10.0.0.12:1947', {
    refused: { kind: 'refused', status: 403, problem: { code: 'approval_pending', detail: 'Wait.' } },
  })
  const table = [
    ['nowhere.example', 'name', /name nowhere\.example/],
    ['10.0.0.5', 'tcp', /let TCP port 1947 through from this machine \(10\.0\.0\.9\) to 10\.0\.0\.5/],
    ['10.0.0.7', 'tls', /an agent listens there/],
    ['10.0.0.8', 'identity', /an agent listens there/],
    [`${idOf('other')}@10.0.0.10`, 'identity', /ask its administrator for its id/],
    ['10.0.0.13', 'identity', /address of this very machine/],
    ['10.0.0.6', 'version', /Update the older/],
    ['10.0.0.10', 'licenses', /start it on the Service page/],
    ['10.0.0.11', 'licenses', /Install and activate/],
    ['10.0.0.12', 'licenses', /approve this machine/],
  ] as const
  for (const [address, step, help] of table) {
    const report = await run(net, address)
    t.false(report.reached, address)
    const failed = report.steps.filter(({ outcome }) => outcome === 'failed')
    t.deepEqual(
      failed.map((one) => one.step),
      [step],
      `${address}: ${report.outcomes}`,
    )
    t.regex(failed[0]?.help ?? '', help, address)
    const after = report.steps.slice(report.steps.findIndex(({ outcome }) => outcome === 'failed') + 1)
    t.true(
      after.every(({ outcome }) => outcome === 'skipped'),
      report.outcomes,
    )
    t.is(report.steps.length, 8)
  }
})

test('a range is tested address by address, and a large one is for the search', async (t) => {
  const net = new Neighborhood()
  net.add('LIC-1', '10.1.2.7:1947')
  net.add('web', '10.1.2.8:1947', { failure: { step: 'tls', detail: 'no TLS' } })
  const found = await run(net, '10.1.2.255')
  t.true(found.reached === false || found.steps[1]?.outcome === 'passed')
  t.is(found.steps[1]?.detail, '2 of 256 addresses take connections on port 1947.')
  t.is(found.steps[3]?.detail, 'Agents: LIC-1 at 10.1.2.7:1947.')
  const none = await run(net, '10.3.2.0/28')
  t.is(none.outcomes.split(', ')[1], 'tcp failed')
  await t.throwsAsync(run(net, '10.3.0.0/16'), { message: /at most 1024 addresses/ })
  await t.throwsAsync(run(net, '10.0.0.300'), { message: /four numbers/ })
})

// ---- over the real transport

test('an agent that is too busy to say who it is counts as one that does not answer, not as somebody else', async (t) => {
  const [asker, manager] = [await PeerAgent.start({ name: 'WS-1' }), await PeerAgent.start({ name: 'LIC-1' })]
  t.teardown(() => Promise.all([asker.stop(), manager.stop()]))
  while (manager.door.greet('127.0.0.1') === undefined);
  const meet = () => asker.client.meet(`127.0.0.1:${manager.port}`, { timeout: 5000 })
  let isOver = false
  const meeting = meet().finally(() => {
    isOver = true
  })
  // It asks again for as long as it has time.
  await waitFor(
    'the end of the meeting',
    () => {
      asker.clock.advance(100)
      return isOver
    },
    patience,
  )
  t.like(await meeting, { kind: 'unreachable', unsent: true, step: 'answer' })
  manager.clock.advance(1000)
  t.is((await meet()).kind, 'met')
})

test('a real agent is met, tested and asked what it offers; another id at its address is nobody', async (t) => {
  const offers = defineRoute({
    method: 'GET',
    path: '/peer/v1/offers',
    guard: 'peer',
    operation: 'offers',
    summary: 'What it offers',
    example: { answers: {} },
    answers: {},
    handle: ({ peer }) => ok({ instance: peer?.id ?? '', serving: 'open', offers: [makeOffer()] }),
  })
  const manager = await PeerAgent.start({ name: 'LIC-1', routes: [offers] })
  const asker = await PeerAgent.start({ name: 'WS-7' })
  t.teardown(() => Promise.all([manager.stop(), asker.stop()]))
  const prober = new PeerProber(asker.client)
  const place = { host: '127.0.0.1', port: manager.port }
  const met = await prober.probe(place, undefined, open)
  t.like(met, { kind: 'met', version: 1 }, JSON.stringify(met))
  if (met.kind === 'met') t.is(met.hello.agent, manager.id)
  const other = await prober.probe(place, idOf('other'), open)
  t.like(other, { kind: 'unreachable', step: 'identity' })
  const peer = { id: manager.id, name: 'LIC-1', addresses: [`127.0.0.1:${manager.port}`] }
  // Both sides know each other before seats are talked about.
  if (met.kind === 'met') await asker.book.meet({ key: met.hello.key, name: 'LIC-1', address: peer.addresses[0] ?? '' })
  const answer = await prober.offers(peer, { timeout: patience })
  t.is(answer.kind === 'answered' && answer.value.offers[0]?.product, 'acme/cad')
  t.deepEqual(await prober.peers(peer, { timeout: patience }), { kind: 'answered', value: { peers: [] } })

  const test = new ConnectionTest({
    network: systemNetwork(systemTimers),
    prober,
    timers: systemTimers,
    now: () => performance.timeOrigin,
    self: asker.id,
  })
  const report = await test.run(`localhost:${manager.port}`, open)
  t.true(report.kind === 'tested' && report.reached, JSON.stringify(report))
  const refused = await PeerAgent.start({ name: 'LIC-2' })
  t.teardown(() => refused.stop())
  const without = await test.run(`127.0.0.1:${refused.port}`, open)
  t.true(without.kind === 'tested' && !without.reached && without.steps.at(-1)?.outcome === 'failed')
})

test('the network of this machine tells open, closed and silent apart, and knows names', async (t) => {
  const network = systemNetwork(systemTimers)
  const agent = await PeerAgent.start()
  const place = { host: '127.0.0.1', port: agent.port }
  t.deepEqual(await network.knock(place, patience, open), { kind: 'open' })
  await agent.stop()
  t.like(await network.knock(place, patience, open), { kind: 'closed' })
  const stopper = new AbortController()
  const silent = network.knock({ host: '192.0.2.1', port: 1947 }, 60_000, stopper.signal)
  stopper.abort()
  t.not((await silent).kind, 'open')
  const resolved = await network.resolve('localhost', patience)
  t.true(resolved.kind === 'resolved' && resolved.addresses.some((one) => one === '127.0.0.1' || one === '::1'))
  t.like(await network.resolve('nowhere.invalid', patience), { kind: 'unknown' })
  t.true(
    await waitFor('loopback', () =>
      network.adapters().some(({ internal, address }) => internal && address === '127.0.0.1'),
    ),
  )
})
