import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { type Access, checkConnection, checkGuard } from '../../agent/http/guards.ts'
import { parseHost } from '../../agent/http/host.ts'
import type { RequestView } from '../../agent/http/request-view.ts'
import { type AgentFixture, startAgent } from './agent-fixture.ts'
import { codeOf, readAnswer, request, sendRaw } from './raw-client.ts'

function readVectors<T>(name: string): readonly T[] {
  const file = new URL(`../../../test/vectors/${name}.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: T[] }).cases
}

let agent: AgentFixture
test.before(async () => {
  agent = await startAgent({
    app: {
      pages: (ctx) => {
        if (ctx.path === '/' || ctx.path === '/form') ctx.body = '<p>page</p>'
      },
      publicFolder: new URL('../../../test/vectors', import.meta.url).pathname,
    },
  })
})
test.after.always(() => agent.stop())

interface HostCase {
  readonly host: string | null | readonly string[]
  readonly status: number
}

test('each Host of the vectors is answered as the vectors say', async (t) => {
  for (const { host, status } of readVectors<HostCase>('host')) {
    const hosts = host === null ? [] : typeof host === 'string' ? [host] : host
    const headers = hosts.map(
      (one) => ['Host', Buffer.from(one.replace('PORT', String(agent.port))).toString('latin1')] as const,
    )
    const answer = await request(agent.port, { path: '/api/v1/live', headers }, null)
    t.is(answer?.status, status, JSON.stringify(host))
  }
})

test('a rebound name reaches no page, call, file, stream or 404', async (t) => {
  const paths = [
    '/',
    '/api/v1/sessions',
    '/api/v1/events',
    '/api/v1/openapi.json',
    '/public/host.json',
    '/nothing',
    '/api/nothing',
  ]
  for (const path of paths)
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const answer = await request(agent.port, { method, path }, `evil.example:${agent.port}`)
      t.is(answer?.status, 421, `${method} ${path}`)
      t.is(codeOf(answer), 'host_not_allowed')
    }
  const keep = await request(agent.port, { method: 'PUT', path: '/api/v1/sessions/s-1' }, 'evil.example')
  t.is(keep?.status, 421)
  const page = await request(agent.port, { headers: [['Accept', 'text/html']] }, 'evil.example')
  t.is(page?.status, 421)
  t.regex(page?.headers['content-type'] ?? '', /^text\/html/)
  t.regex(page?.headers['content-security-policy'] ?? '', /default-src 'none'/)
  t.regex(page?.body ?? '', /http:\/\/localhost:1947/)
})

test('a Host is never read as another host than it names', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 40 }), (raw) => {
      const host = parseHost(raw)
      if (host === undefined) return
      const url = new URL(`http://${raw}/`)
      const name = host.kind === 'ipv6' ? new URL(`http://[${host.name}]/`).hostname : host.name
      t.is(url.hostname.replace(/\.$/, ''), name)
      t.is(url.port === '' ? 80 : Number(url.port), host.port ?? 80)
    }),
    { numRuns: 2000 },
  )
})

interface OriginCase {
  readonly who: string
  readonly headers: Readonly<Record<string, string>>
  readonly change: number
  readonly open: number
  readonly page: number
}

test('each set of origin headers of the vectors is answered as the vectors say', async (t) => {
  const fill = (text: string) =>
    text.replace('ORIGIN', `http://localhost:${agent.port}`).replace('PORT', String(agent.port))
  for (const { who, headers, change, open, page } of readVectors<OriginCase>('origin')) {
    const given = Object.entries(headers).map(([name, value]) => [name, fill(value)] as const)
    const json = [...given, ['Content-Type', 'application/json']] as const
    const validate = { method: 'POST', path: '/api/v1/configuration/validate', headers: json, body: '{}' }
    t.is((await request(agent.port, validate))?.status, change, `${who}: change`)
    const session = {
      method: 'POST',
      path: '/api/v1/sessions',
      headers: [...json, ['Idempotency-Key', 'new-0123456789abcdef']] as const,
      body: '{"product":"acme/cad"}',
    }
    t.is((await request(agent.port, session))?.status, open, `${who}: open`)
    const form = {
      method: 'POST',
      path: '/form',
      headers: [...given, ['Content-Type', 'application/x-www-form-urlencoded']] as const,
      body: 'a=b',
    }
    t.is((await request(agent.port, form))?.status, page, `${who}: page`)
  }
})

test('the fetch of Node opens a session', async (t) => {
  const answer = await fetch(`${agent.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ product: 'acme/cad' }),
  })
  t.is(answer.status, 200)
})

test('a page of others opens no event stream, the address bar and a program do', async (t) => {
  const open = (headers: readonly (readonly [string, string])[]) =>
    request(agent.port, { path: '/api/v1/events', headers }, undefined, { until: (text) => text.includes('\r\n\r\n') })
  t.is((await open([]))?.status, 200)
  t.is((await open([['Sec-Fetch-Site', 'same-origin']]))?.status, 200)
  t.is((await open([['Sec-Fetch-Site', 'none']]))?.status, 200)
  t.is((await open([['Sec-Fetch-Site', 'same-site']]))?.status, 403)
  t.is((await open([['Sec-Fetch-Site', 'cross-site']]))?.status, 403)
  t.is((await open([['Origin', 'https://evil.example']]))?.status, 403)
  t.is((await open([['Origin', `http://localhost:${agent.port}`]]))?.status, 200)
})

test('a request with a header that proxies set is refused, also where many headers hide it', async (t) => {
  const hidden = Array.from({ length: 2500 }, (_, index) => [`${index.toString(36)}`, ''] as const)
  for (const name of [
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'x-forwarded-anything',
    'X-Real-IP',
    'Via',
    'VIA',
  ])
    for (const before of [[], hidden]) {
      const answer = await request(agent.port, { path: '/api/v1/live', headers: [...before, [name, '1.1 a']] })
      t.is(answer?.status, 403, name)
      t.is(codeOf(answer), 'proxy_refused')
    }
})

test('HTTP/1.0 is refused', async (t) => {
  const answer = await request(agent.port, { path: '/api/v1/live', version: '1.0' })
  t.is(answer?.status, 403)
  t.is(codeOf(answer), 'proxy_refused')
})

test('nobody gets leave to read from other origins', async (t) => {
  for (const method of ['GET', 'OPTIONS']) {
    const headers = [
      ['Origin', 'https://evil.example'],
      ['Access-Control-Request-Method', 'POST'],
    ] as const
    const answer = await request(agent.port, { method, path: '/api/v1/live', headers })
    const names = Object.keys(answer?.headers ?? {}).filter((name) => name.startsWith('access-control'))
    t.deepEqual(names, [])
    if (method === 'OPTIONS') t.is(answer?.status, 405)
  }
})

test('a request to become a WebSocket is answered as any other', async (t) => {
  const headers = 'Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13'
  const text = `GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\n${headers}\r\n\r\n`
  t.is(readAnswer(await sendRaw(agent.port, text))?.status, 200)
})

const view: RequestView = {
  channel: 'loopback',
  url: '/',
  method: 'GET',
  headers: { host: 'localhost' },
  rawHeaders: ['Host', 'localhost'],
  httpVersion: '1.1',
  localAddress: '127.0.0.1',
  remoteAddress: '127.0.0.1',
}

test('a connection that did not come in on loopback is refused', (t) => {
  t.is(checkConnection(view), undefined)
  t.is(checkConnection({ ...view, localAddress: '::ffff:127.0.0.1', remoteAddress: '::ffff:127.0.0.1' }), undefined)
  t.is(checkConnection({ ...view, localAddress: '::1', remoteAddress: '::1' }), undefined)
  for (const [localAddress, remoteAddress] of [
    ['192.168.1.2', '192.168.1.3'],
    ['127.0.0.1', '192.168.1.3'],
    ['192.168.1.2', '127.0.0.1'],
    ['', ''],
  ] as const)
    t.is(checkConnection({ ...view, localAddress, remoteAddress })?.code, 'remote_access_off')
})

test('the protection setting decides what asks for a sign-in', (t) => {
  const anybody = (asks: Access['asks']): Access => ({ identify: () => 'nobody', asks })
  const outcome = (guard: Parameters<typeof checkGuard>[0], access: Access) => {
    const found = checkGuard(guard, view, access)
    return typeof found === 'string' ? found : found.code
  }
  const never = anybody(() => false)
  const changes = anybody((purpose) => purpose === 'change')
  const always = anybody(() => true)
  for (const guard of ['open', 'application'] as const)
    for (const access of [never, changes, always]) t.is(outcome(guard, access), 'nobody')
  for (const guard of ['read', 'stream'] as const) {
    t.is(outcome(guard, changes), 'nobody')
    t.is(outcome(guard, always), 'sign_in_needed')
    t.is(outcome(guard, { ...always, identify: () => 'signed-in' }), 'signed-in')
  }
  t.is(outcome('administrator', never), 'nobody')
  t.is(outcome('administrator', changes), 'sign_in_needed')
  t.is(outcome('administrator', { ...always, identify: () => 'cli' }), 'cli')
})
