import test from 'ava'
import fc from 'fast-check'
import { listBoundaries, periods, readDay, startOfDay } from '../../../agent/http/ui/calendar.ts'
import { drawChart, drawSpark } from '../../../agent/http/ui/charts.ts'
import { journalHead, writeJournalCells } from '../../../agent/http/ui/journal-rows.ts'
import { findWorst } from '../../../agent/http/ui/page.ts'
import {
  type SessionSelection,
  selectSessions,
  sessionOrders,
  sessionQuery,
} from '../../../agent/http/ui/session-selection.ts'
import { readLocalAddress } from '../../../agent/http/ui/sign-in.ts'
import { writePager, writeTable } from '../../../agent/http/ui/table.ts'
import { createTimeWords } from '../../../agent/http/ui/time.ts'
import { makeSession, makeSessions } from './sample-data.ts'

const now = Date.parse('2026-11-24T13:20:05.000Z')
const minute = 60_000

const all: SessionSelection = { search: '', sort: 'since', descending: true, offset: 0, limit: 1000 }

test('a time is said relative to now, exact in the zone, and as an instant', (t) => {
  const time = createTimeWords('en', 'Europe/Berlin', now)
  const shown = time.show('2026-11-24T10:05:00.000Z')
  t.is(shown.relative, '3 hours ago')
  t.is(shown.brief, '3 hr. ago')
  t.is(shown.exact, 'Nov 24, 2026, 11:05:00 GMT+1')
  t.is(shown.iso, '2026-11-24T10:05:00.000Z')
  t.is(createTimeWords('de', 'America/New_York', now).show(shown.iso).exact, '24. Nov. 2026, 05:05:00 GMT-5')
})

test('a relative time never says more than there is, and months only where they are a good measure', (t) => {
  const time = createTimeWords('en', 'UTC', now)
  const say = (ms: number) => time.show(now + ms).relative
  t.is(say(0), 'now')
  t.is(say(59_999), 'in 59 seconds')
  t.is(say(119_999), 'in 1 minute')
  t.is(say(-25 * 60 * minute), 'yesterday')
  t.is(say(89 * 1440 * minute), 'in 89 days')
  t.is(say(95 * 1440 * minute), 'in 3 months')
  t.is(say(-800 * 1440 * minute), '2 years ago')
})

test('a duration takes the largest unit that divides it', (t) => {
  const time = createTimeWords('en', 'UTC', now)
  t.is(time.duration(600), '10 minutes')
  t.is(time.duration(90), '90 seconds')
  t.is(time.duration(86_400), '1 day')
  t.is(time.duration(0), '0 seconds')
})

test('pages of a list never overlap and leave nothing out, in every order', (t) => {
  const session = fc
    .record({
      id: fc.uuid(),
      host: fc.constantFrom('a', 'B', 'b'),
      startedAt: fc.constantFrom('2026-01-01', '2026-01-02'),
    })
    .map((change) => makeSession(change))
  const sessions = fc.uniqueArray(session, { selector: ({ id }) => id, maxLength: 30 })
  fc.assert(
    fc.property(
      sessions,
      fc.constantFrom(...sessionOrders),
      fc.boolean(),
      fc.integer({ min: 1, max: 7 }),
      (list, sort, descending, limit) => {
        const seen: string[] = []
        for (let offset = 0; offset < list.length; offset += limit)
          seen.push(...selectSessions(list, { ...all, sort, descending, offset, limit }).items.map(({ id }) => id))
        const whole = selectSessions(list, { ...all, sort, descending, limit: 5000 }).items.map(({ id }) => id)
        t.deepEqual(seen, whole)
        t.deepEqual([...seen].sort(), list.map(({ id }) => id).sort())
      },
    ),
    { numRuns: 60 },
  )
  t.pass()
})

test('a search finds sessions that have all of its words, in any field, in any case', (t) => {
  const sessions = makeSessions('some')
  const find = (search: string) => selectSessions(sessions, { ...all, search }).items.map(({ host }) => host)
  t.deepEqual(find('LINDQVIST ws-18'), ['WS-18'])
  t.deepEqual(find('lindqvist ws-17'), [])
  t.deepEqual(find('4003'), ['WS-20'])
  t.is(selectSessions(sessions, { ...all, state: 'ending' }).total, 1)
  t.is(selectSessions(sessions, { ...all, license: 'another' }).total, 0)
  t.is(selectSessions(sessions, { ...all, offset: 3, limit: 10 }).items.length, 2)
})

test('whatever an address says about a list, it is read without an error', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('q', 'state', 'sort', 'order', 'page', 'x'), fc.string()), (query) => {
      const read = sessionQuery.parse(query)
      t.true(read.page >= 1 && sessionOrders.includes(read.sort))
    }),
    { numRuns: 200 },
  )
  t.is(sessionQuery.parse({ page: '-3' }).page, 1)
  t.is(sessionQuery.parse({ page: '1e400' }).page, 1)
})

test('the pager says where it is and leads back from beyond the end', (t) => {
  const language = { t: (key: string, args = {}) => `${key} ${JSON.stringify(args)}` }
  const link = (page: number) => `?page=${page}`
  t.like(writePager(language, { page: 2, size: 20, total: 41 }, link), {
    text: 'table.range {"from":21,"to":40,"total":41}',
    previous: '?page=1',
    next: '?page=3',
    pages: 3,
  })
  t.like(writePager(language, { page: 9, size: 20, total: 41 }, link), { previous: '?page=3', next: undefined })
  t.like(writePager(language, { page: 1, size: 20, total: 0 }, link), {
    previous: undefined,
    next: undefined,
    pages: 1,
  })
})

test('a list as CSV begins with the mark that spreadsheets need and runs no formula', (t) => {
  t.is(writeTable(['user', 'seats'], [['=cmd()', 2]]), '\ufeffuser,seats\r\n"\'=cmd()",2\r\n')
})

test('after signing in nobody is led to another server', (t) => {
  t.is(readLocalAddress('/sessions?q=a#b'), '/sessions?q=a#b')
  for (const address of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:1',
    '',
    undefined,
    '/\t/evil',
  ])
    t.false(/evil|javascript/.test(readLocalAddress(address)), address)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((text) => `/${text}`),
      ),
      (text) => {
        t.is(new URL(readLocalAddress(text), 'http://localhost:1947').origin, 'http://localhost:1947')
      },
    ),
  )
})

test('the badge shows the worst of the problems', (t) => {
  const problem = (severity: 'notice' | 'warning' | 'error') => ({ code: 'x', severity, title: '', text: '' })
  t.is(findWorst([]), 'ok')
  t.is(findWorst([problem('notice')]), 'notice')
  t.is(findWorst([problem('warning'), problem('error'), problem('notice')]), 'error')
})

test('days begin at local midnight, also where the clock is put forward or back', (t) => {
  const zone = 'Europe/Berlin'
  t.is(startOfDay(now, zone), Date.parse('2026-11-23T23:00:00.000Z'))
  t.is(startOfDay(now, zone, -30), Date.parse('2026-10-24T22:00:00.000Z'))
  t.is(startOfDay(Date.parse('2026-03-29T12:00:00Z'), zone, 1), Date.parse('2026-03-29T22:00:00.000Z'))
  t.is(readDay('2026-10-25', zone), Date.parse('2026-10-24T22:00:00.000Z'))
  for (const text of ['', '2026-02-30', '2026-13-01', '26-1-1', 'x']) t.is(readDay(text, zone), undefined, text)
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      fc.constantFrom('Europe/Berlin', 'Asia/Kathmandu', 'America/New_York', 'Pacific/Apia', 'UTC'),
      fc.integer({ min: -40, max: 40 }),
      (at, place, days) => {
        const start = startOfDay(at, place, days)
        const shown = new Intl.DateTimeFormat('en', {
          timeZone: place,
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23',
        })
        // Where midnight itself is left out, the day begins an hour later.
        t.regex(shown.format(start), /^0[01]:00$/)
        if (days === 0) t.true(start <= at && at - start < 26 * 60 * minute)
      },
    ),
    { numRuns: 200 },
  )
})

test('the steps of a period follow on each other and end with the present one', (t) => {
  for (const period of periods)
    for (const zone of ['Europe/Berlin', 'Asia/Kathmandu', 'UTC']) {
      const boundaries = listBoundaries(period, now, zone)
      t.is(boundaries.length, { day: 25, week: 29, month: 31 }[period])
      t.true(boundaries.every((at, place) => place === 0 || at > (boundaries[place - 1] ?? 0)))
      t.true((boundaries.at(-1) ?? 0) > now && (boundaries.at(-2) ?? 0) <= now + 24 * 60 * minute)
    }
})

test('a chart is as high as its most, the line stands at the seats, and nothing is too flat to see', (t) => {
  const chart = drawChart([0, 5, 1000], [0, 0, 2], 500)
  t.is(chart.top, 1000)
  t.is(chart.line, 50)
  t.deepEqual(chart.bars, [
    { x: 11, y: 96, height: 4 },
    { x: 21, y: 0, height: 100 },
  ])
  t.deepEqual(chart.denials, [{ x: 21, y: 0, height: 20 }])
  t.is(drawChart([], [], 0).top, 1)
  t.is(drawSpark([0, 5], 5), 'M0 19H1V1H2')
})

test('entries of the journal become cells: what is known has a column, the rest is kept as JSON', (t) => {
  const line = {
    sequence: 7,
    at: '2026-11-24T13:20:05.000Z',
    instance: 'a',
    type: 'session.opened',
    facts: { product: 'acme/cad', seats: 2, supplies: ['x', 'y'], waited: false },
    personal: { account: 'ana', host: '=1+1', address: null },
    hash: 'h',
  }
  const cells = writeJournalCells(line)
  t.is(cells.length, journalHead.length)
  const row = Object.fromEntries(journalHead.map((name, place) => [name, cells[place]]))
  t.like(row, { sequence: 7, product: 'acme/cad', seats: 2, user: 'ana', host: '=1+1', address: '', code: '' })
  t.deepEqual(JSON.parse(String(row.more)), { supplies: ['x', 'y'], waited: false })
  t.regex(writeTable(journalHead, [cells]), /,"'=1\+1",/)
})
