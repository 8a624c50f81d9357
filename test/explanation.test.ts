import test from 'ava'
import { Explanations, type ExplanationView, type HolderPrivacy } from '../agent/explanation.ts'
import type { OpenRequest } from '../agent/session-request.ts'
import { codeOf, stand } from './broker/stand.ts'
import { anySupply, supply } from './domain/world.ts'

const second = 1000

function manager(explanation: ExplanationView) {
  const [only] = explanation.managers
  if (!only) throw new Error('no manager explains')
  return only
}

/** What a refusal explains, under a privacy setting. */
async function refusedWith(privacy: HolderPrivacy, holders: Partial<OpenRequest>[]): Promise<unknown> {
  const { get, open } = await stand({
    supplies: [supply('l1/cad', { seats: holders.length })],
    broker: { settings: () => ({ idleLimit: 3_600_000, privacy }) },
  })
  for (const [index, holder] of holders.entries()) await get(`key ${index}`, holder)
  const outcome = await open('key-refused')
  if (outcome.kind !== 'refused') throw new Error('it was not refused')
  return manager(outcome.facts?.explanation as ExplanationView).holders
}

test('S2: a refusal says how many seats are in use, of how many, who holds them and when to try again', async (t) => {
  const { get, open, clock } = await stand({ supplies: [supply('l1/cad', { seats: 2 })] })
  await get('key-1', { user: { account: 'ana', displayName: 'Ana Lima' }, host: 'PC-1', application: 'CAD' })
  await get('key-2', { user: { email: 'bob@x.example' } })
  const refusal = await open('key-3')
  if (refusal.kind !== 'refused') return t.fail()
  t.is(refusal.code, 'no_seats')
  t.is(refusal.detail, '2 of 2 seats of acme/cad are in use.')
  t.is(refusal.facts?.retryIn, 30)
  const startedAt = new Date(clock.wall()).toISOString()
  t.deepEqual(refusal.facts?.explanation, {
    managers: [
      {
        id: 'agent-1',
        name: 'Agent one',
        product: 'acme/cad',
        seats: 2,
        used: 2,
        detached: 0,
        notDetachable: 2,
        holders: [
          { user: 'Ana Lima', host: 'PC-1', application: 'CAD', seats: 1, startedAt },
          { user: 'bob@x.example', seats: 1, startedAt },
        ],
      },
    ],
    asked: [],
  })
  return undefined
})

test('X1: holders are shown by name, by initials, or not at all', async (t) => {
  const users = [
    { displayName: 'Ana Maria Lima' },
    { email: 'bob.ray@x.example' },
    { account: 'DOMAIN\\cid' },
    { account: 'émile' },
  ]
  const holders = users.map((user) => ({ user }))
  const shown = (all: unknown): unknown => (all as { user?: string }[]).map((one) => one.user)
  t.deepEqual(shown(await refusedWith('names', holders)), [
    'Ana Maria Lima',
    'bob.ray@x.example',
    'DOMAIN\\cid',
    'émile',
  ])
  t.deepEqual(shown(await refusedWith('initials', holders)), ['A.M.L.', 'B.R.', 'C.', 'É.'])
  t.is(await refusedWith('none', holders), undefined)
})

test('X1: the next return is that of a renewal that is late, of an ordered end, of an idle end, and absent while all renew', async (t) => {
  const idleLimit = 20 * 60 * second
  const { get, keep, broker, clock } = await stand({ supplies: [supply('l1/cad', { seats: 4 })], idleLimit })
  const next = (): number | undefined => {
    const { nextReturnAt } = manager(broker.explain('acme/cad'))
    return nextReturnAt === undefined ? undefined : Math.round((Date.parse(nextReturnAt) - clock.wall()) / second)
  }
  const [one, two] = [await get('key-1'), await get('key-2')]
  t.is(next(), undefined)
  const reported = await get('key-3', { activity: 'reported' })
  await clock.run(second)
  t.is(next(), 20 * 60 - 1)
  await clock.run(250 * second)
  await keep(one)
  await keep(reported)
  await clock.run(50 * second)
  // The second one was last heard 301 s ago and should have come at 200 s.
  t.is(next(), 600 + 15 - 301)
  await keep(two)
  await broker.disconnect(one.id, { freeNow: false })
  await clock.run(second)
  t.is(next(), 600 + 15 - 51)
})

test('X1: a key gives its seat back only with the last of its sessions', async (t) => {
  const { get, broker, clock } = await stand({ supplies: [supply('l1/cad', { rule: 'user' })] })
  const ana = { user: { email: 'ana@x.example' } }
  const [first, last] = [await get('key-1', ana), await get('key-2', ana)]
  await broker.disconnect(first.id, { freeNow: false })
  t.is(manager(broker.explain('acme/cad')).nextReturnAt, undefined)
  await clock.run(10 * second)
  await broker.disconnect(last.id, { freeNow: false })
  await clock.run(second)
  t.is(Date.parse(manager(broker.explain('acme/cad')).nextReturnAt ?? ''), clock.wall() + (615 - 11) * second)
})

test('S2: it is worth asking again when the next seat is due, at most after half a minute', async (t) => {
  const { get, open, broker, clock } = await stand()
  const session = await get('key-1')
  await broker.disconnect(session.id, { freeNow: false })
  t.like(await open('key-2'), { facts: { retryIn: 30 } })
  await clock.run(605 * second)
  t.like(await open('key-3'), { facts: { retryIn: 10 } })
})

test('X1: seats and their use are of this moment, with any-product seats; closed licenses do not count', async (t) => {
  const { get, close, broker } = await stand({
    supplies: [
      supply('l1/cad'),
      anySupply('l2/*', { seats: 2 }),
      supply('l3/cad', { seats: 7, takes: { kind: 'renewals', why: 'license_expired' } }),
    ],
  })
  const session = await get('key-1')
  await get('key-2', { product: 'acme/cam' })
  t.like(manager(broker.explain('acme/cad')), { seats: 3, used: 2 })
  await close(session)
  t.like(manager(broker.explain('acme/cad')), { seats: 3, used: 1 })
  t.deepEqual(broker.explain('acme/cam').managers[0]?.seats, 2)
  t.deepEqual(broker.explain('other/cad'), { managers: [], asked: [] })
})

test('X1: of a feature the explanation counts its limit, and names those who use it when that is what is short', async (t) => {
  const { get, open } = await stand({ supplies: [supply('l1/cad', { seats: 5, features: { draw: 2, print: null } })] })
  await get('key-1', { user: { account: 'ana' }, feature: 'print' })
  for (const account of ['bob', 'cid']) await get(`key ${account}`, { user: { account }, feature: 'draw' })
  const refusal = await open('key-4', { feature: 'draw' })
  t.is(codeOf(refusal), 'no_seats')
  if (refusal.kind !== 'refused') return
  t.is(refusal.detail, '2 of 2 seats of acme/cad with feature draw are in use.')
  t.is(refusal.facts?.feature, 'draw')
  const { holders } = manager(refusal.facts?.explanation as ExplanationView)
  t.deepEqual(
    holders?.map((one) => one.user),
    ['bob', 'cid'],
  )
})

test('of 12,000 holders 10,000 are looked at, 100 are named, and a second refusal within a second looks at none', async (t) => {
  const { get, lessor, clock } = await stand({ supplies: [supply('l1/cad', { seats: 12_000 })] })
  for (let from = 0; from < 12_000; from += 500)
    await Promise.all(Array.from({ length: 500 }, (_, index) => get(`key number ${from + index}`)))
  let looked = 0
  const explanations = new Explanations({
    lessor: {
      view: lessor.view,
      promiseOf: (id) => {
        looked++
        return lessor.promiseOf(id)
      },
    },
    clock,
    self: () => ({ id: 'agent-1', name: 'Agent one' }),
    settings: () => ({ privacy: 'names', idleLimit: 3_600_000 }),
  })
  const first = manager(explanations.explain('acme/cad', undefined))
  t.like(first, { seats: 12_000, used: 12_000 })
  t.is(first.holders?.length, 100)
  t.is(looked, 10_000)
  for (let again = 0; again < 50; again++) explanations.explain('acme/cad', undefined)
  t.is(looked, 10_000)
  clock.advance(second)
  explanations.explain('acme/cad', undefined)
  t.is(looked, 20_000)
})
