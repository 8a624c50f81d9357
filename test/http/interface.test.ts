import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { z } from 'zod'
import { LeaseholdError, refuse } from '../../agent/errors.ts'
import { Events } from '../../agent/events.ts'
import { CookieAccess } from '../../agent/http/access.ts'
import {
  configuration,
  health,
  type JournalLine,
  signedIn,
  status,
  version,
} from '../../agent/http/api/agent-shapes.ts'
import { EventStreams } from '../../agent/http/api/events.ts'
import type { JournalQuery } from '../../agent/http/api/journal.ts'
import type { License, LicenseDetails, RecognizedDocument } from '../../agent/http/api/license-shapes.ts'
import { keptSession, list, openedSession, problem, session } from '../../agent/http/api/shapes.ts'
import { writeRow } from '../../agent/http/csv.ts'
import { guards } from '../../agent/http/guards.ts'
import { buildRoutes } from '../../agent/http/routes.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type AgentFixture, inMemoryApi, keptSession as kept, sessionKey, startAgent } from './agent-fixture.ts'
import { request } from './raw-client.ts'

const access = new CookieAccess({
  administrator: { hasPassword: () => false, isSignedIn: () => false },
  agentId: 'agent-1',
  cliKey: () => undefined,
  protection: () => 'none',
})
const routes = buildRoutes(inMemoryApi(access, new EventStreams(new Events('start-1'), new ManualClock())))

async function withAgent<T>(
  options: Parameters<typeof startAgent>[0],
  use: (agent: AgentFixture) => Promise<T>,
): Promise<T> {
  const agent = await startAgent(options)
  try {
    return await use(agent)
  } finally {
    await agent.stop()
  }
}

interface Told {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

async function call(
  agent: AgentFixture,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Told> {
  const answer = await fetch(agent.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
}

test('every route has exactly one guard, and no two routes are the same', (t) => {
  const seen = new Set<string>()
  for (const route of routes) {
    t.true(guards.includes(route.guard), route.path)
    const name = `${route.method} ${route.path}`
    t.false(seen.has(name), name)
    seen.add(name)
  }
})

test('what changes something has a guard that looks at the origin, and GET has none that changes', (t) => {
  for (const { method, path, guard } of routes) {
    if (method === 'GET') t.true(['open', 'read', 'stream'].includes(guard), path)
    else if (path === '/api/v1/sessions' || path === '/api/v1/sessions/{id}') t.is(guard, 'application')
    else if (path === '/api/v1/sign-in' || path === '/api/v1/password') t.is(guard, 'open')
    else t.is(guard, 'administrator', path)
  }
})

test('every route that changes something refuses GET, unless another route reads there', async (t) => {
  await withAgent({}, async (agent) => {
    const reading = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
    for (const { method, path } of routes)
      if (method !== 'GET' && !reading.has(path)) {
        const answer = await call(agent, 'GET', path.replace('{id}', 's-1'))
        t.is(answer.status, 405, path)
        t.true(answer.headers.get('allow')?.split(', ').includes(method), path)
      }
  })
})

test('every route is in the interface description, with its answers and the problems it can tell', async (t) => {
  await withAgent({}, async (agent) => {
    const { status: code, body } = await call(agent, 'GET', '/api/v1/openapi.json')
    t.is(code, 200)
    const described = body as {
      openapi: string
      paths: Record<
        string,
        Record<
          string,
          {
            responses: Record<string, unknown>
            operationId: string
            parameters?: { name: string; in: string }[]
            requestBody?: unknown
          }
        >
      >
    }
    t.is(described.openapi, '3.1.0')
    const operations = new Set<string>()
    for (const route of routes) {
      const operation = described.paths[route.path]?.[route.method.toLowerCase()]
      t.truthy(operation, `${route.method} ${route.path}`)
      operations.add(operation?.operationId ?? '')
      for (const status of Object.keys(route.answers)) t.truthy(operation?.responses[status])
      t.truthy(operation?.responses['421'])
      t.is(operation?.requestBody !== undefined, route.body !== undefined)
      const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      t.deepEqual(operation?.parameters?.filter((one) => one.in === 'path').map(({ name }) => name) ?? [], inPath)
    }
    t.is(operations.size, routes.length)
    t.is(Object.values(described.paths).flatMap((path) => Object.keys(path)).length, routes.length)
    const text = JSON.stringify(body)
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) t.is(name, 'Problem')
    t.false(text.includes('"#/$defs'))
  })
})

test('every route is in the page about the interface', (t) => {
  const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
  for (const { method, path, guard, summary } of routes)
    t.true(
      page.includes(`| \`${method} ${path.slice('/api/v1'.length)}\` | ${guard} | ${summary} |`),
      `${method} ${path}`,
    )
})

test('sessions are opened, kept, seen, disconnected and closed in the shapes that are described', async (t) => {
  await withAgent({}, async (agent) => {
    const at = '/api/v1/sessions'
    const opened = await call(agent, 'POST', at, { product: 'acme/cad' }, { 'Idempotency-Key': 'new-0123456789abcdef' })
    t.is(opened.status, 201)
    t.deepEqual(openedSession.parse(opened.body), { ...kept, key: sessionKey })
    const beat = await call(agent, 'PUT', `${at}/s-1`, {}, { 'Session-Key': sessionKey })
    t.deepEqual(keptSession.parse(beat.body), kept)
    t.is(list(session).parse((await call(agent, 'GET', `${at}?state=active&limit=5`)).body).total, 1)
    t.is(session.parse((await call(agent, 'GET', `${at}/s-1`)).body).id, 's-1')
    t.is((await call(agent, 'GET', `${at}/s-2`)).status, 404)
    const ended = await call(agent, 'POST', `${at}/s-1/disconnect`, { freeNow: true })
    t.deepEqual(ended.body, { ended: 'ending', freeAt: kept.expiresAt })
    t.is((await call(agent, 'POST', `${at}/s-1/disconnect`)).status, 200)
    t.is((await call(agent, 'DELETE', `${at}/s-1`, undefined, { 'Session-Key': sessionKey })).status, 204)
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'state=gone',
      'limit=1&limit=2',
      'other=1',
      '__proto__=1',
    ]) {
      const refused = await call(agent, 'GET', `${at}?${query}`)
      t.is(refused.status, 422, query)
      t.is(problem.parse(refused.body).code, 'invalid_request')
    }
  })
})

test('a store that can not be written is told as such', async (t) => {
  const broken = async () => {
    throw new LeaseholdError('store_unavailable', 'The disk is full.')
  }
  const api = inMemoryApi(access, new EventStreams(new Events('start-1'), new ManualClock()))
  await withAgent({ api: { sessions: { ...api.sessions, open: broken } } }, async (agent) => {
    const headers = { 'Idempotency-Key': 'new-0123456789abcdef' }
    const answer = await call(agent, 'POST', '/api/v1/sessions', { product: 'acme/cad' }, headers)
    t.is(answer.status, 503)
    t.is(problem.parse(answer.body).code, 'store_unavailable')
    t.is(agent.log.length, 1)
  })
})

test('who waits for a seat is heard of when the asker closes the connection', async (t) => {
  let asked = false
  let aborted = false
  const api = inMemoryApi(access, new EventStreams(new Events('start-1'), new ManualClock()))
  const open: typeof api.sessions.open = (_request, closed) =>
    new Promise((resolve) => {
      asked = true
      closed().addEventListener('abort', () => {
        aborted = true
        resolve(refuse('no_seats', 'The asker is gone.'))
      })
    })
  await withAgent({ api: { sessions: { ...api.sessions, open } } }, async (agent) => {
    const controller = new AbortController()
    const asking = fetch(`${agent.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'new-0123456789abcdef' },
      body: '{"product":"acme/cad","wait":300}',
      signal: controller.signal,
    })
    await waitFor('the request', () => asked)
    controller.abort()
    await t.throwsAsync(asking, { any: true })
    t.true(await waitFor('the abort', () => aborted))
  })
})

const license: License = {
  id: 'lic-1',
  state: 'active',
  kind: 'network',
  vendor: { name: 'acme', fingerprint: 'ABCD-EFGH', trusted: true },
  products: [{ product: 'acme/cad', title: 'CAD', any: false, seats: 5, used: 1, features: [] }],
  model: 'perpetual',
  manager: { id: 'agent-1', name: 'WS-17' },
  local: true,
  actions: ['deactivate', 'remove'],
}
const details: LicenseDetails = {
  ...license,
  issuedAt: '2027-01-01T00:00:00.000Z',
  count: 'session',
  leaseSeconds: 600,
  overlapAllowed: true,
  depth: 4,
  links: {},
  replaces: [],
  activation: { needed: true, parts: [] },
  text: '-----BEGIN LEASEHOLD LICENSE-----',
}

test('licenses are added, asked for, activated, deactivated and removed', async (t) => {
  const asked: unknown[] = []
  const licenses = {
    list: () => ({ items: [license], total: 1 }),
    get: (id: string) => (id === 'lic-1' ? details : undefined),
    add: async (request: { text: string; trust: boolean }) => {
      asked.push(request)
      if (!request.trust)
        return refuse('untrusted_vendor', 'acme is new here.', { vendor: 'acme', fingerprint: 'ABCD-EFGH' })
      return { kind: 'added' as const, license: details }
    },
    remove: async (id: string) => (id === 'lic-1' ? { kind: 'removed' as const } : refuse('unknown_license', 'None.')),
    requestActivation: async () => ({ kind: 'requested' as const, request: 'block' }),
    deactivate: async (_id: string, confirmOverlap: boolean) =>
      confirmOverlap
        ? { kind: 'deactivated' as const, receipt: 'block' }
        : { kind: 'deactivating' as const, freeAt: '2027-01-01T00:00:00.000Z' },
    addSample: async () => ({ kind: 'added' as const, license: details }),
  }
  await withAgent({ api: { licenses } }, async (agent) => {
    const at = '/api/v1/licenses'
    t.deepEqual((await call(agent, 'GET', at)).body, { items: [license], total: 1 })
    t.deepEqual((await call(agent, 'GET', `${at}/lic-1`)).body, details)
    t.is((await call(agent, 'GET', `${at}/lic-2`)).status, 404)
    const untrusted = await call(agent, 'POST', at, { text: 'block' })
    t.is(untrusted.status, 409)
    t.like(untrusted.body, { code: 'untrusted_vendor', fingerprint: 'ABCD-EFGH', vendor: 'acme' })
    const added = await call(agent, 'POST', at, { text: 'block', trust: true })
    t.is(added.status, 201)
    t.is(added.headers.get('location'), `${at}/lic-1`)
    t.deepEqual(asked, [
      { text: 'block', trust: false },
      { text: 'block', trust: true },
    ])
    t.deepEqual((await call(agent, 'POST', `${at}/lic-1/activation-request`)).body, { request: 'block' })
    const later = await call(agent, 'POST', `${at}/lic-1/deactivate`)
    t.is(later.status, 202)
    t.deepEqual(later.body, { state: 'deactivating', freeAt: '2027-01-01T00:00:00.000Z' })
    const receipt = await call(agent, 'POST', `${at}/lic-1/deactivate`, { confirmOverlap: true })
    t.is(receipt.status, 200)
    t.deepEqual(receipt.body, { receipt: 'block' })
    t.is((await call(agent, 'DELETE', `${at}/lic-1`)).status, 204)
    t.is((await call(agent, 'DELETE', `${at}/lic-2`)).status, 404)
    t.is((await call(agent, 'POST', '/api/v1/sample')).status, 201)
  })
})

test('documents, products, features and the line are passed on', async (t) => {
  const found: RecognizedDocument = { type: 'license', summary: 'A license.', effect: 'Installs it.', applied: false }
  const queries: unknown[] = []
  const note = (query: unknown) => {
    queries.push(query)
    return { items: [], total: 0 }
  }
  const api = {
    documents: {
      process: async (request: unknown) => {
        queries.push(request)
        return { kind: 'recognized' as const, documents: [found] }
      },
    },
    products: { products: note, features: note },
    queue: { list: note },
  }
  await withAgent({ api }, async (agent) => {
    t.deepEqual((await call(agent, 'POST', '/api/v1/documents', { text: 'x' })).body, { documents: [found] })
    for (const path of ['products?cursor=c', 'features?product=acme/cad', 'queue?limit=7'])
      t.deepEqual((await call(agent, 'GET', `/api/v1/${path}`)).body, { items: [], total: 0 })
    t.deepEqual(queries, [
      { text: 'x', apply: false, trust: false },
      { limit: 100, cursor: 'c' },
      { limit: 100, product: 'acme/cad' },
      { limit: 7 },
    ])
  })
})

test('health, live, ready and version say how the agent is', async (t) => {
  let ready = false
  const facts = inMemoryApi(access, new EventStreams(new Events('start-1'), new ManualClock())).health
  await withAgent({ api: { health: { ...facts, ready: () => ready } } }, async (agent) => {
    t.deepEqual(health.parse((await call(agent, 'GET', '/api/v1/health')).body), { state: 'ok', problems: [] })
    t.deepEqual((await call(agent, 'GET', '/api/v1/live')).body, { live: true })
    t.is(version.parse((await call(agent, 'GET', '/api/v1/version')).body).program, 'leasehold')
    t.is(status.parse((await call(agent, 'GET', '/api/v1/status')).body).port, 1947)
    t.is((await call(agent, 'GET', '/api/v1/ready')).status, 503)
    ready = true
    t.is((await call(agent, 'GET', '/api/v1/ready')).status, 200)
  })
})

test('settings are described, checked and changed, and each wrong one is listed', async (t) => {
  const changes: unknown[] = []
  const wrong = refuse('invalid_request', '1 field has a value that can not be used.', {
    fields: [{ field: 'session.idleMinutes', message: 'must be at least 10' }],
  })
  const parts = {
    describe: (section?: string) => (section === 'basic' ? [] : [entry]),
    change: async (patch: Record<string, unknown>, by: string) => {
      changes.push([patch, by])
      return patch['session.idleMinutes'] === 1 ? wrong : { kind: 'changed' as const }
    },
    validate: (patch: Record<string, unknown>) =>
      patch['session.idleMinutes'] === 1 ? wrong : { kind: 'valid' as const },
    schema: () => ({ type: 'object' }),
  }
  const entry = {
    name: 'session.idleMinutes',
    section: 'basic',
    label: 'Idle timeout',
    kind: 'number' as const,
    value: 720,
    default: 720,
    source: 'default' as const,
    editable: true,
    restart: false,
    unit: 'minutes',
    min: 10,
    max: 10_080,
  }
  const cli = { Authorization: 'Bearer cli-key' }
  await withAgent({ api: { configuration: parts }, access: { cliKey: () => 'cli-key' } }, async (agent) => {
    const at = '/api/v1/configuration'
    t.deepEqual(configuration.parse((await call(agent, 'GET', at)).body), { entries: [entry] })
    t.deepEqual((await call(agent, 'GET', `${at}?section=basic`)).body, { entries: [] })
    t.deepEqual((await call(agent, 'GET', `${at}/schema`)).body, { type: 'object' })
    t.is((await call(agent, 'POST', `${at}/validate`, { 'session.idleMinutes': 60 })).status, 204)
    t.is((await call(agent, 'POST', `${at}/validate`, { 'session.idleMinutes': 1 })).status, 422)
    const refused = await call(agent, 'PUT', at, { 'session.idleMinutes': 1 })
    t.deepEqual(problem.parse(refused.body).fields, [{ field: 'session.idleMinutes', message: 'must be at least 10' }])
    t.deepEqual((await call(agent, 'PUT', at, { 'agent.name': null, 'remote.search': ['a'] }, cli)).body, {
      entries: [entry],
    })
    t.deepEqual(changes, [
      [{ 'session.idleMinutes': 1 }, 'administrator'],
      [{ 'agent.name': null, 'remote.search': ['a'] }, 'command line'],
    ])
    t.is((await call(agent, 'PUT', at, { 'agent.name': { deep: true } })).status, 422)
    t.is((await call(agent, 'PUT', at, {}, { Authorization: 'Bearer other' })).status, 401)
  })
})

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
    const chosen = await readEvents(agent, {}, '?types=session&lastEventId=start-1.0')
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

test('signing in sets a cookie that only this agent reads, signing out takes it away', async (t) => {
  const asked: unknown[] = []
  const token = 't'.repeat(43)
  const signed = { token, endsAt: Date.UTC(2027, 0, 4, 20), idleSeconds: 3600 }
  const administrator = {
    signIn: async (...given: unknown[]) => {
      asked.push(['in', ...given])
      return given[0] === 'right' ? { kind: 'signed-in' as const, ...signed } : refuse('wrong_password', 'Not that.')
    },
    signOut: async (...given: unknown[]) => {
      asked.push(['out', ...given])
    },
    changePassword: async (...given: unknown[]) => {
      asked.push(['change', ...given])
      return { kind: 'changed' as const, ...signed }
    },
  }
  await withAgent(
    { api: { signIn: { administrator, access } }, access: { cliKey: () => 'cli-key' } },
    async (agent) => {
      const right = await call(agent, 'POST', '/api/v1/sign-in', { password: 'right' })
      t.is(right.status, 200)
      t.deepEqual(signedIn.parse(right.body), { expiresAt: '2027-01-04T20:00:00.000Z', idleSeconds: 3600 })
      t.is(right.headers.get('set-cookie'), `leasehold-agent-1=${token}; Path=/; HttpOnly; SameSite=Strict`)
      const wrong = await call(agent, 'POST', '/api/v1/sign-in', { password: 'wrong' })
      t.is(wrong.status, 401)
      t.is(wrong.headers.get('set-cookie'), null)
      const own = { 'Sec-Fetch-Site': 'same-origin', Cookie: `a=b; leasehold-agent-1=${token}` }
      const browser = Object.entries(own).map(([name, value]) => [name, value] as const)
      const out = await request(agent.port, { method: 'DELETE', path: '/api/v1/sign-in', headers: browser })
      t.is(out?.status, 204)
      t.is(out?.headers['set-cookie'], 'leasehold-agent-1=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0')
      await call(agent, 'PUT', '/api/v1/password', { current: 'right', password: 'long enough' })
      await call(agent, 'PUT', '/api/v1/password', { password: 'long enough' }, { Authorization: 'Bearer cli-key' })
      t.is((await call(agent, 'PUT', '/api/v1/password', { password: 'short' })).status, 422)
      t.deepEqual(asked, [
        ['in', 'right', '127.0.0.1', undefined],
        ['in', 'wrong', '127.0.0.1', undefined],
        ['out', token],
        ['change', { current: 'right', password: 'long enough', reset: false }, '127.0.0.1'],
        ['change', { password: 'long enough', reset: true }, '127.0.0.1'],
      ])
    },
  )
})

test('once a password is set, changes ask for the cookie or the key of the command line', async (t) => {
  const token = 't'.repeat(43)
  let protection: 'none' | 'configuration' | 'all' = 'configuration'
  const options = {
    access: {
      administrator: { hasPassword: () => true, isSignedIn: (given: string) => given === token },
      cliKey: () => 'cli-key',
      protection: () => protection,
    },
  }
  await withAgent(options, async (agent) => {
    const ask = async (method: string, path: string, headers: readonly (readonly [string, string])[] = []) =>
      (await request(agent.port, { method, path, headers }))?.status
    const disconnect = '/api/v1/sessions/s-1/disconnect'
    const cookie = ['Cookie', `leasehold-agent-1=${token}`] as const
    const own = ['Sec-Fetch-Site', 'same-origin'] as const
    t.is(await ask('POST', disconnect), 401)
    t.is(await ask('POST', disconnect, [own, ['Cookie', `leasehold-agent-1=${'x'.repeat(43)}`]]), 401)
    t.is(await ask('POST', disconnect, [own, ['Cookie', `leasehold-agent-2=${token}`]]), 401)
    t.is(await ask('POST', disconnect, [own, cookie]), 200)
    t.is(await ask('POST', disconnect, [cookie]), 403)
    t.is(await ask('POST', disconnect, [['Authorization', 'Bearer cli-key']]), 200)
    t.is(await ask('POST', disconnect, [['Authorization', 'Bearer cli-kez']]), 401)
    t.is(await ask('POST', disconnect, [['Authorization', 'Basic Y2xpLWtleQ==']]), 401)
    t.is(await ask('GET', '/api/v1/sessions'), 200)
    protection = 'all'
    t.is(await ask('GET', '/api/v1/sessions'), 401)
    t.is(await ask('GET', '/api/v1/sessions', [cookie]), 200)
    t.is(await ask('GET', '/api/v1/live'), 200)
    protection = 'none'
    t.is(await ask('POST', disconnect), 200)
  })
})

test('every shape of the interface can be described as a JSON Schema', (t) => {
  for (const route of routes)
    for (const schema of [
      route.params,
      route.query,
      route.body,
      ...Object.values(route.answers).map((one) => one.schema),
    ])
      if (schema !== undefined) t.notThrows(() => z.toJSONSchema(schema, { io: 'input' }), route.path)
})
