import test from 'ava'
import fc from 'fast-check'
import { openSession } from '../../../agent/http/api/shapes.ts'
import { takeUsualOpen } from '../../../agent/http/api/usual-open.ts'

const text = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('ana', 'acme/cad', 'nonce-of-an-application', 'ws 17', '', ' ') },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom('a\u202eb', 'a\nb', '\ud800', 'é', '\x7f') },
  { weight: 1, arbitrary: fc.nat({ max: 300 }).map((length) => 'x'.repeat(length)) },
)
const number = fc.oneof(
  fc.integer({ min: 1, max: 100_000 }),
  fc.constantFrom(0, 1.5, -1, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER),
)
const anything = fc.oneof(text, number, fc.constantFrom(null, true, [], {}, ['a']), fc.jsonValue())
const often = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 9, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anything })
const user = { account: often(text), email: often(text), displayName: often(text) }
const running = { id: often(number), name: often(text) }
const usual = {
  product: often(fc.constant('acme/cad')),
  user: often(fc.record(user, { requiredKeys: [] })),
  process: often(fc.record(running, { requiredKeys: [] })),
  host: often(text),
  application: often(text),
  nonce: often(fc.constant('nonce-of-an-application')),
}
const unusual = {
  feature: text,
  seats: number,
  wait: number,
  activity: text,
  vendorKey: text,
  other: anything,
}
const asked = fc
  .oneof(
    { weight: 6, arbitrary: fc.record(usual, { requiredKeys: ['product'] }) as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.record({ ...usual, ...unusual }, { requiredKeys: [] }) as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: anything as fc.Arbitrary<unknown> },
  )
  .map((value): unknown => JSON.parse(JSON.stringify(value)))

test('what is taken without the schema is exactly what the schema makes of it', (t) => {
  let taken = 0
  fc.assert(
    fc.property(asked, (value) => {
      const usual = takeUsualOpen(value)
      if (usual === undefined) return
      taken += 1
      const checked = openSession.safeParse(value)
      t.true(checked.success, JSON.stringify(value))
      t.deepEqual({ ...usual }, { ...checked.data } as typeof usual)
    }),
    { numRuns: 3_000 },
  )
  t.true(taken > 100, `only ${taken} were taken`)
})

test('what most applications send is taken without the schema', (t) => {
  const whole = {
    product: 'acme/cad',
    user: { account: 'ana', email: 'ana@example.org', displayName: 'Ana' },
    host: 'ws-17',
    process: { id: 4711, name: 'cad' },
    application: 'CAD 5.1',
    nonce: 'nonce-of-an-application',
  }
  t.deepEqual(takeUsualOpen(whole), { ...whole, seats: 1, activity: 'heartbeat' })
  t.deepEqual(takeUsualOpen({ product: 'acme/cad' }), { product: 'acme/cad', seats: 1, activity: 'heartbeat' })
  for (const unusual of [
    { seats: 2 },
    { wait: 60 },
    { activity: 'reported' },
    { feature: 'render' },
    { vendorKey: 'k' },
  ])
    t.is(takeUsualOpen({ ...whole, ...unusual }), undefined)
  t.is(takeUsualOpen(JSON.parse('{"product":"acme/cad","__proto__":{"host":"x"}}')), undefined)
  t.is(takeUsualOpen(undefined), undefined)
})
