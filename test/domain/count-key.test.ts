import test from 'ava'
import fc from 'fast-check'
import { type CountFacts, type CountKey, countKey, countRules, hashCountKey } from '../../agent/domain/count-key.ts'
import type { ProductName } from '../../agent/domain/product-name.ts'

const agent = 'agent-1'

function user(facts: Partial<CountFacts>): CountKey | undefined {
  return countKey('user', { agent, ...facts })
}

test('R18: no two typed tuples have the same hash, however their parts are cut', (t) => {
  const part = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('', ':', '1:', '1:a', 'a', 'aa', '2:aa'),
  )
  const tuple = fc.record({
    license: part,
    product: part,
    rule: fc.constantFrom(...countRules),
    parts: fc.array(part, { maxLength: 4 }),
  })
  fc.assert(
    fc.property(tuple, tuple, (one, other) => {
      const hashes = [one, other].map((of) => hashCountKey(of.license, of.product as ProductName, of))
      const same = JSON.stringify([one.product, one.license, one.rule, one.parts])
      t.is(hashes[0] === hashes[1], same === JSON.stringify([other.product, other.license, other.rule, other.parts]))
    }),
    { numRuns: 2000 },
  )
})

test('R18: moving a character over the border between two parts gives another hash', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 5 }), fc.nat(), (parts, at) => {
      const index = at % (parts.length - 1)
      const [left = '', right = ''] = [parts[index], parts[index + 1]]
      const moved = parts.with(index, left + right.slice(0, 1)).with(index + 1, right.slice(1))
      const hash = (of: readonly string[]): string => hashCountKey('l', 'a/b', { rule: 'user', parts: of })
      t.not(hash(parts), hash(moved))
    }),
  )
})

test('R18: with rule session each session counts for itself', (t) => {
  t.is(countKey('session', { agent, account: 'ana', email: 'ana@x.example' }), undefined)
})

test('R18: a host is its agent, whoever asks', (t) => {
  t.deepEqual(countKey('host', { agent, account: 'ana' }), countKey('host', { agent, email: 'bob@x.example' }))
  t.notDeepEqual(countKey('host', { agent }), countKey('host', { agent: 'agent-2' }))
})

test('R18: a process is a key only with the start time that the agent saw', (t) => {
  t.is(countKey('process', { agent, account: 'ana' }), undefined)
  const seen = { boot: 'b', id: 7, startedAt: '100' }
  t.truthy(countKey('process', { agent, process: seen }))
  const others = [
    { ...seen, id: 8 },
    { ...seen, startedAt: '101' },
    { ...seen, boot: 'c' },
  ]
  for (const other of others)
    t.notDeepEqual(countKey('process', { agent, process: seen }), countKey('process', { agent, process: other }))
})

test('R18: a user is the e-mail, in any case and any way to compose its letters', (t) => {
  const ana = user({ email: 'Ána@X.Example' })
  t.deepEqual(ana, user({ email: 'a\u0301na@x.example', account: 'other', agent: 'agent-2' }))
  t.deepEqual(user({ email: ' ana@x.example ' }), user({ email: 'ANA@x.example' }))
  t.deepEqual(user({ email: 'ΝΙΚΟΣ@x.example' }), user({ email: 'νικοσ@x.example' }))
  t.notDeepEqual(ana, user({ email: 'ana@x.example' }))
})

test('R18: folding a name twice changes nothing more', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (email) => {
      const [, once] = user({ email })?.parts ?? []
      t.deepEqual(once === undefined ? undefined : user({ email: once })?.parts[1], once)
    }),
  )
})

test('R18: an account with its domain is one person on every machine, a bare one is a person per agent', (t) => {
  for (const account of ['DOMAIN\\ana', 'ana@x.example'])
    t.deepEqual(user({ account }), user({ account: account.toUpperCase(), agent: 'agent-2' }), account)
  t.notDeepEqual(user({ account: 'ana' }), user({ account: 'ana', agent: 'agent-2' }))
  t.notDeepEqual(user({ account: 'DOMAIN\\ana' }), user({ account: 'OTHER\\ana' }))
})

test('R18: what only looks like a domain is none', (t) => {
  for (const account of ['.\\ana', '\\ana', 'ana@', '@ana', 'a@b@c', 'a\\b\\c'])
    t.notDeepEqual(user({ account }), user({ account, agent: 'agent-2' }), account)
  t.deepEqual(user({ account: '.\\Ana' }), user({ account: 'ana' }))
})

test('R18: an e-mail and an account of the same text are two people', (t) => {
  t.notDeepEqual(user({ email: 'ana@x.example' }), user({ account: 'ana@x.example' }))
})

test('R18: without a name, or with a blank one, there is no key, so that two nameless ones never share a seat', (t) => {
  for (const facts of [{}, { email: '', account: '' }, { email: ' \t' }, { account: '.\\' }])
    t.is(user(facts), undefined)
  t.deepEqual(user({ email: ' ', account: 'ana' }), user({ account: 'ana' }))
})

test('R18: the same person has another key in another license or for another product', (t) => {
  const key = user({ email: 'ana@x.example' })
  if (!key) return t.fail()
  const hashes = [
    hashCountKey('license-1', 'acme/cad', key),
    hashCountKey('license-2', 'acme/cad', key),
    hashCountKey('license-1', 'acme/cam', key),
  ]
  t.is(new Set(hashes).size, 3)
  return undefined
})
