import test from 'ava'
import { refuse } from '../../agent/errors.ts'
import { orUnavailable } from '../../agent/peers/lease-desk-refusals.ts'
import { renewalsAnswerSchema } from '../../agent/peers/wire.ts'
import { agentId, deskStand, leaseId, peer, pool, problemOf, self, wordOf } from './desk-stand.ts'

const [ann, ben, cay] = [peer('a'), peer('b'), peer('c')]

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
    desk: { linksOf: async ({ id }) => ({ root: ['license', 'activation'], leases: [`link of ${id.slice(-4)}`] }) },
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

test('R10: a supply that could not be passed on for 10 s is renewed first, be two thirds of it left or not', async (t) => {
  let asked = 0
  const leased = (until: number) => pool(1, { kind: 'lease', chain: [agentId('R')], leaseSeconds: 30, until, depth: 2 })
  const stand = await deskStand({
    supplies: [leased(90_000)],
    desk: {
      upstream: {
        renewFirst: async () => {
          asked += 1
          await stand.put(leased(stand.clock.boot().at + 30_000), 'lease_lost')
        },
        isInDoubt: () => false,
      },
    },
  })
  await stand.get(ann, 'one')
  t.like(await stand.renew(ann, 'one'), [{ outcome: 'renewed', expiresIn: 15 }])
  await stand.clock.run(6_000)
  t.like(await stand.renew(ann, 'one'), [{ outcome: 'renewed', expiresIn: 15 }])
  t.is(asked, 1)
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
  // Both at once, since the store is soon read again.
  const [renewed, asked] = await Promise.all([renew(ann, 'one'), ask(ann, 'one')])
  t.like(renewed, [{ outcome: 'later' }])
  t.is(wordOf(asked), 'store_unavailable')
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
