import test from 'ava'
import { day, Machine } from './machine.ts'
import { codeOf, inOf, iso, monday, office, outOf, refusal, take, wish } from './office.ts'

test('S10: a branch serves detached seats on where the license allows it, and only then', async (t) => {
  for (const cascade of [true, false]) {
    const { laptop: branch, server } = await office({ detach: { maxDays: 14, cascade } })
    const desk = await Machine.start('DESK')
    desk.meet(branch)
    await take(branch, { seats: 2 })
    server.isUp = false
    const leased = await branch.parts.lessor.open({
      kind: 'lease',
      id: `${desk.id}/lease-of-the-desk-1`,
      instance: branch.id,
      holder: desk.id,
      product: 'acme/cad',
      seats: 1,
      who: {},
      body: '',
      activity: 'heartbeat',
      waited: false,
      lease: { purpose: 'session', facts: { agent: desk.id }, chain: [desk.id] },
    })
    t.is(leased.kind, cascade ? 'granted' : 'unknown_product')
    const made = await desk.parts.detachments.detach(wish({ days: 3 }))
    t.is(codeOf(made), cascade ? 'made' : 'not_detachable', String(cascade))
    if (cascade) t.is(codeOf(await desk.parts.detachments.detach(wish({ days: 7 }))), 'too_many_seats')
  }
})

test('R22: what a branch has no lasting seats for is passed on to the manager above, and comes back the same way', async (t) => {
  const { server } = await office()
  const branch = await Machine.start('BRANCH')
  const desk = await Machine.start('DESK')
  branch.meet(server)
  desk.meet(branch)
  const { detachment } = await take(desk)
  t.like(detachment, { manager: { name: 'SERVER' }, state: 'active' })
  t.like(outOf(server)[0], { via: branch.id, recipient: { id: desk.id } })
  t.is(await desk.opens('ana'), 'granted')
  await desk.parts.lessor.end('ana', 'released')
  const extended = await desk.parts.detachments.extend(detachment.id, { days: 9 })
  t.like(extended, { kind: 'made', detachment: { version: 2 } })
  await desk.parts.contact.meetAll()
  t.is(inOf(desk)[0]?.version, 2)
  t.like(await desk.parts.detachments.giveBack(detachment.id), { state: 'returned' })
  t.is(await server.used(), 0)
})

test('R22: seats of a branch that do not last long enough, or are too few, are asked of the manager above; who is asked last says why not', async (t) => {
  const { server } = await office({ detach: { maxDays: 14, cascade: true } })
  const branch = await Machine.start('BRANCH')
  const desk = await Machine.start('DESK')
  branch.meet(server)
  desk.meet(branch)
  await take(branch, { seats: 2, days: 5 })
  t.like((await take(desk, { days: 3 })).detachment, { manager: { name: 'BRANCH' } })
  t.like((await desk.parts.detachments.plan(wish({ days: 6 }))) as object, { plan: { manager: { name: 'SERVER' } } })
  t.like((await take(desk, { days: 6 })).detachment, { manager: { name: 'SERVER' } })
  t.like((await take(desk, { days: 3, seats: 2 })).detachment, { manager: { name: 'SERVER' } })
  t.is(await server.used(), 5)
  t.like(await refusal(desk, { days: 6 }), { code: 'too_many_seats' })
  server.isUp = false
  t.like(await refusal(desk, { days: 6 }), { code: 'beyond_license_end', facts: { latest: iso(monday + 5 * day) } })
})
