/**
 * What binds a license to this machine: activation and hardware.
 */
import test from 'ava'
import { sampleKey } from '../domain/documents/samples.ts'
import { MemoryAgent, usualHardware } from '../helpers/memory-agent.ts'
import { activate, begin, needed, refusedAs } from './bound-license.ts'
import { blockOf, damage, days, TestVendor } from './test-vendor.ts'

test('a license that needs an activation gives no seats before it has one', async (t) => {
  const { vendor, agent, license, id } = await begin()
  t.like(agent.license(id), { state: 'not_activated', actions: ['activation-request', 'activate', 'remove'] })
  t.is(await agent.refusal(), 'license_not_active')
  await activate(agent, vendor, license)
  t.like(agent.license(id), { state: 'active', activation: { number: 1 } })
  t.deepEqual(
    agent.license(id).activation.parts.map((part) => part.agrees),
    [true, true, true, true, true],
  )
  await agent.seat()
  await agent.reboot()
  t.is(agent.state(id), 'active')
  t.deepEqual(
    (await agent.entries('license')).map((entry) => entry.type),
    ['license.installed', 'license.activated'],
  )
})

test('R25: an answer for another agent, another license or another text is refused', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const { desk } = agent.parts
  const request = await agent.requestActivation(id)

  const elsewhere = await MemoryAgent.start({ key: sampleKey('another agent') })
  await elsewhere.install(blockOf(license))
  const answer = vendor.answer(await elsewhere.requestActivation(id), license)
  await refusedAs(t, desk.activate(id, answer), 'wrong_recipient')

  const other = vendor.license(needed)
  const otherId = await agent.install(blockOf(other))
  const otherAnswer = vendor.answer(await agent.requestActivation(otherId), other)
  await refusedAs(t, desk.activate(id, otherAnswer), 'wrong_recipient')
  t.is(agent.state(otherId), 'not_activated')

  const text = vendor.license({ ...needed, id, products: [{ name: 'cad', seats: 500 }] })
  t.throws(() => vendor.answer(request, text), { message: /not the text that was issued/ })
  t.is(agent.state(id), 'not_activated')
})

test('an answer that was altered, is of another vendor or is no answer is refused; the right one in a mail with others is taken', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const { desk } = agent.parts
  const request = await agent.requestActivation(id)
  const answer = vendor.answer(request, license)
  await refusedAs(t, desk.activate(id, damage(answer)), 'document_altered')
  await refusedAs(
    t,
    desk.activate(id, vendor.answer(request, license, { key: sampleKey('forger') })),
    'wrong_recipient',
  )
  const rival = new TestVendor('rival')
  await agent.install(blockOf(rival.license()))
  await refusedAs(t, desk.activate(id, vendor.answer(request, license, { key: rival.key })), 'bad_signature')
  await refusedAs(t, desk.activate(id, request), 'not_a_document')
  await refusedAs(t, desk.activate(id, 'nothing'), 'not_a_document')
  t.is(agent.state(id), 'not_activated')

  const other = vendor.license(needed)
  const otherId = await agent.install(blockOf(other))
  const otherAnswer = vendor.answer(await agent.requestActivation(otherId), other)
  const mail = `You wrote:\n${damage(request)}\nHere they are:\n${otherAnswer}\n${answer}`
  t.deepEqual(await desk.activate(id, mail), { kind: 'activated' })
  t.is(agent.state(otherId), 'not_activated')
})

test('R25: the same answer again is already applied, a lower number is refused, also from another request', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const { desk } = agent.parts
  const first = await agent.requestActivation(id)
  const second = await agent.requestActivation(id)
  const early = vendor.answer(first, license, { number: 1 })
  const late = vendor.answer(second, license, { number: 2 })
  t.deepEqual(await desk.activate(id, late), { kind: 'activated' })
  await refusedAs(t, desk.activate(id, late), 'already_applied')
  await refusedAs(t, desk.activate(id, early), 'document_superseded')
  t.is(agent.license(id).activation.number, 2)
})

test('R25: an answer to a request that was not made here is refused, also after the license was removed and came back', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const answer = vendor.answer(await agent.requestActivation(id), license)
  await agent.parts.licenses.remove(id)
  await refusedAs(t, agent.parts.desk.activate(id, answer), 'unknown_license')
  await agent.install(blockOf(license))
  await refusedAs(t, agent.parts.desk.activate(id, answer), 'unknown_request')
})

test('the answer to a request is taken after restarts; two requests in the same moment are both remembered', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const [one, two] = await Promise.all([agent.requestActivation(id), agent.requestActivation(id)])
  await agent.reboot()
  t.deepEqual(await agent.parts.desk.activate(id, vendor.answer(one, license)), { kind: 'activated' })
  await agent.restart()
  t.deepEqual(await agent.parts.desk.activate(id, vendor.answer(two, license)), { kind: 'activated' })
  t.is(agent.license(id).activation.number, 2)
})

test('the same answer given twice in one moment is applied once', async (t) => {
  const { vendor, agent, license, id } = await begin()
  const answer = vendor.answer(await agent.requestActivation(id), license)
  const outcomes = await Promise.all([agent.parts.desk.activate(id, answer), agent.parts.desk.activate(id, answer)])
  t.deepEqual(
    outcomes.map((one) => (one.kind === 'refused' ? one.code : one.kind)),
    ['activated', 'already_applied'],
  )
  t.is((await agent.entries('license.activated')).length, 1)
})

test('an answer past its end is refused; an activation that ends stops the license, and the same exchange renews it', async (t) => {
  const start = Date.UTC(2027, 0, 4, 8)
  const { vendor, agent, license, id } = await begin({ exp: Math.floor((start + days(1000)) / 1000) })
  const late = vendor.answer(await agent.requestActivation(id), license, { now: start - days(500) })
  await refusedAs(t, agent.parts.desk.activate(id, late), 'document_expired')
  await activate(agent, vendor, license)
  t.is(agent.license(id).endsAt, '2028-02-04T08:00:00.000Z')
  await agent.pass(days(395))
  t.is(agent.state(id), 'expiring')
  const session = await agent.seat()
  await agent.pass(days(1))
  t.is(agent.state(id), 'not_activated')
  t.is(await agent.refusal(), 'license_not_active')
  t.like(await agent.beat(session), { code: 'session_ended', facts: { reason: 'expired' } })
  await activate(agent, vendor, license)
  t.like(agent.license(id), { state: 'active', activation: { number: 3 } })
  t.is(await agent.refusal(), undefined)
  t.like(await agent.entries('license.expired'), [{ facts: { license: id, ended: 'activation' } }])
})

test('a renewal while seats are in use disturbs none of them', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  const session = await agent.seat()
  await activate(agent, vendor, license)
  t.is(agent.license(id).activation.number, 2)
  t.like(await agent.beat(session), { kind: 'kept' })
  t.is(agent.license(id).products[0]?.used, 1)
})

test('I5: one changed part is tolerated, more are not; what is unreadable counts as changed', async (t) => {
  const cases = [
    [{ processor: 'Another Processor' }, 'active'],
    [{ processor: 'Another Processor', disk: 'Another Disk' }, 'active'],
    [{ processor: 'Another Processor', disk: 'Another Disk', network: '52:54:00:99:99:99' }, 'blocked_hardware'],
    [{ machine: 'f'.repeat(31).concat('1'), board: 'another board' }, 'blocked_hardware'],
    [{ machine: '', board: '' }, 'blocked_hardware'],
    [{ board: '', network: '' }, 'active'],
  ] as const
  for (const [change, state] of cases) {
    const { vendor, agent, license, id } = await begin()
    await activate(agent, vendor, license)
    agent.hardware = { ...usualHardware, ...change }
    await agent.reboot()
    t.is(agent.state(id), state, JSON.stringify(change))
    t.is(await agent.refusal(), state === 'active' ? undefined : 'license_blocked')
  }
})

test('R25: with other hardware no seat is granted, those that are out are renewed for 24 hours and not longer', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  const session = await agent.seat()
  agent.hardware = { machine: 'another machine', board: 'another board' }
  await agent.restart()
  t.is(agent.state(id), 'blocked_hardware')
  t.is(await agent.refusal(), 'license_blocked')
  t.deepEqual(
    agent.parts.health.list().map((problem) => problem.code),
    ['license_blocked'],
  )
  for (let minutes = 0; minutes < 24 * 60 - 5; minutes += 5) {
    const beat = await agent.beat(session)
    if (beat.kind === 'refused') return t.fail(`after ${minutes} minutes: ${beat.detail}`)
    await agent.pass(5 * 60_000)
    // A restart does not begin the day anew.
    if (minutes === 600) await agent.restart()
  }
  const last = await agent.beat(session)
  t.true(last.kind === 'kept' && last.session.expiresIn <= 300, 'no promise outlives the day')
  await agent.pass(5 * 60_000)
  t.like(await agent.beat(session), { code: 'session_ended' })
  await agent.pass(60_000)
  t.is(agent.license(id).products[0]?.used, 0)
  t.is((await agent.entries('license.blocked')).length, 1)
})

test('a new activation unblocks a license at once, and so does the old hardware', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  agent.hardware = { machine: 'another machine', board: 'another board' }
  await agent.reboot()
  t.is(agent.state(id), 'blocked_hardware')
  await activate(agent, vendor, license)
  t.is(agent.state(id), 'active')
  await agent.seat()
  agent.hardware = usualHardware
  await agent.reboot()
  t.is(agent.state(id), 'blocked_hardware')
  agent.hardware = { machine: 'another machine', board: 'another board' }
  await agent.reboot()
  t.is(agent.state(id), 'active')
  t.deepEqual(
    (await agent.entries('license')).map((entry) => entry.type.slice(8)),
    ['installed', 'activated', 'blocked', 'activated', 'blocked', 'unblocked'],
  )
})

test('too little hardware to know the machine again: no request is made', async (t) => {
  const { agent, id } = await begin()
  agent.hardware = { processor: 'Example Processor', disk: 'disk of the example' }
  await agent.restart()
  t.like(await agent.parts.licenses.requestActivation(id), { code: 'hardware_unreadable' })
})
