/** Connections between agents: which are used again, how long they are kept, and what becomes of those that are dead. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request as sendRequest } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import test from 'ava'
import { Pool } from '../../agent/peers/peer-pool.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { PeerAgent, type PeerAgentOptions, restart, statusOf, withAgents } from './peer-agent.ts'

const patience = 20_000

/** A line to an agent whose connections a test can end, or let go dead without either side noticing. */
class Line {
  readonly #server: Server
  readonly #pairs: (readonly [Socket, Socket])[] = []
  #port = 0
  count = 0

  private constructor(port: number) {
    this.#server = createServer((near) => {
      this.count++
      const far = connect({ port, host: '127.0.0.1' })
      near.pipe(far).pipe(near)
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const)
        one.on('error', () => undefined).once('close', () => other.destroy())
      this.#pairs.push([near, far])
    })
  }

  static async to(port: number): Promise<Line> {
    const line = new Line(port)
    await once(line.#server.listen(0, '127.0.0.1'), 'listening')
    line.#port = (line.#server.address() as AddressInfo).port
    return line
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  end(): void {
    for (const [near] of this.#pairs.splice(0)) near.destroy()
  }

  /** Nothing passes on what is open now. */
  goDead(): void {
    for (const sockets of this.#pairs)
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
  }

  close(): void {
    this.end()
    this.#server.close()
  }
}

async function withLine(
  run: (asker: PeerAgent, manager: PeerAgent, line: Line) => Promise<void>,
  options: PeerAgentOptions = {},
): Promise<void> {
  const asker = await PeerAgent.start({ name: 'WS-17' })
  const manager = await PeerAgent.start({ name: 'LICENSE-1', ...options })
  const line = await Line.to(manager.port)
  try {
    await run(asker, manager, line)
  } finally {
    line.close()
    await asker.stop()
    await manager.stop()
  }
}

function renew(asker: PeerAgent, manager: PeerAgent, line: Line) {
  const to = { id: manager.id, addresses: [line.address] }
  return asker.client.call(to, { method: 'PUT', path: '/echo/one', body: { text: 'hello' } }, { timeout: 5000 })
}

function look(asker: PeerAgent, manager: PeerAgent, line: Line) {
  return asker.client.meetAgain(line.address, { timeout: 2000 }, manager.id)
}

test('an hour of renewals and of looks at the manager needs two TLS connections', async (t) => {
  await withLine(async (asker, manager, line) => {
    for (let at = 0; at < 18; at++) {
      t.like(await renew(asker, manager, line), { status: 200 })
      const met = await look(asker, manager, line)
      t.like(met, { kind: 'met', address: line.address, hello: { agent: manager.id, name: 'LICENSE-1' } })
      t.deepEqual(
        met.steps.map(({ step }) => step),
        ['identity', 'version'],
      )
      for (const { clock } of [asker, manager]) clock.advance(200_000)
    }
    // one to get to know each other, and one for all the rest
    t.is(line.count, 2)
    t.is(manager.listener.handshakes, 2)
  })
})

test('a connection on which an agent has proved itself is kept while others are closed, and for two renewals', async (t) => {
  await withLine(
    async (asker, manager, line) => {
      t.like(await renew(asker, manager, line), { status: 200 })
      const stranger = await greet(manager.port)
      t.regex(stranger.answer, /^keep-alive: timeout=0\r$/im)
      await waitFor('the end of the other connection', () => stranger.socket.closed, patience)
      t.like(await renew(asker, manager, line), { status: 200 })
      t.is(line.count, 2)
      // what is not signed keeps nothing
      const unsigned = await greet(manager.port, '/peer/v1/peers')
      t.regex(unsigned.answer, /^HTTP\/1\.1 401 /)
      await waitFor('the end of the unsigned one', () => unsigned.socket.closed, patience)
    },
    { limits: { keepAlive: 50, check: 10 } },
  )
})

/** Asks as anybody can, and leaves the connection open. */
async function greet(port: number, path = '/peer/v1/hello'): Promise<{ socket: TLSSocket; answer: string }> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.on('error', () => undefined)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  const [piece] = (await once(socket, 'data')) as [Buffer]
  socket.resume()
  return { socket, answer: piece.toString() }
}

test('a connection that was ended while it was idle costs no call, whether that was noticed or not', async (t) => {
  await withLine(async (asker, manager, line) => {
    t.like(await renew(asker, manager, line), { status: 200 })
    for (let at = 0; at < 5; at++) {
      line.end()
      // at odd turns the end has arrived before the next request goes out
      if (at % 2 === 1) await waitFor('the end', () => new Promise((resolve) => setImmediate(() => resolve(true))))
      t.like(await renew(asker, manager, line), { status: 200 })
    }
    line.end()
    t.is((await look(asker, manager, line)).kind, 'met')
    t.is(manager.calls.length, 6)
  })
})

test('a look finds an agent whose connections have gone dead over a new one, and calls do not wait for the dead ones', async (t) => {
  await withLine(async (asker, manager, line) => {
    t.like(await renew(asker, manager, line), { status: 200 })
    line.goDead()
    const before = line.count
    const looking = look(asker, manager, line)
    await waitFor('the greeting over the dead connection', () => asker.clock.waiting >= 2, patience)
    t.is(line.count, before)
    asker.clock.advance(500)
    t.is((await looking).kind, 'met')
    t.is(line.count, before + 1)
    t.like(await renew(asker, manager, line), { status: 200 })
    // met anew, and a connection for the requests from now on
    t.is(line.count, before + 3)
    t.is((await look(asker, manager, line)).kind, 'met')
    t.is(line.count, before + 3)
  })
})

test('an agent that is not there any more is missed by a look, whatever was open to it', async (t) => {
  await withLine(async (asker, manager, line) => {
    t.like(await renew(asker, manager, line), { status: 200 })
    line.close()
    t.like(await look(asker, manager, line), { kind: 'unreachable', step: 'connect' })
  })
})

test('of the connections that a burst left, all but one are closed soon', async (t) => {
  let open = 0
  let most = 0
  const waiting: (() => void)[] = []
  const server = createHttpServer((_incoming, response) => {
    waiting.push(() => response.end('{}'))
    if (waiting.length === 5) for (const answer of waiting.splice(0)) answer()
  })
  server.on('connection', (socket) => {
    open++
    most = Math.max(most, open)
    socket.once('close', () => open--)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const dial = async () => {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return socket as TLSSocket
  }
  const pool = new Pool(8, dial, 50)
  const ask = () =>
    new Promise<boolean>((resolve, reject) => {
      const asked = sendRequest({ agent: pool, path: '/' }, (response) => {
        response.resume().once('end', () => resolve(asked.reusedSocket))
      })
      asked.once('error', reject).end()
    })
  const burst = await Promise.all(Array.from({ length: 5 }, ask))
  t.deepEqual(new Set(burst), new Set([false]))
  t.is(most, 5)
  await waitFor('the end of four connections', () => open === 1, patience)
  const again = ask()
  await waitFor('the request', () => waiting.length === 1, patience)
  waiting.pop()?.()
  t.true(await again)
  t.is(open, 1)
  pool.dropIdle()
  await waitFor('the end of the last connection', () => open === 0, patience)
  server.close()
})

test('an agent with the certificate of another one, but not its key, is found out', async (t) => {
  const manager = await PeerAgent.start()
  const asker = await PeerAgent.start()
  t.is(statusOf(await asker.ask(manager)), '200')
  const { certificate, key } = await manager.certificates.get()
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-stolen-'))
  const stolen = { certificate: path.join(folder, 'crt'), key: path.join(folder, 'key') }
  writeFileSync(stolen.certificate, certificate)
  writeFileSync(stolen.key, key)
  const { port, address, key: own } = manager
  await manager.stop()
  const hello: PeerAgentOptions['hello'] = (said) => ({ ...said, agent: own.id, key: own.jwk })
  const thief = await PeerAgent.start({ port, certificate: stolen, hello })
  const answer = await asker.client.call(address, { method: 'GET', path: '/peers' }, { timeout: 5000 })
  t.regex(statusOf(answer), /^identity/)
  await thief.stop()
  await asker.stop()
  rmSync(folder, { recursive: true })
})

test('a certificate that was renewed while connections are open is asked for anew', async (t) => {
  const asker = await PeerAgent.start()
  const first = await PeerAgent.start()
  t.is(statusOf(await asker.ask(first)), '200')
  // the folder of the second start has no certificate, so another one is made
  const second = await restart(first)
  t.is(statusOf(await asker.ask(second)), '200')
  await asker.stop()
  await second.stop()
})

test('a manager whose certificate has other names now is the same to those that know it, and loses no call', async (t) => {
  await withAgents(async (asker, manager) => {
    t.is(statusOf(await asker.ask(manager)), '200')
    const before = await manager.certificates.get()
    const [address = ''] = manager.address.addresses
    manager.names.push('license.example')
    const after = await manager.certificates.refresh()
    t.not(after.hash, before.hash)
    // over the connection from before
    t.is(statusOf(await asker.ask(manager)), '200')
    const look = () => asker.client.meetAgain(address, { timeout: 5000 }, manager.id)
    t.like(await look(), { kind: 'met', certificate: after.hash })
    const { handshakes } = manager.listener
    t.is(statusOf(await asker.ask(manager)), '200')
    t.like(await look(), { kind: 'met', certificate: after.hash })
    // met anew, and one connection for all the rest
    t.is(manager.listener.handshakes, handshakes + 2)
    t.like(asker.book.get(manager.id), { key: { id: manager.id }, name: 'LICENSE-1' })
    t.deepEqual(
      asker.writes.journal.filter(({ type }) => type === 'peer.key_changed'),
      [],
    )
  })
})
