import test from 'ava'
import { LeaseViews } from '../../agent/lease-view.ts'
import type { FakeManager } from './fake-manager.ts'
import { codeOf, placeWith, second, turn } from './place.ts'

function callsOf(manager: FakeManager, what: string): string[] {
  return manager.calls.filter((one) => one.startsWith(what))
}

// ---- ended by the manager

test('R5: what the manager ends begins to end here at once, and is confirmed after the application has', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  const [id = ''] = place.held()
  await turn()
  manager(1).disconnect(id)
  await turn()
  t.is(place.lessor.view.grant(session.id)?.ending, 'disconnected')
  t.deepEqual(
    place.events.map(({ kind }) => kind).filter((kind) => kind === 'ending'),
    ['ending'],
  )
  t.is(manager(1).used, 1)
  t.deepEqual(callsOf(manager(1), 'release'), [])
  const over = await place.beat(session)
  t.like(over, { code: 'session_ended', facts: { reason: 'disconnected' } })
  await clock.run(4 * second)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
  t.is((await place.journal('lease.lost')).length, 1)
})

test('R5: a lease that is ended before it could be taken is not taken', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const ask = manager(1).ask.bind(manager(1))
  manager(1).ask = async (id, ...rest) => {
    const reply = await ask(id, ...rest)
    manager(1).disconnect(id)
    return reply
  }
  t.not(codeOf(await place.open('key-1')), 'opened')
  await clock.run(3 * second)
  t.is(place.lessor.view.grantCount, 0)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
})

test('R9: a jump shortens no doubt: a lease that was read after a boot waits for its manager as long as before', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).isUp = false
  await place.restart('reboot')
  await clock.run(second)
  clock.sleepMachine(60 * second)
  await clock.run(20 * second)
  t.deepEqual(place.states(), ['held'])
  manager(1).comeBack()
  await clock.run(40 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
})

test('R5: the same is heard with the answer to a renewal, where no stream is open', async (t) => {
  for (const how of ['result', 'news'] as const) {
    const { clock, place, manager } = await placeWith([{}])
    const session = await place.get('key-1')
    const [id = ''] = place.held()
    await turn()
    manager(1).followers.clear()
    if (how === 'result') manager(1).disconnect(id, 'serving_stopped')
    else manager(1).news.push({ kind: 'ended', lease: id, reason: 'serving_stopped' })
    await clock.run(205 * second)
    t.like(await place.beat(session), { code: 'session_ended', facts: { reason: 'serving_stopped' } })
  }
})

test('R31: a session whose lease is ended moves to another one that fits', async (t) => {
  const { clock, place, manager } = await placeWith([{ license: 'license-1' }, { license: 'license-2' }])
  const first = await place.get('key-1')
  await place.close(await place.get('key-2'))
  t.is(manager(2).used, 1)
  await turn()
  manager(1).disconnect([...manager(1).leases.keys()][0] ?? '')
  await turn()
  const kept = await place.beat(first)
  t.true(kept.kind === 'kept' && kept.session.source.manager.id === 'manager-2')
  await clock.run(3 * second)
  t.is(manager(1).used, 0)
})

test('a manager tells of its own leases only', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  const session = await place.get('key-1')
  await place.get('key-2')
  await clock.run(second)
  const [id = ''] = place.held()
  manager(2).say({ kind: 'ended', lease: id, reason: 'disconnected' })
  manager(2).say({ kind: 'ended', lease: 'no lease of anybody', reason: 'disconnected' })
  await turn()
  t.is(codeOf(await place.beat(session)), 'kept')
})

test('a lease that its manager does not know any more is lost at once', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).leases.clear()
  await clock.run(205 * second)
  t.like(await place.beat(session), { code: 'session_ended', facts: { reason: 'lease_lost' } })
  t.deepEqual(place.states(), [])
})

// ---- back

test('R16: nothing new lives on what is returning, and the manager is told when nothing lives on it', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 2 }])
  const session = await place.get('key-1')
  await place.leases.giveBack(place.held())
  await clock.run(300 * second)
  t.deepEqual(place.states(), ['returning'])
  t.is(codeOf(await place.beat(session)), 'kept')
  await place.get('key-2')
  t.is(manager(1).asks.length, 2)
  await place.close(session)
  await clock.run(2 * second)
  t.deepEqual(place.states(), ['held'])
  t.is(manager(1).used, 1)
})

test('R16: a return is told until it is heard, through restarts, and forgotten when the lease is over anyway', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  await place.close(await place.get('key-1'))
  manager(1).isUp = false
  await place.leases.giveBack(place.held())
  await clock.run(60 * second)
  await place.restart('crash')
  await clock.run(60 * second)
  t.deepEqual(place.states(), ['returning'])
  manager(1).comeBack()
  await clock.run(2 * second)
  t.deepEqual(place.states(), [])
  t.is(manager(1).used, 0)

  await place.close(await place.get('key-2'))
  manager(1).isUp = false
  await place.leases.giveBack(place.held())
  await clock.run(1300 * second)
  t.deepEqual(place.states(), [])
})

test('R16: while the store is read again nothing is told to be empty', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  manager(1).disconnect(place.held()[0] ?? '')
  await turn()
  t.deepEqual(place.states(), ['returning'])
  const load = place.store.load.bind(place.store)
  let goOn: () => void = () => undefined
  const isRead = new Promise<void>((resolve) => {
    goOn = resolve
  })
  place.store.load = async function* () {
    for await (const record of load()) yield record
    await isRead
  }
  place.store.failCommits('before')
  await t.throwsAsync(place.broker.close(session.id, session.key), { code: 'store_unavailable' })
  await clock.run(3 * second)
  t.is(manager(1).used, 1)
  goOn()
  await clock.run(3 * second)
  t.is(manager(1).used, 1)
  await place.close(session)
  await clock.run(2 * second)
  t.is(manager(1).used, 0)
})

test('R32: idle leases that somebody waits for go back at once, others stay', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 3 }])
  await place.get('key-1')
  await place.close(await place.get('key-2'))
  await clock.run(second)
  t.is(manager(1).used, 2)
  manager(1).say({ kind: 'counts', product: 'acme/cad', wanted: false })
  manager(1).say({ kind: 'counts', product: 'acme/draw', wanted: true })
  await clock.run(second)
  t.is(manager(1).used, 2)
  manager(1).say({ kind: 'counts', product: 'acme/cad', wanted: true })
  await clock.run(second)
  t.is(manager(1).used, 1)
})

test('R32: that somebody wants seats of a manager is told on to who has them from here', async (t) => {
  const { place, manager } = await placeWith([{}])
  const wanted: string[] = []
  place.remote.onWanted((id, product) => wanted.push(`${id} ${product}`))
  await place.get('key-1')
  manager(1).say({ kind: 'counts', product: 'acme/cad', wanted: false })
  t.deepEqual(wanted, [])
  manager(1).say({ kind: 'counts', product: 'acme/cad', wanted: true })
  t.deepEqual(wanted, ['manager-1 acme/cad'])
})

test('streams are open to managers that something is held of, and to no others', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  t.is(manager(1).followers.size, 0)
  const session = await place.get('key-1')
  await turn()
  t.deepEqual([manager(1).followers.size, manager(2).followers.size], [1, 0])
  await place.close(session)
  await clock.run(305 * second)
  t.is(manager(1).followers.size, 0)
})

// ---- as people see it

test('each lease is shown with what lives on it, and until when it works alone', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 3, rule: 'user' }])
  const views = new LeaseViews({
    leases: place.leases,
    renewals: place.remote.renewals,
    lessor: place.lessor,
    isReachable: (id) => !place.network.lostIds.has(id),
    wall: () => clock.wall(),
  })
  const startedAt = new Date(clock.wall()).toISOString()
  const ana = await place.get('key-1', { user: { email: 'ana@x.example' } })
  await place.close(await place.get('key-2', { user: { email: 'bob@x.example' } }))
  const [used, idle] = views.list()
  t.deepEqual(used, {
    id: used?.id ?? '',
    product: 'acme/cad',
    license: 'license-1',
    manager: { id: 'manager-1', name: 'The manager manager-1' },
    state: 'held',
    seats: 1,
    used: 1,
    grants: [ana.id],
    reachable: true,
    startedAt,
    aloneUntil: new Date(clock.wall() + 600 * second).toISOString(),
  })
  t.deepEqual([idle?.used, idle?.grants], [0, []])
  t.deepEqual(
    views.inUse().map(({ id }) => id),
    [used?.id],
  )
  t.is(views.behind(ana.id)?.id, used?.id)
  t.is(views.behind('no session'), undefined)
  place.network.lostIds.add('manager-1')
  t.like(views.behind(ana.id), { reachable: false })
  place.network.lostIds.clear()
  t.like(views.behind(ana.id), { reachable: true })
  manager(1).isUp = false
  await clock.run(205 * second)
  t.like(views.behind(ana.id), { reachable: false, state: 'held' })
  await place.restart('reboot')
  const after = new LeaseViews({
    ...place.remote,
    lessor: place.lessor,
    isReachable: () => true,
    wall: () => clock.wall(),
  })
  t.like(after.behind(ana.id), { reachable: false, state: 'unconfirmed' })
})
