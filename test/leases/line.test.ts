import test from 'ava'
import type { LeaseCommand } from '../../agent/domain/seats.ts'
import type { LeaseReply } from '../../agent/peers/manager-link.ts'
import type { FakeManager } from './fake-manager.ts'
import { codeOf, type Place, placeWith, second, self, turn } from './place.ts'

/** Another agent asks this one, which has no seats of its own, and passes them on. */
function leaseFor(agent: string): LeaseCommand {
  return {
    kind: 'lease',
    id: `${agent}/a-lease-of-that-agent`,
    instance: self.id,
    holder: agent,
    product: 'acme/cad',
    seats: 1,
    who: {},
    body: 'body',
    activity: 'heartbeat',
    waited: false,
    lease: { purpose: 'session', facts: { agent }, chain: [agent] },
  }
}

async function findFor(place: Place, wait: number): Promise<{ readonly kind: string }> {
  return (await place.finder.find(leaseFor('agent-2'), { wait: wait * second })).answer
}

/** What the manager answers goes through `change`. */
function changeAnswers(manager: FakeManager, change: (reply: LeaseReply) => LeaseReply): void {
  const ask = manager.ask.bind(manager)
  manager.ask = async (...asked) => change(await ask(...asked))
}

test('R30: who comes second waits, too, where nothing but other managers has the product', async (t) => {
  const { place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const first = place.open('key-1', { wait: 60 })
  await turn()
  const second = place.open('key-2', { wait: 60 })
  await turn()
  t.is(place.broker.queue().length, 2)
  t.is(codeOf(await place.open('key-3')), 'no_seats')
  manager(1).occupy(-1)
  const got = await first
  t.is(codeOf(got), 'opened')
  if (got.kind === 'opened') await place.close(got.session)
  t.is(codeOf(await second), 'opened')
})

test('R30: a manager that is out of reach for a moment costs nobody the place in the line', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  place.network.lostIds.add('manager-1')
  place.network.change()
  place.finder.noteSeats({ kind: 'supplies' })
  await turn()
  t.is(place.broker.queue().length, 1)
  place.network.lostIds.clear()
  place.network.change()
  manager(1).occupy(-1)
  await clock.run(6 * second)
  t.is(codeOf(await waiting), 'opened')
})

test('R10: a lease that is too short to be passed on goes back, and the lines of other managers are kept', async (t) => {
  const { clock, place, manager } = await placeWith([{ leaseSeconds: 20 }, { leaseSeconds: 120 }])
  for (const number of [1, 2]) manager(number).occupy(1)
  const waiting = findFor(place, 200)
  await turn()
  manager(1).occupy(-1)
  await clock.run(2 * second)
  t.is(manager(1).leases.size, 0)
  t.is(manager(2).line.length, 1)
  manager(2).occupy(-1)
  await turn()
  t.is((await waiting).kind, 'granted')
  await clock.run(2 * second)
  t.deepEqual(place.held().length, 1)
})

test('R10: where every seat there is comes for too short a time, that is what is said', async (t) => {
  const { place, manager } = await placeWith([{ leaseSeconds: 20 }])
  t.is((await findFor(place, 0)).kind, 'lease_too_short')
  await turn()
  t.is(manager(1).leases.size, 0)
  // For an application of this machine it is long enough.
  await place.get('key-1')
})

test('R30: a seat that is offered for a moment is asked for once more before it is passed on', async (t) => {
  const { clock, place, manager } = await placeWith([{ leaseSeconds: 120 }])
  let isFirst = true
  changeAnswers(manager(1), (reply) => {
    if (reply.kind !== 'granted' || !isFirst) return reply
    isFirst = false
    return { kind: 'granted', lease: { ...reply.lease, expiresIn: 10, freeIn: 25, offered: true } }
  })
  manager(1).occupy(1)
  const waiting = findFor(place, 200)
  await turn()
  manager(1).occupy(-1)
  await clock.run(second)
  t.is((await waiting).kind, 'granted')
  t.is(manager(1).leases.size, 1)
})

test('R7: a request that its manager has ended in the line is not sent again; another one takes the place', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  const [before = ''] = manager(1).line
  manager(1).say({ kind: 'ended', lease: before, reason: 'serving_stopped' })
  await clock.run(8 * second)
  const sent = manager(1).calls.filter((one) => one.endsWith(before))
  t.deepEqual(sent, [`ask ${before}`, `release ${before}`])
  t.is(manager(1).line.length, 1)
  manager(1).occupy(-1)
  await turn()
  t.is(codeOf(await waiting), 'opened')
})

test('R7: when what was granted could not be stored, the same request finds the same lease', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const failing = t.throwsAsync(place.open('key-1', { wait: 60 }), { code: 'store_unavailable' })
  await turn()
  place.store.failCommits('before')
  manager(1).occupy(-1)
  await clock.run(second)
  await failing
  const again = place.open('key-1', { wait: 60 })
  await clock.run(10 * second)
  t.is(codeOf(await again), 'opened')
  await clock.run(20 * second)
  t.is(manager(1).leases.size, 1)
  t.deepEqual(place.held(), [...manager(1).leases.keys()])
})

test('R32: who only passes on the seats of a manager that is asked itself is not asked when there are none', async (t) => {
  const { place, manager } = await placeWith([{}, { chain: ['manager-1'], seats: 2 }, { chain: ['manager-9'] }])
  for (const number of [1, 3]) manager(number).occupy(1)
  manager(2).occupy(2)
  t.is(codeOf(await place.open('key-1')), 'no_seats')
  t.deepEqual(
    [1, 2, 3].map((number) => manager(number).asks.length),
    [1, 0, 1],
  )
  // It has some in reserve.
  manager(2).occupy(-1)
  t.is((await place.get('key-2')).source.manager.id, 'manager-2')
})
