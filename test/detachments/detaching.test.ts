import test from 'ava'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'
import { day, minute, pass, turns } from './machine.ts'
import { codeOf, inOf, iso, monday, office, outOf, refusal, take, wish } from './office.ts'

test('S8: a seat is deducted from the manager and works at the laptop with no network until its date', async (t) => {
  const { server, laptop } = await office({ activation: { needed: true } })
  const { detachment } = await take(laptop)
  t.like(detachment, { direction: 'in', state: 'active', seats: 1, until: iso(monday + 7 * day), version: 1 })
  t.is(await server.used(), 1)
  t.like(outOf(server)[0], { until: monday + 7 * day, recipient: { name: 'LAPTOP' }, delivered: true })
  server.isUp = false
  t.is(await laptop.opens('ana'), 'granted')
  t.is(await laptop.opens('bob'), 'short')
  await pass(6 * day, laptop)
  t.is(await laptop.opens('cid'), 'granted')
  await pass(day, laptop)
  t.is(await laptop.opens('dan'), 'unknown_product')
  t.like(laptop.parts.detachments.list()[0], { state: 'ended', actions: [] })
  t.deepEqual(
    (await laptop.entries('detachment.ended')).map(({ facts }) => facts.reason),
    ['date'],
  )
})

test('S9: both sides end it by themselves, the manager a grace later and with no message', async (t) => {
  const { server, laptop } = await office()
  await take(laptop)
  server.isUp = false
  await pass(7 * day, server, laptop)
  t.like(server.parts.detachments.list()[0], { state: 'over', endsIn: 0, freeIn: 600 })
  t.is(inOf(laptop).length, 0)
  t.is(await server.used(), 1)
  await pass(599_000, server)
  t.is(await server.used(), 1)
  await pass(1_000, server)
  t.is(await server.used(), 0)
  t.is(server.parts.detachments.list()[0]?.state, 'ended')
  t.is((await server.entries('detachment.ended')).length, 1)
  await server.reconcile()
})

test('R2: what is past its date is freed in the very batch that needs the seat', async (t) => {
  const { server, laptop } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await take(laptop)
  server.clock.advance(7 * day + 599_000)
  t.is(await server.opens('ana'), 'short')
  server.clock.advance(1_000)
  t.is(await server.opens('ana'), 'granted')
  t.is(outOf(server).length, 0)
})

test('S7: either switch being off refuses and names the machine', async (t) => {
  const { server, laptop } = await office()
  server.settings = { ...server.settings, enabled: false }
  t.like(await refusal(laptop), { code: 'detach_disabled', facts: { machine: 'SERVER' } })
  server.settings = { ...server.settings, enabled: true }
  laptop.settings = { ...laptop.settings, enabled: false }
  t.like(await refusal(laptop), { code: 'detach_disabled', facts: { machine: 'LAPTOP' } })
  t.deepEqual([...laptop.parts.book.ins()], [])
})

test('S7: reserved seats stay, and the refusal says how many could go', async (t) => {
  const { server, laptop } = await office()
  server.settings = { ...server.settings, reservedSeats: 1, reservedPercent: 30 }
  t.is(await server.opens('ana'), 'granted')
  await take(laptop)
  t.like(await refusal(laptop, { seats: 3 }), { code: 'too_many_seats', facts: { detachable: 2 } })
  await take(laptop, { seats: 2 })
  t.like(await refusal(laptop), { code: 'too_many_seats', facts: { detachable: 0 } })
  t.deepEqual(server.parts.making.figures('acme/cad'), { detachable: 0, detached: 3, maxDays: 14 })
})

test('S9: never later than the maximum in force, by settings or license, with the value that is allowed', async (t) => {
  const { server, laptop } = await office({ detach: { maxDays: 10 }, exp: Math.floor((monday + 20 * day) / 1000) })
  const ten = iso(monday + 10 * day)
  t.like(await refusal(laptop, { days: 11 }), { code: 'beyond_maximum', facts: { latest: ten } })
  server.settings = { ...server.settings, maxDays: 3 }
  t.like(await refusal(laptop, { days: 4 }), {
    code: 'beyond_maximum',
    facts: { latest: iso(monday + 3 * day), maxDays: 3 },
  })
  const { detachment } = await take(laptop, { days: 3 })
  server.settings = { ...server.settings, maxDays: 14 }
  t.is(codeOf(await laptop.parts.detachments.extend(detachment.id, { days: 12 })), 'beyond_maximum')
  await pass(13 * day, server)
  t.like(await refusal(laptop, { until: iso(monday + 21 * day) }), {
    code: 'clocks_differ',
    facts: { minutes: 13 * 24 * 60 },
  })
  await pass(13 * day, laptop)
  t.like(await refusal(laptop, { until: iso(monday + 21 * day) }), {
    code: 'beyond_license_end',
    facts: { latest: iso(monday + 20 * day) },
  })
  t.like(await refusal(laptop, { until: iso(monday) }), { code: 'date_in_past' })
  t.like(await refusal(laptop, { soft: true, days: 1 }), { code: 'invalid_request' })
  t.like(await refusal(laptop, { feature: 'none' }), { code: 'unknown_feature' })
  const { recipient } = server.parts.detachments.recipient()
  t.like(await refusal(server, { recipient }), { code: 'wrong_recipient' })
  t.like(await refusal(server), { code: 'not_detachable' })
})

test('S8: a calendar day ends with that day in its zone, or at now + maximum where that is earlier', async (t) => {
  const { laptop } = await office()
  const { detachment } = await take(laptop, { until: '2027-01-06', zone: 'America/New_York' })
  t.is(detachment.until, '2027-01-07T04:59:59.000Z')
  t.is(detachment.zone, 'America/New_York')
  const cut = await laptop.parts.detachments.plan(wish({ until: '2027-01-18', zone: 'UTC' }))
  t.like(cut, {
    kind: 'planned',
    plan: { until: iso(monday + 14 * day), cut: true, freeAt: iso(monday + 14 * day + 600_000) },
  })
  t.like(await refusal(laptop, { until: '2027-01-19', zone: 'UTC' }), { code: 'beyond_maximum' })
  t.is((await refusal(laptop, { until: '2027-02-30' })).code, 'invalid_request')
})

test('not_detachable: licenses that do not allow it, and stand-alone ones', async (t) => {
  const { laptop, server } = await office({ detach: undefined })
  t.like(await refusal(laptop), { code: 'not_detachable' })
  await server.install(blockOf(new TestVendor('acme').license({ kind: 'standalone' })))
  t.like(await refusal(laptop), { code: 'not_detachable' })
})

test('R12: a recipient whose clock is more than 10 minutes off is refused with both times', async (t) => {
  const { laptop, server } = await office()
  laptop.clock.setWall(laptop.clock.wall() - 11 * minute)
  t.like(await refusal(laptop), { code: 'clocks_differ', facts: { minutes: 11, here: iso(server.clock.wall()) } })
  laptop.clock.setWall(server.clock.wall() - 9 * minute)
  await take(laptop)
  t.is(outOf(server)[0]?.behind, 9 * minute)
})

test('R10: the difference of the clocks is waited for before the seat is free', async (t) => {
  const { laptop, server } = await office()
  laptop.clock.setWall(server.clock.wall() - 5 * minute)
  const { detachment } = await take(laptop, { until: iso(monday + day) })
  t.is(detachment.state, 'active')
  await pass(day + 600_000, server)
  t.is(await server.used(), 1)
  await pass(5 * minute, server)
  t.is(await server.used(), 0)
})

test('R7: an answer that is lost costs nothing: the same id is asked again and gets the same document', async (t) => {
  const { laptop, server } = await office()
  server.fates.push('reply lost', 'lost')
  const { detachment } = await take(laptop)
  t.is(await server.used(), 1)
  t.is(outOf(server).length, 1)
  t.is(detachment.version, 1)
})

test('R7: what is not known after three attempts is cancelled until the manager has heard it', async (t) => {
  const { laptop, server } = await office()
  server.fates.push('reply lost', 'reply lost', 'reply lost', 'unsent')
  t.is((await refusal(laptop)).code, 'manager_unreachable')
  t.is(await server.used(), 1)
  t.deepEqual(
    [...laptop.parts.book.ins()].map(({ state }) => state),
    ['cancelling'],
  )
  await laptop.look()
  t.is(await server.used(), 1)
  await laptop.pass(5_000)
  t.is(await server.used(), 0)
  t.deepEqual([...laptop.parts.book.ins()], [])
})

test('R7: a start in the middle of asking goes on with the same id', async (t) => {
  const { laptop, server } = await office()
  server.fates.push('reply lost')
  server.isUp = true
  const asking = laptop.parts.detachments.detach(wish())
  await turns(1)
  await laptop.restart()
  await asking.catch(() => undefined)
  await laptop.pass(2_000)
  await laptop.pass(2_000)
  t.is(await server.used(), 1)
  t.is(await laptop.opens('ana'), 'granted')
})

test('R15: a request that comes after it was given up gets nothing', async (t) => {
  const { laptop, server } = await office()
  const link = server.linkFor(laptop)
  const id = 'd-request-that-comes-late'
  t.is((await link.giveBack(id, { timeout: 1 })).kind, 'acknowledged')
  const ask = {
    product: 'acme/cad' as const,
    seats: 1,
    until: monday + day,
    version: 0,
    time: monday,
    who: {},
    machine: 'LAPTOP',
    chain: [laptop.id],
  }
  t.like(await link.detach(id, ask, { timeout: 1 }), { problem: { code: 'session_ended' } })
  t.is(await server.used(), 0)
})

test('X3: the same order again is the same detachment: at once, after its answer was lost, after a restart, and when it is over', async (t) => {
  const { laptop, server } = await office()
  const order = 'order-of-a-trip-0001'
  const [first, second] = await Promise.all([take(laptop, { order }), take(laptop, { order })])
  t.is(first.detachment.id, second.detachment.id)
  t.is((await take(laptop, { order })).detachment.id, first.detachment.id)
  t.is(codeOf(await refusal(laptop, { order, seats: 2 })), 'id_conflict')
  await laptop.restart()
  t.is((await take(laptop, { order })).detachment.id, first.detachment.id)
  t.is(await server.used(), 1)
  await laptop.parts.detachments.giveBack(first.detachment.id)
  t.like((await take(laptop, { order })).detachment, { id: first.detachment.id, state: 'returned' })
  const { recipient } = laptop.parts.detachments.recipient()
  const [made, again] = [await take(server, { order, recipient }), await take(server, { order, recipient })]
  t.is(made.detachment.id, again.detachment.id)
  t.is(made.block, again.block)
  t.is(await server.used(), 1)
  const other = 'another-order-0002'
  server.isUp = false
  t.is((await refusal(laptop, { order: other })).code, 'manager_unreachable')
  server.isUp = true
  await laptop.pass(5_000)
  await take(laptop, { order: other })
  t.is(await server.used(), 2)
})
