import test from 'ava'
import fc from 'fast-check'
import { parseJson } from '../../agent/http/json.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type AgentFixture, sessionKey, startAgent } from './agent-fixture.ts'
import { codeOf, type RawAnswer, type RawRequest, readAnswer, request, sendRaw } from './raw-client.ts'

let agent: AgentFixture
let koa: AgentFixture
/** Has little patience. */
let hasty: AgentFixture
test.before(async () => {
  agent = await startAgent()
  hasty = await startAgent({ limits: { headers: 300, request: 600, check: 50 } })
  koa = await startAgent({ hotPath: false })
})
test.after.always(() => Promise.all([agent.stop(), koa.stop(), hasty.stop()]))

const json = ['Content-Type', 'application/json'] as const
const key = ['Session-Key', sessionKey] as const
const fresh = ['Idempotency-Key', 'new-0123456789abcdef'] as const
const sessions = '/api/v1/sessions'

function open(body: string, headers: RawRequest['headers'] = [json, fresh]): RawRequest {
  return { method: 'POST', path: sessions, headers, body }
}

const table: readonly (readonly [string, RawRequest, number, string?])[] = [
  ['a seat', open('{"product":"acme/cad"}'), 201],
  ['a seat again', open('{"product":"acme/cad"}', [json, ['Idempotency-Key', 'old-0123456789abcdef']]), 200],
  ['charset', open('{"product":"acme/cad"}', [['Content-Type', 'application/json; charset=UTF-8'], fresh]), 201],
  [
    'all fields',
    open(
      '{"product":"acme/cad","feature":"f","seats":2,"user":{"account":"a","email":"b","displayName":"c"},"host":"h","process":{"id":1,"name":"n"},"application":"x","nonce":"0123456789abcdef","vendorKey":"k","wait":10,"activity":"reported"}',
    ),
    201,
  ],
  ['no product', open('{"product":"acme/cam"}'), 404, 'unknown_product'],
  ['no seats', open('{"product":"acme/cad","seats":6}'), 409, 'no_seats'],
  ['no key', open('{"product":"acme/cad"}', [json]), 400, 'idempotency_key_needed'],
  ['a short key', open('{"product":"acme/cad"}', [json, ['Idempotency-Key', 'short']]), 400, 'idempotency_key_needed'],
  [
    'a long key',
    open('{"product":"acme/cad"}', [json, ['Idempotency-Key', 'x'.repeat(129)]]),
    400,
    'idempotency_key_needed',
  ],
  ['two keys', open('{"product":"acme/cad"}', [json, fresh, fresh]), 400, 'idempotency_key_needed'],
  [
    'a key in other letters',
    open('{"product":"acme/cad"}', [json, ['Idempotency-Key', 'schlüssel-schlüssel']]),
    400,
    'idempotency_key_needed',
  ],
  ['no body', open('', [json, fresh]), 422, 'invalid_request'],
  ['null', open('null'), 422, 'invalid_request'],
  ['a list', open('[]'), 422, 'invalid_request'],
  ['an unknown field', open('{"product":"acme/cad","sets":1}'), 422, 'invalid_request'],
  ['__proto__', open('{"product":"acme/cad","__proto__":{"seats":99}}'), 422, 'invalid_request'],
  ['constructor', open('{"product":"acme/cad","user":{"constructor":{"prototype":{}}}}'), 422, 'invalid_request'],
  ['half a seat', open('{"product":"acme/cad","seats":0.5}'), 422, 'invalid_request'],
  ['no seat', open('{"product":"acme/cad","seats":0}'), 422, 'invalid_request'],
  ['infinite seats', open('{"product":"acme/cad","seats":1e999}'), 422, 'invalid_request'],
  ['a name of 256', open(`{"product":"acme/cad","host":"${'h'.repeat(256)}"}`), 422, 'invalid_request'],
  ['not JSON', open('{"product":}'), 400, 'malformed_request'],
  ['half of JSON', open('{"product":"acme/cad"'), 400, 'malformed_request'],
  ['a byte order mark', open('\xef\xbb\xbf{"product":"acme/cad"}'), 400, 'malformed_request'],
  ['not UTF-8', open('{"product":"\xff"}'), 400, 'malformed_request'],
  ['deep', open(`{"product":${'['.repeat(40)}${']'.repeat(40)}}`), 400, 'malformed_request'],
  [
    'a form',
    open('product=acme/cad', [['Content-Type', 'application/x-www-form-urlencoded'], fresh]),
    415,
    'unsupported_media_type',
  ],
  [
    'plain text',
    open('{"product":"acme/cad"}', [['Content-Type', 'text/plain'], fresh]),
    415,
    'unsupported_media_type',
  ],
  ['no type', open('{"product":"acme/cad"}', [fresh]), 415, 'unsupported_media_type'],
  [
    'another charset',
    open('{"product":"acme/cad"}', [['Content-Type', 'application/json; charset=utf-16'], fresh]),
    415,
    'unsupported_media_type',
  ],
  [
    'JSON of another kind',
    open('{"product":"acme/cad"}', [['Content-Type', 'application/json-patch'], fresh]),
    415,
    'unsupported_media_type',
  ],
  ['64 KB and more', open(`{"product":"${'p'.repeat(65_536)}"}`), 413, 'body_too_large'],
  ['a browser', open('{"product":"acme/cad"}', [json, fresh, ['Origin', 'http://localhost']]), 403, 'cross_origin'],
  ['a proxy', open('{"product":"acme/cad"}', [json, fresh, ['Via', '1.1 p']]), 403, 'proxy_refused'],
  ['a heartbeat', { method: 'PUT', path: `${sessions}/s-1`, headers: [json, key], body: '{}' }, 200],
  ['a heartbeat without body', { method: 'PUT', path: `${sessions}/s-1`, headers: [key] }, 200],
  [
    'a heartbeat with a time',
    { method: 'PUT', path: `${sessions}/s-1`, headers: [json, key], body: '{"activeAt":"2027-01-04T08:00:00Z"}' },
    200,
  ],
  [
    'a heartbeat with another time',
    { method: 'PUT', path: `${sessions}/s-1`, headers: [json, key], body: '{"activeAt":"yesterday"}' },
    422,
    'invalid_request',
  ],
  [
    'a heartbeat of nobody',
    { method: 'PUT', path: `${sessions}/s-2`, headers: [json, key], body: '{}' },
    404,
    'unknown_session',
  ],
  [
    'a heartbeat without key',
    { method: 'PUT', path: `${sessions}/s-1`, headers: [json], body: '{}' },
    401,
    'wrong_key',
  ],
  [
    'a heartbeat with another key',
    { method: 'PUT', path: `${sessions}/s-1`, headers: [json, ['Session-Key', 'x']], body: '{}' },
    401,
    'wrong_key',
  ],
  ['the end', { method: 'DELETE', path: `${sessions}/s-1`, headers: [key] }, 204],
  [
    'the end with another key',
    { method: 'DELETE', path: `${sessions}/s-1`, headers: [['Session-Key', 'x']] },
    401,
    'wrong_key',
  ],
  [
    'the end with a body',
    { method: 'DELETE', path: `${sessions}/s-1`, headers: [key, json], body: '{"a":1}' },
    422,
    'invalid_request',
  ],
  ['what breaks inside', { method: 'DELETE', path: `${sessions}/broken`, headers: [key] }, 500, 'internal_error'],
  [
    'an id that is none',
    { method: 'PUT', path: `${sessions}/..%2fs-1`, headers: [json, key], body: '{}' },
    404,
    'not_found',
  ],
  ['a query', { method: 'PUT', path: `${sessions}/s-1?a=b`, headers: [json, key], body: '{}' }, 422, 'invalid_request'],
]

/** Everything but the time and the request id, on whose length the length of a problem depends. */
function withoutId(answer: RawAnswer | undefined): unknown {
  const { date: _, 'x-request-id': id, 'content-length': length, ...headers } = answer?.headers ?? {}
  return { ...answer, headers, length: id === undefined ? length : undefined, body: answer?.body.replace(id ?? '', '') }
}

test('the hot path and Koa answer the same requests the same way', async (t) => {
  for (const [what, asked, status, code] of table) {
    const host = 'localhost'
    const [hot, cold] = await Promise.all([request(agent.port, asked, host), request(koa.port, asked, host)])
    t.is(hot?.status, status, what)
    if (code !== undefined) t.is(codeOf(hot), code, what)
    t.deepEqual(withoutId(cold), withoutId(hot), what)
  }
})

test('a refusal is a problem document with a stable code, words, and what helps', async (t) => {
  const answer = await request(agent.port, open('{"product":"acme/cad","seats":6}'))
  t.is(answer?.headers['content-type'], 'application/problem+json')
  t.is(answer?.headers['retry-after'], '30')
  const { requestId, ...problem } = JSON.parse(answer?.body ?? '') as Record<string, unknown>
  t.is(requestId, answer?.headers['x-request-id'])
  t.deepEqual(problem, {
    type: 'urn:leasehold:problem:no_seats',
    title: 'All seats are in use',
    status: 409,
    code: 'no_seats',
    detail: 'All 5 seats are in use.',
    help: 'Wait for a seat to come back, or ask one of the holders.',
    retryIn: 30,
  })
})

test('each wrong field is named with what is wanted', async (t) => {
  const body =
    '{"seats":"2","user":{"email":7},"wait":301,"activity":"rare","process":{"id":0},"sets":1,"nonce":"short"}'
  const answer = await request(agent.port, open(body))
  t.deepEqual((JSON.parse(answer?.body ?? '') as { fields: unknown }).fields, [
    { field: 'product', message: 'is needed' },
    { field: 'seats', message: 'must be a number' },
    { field: 'user.email', message: 'must be text' },
    { field: 'process.id', message: 'must be at least 1' },
    { field: 'nonce', message: 'must be 16 to 128 characters of base64url' },
    { field: 'wait', message: 'must be at most 300' },
    { field: 'activity', message: 'must be one of heartbeat, reported' },
    { field: 'sets', message: 'is not known here' },
  ])
})

test('what breaks inside is told without details and logged under the request id', async (t) => {
  const answer = await request(agent.port, { method: 'DELETE', path: `${sessions}/broken`, headers: [key] })
  t.is(answer?.status, 500)
  t.notRegex(answer?.body ?? '', /secret/)
  const { requestId } = JSON.parse(answer?.body ?? '') as { requestId: string }
  const line = agent.log.find(({ facts }) => facts?.requestId === requestId)
  t.regex(String(line?.facts?.error), /secret of the inside/)
})

test('JSON that can not be read is told with the place', (t) => {
  const fault = (text: string) => {
    const parsed = parseJson(Buffer.from(text))
    return parsed.kind === 'refused' ? parsed.detail.replace(/^The body is not JSON: /, '') : 'fine'
  }
  t.is(fault('{"a":}'), 'line 1, column 6: a value is wanted.')
  t.is(fault('{\n  "a": 1,\n}'), 'line 3, column 1: a name in double quotes is wanted.')
  t.is(fault("{'a': 1}"), 'line 1, column 2: a name in double quotes is wanted.')
  t.is(fault('{"a" 1}'), 'line 1, column 6: a colon is wanted.')
  t.is(fault('{"a":1 "b":2}'), 'line 1, column 8: a comma or } is wanted.')
  t.is(fault('[1,2'), 'line 1, column 5: a comma or ] is wanted.')
  t.is(fault('[01]'), 'line 1, column 2: a value is wanted.')
  t.is(fault('["\t"]'), 'line 1, column 2: a value is wanted.')
  t.is(fault('{} {}'), 'line 1, column 4: the end is wanted.')
  t.is(fault(''), 'line 1, column 1: a value is wanted.')
})

test('the place of a fault lies where JSON stops being JSON', (t) => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', '}', ']', '"', ',', ':', 'x', '\\', '\u0001'),
      (text, at, piece) => {
        const place = at % (text.length + 1)
        const broken = text.slice(0, place) + piece + text.slice(place + (piece === '' ? 1 : 0))
        const parsed = parseJson(Buffer.from(broken))
        let readable = true
        try {
          JSON.parse(broken)
        } catch {
          readable = false
        }
        t.is(parsed.kind === 'parsed', readable)
        if (parsed.kind === 'refused') t.true(Number(parsed.facts?.column) >= 1)
      },
    ),
    { numRuns: 500 },
  )
})

test('an address that leads nowhere, a wrong method, and a broken address are told apart', async (t) => {
  const ask = (method: string, path: string) => request(agent.port, { method, path })
  t.is(codeOf(await ask('GET', '/api/v1/nothing')), 'not_found')
  t.is(codeOf(await ask('GET', '/nothing')), 'not_found')
  t.is(codeOf(await ask('GET', '/api/v1/sessions/')), 'not_found')
  t.is(codeOf(await ask('GET', '/API/v1/sessions')), 'not_found')
  t.is((await ask('GET', '/api/v1/../v1/live'))?.status, 404)
  const wrong = await ask('PATCH', '/api/v1/sessions')
  t.is(wrong?.status, 405)
  t.is(wrong?.headers.allow, 'GET, HEAD, POST')
  t.is((await ask('GET', '/api/v1/sign-in'))?.headers.allow, 'DELETE, POST')
  for (const path of ['/api/v1/sessions/%', '/%zz', '/a%00b', '/%ff', 'http://localhost/api/v1/live', '*'])
    t.is(codeOf(await ask('GET', path)), 'malformed_request', path)
  t.is((await ask('HEAD', '/api/v1/live'))?.body, '')
})

test('a body of more than the limit is refused, however it is sent', async (t) => {
  const head = `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: ${'k'.repeat(16)}\r\n`
  const piece = `1000\r\n${'x'.repeat(4096)}\r\n`
  const pieces = [
    `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    ...Array.from({ length: 20 }, () => piece),
    '0\r\n\r\n',
  ]
  t.is(readAnswer(await sendRaw(agent.port, pieces))?.status, 413)
  const huge = await sendRaw(agent.port, [
    `${head}Content-Length: 100000000\r\n\r\n`,
    ...Array.from({ length: 400 }, () => 'x'.repeat(4096)),
  ])
  t.true(huge === '' || readAnswer(huge)?.status === 413, huge.slice(0, 100))
  const documents = { method: 'POST', path: '/api/v1/documents', headers: [json] }
  t.is(
    codeOf(await request(agent.port, { ...documents, body: JSON.stringify({ text: 'x'.repeat(262_144) }) })),
    'not_found',
  )
  t.is((await request(agent.port, { ...documents, body: JSON.stringify({ text: 'x'.repeat(262_145) }) }))?.status, 422)
  t.is((await request(agent.port, { ...documents, body: JSON.stringify({ text: 'x'.repeat(300_000) }) }))?.status, 413)
})

test('a sender that is too slow is dropped: silent, with its headers, with its body', async (t) => {
  const silent = sendRaw(hasty.port, '')
  await waitFor('the silent one', () => hasty.clock.waiting > 0)
  hasty.clock.advance(2 * 300)
  t.is(await silent, '')
  const headers = await sendRaw(hasty.port, 'GET /api/v1/live HTTP/1.1\r\nHost: local')
  t.is(readAnswer(headers)?.status, 408)
  t.is(codeOf(readAnswer(headers)), 'request_timeout')
  const head = `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`
  const body = await sendRaw(hasty.port, `${head}{"product":`)
  t.is(readAnswer(body)?.status, 408)
})

test('what could be read as two requests is refused', async (t) => {
  const both = `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
  const cases: readonly (readonly [string, string])[] = [
    ['both lengths', both],
    ['two lengths', `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}`],
    ['a length with a sign', `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}`],
    [
      'two encodings',
      `POST ${sessions} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    ],
    ['a space before the colon', 'GET /api/v1/live HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a folded header', 'GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\nVia\t: x\r\n\r\n'],
    ['a bare line feed', 'GET /api/v1/live HTTP/1.1\nHost: localhost\n\n'],
    ['a bare carriage return', 'GET /api/v1/live HTTP/1.1\r\nHost: localhost\rX-Real-IP: 1\r\n\r\n'],
    ['a NUL', 'GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nX-A: \0\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ]
  for (const [what, text] of cases) {
    const answer = readAnswer(await sendRaw(agent.port, text))
    t.is(answer?.status, 400, what)
    t.is(answer?.headers.connection, 'close', what)
    t.is(codeOf(answer), 'malformed_request', what)
  }
})

test('too large headers are refused', async (t) => {
  const answer = await request(agent.port, { path: '/api/v1/live', headers: [['X-A', 'a'.repeat(20_000)]] })
  t.is(answer?.status, 431)
  t.is(codeOf(answer), 'headers_too_large')
})

test('hostile values come back as data, and control characters are stripped from names', async (t) => {
  const hostile = '<script>alert(1)</script>\u202e\u0007"\'; DROP'
  const body = Buffer.from(JSON.stringify({ product: hostile })).toString('latin1')
  const answer = await request(agent.port, open(body))
  t.is(answer?.status, 404)
  t.is(answer?.headers['content-type'], 'application/problem+json')
  t.is(answer?.headers['x-content-type-options'], 'nosniff')
  const { detail } = JSON.parse(answer?.body ?? '') as { detail: string }
  t.is(detail, 'There is no product <script>alert(1)</script>"\'; DROP.')
  const page = await request(agent.port, { path: '/<script>', headers: [['Accept', 'text/html']] })
  t.is(page?.status, 404)
  t.notRegex(page?.body ?? '', /<script>/)
})

test('two requests that come at once are answered in turn on one connection', async (t) => {
  const one = `DELETE ${sessions}/s-1 HTTP/1.1\r\nHost: localhost\r\nSession-Key: ${sessionKey}\r\n\r\n`
  const two = 'GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
  const text = await sendRaw(agent.port, one + two)
  t.regex(text, /^HTTP\/1\.1 204 [\s\S]*HTTP\/1\.1 200 /)
})
