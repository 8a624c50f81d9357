import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { generate } from 'selfsigned'
import { checkExceptions, isExceptedAddress, isExceptedName } from '../../agent/domain/access/exceptions.ts'
import type { Place } from '../../agent/domain/place.ts'
import { OutgoingProxy, type OutgoingProxyOptions } from '../../agent/peers/outgoing-proxy.ts'
import { type Connect, connectDirectly, readPlace } from '../../agent/peers/peer-connection.ts'
import { systemNetwork } from '../../agent/peers/proxy-network.ts'
import type { ProxySettings } from '../../agent/peers/proxy-target.ts'
import { systemTimers } from '../../agent/system-clock.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'leasehold-proxy-'))
test.after.always(() => rm(folder, { recursive: true, force: true }))

function makeProxy(settings: Partial<ProxySettings>, options: Partial<OutgoingProxyOptions> = {}): OutgoingProxy {
  return new OutgoingProxy({
    settings: () => ({ url: '', user: '', passwordFile: '', except: [], ...settings }),
    connect: connectDirectly,
    lookup: () => Promise.reject(new Error('no such name')),
    subnets: () => [],
    readFile: systemNetwork.readFile,
    clock: new ManualClock(),
    timers: systemTimers,
    ...options,
  })
}

/** A signal that never comes. */
const never = (): AbortSignal => new AbortController().signal

async function listen(t: ExecutionContext, server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Says what was said to it. */
function listenEcho(t: ExecutionContext): Promise<number> {
  return listen(
    t,
    createServer((socket) => void socket.on('error', () => undefined).pipe(socket)),
  )
}

/** A proxy that answers every request so, and tells what it was asked. */
async function listenFake(
  t: ExecutionContext,
  answer: (socket: Socket) => void,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (piece) => {
      asked.push(piece.toString('utf8'))
      answer(socket)
    })
    t.teardown(() => void socket.destroy())
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}`, asked }
}

/** Sends words and takes as many back. */
async function talk(socket: Socket, words: string): Promise<string> {
  socket.write(words)
  let heard = Buffer.alloc(0)
  for await (const piece of socket) {
    heard = Buffer.concat([heard, piece as Buffer])
    if (heard.length >= words.length) break
  }
  return heard.toString('utf8')
}

/** No loopback address to the rules, this machine to Linux: a target that a proxy here can reach. */
const here = '0.0.0.0'

// ---- which way

test('B7: without a proxy everything is reached straight, with one what the exceptions name and what is near', async (t) => {
  const port = await listenEcho(t)
  const fake = await listenFake(t, (socket) => void socket.end('HTTP/1.1 503 No\r\n\r\n'))
  const ways = async (settings: Partial<ProxySettings>, target: Place, options: Partial<OutgoingProxyOptions> = {}) => {
    const reached = await makeProxy(settings, options).connectThrough(target, never())
    if (reached.kind === 'connected') reached.socket.destroy()
    return reached.way
  }
  const { url } = fake
  const target = { host: here, port }
  t.is(await ways({}, target), 'straight')
  t.is(await ways({ url }, target), 'proxy')
  t.is(await ways({ url, except: ['0.0.0.0/8'] }, target), 'straight')
  t.is(await ways({ url }, target, { subnets: () => ['0.0.0.0/24'] }), 'straight')
  t.is(await ways({ url }, { host: '127.0.0.1', port }), 'straight')
  const named = { host: 'licenses.example.com', port }
  const lookup = () => Promise.resolve(['10.1.2.3'])
  t.is(await ways({ url }, named), 'proxy')
  t.is(await ways({ url }, named, { lookup }), 'proxy')
  const to = (connect: Connect) => ({ connect, lookup })
  const anywhere = to((place, signal) => connectDirectly({ host: '127.0.0.1', port: place.port }, signal))
  t.is(await ways({ url, except: ['example.com'] }, named, anywhere), 'straight')
  t.is(await ways({ url, except: ['10.0.0.0/8'] }, named, anywhere), 'straight')
  t.is(await ways({ url }, named, { ...anywhere, subnets: () => ['10.1.0.0/16'] }), 'straight')
  t.is(await ways({ url }, { host: 'ws-17.local', port }, anywhere), 'straight')
})

test('B7: a name that is not known in time is left to the proxy', async (t) => {
  const clock = new ManualClock()
  const fake = await listenFake(t, (socket) => void socket.end('HTTP/1.1 503 No\r\n\r\n'))
  const proxy = makeProxy({ url: fake.url }, { lookup: () => new Promise(() => undefined), timers: clock })
  const reached = proxy.connectThrough({ host: 'slow.example.com', port: 443 }, never())
  clock.advance(1_999)
  t.deepEqual(fake.asked, [])
  clock.advance(1)
  t.like(await reached, { kind: 'failed', way: 'proxy', reason: 'target' })
})

test('exceptions are hosts, domains with what is below them, addresses and networks', (t) => {
  const lines = ['example.com', '.corp.example', '*.lab', '10.0.0.0/8', 'fe80::/10', '192.168.1.5', 'ws-*']
  t.deepEqual(checkExceptions(lines), [])
  for (const host of [
    'example.com',
    'a.b.EXAMPLE.com.',
    'corp.example',
    'x.corp.example',
    'x.lab',
    'ws-1',
    'localhost',
  ])
    t.true(isExceptedName(lines, host), host)
  for (const host of ['example.org', 'notexample.com', 'example.com.evil', 'lab.x'])
    t.false(isExceptedName(lines, host), host)
  t.true(isExceptedName(['*'], 'anything.example'))
  for (const address of [
    '10.9.9.9',
    '::ffff:10.9.9.9',
    'fe80::1%eth0',
    '192.168.1.5',
    '127.0.0.9',
    '::1',
    '169.254.7.7',
  ])
    t.true(isExceptedAddress(lines, [], address), address)
  for (const address of ['11.0.0.1', '192.168.1.6', '2001:db8::1', 'garbage'])
    t.false(isExceptedAddress(lines, [], address), address)
  t.true(isExceptedAddress([], ['2001:db8::7/64'], '2001:db8::99'))
  t.true(isExceptedAddress(['*'], [], '8.8.8.8'))
  t.deepEqual(
    checkExceptions(['example.com', '10.0.0.0/99', 'a b', 'http://x']).map((problem) => problem.slice(0, 6)),
    ['line 2', 'line 3', 'line 4'],
  )
  t.true(systemNetwork.subnets().every((subnet) => /^[0-9a-f.:]+\/\d+$/.test(subnet)))
})

// ---- through the proxy

test('B7: the tunnel is asked for with the login of the file’s first line, and what the target says first is kept', async (t) => {
  const passwordFile = path.join(folder, 'password')
  await writeFile(passwordFile, 'sécret:word\r\nand more\n')
  const fake = await listenFake(t, (socket) => {
    socket.write('HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\n')
    setImmediate(() => void socket.end('\r\nhello'))
  })
  const reached = await makeProxy({ url: `${fake.url}/`, user: 'ana', passwordFile }).connectThrough(
    { host: '2001:db8::1', port: 1947 },
    never(),
  )
  if (reached.kind === 'failed') return t.fail(reached.detail)
  t.is((await buffer(reached.socket)).toString(), 'hello')
  const credentials = Buffer.from('ana:sécret:word').toString('base64')
  t.deepEqual(fake.asked, [
    `CONNECT [2001:db8::1]:1947 HTTP/1.1\r\nHost: [2001:db8::1]:1947\r\nProxy-Authorization: Basic ${credentials}\r\n\r\n`,
  ])
})

test('B7: what went wrong is told apart: password file, name, connection, login, port, target, and no proxy at all', async (t) => {
  const target = { host: 'licenses.example.com', port: 8443 }
  const outcome = async (settings: Partial<ProxySettings>, options: Partial<OutgoingProxyOptions> = {}) => {
    const reached = await makeProxy(settings, options).connectThrough(target, never())
    return reached.kind === 'failed' ? [reached.reason, reached.step, reached.detail] : [reached.kind]
  }
  const answering = async (answer: string) => {
    const { url } = await listenFake(t, (socket) => void socket.end(answer))
    return { found: await outcome({ url, user: 'ana' }), at: url.slice(7) }
  }
  for (const [answer, reason, words] of [
    ['HTTP/1.1 407 Login\r\n\r\n', 'login', 'does not take the login of “ana” (407)'],
    [
      'HTTP/1.0 403 Filtered\r\n\r\n',
      'forbidden',
      'does not let this machine through to port 8443 of licenses.example.com (403)',
    ],
    ['HTTP/1.1 500 Unable to connect\r\n\r\n', 'target', 'can not reach licenses.example.com port 8443 (500)'],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', 'target', 'can not reach licenses.example.com port 8443 (502)'],
    ['HTTP/1.1 504\r\n\r\n', 'target', 'can not reach licenses.example.com port 8443 (504)'],
    ['HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n', 'answer', 'does not make tunnels (302)'],
    ['SSH-2.0-OpenSSH\r\n\r\n', 'answer', 'answers with something that is not HTTP'],
    ['x'.repeat(20_000), 'answer', 'answers with something that is not HTTP'],
    ['HTTP/1.1 200 OK\r\n', 'answer', 'closed the connection without an answer'],
  ] as const) {
    const { found, at } = await answering(answer)
    t.deepEqual(found, [reason, 'connect', `the proxy ${at} ${words}`])
  }
  const silent = await listenFake(t, (socket) => void socket.end('HTTP/1.1 407 Login\r\n\r\n'))
  t.is((await outcome({ url: silent.url }))[2], `the proxy ${silent.url.slice(7)} asks for a login (407)`)
  t.deepEqual(await outcome({ url: silent.url, user: 'ana', passwordFile: path.join(folder, 'none') }), [
    'password',
    'connect',
    `the file with the password of the proxy, ${path.join(folder, 'none')}, is not there`,
  ])
  const unknown: Connect = async () => ({ kind: 'failed', step: 'name', detail: 'the name is not known' })
  t.deepEqual(await outcome({ url: 'http://proxy.invalid:3128' }, { connect: unknown }), [
    'name',
    'connect',
    'the proxy proxy.invalid:3128 can not be reached: the name is not known',
  ])
  t.like(await outcome({ url: 'http://:::' }), ['name'])
  t.like(await outcome({}, { connect: unknown }), ['name', 'name'])
})

test('a name that holds more than a name never gets into a request', async (t) => {
  const fake = await listenFake(t, (socket) => void socket.end('HTTP/1.1 503 No\r\n\r\n'))
  for (const host of ['a\r\nX: y', 'a b', '', 'a/b', 'u@a', 'a'.repeat(300)])
    t.like(await makeProxy({ url: fake.url }).connectThrough({ host, port: 1 }, never()), {
      kind: 'failed',
      step: 'name',
    })
  t.deepEqual(fake.asked, [])
})

test('B7: whoever gives up is told at once, and the proxy is left', async (t) => {
  const closed: string[] = []
  const fake = await listenFake(t, (socket) => void socket.on('close', () => closed.push('closed')))
  const giveUp = new AbortController()
  const reached = makeProxy({ url: fake.url }).connectThrough({ host: here, port: 1 }, giveUp.signal)
  await waitFor('the request', () => fake.asked.length === 1)
  giveUp.abort()
  t.like(await reached, { kind: 'failed', reason: 'answer', step: 'connect' })
  await waitFor('the end', () => closed.length === 1)
  t.like(await makeProxy({ url: fake.url }).connectThrough({ host: here, port: 1 }, AbortSignal.abort()), {
    kind: 'failed',
  })
})

test('B7: TLS goes to the target through the tunnel, and to a proxy that has it; one that is not trusted gets no login', async (t) => {
  const pem = await generate([{ name: 'commonName', value: 'proxy.example' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  const identity = { key: pem.private, cert: pem.cert }
  const port = await listen(
    t,
    createTlsServer(identity, (socket) => void socket.on('error', () => undefined).pipe(socket)),
  )
  const heard: string[] = []
  const tunnels = createTlsServer(identity, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (piece) => {
      heard.push(piece.toString())
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const onward = connect({ host: '127.0.0.1', port })
      socket.pipe(onward).pipe(socket)
    })
  })
  tunnels.on('tlsClientError', () => undefined)
  const url = `https://127.0.0.1:${await listen(t, tunnels)}`
  const target = { host: 'licenses.example.com', port }
  const reached = await makeProxy({ url }, { authorities: [pem.cert] }).connectThrough(target, never())
  if (reached.kind === 'failed') return t.fail(reached.detail)
  const secured = connectTls({ socket: reached.socket, rejectUnauthorized: false })
  t.is(await talk(secured, 'through two'), 'through two')
  const distrusted = await makeProxy({ url, user: 'ana' }).connectThrough(target, never())
  t.like(distrusted, { kind: 'failed', reason: 'tls', step: 'connect' })
  t.is(heard.length, 1)
})

test('B7: a test says each step that was taken, and without a target stops behind the login', async (t) => {
  const none = await makeProxy({}).test()
  t.deepEqual(none, { kind: 'no_proxy' })
  const steps = async (answer: string, target?: Place, settings: Partial<ProxySettings> = {}) => {
    const fake = await listenFake(t, (socket) => void socket.end(answer))
    const tested = await makeProxy({ url: fake.url, ...settings }).test(target)
    if ('kind' in tested) return t.fail()
    return [tested.way, tested.good, tested.steps.map(({ step, outcome }) => `${step} ${outcome}`).join(', ')]
  }
  const target = { host: here, port: 9 }
  t.deepEqual(await steps('HTTP/1.1 503 No\r\n\r\n'), ['proxy', true, 'connect good, login good'])
  t.deepEqual(await steps('HTTP/1.1 407 No\r\n\r\n'), ['proxy', false, 'connect good, login failed'])
  t.deepEqual(await steps('HTTP/1.1 403 No\r\n\r\n'), ['proxy', false, 'connect good, login good, target failed'])
  t.deepEqual(await steps('HTTP/1.1 503 No\r\n\r\n', target), [
    'proxy',
    false,
    'connect good, login good, target failed',
  ])
  t.deepEqual(await steps('HTTP/1.1 200 Yes\r\n\r\n', target), ['proxy', true, 'connect good, login good, target good'])
  t.deepEqual(await steps('hello\r\n\r\n\r\n', target), ['proxy', false, 'connect good, login failed'])
  const passwordFile = path.join(folder, 'missing')
  t.deepEqual(await steps('', target, { user: 'ana', passwordFile }), ['proxy', false, 'password failed'])
  const port = await listenEcho(t)
  const straight = await makeProxy({}).test({ host: '127.0.0.1', port })
  t.like(straight, { way: 'straight', good: true })
})

test('a straight connection says whether the name or the connection failed, and is given up on a signal', async (t) => {
  const closed = await freePort()
  t.deepEqual(await connectDirectly({ host: '127.0.0.1', port: closed }, never()), {
    kind: 'failed',
    step: 'connect',
    detail: 'nothing listens there',
  })
  t.like(await connectDirectly({ host: 'leasehold.invalid', port: 1 }, never()), { kind: 'failed', step: 'name' })
  t.like(await connectDirectly({ host: '127.0.0.1', port: closed }, AbortSignal.abort()), { kind: 'failed' })
  const port = await listenEcho(t)
  const giveUp = new AbortController()
  const reached = await connectDirectly({ host: '127.0.0.1', port }, giveUp.signal)
  giveUp.abort()
  if (reached.kind === 'failed') return t.fail(reached.detail)
  t.is(await talk(reached.socket, 'still here'), 'still here')
})

test('an address to be tested is host:port, and nothing that could be more', (t) => {
  t.deepEqual(readPlace('licenses.example.com:443'), { host: 'licenses.example.com', port: 443 })
  t.deepEqual(readPlace('ws-17'), { host: 'ws-17', port: 1947 })
  t.deepEqual(readPlace('[2001:db8::1]:1'), { host: '2001:db8::1', port: 1 })
  t.deepEqual(readPlace('2001:db8::1'), { host: '2001:db8::1', port: 1947 })
  for (const text of ['', 'a:0', 'a:65536', 'a:b', 'http://a', 'a/b', 'u@a', 'a b', 'a\r\nb', '[a:1', ':1'])
    t.is(readPlace(text), undefined, text)
})

// ---- a real proxy

const hasTinyproxy = spawnSync('tinyproxy', ['-v']).status === 0
const testTinyproxy = testNeeding(hasTinyproxy, 'tinyproxy is needed: sudo scripts/install-test-tools.sh')

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** It can not choose a port by itself, so a free one is tried; somebody else may take it first. */
async function startTinyproxy(t: ExecutionContext, lines: readonly string[], attempts = 3): Promise<string> {
  const port = await freePort()
  const file = path.join(folder, `tinyproxy-${port}.conf`)
  await writeFile(file, [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 20', ...lines].join('\n'))
  const program: ChildProcess = spawn('tinyproxy', ['-d', '-c', file], { stdio: 'ignore' })
  let ended = false
  const gone = once(program, 'exit').then(() => {
    ended = true
  })
  t.teardown(async () => {
    program.kill()
    await gone
  })
  const isThere = async (): Promise<boolean> => {
    const reached = await connectDirectly({ host: '127.0.0.1', port }, never())
    if (reached.kind === 'connected') reached.socket.destroy()
    return reached.kind === 'connected'
  }
  await waitFor('tinyproxy', async () => ended || (await isThere()))
  if (!ended) return `http://127.0.0.1:${port}`
  if (attempts === 1) throw new Error('tinyproxy does not start')
  return await startTinyproxy(t, lines, attempts - 1)
}

testTinyproxy('B7: a real proxy with a login lets through what it may, and says why not', async (t) => {
  const port = await listenEcho(t)
  const closed = await freePort()
  const url = await startTinyproxy(t, [
    'Allow 127.0.0.1',
    'BasicAuth ana secret',
    `ConnectPort ${port}`,
    `ConnectPort ${closed}`,
  ])
  const passwordFile = path.join(folder, 'tinyproxy-password')
  await writeFile(passwordFile, 'secret\n')
  const login = { url, user: 'ana', passwordFile }
  const reached = await makeProxy(login).connectThrough({ host: here, port }, never())
  if (reached.kind === 'failed') return t.fail(reached.detail)
  t.is(reached.way, 'proxy')
  const words = 'a seat, please. '.repeat(10_000)
  t.is(await talk(reached.socket, words), words)
  const reason = async (settings: Partial<ProxySettings>, target: Place) => {
    const outcome = await makeProxy({ ...login, ...settings }).connectThrough(target, never())
    return outcome.kind === 'failed' ? outcome.reason : outcome.kind
  }
  t.is(await reason({ user: '' }, { host: here, port }), 'login')
  t.is(await reason({ user: 'bo' }, { host: here, port }), 'login')
  t.is(await reason({}, { host: here, port: 25 }), 'forbidden')
  t.is(await reason({}, { host: here, port: closed }), 'target')
  t.is(await reason({}, { host: 'leasehold.invalid', port }), 'target')
  t.like(await makeProxy(login).test({ host: here, port }), { way: 'proxy', good: true })
  t.like(await makeProxy({ ...login, user: 'bo' }).test(), { way: 'proxy', good: false })
})

testTinyproxy('B7: the test without a target finds the login of a real proxy good', async (t) => {
  const url = await startTinyproxy(t, ['Allow 127.0.0.1', 'BasicAuth ana secret'])
  const passwordFile = path.join(folder, 'other-password')
  await writeFile(passwordFile, 'secret')
  const tested = await makeProxy({ url, user: 'ana', passwordFile }).test()
  t.like(tested, { way: 'proxy', good: true })
})
