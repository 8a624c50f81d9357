/**
 * Proofs against the vectors, and made the way an agent makes them.
 */
import { sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { verifyProof } from '../../agent/domain/proof.ts'
import {
  type AssertionFacts,
  type ProofSigner,
  prepareLicenseProof,
  prepareProof,
} from '../../agent/domain/proof-signer.ts'
import { vectorFolder } from './documents/make-vectors.ts'
import type { ProofVector } from './documents/proof-vectors.ts'
import {
  binding,
  laptop,
  manager,
  nonce,
  now,
  open,
  sampleLicense,
  sealActivation,
  sealLease,
  sealLicense,
  vendor,
} from './documents/samples.ts'

const license = sealLicense()
const activation = sealActivation(license)
const facts: AssertionFacts = {
  id: 'assertion-1',
  now,
  session: 'session-1',
  product: 'acme/cad',
  seats: 1,
  rule: 'user',
  binding,
  nonce,
  validFor: 600,
}
const expected = { vendorKey: vendor.jwk, product: 'acme/cad', nonce, binding, now }

function chainOf(signer: ProofSigner, key: SigningKey, facts: AssertionFacts): string[] {
  const { unsigned, complete } = signer.prove(facts)
  return complete(sign(null, Buffer.from(unsigned), key.privateKey))
}

test('R26: every proof of the vectors has its outcome', (t) => {
  const vectors: ProofVector[] = JSON.parse(readFileSync(`${vectorFolder}proofs.json`, 'utf8'))
  t.true(vectors.length > 60)
  for (const vector of vectors) {
    const outcome = verifyProof(vector.chain, { ...vector.expected, vendorKey: vector.vendorKey })
    t.is(outcome.kind === 'valid' ? 'valid' : outcome.reason, vector.outcome, vector.name)
  }
})

test('R27: what an agent signs is verified with the vendor key alone, and says how long it is valid', (t) => {
  const signer = prepareLicenseProof(
    open(license, 'leasehold-license'),
    open(activation, 'leasehold-activation', vendor),
    manager,
  )
  if (signer.kind !== 'ready') return t.fail()
  const proof = verifyProof(chainOf(signer, manager, facts), expected)
  if (proof.kind !== 'valid') return t.fail(proof.detail)
  t.is(proof.validFor, 600)
  t.is(proof.agent, manager.id)
  t.is(proof.license.id, sampleLicense.id)
  t.is(proof.endsAt, now + 300 * 86_400)
  t.deepEqual(proof.assertion.key, { rule: 'user', parts: [] })
})

test('R27: a later heartbeat has a new nonce and the same binding, and only its last link is new', (t) => {
  const signer = prepareProof([license, activation], manager)
  const first = chainOf(signer, manager, { ...facts, nonce: binding })
  const second = chainOf(signer, manager, { ...facts, nonce: 'nonce-of-the-next-heartbeat', id: 'assertion-2' })
  t.deepEqual(second.slice(0, 2), first.slice(0, 2))
  t.not(second[2], first[2])
  t.is(verifyProof(second, { ...expected, nonce: 'nonce-of-the-next-heartbeat' }).kind, 'valid')
  const replayed = verifyProof(first, { ...expected, nonce: 'nonce-of-the-next-heartbeat' })
  t.is(replayed.kind === 'invalid' && replayed.reason, 'wrong_nonce')
})

test('R27: a license that is not activated for this agent gives no proof and says so', (t) => {
  const opened = open(license, 'leasehold-license')
  const none = { kind: 'unavailable', proofUnavailable: 'not_activated' } as const
  t.deepEqual(prepareLicenseProof(opened, undefined, manager), none)
  t.deepEqual(prepareLicenseProof(opened, open(activation, 'leasehold-activation', vendor), laptop), none)
})

test('a key made once and the bare key verify alike', (t) => {
  const chain = chainOf(prepareProof([license, activation], manager), manager, facts)
  t.is(verifyProof(chain, { ...expected, vendorKey: vendor }).kind, 'valid')
  t.is(verifyProof(chain, expected).kind, 'valid')
})

test('R26: no lease below another is taken that has more of anything', (t) => {
  const other = { rule: 'user', parts: ['email', 'ben@example.com'] }
  const widenings = fc.constantFrom<Record<string, unknown>>(
    { seats: 4 },
    { product: 'acme/cam' },
    { any: true },
    { feature: 'export' },
    { exp: now + 541, iat: now },
    { nbf: now - 86_401 },
    { depth: 3 },
    { count: 'host' },
    { key: other },
    { key: undefined },
    { next: manager.jwk },
  )
  const narrowings = fc.record({
    seats: fc.integer({ min: 1, max: 3 }),
    exp: fc.integer({ min: now + 1, max: now + 540 }),
    depth: fc.integer({ min: 0, max: 2 }),
  })
  const top = sealLease(activation, { seats: 3 })
  const key = { rule: 'user', parts: ['email', 'ana@example.com'] } as const
  const prove = (changes: Record<string, unknown>) => {
    const link = sealLease(top, { next: vendor.jwk, id: 'lease-number-2', ...changes }, laptop)
    const chain = chainOf(prepareProof([license, activation, top, link], vendor), vendor, { ...facts, key })
    return verifyProof(chain, expected)
  }
  fc.assert(
    fc.property(narrowings, (narrow) => prove(narrow).kind === 'valid'),
    { numRuns: 30 },
  )
  fc.assert(
    fc.property(narrowings, widenings, (narrow, wide) => prove({ ...narrow, ...wide }).kind === 'invalid'),
    { numRuns: 100 },
  )
  t.pass()
})

test('whatever stands in a chain, the answer is a value', (t) => {
  const chain = chainOf(prepareProof([license, activation], manager), manager, facts)
  fc.assert(
    fc.property(fc.nat(2), fc.string({ maxLength: 60 }), fc.nat(400), (link, noise, at) => {
      const text = chain[link] ?? ''
      const altered = text.slice(0, at) + noise + text.slice(at + noise.length)
      fc.pre(altered !== text)
      return verifyProof(chain.with(link, altered), expected).kind === 'invalid'
    }),
  )
  t.pass()
})
