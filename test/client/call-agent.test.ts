import { createServer, type Socket } from 'node:net'
import test from 'ava'
import { connectAgent } from '../../agent/client/call-agent.ts'
import { FakeAgent, refusal } from '../cli/fake-agent.ts'

const call = { method: 'GET', path: '/api/v1/status' } as const

test('every way to get no answer is told apart, and none waits longer than it may', async (t) => {
  const agent = await FakeAgent.start()
  const ask = connectAgent({ port: agent.port, tokens: [] })
  agent.on('GET /api/v1/status', 'hang')
  t.is((await ask({ ...call, patience: 50.25 })).kind, 'no-answer')
  const stopper = new AbortController()
  const stopped = ask({ ...call, signal: stopper.signal })
  stopper.abort()
  t.is((await stopped).kind, 'stopped')
  t.is((await ask({ ...call, signal: stopper.signal })).kind, 'stopped')
  agent.on('GET /api/v1/status', 'drop')
  t.is((await ask(call)).kind, 'no-answer')
  agent.on('GET /api/v1/status', { status: 500, html: '<p>no</p>' })
  t.is((await ask(call)).kind, 'foreign')
  await agent.stop()
  // The port that was just left may be another test's by now; nobody listens on this one.
  t.is((await connectAgent({ port: 1, tokens: [] })(call)).kind, 'no-agent')
})

test('a server that does not speak HTTP is no agent', async (t) => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.end('220 mail.example.com ESMTP\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  t.is((await connectAgent({ port, tokens: [] })(call)).kind, 'foreign')
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

test('a server that wants to speak something else than HTTP keeps nobody waiting', async (t) => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'
  const server = createServer((socket) => socket.once('data', () => socket.end(switching)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  t.is((await connectAgent({ port, tokens: [] })(call)).kind, 'no-answer')
  await new Promise((resolve) => server.close(resolve))
})

test('a token that is not known is not sent again, and calls at the same time skip none', async (t) => {
  const agent = await FakeAgent.start()
  agent.on('GET /api/v1/status', ({ headers }) =>
    headers.authorization === 'Bearer second'
      ? { status: 200, html: 'not read' }
      : refusal('sign_in_needed', 'It is not known.'),
  )
  const ask = connectAgent({ port: agent.port, tokens: ['first', 'second', 'third'] })
  const replies = await Promise.all([ask(call), ask(call), ask(call)])
  t.true(replies.every(({ kind }) => kind === 'foreign'))
  await ask(call)
  const sent = agent.asked.map(({ headers }) => headers.authorization)
  t.false(sent.includes('Bearer third'))
  t.is(sent.filter((token) => token === 'Bearer first').length, 3)
  await agent.stop()
})

test('a refusal of which parts are not understood is still that refusal', async (t) => {
  const agent = await FakeAgent.start()
  const odd = { retryIn: 'soon', explanation: { managers: 'many' }, fields: 7, help: null, newThing: true }
  const { value } = refusal('no_seats', 'None is free.') as { value: object }
  agent.on('GET /api/v1/status', { status: 409, value: { ...value, ...odd } })
  const reply = await connectAgent({ port: agent.port, tokens: [] })(call)
  t.is(reply.kind, 'refused')
  if (reply.kind === 'refused') {
    t.is(reply.problem.code, 'no_seats')
    t.is(reply.problem.retryIn, undefined)
    t.is(reply.problem.explanation, undefined)
  }
  await agent.stop()
})
