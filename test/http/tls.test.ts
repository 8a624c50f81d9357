import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect as connectSocket, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import test from 'ava'
import type { Outside } from '../../agent/http/guards.ts'
import { IdleConnections } from '../../agent/http/idle-connections.ts'
import { createProxyList } from '../../agent/http/proxies.ts'
import { createRedirect } from '../../agent/http/redirect.ts'
import { Certificates } from '../../agent/peers/certificate.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { type AgentFixture, type FixtureOptions, startAgent } from './agent-fixture.ts'
import { codeOf, type RawAnswer, type RawRequest, readAnswer, request, sendRaw } from './raw-client.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-tls-'))
const certificates = new Certificates({
  clock: new ManualClock(Date.UTC(2026, 10, 1)),
  files: { certificate: path.join(folder, 'tls.crt'), key: path.join(folder, 'tls.key') },
  named: () => ({ certificate: '', key: '' }),
  names: () => [],
  onTrouble: () => undefined,
})
const names = new Set(['license.example', 'ws-17.local'])
const outside: Outside = { remote: true, names }
const token = 't'.repeat(43)
const signedIn = { administrator: { hasPassword: () => true, isSignedIn: (given: string) => given === token } }

const common: FixtureOptions = {
  listening: { certificate: () => certificates.get(), redirect: createRedirect(() => names) },
  access: signedIn,
  app: {
    outside: () => ({ ...outside, isProxy: createProxyList(['127.0.0.9', '10.0.0.0/8']) }),
    pages: (ctx) => {
      if (ctx.path === '/' || ctx.path === '/sign-in') ctx.body = `<p>page ${String(ctx.state.channel)}</p>`
    },
    publicFolder: new URL('../../../test/vectors', import.meta.url).pathname,
  },
}

let agent: AgentFixture
test.before(async () => {
  await certificates.get()
  agent = await startAgent(common)
  const reached = await agent.listener.follow({
    addresses: ['127.0.0.2', '127.0.0.1'],
    proxy: path.join(folder, 'proxy'),
  })
  if (reached.failed.length > 0) throw new Error(JSON.stringify(reached.failed))
})
test.after.always(async () => {
  await agent.stop()
  rmSync(folder, { recursive: true })
})

function open(port: number, address = '127.0.0.2', version?: 'TLSv1.2'): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const limit = version === undefined ? {} : { maxVersion: version }
    const socket = connectTls({ host: address, port, rejectUnauthorized: false, ...limit })
    socket.once('secureConnect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Everything that comes until the other side closes. */
function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      text += piece
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => resolve(text))
  })
}

const cookie = (): readonly [string, string] => ['Cookie', `${agent.access.cookieName}=${token}`]

async function ask(
  sent: RawRequest & { readonly host?: string; readonly address?: string } = {},
  port = agent.port,
): Promise<RawAnswer | undefined> {
  const { method = 'GET', path: target = '/', headers = [], body = '', host = `127.0.0.2:${port}` } = sent
  const socket = await open(port, sent.address)
  const text = readAll(socket)
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  if (body !== '') lines.push(`Content-Length: ${body.length}`)
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`)
  return readAnswer(await text)
}

test('one port speaks TLS 1.3 and plain HTTP on loopback, and nothing older than TLS 1.3', async (t) => {
  const socket = await open(agent.port, '127.0.0.1')
  t.is(socket.getProtocol(), 'TLSv1.3')
  socket.destroy()
  t.is((await request(agent.port, { path: '/api/v1/live' }))?.status, 200)
  t.is((await ask({ address: '127.0.0.1', path: '/api/v1/live' }))?.status, 401)
  await t.throwsAsync(open(agent.port, '127.0.0.1', 'TLSv1.2'))
})

test('from elsewhere all but signing in and static files asks for a sign-in', async (t) => {
  const json: readonly [string, string] = ['Accept', 'application/json']
  for (const target of [
    '/api/v1/live',
    '/api/v1/version',
    '/api/v1/sessions',
    '/api/v1/openapi.json',
    '/api/v1/events',
  ])
    t.is(codeOf(await ask({ path: target, headers: [json] })), 'sign_in_needed', target)
  const type: readonly [string, string] = ['Content-Type', 'application/json']
  for (const [method, target] of [
    ['POST', '/api/v1/sessions'],
    ['PUT', '/api/v1/sessions/s-1'],
    ['DELETE', '/api/v1/sessions/s-1'],
    ['PUT', '/api/v1/configuration'],
    ['PUT', '/api/v1/password'],
    ['POST', '/api/v1/sessions/s-1/disconnect'],
  ] as const)
    t.is(codeOf(await ask({ method, path: target, headers: [json, type], body: '{}' })), 'sign_in_needed', target)
  for (const target of ['/', '/help', '/licenses?x=1']) {
    const answer = await ask({ path: target })
    t.is(answer?.status, 302, target)
    t.is(answer?.headers.location, `/sign-in?${new URLSearchParams({ next: target })}`)
  }
  t.is((await ask({ path: '/sign-in' }))?.status, 200)
  t.is((await ask({ path: '/public/host.json' }))?.status, 200)
  const form = [['Origin', `https://127.0.0.2:${agent.port}`] as const]
  t.is(codeOf(await ask({ method: 'POST', path: '/', headers: [...form, json] })), 'sign_in_needed')
  t.regex((await ask({ path: '/', headers: [cookie()] }))?.body ?? '', /page tls/)
  t.is((await ask({ path: '/api/v1/live', headers: [cookie()] }))?.status, 200)
  t.is((await ask({ method: 'DELETE', path: '/api/v1/sign-in', headers: [] }))?.status, 204)
})

test('the key of the command line and applications of other machines count for nothing from elsewhere', async (t) => {
  const other = await startAgent({ ...common, access: { ...signedIn, cliKey: () => 'cli-key' } })
  await other.listener.follow({ addresses: ['127.0.0.2'] })
  const answer = await ask({ path: '/api/v1/live', headers: [['Authorization', 'Bearer cli-key']] }, other.port)
  t.is(codeOf(answer), 'sign_in_needed')
  t.is(
    (await request(other.port, { path: '/api/v1/live', headers: [['Authorization', 'Bearer cli-key']] }))?.status,
    200,
  )
  await other.stop()
})

test('over TLS only addresses and own names are answered to, whatever is asked', async (t) => {
  for (const target of ['/', '/api/v1/live', '/public/host.json', '/sign-in', '/nothing', '/peer/v1/hello']) {
    t.is((await ask({ path: target, host: 'evil.example' }))?.status, 421, target)
    t.is((await ask({ path: target, host: `license.example.evil.example:${agent.port}` }))?.status, 421, target)
  }
  for (const host of ['license.example', 'LICENSE.example.:1947', 'ws-17.local', '192.0.2.1', '[2001:db8::1]:1947'])
    t.is((await ask({ path: '/sign-in', host }))?.status, 200, host)
})

test('over TLS a page of another origin changes nothing, and the cookie stays with TLS', async (t) => {
  const put = (origin: string) =>
    ask({
      method: 'PUT',
      path: '/api/v1/configuration',
      headers: [cookie(), ['Origin', origin], ['Content-Type', 'application/json']],
      body: '{}',
    })
  t.is((await put(`https://127.0.0.2:${agent.port}`))?.status, 200)
  for (const origin of [`http://127.0.0.2:${agent.port}`, 'https://evil.example', 'null', 'https://127.0.0.2:1'])
    t.is(codeOf(await put(origin)), 'cross_origin', origin)
  t.regex((await ask({ method: 'DELETE', path: '/api/v1/sign-in' }))?.headers['set-cookie'] ?? '', /; Secure/)
  const plain = await request(agent.port, { method: 'DELETE', path: '/api/v1/sign-in' })
  t.notRegex(plain?.headers['set-cookie'] ?? '', /Secure/)
  t.regex(agent.access.writeCookie(token, 'proxy'), /; Secure$/)
})

test('while remote administration is off, people from elsewhere get nothing', async (t) => {
  const app = { ...common.app, outside: () => ({ remote: false, names, isProxy: () => false }) }
  const closed = await startAgent({ ...common, app })
  await closed.listener.follow({ addresses: ['127.0.0.2'] })
  for (const target of ['/', '/sign-in', '/api/v1/live', '/public/host.json'])
    t.is((await ask({ path: target, headers: [cookie()] }, closed.port))?.status, 503, target)
  await closed.stop()
})

test('plain HTTP from elsewhere gets nothing but a redirect to HTTPS', async (t) => {
  const address = '127.0.0.2'
  const plain = (sent: RawRequest, host = `127.0.0.2:${agent.port}`) => request(agent.port, sent, host, { address })
  for (const method of ['GET', 'POST', 'PUT', 'OPTIONS'])
    for (const target of ['/', '/api/v1/sessions', '/public/host.json', '/peer/v1/hello']) {
      const answer = await plain({ method, path: target })
      t.is(answer?.status, 308, target)
      t.is(answer?.headers.location, `https://127.0.0.2:${agent.port}${target}`)
      t.is(answer?.body.trim(), '')
    }
  t.is((await plain({}, 'license.example'))?.headers.location, 'https://license.example/')
  for (const [sent, host] of [
    [{}, 'evil.example'],
    [{ path: '//evil.example/' }, '127.0.0.2'],
    [{ path: 'http://evil.example/' }, '127.0.0.2'],
  ] as const) {
    const answer = await plain(sent, host)
    t.is(answer?.status, 421)
    t.is(answer?.headers.location, undefined)
  }
})

test('slow senders are dropped on TLS and on plain connections: silent, half a handshake, slow headers', async (t) => {
  const hasty = await startAgent({ ...common, limits: { headers: 800, request: 1600, check: 50 } })
  await hasty.listener.follow({ addresses: ['127.0.0.2'] })
  const { port, clock } = hasty
  for (const address of ['127.0.0.1', '127.0.0.2']) {
    const silent = readAll(connectSocket(port, address))
    await waitFor('the silent connection', () => clock.waiting > 0)
    clock.advance(1600)
    t.is(await silent, '', address)
    // the first bytes of a TLS handshake, and no more
    const half = connectSocket(port, address)
    half.write(Buffer.from('16030100', 'hex'))
    t.is(await readAll(half), '', address)
    const slow = await open(port, address)
    slow.write('GET / HTTP/1.1\r\nHost: 127.0')
    t.is(readAnswer(await readAll(slow))?.status, 408, address)
    const plain = connectSocket(port, address)
    plain.write('GET / HTTP/1.1\r\nHost: 127.0')
    t.is(readAnswer(await readAll(plain))?.status, 408, address)
  }
  t.is(clock.waiting, 0)
  await hasty.stop()
})

test('where an address has nearly as many connections as it may, the longest idle one makes room for each new one', async (t) => {
  const small = await startAgent({ ...common, limits: { connections: 16 } })
  await small.listener.follow({ addresses: ['127.0.0.2', '127.0.0.3'] })
  const stay = async (address: string) => {
    const socket = await open(small.port, address)
    socket.on('error', () => undefined)
    socket.write('GET /sign-in HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n')
    await new Promise((resolve) => socket.once('data', resolve))
    return socket
  }
  const other = await stay('127.0.0.3')
  const idle: TLSSocket[] = []
  for (let at = 0; at < 15; at++) idle.push(await stay('127.0.0.2'))
  t.false(idle.some(({ closed }) => closed))
  for (let at = 0; at < 40; at++) {
    idle.push(await stay('127.0.0.2'))
    await waitFor('the end of the one that waited for longest', () => idle[at]?.closed)
  }
  t.is(idle.filter(({ closed }) => !closed).length, 15)
  t.false(other.closed)
  for (const socket of [other, ...idle]) socket.destroy()
  await small.stop()
})

test('an idle connection is kept for as long as its last answer announced', async (t) => {
  const times: number[] = []
  const socket = Object.assign(new EventEmitter(), { destroyed: false, setTimeout: (ms: number) => times.push(ms) })
  const idle = new IdleConnections()
  for (const announced of ['timeout=450', undefined, 'timeout=99999', 'timeout=1, max=5']) {
    const response = Object.assign(new EventEmitter(), { getHeader: () => announced })
    idle.take({ socket } as unknown as IncomingMessage, response as unknown as ServerResponse)
    response.emit('finish')
  }
  t.deepEqual(times, [450_000])
})

test('what is neither TLS nor HTTP is told so or dropped, and a reset connection harms nobody', async (t) => {
  t.is(
    await sendRaw(agent.port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage'.padEnd(600, '\0')).then(readAnswer),
    undefined,
  )
  t.is(readAnswer(await sendRaw(agent.port, 'SSH-2.0-x\r\n\r\n'))?.status, 400)
  for (let at = 0; at < 5; at++) {
    const socket = connectSocket(agent.port, '127.0.0.2')
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.resetAndDestroy()
  }
  t.is((await ask({ path: '/sign-in' }))?.status, 200)
})

test('addresses come and go while connections of loopback go on', async (t) => {
  const own = await startAgent(common)
  const keep = connectSocket(own.port, '127.0.0.1')
  const lived = { closed: false, text: '' }
  keep.on('data', (piece) => {
    lived.text += String(piece)
  })
  keep.on('close', () => {
    lived.closed = true
  })
  const live = async () => {
    const before = lived.text.length
    keep.write('GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await waitFor('an answer', () => lived.text.length > before)
  }
  await live()
  t.deepEqual(await own.listener.follow({ addresses: ['127.0.0.2', '127.0.0.3'] }), {
    addresses: ['127.0.0.2', '127.0.0.3'],
    proxy: undefined,
    failed: [],
  })
  await live()
  const outer = connectSocket(own.port, '127.0.0.3')
  await new Promise((resolve) => outer.once('connect', resolve))
  const ended = readAll(outer)
  await own.listener.follow({ addresses: ['127.0.0.2'] })
  t.is(await ended, '')
  await t.throwsAsync(fetch(`http://127.0.0.3:${own.port}/`))
  await own.listener.follow({ addresses: [] })
  await t.throwsAsync(fetch(`http://127.0.0.2:${own.port}/`))
  await live()
  t.false(lived.closed)
  keep.destroy()
  // an address that is taken, or that this machine has not, is named and the others are had
  const reached = await own.listener.follow({ addresses: ['192.0.2.254', '127.0.0.4'], proxy: '127.0.0.1' })
  t.deepEqual(reached.addresses, ['127.0.0.4'])
  t.deepEqual(
    reached.failed.map(({ place, code }) => [place, code]),
    [
      ['127.0.0.1', 'EINVAL'],
      ['192.0.2.254', 'EADDRNOTAVAIL'],
    ],
  )
  await own.stop()
})

test('a certificate that takes the place of another is shown to the next connection', async (t) => {
  const other = mkdtempSync(path.join(os.tmpdir(), 'leasehold-tls-'))
  const next = new Certificates({
    clock: new ManualClock(Date.UTC(2026, 10, 1)),
    files: { certificate: path.join(other, 'tls.crt'), key: path.join(other, 'tls.key') },
    named: () => ({ certificate: '', key: '' }),
    names: () => [],
    onTrouble: () => undefined,
  })
  const own = await startAgent(common)
  await own.listener.follow({ addresses: ['127.0.0.5'] })
  const shown = async () => {
    const socket = await open(own.port, '127.0.0.5')
    const { fingerprint256 } = socket.getPeerCertificate()
    return { fingerprint256, socket }
  }
  const first = await shown()
  t.is(first.fingerprint256, (await certificates.get()).fingerprint)
  const renewed = await next.get()
  own.listener.useCertificate(renewed)
  const second = await shown()
  t.is(second.fingerprint256, renewed.fingerprint)
  // the connection from before goes on
  const text = readAll(first.socket)
  first.socket.write('GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  t.is(readAnswer(await text)?.status, 200)
  second.socket.destroy()
  await own.stop()
  rmSync(other, { recursive: true })
})

function askProxy(
  headers: Record<string, string>,
  target = '/sign-in',
  version = '1.1',
): Promise<RawAnswer | undefined> {
  return new Promise((resolve) => {
    const socket = connectSocket(path.join(folder, 'proxy'))
    const lines = Object.entries({ Host: 'license.example', ...headers }).map(([name, value]) => `${name}: ${value}`)
    socket.write(`GET ${target} HTTP/${version}\r\n${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`)
    void readAll(socket).then((text) => resolve(readAnswer(text)))
  })
}

test('what comes over the listener for proxies is always from elsewhere', async (t) => {
  t.is((await askProxy({}))?.status, 200)
  t.is((await askProxy({ 'X-Forwarded-For': '203.0.113.9', Via: '1.1 nginx' }))?.status, 200)
  t.is((await askProxy({}, '/sign-in', '1.0'))?.status, 200)
  t.is((await askProxy({ Host: 'evil.example' }))?.status, 421)
  t.is(codeOf(await askProxy({ Host: 'localhost' }, '/api/v1/live')), 'sign_in_needed')
  t.is((await askProxy({}, '/'))?.status, 302)
  // agents connect with TLS of their own: a proxy would stand between them
  t.is((await askProxy({}, '/peer/v1/hello'))?.status, 404)
  // plain loopback, where a proxy must not connect
  const forwarded = await request(agent.port, { headers: [['X-Forwarded-For', '203.0.113.9']] })
  t.is(codeOf(forwarded), 'proxy_refused')
})
