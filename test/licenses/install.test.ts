/**
 * Installing licenses: whom to trust, what was pasted, and what the seats of several licenses are together.
 */
import test from 'ava'
import { shortGroups } from '../../agent/domain/documents/keys.ts'
import { addSample } from '../../agent/sample.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { blockOf, damage, TestVendor } from './test-vendor.ts'

const acme = new TestVendor('acme')

/** Installs and must be able to. */
async function add(
  agent: MemoryAgent,
  ...licenses: readonly Parameters<typeof blockOf>[0][]
): Promise<readonly string[]> {
  const added = await agent.parts.desk.addLicenses(licenses.map(blockOf).join('\n'), true)
  if (added.kind === 'refused') throw new Error(`${added.code}: ${added.detail}`)
  return added.ids
}

test('a vendor that is new here is refused with its fingerprint, until somebody trusts it', async (t) => {
  const agent = await MemoryAgent.start()
  const text = blockOf(acme.license())
  const refused = await agent.parts.desk.addLicenses(text, false)
  t.like(refused, {
    kind: 'refused',
    code: 'untrusted_vendor',
    facts: { vendor: 'acme', fingerprint: shortGroups(acme.key.id) },
  })
  t.deepEqual(agent.parts.shelf.list(), [])
  t.like(await agent.parts.desk.addLicenses(text, true), { kind: 'added' })
  t.like(await agent.parts.desk.addLicenses(blockOf(acme.license()), false), { kind: 'added' })
  await agent.restart()
  t.like(await agent.parts.desk.addLicenses(blockOf(acme.license()), false), { kind: 'added' })
  t.is((await agent.entries('vendor.trusted')).length, 1)
  t.true(agent.license(agent.parts.shelf.list()[0]?.license.payload.id ?? '').vendor.trusted)
})

test('trust binds the short name of a vendor to its key: another key of that name is refused, trusted or not', async (t) => {
  const agent = await MemoryAgent.start()
  await add(agent, acme.license())
  const pretender = new TestVendor('acme', sampleKey('pretender'))
  for (const trust of [false, true]) {
    const refused = await agent.parts.desk.addLicenses(blockOf(pretender.license()), trust)
    t.like(refused, {
      code: 'vendor_name_taken',
      facts: { fingerprint: shortGroups(pretender.key.id), trusted: shortGroups(acme.key.id) },
    })
  }
  t.is(agent.parts.shelf.list().length, 1)
})

test('two vendors of one name in the same batch: one is trusted, the other refused', async (t) => {
  const agent = await MemoryAgent.start()
  const pretender = new TestVendor('acme', sampleKey('pretender'))
  const outcomes = await Promise.all([
    agent.parts.licenses.install(acme.license(), true),
    agent.parts.licenses.install(pretender.license(), true),
  ])
  t.deepEqual(
    outcomes.map((one) => (one.kind === 'refused' ? one.code : one.kind)),
    ['installed', 'vendor_name_taken'],
  )
  t.is(agent.parts.vendors.list().length, 1)
  await agent.restart()
  t.true(agent.parts.vendors.isTrusted('acme', acme.key.id))
})

test('a license is found in a mail that was quoted, wrapped and decorated', async (t) => {
  const agent = await MemoryAgent.start()
  const license = acme.license()
  const lines = blockOf(license).split('\n')
  const mail = [
    'Hello Ana,\r',
    'here is what I got from them. From -----BEGIN to END, they said.\r',
    ...lines.map((line) => `> > ${line}\r`),
    '> > Kind regards',
    'Ben',
  ].join('\n')
  t.deepEqual(await agent.parts.desk.addLicenses(mail, true), { kind: 'added', ids: [license.payload.id] })
  const other = acme.license()
  const wrapped = blockOf(other).replace(/(\S{40})(?=\S)/g, '$1\n   ')
  t.deepEqual(await agent.parts.desk.addLicenses(wrapped, false), { kind: 'added', ids: [other.payload.id] })
})

test('several licenses in one text are all installed; what is installed already is passed over', async (t) => {
  const agent = await MemoryAgent.start()
  const [one, two, three] = [acme.license(), acme.license(), acme.license()]
  t.deepEqual(await add(agent, one, two), [one.payload.id, two.payload.id])
  t.deepEqual(await add(agent, one, three), [three.payload.id])
  t.like(await agent.parts.desk.addLicenses(blockOf(one) + blockOf(two), true), { code: 'already_applied' })
  t.is((await agent.entries('license.installed')).length, 3)
})

test('none of several licenses is installed where one of them can not be', async (t) => {
  const agent = await MemoryAgent.start()
  await add(agent, acme.license())
  const stranger = new TestVendor('other')
  const good = acme.license()
  t.like(await agent.parts.desk.addLicenses(blockOf(good) + blockOf(stranger.license()), false), {
    code: 'untrusted_vendor',
  })
  t.like(await agent.parts.desk.addLicenses(blockOf(good) + damage(blockOf(acme.license())), false), {
    code: 'document_altered',
  })
  t.is(agent.parts.shelf.list().length, 1)
})

test('the same license twice is already applied, another text of the same id is refused', async (t) => {
  const agent = await MemoryAgent.start()
  const license = acme.license()
  const other = acme.license({ id: license.payload.id, products: [{ name: 'cad', seats: 500 }] })
  const twice = await Promise.all([
    agent.parts.licenses.install(license, true),
    agent.parts.licenses.install(license, true),
    agent.parts.licenses.install(other, true),
  ])
  t.deepEqual(
    twice.map((one) => (one.kind === 'refused' ? one.code : one.kind)),
    ['installed', 'already_applied', 'document_superseded'],
  )
  t.like(await agent.parts.desk.addLicenses(blockOf(license), true), { code: 'already_applied' })
  t.like(await agent.parts.desk.addLicenses(blockOf(other), true), { code: 'document_superseded' })
  t.is((await agent.entries('license.installed')).length, 1)
  t.is(agent.products()[0]?.seats, 5)
})

test('a text with another block, with no block or with half a block says so', async (t) => {
  const agent = await MemoryAgent.start()
  const { desk, licenses } = agent.parts
  t.like(await desk.addLicenses('just talk', true), { code: 'not_a_document' })
  const license = acme.license({ activation: { needed: true } })
  await add(agent, license)
  const requested = await licenses.requestActivation(license.payload.id)
  if (requested.kind === 'refused') throw new Error(requested.detail)
  const block = desk.writeBlock(requested.text)
  t.like(await desk.addLicenses(block, true), { code: 'not_a_document' })
  t.like(await desk.process(block, { apply: true, trust: false }), { code: 'wrong_recipient' })
  t.like(await desk.addLicenses(blockOf(license).slice(0, 500), true), { code: 'document_altered' })
})

test('a text is described without being applied, and each of several blocks has an outcome of its own', async (t) => {
  const agent = await MemoryAgent.start()
  const { desk } = agent.parts
  const license = acme.license({ customer: 'Workshop' })
  const seen = await desk.process(blockOf(license), { apply: false, trust: true })
  t.like(seen, {
    documents: [
      {
        type: 'license',
        license: license.payload.id,
        applied: false,
        summary: 'A license of acme: 5 × Acme CAD, for Workshop.',
        fingerprint: shortGroups(acme.key.id),
      },
    ],
  })
  t.deepEqual(agent.parts.shelf.list(), [])
  t.like(await desk.process(blockOf(license), { apply: false, trust: false }), {
    documents: [{ refused: { code: 'untrusted_vendor' } }],
  })
  await add(agent, license)
  const outcome = await desk.process(blockOf(license) + blockOf(acme.license()), { apply: true, trust: false })
  t.like(outcome, { documents: [{ applied: false, refused: { code: 'already_applied' } }, { applied: true }] })
})

test('I4: a second license for the same product adds its seats: 5 + 3 = 8', async (t) => {
  const agent = await MemoryAgent.start()
  await add(agent, acme.license(), acme.license({ products: [{ name: 'cad', seats: 3 }] }))
  t.like(agent.products(), [{ id: 'acme/cad', seats: 8, used: 0, free: 8 }])
  const sessions = []
  for (let seat = 1; seat <= 8; seat++) sessions.push(await agent.seat())
  t.like(await agent.open(), { code: 'no_seats', detail: '8 of 8 seats of acme/cad are in use.' })
  t.like(agent.products(), [{ seats: 8, used: 8, free: 0 }])
  await agent.restart()
  t.is(await agent.refusal(), 'no_seats')
  for (const session of sessions) await agent.close(session)
  t.like(agent.products(), [{ used: 0, free: 8 }])
})

test('I12: a stand-alone and a network license of one product serve this machine together', async (t) => {
  const agent = await MemoryAgent.start()
  const standalone = acme.license({ kind: 'standalone', products: [{ name: 'cad', seats: 1 }] })
  const [alone, shared] = await add(agent, standalone, acme.license({ products: [{ name: 'cad', seats: 1 }] }))
  t.is(agent.license(alone ?? '').kind, 'standalone')
  t.is(agent.license(shared ?? '').kind, 'network')
  await agent.seat()
  await agent.seat()
  t.is(await agent.refusal(), 'no_seats')
  t.deepEqual(
    [alone, shared].map((id) => agent.license(id ?? '').products[0]?.used),
    [1, 1],
  )
})

test('the own limits of a feature add up over two licenses and leave the rest of the seats free', async (t) => {
  const agent = await MemoryAgent.start()
  const render = (seats: number) => [{ name: 'render', title: 'Rendering', seats }, { name: 'export' }]
  await add(
    agent,
    acme.license({ products: [{ name: 'cad', seats: 5, features: render(2) }] }),
    acme.license({ products: [{ name: 'cad', seats: 3, features: render(1) }] }),
  )
  for (let seat = 1; seat <= 3; seat++) await agent.seat({ feature: 'render' })
  t.like(await agent.open({ feature: 'render' }), { code: 'no_seats', facts: { feature: 'render' } })
  t.like(agent.features(), [
    { product: 'acme/cad', name: 'export', limit: 8, used: 0 },
    { product: 'acme/cad', name: 'render', title: 'Rendering', limit: 3, used: 3, access: 'network' },
  ])
  for (let seat = 4; seat <= 8; seat++) await agent.seat({ feature: 'export' })
  t.is(await agent.refusal(), 'no_seats')
  t.is(await agent.refusal({ feature: 'simulate' }), 'unknown_feature')
})

test('M6: any-product seats are used after the own ones, shown in a row of their own, and given back first', async (t) => {
  const agent = await MemoryAgent.start()
  await add(
    agent,
    acme.license({
      products: [
        { name: 'cad', seats: 1 },
        { name: 'cam', seats: 1 },
        { any: true, seats: 2 },
      ],
    }),
  )
  const own = await agent.seat()
  await agent.seat()
  t.like(agent.products(), [
    { id: 'acme/*', title: 'Any product', seats: 2, used: 1, free: 1, anyProductFree: 0 },
    { id: 'acme/cad', seats: 1, used: 1, free: 0, anyProductFree: 1 },
    { id: 'acme/cam', seats: 1, used: 0, free: 1, anyProductFree: 1 },
  ])
  await agent.seat({ product: 'acme/sketch' })
  t.is(await agent.refusal({ product: 'acme/sketch' }), 'no_seats')
  t.like(agent.products(), [{ id: 'acme/*', used: 2, free: 0 }, { anyProductFree: 0 }, { anyProductFree: 0 }])
  await agent.seat({ product: 'acme/cam' })
  await agent.close(own)
  t.like(agent.products(), [
    { id: 'acme/*', used: 1 },
    { id: 'acme/cad', used: 1 },
    { id: 'acme/cam', used: 1 },
  ])
  t.is((await agent.entries('session.moved')).length, 1)
})

test('a license of any-product seats alone has a row too', async (t) => {
  const agent = await MemoryAgent.start()
  await add(agent, acme.license({ products: [{ any: true, seats: 2 }] }))
  await agent.seat({ product: 'cad' })
  t.like(agent.products(), [{ id: 'acme/*', vendor: 'acme', name: '*', seats: 2, used: 1, free: 1 }])
})

test('the sample vendor gives seats and proofs at once, and seats alone where the hardware can not be read', async (t) => {
  const agent = await MemoryAgent.start()
  const parts = () => ({
    licenses: agent.parts.licenses,
    wall: () => agent.clock.wall(),
    randomId: agent.parts.randomId,
  })
  const sample = await addSample(parts())
  if (sample.kind === 'refused') throw new Error(sample.detail)
  t.like(agent.license(sample.id), { state: 'active', activation: { number: 1 } })
  const product = agent.license(sample.id).products[0]?.product ?? ''
  t.is((await agent.seat({ product, feature: 'render', nonce: 'nonce-of-a-sample-1' })).proof?.length, 3)
  agent.hardware = { processor: 'Example' }
  await agent.restart()
  const poor = await addSample(parts())
  if (poor.kind === 'refused') throw new Error(poor.detail)
  t.is(agent.state(poor.id), 'active')
  t.is(agent.license(poor.id).activation.needed, false)
})

test('a store that is read anew has every license, its vendor and its seats', async (t) => {
  const agent = await MemoryAgent.start()
  const [id = ''] = await add(
    agent,
    acme.license({ customer: 'Workshop', products: [{ name: 'cad', title: 'CAD', seats: 2 }] }),
  )
  const before = agent.license(id)
  await agent.seat()
  await agent.reboot()
  t.deepEqual(agent.license(id), {
    ...before,
    products: [{ ...before.products[0], used: 1 }] as typeof before.products,
  })
})
