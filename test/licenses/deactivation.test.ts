/**
 * I14: moving a license away, with seats in use and without.
 */
import test from 'ava'
import { checkDeactivation } from '../../agent/domain/documents/exchange.ts'
import { activate, begin, receiptOf, refusedAs } from './bound-license.ts'
import { blockOf } from './test-vendor.ts'

test('R6, I14: a license without seats in use gives its receipt at once, serves nothing after it, and can be removed', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  const receipt = await receiptOf(agent, id)
  t.deepEqual(checkDeactivation(receipt, { license: id, agent: agent.key.id, number: 1 }), { kind: 'good' })
  t.is(receipt.signer, agent.key.id)
  t.is(receipt.payload.overlap, undefined)
  t.is(agent.state(id), 'deactivated')
  t.is(await agent.refusal(), 'unknown_product')
  await agent.reboot()
  t.is(await agent.refusal(), 'unknown_product')
  t.is((await receiptOf(agent, id)).text, receipt.text, 'asked again it is the same receipt')
  t.deepEqual(await agent.parts.licenses.remove(id), { kind: 'removed' })
  t.deepEqual(
    (await agent.entries('license')).map((entry) => entry.type.slice(8)),
    ['installed', 'activated', 'deactivated', 'removed'],
  )
})

test('R6: with seats in use it waits, grants no more, and gives the receipt when the last one is back', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  const sessions = [await agent.seat(), await agent.seat()]
  t.deepEqual(await agent.parts.licenses.deactivate(id, false), {
    kind: 'deactivating',
    freeAt: agent.clock.wall() + 615_000,
  })
  t.is(await agent.refusal(), 'license_not_active')
  t.is(agent.license(id).products[0]?.used, 2)
  await agent.restart()
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivating' })
  for (const session of sessions)
    t.like(await agent.beat(session), { code: 'session_ended', facts: { reason: 'license_removed' } })
  // They have confirmed their end once they had the time to read the answer.
  await agent.pass(2_000)
  t.is((await receiptOf(agent, id)).payload.number, 1)
  t.is((await agent.entries('license.deactivated')).length, 1)
})

test('R6: seats that nobody gives back count until they are free, and not longer', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  await agent.seat()
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivating' })
  await agent.pass(614_000)
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivating' })
  await agent.pass(1_000)
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivated' })
})

test('R6: a seat that goes out in the same moment as the order is counted, and no receipt is made over it', async (t) => {
  const seen = new Set<string>()
  for (let turns = 0; turns < 30; turns++) {
    const { vendor, agent, license, id } = await begin()
    await activate(agent, vendor, license)
    const opening = agent.open()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    const [opened, outcome] = await Promise.all([opening, agent.parts.licenses.deactivate(id, false)])
    seen.add(`${opened.kind} ${outcome.kind}`)
  }
  t.true(seen.delete('opened deactivating'))
  t.deepEqual([...seen], ['refused deactivated'])
})

test('an overlap must be confirmed and is then named in the receipt, the journal and the view', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  await agent.seat()
  await agent.seat()
  const freeAt = agent.clock.wall() + 615_000
  const receipt = await receiptOf(agent, id, true)
  t.deepEqual(receipt.payload.overlap, { seats: 2, until: freeAt / 1000 })
  const until = new Date(freeAt).toISOString()
  t.like(await agent.entries('seat.overlap'), [
    { facts: { license: id, seats: 2, until, reason: 'license_deactivated' } },
  ])
  t.like(agent.license(id), { state: 'deactivated', overlap: { seats: 2, until } })
  t.is(await agent.refusal(), 'unknown_product')
  await agent.restart()
  t.deepEqual(agent.license(id).overlap, { seats: 2, until })
  await agent.pass(615_000)
  t.is(agent.license(id).overlap, undefined)
  // What was promised before a restart is not known exactly, so the seats themselves count for longer (R3).
  await agent.pass(600_000)
  t.is(agent.license(id).products[0]?.used, 0)
})

test('a license that forbids overlaps waits for its seats, whatever is confirmed', async (t) => {
  const { vendor, agent, license, id } = await begin({ overlap: false })
  await activate(agent, vendor, license)
  const session = await agent.seat()
  t.like(await agent.parts.licenses.deactivate(id, true), { code: 'overlap_forbidden' })
  t.is(await agent.refusal(), undefined, 'a refused order changes nothing')
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivating' })
  t.like(await agent.parts.licenses.deactivate(id, true), { code: 'overlap_forbidden' })
  await agent.close(session)
  await agent.pass(620_000)
  t.like(await agent.parts.licenses.deactivate(id, true), { kind: 'deactivated' })
})

test('only what is active can be moved away; a new activation brings a moved license back', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await refusedAs(t, agent.parts.licenses.deactivate(id, false), 'license_not_active')
  await refusedAs(t, agent.parts.licenses.deactivate('no-such-license', false), 'unknown_license')
  await activate(agent, vendor, license)
  await receiptOf(agent, id)
  await activate(agent, vendor, license)
  t.is(agent.state(id), 'active')
  t.is(await agent.refusal(), undefined)
  t.is((await agent.parts.licenses.deactivate(id, false)).kind, 'deactivating', 'the old receipt is not given again')
})

test('a license that was moved away and removed, installed anew, serves only where it needs no activation', async (t) => {
  for (const needed of [true, false]) {
    const { vendor, agent, license, id } = await begin({ activation: { needed } })
    await activate(agent, vendor, license)
    await receiptOf(agent, id)
    t.like(await agent.parts.licenses.install(license, true), { code: 'already_applied' })
    t.is(await agent.refusal(), 'unknown_product')
    t.deepEqual(await agent.parts.licenses.remove(id), { kind: 'removed' })
    t.deepEqual(await agent.parts.licenses.install(license, true), { kind: 'installed', id })
    t.is(agent.state(id), needed ? 'not_activated' : 'active')
    t.is(await agent.refusal(), needed ? 'license_not_active' : undefined)
    await agent.stop()
  }
})

test('sessions of a license that is moved away go on from another one that has room', async (t) => {
  const { vendor, agent, license, id } = await begin()
  await activate(agent, vendor, license)
  const session = await agent.seat()
  const spare = await agent.install(blockOf(vendor.license({ products: [{ name: 'cad', seats: 1 }] })))
  t.like(await agent.parts.licenses.deactivate(id, false), { kind: 'deactivated' })
  t.like(await agent.beat(session), { kind: 'kept' })
  t.is(agent.license(spare).products[0]?.used, 1)
})
