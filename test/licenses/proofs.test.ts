/**
 * X4: a seat proves itself. Proofs as the agent gives them, checked by our verifier with the vendor's key alone, and by another
 * implementation.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { compactVerify, importJWK } from 'jose'
import type { PublicJwk } from '../../agent/domain/documents/keys.ts'
import { type ProofExpectation, verifyProof } from '../../agent/domain/proof.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { blockOf, days, type LicenseTerms, type TestLicense, TestVendor } from './test-vendor.ts'

const first = 'nonce-of-the-application-1'
const second = 'nonce-of-the-application-2'
const start = Date.UTC(2027, 0, 4, 8)

async function installActive(agent: MemoryAgent, vendor: TestVendor, terms: LicenseTerms = {}): Promise<TestLicense> {
  const license = vendor.license({ activation: { needed: true }, ...terms })
  const id = await agent.install(blockOf(license))
  const answer = vendor.answer(await agent.requestActivation(id), license)
  const activated = await agent.parts.desk.activate(id, answer)
  if (activated.kind === 'refused') throw new Error(activated.detail)
  return license
}

async function begin(terms: LicenseTerms = {}) {
  const vendor = new TestVendor('acme')
  const agent = await MemoryAgent.start()
  return { vendor, agent, license: await installActive(agent, vendor, terms) }
}

/** What an application expects of the session that it has just opened. */
function expectation(agent: MemoryAgent, vendor: TestVendor, change: Partial<ProofExpectation> = {}): ProofExpectation {
  const now = Math.floor(agent.clock.wall() / 1000)
  return { vendorKey: vendor.key.jwk, product: 'acme/cad', nonce: first, binding: first, now, ...change }
}

/** The proof in the answer to a heartbeat. */
async function beat(agent: MemoryAgent, session: { readonly id: string; readonly key: string }, nonce: string) {
  const answer = await agent.beat(session, nonce)
  if (answer.kind === 'refused') throw new Error(answer.detail)
  return answer.session
}

function isValid(t: ExecutionContext, proof: readonly string[] | undefined, expected: ProofExpectation) {
  const outcome = verifyProof(proof ?? [], expected)
  if (outcome.kind === 'invalid') throw new Error(`${outcome.reason} at link ${outcome.link}: ${outcome.detail}`)
  t.is(outcome.kind, 'valid')
  return outcome
}

test('R27: a session opened with a nonce is proved to the vendor key alone, and by jose link for link', async (t) => {
  const { vendor, agent, license } = await begin()
  const session = await agent.seat({ nonce: first })
  const valid = isValid(t, session.proof, expectation(agent, vendor, { session: session.id }))
  t.is(valid.validFor, session.expiresIn)
  t.is(valid.agent, agent.key.id)
  t.is(valid.license.id, license.payload.id)
  const [licenseText = '', activationText = '', assertionText = ''] = session.proof ?? []
  const read = async (text: string, key: PublicJwk) => {
    const { payload } = await compactVerify(text, await importJWK({ ...key }, 'EdDSA'), { algorithms: ['EdDSA'] })
    return JSON.parse(Buffer.from(payload).toString())
  }
  t.is((await read(licenseText, vendor.key.jwk)).id, license.payload.id)
  const activation = await read(activationText, vendor.key.jwk)
  t.like(await read(assertionText, activation.next), {
    typ: 'leasehold-assertion',
    session: session.id,
    product: 'acme/cad',
    seats: 1,
    binding: first,
    nonce: first,
    validFor: session.expiresIn,
    key: { rule: 'session', parts: [] },
  })
  await t.throwsAsync(async () => read(assertionText, vendor.key.jwk))
})

test('R27: the first nonce is the binding for good, given at opening or at a heartbeat, also after a restart', async (t) => {
  const { vendor, agent } = await begin()
  const opened = await agent.seat({ nonce: first })
  const later = await agent.seat()
  t.is(later.proof, undefined, 'no nonce, no signature')
  isValid(t, (await beat(agent, later, second)).proof, expectation(agent, vendor, { nonce: second, binding: second }))
  for (const again of [1, 2]) {
    const nonce = `nonce-of-the-heartbeat-${again}`
    const { proof } = await beat(agent, opened, nonce)
    isValid(t, proof, expectation(agent, vendor, { nonce, binding: first }))
    const flaw = verifyProof(proof ?? [], expectation(agent, vendor, { nonce, binding: nonce }))
    t.like(flaw, { kind: 'invalid', reason: 'wrong_binding' })
    await agent.restart()
  }
  isValid(t, (await beat(agent, later, first)).proof, expectation(agent, vendor, { nonce: first, binding: second }))
})

test('R27: a repeat of the same request with another nonce has the binding of the first', async (t) => {
  const { vendor, agent } = await begin()
  const idempotencyKey = 'the-same-request-twice'
  const one = await agent.seat({ idempotencyKey, nonce: first })
  const again = await agent.seat({ idempotencyKey, nonce: second })
  t.is(again.id, one.id)
  isValid(t, again.proof, expectation(agent, vendor, { nonce: second, binding: first }))
})

test('R27: one session does not serve two applications: each sees the binding of the other', async (t) => {
  const { vendor, agent } = await begin({ products: [{ name: 'cad', seats: 1 }] })
  const session = await agent.seat({ nonce: first })
  const shared = await beat(agent, session, second)
  t.like(verifyProof(shared.proof ?? [], expectation(agent, vendor, { nonce: second, binding: second })), {
    reason: 'wrong_binding',
  })
})

test('R26: a proof for another nonce, product, feature, session, user, vendor or more seats is refused', async (t) => {
  const { vendor, agent } = await begin({
    count: 'user',
    products: [
      { name: 'cad', seats: 5, features: [{ name: 'render' }] },
      { name: 'cam', seats: 5 },
    ],
  })
  const user = { email: 'Ana@Example.org' }
  const { proof = [] } = await agent.seat({ nonce: first, user, feature: 'render' })
  const right = { feature: 'render', key: { rule: 'user', parts: ['email', 'ana@example.org'] } } as const
  isValid(t, proof, expectation(agent, vendor, right))
  const wrong: [Partial<ProofExpectation>, string][] = [
    [{ nonce: second }, 'wrong_nonce'],
    [{ binding: second }, 'wrong_binding'],
    [{ product: 'acme/cam' }, 'wrong_product'],
    [{ feature: 'export' }, 'wrong_feature'],
    [{ session: 'another-session' }, 'wrong_session'],
    [{ key: { rule: 'user', parts: ['email', 'ben@example.org'] } }, 'wrong_count_key'],
    [{ seats: 2 }, 'too_few_seats'],
    [{ vendorKey: sampleKey('another vendor').jwk }, 'bad_link'],
  ]
  for (const [change, reason] of wrong)
    t.like(verifyProof(proof, expectation(agent, vendor, { ...right, ...change })), { kind: 'invalid', reason })
  const { feature: _, ...none } = expectation(agent, vendor, right)
  t.like(verifyProof(proof, none), { reason: 'wrong_feature' })
})

test('R26: no proof holds once a letter of any link is another, a link is missing or of another session', async (t) => {
  const { vendor, agent } = await begin()
  const expected = expectation(agent, vendor)
  const { proof = [] } = await agent.seat({ nonce: first })
  fc.assert(
    fc.property(
      fc.nat(proof.length - 1),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (link, place) => {
        const text = proof[link] ?? ''
        const at = Math.floor(place * text.length)
        const altered = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
        return verifyProof(proof.with(link, altered), expected).kind === 'invalid'
      },
    ),
    { numRuns: 300 },
  )
  for (let link = 0; link < proof.length; link++) t.is(verifyProof(proof.toSpliced(link, 1), expected).kind, 'invalid')
  const other = await begin()
  const { proof: theirs = [] } = await other.agent.seat({ nonce: first })
  t.is(verifyProof(theirs, expected).kind, 'valid', 'another license of the same vendor is right by itself')
  t.like(verifyProof([...proof.slice(0, 2), theirs[2] ?? ''], expected), { kind: 'invalid' })
})

test('R27: a license that needs no activation gives no proof, and the answer says why', async (t) => {
  const vendor = new TestVendor('acme')
  const agent = await MemoryAgent.start()
  await agent.install(blockOf(vendor.license()))
  const session = await agent.seat({ nonce: first })
  t.like(session, { proofUnavailable: 'not_activated' })
  t.is(session.proof, undefined)
  const renewed = await beat(agent, session, second)
  t.like(renewed, { proofUnavailable: 'not_activated' })
})

test('R27: a renewed activation is in the next proof', async (t) => {
  const { vendor, agent, license } = await begin()
  const session = await agent.seat({ nonce: first })
  const { id } = license.payload
  await agent.parts.desk.activate(id, vendor.answer(await agent.requestActivation(id), license))
  const valid = isValid(t, (await beat(agent, session, second)).proof, expectation(agent, vendor, { nonce: second }))
  t.is(valid.activation.number, 2)
})

test('a proof after a restart promises no more than the license does', async (t) => {
  const { vendor, agent } = await begin()
  const session = await agent.seat({ nonce: first })
  for (const again of [() => agent.restart(), () => agent.reboot()]) {
    await again()
    const kept = await beat(agent, session, second)
    const valid = isValid(t, kept.proof, expectation(agent, vendor, { nonce: second }))
    t.true(valid.validFor <= 600, `${valid.validFor} s`)
  }
})

test('a proof never promises past the end of the license, whatever the wall says', async (t) => {
  const end = Math.floor((start + 1_800_000) / 1000)
  const { vendor, agent } = await begin({ exp: end })
  const session = await agent.seat({ nonce: first })
  for (const wall of [0, -3_600_000]) {
    agent.clock.setWall(agent.clock.wall() + wall)
    for (let minutes = 0; minutes < 10; minutes++) {
      await agent.pass(60_000)
      const { proof } = await beat(agent, session, second)
      const valid = isValid(t, proof, expectation(agent, vendor, { nonce: second }))
      t.true(valid.assertion.iat + valid.validFor <= end)
    }
  }
})

test('a session with seats of two licenses is proved by its larger part, or by the one that can be', async (t) => {
  const { vendor, agent, license } = await begin({ products: [{ name: 'cad', seats: 2 }] })
  const larger = await installActive(agent, vendor, { products: [{ name: 'cad', seats: 3 }] })
  const session = await agent.seat({ nonce: first, seats: 5 })
  const valid = isValid(t, session.proof, expectation(agent, vendor, { seats: 3 }))
  t.is(valid.license.id, larger.payload.id)
  t.like(verifyProof(session.proof ?? [], expectation(agent, vendor, { seats: 5 })), { reason: 'too_few_seats' })

  const mixed = await MemoryAgent.start()
  await mixed.install(blockOf(vendor.license({ products: [{ name: 'cad', seats: 4 }] })))
  const proved = await installActive(mixed, vendor, { products: [{ name: 'cad', seats: 1 }] })
  const both = await mixed.seat({ nonce: first, seats: 5 })
  t.is(isValid(t, both.proof, expectation(mixed, vendor)).license.id, proved.payload.id)
  t.not(license.payload.id, larger.payload.id)
})

test('a session on any-product seats is proved as such, also after it moved to a license that took over', async (t) => {
  const { vendor, agent, license } = await begin({ products: [{ any: true, seats: 2 }] })
  const session = await agent.seat({ nonce: first, feature: 'render' })
  const valid = isValid(t, session.proof, expectation(agent, vendor, { feature: 'render' }))
  t.true(valid.assertion.any)
  const heir = await installActive(agent, vendor, {
    replaces: [license.payload.id],
    products: [{ name: 'cad', seats: 1, features: [{ name: 'render' }] }],
  })
  const { proof } = await beat(agent, session, second)
  const after = isValid(t, proof, expectation(agent, vendor, { feature: 'render', nonce: second }))
  t.is(after.license.id, heir.payload.id)
  t.is(after.assertion.any, undefined)
})

test('an expired license makes no proof', async (t) => {
  const { agent, vendor } = await begin({ exp: Math.floor((start + days(1)) / 1000) })
  const { proof = [] } = await agent.seat({ nonce: first })
  await agent.pass(days(1) + 1000)
  t.is(await agent.refusal({ nonce: first }), 'license_expired')
  t.like(verifyProof(proof, expectation(agent, vendor, { clockTolerance: 0 })), { kind: 'invalid', reason: 'expired' })
})
