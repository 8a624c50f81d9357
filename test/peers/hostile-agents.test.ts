/** Over real TLS: servers that answer as no honest agent does, and senders that repeat, change and borrow requests. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { PassThrough } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { contentDigest, emptyDigest } from '../../agent/domain/http-signature.ts'
import { signRequest } from '../../agent/domain/peer-signature.ts'
import { ok } from '../../agent/http/reply.ts'
import { defineRoute, type Route } from '../../agent/http/route.ts'
import { readEvents } from '../../agent/peers/peer-stream.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { makeKey, PeerAgent, randomId, statusOf, withAgents } from './peer-agent.ts'

const patience = 20_000

async function listen(t: ExecutionContext, server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** Speaks TLS, and answers a greeting with whatever `answer` writes. */
async function startLiar(t: ExecutionContext, answer: (socket: TLSSocket) => void): Promise<number> {
  const manager = await PeerAgent.start()
  const { certificate, key } = await manager.certificates.get()
  await manager.stop()
  const server = createTlsServer({ cert: certificate, key }, (socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  return await listen(t, server)
}

const json = (body: string, length = body.length) =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`

/** Writes for as long as the other side takes it. @returns how many bytes that were */
function pour(socket: TLSSocket, head: string, piece: string): { readonly bytes: () => number } {
  let bytes = 0
  const write = () => {
    while (!socket.destroyed) {
      bytes += piece.length
      if (!socket.write(piece)) break
    }
  }
  socket.write(head)
  socket.on('drain', write)
  write()
  return { bytes: () => bytes }
}

test('whatever answers a greeting with lies, floods or half sentences is no agent, and costs little', async (t) => {
  const inner = createServer((socket) => socket.destroy())
  let visits = 0
  inner.on('connection', () => visits++)
  const innerPort = await listen(t, inner)
  const asker = await PeerAgent.start()
  t.teardown(() => asker.stop())
  const meet = async (answer: (socket: TLSSocket) => void) => {
    const port = await startLiar(t, answer)
    const met = await asker.client.meet(`127.0.0.1:${port}`, { timeout: 5000 })
    return met.kind === 'met' ? 'met' : `${met.step}: ${met.detail.replace(/^127\.0\.0\.1:\d+: /, '')}`
  }
  const say = (text: string) => meet((socket) => void socket.end(text))
  const noAgent = 'identity: what answers there is no agent.'
  t.is(await say(json('{"agent":"x"}')), noAgent)
  t.is(await say(json('not json')), noAgent)
  t.is(await say(json('{"a":'.repeat(20_000))), noAgent)
  t.is(await say(json('['.repeat(100_000))), noAgent)
  t.is(await say('HTTP/1.1 204 No Content\r\n\r\n'), noAgent)
  t.is(await say(json(`{"agent":"${'x'.repeat(300 * 1024)}"}`)), 'answer: the answer is larger than 256 KB.')
  t.regex(await say(json('{}', 1000)), /^answer: the (answer broke off|connection was closed)\.$/)
  t.regex(await say('SSH-2.0-OpenSSH_9\r\n'), /^answer: /)
  t.regex(await say(''), /^answer: /)
  t.regex(await say(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`), /^answer: /)
  t.regex(await say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), /^answer: /)
  // Nobody is led elsewhere, least of all to an inner service.
  for (const status of [301, 302, 307, 308])
    t.is(
      await say(`HTTP/1.1 ${status} No\r\nLocation: http://127.0.0.1:${innerPort}/\r\nContent-Length: 0\r\n\r\n`),
      noAgent,
    )
  t.is(visits, 0)

  const flooded: (() => number)[] = []
  const flood = (head: string, piece: string) =>
    meet((socket) => {
      flooded.push(pour(socket, head, piece).bytes)
    })
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  const endless = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  t.is(await flood(endless, chunk), 'answer: the answer is larger than 256 KB.')
  t.regex(await flood('HTTP/1.1 200 OK\r\n', 'X-More: of the same\r\n'), /^answer: /)
  for (const bytes of flooded) t.true(bytes() < 32 * 1024 * 1024, `${bytes()}`)
})

test('a server that only keeps one waiting costs the time that was given, and no more', async (t) => {
  const asker = await PeerAgent.start()
  t.teardown(() => asker.stop())
  for (const begin of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', 'HTTP/1.1 100 Continue\r\n\r\n']) {
    let asked = 0
    const port = await startLiar(t, (socket) => {
      asked++
      socket.write(begin)
    })
    const meeting = asker.client.meet(`127.0.0.1:${port}`, { timeout: 5000 })
    await waitFor('the greeting', () => asked === 1, patience)
    asker.clock.advance(5000)
    t.like(await meeting, { kind: 'unreachable', step: 'answer' })
    t.is(asker.clock.waiting, 0)
  }
})

function answering(value: () => unknown): Route {
  return defineRoute({
    method: 'GET',
    path: '/peer/v1/much',
    guard: 'peer',
    operation: 'much',
    summary: 'Says a lot',
    example: { answers: {} },
    answers: {},
    handle: () => ok(value()),
  })
}

test('an agent that proves itself and then says too much is not read to the end, and is asked again as before', async (t) => {
  let said: unknown = 'x'.repeat(2 * 1024 * 1024)
  await withAgents(
    async (asker, manager) => {
      const ask = () => asker.client.call(manager.address, { method: 'GET', path: '/much' }, { timeout: 5000 })
      t.is(statusOf(await asker.ask(manager)), '200')
      const much = await ask()
      t.like(much, { kind: 'unreachable', step: 'answer', unsent: false })
      t.regex(much.kind === 'unreachable' ? much.detail : '', /larger than 1024 KB/)
      said = ['x']
      t.like(await ask(), { kind: 'answered', body: ['x'] })
    },
    { manager: { routes: [answering(() => said)] } },
  )
})

test('a stream of events that is no JSON, or has no end, is over', (t) => {
  const read = (...pieces: readonly string[]) => {
    const response = new PassThrough()
    const heard: unknown[] = []
    let end = ''
    const listener = {
      onEvent: (name: string, data: unknown) => heard.push([name, data]),
      onEnd: (why: string) => (end = why),
    }
    readEvents(response as unknown as IncomingMessage, listener, new ManualClock())
    for (const piece of pieces) response.emit('data', piece)
    return { heard, end, isClosed: response.destroyed }
  }
  t.deepEqual(read('event: a\ndata: {"b":1}\n\n'), { heard: [['a', { b: 1 }]], end: '', isClosed: false })
  t.deepEqual(read('event: a\ndata: {"b"\n\n', 'event: a\ndata: {}\n\n'), {
    heard: [],
    end: 'an event was no JSON',
    isClosed: true,
  })
  const long = 'x'.repeat(200 * 1024)
  t.like(read(`data: ${long}`, long), { heard: [], end: 'an event was too long', isClosed: true })
  t.like(read(`data: ${long}\n`, `data: ${long}\n`), { heard: [], end: 'an event was too long', isClosed: true })
})

// ---- senders

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

function send(port: number, { method, path, headers, body }: Sent): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = { 'content-type': 'application/json', 'content-length': String(body.length) }
    const options = { host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false }
    const sent = secureRequest({ ...options, headers: { ...headers, ...length } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve(`${response.statusCode} ${JSON.parse(text || '{}').code ?? ''}`.trim()))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

test('R13: over TLS a signed request counts once, at its recipient, as it was signed, now, and for its sender only', async (t) => {
  const [manager, other] = [await PeerAgent.start(), await PeerAgent.start()]
  t.teardown(() => Promise.all([manager.stop(), other.stop()]))
  const [sender, stranger] = [makeKey(), makeKey()]
  const path = '/peer/v1/echo/one'
  const body = '{"text":"hello"}'
  interface Signing {
    readonly key?: SigningKey
    /** The one that is said to sign. */
    readonly named?: SigningKey
    readonly start?: string
    /** Seconds by which its time is ahead. */
    readonly ahead?: number
    readonly digest?: string
  }
  const sign = ({ key = sender, named = key, start = manager.startId, ahead = 0, ...rest }: Signing = {}): Sent => {
    const { digest = contentDigest(body) } = rest
    const facts = {
      to: manager.id,
      start,
      key: named.jwk.x,
      name: 'WS-17',
      'from-start': 'start-of-ws-17',
      'from-count': 1,
      seen: 7,
    }
    const created = Math.floor(manager.clock.wall() / 1000) + ahead
    const signed = signRequest({ method: 'PUT', target: path, digest, facts, created, nonce: randomId() }, key)
    return { method: 'PUT', path, headers: { host: '127.0.0.1', ...signed }, body }
  }
  const first = sign()
  t.is(await send(manager.port, first), '200')
  const fresh = sign()
  const borrowed = { ...sign({ key: stranger, named: sender }) }
  for (const [what, port, sent, answer] of [
    ['the same once more', manager.port, first, '401 replayed'],
    ['sent to another agent', other.port, fresh, '421 wrong_agent'],
    ['another path', manager.port, { ...fresh, path: '/peer/v1/echo/two' }, '401 peer_signature_wrong'],
    ['another query', manager.port, { ...fresh, path: `${path}?loud=yes` }, '401 peer_signature_wrong'],
    ['another method', manager.port, { ...fresh, method: 'DELETE' }, '401 peer_signature_wrong'],
    ['another body', manager.port, { ...fresh, body: '{"text":"other"}' }, '401 peer_signature_wrong'],
    ['a body that was not signed', manager.port, sign({ digest: emptyDigest }), '401 peer_signature_wrong'],
    ['of too long ago', manager.port, sign({ ahead: -61 }), '401 stale'],
    ['of the future', manager.port, sign({ ahead: 62 }), '401 stale'],
    ['for an earlier start', manager.port, sign({ start: 'start-before-that' }), '401 stale'],
    ['in the name of another key', manager.port, borrowed, '401 peer_signature_wrong'],
    ['without its signature', manager.port, { ...fresh, headers: { host: '127.0.0.1' } }, '401 peer_signature_wrong'],
    [
      'by a browser',
      manager.port,
      { ...fresh, headers: { ...fresh.headers, origin: 'https://evil.example' } },
      '403 cross_origin',
    ],
    [
      'for a rebound name',
      manager.port,
      { ...fresh, headers: { ...fresh.headers, host: 'evil.example' } },
      '421 host_not_allowed',
    ],
  ] as const)
    t.is(await send(port, sent), answer, what)
  t.is(manager.calls.length, 1)
  t.is(await send(manager.port, fresh), '200', 'what was tried with it has not used it up')
  t.is(manager.book.get(stranger.id), undefined)
  t.is(other.book.get(sender.id), undefined)
})
