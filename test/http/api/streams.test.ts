import test from 'ava'
import fc from 'fast-check'
import type { JournalLine } from '../../../agent/http/api/agent-shapes.ts'
import type { JournalQuery } from '../../../agent/http/api/journal.ts'
import { writeRow } from '../../../agent/http/csv.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import type { AgentFixture } from '../agent-fixture.ts'
import { call, withAgent } from './api-call.ts'

const line: JournalLine = {
  sequence: 1,
  at: '2027-01-04T08:00:00.000Z',
  instance: 'agent-1',
  type: 'session.opened',
  facts: { product: 'acme/cad', seats: 1 },
  personal: { user: '=cmd|calc', host: null },
  hash: 'h',
}

test('the journal is given as JSON in pages, and whole as NDJSON and as CSV that no spreadsheet runs', async (t) => {
  const queries: JournalQuery[] = []
  const journal = {
    list: async (query: JournalQuery) => {
      queries.push(query)
      return { items: [line], total: 1, next: '0' }
    },
    lines: async function* () {
      yield line
      yield { ...line, sequence: 2 }
    },
    verify: async () => ({ kind: 'broken' as const, sequence: 2, reason: 'altered' }),
  }
  await withAgent({ api: { journal } }, async (agent) => {
    const at = `${agent.url}/api/v1/journal`
    t.deepEqual(await (await fetch(`${at}?type=session&limit=1`)).json(), { items: [line], total: 1, next: '0' })
    t.like(queries[0], { type: 'session', limit: 1, order: 'newest-first' })
    const ndjson = await (await fetch(at, { headers: { Accept: 'application/x-ndjson' } })).text()
    t.deepEqual(
      ndjson
        .trimEnd()
        .split('\n')
        .map((text) => (JSON.parse(text) as JournalLine).sequence),
      [1, 2],
    )
    t.deepEqual(await (await fetch(`${at}/verify`)).json(), { kind: 'broken', sequence: 2, reason: 'altered' })
    const csv = await fetch(`${at}?format=csv`)
    t.is(csv.headers.get('content-type'), 'text/csv; charset=utf-8')
    t.is(csv.headers.get('content-disposition'), 'attachment; filename="journal.csv"')
    t.is(
      (await csv.text()).split('\r\n')[1],
      `1,2027-01-04T08:00:00.000Z,session.opened,acme/cad,,"'=cmd|calc",,,,,,,"{""seats"":1}"`,
    )
  })
})

test('a journal that breaks off in the middle does not look whole', async (t) => {
  const journal = {
    list: async () => ({ items: [], total: 0 }),
    lines: async function* () {
      yield line
      throw new Error('damaged')
    },
    verify: async () => ({ kind: 'good' as const, entries: 1, head: 'h' }),
  }
  await withAgent({ api: { journal } }, async (agent) => {
    await t.throwsAsync(async () => (await fetch(`${agent.url}/api/v1/journal?format=ndjson`)).text())
    await waitFor('the log line', () => agent.log.some(({ facts }) => String(facts?.error).includes('damaged')))
    t.pass()
  })
})

/** A reader of its own, by RFC 4180. */
function readRow(row: string): string[] {
  const cells: string[] = []
  let rest = row.slice(0, -2)
  for (;;) {
    const [whole = '', quoted, bare = ''] = /^(?:"((?:[^"]|"")*)"|([^,"]*))/.exec(rest) ?? []
    cells.push(quoted?.replaceAll('""', '"') ?? bare)
    rest = rest.slice(whole.length)
    if (!rest.startsWith(',')) return cells
    rest = rest.slice(1)
  }
}

test('no cell of CSV begins a formula, and every cell can be read back', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 }), (cells) => {
      const row = writeRow(cells)
      const read = readRow(row)
      t.is(read.length, cells.length)
      read.forEach((cell, index) => {
        t.notRegex(cell, /^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]/)
        const original = cells[index] ?? ''
        t.true(cell === original || cell === `'${original}`)
      })
    }),
  )
  t.is(
    writeRow(['=1+1', '\t=1', -5, true, undefined, 'a"b', '\uff1d1']),
    `"'=1+1","'\t=1",-5,true,,"a""b","'\uff1d1"\r\n`,
  )
})

async function readEvents(agent: AgentFixture, headers: Record<string, string>, query = '') {
  const controller = new AbortController()
  const answer = await fetch(`${agent.url}/api/v1/events${query}`, { headers, signal: controller.signal })
  let text = ''
  const reading = (async () => {
    const decoder = new TextDecoder()
    for await (const piece of answer.body ?? []) text += decoder.decode(piece as Uint8Array, { stream: true })
  })().catch(() => undefined)
  return {
    answer,
    ended: reading,
    seen: (wanted: string) => waitFor(wanted, () => text.includes(wanted)),
    text: () => text,
    close: () => controller.abort(),
  }
}

test('events come with ids, go on after the last one, and say when some were missed', async (t) => {
  await withAgent({}, async (agent) => {
    const { events } = agent
    const first = await readEvents(agent, {})
    t.is(first.answer.headers.get('content-type'), 'text/event-stream')
    await first.seen('retry: 3000\n\n')
    events.publish('license.changed', { id: 'lic-1' })
    events.publish('session.opened', { id: 's-1', product: 'acme/cad' })
    await first.seen('id: start-1.2\nevent: session.opened\ndata: {"id":"s-1","product":"acme/cad"}\n\n')
    agent.clock.advance(15_000)
    await first.seen(': ping\n\n')
    const later = await readEvents(agent, { 'Last-Event-ID': 'start-1.1' })
    await later.seen('id: start-1.2')
    t.false(later.text().includes('start-1.1'))
    const chosen = await readEvents(agent, {}, '?types=session&after=start-1.0')
    await chosen.seen('id: start-1.2')
    t.false(chosen.text().includes('license.changed'))
    const lost = await readEvents(agent, { 'Last-Event-ID': 'start-0.7' })
    await lost.seen('event: reset\ndata: {}\n\n')
    for (const stream of [first, later, chosen, lost]) stream.close()
    await waitFor('the end of all', () => events.watchers === 0)
    t.is(agent.clock.waiting, 0)
  })
})

test('streams end when the agent stops, and one address gets no more than its share', async (t) => {
  await withAgent({}, async (agent) => {
    const streams = await Promise.all(Array.from({ length: 64 }, () => readEvents(agent, {})))
    const more = await call(agent, 'GET', '/api/v1/events')
    t.is(more.status, 429)
    t.is(more.headers.get('retry-after'), '10')
    streams[0]?.close()
    await waitFor('room for another', () => agent.events.watchers === 63)
    const again = await readEvents(agent, {})
    t.is(again.answer.status, 200)
    agent.streams.endAll()
    await Promise.all([...streams, again].map(({ ended }) => ended))
    await waitFor('the end of all', () => agent.events.watchers === 0)
    t.pass()
  })
})

test('who is too slow for the events is dropped', async (t) => {
  await withAgent({}, async (agent) => {
    const { connect } = await import('node:net')
    const socket = connect(agent.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await waitFor('the stream', () => agent.events.watchers === 1)
    const names = Array.from({ length: 1000 }, () => 'x'.repeat(1000))
    await waitFor('the drop', () => {
      agent.events.publish('configuration.changed', { names })
      return agent.events.watchers === 0
    })
    socket.destroy()
    t.pass()
  })
})
