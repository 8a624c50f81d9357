/**
 * R26, R27: a session whose application has the vendor's key: what proves a seat, what does not, and what becomes of it.
 */
import test from 'ava'
import { type OpenSessionOptions, openSession } from 'leasehold/client'
import {
  manager,
  now,
  binding as otherBinding,
  sealActivation,
  sealAssertion,
  sealLicense,
  stranger,
  vendor,
} from '../domain/documents/samples.ts'
import { type Heard, minute, ScriptedAgent, second } from './scripted-agent.ts'

type Changes = Readonly<Record<string, unknown>>

const ana = { email: 'Ana@Example.com' }

/** An agent that proves what it gives; what is changed in the assertion it signs all the same. */
class ProvingAgent extends ScriptedAgent {
  changes: Changes = {}
  rule: 'session' | 'process' | 'host' | 'user' = 'user'
  binding: string | undefined
  readonly nonces: unknown[] = []

  constructor() {
    super(now * 1000)
    this.more = (body) => this.prove(body)
  }

  prove(body: Heard['body']): { proof: string[] } {
    const { nonce } = body
    this.binding ??= String(nonce)
    this.nonces.push(nonce)
    const license = sealLicense({ count: this.rule })
    const activation = sealActivation(license)
    const { binding } = this
    const iat = Math.floor(this.clock.wall() / 1000)
    const facts = { iat, nonce, binding, ...(this.rule === 'user' ? {} : { key: { rule: this.rule, parts: [] } }) }
    return { proof: [license, activation, sealAssertion(activation, { ...facts, ...this.changes })] }
  }

  async ask(options: Partial<OpenSessionOptions> = {}) {
    const asked = { product: 'acme/cad', user: ana, vendorKey: vendor.jwk, ...options }
    const outcome = await openSession(asked, this.surroundings)
    await this.clock.run(0)
    return outcome
  }
}

test('X4: a seat is proved at opening and at every heartbeat, each time with another nonce', async (t) => {
  const agent = new ProvingAgent()
  const session = await agent.session({ user: ana, vendorKey: vendor.jwk, requireProof: true })
  const proof = {
    kind: 'valid',
    license: 'k3v9q2m7x1',
    agent: manager.id,
    seats: 1,
    endsAt: new Date((now + 300 * 86_400) * 1000),
  } as const
  t.deepEqual(session.proof, proof)
  t.is(agent.heardOf('open')[0]?.body.vendorKey, vendor.id)
  await agent.clock.run(10 * minute)
  t.is(session.state, 'active')
  t.deepEqual(await session.verify(), proof)
  t.is(agent.nonces.length, 5)
  t.is(new Set(agent.nonces).size, 5)
  for (const nonce of agent.nonces) t.regex(String(nonce), /^[\w-]{16,128}$/)
})

test('R27: a seat is believed for as long as its proof says, from before the nonce was sent', async (t) => {
  const agent = new ProvingAgent()
  agent.changes = { validFor: 30 }
  const session = await agent.session({ user: ana, vendorKey: vendor.jwk })
  t.is(session.secondsLeft, 30, 'the answer alone said 600')
  agent.delay = 4 * second
  await agent.clock.run(15 * second)
  t.is(session.secondsLeft, 15)
  await agent.clock.run(4 * second)
  t.is(session.secondsLeft, 26)
  agent.delay = 0
  agent.beat = () => ({ kind: 'no-agent' })
  await agent.clock.run(25 * second)
  t.is(session.state, 'renewing')
  await agent.clock.run(second + 5)
  t.is(session.end?.reason, 'unreached')
})

test('R27: the nonce of a request that waited in line is old, so the seat is proved with a new one', async (t) => {
  const agent = new ProvingAgent()
  agent.delay = 250 * second
  agent.changes = { validFor: 60 }
  const found = agent.ask({ wait: 300 })
  await agent.clock.run(0)
  const rest = agent.clock.run(250 * second)
  agent.delay = 0
  await rest
  const outcome = await found
  if (outcome.kind !== 'opened') return t.fail(outcome.detail)
  t.is(outcome.session.secondsLeft, 60)
  t.is(agent.nonces.length, 2)
  t.is(new Set(agent.nonces).size, 2)
})

const wrong: readonly [string, Changes, RegExp][] = [
  ['of another nonce', { nonce: 'nonce-of-somebody-else' }, /wrong_nonce/],
  ['of another application’s session', { binding: otherBinding }, /wrong_binding/],
  ['of another session', { session: 'session-2' }, /wrong_session/],
  ['of another product', { product: 'acme/cam' }, /wrong_product/],
  ['of a feature that was not asked for', { feature: 'export' }, /wrong_feature/],
  ['of another user', { key: { rule: 'user', parts: ['email', 'ben@example.com'] } }, /wrong_count_key/],
  ['of nobody', { key: { rule: 'user', parts: [] } }, /wrong_count_key/],
  ['of more seats than the license has', { seats: 11 }, /more than the one before it allows/],
]

for (const [what, changes, detail] of wrong)
  test(`R27: a proof ${what} is none: the seat goes back, at opening and at a heartbeat`, async (t) => {
    const agent = new ProvingAgent()
    agent.changes = changes
    const refused = await agent.ask()
    t.like(refused, { kind: 'refused', code: 'proof_invalid' })
    t.regex(refused.kind === 'refused' ? refused.detail : '', detail)
    t.deepEqual(agent.calls, ['open', 'close'])

    const later = new ProvingAgent()
    const order: string[] = []
    const session = await later.session({
      user: ana,
      vendorKey: vendor.jwk,
      onEnd: ({ reason }) => void order.push(reason, ...later.calls),
    })
    later.changes = changes
    await later.clock.run(200 * second)
    t.is(session.state, 'ended')
    t.regex(session.end?.detail ?? '', detail)
    t.deepEqual(order, ['proof_invalid', 'open', 'beat'], 'the use ends before the agent is told')
    t.deepEqual(later.calls, ['open', 'beat', 'close'])
  })

test('R26: an agent that signs by itself, without the vendor, proves nothing', async (t) => {
  const agent = new ProvingAgent()
  const { proof } = agent.prove({ nonce: 'nonce-of-the-test-1' })
  agent.binding = undefined
  const outcome = await agent.ask({ vendorKey: stranger.jwk })
  t.like(outcome, { kind: 'refused', code: 'proof_invalid' })
  agent.binding = undefined
  agent.more = () => ({ proof })
  t.like(await agent.ask(), { kind: 'refused', code: 'proof_invalid' }, 'a proof that was seen before')
  agent.more = {}
  t.like(await agent.ask(), { kind: 'refused', code: 'proof_invalid' }, 'no word about it at all')
  agent.more = { proof: 'yes' }
  t.like(await agent.ask(), { kind: 'refused', code: 'proof_invalid' })
})

test('R27: that a seat can’t be proved is told to the application, which decides', async (t) => {
  const agent = new ProvingAgent()
  agent.more = { proofUnavailable: 'not_activated' }
  const lax = await agent.ask()
  t.deepEqual(lax.kind === 'opened' && lax.session.proof, { kind: 'unavailable', reason: 'not_activated' })
  t.deepEqual(lax.kind === 'opened' && (await lax.session.verify()), { kind: 'unavailable', reason: 'not_activated' })
  agent.heard.length = 0
  t.like(await agent.ask({ requireProof: true }), { kind: 'refused', code: 'proof_unavailable' })
  t.deepEqual(agent.calls, ['open', 'close'])
})

test('a seat that can’t be proved any more is told as a change, and ends where a proof is required', async (t) => {
  const agent = new ProvingAgent()
  const lax = await agent.session({ user: ana, vendorKey: vendor.jwk })
  const kinds: string[] = []
  lax.onChange(({ proof }) => kinds.push(proof.kind))
  agent.more = { proofUnavailable: 'not_activated' }
  await agent.clock.run(200 * second)
  t.deepEqual(kinds, ['unavailable'])

  const other = new ProvingAgent()
  const strict = await other.session({ user: ana, vendorKey: vendor.jwk, requireProof: true })
  other.more = { proofUnavailable: 'not_activated' }
  await other.clock.run(200 * second)
  t.is(strict.end?.reason, 'proof_unavailable')
})

test('a seat of several licenses is proved in part; who requires a proof requires it of every seat', async (t) => {
  const agent = new ProvingAgent()
  agent.changes = { seats: 3 }
  const lax = await agent.ask({ seats: 5 })
  t.like(lax.kind === 'opened' && lax.session.proof, { kind: 'valid', seats: 3 })
  agent.binding = undefined
  const strict = await agent.ask({ seats: 5, requireProof: true })
  t.regex(strict.kind === 'refused' ? strict.detail : '', /too_few_seats/)
})

test('R27: the count key must be what the application knows of user, machine and process', async (t) => {
  const pid = String(process.pid)
  const account = { account: 'ana' }
  const cases: readonly [ProvingAgent['rule'], Partial<OpenSessionOptions>, readonly string[], boolean][] = [
    ['user', { user: account }, ['account', 'ana', manager.id], true],
    ['user', { user: account }, ['account', 'ana', stranger.id], false],
    ['user', { user: { account: 'EXAMPLE\\Ana' } }, ['account', 'example\\ana'], true],
    ['user', { user: {} }, [], true],
    ['host', {}, [manager.id], true],
    ['host', {}, [stranger.id], false],
    ['process', {}, [manager.id, 'boot-1', pid, '4711'], true],
    ['process', {}, [manager.id, 'boot-1', '1', '4711'], false],
    ['process', {}, [stranger.id, 'boot-1', pid, '4711'], false],
    ['process', {}, [], true],
    ['process', { process: { id: 99 } }, [manager.id, 'boot-1', '99', '4711'], true],
    ['session', {}, [], true],
    ['session', {}, [manager.id], false],
  ]
  for (const [rule, options, parts, fits] of cases) {
    const agent = new ProvingAgent()
    agent.rule = rule
    agent.changes = { key: { rule, parts } }
    t.is((await agent.ask(options)).kind, fits ? 'opened' : 'refused', `${rule} ${JSON.stringify([options, parts])}`)
  }
})

test('a bare product name is proved by the product that the vendor’s license gives the seat of', async (t) => {
  const agent = new ProvingAgent()
  t.is((await agent.ask({ product: 'cad' })).kind, 'opened')
  agent.binding = undefined
  t.like(await agent.ask({ product: 'cam' }), { code: 'proof_invalid', detail: 'The seat is of acme/cad.' })
})
