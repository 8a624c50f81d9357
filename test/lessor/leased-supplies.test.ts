/**
 * Seats that were leased, at the agent that holds them: who may use them, and what becomes of that when they end, return or
 * become fewer.
 */
import test from 'ava'
import { secondsOf, supply } from './core.ts'
import { Agent, mail, pass } from './net.ts'

const ana = { who: mail('ana') }
const bob = { who: mail('bob') }

/** A manager with a license by user, and an agent. */
async function begin(seats: number) {
  const manager = await Agent.start('manager', [supply(seats, { rule: 'user' })])
  const a = await Agent.start('agent-a')
  return { manager, a }
}

test('R17: a keyless lease serves one session after the other, whoever it is, and a reserve counts keys inside itself', async (t) => {
  const { manager, a } = await begin(5)
  t.is((await a.fetch(manager, 'lease-1', 'nobody', {})).kind, 'granted')
  t.is((await a.core.open('bob', bob)).kind, 'short')
  await a.lessor.end('nobody', 'released')
  t.is((await a.core.open('bob-2', bob)).kind, 'granted')
  t.is((await a.core.open('bob-3', bob)).kind, 'granted', 'the same user has one seat')
  t.is((await a.core.open('ana', ana)).kind, 'short')

  const b = await Agent.start('agent-b')
  await b.stock(manager, 'reserve', { seats: 3, purpose: 'reserve', who: mail('ana') })
  t.is(manager.lessor.view.used('L1/cad'), 4)
  for (const [id, name] of Object.entries({ one: 'ana', two: 'bob', three: 'ana', four: 'cid' }))
    t.is((await b.core.open(id, { who: mail(name) })).kind, 'granted')
  t.is((await b.core.open('five', { who: mail('dan') })).kind, 'short')
  t.is((await a.ask(manager, 'ana-again', ana)).kind, 'granted', 'the last seat: a reserve shares nothing upstream')
  t.is((await a.ask(manager, 'one-more', { who: mail('eve') })).kind, 'short')
})

test('R16: nothing new lives on a supply that returns; the owner sees when it is empty, and only then gives it back', async (t) => {
  const { manager, a } = await begin(1)
  await a.fetch(manager, 'lease-1', 'ana', ana)
  await a.takes('lease-1', { kind: 'renewals', why: 'lease_returning' })
  t.deepEqual(await a.core.open('ana-2', ana), { kind: 'unknown_product' })
  t.is((await a.lessor.renew('ana')).kind, 'renewed', 'who is there stays')
  t.false(a.lessor.isEmpty('lease-1'))
  await a.lessor.end('ana', 'released')
  t.true(a.lessor.isEmpty('lease-1'))
  await a.giveBack(manager, 'lease-1')
  t.is(manager.lessor.view.grantCount, 0)
})

test('R16: a supply is empty also when its sessions moved away or ran out, and one that nothing was put on', async (t) => {
  const { manager, a } = await begin(3)
  await a.stock(manager, 'idle', ana)
  t.true(a.lessor.isEmpty('idle'))
  await a.core.open('ana', ana)
  t.false(a.lessor.isEmpty('idle'))
  await a.core.putSupply(supply(1, { license: 'own', rule: 'user' }))
  await a.takes('idle', { kind: 'nothing', why: 'manager_unreachable' })
  t.is(a.lessor.view.grant('ana')?.parts[0]?.supply, 'own/cad')
  t.true(a.lessor.isEmpty('idle'))
  await a.fetch(manager, 'lease-2', 'bob', bob)
  t.false(a.lessor.isEmpty('lease-2'))
  await pass(616_000, manager, a)
  t.true(a.lessor.isEmpty('lease-2'))
  await a.core.open('dan', { who: mail('dan') })
  await a.fetch(manager, 'lease-3', 'bob-2', bob)
  await a.renew(manager, 'lease-3')
  await a.core.dropSupply('lease-3')
  t.false(a.lessor.isEmpty('lease-3'), 'what is out of one that is gone counts until it ends')
  await a.lessor.end('bob-2', 'released')
  t.true(a.lessor.isEmpty('lease-3'))
})

test('R19: a supply that becomes fewer seats takes nothing back before it was promised to end; the youngest is not renewed', async (t) => {
  const { manager, a } = await begin(5)
  const stocked = await a.stock(manager, 'reserve', { seats: 3, purpose: 'reserve' })
  for (const id of ['ana', 'bob', 'cid']) {
    await a.core.open(id, { who: mail(id) })
    await pass(1_000, manager, a)
  }
  const until = stocked.until ?? 0
  await a.put('reserve', { seats: 2, until: until + 300_000, before: { seats: 3, until } })
  t.is((await a.core.open('dan', { who: mail('dan') })).kind, 'short')
  t.is(secondsOf(await a.lessor.renew('cid')), Math.floor((until - a.bootAt) / 1000))
  await pass(100_000, manager, a)
  t.is(secondsOf(await a.lessor.renew('ana')), 600)
  t.is(secondsOf(await a.lessor.renew('bob')), 600)
  await pass(until - a.bootAt, manager, a)
  t.deepEqual(await a.lessor.renew('cid'), { kind: 'ended', reason: 'lease_lost' })
  t.is((await a.lessor.renew('ana')).kind, 'renewed')
  await pass(15_000, manager, a)
  t.is(a.lessor.view.used('reserve'), 2)
})

test('R19: a place that the eldest leaves is for the youngest', async (t) => {
  const { manager, a } = await begin(5)
  const { until = 0 } = await a.stock(manager, 'reserve', { seats: 2, purpose: 'reserve' })
  await a.core.open('ana', ana)
  await pass(1_000, manager, a)
  await a.core.open('bob', bob)
  await a.put('reserve', { seats: 1, until: until + 300_000, before: { seats: 2, until } })
  await a.lessor.end('ana', 'released')
  t.is(secondsOf(await a.lessor.renew('bob')), 600)
})

test('R20: a leased supply that was read after a boot grants nothing and ends nothing until its manager has confirmed it', async (t) => {
  const { manager, a } = await begin(2)
  const desktop = await Agent.start('desktop')
  await a.fetch(manager, 'l1', 'ana', { ...ana, chain: ['desktop', 'agent-a'] })
  t.is((await desktop.ask(a, 'down', ana)).kind, 'granted')
  await a.core.crash()
  a.core.clock.reboot(30_000)
  a.core.keep({ ...a.supply('l1'), until: 0, takes: { kind: 'renewals', why: 'manager_unreachable' } })
  await a.core.begin()
  t.deepEqual(await a.core.open('ana-2', ana), { kind: 'closed', why: 'manager_unreachable' })
  t.like(await a.lessor.renew('desktop/down'), { kind: 'later' })
  t.like(await a.lessor.renew('ana'), { kind: 'later' })
  t.deepEqual(await a.core.open('ana', ana), { kind: 'closed', why: 'manager_unreachable' }, 'a repeat, too')
  await a.put('l1', { takes: { kind: 'sessions' } })
  await a.renew(manager, 'l1')
  t.is(secondsOf(await a.lessor.renew('desktop/down')), 585)
  t.is(secondsOf(await a.lessor.renew('ana')), 600)
  t.is((await a.core.open('ana-2', ana)).kind, 'granted')
})

test('R20: a manager that restarts extends when seats are free, not what it promised', async (t) => {
  const { manager, a } = await begin(1)
  await a.ask(manager, 'l1', ana)
  await pass(590_000, manager)
  await manager.core.crash()
  manager.core.clock.reboot(1_000)
  await manager.core.begin()
  manager.lessor.start()
  t.is((await a.ask(manager, 'l2', bob)).kind, 'short')
  t.is((await manager.lessor.renew('agent-a/l1')).kind, 'renewed')
})

test('R31: a session whose lease ends without a renewal moves to an own license, with the same id, before it is lost', async (t) => {
  const { manager, a } = await begin(2)
  await a.fetch(manager, 'l1', 'ana', ana)
  await a.fetch(manager, 'l2', 'bob', bob)
  await pass(1_000, manager, a)
  await a.core.putSupply(supply(1, { license: 'own', rule: 'user' }))
  t.is(a.lessor.view.grant('ana')?.parts[0]?.supply, 'l1', 'it moves only when it must')
  await pass(599_000, manager, a)
  t.like(await a.lessor.renew('ana'), { kind: 'renewed', expiresIn: 600 })
  t.is(a.lessor.view.grant('ana')?.parts[0]?.supply, 'own/cad')
  t.deepEqual(a.core.lastEntries(), ['session.moved ana'])
  t.deepEqual(await a.lessor.renew('bob'), { kind: 'ended', reason: 'lease_lost' })
})

test('R31: a lease that was not renewed in time takes no new session while another supply can', async (t) => {
  const { manager, a } = await begin(3)
  await a.stock(manager, 'old', {})
  await pass(301_000, manager, a)
  await a.stock(manager, 'fresh', {})
  await a.core.open('ana', ana)
  t.is(a.lessor.view.grant('ana')?.parts[0]?.supply, 'fresh')
  await a.core.open('bob', bob)
  t.is(a.lessor.view.grant('bob')?.parts[0]?.supply, 'old')
})
