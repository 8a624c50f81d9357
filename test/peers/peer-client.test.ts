import { request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import test from 'ava'
import { sealDocument } from '../../agent/domain/documents/document.ts'
import { connectDirectly } from '../../agent/peers/peer-connection.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { makeKey, PeerAgent, type PeerAgentOptions, restart, statusOf, withAgents } from './peer-agent.ts'

test('a signed request of one agent is answered by another over TLS, and both remember each other', async (t) => {
  await withAgents(async (asker, manager) => {
    const answer = await asker.ask(manager)
    if (answer.kind !== 'answered') return t.fail(JSON.stringify(answer))
    t.is(answer.status, 200)
    const peer = { id: asker.id, name: 'WS-17', address: '127.0.0.1', approval: 'known' }
    t.deepEqual(answer.body, { id: 'one', text: 'hello', peer })
    t.is(manager.book.get(asker.id)?.name, 'WS-17')
    t.like(asker.book.get(manager.id), { name: 'LICENSE-1', addresses: [`127.0.0.1:${manager.port}`] })
    t.is(asker.book.get(manager.id)?.seen?.revision, 7)
    return undefined
  })
})

test('every method, query, empty body and refusal crosses the wire, each answer signed', async (t) => {
  await withAgents(async (asker, manager) => {
    const loud = await asker.ask(manager, { path: '/echo/two?loud=yes' })
    t.like(loud.kind === 'answered' && loud.body, { id: 'two', loud: 'yes' })
    const gone = await asker.ask(manager, { method: 'DELETE', body: undefined })
    t.like(gone, { kind: 'answered', status: 204, body: undefined })
    const invalid = await asker.ask(manager, { body: { text: 1 } })
    t.like(invalid.kind === 'answered' && invalid.body, { code: 'invalid_request', status: 422 })
    const known = await asker.ask(manager, { method: 'GET', path: '/peers', body: undefined })
    t.deepEqual(known.kind === 'answered' && known.body, { peers: [] })
    const large = await asker.ask(manager, { body: { text: 'x'.repeat(9_000) } })
    t.is(large.kind === 'answered' && large.status, 200)
    // refused before the body was read: nobody has verified anything
    t.is(statusOf(await asker.ask(manager, { body: { text: 'x'.repeat(100_000) } })), 'answer')
    t.is(statusOf(await asker.ask(manager, { path: '/nothing' })), 'answer')
  })
})

test('many requests, one after another and at once, need few connections', async (t) => {
  await withAgents(async (asker, manager) => {
    for (let at = 0; at < 20; at++) t.is(statusOf(await asker.ask(manager)), '200')
    // one to get to know each other, and one for all the rest
    t.is(manager.listener.handshakes, 2)
    const all = await Promise.all(Array.from({ length: 100 }, () => asker.ask(manager)))
    t.true(all.every((one) => statusOf(one) === '200'))
    t.true(manager.listener.handshakes <= 33, String(manager.listener.handshakes))
  })
})

test('R13: a wrong wall clock on either side costs nobody an answer', async (t) => {
  const asker = { clock: new ManualClock(Date.UTC(2019, 0, 1)) }
  const manager = { clock: new ManualClock(Date.UTC(2031, 6, 1)) }
  await withAgents(
    async (one, other) => {
      t.is(statusOf(await one.ask(other)), '200')
      asker.clock.setWall(Date.UTC(2040, 0, 1))
      manager.clock.setWall(Date.UTC(2000, 0, 1))
      t.is(statusOf(await one.ask(other)), '200')
    },
    { asker, manager },
  )
})

test('R13: a recipient whose clock ran on, or that has restarted, is asked once more and answers', async (t) => {
  await withAgents(async (asker, manager) => {
    t.is(statusOf(await asker.ask(manager)), '200')
    // the asker slept for as long
    manager.clock.advance(300_000)
    t.is(statusOf(await asker.ask(manager)), '200')
    t.is(manager.calls.length, 2)
    const again = await restart(manager)
    again.startCounter = 2
    t.is(statusOf(await asker.ask(again)), '200')
    t.is(again.calls.length, 1)
    t.is(asker.book.get(manager.id)?.seen?.start, again.startId)
    await again.stop()
  })
})

test('R24: a manager that comes back as a copy of an earlier state is shown what it signed', async (t) => {
  const asker = await PeerAgent.start()
  const manager = await PeerAgent.start()
  manager.startCounter = 5
  manager.revision = 900
  t.is(statusOf(await asker.ask(manager)), '200')
  const copy = await restart(manager)
  copy.startCounter = 4
  copy.revision = 850
  t.is(statusOf(await asker.ask(copy)), '200')
  t.is(asker.writes.journal.filter(({ type }) => type === 'peer.rolled_back').length, 1)
  // it answers that one request before it has seen what the answer made clear
  t.is(statusOf(await asker.ask(copy)), '200')
  t.true(copy.book.self.is())
  t.like(copy.writes.journal.find(({ type }) => type === 'agent.rolled_back')?.facts, { count: 5, revision: 900 })
  await asker.stop()
  await copy.stop()
})

test('only the agent whose key is expected is spoken to', async (t) => {
  await withAgents(async (asker, manager) => {
    const thief = await restart(await PeerAgent.start({ name: 'THIEF' }))
    const address = { id: manager.id, addresses: [`127.0.0.1:${thief.port}`] }
    const wrong = await asker.client.call(address, { method: 'GET', path: '/peers' }, { timeout: 5000 })
    t.is(statusOf(wrong), 'identity, unsent')
    t.regex(wrong.kind === 'unreachable' ? wrong.detail : '', /another agent answers there: THIEF/)
    t.is(asker.book.get(thief.id), undefined)
    // where one of the addresses is right, that one is found
    const both = { id: manager.id, addresses: [...address.addresses, ...manager.address.addresses] }
    const right = await asker.client.call(both, { method: 'GET', path: '/peers' }, { timeout: 5000 })
    t.is(statusOf(right), '200')
    await thief.stop()
  })
})

test('an agent that takes over the address of another one gets no request, not even one', async (t) => {
  const asker = await PeerAgent.start()
  const manager = await PeerAgent.start()
  t.is(statusOf(await asker.ask(manager)), '200')
  const { port, address } = manager
  await manager.stop()
  const thief = await PeerAgent.start({ port })
  const answer = await asker.client.call(address, { method: 'GET', path: '/wait' }, { timeout: 5000 })
  t.regex(statusOf(answer), /^identity/)
  t.deepEqual(thief.calls, [])
  await thief.stop()
  await asker.stop()
})

test('whoever answers hello must prove itself: key, signature, statement, certificate, time', async (t) => {
  const other = makeKey()
  const stand = async (hello: NonNullable<PeerAgentOptions['hello']>, key = makeKey()) => {
    const manager = await PeerAgent.start({ hello, key })
    const asker = await PeerAgent.start()
    const met = await asker.client.meet(`127.0.0.1:${manager.port}`, { timeout: 5000 })
    await manager.stop()
    await asker.stop()
    return met.kind === 'met' ? 'met' : `${met.step}: ${met.detail.replace(/^127\.0\.0\.1:\d+: /, '')}`
  }
  const key = makeKey()
  const seal = (changes: object) => {
    const facts = { id: 'statement-1', iat: 0, agent: key.id, key: key.jwk, certificate: 'A'.repeat(43), exp: 9e9 }
    return sealDocument('leasehold-statement', { ...facts, ...changes }, key)
  }
  t.is(await stand((hello) => hello), 'met')
  t.is(await stand((hello) => ({ ...hello, agent: other.id })), 'identity: its key is not that of its id.')
  t.is(
    await stand((hello) => ({ ...hello, agent: other.id, key: other.jwk })),
    'identity: the answer is not signed with its key.',
  )
  t.is(
    await stand((hello) => ({ ...hello, statement: `${hello.statement}x` })),
    'identity: its statement about the certificate is not signed by it.',
  )
  t.is(
    await stand((hello) => ({ ...hello, statement: seal({}) }), key),
    'identity: the certificate of the connection is not the one that its key names.',
  )
  t.is(
    await stand((hello) => {
      const { certificate } = JSON.parse(Buffer.from(hello.statement.split('.')[1] ?? '', 'base64url').toString())
      return { ...hello, statement: seal({ certificate, exp: 1000 }) }
    }, key),
    'identity: its statement about the certificate is out of date.',
  )
  t.is(await stand((hello) => ({ ...hello, versions: [] }) as never), 'identity: what answers there is no agent.')
  t.regex(
    await stand((hello) => ({ ...hello, versions: [3, 2] })),
    /^version: WS-.* speaks version 3, 2 .* and this agent 1; update this agent\.$/,
  )
})

test('each step of meeting somebody is told, with what went wrong where', async (t) => {
  const asker = await PeerAgent.start()
  const manager = await PeerAgent.start({ name: 'LICENSE-1', clock: new ManualClock(Date.UTC(2027, 0, 4, 9)) })
  const met = await asker.client.meet(`127.0.0.1:${manager.port}`, { timeout: 5000 })
  if (met.kind !== 'met') return t.fail(met.detail)
  t.deepEqual(
    met.steps.map(({ step, outcome }) => [step, outcome]),
    [
      ['connect', 'done'],
      ['tls', 'done'],
      ['identity', 'done'],
      ['version', 'done'],
    ],
  )
  t.like(met.hello, { agent: manager.id, name: 'LICENSE-1', startId: manager.startId })
  t.is(met.clockDifference, 60 * 60_000)
  t.is(asker.book.get(manager.id), undefined)
  t.is((await asker.client.meet(`127.0.0.1:${asker.port}`, { timeout: 5000 })).kind, 'unreachable')

  const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  const plain = createServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9\r\n')).listen(
    0,
    '127.0.0.1',
  )
  await waitFor('both', () => silent.address() !== null && plain.address() !== null)
  const portOf = (server: typeof silent) => (server.address() as AddressInfo).port
  const failed = async (address: string, passing = false) => {
    const meeting = asker.client.meet(address, { timeout: 2000 })
    if (passing) {
      await waitFor(
        'the connection',
        () => new Promise((resolve) => silent.getConnections((_, count) => resolve(count > 0))),
      )
      asker.clock.advance(2000)
    }
    const outcome = await meeting
    return outcome.kind === 'met' ? 'met' : `${outcome.step}: ${outcome.detail}`
  }
  t.is(await failed('no host at all'), 'name: no host at all is no address.')
  t.is(await failed('127.0.0.1:99999'), 'name: 127.0.0.1:99999 is no address.')
  t.regex(await failed('nothing.invalid:1947'), /^name: nothing\.invalid:1947: the name/)
  t.regex(await failed(`127.0.0.1:${portOf(plain)}`), /^tls: /)
  t.is(
    await failed(`127.0.0.1:${portOf(silent)}`, true),
    `tls: 127.0.0.1:${portOf(silent)}: the handshake did not end in time.`,
  )
  const port = portOf(plain)
  plain.close()
  await waitFor('the closed port', async () => (await failed(`127.0.0.1:${port}`)).includes('nothing listens there'))
  silent.close()
  await asker.stop()
  await manager.stop()
  return undefined
})

test('a call says how far it came, and whether the other side can have seen it', async (t) => {
  await withAgents(async (asker, manager) => {
    const nowhere = { id: manager.id, addresses: [] }
    t.is(
      statusOf(await asker.client.call(nowhere, { method: 'GET', path: '/peers' }, { timeout: 5000 })),
      'name, unsent',
    )
    const waiting = asker.ask(manager, { method: 'GET', path: '/wait', body: undefined })
    await waitFor('the request', () => manager.calls.length === 1)
    asker.clock.advance(5000)
    t.is(statusOf(await waiting), 'answer')
    const signal = AbortSignal.abort()
    const given = await asker.client.call(manager.address, { method: 'GET', path: '/wait' }, { timeout: 5000, signal })
    t.is(statusOf(given), 'connect, unsent')
    t.is(manager.calls.length, 1)
    const hanging = asker.ask(manager, { method: 'GET', path: '/wait', body: undefined })
    await waitFor('the second request', () => manager.calls.length === 2)
    asker.client.forget(manager.id)
    t.is(statusOf(await hanging), 'answer')
  })
})

test('an agent that is known by name with another key is not spoken to', async (t) => {
  const writes = new ManualWrites()
  const asker = await PeerAgent.start({ writes })
  const first = await PeerAgent.start({ name: 'LICENSE-1' })
  t.is(statusOf(await asker.ask(first)), '200')
  const second = await PeerAgent.start({ name: 'LICENSE-1' })
  const answer = await asker.ask(second)
  t.is(statusOf(answer), 'identity, unsent')
  t.true(writes.journal.some(({ type }) => type === 'peer.key_changed'))
  t.is(second.calls.length, 0)
  for (const agent of [asker, first, second]) await agent.stop()
})

test('the way to other agents can lead through a proxy', async (t) => {
  const asked: string[] = []
  const asker = await PeerAgent.start({
    connect: (place, signal) => {
      asked.push(place.host)
      return connectDirectly({ ...place, host: '127.0.0.1' }, signal)
    },
  })
  const manager = await PeerAgent.start()
  const address = { id: manager.id, addresses: [`license.example:${manager.port}`] }
  t.is(statusOf(await asker.client.call(address, { method: 'GET', path: '/peers' }, { timeout: 5000 })), '200')
  t.deepEqual(new Set(asked), new Set(['license.example']))
  await asker.stop()
  await manager.stop()
})

test('a stream of events is opened by a signed request and read until it ends', async (t) => {
  await withAgents(async (asker, manager) => {
    const heard: unknown[] = []
    const ends: string[] = []
    const open = () =>
      asker.client.stream(
        manager.address,
        { path: '/events' },
        { onEvent: (name, data) => heard.push([name, data]), onEnd: (detail) => ends.push(detail) },
        { timeout: 5000 },
      )
    const stream = await open()
    if (stream.kind !== 'open') return t.fail(JSON.stringify(stream))
    await waitFor('two events', () => heard.length === 2)
    t.deepEqual(heard, [
      ['ended', { lease: 'one' }],
      ['policy', {}],
    ])
    manager.endStreams()
    await waitFor('the end', () => ends.length === 1)
    t.is((await open()).kind, 'open')
    asker.clock.advance(60_000)
    await waitFor('the end by silence', () => ends.length === 2)
    t.is(ends[1], 'nothing came for too long')
    const last = await open()
    if (last.kind === 'open') last.close()
    t.deepEqual(ends.slice(2), ['closed here'])
    const refused = await asker.client.stream(
      manager.address,
      { path: '/peers' },
      { onEvent: () => undefined, onEnd: () => undefined },
      { timeout: 5000 },
    )
    t.like(refused, { kind: 'answered', status: 200 })
    return undefined
  })
})

interface Sent {
  readonly status: number
  readonly code: unknown
}

function send(port: number, path: string, headers: Record<string, string>, method = 'GET'): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, rejectUnauthorized: false, agent: false, headers }
    const sent = secureRequest(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, code: JSON.parse(text || '{}').code }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('what agents ask each other is not for browsers, not for other hosts, and not for plain HTTP', async (t) => {
  const manager = await PeerAgent.start()
  const { port } = manager
  for (const headers of [
    { origin: 'https://evil.example' },
    { referer: 'https://evil.example/' },
    { cookie: 'a=b' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-dest': 'document' },
  ] as Record<string, string>[])
    for (const path of ['/peer/v1/hello', '/peer/v1/peers'])
      t.deepEqual(await send(port, path, headers), { status: 403, code: 'cross_origin' }, JSON.stringify(headers))
  t.deepEqual(await send(port, '/peer/v1/hello', { host: 'evil.example' }), { status: 421, code: 'host_not_allowed' })
  t.deepEqual(await send(port, '/peer/v1/peers', {}), { status: 401, code: 'peer_signature_wrong' })
  t.deepEqual(await send(port, '/peer/v1/hello', {}), { status: 200, code: undefined })
  // pages and calls for people are not there while remote administration is off
  for (const path of ['/', '/api/v1/live', '/api/v1/sessions', '/sign-in', '/public/x'])
    t.like(await send(port, path, { accept: 'application/json' }), { status: 503, code: 'remote_access_off' }, path)
  const plain = await fetch(`http://127.0.0.1:${port}/peer/v1/hello`)
  t.like(await plain.json(), { code: 'tls_needed' })
  await manager.stop()
})
