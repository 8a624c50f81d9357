import test from 'ava'
import fc from 'fast-check'
import { refuse } from '../../agent/errors.ts'
import { orUnavailable } from '../../agent/peers/lease-desk-refusals.ts'
import {
  leaseAskSchema,
  leaseGrantSchema,
  leaseQueuedSchema,
  offersSchema,
  peerProblemSchema,
  renewalsAnswerSchema,
} from '../../agent/peers/wire.ts'
import { anySupply, supply } from '../domain/world.ts'
import {
  agentId,
  askOf,
  type DeskStand,
  type DeskStandOptions,
  deskStand,
  leaseId,
  peer,
  pool,
  self,
  vendorKey,
  wordOf,
} from './desk-stand.ts'

const [ann, ben, cay] = [peer('a'), peer('b'), peer('c')]

function problemOf(answer: { readonly kind: string }): Record<string, unknown> {
  if (!('code' in answer)) throw new Error(`no refusal: ${JSON.stringify(answer)}`)
  const { code, detail, facts } = answer as unknown as { code: string; detail: string; facts?: object }
  return peerProblemSchema.parse({ code, detail, ...facts })
}

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
    desk: { linksOf: () => ({ root: ['license', 'activation'], leases: ['lease'] }) },
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

// ---- who may

test('who may use what: the first of the checks that refuses is the one that is named', async (t) => {
  const state = {
    access: 'none' as 'none' | 'approved' | 'rules',
    approval: 'denied' as 'denied' | 'pending' | 'approved',
    machine: true,
    restored: true,
    serving: 'serving_stopped' as 'serving_stopped' | 'handing_out_disabled' | undefined,
    user: true,
    most: 1,
  }
  const denied = (rule: string) => ({ kind: 'denied', code: 'denied_by_rule', rule, detail: rule }) as const
  const { ask, get, desk } = await deskStand({
    supplies: [pool(9)],
    guards: {
      access: () => state.access,
      approvalOf: () => state.approval,
      rules: {
        machine: () => (state.machine ? denied('deny=machine') : { kind: 'allowed' }),
        user: () => (state.user ? denied('deny=user') : { kind: 'allowed' }),
      },
      serving: { refusal: () => (state.serving ? refuse(state.serving, 'The switch.') : undefined) },
      isRestored: () => state.restored,
      seatsPerAgent: () => state.most,
    },
  })
  let count = 0
  const refused = async (code: string, detail?: string) => {
    const answer = await ask(ann, `id-${++count}`, { seats: 2 })
    t.is(wordOf(answer), code)
    if (detail !== undefined) t.like(answer, { detail })
  }
  const serving = () => desk.offers(ann).serving
  await refused('remote_access_off')
  t.is(serving(), 'remote_access_off')
  state.access = 'approved'
  await refused('denied_by_rule', 'The administrator has denied this machine.')
  state.approval = 'pending'
  await refused('approval_pending')
  t.is(serving(), 'approval_pending')
  state.approval = 'approved'
  await refused('denied_by_rule', 'deny=machine')
  t.is(serving(), 'denied_by_rule')
  state.machine = false
  await refused('handing_out_disabled')
  state.restored = false
  await refused('serving_stopped')
  t.is(serving(), 'serving_stopped')
  state.serving = 'handing_out_disabled'
  await refused('handing_out_disabled')
  t.is(desk.offers(ann).offers.length, 1)
  state.serving = undefined
  await refused('denied_by_rule', 'deny=user')
  t.is(serving(), 'open')
  state.user = false
  await refused('agent_limit_reached')
  state.most = 0
  await get(ann, `id-${++count}`, { seats: 2 })
})

test('a denial names its rule, and never who holds the seats', async (t) => {
  const { ask } = await deskStand({
    guards: {
      rules: {
        machine: () => ({ kind: 'allowed' }),
        user: () => ({ kind: 'denied', code: 'denied_by_rule', rule: 'deny=ana@*', detail: 'A rule refuses this.' }),
      },
    },
  })
  t.deepEqual(problemOf(await ask(ann, 'one')), {
    code: 'denied_by_rule',
    detail: 'A rule refuses this.',
    rule: 'deny=ana@*',
  })
})

test('holders of seats are told to approved agents only', async (t) => {
  const view = {
    id: self,
    name: 'M',
    product: 'acme/cad',
    seats: 1,
    used: 1,
    detached: 0,
    notDetachable: 1,
    nextReturnAt: new Date(Date.UTC(2027, 0, 4, 8, 0, 12)).toISOString(),
    holders: [{ user: 'Ana', seats: 1, startedAt: '2027-01-04T08:00:00.000Z' }],
  }
  const { ask, get } = await deskStand({
    desk: { explain: () => view },
    guards: { approvalOf: (id) => (id === ben.id ? 'approved' : 'known') },
  })
  await get(ann, 'one')
  const { holders: _, ...rest } = view
  t.like(problemOf(await ask(ben, 'two')), { retryIn: 12, largest: 0, explanation: view })
  t.deepEqual(problemOf(await ask(cay, 'three')).explanation, rest)
})

test('M3: disabled renews what lives, and I9: who waits when it is stopped is answered so', async (t) => {
  let code: 'handing_out_disabled' | 'serving_stopped' | undefined
  const { desk, ask, get, renew, clock } = await deskStand({
    guards: { serving: { refusal: () => (code ? refuse(code, 'The switch.') : undefined) } },
  })
  await get(ann, 'one')
  const queued = ask(ben, 'two', { wait: 60 })
  await clock.run(1)
  t.is(wordOf(await queued), 'queued')
  code = 'handing_out_disabled'
  desk.notePolicy()
  t.is(wordOf(await ask(ben, 'two', { wait: 60 })), 'handing_out_disabled')
  t.like((await renew(ann, 'one'))[0], { outcome: 'renewed' })
  t.is(wordOf(await ask(ann, 'one')), 'granted')
  t.is(wordOf(await ask(cay, 'three')), 'handing_out_disabled')
})

test('R32: seats per agent are limited, those that are being asked for included; a repeat is no more', async (t) => {
  const { ask, get, clock } = await deskStand({ supplies: [pool(4)], guards: { seatsPerAgent: () => 2 } })
  await get(ann, 'one')
  const [two, three] = await Promise.all([ask(ann, 'two'), ask(ann, 'three')])
  t.deepEqual([wordOf(two), wordOf(three)], ['granted', 'agent_limit_reached'])
  t.is(wordOf(await ask(ann, 'two')), 'granted')
  await get(ben, 'four', { seats: 2 })
  const full = ask(cay, 'five', { seats: 2, wait: 60 })
  await clock.run(1)
  t.is(wordOf(await full), 'queued')
  t.is(wordOf(await ask(cay, 'six', { wait: 60 })), 'agent_limit_reached')
  const again = ask(cay, 'five', { seats: 2, wait: 60 })
  await clock.run(3_000)
  t.is(wordOf(await again), 'queued')
})

// ---- renewals

test('R21: each lease of a renewal is answered separately', async (t) => {
  const { desk, get, ask, release, lessor, clock } = await deskStand({
    supplies: [pool(4)],
    desk: { linksOf: ({ id }) => ({ root: ['license', 'activation'], leases: [`link of ${id.slice(-4)}`] }) },
  })
  for (const id of ['good', 'gone', 'told']) await get(ann, id)
  await release(ann, 'gone')
  await lessor.disconnect(`${ann.id}/${leaseId('told')}`, 'disconnected')
  await get(ben, 'other')
  const leases = ['good', 'gone', 'told', 'other', 'good'].map(leaseId)
  await clock.run(300_000)
  const answer = await desk.renew(ann, { leases })
  if (answer.kind !== 'answered') return t.fail()
  const { kind: _, ...wire } = answer
  t.deepEqual(renewalsAnswerSchema.parse(wire), wire)
  t.deepEqual(answer.roots, { l1: ['license', 'activation'] })
  t.deepEqual(answer.results, [
    {
      id: leases[0],
      outcome: 'renewed',
      seats: 1,
      expiresIn: 600,
      freeIn: 615,
      renewIn: 200,
      root: 'l1',
      leases: ['link of ----'],
    },
    { id: leases[1], outcome: 'ended', reason: 'released' },
    { id: leases[2], outcome: 'ended', reason: 'disconnected' },
    { id: leases[3], outcome: 'unknown' },
  ])
  t.is(wordOf(await ask(ann, 'good')), 'granted')
})

test('seats of who is denied by a rule end with the renewal; who waits for approval keeps them', async (t) => {
  const state = { access: 'rules' as 'rules' | 'approved' | 'none', machine: false, user: '' }
  const allowed = { kind: 'allowed' } as const
  const denied = { kind: 'denied', code: 'denied_by_rule', detail: 'A rule.' } as const
  const { get, ask, renew, release, used, desk } = await deskStand({
    supplies: [pool(3)],
    guards: {
      access: () => state.access,
      approvalOf: () => 'pending',
      rules: {
        machine: () => (state.machine ? denied : allowed),
        user: ({ account }) => (account === state.user ? denied : allowed),
      },
    },
  })
  await get(ann, 'one')
  await get(ann, 'two', { who: { account: 'bob' } })
  state.access = 'approved'
  t.like(await renew(ann, 'one', 'two'), [{ outcome: 'renewed' }, { outcome: 'renewed' }])
  state.user = 'bob'
  const ended = { outcome: 'ended', reason: 'user_disabled' }
  t.like(await renew(ann, 'one', 'two'), [{ outcome: 'renewed' }, ended])
  state.machine = true
  t.is(wordOf(await ask(ann, 'one')), 'session_ended')
  t.like(await renew(ann, 'one'), [ended])
  // Giving back is heard whoever it is.
  t.is(wordOf(await release(ann, 'one')), 'acknowledged')
  t.is(used(), 1)
  state.access = 'none'
  t.is(wordOf(await desk.renew(ann, { leases: [leaseId('two')] })), 'remote_access_off')
  t.is(wordOf(await release(ann, 'two')), 'acknowledged')
  t.is(used(), 0)
})

test('R21: a supply with less than two thirds left is renewed before what lives on it, and one in doubt promises nothing', async (t) => {
  const asked: string[] = []
  let doubt = false
  const leased = (until: number) => pool(2, { kind: 'lease', chain: [agentId('R')], until, depth: 2 })
  const stand = await deskStand({
    supplies: [leased(660_000)],
    desk: {
      upstream: {
        renewFirst: async (id) => {
          asked.push(id)
          await stand.put(leased(stand.clock.boot().at + 600_000), 'lease_lost')
        },
        isInDoubt: () => doubt,
      },
    },
  })
  const { get, ask, renew, clock } = stand
  // Its own grace is kept at every hop (R10).
  t.is((await get(ann, 'one')).expiresIn, 585)
  t.like(await renew(ann, 'one'), [{ outcome: 'renewed', expiresIn: 585 }])
  t.deepEqual(asked, [])
  await clock.run(201_000)
  t.like(await renew(ann, 'one'), [{ outcome: 'renewed', expiresIn: 585 }])
  t.deepEqual(asked, ['l1/cad'])
  doubt = true
  t.like(await renew(ann, 'one'), [{ outcome: 'later', retryIn: 2 }])
  t.is(wordOf(await ask(ann, 'one')), 'store_unavailable')
  doubt = false
  t.is(wordOf(await ask(ann, 'one')), 'granted')
})

test('R21: a manager above that does not answer costs 3 s and not the renewal', async (t) => {
  const leased = pool(1, { kind: 'lease', chain: [agentId('R')], until: 400_000, depth: 2 })
  const never = new Promise<void>(() => undefined)
  const { get, renew, clock } = await deskStand({
    supplies: [leased],
    desk: { upstream: { renewFirst: () => never, isInDoubt: () => false } },
  })
  await get(ann, 'one')
  const renewal = renew(ann, 'one')
  await clock.run(3_000)
  t.like(await renewal, [{ outcome: 'renewed', expiresIn: 322 }])
})

test('R1: while the store can not be written nothing is refused for good', async (t) => {
  const { ask, get, renew, release, store, clock, lessor } = await deskStand({ supplies: [pool(2)] })
  await get(ann, 'one')
  store.failCommits('after')
  t.is(wordOf(await ask(ann, 'two')), 'store_unavailable')
  t.false(lessor.isReady)
  t.like(await renew(ann, 'one'), [{ outcome: 'later' }])
  t.is(wordOf(await ask(ann, 'one')), 'store_unavailable')
  for (let tries = 0; tries < 20 && !lessor.isReady; tries++) await clock.run(1_000)
  t.like(await ask(ann, 'two'), { kind: 'granted', created: false })
  store.failCommits('before')
  t.is(wordOf(await release(ann, 'two')), 'store_unavailable')
  let answer = 'store_unavailable'
  for (let tries = 0; tries < 20 && answer === 'store_unavailable'; tries++) {
    await clock.run(1_000)
    answer = wordOf(await release(ann, 'two'))
  }
  t.is(answer, 'acknowledged')
  const broken = new Error('broken')
  await t.throwsAsync(
    orUnavailable(() => Promise.reject(broken)),
    { is: broken },
  )
})

// ---- the line

async function full(options: DeskStandOptions = {}): Promise<DeskStand> {
  const stand = await deskStand(options)
  await stand.get(ann, 'one')
  return stand
}

/** Asks to wait and expects to stand in line. */
async function wait({ ask, clock }: DeskStand, ...[from, id, more]: Parameters<DeskStand['ask']>) {
  const asked = ask(from, id, { wait: 300, ...more })
  await clock.run(1)
  const answer = await Promise.race([asked, clock.run(3_000).then(() => asked)])
  if (answer.kind !== 'queued') throw new Error(JSON.stringify(answer))
  const { kind: _, ...wire } = answer
  leaseQueuedSchema.parse(wire)
  return answer
}

test('R30: sessions of this machine and other agents stand in one line, and the seat goes to who came first', async (t) => {
  const stand = await full()
  const { session, ask, release, listen, clock, lessor } = stand
  const local = session('local', { wait: 300_000 })
  await clock.run(1)
  t.like(await wait(stand, ben, 'two'), { position: 2, waiting: 2, retryIn: 5 })
  const last = session('last', { wait: 300_000 })
  const stream = listen(ben)
  await clock.run(1)
  t.is(wordOf(await ask(cay, 'three')), 'no_seats')
  await release(ann, 'one')
  t.is((await local).kind, 'granted')
  const offers = () => stream.heard.filter((event) => event.kind === 'seat-offered')
  t.deepEqual(offers(), [])
  await lessor.end('local', 'released')
  await clock.run(1)
  t.deepEqual(offers(), [{ kind: 'seat-offered', request: leaseId('two'), expiresIn: 10 }])
  const taken = await ask(ben, 'two', { wait: 300 })
  t.like(taken, { kind: 'granted', lease: { expiresIn: 600, offered: undefined } })
  await release(ben, 'two')
  t.is((await last).kind, 'granted')
})

test('R30: a seat that was offered and not asked for goes to the next', async (t) => {
  const stand = await full()
  const { ask, release, listen, clock, used } = stand
  await wait(stand, ben, 'two')
  await release(ann, 'one')
  await clock.run(1)
  t.is(used(), 1)
  t.is(wordOf(await ask(cay, 'three')), 'no_seats')
  const stream = listen(ben)
  t.deepEqual(stream.heard, [{ kind: 'seat-offered', request: leaseId('two'), expiresIn: 10 }])
  await clock.run(26_000)
  t.is(used(), 0)
  t.is(wordOf(await ask(ben, 'two', { wait: 300 })), 'session_ended')
  t.is(wordOf(await ask(cay, 'four')), 'granted')
})

test('R30: a place is kept while its agent asks again, and 15 s after that', async (t) => {
  const stand = await full()
  const { session, release, listen, clock } = stand
  await wait(stand, ben, 'two')
  const local = session('local', { wait: 300_000 })
  for (let round = 0; round < 5; round++) {
    await clock.run(9_000)
    t.like(await wait(stand, ben, 'two'), { position: 1, waiting: 2 })
  }
  await clock.run(16_000)
  const stream = listen(ben)
  await release(ann, 'one')
  t.is((await local).kind, 'granted')
  t.deepEqual(stream.heard, [])
  t.like(await wait(stand, ben, 'two'), { position: 1, waiting: 1 })
})

test('R30: who gives up before its turn leaves the line, and a late copy does not come back into it', async (t) => {
  const stand = await full()
  const { ask, session, release, clock, used } = stand
  await wait(stand, ben, 'two')
  const local = session('local', { wait: 300_000 })
  await release(ben, 'two')
  await release(ann, 'one')
  await clock.run(6_000)
  t.is((await local).kind, 'granted')
  t.is(wordOf(await ask(ben, 'two', { wait: 300 })), 'session_ended')
  t.is(used(), 1)
})

test('R30: when the wait is over the answer is a refusal, and the id stays refused', async (t) => {
  const stand = await full()
  const { ask, clock } = stand
  await wait(stand, ben, 'two', { wait: 8 })
  await clock.run(5_000)
  t.is(wordOf(await ask(ben, 'two', { wait: 3 })), 'queued')
  await clock.run(5_000)
  t.is(wordOf(await ask(ben, 'two', { wait: 60 })), 'no_seats')
  t.is(wordOf(await ask(ben, 'three', { wait: 0 })), 'no_seats')
})

test('R15: in the line, too, an id is one request', async (t) => {
  const stand = await full({ supplies: [pool(1)] })
  const { ask } = stand
  await wait(stand, ben, 'two')
  t.is(wordOf(await ask(ben, 'two', { wait: 300, who: { account: 'bob' } })), 'id_conflict')
})

test('a request that is looked for elsewhere for long is answered before its agent gives up, and found again', async (t) => {
  let give: () => void = () => undefined
  const late = new Promise<void>((resolve) => {
    give = resolve
  })
  const { ask, clock, renew } = await deskStand({
    finder: (finder) => ({
      placeOf: (product, id) => finder.placeOf(product, id),
      waiting: (product) => finder.waiting(product),
      find: async (command, options) => {
        await late
        return await finder.find(command, options)
      },
    }),
  })
  const first = ask(ann, 'one', { wait: 60 })
  await clock.run(3_000)
  t.like(await first, { kind: 'queued', position: 1, waiting: 1 })
  t.like(await renew(ann, 'one'), [{ outcome: 'later' }])
  give()
  await clock.run(1)
  t.like(await ask(ann, 'one', { wait: 60 }), { kind: 'granted' })
})

test('R32: who is refused or waits makes the holders of such leases be asked for what is idle, at most every 5 s', async (t) => {
  const stand = await deskStand({ supplies: [anySupply('l1/*', { seats: 2, vendorKey }), pool(1, { product: 'cam' })] })
  const { ask, get, listen, desk, clock } = stand
  await get(ann, 'one', { product: 'acme/cad' })
  await get(ann, 'two', { product: 'acme/draw' })
  const stream = listen(ann)
  const other = listen(ben)
  await clock.run(1_000)
  stream.heard.length = 0
  const wanted = () => stream.heard.filter((event) => event.kind === 'counts' && event.wanted)
  t.is(wordOf(await ask(ben, 'three', { product: 'acme/cad' })), 'no_seats')
  await clock.run(1_000)
  t.deepEqual(wanted(), [
    { kind: 'counts', product: 'acme/cad', wanted: true },
    { kind: 'counts', product: 'acme/draw', wanted: true },
  ])
  t.deepEqual(
    other.heard.filter((event) => event.kind === 'counts' && event.wanted),
    [],
  )
  for (let index = 0; index < 4; index++) {
    desk.noteWanted('acme/cad')
    await clock.run(1_000)
  }
  t.is(wanted().length, 2)
  await clock.run(5_000)
  t.is(wanted().length, 4)
  await clock.run(20_000)
  t.is(wanted().length, 4)
})

test('agents that listen are told when seats come to an end or come free, and when there are other pools', async (t) => {
  const { get, release, listen, put, clock } = await deskStand({ supplies: [pool(2)] })
  const { heard } = listen(cay)
  await get(ann, 'one')
  await clock.run(1_000)
  heard.length = 0
  await get(ann, 'two')
  await clock.run(1_000)
  await release(ann, 'two')
  await clock.run(1_000)
  t.deepEqual(heard, [
    { kind: 'counts', product: 'acme/cad', wanted: false },
    { kind: 'counts', product: 'acme/cad', wanted: false },
  ])
  heard.length = 0
  await put(pool(5))
  // The same pool, put anew, is no news.
  await clock.run(1_000)
  await put(pool(5))
  await clock.run(1_000)
  t.deepEqual(heard, [{ kind: 'policy' }])
})

// ---- offers

test('offers are the pools that the agent may have, in the shape of the wire', async (t) => {
  const links = { home: 'https://acme.example/' }
  const relay = (product: string, chain: readonly string[]) => ({
    product,
    vendorKey,
    features: [],
    seats: 9,
    used: 1,
    detached: 0,
    notDetachable: 9,
    detachable: 0,
    maxDetachDays: 0,
    anySeats: 0,
    anyUsed: 0,
    rule: 'session' as const,
    waiting: 0,
    licenses: [{ id: 'l9', model: 'perpetual', seats: 9 }],
    chain: [...chain],
  })
  const root = agentId('R')
  const { desk, get, session } = await deskStand({
    supplies: [
      pool(3, { title: 'CAD 9', features: { draw: 2, print: null } }),
      supply('l2/cad', { seats: 2, vendorKey, features: { draw: 5 } }),
      anySupply('l3/*', { seats: 4, vendorKey }),
      supply('l4/own', { product: 'own', vendorKey, local: true }),
      supply('l5/end', { product: 'end', vendorKey, depth: 0 }),
      supply('l6/old', { product: 'old', vendorKey, takes: { kind: 'nothing', why: 'license_expired' } }),
      supply('l7/far', { product: 'far', vendorKey, kind: 'lease', chain: [ben.id], until: 900_000 }),
      supply('l8/kept', { product: 'kept', vendorKey, kind: 'lease', onlyKey: 'k', chain: [root], until: 900_000 }),
      supply('l9/nokey', { product: 'nokey' }),
    ],
    desk: {
      licenseFacts: (license) => ({ model: 'subscription', links, ...(license === 'l1' ? { endsAt: 'then' } : {}) }),
      relayed: () => [
        { manager: root, offer: relay('acme/cad', []) },
        { manager: root, offer: relay('acme/cam', [ben.id]) },
        { manager: root, offer: relay('acme/loop', [self]) },
        { manager: ben.id, offer: relay('acme/mill', []) },
        { manager: root, offer: relay('acme/deep', [agentId('S'), agentId('T'), agentId('U')]) },
      ],
    },
  })
  await get(ann, 'one')
  await session('local', { seats: 2 })
  const told = desk.offers(ann)
  t.deepEqual(offersSchema.parse(told), told)
  t.like(told, { instance: self, serving: 'open' })
  t.deepEqual(told.offers.map(({ product, chain }) => [product, ...chain]).sort(), [
    ['acme/*'],
    ['acme/cad'],
    ['acme/cam', ben.id, root],
    ['acme/far', ben.id],
    ['acme/mill', ben.id],
  ])
  const offer = (product: string) => told.offers.find((one) => one.product === product)
  t.deepEqual(offer('acme/cad'), {
    product: 'acme/cad',
    title: 'CAD 9',
    vendorKey,
    features: [
      { name: 'draw', seats: 4 },
      { name: 'print', seats: null },
    ],
    seats: 5,
    used: 3,
    detached: 0,
    notDetachable: 5,
    detachable: 0,
    maxDetachDays: 0,
    anySeats: 4,
    anyUsed: 0,
    rule: 'session',
    waiting: 0,
    licenses: [
      { id: 'l1', model: 'subscription', endsAt: 'then', seats: 3 },
      { id: 'l2', model: 'subscription', seats: 2 },
    ],
    chain: [],
    links,
  })
  t.like(offer('acme/*'), { seats: 4, anySeats: 0 })
  t.deepEqual(offer('acme/cam')?.licenses, [])
  t.deepEqual(
    desk
      .offers(ben)
      .offers.map(({ product }) => product)
      .sort(),
    ['acme/*', 'acme/cad'],
  )
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
