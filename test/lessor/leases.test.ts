/**
 * Seats leased from one agent to another: what the manager promises, what its holder makes of it, and how both end it.
 */
import test from 'ava'
import { graceOf, peerGrantId } from '../../agent/domain/grant.ts'
import { LeaseholdError } from '../../agent/errors.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { minute, secondsOf, supply, turn } from './core.ts'
import { Agent, leaseCommand, mail, pass, told } from './net.ts'

const ana = { who: mail('ana') }
const bob = { who: mail('bob') }

/** A manager with a license by user, and an agent. */
async function begin(seats: number, more: Parameters<typeof supply>[1] = {}) {
  const manager = await Agent.start('manager', [supply(seats, { rule: 'user', ...more })])
  const a = await Agent.start('agent-a')
  return { manager, a }
}

// ---- getting a lease

test('R7: the supply and the session that it was fetched for are in one batch', async (t) => {
  const { manager, a } = await begin(1)
  const { revision } = a.core.writer
  t.is((await a.fetch(manager, 'lease-1', 'ana', ana)).kind, 'granted')
  t.is(a.core.writer.revision, revision + 1)
  const kinds = a.core.store.batches.at(-1)?.changes.map(({ kind, key }) => `${kind} ${key}`)
  t.deepEqual(kinds?.sort(), ['grant ana', 'lease lease-1'])
  t.deepEqual(a.core.lastEntries(), ['session.opened ana'])
  t.deepEqual(manager.core.lastEntries(), ['lease.granted agent-a/lease-1'])
})

test('R7: when that batch is not written there is neither supply nor session, and asking again finds the same lease', async (t) => {
  const { manager, a } = await begin(1)
  a.core.store.failCommits('before')
  await t.throwsAsync(a.fetch(manager, 'lease-1', 'ana', ana), { instanceOf: LeaseholdError })
  await waitFor('the store to be open again', () => a.core.writer.state.kind === 'open')
  t.is(a.lessor.view.supply('lease-1'), undefined)
  t.is(a.lessor.view.grant('ana'), undefined)
  t.is((await a.fetch(manager, 'lease-1', 'ana', ana)).kind, 'granted')
  t.is(manager.lessor.view.grantCount, 1)
})

test('R17: a license of 1 per user: Ana has it on two machines with one seat; after she left A, Bob on A is refused', async (t) => {
  const { manager, a } = await begin(1)
  const b = await Agent.start('agent-b')
  t.is((await a.fetch(manager, 'lease-a', 'ana-on-a', ana)).kind, 'granted')
  t.is((await b.fetch(manager, 'lease-b', 'ana-on-b', ana)).kind, 'granted')
  t.is(manager.lessor.view.used('L1/cad'), 1)
  await a.lessor.end('ana-on-a', 'released')
  t.true(a.lessor.isEmpty('lease-a'), 'it lingers')
  t.deepEqual(await a.core.open('bob-on-a', bob), { kind: 'unknown_product' })
  t.is((await a.fetch(manager, 'lease-bob', 'bob-on-a', bob)).kind, 'short')
  t.is((await a.core.open('ana-again', ana)).kind, 'granted', 'her own lease serves her')
  await a.lessor.end('ana-again', 'released')
  await a.giveBack(manager, 'lease-a')
  t.is((await a.fetch(manager, 'lease-bob', 'bob-on-a', bob)).kind, 'short', 'Ana still is on B')
  await b.lessor.end('ana-on-b', 'released')
  await b.giveBack(manager, 'lease-b')
  t.is((await a.fetch(manager, 'lease-bob-2', 'bob-on-a-2', bob)).kind, 'granted')
})

test('R18: on a host rule the seat is counted for the agent that the application runs at, through however many agents', async (t) => {
  const manager = await Agent.start('manager', [supply(2, { rule: 'host' })])
  const branch = await Agent.start('branch')
  const other = await Agent.start('other')
  for (const [id, via] of [
    ['l1', branch],
    ['l2', other],
  ] as const)
    t.is((await via.ask(manager, id, { chain: ['desktop', via.id] })).kind, 'granted')
  t.is(manager.lessor.view.used('L1/cad'), 1, 'one machine, by two ways')
  t.is((await branch.ask(manager, 'l3', { chain: ['laptop', 'branch'] })).kind, 'granted')
  t.is((await branch.ask(manager, 'l4')).kind, 'short', 'branch itself is a third machine')
  await manager.restart()
  t.is((await branch.ask(manager, 'l1', { chain: ['desktop', 'branch'] })).kind, 'repeated')
  t.is((await other.ask(manager, 'l5', { chain: ['laptop', 'other'] })).kind, 'granted')
  t.is(manager.lessor.view.used('L1/cad'), 2)
})

test('R18: a process is counted by the agent, boot, id and start time that its own agent saw, and the manager watches no process', async (t) => {
  const { manager, a } = await begin(1, { rule: 'process' })
  const process = { boot: 'boot-9', id: 7, startedAt: '12345' }
  t.is((await a.ask(manager, 'l1', { facts: { process } })).kind, 'granted')
  t.is((await a.ask(manager, 'l2', { facts: { process } })).kind, 'granted')
  t.is((await a.ask(manager, 'l3', { facts: { process: { ...process, startedAt: '12346' } } })).kind, 'short')
  t.is(manager.lessor.view.grant('agent-a/l1')?.process, undefined)
})

// ---- times

test('R10: each hop promises less by its grace, and no lease of less than 10 seconds', async (t) => {
  const { manager, a: branch } = await begin(1)
  const desktop = await Agent.start('desktop')
  const chain = ['desktop', 'branch']
  await branch.stock(manager, 'up', { ...ana, chain })
  t.is(secondsOf(await desktop.ask(branch, 'down', ana)), 600 - graceOf(600) / 1000)
  await branch.lessor.end('desktop/down', 'released')
  await pass(575_500, manager, branch, desktop)
  t.deepEqual(await desktop.ask(branch, 'down-2', ana), { kind: 'lease_too_short' })
  t.is((await branch.core.open('ana-here', ana)).kind, 'granted', 'a session at the same agent is no hop')
  t.is(secondsOf(await branch.lessor.renew('ana-here')), 24)
  await branch.renew(manager, 'up')
  t.is(secondsOf(await desktop.ask(branch, 'down-3', ana)), 585)
})

test('R10: what remains is rounded down, when the seat is free is rounded up, and that is later by the grace', async (t) => {
  const { manager, a } = await begin(1, { until: 400_000 + 60_000 })
  await pass(500, manager, a)
  const answer = await a.ask(manager, 'l1', ana)
  t.like(answer, { kind: 'granted', expiresIn: 399, freeIn: 399 + 15 })
  await pass(700, manager, a)
  t.like(await manager.lessor.renew('agent-a/l1'), {
    kind: 'renewed',
    expiresIn: 398,
    freeIn: 414,
  })
})

test('R10: a lease of own seats lasts until the license ends, and not a second longer', async (t) => {
  const { manager, a } = await begin(1, { until: 60_000 + 9_000 })
  t.deepEqual(await a.ask(manager, 'l1', ana), { kind: 'lease_too_short' })
  await manager.core.putSupply(supply(1, { rule: 'user', until: 60_000 + 10_000 }))
  t.is(secondsOf(await a.ask(manager, 'l2', ana)), 10)
})

test('R14: a repeat of a live lease is a renewal, also of one that waited; another body is a conflict', async (t) => {
  const { manager, a } = await begin(1)
  t.like(await a.ask(manager, 'l1', { ...ana, waited: true }), { kind: 'granted', expiresIn: 10 })
  await pass(8_000, manager, a)
  t.like(await a.ask(manager, 'l1', ana), { kind: 'repeated', expiresIn: 600 })
  await pass(300_000, manager, a)
  t.like(await a.ask(manager, 'l1', { ...ana, body: 'another' }), { kind: 'conflict' })
  t.like(await a.ask(manager, 'l1', ana), { kind: 'repeated', expiresIn: 600 })
  t.is(manager.lessor.view.grantCount, 1)
})

test('R15: ids belong to who makes them: two agents may use the same', async (t) => {
  const { manager, a } = await begin(2)
  const b = await Agent.start('agent-b')
  t.is((await a.ask(manager, 'same', ana)).kind, 'granted')
  t.is((await b.ask(manager, 'same', bob)).kind, 'granted')
  await manager.lessor.end(peerGrantId('agent-a', 'same'), 'released')
  t.is((await manager.lessor.renew(peerGrantId('agent-b', 'same'))).kind, 'renewed')
})

test('R15: an id that was forbidden before it came is never granted, for 10 minutes; those of sessions are kept for a day', async (t) => {
  const { manager, a } = await begin(2)
  t.deepEqual(await manager.lessor.forbid('agent-a/l1', 'manager'), { kind: 'gone', reason: 'released' })
  t.deepEqual(await a.ask(manager, 'l1', ana), { kind: 'ended', reason: 'released' })
  await a.ask(manager, 'l2', ana)
  t.like(await manager.lessor.forbid('agent-a/l2', 'manager'), { kind: 'ended' })
  t.deepEqual(await a.ask(manager, 'l2', ana), { kind: 'ended', reason: 'released' })
  await manager.core.open('bob', bob)
  await manager.lessor.end('bob', 'released')
  await pass(9 * minute, manager)
  await manager.restart()
  t.deepEqual(await a.ask(manager, 'l1', ana), { kind: 'ended', reason: 'released' })
  await pass(10 * minute + 1_000, manager)
  t.is(manager.lessor.view.tombstone('agent-a/l1'), undefined, 'also after a restart it is one of another agent')
  t.is(manager.lessor.view.tombstone('agent-a/l2'), undefined)
  t.deepEqual(await manager.core.open('bob', bob), { kind: 'ended', reason: 'released' })
})

// ---- ending from the manager's side

test('R5: a lease that was disconnected is over for its holder; asking for its renewal frees nothing, giving it back does', async (t) => {
  const { manager, a } = await begin(1)
  await a.fetch(manager, 'l1', 'ana', ana)
  await manager.lessor.disconnect('agent-a/l1', 'disconnected')
  t.deepEqual(told(manager.core.events).slice(-1), ['ending agent-a/l1'])
  t.deepEqual(await a.renew(manager, 'l1'), { kind: 'ended', reason: 'disconnected' })
  await pass(10_000, manager, a)
  t.is((await a.ask(manager, 'l2', bob)).kind, 'short', 'Ana may still work')
  await a.takes('l1', { kind: 'nothing', why: 'lease_returning' })
  t.deepEqual(await a.lessor.renew('ana'), { kind: 'ended', reason: 'lease_lost' })
  await pass(3_000, manager, a)
  t.true(a.lessor.isEmpty('l1'))
  t.is((await manager.lessor.end('agent-a/l1', 'released')).kind, 'ended')
  t.is((await a.ask(manager, 'l3', bob)).kind, 'granted')
})

test('R5: a renewal that comes while the end is being written frees nothing either', async (t) => {
  const { manager, a } = await begin(1)
  await a.ask(manager, 'l1', ana)
  manager.core.store.hold()
  const disconnect = manager.lessor.disconnect('agent-a/l1', 'disconnected')
  await turn()
  const renewal = manager.lessor.renew('agent-a/l1')
  manager.core.store.release()
  t.is((await disconnect).kind, 'ending')
  t.deepEqual(await renewal, { kind: 'ended', reason: 'disconnected' })
  await pass(10_000, manager)
  t.is((await a.ask(manager, 'l2', bob)).kind, 'short')
})

test('R6: a license that is removed ends its leases, and their seats count until they are free', async (t) => {
  const { manager, a } = await begin(1)
  await a.ask(manager, 'l1', ana)
  await manager.core.dropSupply('L1/cad')
  t.deepEqual(await manager.lessor.renew('agent-a/l1'), { kind: 'ended', reason: 'license_removed' })
  await manager.core.putSupply(supply(1, { rule: 'user' }))
  t.is((await a.ask(manager, 'l2', bob)).kind, 'short')
  await pass(616_000, manager)
  t.is((await a.ask(manager, 'l3', bob)).kind, 'granted')
})

test('R6, I13: leases go on in the license that replaces theirs, unless it has the seats in another form', async (t) => {
  const { manager, a } = await begin(2)
  await a.ask(manager, 'l1', ana)
  await a.ask(manager, 'reserve', { ...ana, purpose: 'reserve' })
  await manager.core.writer.submit((transaction) =>
    manager.lessor.transferSupply(transaction, 'L1/cad', supply(2, { license: 'L2', rule: 'user' })),
  )
  t.deepEqual(manager.core.lastEntries(), ['lease.moved agent-a/l1', 'lease.moved agent-a/reserve'])
  t.is((await manager.lessor.renew('agent-a/l1')).kind, 'renewed')
  t.is(manager.lessor.view.used('L2/cad'), 2, 'a reserve stays keyless')
  await manager.lessor.end('agent-a/reserve', 'released')
  t.is((await manager.core.open('ana', ana)).kind, 'granted')
  t.is(manager.lessor.view.used('L2/cad'), 1, 'her key is the one of the new license')
  await manager.core.writer.submit((transaction) =>
    manager.lessor.transferSupply(
      transaction,
      'L2/cad',
      supply(2, { license: 'L3', rule: 'user', product: undefined }),
    ),
  )
  t.deepEqual(await manager.lessor.renew('agent-a/l1'), { kind: 'ended', reason: 'license_removed' })
  t.is(manager.lessor.view.used('L3/*'), 1, 'and counts there until it is given back')
})

test('R21: seats are leased on as often as the license allows, never to an agent that they came over, and stand-alone ones not at all', async (t) => {
  const manager = await Agent.start('manager', [supply(3, { depth: 2 })])
  const [b, c, d] = [await Agent.start('b'), await Agent.start('c'), await Agent.start('d')]
  t.is((await b.stock(manager, 'l1')).depth, 1)
  const held = await c.stock(b, 'l2')
  t.is(held.depth, 0)
  t.deepEqual(held.chain, ['manager', 'b'])
  t.deepEqual(await d.ask(c, 'l3'), { kind: 'unknown_product' })
  await c.put('l2', { depth: 2 })
  t.deepEqual(await b.ask(c, 'l4'), { kind: 'unknown_product' }, 'they came over b')
  t.deepEqual(
    await d.ask(c, 'l5', { chain: ['manager', 'd'] }),
    { kind: 'unknown_product' },
    'the manager asks for its own',
  )
  t.is((await d.ask(c, 'l6')).kind, 'granted')
  await manager.core.putSupply(supply(3, { license: 'alone', local: true }))
  await manager.core.dropSupply('L1/cad')
  t.deepEqual(await b.ask(manager, 'l7'), { kind: 'unknown_product' })
  t.is((await manager.core.open('here')).kind, 'granted')
})

test('leases are told from sessions: who, what and for whom is in the journal, and a lease is no session that ended', async (t) => {
  const { manager, a } = await begin(1)
  await manager.lessor.open(leaseCommand('agent-a', 'manager', 'l1', ana))
  const [entry] = manager.core.store.batches.at(-1)?.entries ?? []
  t.like(entry, { type: 'lease.granted', instance: 'manager' })
  const facts = { lease: 'agent-a/l1', holder: 'agent-a', agent: 'agent-a', product: 'acme/cad', seats: 1 }
  t.like(entry?.facts, { ...facts, supplies: ['L1/cad'] })
  t.like(entry?.personal?.texts, { email: 'ana@x.example' })
  await a.lessor.end('nothing', 'released')
  await manager.lessor.disconnect('agent-a/l1', 'disconnected', { by: 'admin' })
  t.deepEqual(manager.core.lastEntries(), ['lease.ending agent-a/l1'])
})
