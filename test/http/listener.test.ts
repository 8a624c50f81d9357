import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import test from 'ava'
import { Listener, type Started } from '../../agent/http/listener.ts'
import { explainHolder, type PortHolder } from '../../agent/http/port-holder.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { startAgent } from './agent-fixture.ts'
import { readAnswer, request, sendRaw } from './raw-client.ts'

function createListener(handler: RequestListener = (_, response) => response.end('here'), clock = new ManualClock()) {
  const log = { info: () => undefined, warn: () => undefined }
  return new Listener({ handler, timers: clock, log, newRequestId: () => 'id-1' })
}

async function stop(listener: Listener, clock: ManualClock, grace = 0) {
  const stopped = listener.stop(grace)
  clock.advance(Math.max(grace, 100))
  await stopped
}

function portOf(started: Started): number {
  if (started.kind !== 'listening') throw new Error(started.kind)
  return started.port
}

test('the agent listens on 127.0.0.1 and ::1 with the same port, and on nothing else', async (t) => {
  const clock = new ManualClock()
  const listener = createListener(undefined, clock)
  const started = await listener.start(0)
  const port = portOf(started)
  t.deepEqual(started, { kind: 'listening', port, addresses: ['127.0.0.1', '::1'] })
  for (const address of ['127.0.0.1', '::1'])
    t.is((await request(port, {}, 'localhost', { address }))?.body.includes('here'), true, address)
  // Another address of the machine, also of loopback, has nobody there.
  t.is(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', { address: '127.0.0.2' }), '')
  await stop(listener, clock)
  t.is(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), '')
})

function listen(server: Server | ReturnType<typeof createNetServer>, host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: 0 }, () => resolve((server.address() as AddressInfo).port))
  })
}

async function findHolder(server: Server | ReturnType<typeof createNetServer>, host?: string): Promise<PortHolder> {
  const port = await listen(server, host)
  const started = await createListener().start(port)
  server.close()
  if (started.kind !== 'port-taken') throw new Error(started.kind)
  return started.holder
}

test('a port that an agent has is told as such', async (t) => {
  const agent = await startAgent()
  const started = await createListener().start(agent.port)
  await agent.stop()
  if (started.kind !== 'port-taken') return t.fail(started.kind)
  t.deepEqual(started.holder, { kind: 'leasehold', name: 'WS-17', version: '0.1.0' })
  t.regex(explainHolder(started.holder, 1947).help, /leasehold status/)
  return undefined
})

test('a port that the Sentinel run-time has is told as such, by its header, its address or its page', async (t) => {
  const answers: readonly RequestListener[] = [
    (_, response) => response.writeHead(404, { Server: 'HASP LM/21.00' }).end(),
    (_, response) => response.writeHead(302, { Location: '/_int_/index.html' }).end(),
    (_, response) => response.end('<title>Sentinel Admin Control Center</title>'),
  ]
  for (const answer of answers) t.deepEqual(await findHolder(createHttpServer(answer)), { kind: 'sentinel' })
  const { text, help } = explainHolder({ kind: 'sentinel' }, 1947)
  t.regex(text, /Sentinel License Manager has port 1947/)
  t.regex(help, /hasplmd/)
  t.regex(help, /LEASEHOLD_NETWORK_PORT/)
})

test('a port that some program has is told with what it calls itself', async (t) => {
  const nginx: RequestListener = (_, response) =>
    response.writeHead(404, { Server: 'nginx\u00e9' }).end('x'.repeat(200_000))
  t.deepEqual(await findHolder(createHttpServer(nginx)), { kind: 'http', server: 'nginx' })
  t.regex(explainHolder({ kind: 'http', server: 'nginx' }, 80).text, /calls itself nginx/)
  const rude = createNetServer((socket) => socket.end('SSH-2.0-x\r\n'))
  t.deepEqual(await findHolder(rude), { kind: 'unknown' })
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'
  const upgrading = createNetServer((socket) => socket.once('data', () => socket.end(switching)))
  t.deepEqual(await findHolder(upgrading), { kind: 'unknown' })
  const deceiver: RequestListener = (_, response) => response.end('{"program":"leasehold"}')
  t.deepEqual(await findHolder(createHttpServer(deceiver)), { kind: 'http', server: '' })
})

test('a program that has the port on ::1 only is in the way too, and 127.0.0.1 is given up again', async (t) => {
  const server = createHttpServer((_, response) => response.end())
  const port = await listen(server, '::1')
  t.is((await createListener().start(port)).kind, 'port-taken')
  t.is(await sendRaw(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), '')
  server.close()
})

test('stopping lets a running request end, closes idle connections at once, and the rest after the grace', async (t) => {
  const clock = new ManualClock()
  const running: (() => void)[] = []
  const listener = createListener((incoming, response) => {
    if (incoming.url === '/idle') response.end('idle')
    else running.push(() => response.end('done'))
  }, clock)
  const port = portOf(await listener.start(0))
  const closed: string[] = []
  const open = (path: string) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      text += piece
    })
    socket.on('error', () => undefined)
    socket.on('close', () => closed.push(path))
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return () => text
  }
  const idle = open('/idle')
  await waitFor('the idle one', () => idle().includes('idle'))
  const ending = open('/ending')
  await waitFor('a running request', () => running.length === 1)
  open('/hanging')
  await waitFor('two running requests', () => running.length === 2)
  let stopped = false
  const stopping = listener.stop(5000).then(() => {
    stopped = true
  })
  await waitFor('the end of the idle one', () => closed.includes('/idle'))
  running[0]?.()
  await waitFor('the answer', () => ending().includes('done'))
  clock.advance(100)
  await waitFor('the end of the answered one', () => closed.includes('/ending'))
  t.false(stopped)
  clock.advance(5000)
  await stopping
  await waitFor('the end of the hanging one', () => closed.includes('/hanging'))
  t.is(clock.waiting, 0)
})

test('a broken second request gets an answer, and nothing is written into a stream that runs', async (t) => {
  const clock = new ManualClock()
  const listener = createListener((incoming, response) => {
    if (incoming.url !== '/stream') return void response.end('fine')
    response.writeHead(200)
    return void response.write('begun')
  }, clock)
  const port = portOf(await listener.start(0))
  const first = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const text = await sendRaw(port, first, { until: (so) => so.endsWith('fine') })
  t.is(readAnswer(text)?.status, 200)
  const both = await sendRaw(port, [first, 'BROKEN\r\n\r\n'])
  t.notRegex(both, /^HTTP\/1\.1 400/)
  const stream = await sendRaw(port, ['GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n', 'BROKEN\r\n\r\n'])
  t.notRegex(stream, /400/)
  await stop(listener, clock)
})

test('no more connections are taken than the limit says', async (t) => {
  const agent = await startAgent({ limits: { connections: 3 } })
  const sockets = Array.from({ length: 3 }, () => connect(agent.port, '127.0.0.1'))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
  const live = { path: '/api/v1/live' }
  await waitFor('a refusal', async () => (await request(agent.port, live)) === undefined)
  for (const socket of sockets) socket.destroy()
  await waitFor('room again', async () => (await request(agent.port, live))?.status === 200)
  await agent.stop()
  t.pass()
})

test('static files are served with their type, for good where the address carries a hash, and nothing outside', async (t) => {
  const publicFolder = new URL('../../../test/vectors', import.meta.url).pathname
  const agent = await startAgent({ app: { publicFolder } })
  t.teardown(() => agent.stop())
  const ask = (path: string, method = 'GET', headers: readonly (readonly [string, string])[] = []) =>
    request(agent.port, { method, path, headers })
  const file = await ask('/public/host.json')
  t.is(file?.status, 200)
  t.regex(file?.headers['content-type'] ?? '', /^application\/json/)
  t.is(file?.headers['cache-control'], 'no-cache')
  t.is(file?.headers['x-content-type-options'], 'nosniff')
  t.is((await ask('/public/host.json?v=abc'))?.headers['cache-control'], 'public, max-age=31536000, immutable')
  const since = ['If-Modified-Since', file?.headers['last-modified'] ?? ''] as const
  t.is((await ask('/public/host.json', 'GET', [since]))?.status, 304)
  t.is((await ask('/public/host.json', 'POST'))?.status, 405)
  for (const path of [
    '/public/',
    '/public',
    '/public/nothing.css',
    '/public/..%2f..%2fpackage.json',
    '/public/../package.json',
    '/public/%2e%2e/%2e%2e/package.json',
    '/public/..%5c..%5cpackage.json',
    '/public//etc/passwd',
    '/public/.hidden',
  ])
    t.is((await ask(path))?.status, 404, path)
})

test('a page that fails becomes the error page of the agent, and where that fails too, a plain one', async (t) => {
  const html = [['Accept', 'text/html,*/*;q=0.8']] as const
  const pages = () => {
    throw new Error('secret of the page')
  }
  let broken = false
  const agent = await startAgent({
    app: {
      pages,
      renderProblem: async (ctx, { code, requestId }) => {
        if (broken) throw new Error('no template')
        ctx.type = 'html'
        ctx.body = `<p>${code} ${requestId}</p>`
      },
    },
  })
  const own = await request(agent.port, { path: '/x', headers: html })
  t.is(own?.status, 500)
  t.regex(own?.body ?? '', /internal_error/)
  t.is(own?.headers['x-frame-options'], 'DENY')
  t.is(own?.headers['cache-control'], 'no-store')
  broken = true
  const plain = await request(agent.port, { path: '/x', headers: html })
  t.is(plain?.status, 500)
  t.regex(plain?.body ?? '', /<h1>Something went wrong in the agent<\/h1>/)
  t.notRegex(plain?.body ?? '', /secret/)
  t.deepEqual(
    agent.log.map(({ event }) => event),
    ['request failed', 'request failed', 'error page failed'],
  )
  await agent.stop()
})
