import test from 'ava'
import fc from 'fast-check'
import type { Grant } from '../agent/domain/grant.ts'
import { list, session as sessionShape } from '../agent/http/api/shapes.ts'
import { SessionList } from '../agent/session-list.ts'
import { codeOf, stand } from './broker/stand.ts'
import { command, supply, World } from './domain/world.ts'
import { ManualClock } from './helpers/manual-clock.ts'

/** A list over grants that were never opened. */
function listOf(grants: readonly Partial<Grant>[]): SessionList {
  const world = new World([supply('l1/cad', { seats: grants.length, title: 'CAD 9' })])
  const draft = world.book.draft()
  for (const [index, more] of grants.entries()) {
    // As it is read from a record: fast to look at, as a grant that was put together from others is not.
    const record: Grant = {
      ...command(`s${index}`),
      kind: 'session',
      parts: [{ supply: 'l1/cad', seats: 1 }],
      leaseSeconds: 600,
      startedAt: index,
      idleFor: 0,
      freeIn: 0,
      written: { boot: 'b', at: 0 },
      ...more,
    }
    draft.putGrant(JSON.parse(JSON.stringify(record)))
  }
  world.book.apply(draft)
  const clock = new ManualClock()
  const context = { clock, view: world.book, self: { id: 'agent-1', name: 'Agent one' }, idleLimit: 3_600_000 }
  return new SessionList({ view: world.book, promiseOf: () => undefined }, () => context)
}

function idsOf(page: { readonly items: readonly { readonly id: string }[] }): string[] {
  return page.items.map((one) => one.id)
}

test('pages put together are the whole list, newest first, each session once, whatever the size of a page', (t) => {
  const dates = fc.array(fc.nat({ max: 5 }), { maxLength: 40 })
  fc.assert(
    fc.property(dates, fc.integer({ min: 1, max: 12 }), (startedAts, limit) => {
      const sessions = listOf(startedAts.map((startedAt) => ({ startedAt })))
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = sessions.list({ limit, cursor })
        t.is(page.total, startedAts.length)
        t.true(page.items.length <= limit)
        seen.push(...idsOf(page))
        cursor = page.next
        t.true(cursor === undefined || page.items.length === limit)
      } while (cursor !== undefined)
      const right = startedAts
        .map((at, index) => ({ at, id: `s${index}` }))
        .sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1))
      t.deepEqual(
        seen,
        right.map((one) => one.id),
      )
    }),
  )
})

test('what ends between two pages makes no other session be left out or shown twice', async (t) => {
  const { get, close, lessor, broker, clock } = await stand({ supplies: [supply('l1/cad', { seats: 10 })] })
  const sessions = new SessionList(lessor, () => broker.viewContext())
  const all = []
  for (let index = 0; index < 6; index++) {
    all.push(await get(`key number ${index}`))
    await clock.run(10)
  }
  const ids = all.map((one) => one.id).reverse()
  const first = sessions.list({ limit: 2 })
  t.deepEqual(idsOf(first), ids.slice(0, 2))
  for (const index of [5, 4, 2]) await close(all[index] as (typeof all)[number])
  const second = sessions.list({ limit: 2, cursor: first.next })
  t.deepEqual(idsOf(second), [ids[2], ids[4]])
  t.is(second.total, 3)
})

test('a cursor that can not be read is as good as none', (t) => {
  const sessions = listOf([{}, {}])
  for (const cursor of ['', 'x', '1', '.', 'null'])
    t.deepEqual(idsOf(sessions.list({ limit: 1, cursor })), ['s1'], cursor)
})

test('sessions are found by product, user, host and state', (t) => {
  const sessions = listOf([
    { who: { email: 'Ana@x.example', host: 'WS-17' } },
    { who: { account: 'joana', host: 'ws-18' }, ending: 'disconnected' },
    { who: { displayName: 'Bob Ray' }, product: 'acme/cam' },
    {},
  ])
  const found = (filter: Partial<Parameters<SessionList['list']>[0]>): string[] =>
    idsOf(sessions.list({ limit: 10, ...filter })).sort()
  t.deepEqual(found({ product: 'acme/cad' }), ['s0', 's1', 's3'])
  t.deepEqual(found({ product: 'cam' }), ['s2'])
  t.deepEqual(found({ product: 'ca' }), [])
  t.deepEqual(found({ user: 'ANA' }), ['s0', 's1'])
  t.deepEqual(found({ user: 'bob' }), ['s2'])
  t.deepEqual(found({ host: 'ws-1' }), ['s0', 's1'])
  t.deepEqual(found({ host: 'ws-1', user: 'joana', product: 'cad' }), ['s1'])
  t.deepEqual(found({ state: 'active' }), ['s0', 's2', 's3'])
  t.deepEqual(found({ state: 'ending' }), ['s1'])
  t.deepEqual(found({ state: 'ended' }), [])
  t.is(sessions.list({ limit: 1, state: 'active' }).total, 3)
})

test('one session and a list have the shapes of the interface', async (t) => {
  const { get, lessor, broker, clock } = await stand({ supplies: [supply('l1/cad', { seats: 3, title: 'CAD 9' })] })
  const sessions = new SessionList(lessor, () => broker.viewContext())
  const full = await get('key-1', {
    user: { account: 'ana', email: 'ana@x.example', displayName: 'Ana' },
    host: 'WS-17',
    process: { id: 7, name: 'cad' },
    application: 'CAD 9.1',
    activity: 'reported',
  })
  const bare = await get('key-2')
  await broker.disconnect(bare.id, { freeNow: false })
  t.notThrows(() => list(sessionShape).parse(sessions.list({ limit: 10 })))
  t.deepEqual(sessions.get(full.id), {
    id: full.id,
    product: 'acme/cad',
    title: 'CAD 9',
    seats: 1,
    state: 'active',
    user: { account: 'ana', email: 'ana@x.example', displayName: 'Ana' },
    host: 'WS-17',
    process: { id: 7, name: 'cad' },
    application: 'CAD 9.1',
    address: '127.0.0.1',
    license: 'l1',
    source: { kind: 'license', manager: { id: 'agent-1', name: 'Agent one' } },
    startedAt: new Date(clock.wall()).toISOString(),
    expiresAt: new Date(clock.wall() + 600_000).toISOString(),
    expiresIn: 600,
    idleEndsAt: new Date(clock.wall() + 720 * 60_000).toISOString(),
    actions: ['disconnect', 'free-now'],
  })
  t.like(sessions.get(bare.id), {
    state: 'ending',
    reason: 'disconnected',
    freeAt: new Date(clock.wall() + 615_000).toISOString(),
    actions: ['free-now'],
  })
  t.is(sessions.get('unknown'), undefined)
  t.is([...sessions.all()].length, 2)
})

test('a session whose license forbids an overlap can not be freed while it may run', async (t) => {
  const { get, lessor, broker } = await stand({ supplies: [supply('l1/cad', { overlap: false })] })
  const sessions = new SessionList(lessor, () => broker.viewContext())
  const { id } = await get('key-1')
  t.deepEqual(sessions.get(id)?.actions, ['disconnect'])
  t.is(codeOf(await broker.disconnect(id, { freeNow: true })), 'overlap_forbidden')
})

test('I6: a computer is a user at a machine, with what is used there, how much and since when', (t) => {
  const at = (startedAt: number, who: Grant['who'], more: Partial<Grant> = {}): Partial<Grant> => ({
    startedAt,
    who,
    ...more,
  })
  const sessions = listOf([
    at(1000, { account: 'ana', host: 'WS-17', address: '127.0.0.1' }),
    at(3000, { account: 'Ana', host: 'ws-17', address: '::1' }, { seats: 2, feature: 'draw' }),
    at(2000, { account: 'ana', host: 'WS-17', address: '127.0.0.1' }, { feature: 'draw' }),
    at(2500, { account: 'bob', host: 'WS-17' }),
    at(500, { address: '192.0.2.7' }),
  ])
  const page = sessions.computers({ limit: 2 })
  t.is(page.total, 3)
  t.like(page.items[0], { host: 'WS-17', user: { account: 'bob' }, sessions: 1 })
  const [, ana] = page.items
  t.deepEqual(ana, {
    id: ana?.id ?? '',
    host: 'WS-17',
    user: { account: 'ana' },
    addresses: ['127.0.0.1', '::1'],
    sessions: 3,
    seats: 4,
    since: new Date(1000).toISOString(),
    uses: [
      { product: 'acme/cad', seats: 1, since: new Date(1000).toISOString() },
      { product: 'acme/cad', feature: 'draw', seats: 3, since: new Date(2000).toISOString() },
    ],
  })
  const rest = sessions.computers({ limit: 2, cursor: page.next })
  t.like(rest.items[0], { user: {}, addresses: ['192.0.2.7'], sessions: 1 })
  t.is(rest.next, undefined)
  t.is(sessions.computers({ limit: 9, user: 'bob' }).total, 1)
  t.deepEqual(sessions.computers({ limit: 2 }).items[1]?.id, ana?.id)
})

test('a page of 100,000 sessions costs one look at them', (t) => {
  const sessions = listOf(
    Array.from({ length: 100_000 }, (_, index) => ({
      startedAt: (index * 7919) % 100_003,
      who: { account: `user ${index % 5000}`, host: `WS-${index % 5000}` },
    })),
  )
  const time = (what: () => unknown): number => {
    what()
    const start = performance.now()
    what()
    return performance.now() - start
  }
  const first = sessions.list({ limit: 100 })
  const costs = {
    all: time(() => [...sessions.all()]),
    page: time(() => sessions.list({ limit: 100 })),
    next: time(() => sessions.list({ limit: 100, cursor: first.next })),
    user: time(() => sessions.list({ limit: 100, user: 'user 77' })),
    computers: time(() => sessions.computers({ limit: 100 })),
  }
  t.log(costs)
  t.is(first.total, 100_000)
  // Against building all of them, since a machine may be busy.
  t.true(costs.page < costs.all / 2)
  t.true(costs.computers < costs.all * 3)
})
