import test from 'ava'
import { ManagerCalls, type PeerAnswered, type PeerCalls } from '../../agent/peers/manager-calls.ts'
import type { Unreachable } from '../../agent/peers/manager-link.ts'
import type { StreamListener } from '../../agent/peers/manager-stream.ts'
import type { LeaseGrant, PeerEvent, RenewalsAnswer } from '../../agent/peers/wire.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { agentId, askOf, leaseId, peer } from './desk-stand.ts'

const manager = agentId('R')
const ann = peer('a')
const id = leaseId('one')
const options = { timeout: 5_000 }

const lease: LeaseGrant = {
  id,
  product: 'acme/cad',
  seats: 1,
  license: 'l1',
  rule: 'session',
  leaseSeconds: 600,
  expiresIn: 600,
  freeIn: 615,
  renewIn: 200,
  depth: 3,
  chain: [manager],
  overlap: true,
  proof: [],
}

interface Stream {
  readonly listener: StreamListener
  isClosed: boolean
}

/** A transport that answers what it is told to. */
function transport() {
  const clock = new ManualClock()
  const asked: Parameters<PeerCalls['call']>[1][] = []
  const streams: Stream[] = []
  let next: PeerAnswered | Unreachable = { kind: 'answered', status: 204, body: undefined }
  let opens: 'works' | PeerAnswered | Unreachable = 'works'
  const calls = new ManagerCalls({
    calls: {
      call: async (_peer, request) => {
        asked.push(request)
        return next
      },
      stream: async (_peer, _request, listener) => {
        if (opens !== 'works') return opens
        const stream: Stream = { listener, isClosed: false }
        streams.push(stream)
        return {
          kind: 'open',
          close: () => {
            stream.isClosed = true
            listener.onEnd('closed here')
          },
        }
      },
    },
    clock,
    timers: clock,
    random: () => 0.5,
    self: ann.id,
  })
  return {
    clock,
    asked,
    streams,
    calls,
    link: calls.linkTo({ id: manager, name: 'Manager', addresses: ['192.0.2.1'] }),
    answer: (status: number, body?: unknown) => {
      next = { kind: 'answered', status, body }
    },
    fail: (failure: Unreachable) => {
      next = failure
    },
    open: (how: typeof opens) => {
      opens = how
    },
  }
}

const lost: Unreachable = { kind: 'unreachable', unsent: true, step: 'connect', detail: 'Nobody answers.' }

test('a lease is asked for by its id, and what the manager says comes back as a value', async (t) => {
  const { link, answer, fail, asked } = transport()
  const ask = askOf(ann, { agent: agentId('x'), chain: [agentId('x'), ann.id] })
  answer(201, lease)
  t.deepEqual(await link.ask(id, ask, options), { kind: 'granted', lease })
  t.deepEqual(asked, [{ method: 'PUT', path: `/leases/${id}`, body: ask, via: [agentId('x')] }])
  answer(202, { position: 2, waiting: 3, retryIn: 5 })
  t.deepEqual(await link.ask(id, ask, options), { kind: 'queued', position: 2, waiting: 3, retryIn: 5 })
  answer(409, { code: 'no_seats', detail: 'None.', largest: 2, type: 'urn:x', status: 409 })
  t.deepEqual(await link.ask(id, ask, options), {
    kind: 'refused',
    status: 409,
    problem: { code: 'no_seats', detail: 'None.', largest: 2 },
  })
  fail(lost)
  t.is(await link.ask(id, ask, options), lost)
  answer(204)
  t.deepEqual(await link.release(id, options), { kind: 'acknowledged' })
  t.like(asked.at(-1), { method: 'DELETE', path: `/leases/${id}`, body: undefined })
  fail(lost)
  t.is(await link.release(id, options), lost)
})

test('what nothing was decided by is no refusal: the lease may be there, so it is cancelled', async (t) => {
  const { link, answer } = transport()
  for (const [status, body] of [
    [503, { code: 'store_unavailable', detail: 'Ask again.' }],
    [500, { code: 'internal_error' }],
    [502, { code: 'of_a_later_version' }],
    [502, '<html>'],
    [404, undefined],
    [200, {}],
    [202, { position: 0 }],
    [301, { code: 'no_seats' }],
  ] as const) {
    answer(status, body)
    const reply = await link.ask(id, askOf(ann), options)
    t.like(reply, { kind: 'unreachable', unsent: false, step: 'answer' }, `${status} ${JSON.stringify(body)}`)
  }
  for (const code of ['serving_stopped', 'remote_access_off', 'manager_unreachable']) {
    answer(503, { code })
    t.like(await link.ask(id, askOf(ann), options), { kind: 'refused', problem: { code } })
  }
  answer(409, { code: 'of_a_later_version' })
  t.like(await link.ask(id, askOf(ann), options), { kind: 'refused' })
})

test('a lease that can not be true is as good as no answer', async (t) => {
  const { link, answer } = transport()
  const ask = askOf(ann, { seats: 2 })
  const good = { ...lease, seats: 2 }
  const lies: readonly Partial<Record<keyof LeaseGrant, unknown>>[] = [
    { id: leaseId('two') },
    { product: 'acme/cam' },
    { feature: 'draw' },
    { seats: 3 },
    { seats: 1 },
    { seats: 1e12 },
    { expiresIn: 601 },
    { expiresIn: 600, freeIn: 599 },
    { leaseSeconds: 1e9, expiresIn: 1e9, freeIn: 1e9 },
    { leaseSeconds: 5 },
    { chain: [agentId('x')] },
    { chain: [manager, manager] },
    { chain: [ann.id, manager] },
    { chain: [] },
    { depth: 5 },
    { proof: ['x'.repeat(100_000)] },
    { rule: 'all' },
  ]
  answer(200, good)
  t.like(await link.ask(id, ask, options), { kind: 'granted' })
  for (const lie of lies) {
    answer(200, { ...good, ...lie })
    t.like(await link.ask(id, ask, options), { kind: 'unreachable', step: 'answer' }, JSON.stringify(lie).slice(0, 80))
  }
  answer(200, { ...lease, key: { rule: 'host', parts: ['x'] }, rule: 'host' })
  t.like(await link.ask(id, askOf(ann, { purpose: 'reserve', seats: 4 }), options), { kind: 'unreachable' })
  answer(200, lease)
  t.like(await link.ask(id, askOf(ann, { purpose: 'reserve', seats: 4 }), options), { kind: 'granted' })
})

test('renewals: what was not asked for is left out, news of a later version too, and lies are no answer', async (t) => {
  const { link, answer, asked } = transport()
  const other = leaseId('two')
  const renewed = { id, outcome: 'renewed', seats: 1, expiresIn: 600, freeIn: 615, renewIn: 200 } as const
  const ended: PeerEvent = { kind: 'ended', lease: other, reason: 'disconnected' }
  answer(200, {
    roots: {},
    results: [renewed, renewed, { id: leaseId('foreign'), outcome: 'unknown' }, { id: other, outcome: 'unknown' }],
    news: [ended, { kind: 'of a later version' }],
  })
  const told: RenewalsAnswer = { roots: {}, results: [renewed, { id: other, outcome: 'unknown' }], news: [ended] }
  t.deepEqual(await link.renew([id, other], options), { kind: 'answered', answer: told })
  t.deepEqual(asked, [{ method: 'POST', path: '/renewals', body: { leases: [id, other] } }])
  for (const results of [
    [{ ...renewed, freeIn: 1 }],
    [{ ...renewed, expiresIn: -1 }],
    'none',
    [{ id, outcome: 'x' }],
  ]) {
    answer(200, { roots: {}, results, news: [] })
    t.like(await link.renew([id], options), { kind: 'unreachable', step: 'answer' })
  }
  answer(503, { code: 'remote_access_off' })
  t.like(await link.renew([id], options), { kind: 'refused', status: 503 })
})

test('one stream serves all who follow a manager, and is opened again a little later each time it breaks', async (t) => {
  const { link, streams, clock, open, calls } = transport()
  const heard: string[] = []
  const follow = (name: string) =>
    link.follow({
      onEvent: (event) => heard.push(`${name} ${event.kind}`),
      onUp: () => heard.push(`${name} up`),
    })
  const leaveA = follow('a')
  await clock.run(1)
  const leaveB = follow('b')
  t.is(streams.length, 1)
  const hear = (name: string, data: unknown) => streams.at(-1)?.listener.onEvent(name, data)
  hear('policy', {})
  for (const [name, data] of [
    ['ended', { lease: 'x' }],
    ['later version', {}],
    ['policy', null],
    ['policy', 'text'],
  ] as const)
    hear(name, data)
  hear('ended', { kind: 'policy', lease: id, reason: 'idle' })
  t.deepEqual(heard, ['a up', 'b up', 'a policy', 'b policy', 'a ended', 'b ended'])
  heard.length = 0
  await clock.run(20_000)
  streams[0]?.listener.onEnd('broke')
  await clock.run(999)
  t.is(streams.length, 1)
  await clock.run(2)
  t.is(streams.length, 2)
  t.deepEqual(heard, ['a up', 'b up'])
  open(lost)
  streams[1]?.listener.onEnd('broke')
  let attempts = 0
  open('works')
  for (const pause of [2_000, 4_000, 8_000]) {
    await clock.run(pause - 10)
    t.is(streams.length, 2 + attempts)
    await clock.run(20)
    attempts += 1
    t.is(streams.length, 2 + attempts)
    streams.at(-1)?.listener.onEnd('broke')
  }
  open({ kind: 'answered', status: 403, body: undefined })
  await clock.run(600_000)
  open('works')
  await clock.run(61_000)
  t.is(streams.length, 6)
  leaveA()
  leaveA()
  t.false(streams[5]?.isClosed)
  leaveB()
  t.true(streams[5]?.isClosed)
  await clock.run(600_000)
  t.is(streams.length, 6)
  t.is(clock.waiting, 0)
  follow('c')
  await clock.run(1)
  t.is(streams.length, 7)
  calls.close()
  t.true(streams[6]?.isClosed)
  t.is(clock.waiting, 0)
})

test('a stream that opens after nobody follows any more is closed at once', async (t) => {
  const { link, streams, clock } = transport()
  const leave = link.follow({ onEvent: () => t.fail(), onUp: () => t.fail() })
  leave()
  await clock.run(1)
  t.is(streams.length, 1)
  t.true(streams[0]?.isClosed)
  t.is(clock.waiting, 0)
})
