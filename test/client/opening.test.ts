/**
 * Asking for a seat with the client library, on a clock that the test moves.
 */
import { userInfo } from 'node:os'
import test from 'ava'
import { type OpenOutcome, openSession, type Session } from 'leasehold/client'
import { gone, lost, minute, type Reaction, refused, ScriptedAgent, second } from './scripted-agent.ts'

/** Begins to open; the outcome comes as time goes on. */
async function opening(agent: ScriptedAgent, options: Partial<Parameters<typeof openSession>[0]> = {}) {
  const found: { outcome?: OpenOutcome } = {}
  void openSession({ product: 'acme/cad', ...options }, agent.surroundings).then((outcome) => {
    found.outcome = outcome
  })
  await agent.clock.run(0)
  return found
}

function sessionIn(outcome: OpenOutcome | undefined): Session {
  if (outcome?.kind !== 'opened') throw new Error(`no session but ${JSON.stringify(outcome)}`)
  return outcome.session
}

test('a seat is asked for with the process, the account and the machine of the application', async (t) => {
  const agent = new ScriptedAgent()
  const session = await agent.session({ feature: 'render', seats: 2, application: 'CAD 5' })
  const [asked] = agent.heardOf('open')
  t.like(asked?.body, { product: 'acme/cad', feature: 'render', seats: 2, application: 'CAD 5' })
  t.like(asked?.body, { process: { id: process.pid }, user: { account: userInfo().username } })
  t.is(typeof asked?.body.host, 'string')
  t.regex(asked?.id ?? '', /^[\x21-\x7e]{16,128}$/)
  t.like(session, {
    id: 'session-1',
    product: 'acme/cad',
    feature: 'render',
    seats: 2,
    state: 'active',
    end: undefined,
  })
  t.deepEqual(session.source, { kind: 'license', manager: { id: 'agent-1', name: 'WS-17' } })
  t.deepEqual(session.proof, { kind: 'none' })

  await agent.session({ process: false, user: { email: 'ana@example.com' } })
  const second = agent.heardOf('open')[1]
  t.is(second?.body.process, undefined)
  t.deepEqual(second?.body.user, { email: 'ana@example.com' })
  t.not(second?.id, asked?.id)
})

test('a refusal is a value with the agent’s words, the explanation and when to try again', async (t) => {
  const agent = new ScriptedAgent()
  const explanation = {
    managers: [{ id: 'agent-1', name: 'WS-17', product: 'acme/cad', seats: 5, used: 5, holders: [] }],
    asked: [],
  }
  agent.open = () => refused('no_seats', { help: 'Wait.', retryIn: 12, explanation })
  const { outcome } = await opening(agent)
  t.deepEqual(outcome, {
    kind: 'refused',
    code: 'no_seats',
    detail: 'no_seats.',
    help: 'Wait.',
    retryIn: 12,
    explanation,
  })
})

test('no agent, no answer and something else on the port are refusals, not errors', async (t) => {
  const agent = new ScriptedAgent()
  agent.open = () => gone
  t.like((await opening(agent)).outcome, { kind: 'refused', code: 'agent_not_running' })
  agent.open = () => ({ kind: 'foreign', detail: 'it does not speak HTTP' })
  t.like((await opening(agent)).outcome, { kind: 'refused', code: 'not_an_agent' })
  agent.open = () => lost
  const vain = await opening(agent)
  await agent.clock.run(minute)
  t.like(vain.outcome, { kind: 'refused', code: 'no_answer' })
})

test('X3: a lost answer and a store that can’t be written repeat the same request with the same id, when the agent says', async (t) => {
  const agent = new ScriptedAgent()
  const replies: Reaction[] = [lost, refused('store_unavailable', { retryIn: 3 }), 'seat']
  agent.open = () => replies.shift() ?? 'hang'
  const found = await opening(agent)
  await agent.clock.run(5 * second)
  t.is(sessionIn(found.outcome).state, 'active')
  const asked = agent.heardOf('open')
  t.deepEqual(
    asked.map(({ at }) => at),
    [0, second, 4 * second],
  )
  t.is(new Set(asked.map(({ id }) => id)).size, 1)
  t.is(new Set(asked.map(({ body }) => JSON.stringify(body))).size, 1)
})

test('a host that is not this machine’s loopback is refused as a mistake of the program', async (t) => {
  for (const address of [
    '192.168.1.5',
    'license.example.com',
    '0.0.0.0',
    '127.0.0.1.example.com',
    '::2',
    'localhost.',
  ]) {
    await t.throwsAsync(openSession({ product: 'acme/cad', address }), { instanceOf: TypeError }, address)
  }
  await t.throwsAsync(openSession({ product: 'acme/cad', port: 0 }), { instanceOf: TypeError })
  await t.throwsAsync(openSession({ product: 'acme/cad', requireProof: true }), { instanceOf: TypeError })
  const vendorKey = { kty: 'OKP', crv: 'Ed25519', x: 'short' } as const
  await t.throwsAsync(openSession({ product: 'acme/cad', vendorKey }), { instanceOf: TypeError })
})

test('R30: a seat that came after waiting in line is kept with a heartbeat before the application gets it', async (t) => {
  const agent = new ScriptedAgent()
  agent.expiresIn = 60
  agent.delay = 100 * second
  const found = await opening(agent, { wait: 300 })
  await agent.clock.run(99 * second)
  agent.delay = 0
  await agent.clock.run(second)
  const session = sessionIn(found.outcome)
  t.is(session.state, 'active')
  t.is(session.secondsLeft, 60)
  t.deepEqual(agent.calls, ['open', 'beat'])
})

test('waiting that is stopped gives back a seat that was granted all the same', async (t) => {
  const agent = new ScriptedAgent()
  agent.open = ({ wait }) => (wait === undefined ? 'seat' : 'hang')
  const stopper = new AbortController()
  const found = await opening(agent, { wait: 300, signal: stopper.signal })
  await agent.clock.run(minute)
  t.is(found.outcome, undefined)
  stopper.abort()
  await agent.clock.run(0)
  t.like(found.outcome, { kind: 'refused', code: 'stopped' })
  t.deepEqual(agent.calls, ['open', 'open', 'close'])
  t.is(new Set(agent.heardOf('open').map(({ id }) => id)).size, 1)
  t.is(agent.clock.waiting, 0)
})

test('R9: the seat is ours from before the request was sent, at opening and at every heartbeat', async (t) => {
  const agent = new ScriptedAgent()
  agent.delay = 4 * second
  const found = await opening(agent)
  await agent.clock.run(4 * second)
  const session = sessionIn(found.outcome)
  t.is(session.secondsLeft, 596)
  t.is(session.validUntil.getTime() - agent.clock.wall(), 596 * second)
  await agent.clock.run(200 * second)
  t.is(session.secondsLeft, 596)
})
