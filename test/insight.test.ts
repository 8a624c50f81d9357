import test from 'ava'
import fc from 'fast-check'
import { listDiagnostics, writeDiagnostics } from '../agent/diagnostics.ts'
import type { Grant } from '../agent/domain/grant.ts'
import { productName } from '../agent/domain/product-name.ts'
import { refuse } from '../agent/errors.ts'
import { JournalSearch, type JournalWish } from '../agent/journal-search.ts'
import { Peaks } from '../agent/peaks.ts'
import { recount } from '../agent/recount.ts'
import { mostKept, Refusals } from '../agent/refusals.ts'
import { MemoryAgent } from './helpers/memory-agent.ts'
import { blockOf, TestVendor } from './licenses/test-vendor.ts'

const acme = new TestVendor('acme')
const cad = productName('acme', 'cad')

test('a recount agrees with what is kept, whatever was opened and closed, with shared keys and seats for any product', async (t) => {
  const step = fc.record({
    who: fc.constantFrom('ana', 'bo', 'cleo'),
    seats: fc.integer({ min: 1, max: 2 }),
    close: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 12 }),
      fc.constantFrom('session' as const, 'user' as const),
      async (steps, count) => {
        const agent = await MemoryAgent.start()
        await agent.install(
          blockOf(
            acme.license({
              count,
              products: [
                { name: 'cad', seats: 3 },
                { any: true, seats: 2 },
              ],
            }),
          ),
        )
        const open: { readonly id: string; readonly key: string }[] = []
        for (const { who, seats, close } of steps) {
          const last = close ? open.pop() : undefined
          if (last !== undefined) await agent.close(last)
          else {
            const opened = await agent.open({ user: { account: who }, seats })
            if (opened.kind === 'opened') open.push(opened.session)
          }
        }
        const { view } = agent.parts.lessor
        const found = recount(view, cad)
        t.is(found.length, 2)
        for (const one of found) t.is(one.counted, one.kept)
        t.is(found.find(({ any }) => !any)?.kept, agent.products().find(({ id }) => id === cad)?.used)
        await agent.stop()
      },
    ),
    { numRuns: 25 },
  )
})

test('a recount sees a count that was kept wrong', async (t) => {
  const agent = await MemoryAgent.start()
  await agent.install(blockOf(acme.license()))
  await agent.seat()
  const { view } = agent.parts.lessor
  const wrong = recount(
    { suppliesFor: (name) => view.suppliesFor(name), grantsOf: (supply) => view.grantsOf(supply), used: () => 4 },
    cad,
  )
  t.like(wrong[0], { kept: 4, counted: 1 })
})

test('S17: the peak of a feature stays when its seats come back', async (t) => {
  const agent = await MemoryAgent.start()
  const features = [{ name: 'render', seats: 3 }]
  await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 5, features }] })))
  const peaks = new Peaks()
  const { view } = agent.parts.lessor
  const note = (feature: string) => peaks.note({ product: cad, feature } as Grant, view)
  const first = await agent.seat({ feature: 'render' })
  note('render')
  const second = await agent.seat({ feature: 'render' })
  note('render')
  await agent.close(first)
  await agent.close(second)
  await agent.seat({ feature: 'render' })
  note('render')
  t.is(peaks.of(cad, 'render'), 2)
  t.is(peaks.of(cad, 'export'), 0)
})

const nobody = { read: async function* () {} }

function askFor(who: string, seats = 1) {
  return { product: 'acme/cad', seats, who: { account: who, host: 'WS-17' } }
}

test('X1: the last refusals are kept with what was said, and who asks again is one of them', (t) => {
  let now = 1000
  const told: string[] = []
  const refusals = new Refusals({ journal: nobody, wall: () => now, onChange: (product) => told.push(product) })
  const explanation = { managers: [], asked: [], rule: 'deny=*' }
  refusals.note(askFor('ana'), refuse('no_seats', '5 of 5 seats are in use.', { explanation }))
  now = 2000
  refusals.note(askFor('bo'), refuse('no_seats', '5 of 5 seats are in use.'))
  now = 3000
  refusals.note(askFor('ana'), refuse('no_seats', '4 of 4 seats are in use.', { explanation }))
  const list = refusals.list()
  t.deepEqual(
    list.map(({ who, times, firstAt, lastAt }) => [who.account, times, firstAt, lastAt]),
    [
      ['ana', 2, 1000, 3000],
      ['bo', 1, 2000, 2000],
    ],
  )
  t.is(list[0]?.refusal?.detail, '4 of 4 seats are in use.')
  t.is(list[0]?.rule, 'deny=*')
  t.deepEqual(told, ['acme/cad', 'acme/cad', 'acme/cad'])
})

test('no more than a hundred refusals are kept, and the longest ago go first', (t) => {
  let now = 0
  const refusals = new Refusals({ journal: nobody, wall: () => ++now })
  for (let place = 0; place < mostKept + 5; place += 1) refusals.note(askFor(`user-${place}`), refuse('no_seats', ''))
  const names = refusals.list().map(({ who }) => who.account)
  t.is(names.length, mostKept)
  t.is(names[0], `user-${mostKept + 4}`)
  t.is(names.at(-1), 'user-5')
})

test('after a restart the journal says who was refused, and what came since counts once', async (t) => {
  const agent = await MemoryAgent.start()
  await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 1 }] })))
  await agent.seat()
  await agent.refusal({ user: { account: 'bo' }, host: 'WS-18' })
  await agent.refusal({ user: { account: 'cleo' }, feature: 'none' })
  const refusals = new Refusals({ journal: agent.parts.journal, wall: () => agent.clock.wall() })
  const newest = agent.parts.writer.head.sequence
  refusals.note(askFor('dora'), refuse('no_seats', ''))
  await agent.refusal({ user: { account: 'dora' } })
  await refusals.load(newest)
  const list = refusals.list()
  t.deepEqual(list.map(({ who, code }) => `${who.account} ${code}`).sort(), [
    'bo no_seats',
    'cleo unknown_feature',
    'dora no_seats',
  ])
  t.is(list.find(({ who }) => who.account === 'bo')?.who.host, 'WS-18')
  t.is(list.find(({ who }) => who.account === 'dora')?.times, 1)
  t.is(new Set(list.map(({ id }) => id)).size, 3)
})

async function makeSearch(most?: number) {
  const agent = await MemoryAgent.start()
  await agent.install(blockOf(acme.license()))
  const times: number[] = []
  for (const who of ['ana', 'bo', 'ana', 'cleo']) {
    times.push(agent.clock.wall())
    const seat = await agent.seat({ user: { account: who }, host: `ws-${who}` })
    await agent.close(seat)
    agent.clock.advance(60_000)
  }
  const { journal, writer } = agent.parts
  const newest = () => writer.head.sequence
  const search = new JournalSearch({ journal, newest, ...(most === undefined ? {} : { most }) })
  const page = async (wish: JournalWish, limit = 100, to?: number) => {
    const found = await search.page(wish, limit, to)
    return { ...found, names: found.entries.map(({ type, personal }) => `${type} ${personal?.texts?.account ?? ''}`) }
  }
  return { search, page, times, newest }
}

test('entries of the journal are found by type, user, product and words, the newest first', async (t) => {
  const { page } = await makeSearch()
  t.deepEqual((await page({ type: 'session.opened', user: 'AN' })).names, ['session.opened ana', 'session.opened ana'])
  t.deepEqual((await page({ type: 'session', user: 'bo' })).names, ['session.ended bo', 'session.opened bo'])
  t.is((await page({ type: 'session', product: 'acme/cad' })).entries.length, 8)
  t.is((await page({ product: 'acme/other' })).entries.length, 0)
  t.deepEqual((await page({ text: 'WS-CLEO released' })).names, ['session.ended cleo'])
  t.is((await page({ type: 'session.open' })).entries.length, 0, 'half a word is no type')
})

test('pages of the journal follow on each other and leave nothing out', async (t) => {
  const { page, newest } = await makeSearch()
  const seen: number[] = []
  let to: number | undefined
  do {
    const found = await page({}, 3, to)
    seen.push(...found.entries.map(({ sequence }) => sequence))
    to = found.older
  } while (to !== undefined)
  t.deepEqual(
    seen,
    Array.from({ length: newest() }, (_, place) => newest() - place),
  )
})

test('a page of the journal looks at a bounded number of entries and says where to go on', async (t) => {
  const { page, newest } = await makeSearch(4)
  const first = await page({ user: 'nobody' })
  t.deepEqual(
    { found: first.entries.length, looked: first.looked, older: first.older },
    { found: 0, looked: 4, older: newest() - 4 },
  )
})

test('entries of a time are found from both ends, for a page and for a file', async (t) => {
  const { search, page, times } = await makeSearch()
  const [, second = 0, third = 0] = times
  const wish = { from: second, until: third, type: 'session' }
  t.deepEqual((await page(wish)).names, ['session.ended bo', 'session.opened bo'])
  const lines: string[] = []
  for await (const { type, personal } of search.all(wish)) lines.push(`${type} ${personal?.texts?.account}`)
  t.deepEqual(lines, ['session.opened bo', 'session.ended bo'])
  t.deepEqual((await page({ until: 1 })).entries, [])
  t.is((await page({ from: Number.MAX_SAFE_INTEGER })).entries.length, 0)
})

test('diagnostics name versions, clock, store and counters, and hold no secret', (t) => {
  const sections = listDiagnostics({
    agent: { id: 'agent-1', name: 'WS-17', version: '0.1.0', startedAt: '2026-11-24T13:00:00.000Z' },
    system: { node: '20.20.2', platform: 'linux x64', pid: 7, zone: 'UTC' },
    clock: { wall: 60_000, floor: 0, boot: { id: 'boot', at: 90_000 }, running: 1234 },
    store: { state: 'open', revision: 3, starts: 2, entries: 9 },
    paths: { data: '/data' },
    port: 1947,
    counters: { sessions: 4 },
    problems: [{ code: 'no_password', severity: 'warning', title: 'There is no administrator password' }],
  })
  const text = writeDiagnostics(sections)
  for (const line of [
    'version: 0.1.0',
    'skew: 60 s',
    'running: 1.2 s',
    'entries: 9',
    'data: /data',
    'port: 1947',
    'sessions: 4',
  ])
    t.true(text.includes(`\n${line}\n`), line)
  t.true(text.includes('[health]\nno_password: warning: There is no administrator password\n'))
})
