import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { contentDigest } from '../../agent/domain/http-signature.ts'
import { type AnswerFacts, readAnswer, signAnswer } from '../../agent/domain/peer-signature.ts'
import type { IncomingRequest } from '../../agent/peers/peer-door.ts'
import { DoorStand, type Sending } from './door-stand.ts'
import { makeKey, randomId } from './peer-agent.ts'

interface AttackCase {
  readonly what: string
  readonly sending?: Sending
  readonly changes?: Readonly<Record<string, string>>
  readonly code?: string
  readonly signed?: true
  readonly outcome?: 'admitted'
}
const vectors = new URL('../../../test/vectors/peer-attacks.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(vectors, 'utf8')) as { cases: readonly AttackCase[] }

test('R13: each attack of the vectors is answered as the vectors say', async (t) => {
  const stand = new DoorStand()
  const other = makeKey()
  const fill = (value: unknown): unknown =>
    JSON.parse(
      JSON.stringify(value ?? {})
        .replaceAll('OTHER_KEY', other.jwk.x)
        .replaceAll('OTHER', other.id)
        .replaceAll('SELF', stand.key.id),
    )
  for (const { what, sending, changes = {}, code, signed, outcome } of cases) {
    const { body, digest, ...rest } = changes
    const sent: Partial<IncomingRequest> = {
      ...rest,
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
      ...(digest === undefined ? {} : { digest: digest === 'DIGEST' ? contentDigest(body ?? '') : digest }),
    }
    const wanted = outcome ?? `${code}${signed === true ? '*' : ''}`
    t.is(await stand.outcome(fill(sending) as Sending, sent), wanted, what)
  }
})

test('R13: the very same request is taken once, for as long as it could be taken at all', async (t) => {
  const stand = new DoorStand()
  const early = stand.sign({ off: 59 })
  t.is((await stand.door.admit(early)).kind, 'admitted')
  for (let passed = 0; passed < 150; passed += 10) {
    const again = await stand.door.admit(early)
    t.is(again.kind === 'turned-away' && again.refusal.code, passed < 120 ? 'replayed' : 'stale', `${passed}`)
    stand.clock.advance(10_000)
  }
  // a nonce belongs to its sender
  const nonce = randomId()
  t.is(await stand.outcome({ nonce }), 'admitted')
  t.is(await stand.outcome({ nonce, key: makeKey() }), 'admitted')
  t.is(await stand.outcome({ nonce }), 'replayed*')
})

test('R13: a wall clock that is set back opens no way for a replay', async (t) => {
  const stand = new DoorStand()
  const request = stand.sign()
  const began = stand.clock.wall()
  t.is((await stand.door.admit(request)).kind, 'admitted')
  stand.clock.advance(200_000)
  stand.clock.setWall(began)
  const again = await stand.door.admit(request)
  t.is(again.kind === 'turned-away' && again.refusal.code, 'stale')
})

test('R13: wherever bytes of a signed request are changed, it is not admitted', async (t) => {
  const stand = new DoorStand()
  await stand.send()
  const fields = ['method', 'target', 'digest', 'facts', 'signatureInput', 'signature'] as const
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...fields),
      fc.nat(),
      fc.constantFrom(...'aZ09"=:;,( '),
      async (field, at, character) => {
        const request = stand.sign()
        const value = request[field]
        const place = at % value.length
        const changed = value.slice(0, place) + character + value.slice(place + 1)
        if (changed === value) return
        const admission = await stand.door.admit({ ...request, [field]: changed, address: randomId() })
        t.is(admission.kind, 'turned-away', `${field}: ${changed}`)
      },
    ),
    { numRuns: 300 },
  )
})

test('an address that sends what does not verify is cut off, and no other one', async (t) => {
  const stand = new DoorStand()
  const outcomes: string[] = []
  for (let at = 0; at < 120; at++) outcomes.push(await stand.outcome({}, { signature: '', address: '192.0.2.66' }))
  t.is(outcomes[0], 'peer_signature_wrong')
  t.is(outcomes.at(-1), 'too_many_requests')
  t.is(await stand.outcome(), 'admitted')
  t.is(await stand.outcome({ address: '192.0.2.66' }), 'too_many_requests')
  stand.clock.advance(1000)
  t.is(await stand.outcome({ address: '192.0.2.66' }), 'admitted')
})

test('new agents from one address are few, greetings too', async (t) => {
  const stand = new DoorStand()
  const outcomes: string[] = []
  for (let at = 0; at < 31; at++) outcomes.push(await stand.outcome({ key: makeKey() }))
  t.deepEqual([outcomes[29], outcomes[30]], ['admitted', 'too_many_requests*'])
  t.is(stand.book.list().length, 30)
  stand.clock.advance(10_000)
  t.is(await stand.outcome({ key: makeKey() }), 'admitted')
  for (let at = 0; at < 300; at++) t.is(stand.door.greet('192.0.2.1'), undefined)
  t.is(stand.door.greet('192.0.2.1')?.code, 'too_many_requests')
  t.is(stand.door.greet('192.0.2.2'), undefined)
})

test('who is admitted is named with what the administrator thinks of it', async (t) => {
  const stand = new DoorStand()
  stand.approvals = true
  const { id } = stand.sender
  const callerOf = async () => {
    const admission = await stand.send()
    return admission.kind === 'admitted' ? admission.caller : admission.refusal.code
  }
  const name = `WS-${id.slice(0, 6)}`
  t.deepEqual(await callerOf(), { id, name, address: '192.0.2.7', approval: 'pending' })
  await stand.book.approve(id, 'ana')
  t.deepEqual(await callerOf(), { id, name, address: '192.0.2.7', approval: 'approved' })
  await stand.book.deny(id, 'ana')
  t.is(await callerOf(), 'peer_denied')
  await stand.book.forget(id, 'ana')
  t.deepEqual(await callerOf(), { id, name, address: '192.0.2.7', approval: 'pending' })
})

test('an agent that the store can not remember is not let in', async (t) => {
  const stand = new DoorStand()
  stand.writes.holding = true
  const sent = stand.send()
  stand.writes.fail()
  await t.throwsAsync(sent, { message: /batch failed/ })
  stand.writes.holding = false
  t.is(await stand.outcome(), 'admitted')
})

test('a key that changed under a known name is refused and reported once', async (t) => {
  const stand = new DoorStand()
  const facts = { name: 'WS-17' }
  t.is(await stand.outcome({ facts }), 'admitted')
  const thief = makeKey()
  for (let at = 0; at < 3; at++)
    t.is(await stand.outcome({ key: thief, facts: { name: 'ws-17' } }), 'peer_key_changed*')
  t.is(stand.book.get(thief.id), undefined)
  t.deepEqual(
    stand.entries('peer.key_changed').map((one) => one.facts),
    [{ name: 'ws-17', known: stand.sender.id, peer: thief.id }],
  )
  t.true(stand.health.list().some(({ code }) => code === 'peer_key_changed'))
  t.is(await stand.outcome({ facts }), 'admitted')
  await stand.book.forget(stand.sender.id, 'ana')
  t.false(stand.health.list().some(({ code }) => code === 'peer_key_changed'))
  t.is(await stand.outcome({ key: thief, facts }), 'admitted')
})

test('an agent that takes the name of another one later is refused as well', async (t) => {
  const stand = new DoorStand()
  const second = makeKey()
  t.is(await stand.outcome({ facts: { name: 'WS-17' } }), 'admitted')
  t.is(await stand.outcome({ key: second, facts: { name: 'WS-18' } }), 'admitted')
  t.is(await stand.outcome({ key: second, facts: { name: 'WS-17' } }), 'peer_key_changed*')
  t.is(await stand.outcome({ key: second, facts: { name: 'WS-19' } }), 'admitted')
  t.is(await stand.outcome({ key: makeKey(), facts: { name: 'WS-18' } }), 'admitted')
})

test('R24: two copies of one agent that ask are found by their starts, and may only give back', async (t) => {
  for (const copy of [
    { 'from-start': 'start-of-copy', 'from-count': 1 },
    { 'from-start': 'start-of-copy', 'from-count': 0 },
  ]) {
    const stand = new DoorStand()
    t.is(await stand.outcome(), 'admitted')
    stand.clock.advance(61_000)
    t.is(await stand.outcome({ facts: copy }), 'peer_forked*')
    t.is(await stand.outcome(), 'peer_forked*')
    t.is(await stand.outcome({ method: 'DELETE' }), 'admitted')
    t.is(stand.entries('peer.forked').length, 1)
    t.true(stand.health.list().some(({ code }) => code === 'peer_forked'))
    // also after a restart of this agent
    stand.writes.load(stand.book)
    t.is(await stand.outcome(), 'peer_forked*')
    await stand.book.approve(stand.sender.id, 'ana')
    t.deepEqual(stand.health.list(), [])
    t.is(await stand.outcome(), 'admitted')
    stand.clock.advance(61_000)
    t.is(await stand.outcome({ facts: copy }), 'peer_forked*')
  }
})

test('R24: two running copies are found by how far they say that they have seen', async (t) => {
  const stand = new DoorStand()
  const ask = (seen: number) => stand.outcome({ facts: { seen } })
  t.is(await ask(100), 'admitted')
  // answers cross each other
  t.is(await ask(99), 'admitted')
  stand.clock.advance(59_000)
  t.is(await ask(99), 'admitted')
  for (let minute = 0; minute < 4; minute++) {
    t.is(await ask(100), 'admitted')
    stand.clock.advance(61_000)
  }
  t.is(await ask(99), 'peer_forked*')
})

test('R24: restarts, lost replies and crashed starts make no fork', async (t) => {
  const stand = new DoorStand()
  const ask = (count: number, seen: number) =>
    stand.outcome({ facts: { 'from-start': `start-${'x'.repeat(count)}`, 'from-count': count, seen } })
  t.is(await ask(3, 100), 'admitted')
  stand.clock.advance(200_000)
  // a start that asked for nothing lies between, and the new one has seen less than the old one had
  t.is(await ask(5, 0), 'admitted')
  // a request of the old start that was on its way
  t.is(await ask(3, 100), 'stale*')
  t.is(await ask(5, 90), 'admitted')
  await stand.book.flush()
  stand.writes.load(stand.book)
  t.is(await ask(5, 90), 'admitted')
  t.is(await ask(6, 0), 'admitted')
  t.deepEqual(stand.health.list(), [])
})

test('R24: what this agent once signed and now stands behind makes it ask for an administrator', async (t) => {
  const stand = new DoorStand()
  const signed = (facts: Partial<AnswerFacts>, key = stand.key) => {
    const full = { start: stand.startId, count: stand.count, revision: stand.revision, time: stand.now(), ...facts }
    const to = { nonce: randomId() }
    const headers = signAnswer({ status: 200, digest: contentDigest(''), to, facts: full }, key)
    const message = { status: 200, digest: contentDigest(''), to, facts: headers['leasehold-answer'] ?? '' }
    const found = readAnswer(
      message,
      { input: headers['signature-input'] ?? '', signature: headers.signature ?? '' },
      key,
    )
    if (found === undefined) throw new Error('not signed')
    return found
  }
  const harmless = [
    signed({}),
    signed({ count: 4, start: 'start-of-before', revision: 100 }),
    signed({ count: 4, start: 'start-of-before', revision: 3 }),
    // not signed by this agent
    signed({ revision: 1000 }, stand.sender),
  ]
  for (const evidence of harmless) await stand.send({ evidence })
  t.false(stand.book.self.is())
  await stand.send({ evidence: signed({ count: 4, start: 'start-of-before', revision: 101 }) })
  t.true(stand.book.self.is())
  t.like(stand.entries('agent.rolled_back')[0]?.facts, { count: 4, revision: 101, shown: stand.sender.id })
  stand.writes.load(stand.book)
  t.true(stand.book.self.is())
  t.true(stand.health.list().some(({ code }) => code === 'restored'))
  await stand.book.self.confirm('ana')
  t.false(stand.book.self.is())
  t.deepEqual(stand.health.list(), [])
  // what was confirmed is not asked again, what is later is
  await stand.send({ evidence: signed({ count: 4, start: 'start-of-before', revision: 101 }) })
  t.false(stand.book.self.is())
  await stand.send({ evidence: signed({ count: 6, start: 'start-of-later', revision: 100 }) })
  t.true(stand.book.self.is())
  t.is(stand.entries('agent.rolled_back').length, 2)
})
