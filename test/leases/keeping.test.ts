import test from 'ava'
import type { FakeManager } from './fake-manager.ts'
import { codeOf, placeWith, second, turn } from './place.ts'

const ana = { user: { email: 'ana@x.example' } }

function callsOf(manager: FakeManager, what: string): string[] {
  return manager.calls.filter((one) => one.startsWith(what))
}

// ---- renewals

test('R21: leases are renewed after a third of what was promised, all of a manager in one call', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 10 }])
  for (let index = 0; index < 10; index++) await place.get(`key-${index}`)
  await clock.run(195 * second)
  t.deepEqual(callsOf(manager(1), 'renew'), [])
  await clock.run(10 * second)
  t.deepEqual(callsOf(manager(1), 'renew'), ['renew 10'])
  await clock.run(400 * second)
  t.deepEqual(callsOf(manager(1), 'renew'), ['renew 10', 'renew 10', 'renew 10'])
})

test('R21: a renewal call that fails is halved until only what can not be answered is left', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 10 }])
  for (let index = 0; index < 7; index++) await place.get(`key-${index}`)
  manager(1).mostRenewals = 2
  await clock.run(205 * second)
  t.deepEqual(callsOf(manager(1), 'renew'), [
    'renew 7',
    'renew 4',
    'renew 2',
    'renew 2',
    'renew 3',
    'renew 2',
    'renew 1',
  ])
  for (const id of place.held()) t.true(place.leases.left(id) > 590 * second)
})

test('R21: at most 500 leases are renewed with one call', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 1100 }])
  await Promise.all(Array.from({ length: 1100 }, (_, index) => place.get(`key-${index}`)))
  await clock.run(220 * second)
  t.deepEqual(callsOf(manager(1), 'renew'), ['renew 500', 'renew 500', 'renew 100'])
})

test('what is promised counts from before the request was sent, and the proof is the newest', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).delay = 3 * second
  const opening = place.get('key-1')
  await turn()
  await clock.run(3 * second)
  const session = await opening
  t.is(session.expiresIn, 597)
  const [id = ''] = place.held()
  t.deepEqual(place.leases.linksOf(id), { links: ['license', 'activation', `lease of ${id}`] })
  await clock.run(205 * second)
  t.deepEqual(place.leases.linksOf(id), { links: ['license', 'activation', `lease of ${id} anew`] })
})

test('"later" is asked again when the manager said, and costs nothing', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).isLater = true
  await clock.run(220 * second)
  t.is(callsOf(manager(1), 'renew').length, 3)
  manager(1).isLater = false
  await clock.run(10 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
  t.true(place.leases.left(place.held()[0] ?? '') > 590 * second)
})

test('R32: what is overdue at a manager is renewed before something new is asked of it', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 5 }])
  await place.get('key-1')
  manager(1).isUp = false
  await clock.run(230 * second)
  manager(1).isUp = true
  manager(1).calls.length = 0
  await place.get('key-2')
  await clock.run(20 * second)
  t.is(manager(1).calls[0], 'renew 1')
})

test('R21: a lease is renewed first for who lives on it, where less than two thirds are left', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  await place.get('key-1')
  const [id = ''] = place.held()
  await clock.run(100 * second)
  await place.remote.renewals.renewFirst(id)
  t.deepEqual(callsOf(manager(1), 'renew'), [])
  manager(1).isUp = false
  await clock.run(150 * second)
  manager(1).isUp = true
  await place.remote.renewals.renewFirst(id)
  t.true(place.leases.left(id) > 590 * second)
  t.deepEqual(place.troubles, [])
})

test('R19: fewer seats are taken as they are told, and a later end with them', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 3 }])
  await place.get('key-1', { seats: 3 })
  const [lease] = manager(1).leases.values()
  if (!lease) return t.fail()
  lease.seats = 2
  await clock.run(205 * second)
  const [id = ''] = place.held()
  t.is(place.lessor.view.supply(id)?.seats, 2)
  t.true(place.leases.left(id) > 590 * second)
  return undefined
})

// ---- the manager can't be reached

test('a manager that is gone costs nobody the seat before the lease is over, and then it is lost', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).isUp = false
  let last = 600
  for (let beats = 0; beats < 5; beats++) {
    await clock.run(100 * second)
    const kept = await place.beat(session)
    if (kept.kind !== 'kept') return t.fail(codeOf(kept))
    t.true(kept.session.expiresIn <= last - 99)
    last = kept.session.expiresIn
  }
  await clock.run(102 * second)
  const over = await place.beat(session)
  t.is(codeOf(over), 'session_ended')
  t.like(over, { facts: { reason: 'lease_lost' } })
  t.deepEqual(place.states(), ['returning'], 'the manager is told when it is back')
  manager(1).comeBack()
  await clock.run(5 * second)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
  return undefined
})

test('after a cut the same lease goes on, whether or not the stream says that the manager is back', async (t) => {
  for (const isTold of [true, false]) {
    const { clock, place, manager } = await placeWith([{}])
    const session = await place.get('key-1')
    const held = place.held()
    manager(1).isUp = false
    await clock.run(500 * second)
    if (isTold) manager(1).comeBack()
    else manager(1).isUp = true
    await clock.run(isTold ? second : 35 * second)
    t.deepEqual(place.held(), held)
    const kept = await place.beat(session)
    t.true(kept.kind === 'kept' && kept.session.expiresIn > 560)
    t.is(manager(1).used, 1)
  }
})

test('R31: while its manager is gone, the same seats are looked for elsewhere, and the session moves when its lease is over', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  const session = await place.get('key-1', ana)
  t.is(session.source.manager.id, 'manager-1')
  manager(1).isUp = false
  await clock.run(290 * second)
  t.is(manager(2).used, 0)
  await clock.run(30 * second)
  t.is(manager(2).used, 1)
  const before = await place.beat(session)
  t.true(before.kind === 'kept' && before.session.source.manager.id === 'manager-1')
  await clock.run(285 * second)
  const after = await place.beat(session)
  t.true(after.kind === 'kept' && after.session.source.manager.id === 'manager-2')
  await clock.run(2000 * second)
  t.deepEqual([manager(1).used, manager(2).used], [0, 0], 'nobody beat any more')
  return undefined
})

test('what stands by for a lost manager goes back when that one returns in time', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  const session = await place.get('key-1', ana)
  manager(1).isUp = false
  await clock.run(400 * second)
  t.is(manager(2).used, 1)
  manager(1).comeBack()
  for (let beats = 0; beats < 4; beats++) {
    await clock.run(100 * second)
    const kept = await place.beat(session)
    t.true(kept.kind === 'kept' && kept.session.source.manager.id === 'manager-1')
  }
  t.is(manager(2).used, 0)
})

// ---- time

test('R9: after a sleep the manager is asked before anything is said, and its word counts', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  // What was promised is over; the manager still counts it, for its grace.
  clock.sleepMachine(605 * second)
  manager(1).delay = 2 * second
  const first = await place.beat(session)
  t.is(codeOf(first), 'manager_unreachable')
  t.like(first, { facts: { retryIn: 5 } })
  await clock.run(3 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
  t.is(manager(1).used, 1)
})

test('R9: a jump counts when the manager does not answer within 5 s', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  clock.sleepMachine(3600 * second)
  manager(1).isUp = false
  t.is(codeOf(await place.beat(session)), 'manager_unreachable')
  await clock.run(4 * second)
  t.is(codeOf(await place.beat(session)), 'manager_unreachable')
  await clock.run(3 * second)
  const over = await place.beat(session)
  t.is(codeOf(over), 'session_ended')
  t.like(over, { facts: { reason: 'lease_lost' } })
})

test('R9: a short sleep shortens what is left, and a wall that ran ahead counts like one', async (t) => {
  for (const jump of ['sleepMachine', 'pauseMachine'] as const) {
    const { clock, place, manager } = await placeWith([{}])
    const session = await place.get('key-1')
    manager(1).isUp = false
    clock[jump](300 * second)
    await clock.run(2 * second)
    const kept = await place.beat(session)
    t.true(kept.kind === 'kept' && kept.session.expiresIn < 300, jump)
    clock[jump](400 * second)
    t.is(codeOf(await place.beat(session)), 'manager_unreachable', jump)
    await clock.run(7 * second)
    t.is(codeOf(await place.beat(session)), 'session_ended', jump)
  }
})

test('R9: a repeat of a session whose lease is in doubt fetches no second seat', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 5 }])
  await place.get('key-1')
  // What was promised is over; the manager still counts it, for its grace.
  clock.sleepMachine(605 * second)
  manager(1).delay = 2 * second
  t.is(codeOf(await place.open('key-1')), 'manager_unreachable')
  await clock.run(5 * second)
  t.is(codeOf(await place.open('key-1')), 'opened')
  t.is(manager(1).asks.length, 1)
})

// ---- restarts

test('a restart in the same boot goes on from what is stored, with no word of the manager', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  await clock.run(100 * second)
  manager(1).isUp = false
  await place.restart('crash')
  const kept = await place.beat(session)
  t.true(kept.kind === 'kept' && kept.session.expiresIn <= 500 && kept.session.expiresIn > 480)
  manager(1).comeBack()
  await clock.run(3 * second)
  t.true(place.leases.left(place.held()[0] ?? '') > 590 * second)
})

test('R20: after a boot a lease grants and keeps nothing until its manager has confirmed it', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  await place.close(session)
  manager(1).isUp = false
  await place.restart('reboot')
  const [id = ''] = place.held()
  t.false(place.leases.isConfirmed(id))
  t.not(codeOf(await place.open('key-2')), 'opened')
  manager(1).comeBack()
  await clock.run(40 * second)
  t.true(place.leases.isConfirmed(id))
  t.is((await place.get('key-3')).source.kind, 'lease')
  t.is(manager(1).leases.size, 1)
})

test('R20: a session goes on after a boot when its manager confirms, and is told "later" until then', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).isUp = false
  await place.restart('reboot')
  t.is(codeOf(await place.beat(session)), 'manager_unreachable')
  manager(1).comeBack()
  await clock.run(3 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
  manager(1).isUp = false
  await place.restart('reboot')
  await clock.run(590 * second)
  t.is(codeOf(await place.beat(session)), 'manager_unreachable')
  await clock.run(15 * second)
  t.is(codeOf(await place.beat(session)), 'session_ended')
})

test('R1: a store that failed is read again, and no lease or session is lost', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 3 }])
  const session = await place.get('key-1')
  place.store.failCommits('before')
  await t.throwsAsync(place.open('key-2'), { code: 'store_unavailable' })
  await clock.run(3 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
  await place.get('key-2')
  await clock.run(60 * second)
  t.is(manager(1).used, 2)
})
