/** R28: leases that come back early, and whose seats are free at once. */
import test from 'ava'
import { supply } from './core.ts'
import { Agent, mail, pass, told } from './net.ts'

const ana = { who: mail('ana') }
const bob = { who: mail('bob') }

/** A manager with a license by user, and an agent. */
async function begin(seats: number) {
  const manager = await Agent.start('manager', [supply(seats, { rule: 'user' })])
  const a = await Agent.start('agent-a')
  return { manager, a }
}

test('R28: an agent that gives back more leases within one lease time than it ever had at once waits for the end of their text', async (t) => {
  const { manager, a } = await begin(2)
  await a.fetch(manager, 'l1', 'ana-1', ana)
  await a.lessor.end('ana-1', 'released')
  t.is((await a.giveBack(manager, 'l1')).kind, 'ended', 'the first one is free at once')
  await a.fetch(manager, 'l2', 'ana-2', ana)
  await pass(100_000, manager, a)
  await a.lessor.end('ana-2', 'released')
  const answer = await a.giveBack(manager, 'l2')
  t.is(answer.kind, 'ending')
  t.is(answer.kind === 'ending' ? answer.freeAt : 0, manager.core.clock.wall() + 515_000)
  t.is((await manager.lessor.end('agent-a/l2', 'released')).kind, 'ending', 'telling it twice frees nothing')
  t.deepEqual(await manager.lessor.renew('agent-a/l2'), { kind: 'ended', reason: 'released' })
  await pass(499_000, manager, a)
  t.is(manager.lessor.view.used('L1/cad'), 1)
  await pass(2_000, manager, a)
  t.is(manager.lessor.view.used('L1/cad'), 0)
  t.deepEqual(told(manager.core.events).slice(-2), ['ending agent-a/l2', 'ended agent-a/l2'])
})

test('R28: a new lease of the same agent takes over a seat that waits, one of another agent does not', async (t) => {
  const { manager, a } = await begin(1)
  const b = await Agent.start('agent-b')
  for (const id of ['l1', 'l2']) {
    await a.ask(manager, id, ana)
    await manager.lessor.end(`agent-a/${id}`, 'released')
  }
  t.is((await b.ask(manager, 'l3', bob)).kind, 'short')
  t.is((await a.ask(manager, 'l4', { ...bob, seats: 2 })).kind, 'too_many')
  t.truthy(manager.lessor.view.grant('agent-a/l2'), 'a refusal takes nothing over')
  t.is((await a.ask(manager, 'l4', bob)).kind, 'granted')
  t.is(manager.lessor.view.used('L1/cad'), 1)
  t.deepEqual(manager.core.lastEntries(), ['lease.ended agent-a/l2', 'lease.granted agent-a/l4'])
  t.deepEqual(await manager.lessor.renew('agent-a/l2'), { kind: 'ended', reason: 'released' })
})

test('R28: who had two seats at one time may give back two; after a lease time all is as before, and after a restart nobody is punished twice', async (t) => {
  const { manager, a } = await begin(5)
  const back = (id: string) => manager.lessor.end(`agent-a/${id}`, 'released').then(({ kind }) => kind)
  for (const id of ['l1', 'l2']) await a.ask(manager, id, { who: mail(id) })
  t.deepEqual([await back('l1'), await back('l2')], ['ended', 'ended'])
  await a.ask(manager, 'l3', ana)
  t.is(await back('l3'), 'ending')
  await pass(601_000, manager)
  await a.ask(manager, 'l4', ana)
  t.is(await back('l4'), 'ended')
  await a.ask(manager, 'l5', ana)
  t.is(await back('l5'), 'ended')
  await a.ask(manager, 'l6', ana)
  t.is(await back('l6'), 'ending')
  await manager.restart()
  t.is(await back('l6'), 'ending', 'it still waits')
  t.is((await a.ask(manager, 'l7', bob)).kind, 'granted')
  t.is(manager.lessor.view.grant('agent-a/l6'), undefined, 'and is still taken over')
})

test('R28: several given back in one batch count together', async (t) => {
  const { manager, a } = await begin(5)
  for (const id of ['l1', 'l2']) await a.ask(manager, id, { who: mail(id) })
  await manager.lessor.end('agent-a/l1', 'released')
  await a.ask(manager, 'l3', ana)
  const answers = await Promise.all(['l2', 'l3'].map((id) => manager.lessor.end(`agent-a/${id}`, 'released')))
  t.deepEqual(
    answers.map(({ kind }) => kind),
    ['ended', 'ending'],
  )
})

test('R28, R5: sessions of this machine and leases that the manager ended are free at once', async (t) => {
  const { manager, a } = await begin(1)
  for (const id of ['s1', 's2', 's3']) {
    await manager.core.open(id, ana)
    t.is((await manager.lessor.end(id, 'released')).kind, 'ended')
  }
  for (const id of ['l1', 'l2', 'l3']) {
    await a.ask(manager, id, ana)
    t.is((await manager.lessor.disconnect(`agent-a/${id}`, 'disconnected')).kind, 'ending')
    t.is((await manager.lessor.end(`agent-a/${id}`, 'released')).kind, 'ended')
  }
})
