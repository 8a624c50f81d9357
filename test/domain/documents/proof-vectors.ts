/**
 * Proofs, good and bad, with the outcome they must have. `make-vectors.ts` writes them to test/vectors.
 */
import type { CountKey } from '../../../agent/domain/count-key.ts'
import type { PublicJwk } from '../../../agent/domain/documents/keys.ts'
import {
  binding,
  laptop,
  manager,
  nonce,
  now,
  sampleKey,
  sealActivation,
  sealAssertion,
  sealDetachment,
  sealLease,
  sealLicense,
  stranger,
  vendor,
} from './samples.ts'

export interface ProofVector {
  readonly name: string
  readonly chain: readonly string[]
  readonly vendorKey: PublicJwk
  readonly expected: {
    readonly product: string
    readonly feature?: string
    readonly seats?: number
    readonly nonce: string
    readonly binding: string
    readonly session?: string
    readonly key?: CountKey
    readonly now: number
  }
  /** `valid`, or the reason why not. */
  readonly outcome: string
}

const desktop = sampleKey('agent of the desktop')

export function makeProofVectors(): ProofVector[] {
  const license = sealLicense()
  const activation = sealActivation(license)
  const top = [license, activation]
  const lease = sealLease(activation)
  const detachment = sealDetachment(activation)
  const expected = { product: 'acme/cad', nonce, binding, now }
  const direct = [...top, sealAssertion(activation)]
  const one = (
    name: string,
    outcome: string,
    chain: readonly string[],
    changes: Partial<ProofVector['expected']> = {},
    vendorKey = vendor.jwk,
  ): ProofVector => ({ name, chain, vendorKey, expected: { ...expected, ...changes }, outcome })
  const asserted = (changes: Record<string, unknown>) => [...top, sealAssertion(activation, changes)]
  const leased = (changes: Record<string, unknown>, last: Record<string, unknown> = {}) => {
    const link = sealLease(activation, changes)
    return [...top, link, sealAssertion(link, last, laptop)]
  }
  const detached = (changes: Record<string, unknown>, last: Record<string, unknown> = {}) => {
    const link = sealDetachment(activation, changes)
    return [...top, link, sealAssertion(link, last, laptop)]
  }
  const under = (root: string, rest: Record<string, unknown> = {}) => {
    const act = sealActivation(root, rest)
    return [root, act, sealAssertion(act)]
  }
  const passed = (below: string, first: string, changes: Record<string, unknown>) => {
    const fields = { next: desktop.jwk, id: 'lease-number-2', depth: 2, ...changes }
    const second = below === 'lease' ? sealLease(first, fields, laptop) : sealDetachment(first, fields, laptop)
    return [...top, first, second, sealAssertion(second, {}, desktop)]
  }
  const chainOf = (root: string) => {
    const act = sealActivation(root)
    const link = sealLease(act)
    return [root, act, link, sealAssertion(link, {}, laptop)]
  }
  const five = ['a', 'b', 'c', 'd', 'e'].map((name) => sampleKey(`agent ${name}`))
  const deepChain = (links: number) => {
    const chain = [...top]
    let signer = manager
    for (let at = 0; at < links; at++) {
      const next = five[at] ?? laptop
      chain.push(sealLease(chain.at(-1) ?? '', { next: next.jwk, depth: Math.max(0, 3 - at) }, signer))
      signer = next
    }
    return [...chain, sealAssertion(chain.at(-1) ?? '', {}, signer)]
  }
  return [
    one('a session of the license', 'valid', direct),
    one('a session of a lease', 'valid', [...top, lease, sealAssertion(lease, {}, laptop)]),
    one('a session of a detachment', 'valid', [...top, detachment, sealAssertion(detachment, {}, laptop)]),
    one('a session of a lease of a lease', 'valid', passed('lease', lease, {})),
    one('a detachment served on', 'valid', passed('lease', detachment, { exp: now + 500 })),
    one('four hops', 'valid', deepChain(4)),
    one('with a feature', 'valid', asserted({ feature: 'render', seats: 2 }), { feature: 'render', seats: 2 }),
    one('any-product seats', 'valid', asserted({ product: 'acme/viewer', any: true, seats: 2 }), {
      product: 'acme/viewer',
    }),
    one('the session, the key and the seats that the application knows', 'valid', direct, {
      session: 'session-1',
      seats: 1,
      key: { rule: 'user', parts: ['email', 'ana@example.com'] },
    }),
    one('R27: the nonce of another request', 'wrong_nonce', direct, { nonce: 'nonce-of-the-application-2' }),
    one('R27: the binding of another session', 'wrong_binding', direct, { binding: 'nonce-of-another-session' }),
    one('another session', 'wrong_session', direct, { session: 'session-2' }),
    one('R27: another user', 'wrong_count_key', direct, { key: { rule: 'user', parts: ['email', 'ben@example.com'] } }),
    one('another product', 'wrong_product', direct, { product: 'acme/cam' }),
    one('a feature that was not asked for', 'wrong_feature', asserted({ feature: 'render' })),
    one('the feature is missing', 'wrong_feature', direct, { feature: 'render' }),
    one('fewer seats than asked for', 'too_few_seats', direct, { seats: 2 }),
    one('another vendor key', 'bad_link', direct, {}, stranger.jwk),
    one('more seats than the license has', 'widened_seats', asserted({ seats: 11 })),
    one('more seats than the feature has', 'widened_seats', asserted({ feature: 'render', seats: 3 }), {
      feature: 'render',
    }),
    one('more any-product seats than there are', 'widened_seats', asserted({ any: true, seats: 3 })),
    one('a product that the license does not name', 'wrong_product', asserted({ product: 'acme/viewer' }), {
      product: 'acme/viewer',
    }),
    one('a product of another vendor', 'wrong_vendor', asserted({ product: 'other/cad' }), { product: 'other/cad' }),
    one('a feature that the product does not have', 'wrong_feature', asserted({ feature: 'fly' }), { feature: 'fly' }),
    one('more seats than the lease has', 'widened_seats', leased({}, { seats: 2 })),
    one('a lease of more seats than the license has', 'widened_seats', leased({ seats: 11 })),
    one('a lease of more seats than the lease above', 'widened_seats', passed('lease', lease, { seats: 2 })),
    one('another product than the lease', 'wrong_product', leased({ product: 'acme/cam' })),
    one('a feature that the lease is not for', 'wrong_feature', leased({}, { feature: 'export' }), {
      feature: 'export',
    }),
    one('a lease for a feature, used without it', 'wrong_feature', leased({ feature: 'export' })),
    one('own seats from a lease of any-product seats', 'wrong_product', leased({ any: true })),
    one(
      'R17: another key than the lease',
      'wrong_count_key',
      leased({}, { key: { rule: 'user', parts: ['email', 'ben@example.com'] } }),
    ),
    one('R17: no key below a lease with one', 'wrong_count_key', leased({}, { key: { rule: 'user', parts: [] } })),
    one('another count rule', 'wrong_count_rule', asserted({ key: { rule: 'host', parts: [manager.id] } })),
    one('another count rule in a lease', 'wrong_count_rule', leased({ count: 'host' })),
    one(
      'a lease that outlives the license',
      'widened_time',
      leased({ iat: now + 300 * 86_400 - 60, exp: now + 300 * 86_400 + 1 }),
    ),
    one(
      'a lease that begins before the license',
      'widened_time',
      leased({ iat: now - 90_000, nbf: now - 90_000, exp: now - 89_500 }),
    ),
    one('a lease that outlives the lease above', 'widened_time', passed('lease', lease, { exp: now + 541 })),
    one('a lease that ends before it begins', 'widened_time', leased({ nbf: now + 540 })),
    one('a lease longer than the lease time', 'lasts_too_long', leased({ exp: now + 541 })),
    one('a detachment longer than the license allows', 'lasts_too_long', detached({ exp: now + 14 * 86_400 })),
    one('a promise longer than the lease time', 'lasts_too_long', asserted({ validFor: 601 })),
    one(
      'a promise past the end of the license',
      'widened_time',
      under(sealLicense({ exp: now + 100 }), { exp: now + 100 }),
    ),
    one('an activation that outlives the license', 'widened_time', under(license, { exp: now + 300 * 86_400 + 1 })),
    one('a perpetual activation of a license with an end', 'widened_time', under(license, { exp: undefined })),
    one(
      'a perpetual license',
      'valid',
      under(sealLicense({ nbf: undefined, exp: undefined, model: 'perpetual' }), { exp: undefined }),
    ),
    one('a license past its end', 'expired', direct, { now: now + 300 * 86_400 + 300 }),
    one('a license that has not begun', 'not_yet_valid', direct, { now: now - 86_400 - 301 }),
    one('a lease that ended more than a day ago', 'expired', leased({}), { now: now + 540 + 86_400 }),
    one('a detachment past its date', 'expired', detached({}), { now: now + 10 * 86_400 + 300 }),
    one('the activation of another license', 'wrong_license', under(license, { license: 'another-license' })),
    one('the activation of another text of the license', 'broken_parent', [
      sealLicense({ customer: 'Other' }),
      activation,
      sealAssertion(activation),
    ]),
    one('an activation not signed by the vendor', 'bad_link', [
      license,
      sealActivation(license, {}, stranger),
      sealAssertion(activation),
    ]),
    one('an assertion that follows another link', 'broken_parent', [...top, sealAssertion(license)]),
    one('an assertion not signed by the agent of the activation', 'bad_link', [
      ...top,
      sealAssertion(activation, {}, stranger),
    ]),
    one('an assertion signed by the manager below a lease', 'bad_link', [...top, lease, sealAssertion(lease)]),
    one(
      'a lease not signed by the manager',
      'bad_link',
      (() => {
        const forged = sealLease(activation, {}, stranger)
        return [...top, forged, sealAssertion(forged, {}, laptop)]
      })(),
    ),
    one(
      'a lease that follows another link',
      'broken_parent',
      (() => {
        const other = sealLease(license)
        return [...top, other, sealAssertion(other, {}, laptop)]
      })(),
    ),
    one('a license in place of the activation', 'bad_link', [license, license, sealAssertion(license)]),
    one('an assertion in the middle', 'bad_link', [...top, sealAssertion(activation), sealAssertion(activation)]),
    one('a lease at the end', 'bad_link', [...top, lease]),
    one('no assertion', 'malformed_chain', top),
    one('an empty chain', 'malformed_chain', []),
    one('five hops', 'malformed_chain', deepChain(5)),
    one('depth not counted down', 'too_deep', passed('lease', lease, { depth: 3 })),
    one('more depth than the license allows', 'too_deep', leased({ depth: 4 })),
    one('R21: a lease back to the manager', 'agent_repeated', leased({ next: manager.jwk }, {})),
    one(
      'a lease of a stand-alone license',
      'standalone',
      chainOf(sealLicense({ kind: 'standalone', detach: undefined })),
    ),
    one(
      'a detachment that the license does not allow',
      'not_detachable',
      (() => {
        const root = sealLicense({ detach: undefined })
        const act = sealActivation(root)
        const link = sealDetachment(act)
        return [root, act, link, sealAssertion(link, {}, laptop)]
      })(),
    ),
    one(
      'a detachment served on where the license does not allow it',
      'not_detachable',
      (() => {
        const root = sealLicense({ detach: { maxDays: 14 } })
        const act = sealActivation(root)
        const first = sealDetachment(act)
        const second = sealLease(first, { next: desktop.jwk, depth: 2, exp: now + 500 }, laptop)
        return [root, act, first, second, sealAssertion(second, {}, desktop)]
      })(),
    ),
  ]
}
