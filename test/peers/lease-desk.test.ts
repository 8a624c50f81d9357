import test from 'ava'
import fc from 'fast-check'
import { leaseAskSchema, leaseGrantSchema } from '../../agent/peers/wire.ts'
import { anySupply } from '../domain/world.ts'
import { agentId, askOf, deskStand, leaseId, peer, pool, problemOf, self, vendorKey, wordOf } from './desk-stand.ts'

const [ann, ben, cay] = [peer('a'), peer('b'), peer('c')]

// ---- leases

test('R14: the same id again is a renewal: the same lease with new times, and no second seat', async (t) => {
  const { ask, get, used, clock } = await deskStand({ supplies: [pool(2)] })
  const first = await get(ann, 'one')
  await clock.run(100_000)
  const again = await ask(ann, 'one')
  t.like(again, { kind: 'granted', created: false })
  t.deepEqual('lease' in again ? again.lease : undefined, first)
  t.is(used(), 1)
  t.is(wordOf(await ask(ann, 'one', { seats: 2 })), 'id_conflict')
  t.is(wordOf(await ask(ann, 'one', { machine: 'renamed', wait: 7 })), 'granted')
})

test('a lease is told whole, in the shape of the wire, with the count key that it serves (R17)', async (t) => {
  const { get } = await deskStand({
    supplies: [
      pool(3, { rule: 'user', title: 'CAD 9', depth: 2, features: { draw: null } }),
      anySupply('l2/*', { seats: 2, vendorKey }),
    ],
    desk: { linksOf: async () => ({ root: ['license', 'activation'], leases: ['lease'] }) },
  })
  const lease = await get(ann, 'one', { who: { email: 'Ana@x.example' }, feature: 'draw' })
  t.deepEqual(leaseGrantSchema.parse(lease), lease)
  t.deepEqual(lease, {
    id: leaseId('one'),
    product: 'acme/cad',
    feature: 'draw',
    title: 'CAD 9',
    seats: 1,
    license: 'l1',
    rule: 'user',
    key: { rule: 'user', parts: ['email', 'ana@x.example'] },
    leaseSeconds: 600,
    expiresIn: 600,
    freeIn: 615,
    renewIn: 200,
    depth: 1,
    chain: [self],
    overlap: true,
    proof: ['license', 'activation', 'lease'],
  })
  const any = await get(ann, 'two', { product: 'acme/cam' })
  t.like(any, { any: true, key: undefined, license: 'l2', depth: 3 })
})

test('a reserve is keyless and takes as many seats as there are', async (t) => {
  const { ask, get, used } = await deskStand({ supplies: [pool(3, { rule: 'host' })] })
  t.like(await get(ann, 'one', { purpose: 'reserve', seats: 9 }), { seats: 3, key: undefined })
  t.is(used(), 3)
  t.like(problemOf(await ask(ben, 'two', { purpose: 'reserve', seats: 2 })), { code: 'no_seats', largest: 0 })
})

test('R15: ids belong to the agent that made them, so nobody reaches the lease of another', async (t) => {
  const { ask, get, renew, release, used, lessor } = await deskStand({ supplies: [pool(2)] })
  await get(ann, 'one')
  t.is(wordOf(await ask(ben, 'one')), 'granted')
  t.is(used(), 2)
  t.like((await renew(cay, 'one'))[0], { outcome: 'unknown' })
  t.is(wordOf(await release(cay, 'one')), 'acknowledged')
  t.is(used(), 2)
  await release(ben, 'one')
  t.is(used(), 1)
  t.truthy(lessor.view.grant(`${ann.id}/${leaseId('one')}`))
  // An id that looks like that of another agent is no id at all.
  t.false(leaseGrantSchema.shape.id.safeParse(`${ann.id}/x`).success)
})

test('R15: what was refused stays refused for as long as a copy of the request could come', async (t) => {
  const { ask, get, release, clock, outcomes } = await deskStand()
  await get(ann, 'one')
  t.is(wordOf(await ask(ben, 'two')), 'no_seats')
  await release(ann, 'one')
  t.is(wordOf(await ask(ben, 'two')), 'no_seats')
  await clock.run(59_000)
  t.is(wordOf(await ask(ben, 'two')), 'no_seats')
  t.is(outcomes.length, 2)
  t.is(wordOf(await ask(ben, 'three')), 'granted')
  await release(ben, 'three')
  await clock.run(2_000)
  t.is(wordOf(await ask(ben, 'two')), 'granted')
})

test('R15: after it was given back, or cancelled before it came, an id never gets a seat', async (t) => {
  const { ask, get, release, renew, used } = await deskStand()
  await get(ann, 'one')
  t.is(wordOf(await release(ann, 'one')), 'acknowledged')
  t.like(problemOf(await ask(ann, 'one')), { code: 'session_ended', reason: 'released' })
  t.is(wordOf(await release(ann, 'one')), 'acknowledged')
  t.is(wordOf(await release(ann, 'never')), 'acknowledged')
  t.is(wordOf(await ask(ann, 'never')), 'session_ended')
  t.like((await renew(ann, 'one'))[0], { outcome: 'ended', reason: 'released' })
  t.is(used(), 0)
})

test('R21: a request that came around, or speaks for somebody else, gets nothing', async (t) => {
  const { ask, used } = await deskStand()
  const other = agentId('x')
  const attacks: readonly [string, Parameters<typeof ask>[2], string][] = [
    ['through this agent', { agent: self, chain: [self, ann.id] }, 'loop_detected'],
    ['in a circle', { agent: ann.id, chain: [ann.id, other, ann.id] }, 'loop_detected'],
    ['another agent last', { agent: ann.id, chain: [ann.id, other] }, 'invalid_request'],
    ['counted for another agent', { agent: other }, 'invalid_request'],
    ['another license server', { instance: other }, 'unknown_instance'],
  ]
  for (const [index, [what, more, code]] of attacks.entries())
    t.is(wordOf(await ask(ann, `attack-${index}`, more)), code, what)
  t.is(used(), 0)
  t.is(wordOf(await ask(ann, 'good', { instance: self, agent: other, chain: [other, ann.id] })), 'granted')
})

test('R21: seats that came over an agent are not passed on to it, nor deeper than the license allows', async (t) => {
  const leased = pool(1, { kind: 'lease', depth: 2, chain: [ben.id], until: 900_000 })
  const { ask } = await deskStand({ supplies: [leased] })
  t.is(wordOf(await ask(ben, 'one')), 'unknown_product')
  t.like(await ask(ann, 'two'), { lease: { chain: [ben.id, self], depth: 1 } })
  const { ask: askDeep } = await deskStand({ supplies: [pool(1, { depth: 0 })] })
  t.is(wordOf(await askDeep(ann, 'one')), 'unknown_product')
  const { ask: askLocal } = await deskStand({ supplies: [pool(1, { local: true })] })
  t.is(wordOf(await askLocal(ann, 'one')), 'unknown_product')
})

test('absurd values do not come through the wire', (t) => {
  const good = askOf(ann)
  t.true(leaseAskSchema.safeParse(good).success)
  for (const wrong of [
    { seats: 0 },
    { seats: 1e9 },
    { seats: 1.5 },
    { wait: 301 },
    { wait: -1 },
    { chain: [] },
    { chain: Array(9).fill(ann.id) },
    { product: 'acme' },
    { product: 'acme/*' },
    { purpose: 'all' },
    { agent: 'me' },
    { process: { boot: 'b', id: -1, startedAt: '' } },
    { surprise: true },
  ])
    t.false(leaseAskSchema.safeParse({ ...good, ...wrong }).success, JSON.stringify(wrong))
  const marked = leaseAskSchema.parse({ ...good, machine: 'a\u0000b\u202ec', who: { account: 'x\u001by' } })
  t.like(marked, { machine: 'abc', who: { account: 'xy' } })
})

// ---- ends

test('R5: a disconnect is told at once; the seat counts until its holder confirms', async (t) => {
  const { get, ask, lessor, listen, renew, release, used, clock } = await deskStand()
  await get(ann, 'one')
  const stream = listen(ann)
  const ended = { kind: 'ended', lease: leaseId('one'), reason: 'disconnected' } as const
  await lessor.disconnect(`${ann.id}/${leaseId('one')}`, 'disconnected')
  t.deepEqual(stream.heard, [ended])
  t.like((await renew(ann, 'one'))[0], { outcome: 'ended', reason: 'disconnected' })
  t.is(wordOf(await ask(ann, 'one')), 'session_ended')
  await clock.run(60_000)
  t.is(used(), 1)
  t.is(wordOf(await ask(ben, 'two')), 'no_seats')
  await release(ann, 'one')
  t.is(used(), 0)
  t.deepEqual(
    stream.heard.filter((event) => event.kind === 'ended'),
    [ended],
  )
})

test('R5: who does not confirm loses the seat at its lease time', async (t) => {
  const { get, lessor, used, clock } = await deskStand()
  await get(ann, 'one')
  await lessor.disconnect(`${ann.id}/${leaseId('one')}`, 'disconnected')
  await clock.run(614_000)
  t.is(used(), 1)
  await clock.run(2_000)
  t.is(used(), 0)
})

test('I8: a seat that is freed now is told to its holder, too', async (t) => {
  const { get, lessor, listen, used } = await deskStand()
  await get(ann, 'one')
  const stream = listen(ann)
  const answer = await lessor.disconnect(`${ann.id}/${leaseId('one')}`, 'disconnected', { freeNow: true })
  t.like(answer, { kind: 'ended', overlap: { seats: 1 } })
  t.deepEqual(stream.heard, [{ kind: 'ended', lease: leaseId('one'), reason: 'disconnected' }])
  t.is(used(), 0)
})

test('news of an agent without a stream come with its next renewal, once; ends that wait come with every new stream', async (t) => {
  const { desk, get, lessor, listen } = await deskStand({ supplies: [pool(2)] })
  await get(ann, 'one')
  await get(ann, 'two')
  await lessor.disconnect(`${ann.id}/${leaseId('one')}`, 'disconnected')
  const ended = { kind: 'ended', lease: leaseId('one'), reason: 'disconnected' } as const
  const renewal = async () => {
    const answer = await desk.renew(ann, { leases: [leaseId('two')] })
    return answer.kind === 'answered' ? answer.news : answer
  }
  t.deepEqual(await renewal(), [ended])
  t.deepEqual(await renewal(), [])
  const first = listen(ann)
  t.deepEqual(first.heard, [ended])
  const second = listen(ann)
  t.true(first.over())
  t.deepEqual(second.heard, [ended])
  t.is(desk.streams, 1)
  first.close()
  t.is(desk.streams, 1)
  await lessor.disconnect(`${ann.id}/${leaseId('two')}`, 'disconnected')
  t.is(first.heard.length, 1)
  t.is(second.heard.length, 2)
  second.close()
  t.is(desk.streams, 0)
})

test('R28: what a holder gives back is no news for it, also where its seat has to wait', async (t) => {
  const { get, release, listen, used } = await deskStand({ supplies: [pool(5)] })
  const stream = listen(ann)
  for (const id of ['one', 'two', 'three']) {
    await get(ann, id)
    await release(ann, id)
  }
  t.true(used() > 0)
  t.deepEqual(
    stream.heard.filter((event) => event.kind === 'ended'),
    [],
  )
  t.deepEqual(listen(ann).heard, [])
})

// ---- all together

test('R2, R15: whatever other agents ask, repeat and give back, there are never more seats out, and no id lives twice', async (t) => {
  const kinds = fc.constantFrom('ask', 'ask', 'wait', 'renew', 'release', 'disconnect', 'copy', 'time')
  const step = fc.record({ kind: kinds, who: fc.nat({ max: 2 }), id: fc.nat({ max: 5 }), user: fc.nat({ max: 2 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, byUser) => {
      const stand = await deskStand({ supplies: [pool(2, { rule: byUser ? 'user' : 'session' })] })
      const { desk, lessor, clock, used } = stand
      const over = new Set<string>()
      for (const { kind, who, id, user } of steps) {
        const from = [ann, ben, cay][who] ?? ann
        const name = `id-${id}`
        const grantId = `${from.id}/${leaseId(name)}`
        const body = { who: { email: `u${user}@x.example` } }
        if (kind === 'ask' || kind === 'copy') {
          const answer = await stand.ask(from, name, body)
          if (answer.kind === 'granted') t.false(over.has(grantId))
        } else if (kind === 'wait') {
          const asked = stand.ask(from, name, { ...body, wait: 20 })
          await clock.run(3_000)
          const answer = await asked
          if (answer.kind === 'granted') t.false(over.has(grantId))
        } else if (kind === 'renew') await desk.renew(from, { leases: [leaseId(name)] })
        else if (kind === 'release') {
          await stand.release(from, name)
          over.add(grantId)
        } else if (kind === 'disconnect') await lessor.disconnect(grantId, 'disconnected')
        else await clock.run(20_000)
        t.true(used() <= 2)
        for (const grant of lessor.view.grants()) t.false(over.has(grant.id) && grant.ending === undefined, grant.id)
      }
      // Everything comes back by itself.
      await clock.run(1_300_000)
      t.is(used(), 0)
      t.is(lessor.view.grantCount, 0)
      desk.stop()
      lessor.stop()
    }),
    { numRuns: 40 },
  )
})
