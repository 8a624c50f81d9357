import test, { type ExecutionContext } from 'ava'
import { leaseRoutes, PeerStreams } from '../../agent/http/peer-api/leases.ts'
import type { Route } from '../../agent/http/route.ts'
import { ManagerCalls } from '../../agent/peers/manager-calls.ts'
import { offersSchema, type PeerEvent } from '../../agent/peers/wire.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { askOf, type DeskStand, deskStand, leaseId, pool } from '../peers/desk-stand.ts'
import { makeKey, PeerAgent } from '../peers/peer-agent.ts'

const options = { timeout: 5_000 }
const patience = 10_000

interface Pair {
  readonly stand: DeskStand
  readonly manager: PeerAgent
  readonly holder: PeerAgent
  readonly streams: PeerStreams
  readonly link: ReturnType<ManagerCalls['linkTo']>
}

/** A manager with a desk and an agent that knows it, on real ports. */
async function pair(t: ExecutionContext, seats = 2): Promise<Pair> {
  const key = makeKey()
  const stand = await deskStand({ supplies: [pool(seats)], desk: { self: key.id } })
  const streams = new PeerStreams(stand.clock)
  const manager = await PeerAgent.start({ name: 'MANAGER', key, routes: leaseRoutes(stand.desk, streams) })
  const holder = await PeerAgent.start({ name: 'WS-17' })
  const calls = new ManagerCalls({
    calls: holder.client,
    clock: holder.clock,
    timers: holder.clock,
    random: () => 0.5,
    self: holder.id,
  })
  t.teardown(async () => {
    calls.close()
    streams.endAll()
    await holder.stop()
    await manager.stop()
  })
  return { stand, manager, holder, streams, link: calls.linkTo({ ...manager.address, name: 'MANAGER' }) }
}

test('a lease over the wire: asked for, repeated, renewed, given back, and never again', async (t) => {
  const both = await pair(t)
  const { stand, holder, manager, link } = both
  const ask = askOf({ id: holder.id, name: 'WS-17', address: '' })
  const id = leaseId('one')
  const first = await link.ask(id, ask, options)
  t.like(first, { kind: 'granted', lease: { id, expiresIn: 600, chain: [manager.id] } })
  t.like(await link.ask(id, ask, options), { kind: 'granted' })
  t.is(stand.used(), 1)
  t.like(stand.lessor.view.grant(`${holder.id}/${id}`)?.who, { host: 'WS-17', address: '127.0.0.1' })
  t.like(await link.ask(id, { ...ask, seats: 2 }, options), {
    kind: 'refused',
    status: 422,
    problem: { code: 'id_conflict' },
  })
  const renewed = await link.renew([id, leaseId('two')], options)
  t.like(renewed, { kind: 'answered', answer: { results: [{ id, outcome: 'renewed' }, { outcome: 'unknown' }] } })
  t.deepEqual(await link.release(id, options), { kind: 'acknowledged' })
  t.deepEqual(await link.release(id, options), { kind: 'acknowledged' })
  t.like(await link.ask(id, ask, options), {
    kind: 'refused',
    status: 410,
    problem: { code: 'session_ended', reason: 'released' },
  })
  t.like(await link.ask(leaseId('three'), { ...ask, chain: [manager.id, holder.id], agent: manager.id }, options), {
    kind: 'refused',
    status: 508,
  })
  t.is(stand.used(), 0)
})

test('the line and the news over the wire: 202 while it waits, then an event and the seat', async (t) => {
  const both = await pair(t, 1)
  const { stand, holder, link } = both
  await stand.session('local')
  const heard: PeerEvent[] = []
  let ups = 0
  const leave = link.follow({ onEvent: (event) => heard.push(event), onUp: () => (ups += 1) })
  await waitFor('the stream', () => ups === 1, patience)
  const ask = askOf({ id: holder.id, name: 'WS-17', address: '' }, { wait: 60 })
  const id = leaseId('one')
  t.deepEqual(await link.ask(id, ask, options), { kind: 'queued', position: 1, waiting: 1, retryIn: 5 })
  await stand.lessor.end('local', 'released')
  await waitFor('the offer', () => heard.some((event) => event.kind === 'seat-offered'), patience)
  t.like(await link.ask(id, ask, options), { kind: 'granted', lease: { expiresIn: 600 } })
  await stand.lessor.disconnect(`${holder.id}/${id}`, 'disconnected')
  await waitFor('the end', () => heard.some((event) => event.kind === 'ended'), patience)
  t.deepEqual(
    heard.find((event) => event.kind === 'ended'),
    { kind: 'ended', lease: id, reason: 'disconnected' },
  )
  stand.clock.advance(15_000)
  both.streams.endAll()
  await waitFor('the end of the stream', () => stand.desk.streams === 0, patience)
  leave()
})

test('what is no request of the wire is refused before the desk hears of it', async (t) => {
  const both = await pair(t)
  const { stand, holder, manager } = both
  const ask = askOf({ id: holder.id, name: 'WS-17', address: '' })
  const call = async (method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown) => {
    const answer = await holder.client.call(manager.address, { method, path, body }, options)
    return answer.kind === 'answered' ? answer.status : answer.kind
  }
  const id = leaseId('one')
  t.is(await call('PUT', `/leases/${id}`, { ...ask, surprise: 1 }), 422)
  t.is(await call('PUT', `/leases/${id}`, { ...ask, seats: 0 }), 422)
  t.is(await call('PUT', '/leases/short', ask), 404)
  t.is(await call('PUT', `/leases/${'x'.repeat(65)}`, ask), 404)
  t.is(await call('PUT', `/leases/${encodeURIComponent(`${holder.id}/x`)}`, ask), 404)
  t.is(await call('POST', '/renewals', { leases: [] }), 422)
  t.is(await call('POST', '/renewals', { leases: Array(501).fill(id) }), 422)
  const offers = await holder.client.call(manager.address, { method: 'GET', path: '/offers' }, options)
  t.like(offers.kind === 'answered' ? offersSchema.parse(offers.body) : offers, { serving: 'open' })
  t.is(stand.lessor.view.grantCount, 0)
})

test('the examples of the calls between agents have the shapes that they are described with', (t) => {
  const [parts, streams] = [{}, {}] as unknown as Parameters<typeof leaseRoutes>
  const routes: readonly Route[] = leaseRoutes(parts, streams)
  for (const { operation, guard, example, params, body, answers } of routes) {
    t.is(guard, 'peer')
    if (params) t.notThrows(() => params.parse(example.params), operation)
    if (body) t.notThrows(() => body.parse(example.body), operation)
    for (const [status, { schema }] of Object.entries(answers))
      if (schema) t.deepEqual(schema.parse(example.answers[Number(status)]), example.answers[Number(status)], operation)
  }
})
