/** Seats that are kept in advance: of the own licenses and of managers, topped up, lowered, given back, after crashes and cuts. */
import test from 'ava'
import fc from 'fast-check'
import { reserveViews } from '../../agent/agent-sites.ts'
import type { OpenCommand } from '../../agent/domain/seats.ts'
import type { Reserve } from '../../agent/reserves.ts'
import { self } from '../leases/place.ts'
import { own, Stand } from './stand.ts'

const minute = 60_000
const cad: Reserve = { id: 'design', product: 'acme/cad', seats: 3 }

function put(stand: Stand, seats: number) {
  return stand.kept.reserves.put({ ...cad, seats }, 'test')
}

function taken(stand: Stand): number {
  return reserveViews(stand.owners).find(({ id }) => id === 'design')?.taken ?? 0
}

function session(id: string, more: Partial<OpenCommand> = {}): OpenCommand {
  return {
    id,
    instance: self.id,
    holder: self.id,
    product: 'acme/cad',
    seats: 1,
    who: { email: `${id}@x.example` },
    body: 'body',
    activity: 'heartbeat',
    waited: false,
    ...more,
  } as OpenCommand
}

test('a reserve keeps seats of the own license for this machine, which uses those first; others have the rest', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 5 })])
  t.like(await put(stand, 3), { kind: 'put', isNew: true })
  t.is(stand.used(), 3)
  t.like(reserveViews(stand.owners), [{ id: 'design', taken: 3, used: 0, from: [{ manager: self, seats: 3 }] }])
  const chain = ['agent-9']
  const lease = (id: string) =>
    stand.lessor.open({
      ...session(id),
      kind: 'lease',
      holder: 'agent-9',
      lease: { purpose: 'session', facts: { agent: 'agent-9' }, chain },
    } as OpenCommand)
  t.is((await stand.finder.find(session('here'))).answer.kind, 'granted')
  t.is(stand.used(), 3)
  t.is((await lease('agent-9/a')).kind, 'granted')
  t.is((await lease('agent-9/b')).kind, 'granted')
  t.is((await lease('agent-9/c')).kind, 'short')
  t.is((await stand.finder.find(session('here-2'))).answer.kind, 'granted')
  t.is((await stand.finder.find(session('here-3'))).answer.kind, 'granted')
  t.is((await stand.finder.find(session('here-4'))).answer.kind, 'short')
  // They are renewed for as long as they are wanted.
  await stand.clock.run(30 * minute)
  t.is(taken(stand), 3)
  t.deepEqual(stand.troubles, [])
})

test('a stand-alone license can be reserved at its machine, and its seats are never leased', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 2, local: true })])
  await put(stand, 2)
  t.is(taken(stand), 2)
  const answer = await stand.lessor.open({
    ...session('agent-9/a'),
    kind: 'lease',
    holder: 'agent-9',
    lease: { purpose: 'session', facts: { agent: 'agent-9' }, chain: ['agent-9'] },
  } as OpenCommand)
  t.is(answer.kind, 'unknown_product')
})

test('own seats first, then those of managers; what is missing is said and taken when it comes free', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 1 })], [{ seats: 3 }])
  stand.manager().others = 2
  await put(stand, 4)
  t.is(taken(stand), 2)
  t.is(stand.manager().used, 3)
  const [view] = reserveViews(stand.owners)
  t.like(view?.missing, {
    code: 'no_seats',
    asked: [{ manager: { id: 'manager-1' }, outcome: 'granted' }, { outcome: 'no_seats' }],
  })
  t.deepEqual(await stand.journal('reserve.filled'), [
    { reserve: 'design', product: 'acme/cad', seats: 4, asked: 4, taken: 2 },
  ])
  stand.manager().others = 0
  stand.network.change()
  await stand.until('four seats', () => taken(stand) === 4, 4_000)
  t.is(reserveViews(stand.owners)[0]?.missing, undefined)
  t.like(await stand.journal('reserve.filled'), [{ taken: 2 }, { taken: 4 }])
})

test('without word of a change it is tried again and again', async (t) => {
  const stand = await Stand.start([], [{ seats: 1 }])
  stand.manager().others = 1
  await put(stand, 1)
  t.is(taken(stand), 0)
  stand.manager().others = 0
  await stand.until('one seat', () => taken(stand) === 1, 20_000)
  t.pass()
})

test('a lowered reserve gives idle seats back at once, and those in use when their sessions end', async (t) => {
  const stand = await Stand.start([], [{ seats: 5 }])
  await put(stand, 4)
  const opened = await stand.finder.find(session('a'))
  t.is(opened.answer.kind, 'granted')
  await put(stand, 2)
  await stand.until('two seats', () => stand.manager().used === 2, 2_000)
  t.is(taken(stand), 2)
  await stand.kept.reserves.remove('design', 'test')
  await stand.until('only the one in use', () => stand.manager().used === 1, 2_000)
  // Nothing new lives on what goes back.
  await stand.lessor.end('a', 'released')
  await stand.until('nothing', () => stand.manager().used === 0, 2_000)
  t.is(stand.leases.size, 0)
  t.like(await stand.kept.reserves.remove('design', 'test'), { kind: 'refused', code: 'unknown_reserve' })
})

test('a reserve for another product gives back what it has', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 2 }), own('l2/cam', { seats: 2, product: 'cam' })])
  await put(stand, 2)
  await stand.kept.reserves.put({ ...cad, product: 'acme/cam', seats: 2 }, 'test')
  await stand.until('moved', () => stand.used() === 0 && taken(stand) === 2, 5_000)
  t.is(stand.used('l2/cam'), 2)
})

for (const how of ['crash', 'reboot'] as const)
  test(`after a ${how} the same seats are kept, none twice`, async (t) => {
    const stand = await Stand.start([own('l1/cad', { seats: 2 })], [{ seats: 5 }])
    await put(stand, 4)
    t.is(taken(stand), 4)
    await stand.restart(how)
    await stand.until('four seats', () => taken(stand) === 4, 5_000)
    await stand.clock.run(5_000)
    t.is(stand.used(), 2)
    t.is(stand.manager().used, 2)
    t.is((await stand.finder.find(session('a'))).answer.kind, 'granted')
  })

test('R3: own seats of a reserve live on over a crash loop, and pin nothing once the reserve is gone', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 2 })])
  await put(stand, 2)
  for (let count = 0; count < 5; count++) {
    await stand.clock.run(90_000)
    await stand.restart()
  }
  t.is(taken(stand), 2)
  await stand.kept.reserves.remove('design', 'test')
  await stand.until('free', () => stand.used() === 0, 5_000)
  t.pass()
})

test('seats of a manager that is gone are lost when their time is over, and had again from another one', async (t) => {
  const stand = await Stand.start([], [{ seats: 2 }, { seats: 2 }])
  stand.network.lostIds.add('manager-2')
  await put(stand, 2)
  t.is(stand.manager(1).used, 2)
  stand.manager(1).isUp = false
  stand.network.lostIds.clear()
  stand.network.lostIds.add('manager-1')
  await stand.until('from the other', () => stand.manager(2).used === 2, 20 * minute)
  t.is(taken(stand), 2)
})

test('an ended lease of a manager is told, the seat is given up and another one taken', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 2 })])
  await put(stand, 1)
  const [kept] = stand.kept.keeper.held('reserve:design')
  await stand.lessor.disconnect(`${self.id}/${kept?.id}`, 'disconnected')
  await stand.until(
    'another',
    () => {
      const [now] = stand.kept.keeper.held('reserve:design')
      return now !== undefined && now.id !== kept?.id && stand.used() === 1
    },
    40_000,
  )
  t.is(taken(stand), 1)
})

test('own licenses that are switched off or set for the network only give nothing in advance', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 2 })])
  stand.serving = 'handing_out_disabled'
  await put(stand, 1)
  t.is(taken(stand), 0)
  stand.serving = 'open'
  stand.settings.mode = 'network'
  await put(stand, 2)
  t.is(taken(stand), 0)
})

test('R7: whatever is lost or doubled on the way, and however often it crashes, no seat is left out for good', async (t) => {
  const fate = fc.constantFrom('works', 'unsent', 'lost', 'reply lost', 'late', 'doubled')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), seats: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('remove' as const) }),
    fc.record({ kind: fc.constant('fates' as const), fates: fc.array(fate, { maxLength: 6 }) }),
    fc.record({ kind: fc.constant('run' as const), seconds: fc.integer({ min: 1, max: 900 }) }),
    fc.record({ kind: fc.constant('restart' as const), how: fc.constantFrom('crash' as const, 'reboot' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const stand = await Stand.start([own('l1/cad', { seats: 2 })], [{ seats: 4 }])
      const pending: Promise<unknown>[] = []
      for (const one of steps) {
        if (one.kind === 'put') pending.push(put(stand, one.seats).catch(() => undefined))
        else if (one.kind === 'remove')
          pending.push(stand.kept.reserves.remove('design', 'test').catch(() => undefined))
        else if (one.kind === 'fates') stand.manager().fates.push(...one.fates)
        else if (one.kind === 'run') await stand.clock.run(one.seconds * 1000)
        else await stand.restart(one.how)
        const held = stand.kept.keeper.held('reserve:design').length
        t.true(held <= 6)
        t.true(stand.manager().used <= 4)
        t.true(stand.used() <= 2)
      }
      stand.manager().fates.length = 0
      await stand.clock.run(3 * minute)
      const wanted = stand.kept.reserves.get('design')?.seats ?? 0
      await stand.until('what is wanted', () => taken(stand) === wanted, 60 * minute)
      await stand.until('nothing more', () => stand.manager().used + stand.used() === wanted, 60 * minute)
    }),
    { numRuns: 25 },
  )
})
