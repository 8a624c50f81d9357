import test from 'ava'
import { codeOf, type Place, placeWith, second, turn } from './place.ts'

/** Opens while time goes on. */
async function openIn(place: Place, key: string, seconds: number, more = {}) {
  const opening = place.open(key, more)
  await turn()
  await place.clock.run(seconds * second)
  return await opening
}

// ---- R7: what is sent is on disk before

test('R7: the id is on disk before it is sent', async (t) => {
  const { place, manager } = await placeWith([{}])
  const stored: string[] = []
  const ask = manager(1).ask.bind(manager(1))
  manager(1).ask = async (id, ...rest) => {
    for await (const { kind, key, value } of place.store.load())
      if (kind === 'lease') stored.push(`${key === id} ${(value as { state: string }).state}`)
    return await ask(id, ...rest)
  }
  await place.get('key-1')
  t.deepEqual(stored, ['true asking'])
})

test('R7: nothing is sent when the id could not be stored', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  place.store.failCommits('before')
  await t.throwsAsync(place.open('key-1'), { code: 'store_unavailable' })
  await clock.run(3 * second)
  t.is(manager(1).asks.length, 0)
  await place.get('key-1')
  t.is(manager(1).used, 1)
})

test('R7: the supply and the session that it was fetched for are in one batch', async (t) => {
  const { place, clock, manager } = await placeWith([{}])
  place.store.failCommits('works', 'before')
  await t.throwsAsync(place.open('key-1'), { code: 'store_unavailable' })
  await clock.run(3 * second)
  t.is(place.lessor.view.grantCount, 0)
  t.deepEqual(place.states(), ['asking'])
  t.is(manager(1).used, 1)
  // The same request finds the same lease.
  await place.get('key-1')
  t.is(manager(1).leases.size, 1)
  t.is(manager(1).asks.length, 2)
})

test('R7: a batch that was written although it seemed to fail is found as it is', async (t) => {
  const { place, clock, manager } = await placeWith([{}])
  place.store.failCommits('works', 'after')
  await t.throwsAsync(place.open('key-1'), { code: 'store_unavailable' })
  await clock.run(3 * second)
  t.deepEqual(place.states(), ['held'])
  const again = await place.open('key-1')
  t.is(codeOf(again), 'opened')
  t.is(manager(1).asks.length, 1)
})

// ---- answers that are lost, late or doubled

test('R30: a request that never left needs no cancellation, one that may have arrived is cancelled before the next is asked', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  manager(1).fates.push('unsent')
  t.is((await place.get('key-1')).source.manager.id, 'manager-2')
  await clock.run(10 * second)
  t.deepEqual(manager(1).calls, [])
  manager(1).fates.push('reply lost', 'lost')
  manager(2).seats = 2
  const stored: string[] = []
  const ask = manager(2).ask.bind(manager(2))
  manager(2).ask = async (...given) => {
    for await (const { kind, value } of place.store.load())
      if (kind === 'lease') stored.push((value as { state: string }).state)
    return await ask(...given)
  }
  t.is(codeOf(await openIn(place, 'key-2', 8)), 'opened')
  t.deepEqual(stored.sort(), ['asking', 'cancelling', 'held'])
  t.is(manager(2).used, 2)
  await clock.run(20 * second)
  t.is(manager(1).used, 0, 'what it granted unheard went back')
  t.deepEqual(place.states(), ['held', 'held'])
})

test('R15: a request that arrives after it was cancelled gets nothing', async (t) => {
  for (const fate of ['late', 'doubled'] as const) {
    const { clock, place, manager } = await placeWith([{}])
    manager(1).fates.push(fate)
    const outcome = await openIn(place, 'key-1', 8)
    t.is(codeOf(outcome), fate === 'late' ? 'manager_unreachable' : 'opened')
    if (outcome.kind === 'opened') await place.close(outcome.session)
    await place.leases.giveBack(place.held())
    await clock.run(5 * second)
    await clock.run(70 * second)
    t.is(manager(1).asks.length, fate === 'late' ? 1 : 2)
    t.is(manager(1).used, 0, fate)
    t.deepEqual(place.states(), [])
  }
})

test('a renewal whose answer is lost is sent again, and nothing is over', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1')
  await clock.run(190 * second)
  manager(1).fates.push('reply lost', 'lost', 'works')
  await clock.run(60 * second)
  t.is(codeOf(await place.beat(session)), 'kept')
  t.true(place.leases.left(place.held()[0] ?? '') > 550 * second)
})

test('a return whose answer is lost is told again', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  await place.close(await place.get('key-1'))
  manager(1).fates.push('lost', 'reply lost')
  await place.leases.giveBack(place.held())
  await clock.run(30 * second)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
})

test('an asker who is gone while a manager is asked leaves nothing out', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  const gone = new AbortController()
  manager(1).delay = 3 * second
  manager(1).seats = 0
  const opening = place.open('key-1', { signal: gone.signal })
  await turn()
  gone.abort()
  await clock.run(4 * second)
  await opening
  t.is(manager(2).asks.length, 0)
  await clock.run(4 * second)
  t.deepEqual(place.states(), [])
})

// ---- crashes

test('R7: after a crash while a manager is asked, the same request finds the same lease', async (t) => {
  for (const how of ['crash', 'reboot'] as const) {
    const { clock, place, manager } = await placeWith([{}])
    manager(1).fates.push('reply lost')
    void place.open('key-1').catch(() => undefined)
    await turn()
    t.is(manager(1).used, 1)
    await place.restart(how)
    t.deepEqual(place.states(), ['asking'])
    const session = await place.get('key-1')
    t.is(manager(1).leases.size, 1)
    await clock.run(60 * second)
    t.is(codeOf(await place.beat(session)), 'kept')
    t.is(manager(1).used, 1)
  }
})

test('R7: after a crash while a manager is asked, what nobody asks for again is cancelled', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).fates.push('reply lost')
  void place.open('key-1').catch(() => undefined)
  await turn()
  await place.restart()
  await clock.run(10 * second)
  t.is(manager(1).used, 1)
  await clock.run(10 * second)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
})

test('R7: a cancellation goes on after a crash until it is heard', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).fates.push('reply lost')
  const opening = place.open('key-1').catch(() => undefined)
  await turn()
  manager(1).isUp = false
  await clock.run(6 * second)
  await opening
  t.deepEqual(place.states(), ['cancelling'])
  await place.restart()
  await clock.run(100 * second)
  t.deepEqual(place.states(), ['cancelling'])
  manager(1).comeBack()
  await clock.run(2 * second)
  t.deepEqual(place.states(), [])
  t.is(manager(1).used, 0)
})

test('R7: a crash at any commit of an opening loses no seat and takes none twice', async (t) => {
  for (const failure of ['before', 'after'] as const)
    for (let commit = 0; commit < 2; commit++) {
      const { clock, place, manager } = await placeWith([{ seats: 2 }])
      place.store.failCommits(...Array.from({ length: commit }, () => 'works' as const), failure)
      await place.open('key-1').catch(() => undefined)
      // What the process that crashes does to its store is over.
      await turn(50)
      await place.restart()
      const session = await place.get('key-1')
      const where = `${failure} ${commit}`
      await clock.run(30 * second)
      t.is(codeOf(await place.beat(session)), 'kept', where)
      t.is(manager(1).used, 1, where)
      await place.close(session)
      await clock.run(310 * second)
      t.is(manager(1).used, 0, where)
      t.deepEqual(place.states(), [], where)
    }
})

// ---- the line

test('R30: who waits stands in line at the manager and gets the seat as soon as it is offered', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  t.is(manager(1).line.length, 1)
  t.is(place.broker.queue().length, 1)
  await clock.run(7 * second)
  const asked = manager(1).asks.length
  manager(1).occupy(-1)
  await turn()
  const outcome = await waiting
  t.is(codeOf(outcome), 'opened')
  t.is(outcome.kind === 'opened' && outcome.created, true)
  t.is(manager(1).asks.length, asked + 1)
  t.is(place.broker.queue().length, 0)
  t.is(outcome.kind === 'opened' && outcome.session.expiresIn, 60)
})

test('R30: a place is kept by asking every 5 s, with the same id, for as long as there is to wait', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const waiting = place.open('key-1', { wait: 30 })
  await turn()
  await clock.run(22 * second)
  const waits = manager(1).asks.flatMap(({ wait }) => (wait === undefined ? [] : [wait]))
  t.deepEqual(waits, [30, 25, 20, 15, 10])
  t.is(new Set(manager(1).calls.filter((one) => one.startsWith('ask'))).size, 2, 'one without and one with waiting')
  await clock.run(10 * second)
  t.is(codeOf(await waiting), 'no_seats')
  await clock.run(7 * second)
  t.is(manager(1).line.length, 0)
  t.deepEqual(place.states(), [])
})

test('R30: who waits stands in line at every manager, takes the first seat and leaves the other lines', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}, {}])
  for (const number of [1, 2, 3]) manager(number).occupy(1)
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  t.deepEqual(
    [1, 2, 3].map((number) => manager(number).line.length),
    [1, 1, 1],
  )
  manager(2).occupy(-1)
  await turn()
  t.is(codeOf(await waiting), 'opened')
  await clock.run(2 * second)
  t.deepEqual(
    [1, 2, 3].map((number) => manager(number).line.length),
    [0, 0, 0],
  )
  t.deepEqual(place.states(), ['held'])
})

test('R30: if two managers grant at once, one lease goes back', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  for (const number of [1, 2]) manager(number).occupy(1)
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  manager(1).occupy(-1)
  manager(2).occupy(-1)
  await turn()
  t.is(codeOf(await waiting), 'opened')
  await clock.run(3 * second)
  t.is(manager(1).used + manager(2).used, 1)
  t.is(manager(1).leases.size + manager(2).leases.size, 1)
})

test('R30: seats go in the order of coming, of this machine and of managers', async (t) => {
  const { place, manager, clock } = await placeWith([{ seats: 3 }])
  manager(1).occupy(2)
  const first = await place.get('key-0')
  const order: string[] = []
  const waiting = ['a', 'b', 'c'].map((name) =>
    place.open(`key-${name}`, { wait: 300 }).then((outcome) => {
      order.push(name)
      return outcome
    }),
  )
  await turn()
  t.is(manager(1).line.length, 1, 'only the head of the line here stands in the line there')
  t.is(codeOf(await place.open('key-x')), 'no_seats')
  await place.close(first)
  await turn()
  t.deepEqual(order, ['a'])
  manager(1).occupy(-1)
  await clock.run(6 * second)
  t.deepEqual(order, ['a', 'b'])
  manager(1).occupy(-1)
  await clock.run(6 * second)
  await Promise.all(waiting)
  t.deepEqual(order, ['a', 'b', 'c'])
})

test('R30: a waiter who is gone for a moment keeps the place at the manager and takes no seat meanwhile', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  const gone = new AbortController()
  const waiting = place.open('key-1', { wait: 100, signal: gone.signal })
  await turn()
  gone.abort()
  t.is(codeOf(await waiting), 'no_seats')
  manager(1).occupy(-1)
  await clock.run(3 * second)
  t.is(manager(1).used, 0)
  t.is(manager(1).line.length, 1)
  const again = place.open('key-1', { wait: 100 })
  await turn()
  await clock.run(3 * second)
  t.is(codeOf(await again), 'opened')

  const { clock: time, place: other, manager: its } = await placeWith([{}])
  its(1).occupy(1)
  const leaving = new AbortController()
  const left = other.open('key-1', { wait: 100, signal: leaving.signal })
  await turn()
  leaving.abort()
  await left
  await time.run(8 * second)
  t.is(its(1).line.length, 0)
  t.deepEqual(other.states(), [])
})

test('a manager that is found while somebody waits is asked at once', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}])
  manager(1).occupy(1)
  place.network.lostIds.add('manager-2')
  const waiting = place.open('key-1', { wait: 60 })
  await turn()
  t.is(manager(2).asks.length, 0)
  place.network.lostIds.clear()
  place.network.change()
  await turn()
  const outcome = await waiting
  t.true(outcome.kind === 'opened' && outcome.session.source.manager.id === 'manager-2')
  await clock.run(2 * second)
  t.is(manager(1).line.length, 0)
})

test('a crash in the line leaves no place and no seat behind', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  manager(1).occupy(1)
  void place.open('key-1', { wait: 300 }).catch(() => undefined)
  await turn()
  t.is(manager(1).line.length, 1)
  await place.restart()
  manager(1).occupy(-1)
  await clock.run(20 * second)
  t.is(manager(1).line.length, 0)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
})
