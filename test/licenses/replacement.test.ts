/**
 * I13: licenses that take the place of others.
 */
import test from 'ava'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { activate, begin } from './bound-license.ts'
import { blockOf, days, type LicenseTerms, type TestLicense, TestVendor } from './test-vendor.ts'

const minute = 60_000
const start = Date.UTC(2027, 0, 4, 8)
const acme = new TestVendor('acme')

function at(ms: number): number {
  return Math.floor(ms / 1000)
}

/** An agent with a license of so many seats, so many of them in use, that has been replaced by a license of other terms. */
async function replaced(seats: number, used: number, terms: LicenseTerms, vendor = acme) {
  const agent = await MemoryAgent.start()
  const old = acme.license({ products: [{ name: 'cad', seats, features: [{ name: 'render' }] }] })
  const oldId = await agent.install(blockOf(old))
  const sessions = []
  for (let count = 0; count < used; count++) sessions.push(await agent.seat())
  const id = await agent.install(blockOf(vendor.license({ replaces: [oldId], ...terms })))
  return { agent, old, oldId, id, sessions }
}

async function kept(agent: MemoryAgent, sessions: Awaited<ReturnType<typeof replaced>>['sessions']): Promise<number> {
  const beats = await Promise.all(sessions.map((session) => agent.beat(session)))
  return beats.filter((beat) => beat.kind === 'kept').length
}

test('I13: a license with more seats takes the place of another one; live sessions go on, and seats do not add up', async (t) => {
  const { agent, oldId, id, sessions } = await replaced(3, 3, { products: [{ name: 'cad', seats: 5 }] })
  t.like(agent.license(oldId), { state: 'replaced', replacedBy: id, actions: ['remove'] })
  t.like(agent.products(), [{ seats: 5, used: 3, free: 2 }])
  t.is(await kept(agent, sessions), 3)
  await agent.seat()
  await agent.seat()
  t.is(await agent.refusal(), 'no_seats')
  await agent.reboot()
  t.like(agent.products(), [{ seats: 5, used: 5 }])
  t.deepEqual(await agent.entries('seat.overlap'), [])
  t.like(await agent.entries('license.replaced'), [{ facts: { license: oldId, by: id } }])
  t.like(await agent.parts.licenses.deactivate(oldId, false), { kind: 'refused' })
})

test('R6: with fewer seats than are out nobody is thrown out, nothing is granted until below, and the excess is journaled', async (t) => {
  const { agent, id, sessions } = await replaced(5, 5, { products: [{ name: 'cad', seats: 3 }] })
  t.is(await kept(agent, sessions), 5)
  t.like(agent.products(), [{ seats: 3, used: 5, free: 0 }])
  t.like(await agent.entries('seat.overlap'), [{ facts: { license: id, seats: 2, reason: 'license_replaced' } }])
  await agent.restart()
  t.is(await kept(agent, sessions), 5)
  for (const session of sessions.slice(0, 2)) {
    t.is(await agent.refusal(), 'no_seats')
    await agent.close(session)
  }
  t.is(await agent.refusal(), 'no_seats', '3 of 3 are in use')
  const [, , third] = sessions
  if (third) await agent.close(third)
  t.is(await agent.refusal(), undefined)
  t.is((await agent.entries('seat.overlap')).length, 1)
})

test('the license of another vendor replaces nothing', async (t) => {
  const { agent, oldId } = await replaced(3, 1, { products: [{ name: 'cad', seats: 5 }] }, new TestVendor('rival'))
  t.is(agent.state(oldId), 'active')
  t.like(agent.products(), [
    { id: 'acme/cad', seats: 3, used: 1 },
    { id: 'rival/cad', seats: 5, used: 0 },
  ])
})

test('sessions of a product that the new license covers with any-product seats go there, the rest end', async (t) => {
  const { agent, sessions } = await replaced(3, 3, { products: [{ any: true, seats: 2 }] })
  t.is(await kept(agent, sessions), 3)
  t.like(agent.products(), [
    { id: 'acme/*', seats: 2, used: 3 },
    { id: 'acme/cad', seats: 0, used: 0 },
  ])
  const gone = await replaced(3, 2, { products: [{ name: 'cam', seats: 5 }] })
  t.is(await kept(gone.agent, gone.sessions), 0)
})

test('a session moves to the lease time of the license that takes over', async (t) => {
  const { agent, sessions } = await replaced(1, 1, { leaseSeconds: 60 })
  const [session] = sessions
  const beat = session && (await agent.beat(session))
  t.true(beat?.kind === 'kept' && beat.session.expiresIn === 60)
})

test('a license that begins later takes the place of the old one on its day, and until then the old one serves', async (t) => {
  const { agent, oldId, id, sessions } = await replaced(3, 2, {
    nbf: at(start + days(2)),
    products: [{ name: 'cad', seats: 4 }],
  })
  t.is(agent.state(oldId), 'active')
  t.like(agent.products(), [{ seats: 3, used: 2 }])
  for (const session of sessions) await agent.close(session)
  await agent.pass(days(2) - 5 * minute)
  const late = [await agent.seat(), await agent.seat()]
  await agent.pass(5 * minute)
  t.is(agent.state(oldId), 'replaced')
  t.is(agent.state(id), 'active')
  t.is(await kept(agent, late), 2)
  t.like(agent.products(), [{ seats: 4, used: 2 }])
})

test('a replaced license that is removed and comes back does not serve beside the one that took its place', async (t) => {
  const { agent, old, oldId } = await replaced(3, 0, { products: [{ name: 'cad', seats: 4 }] })
  await agent.parts.licenses.remove(oldId)
  await agent.install(blockOf(old))
  t.is(agent.state(oldId), 'replaced')
  t.like(agent.products(), [{ seats: 4 }])
})

test('seats that were out of a license when it was removed count in the one that takes its place', async (t) => {
  const agent = await MemoryAgent.start()
  const old = acme.license({ products: [{ name: 'cad', seats: 2 }] })
  const oldId = await agent.install(blockOf(old))
  await agent.seat()
  await agent.parts.licenses.remove(oldId)
  await agent.install(blockOf(acme.license({ replaces: [oldId], products: [{ name: 'cad', seats: 2 }] })))
  await agent.install(blockOf(old))
  t.like(agent.products(), [{ seats: 2, used: 1 }])
  await agent.seat()
  t.is(await agent.refusal(), 'no_seats')
})

test('a chain of replacements leaves the last one, in whatever order they came', async (t) => {
  const one = acme.license({ products: [{ name: 'cad', seats: 1 }] })
  const two = acme.license({ replaces: [one.payload.id], products: [{ name: 'cad', seats: 2 }] })
  const three = acme.license({ replaces: [two.payload.id], products: [{ name: 'cad', seats: 3 }] })
  const orders: TestLicense[][] = [
    [one, two, three],
    [three, two, one],
    [two, three, one],
    [one, three, two],
  ]
  for (const order of orders) {
    const agent = await MemoryAgent.start()
    for (const license of order) await agent.install(blockOf(license))
    t.deepEqual(
      [one, two, three].map(({ payload }) => agent.state(payload.id)),
      ['replaced', 'replaced', 'active'],
    )
    t.like(agent.products(), [{ seats: 3, free: 3 }])
  }
})

test('a license that is over already when it is installed replaces nothing', async (t) => {
  const { agent, oldId, id } = await replaced(3, 0, { exp: at(start - days(1)) })
  t.is(agent.state(id), 'expired')
  t.is(agent.state(oldId), 'active')
})

test('sessions go through a chain of replacements to the license that serves now', async (t) => {
  const agent = await MemoryAgent.start()
  const one = acme.license({ products: [{ name: 'cad', seats: 2 }] })
  const two = acme.license({ replaces: [one.payload.id], products: [{ name: 'cad', seats: 2 }] })
  const three = acme.license({ replaces: [two.payload.id], products: [{ name: 'cad', seats: 1 }] })
  await agent.install(blockOf(one))
  const sessions = [await agent.seat(), await agent.seat()]
  await agent.install(blockOf(three))
  await agent.install(blockOf(two))
  t.is(await kept(agent, sessions), 2)
  t.is(agent.license(three.payload.id).products[0]?.used, 2)
  t.like(agent.products(), [{ seats: 1, used: 2, free: 0 }])
})

test('a session whose feature the new license does not have ends; the others of its product go on', async (t) => {
  const { agent, oldId } = await replaced(3, 1, { products: [{ name: 'cam', seats: 1 }], nbf: at(start + days(1)) })
  const [render, plain] = [await agent.seat({ feature: 'render' }), await agent.seat()]
  await agent.install(blockOf(acme.license({ replaces: [oldId], products: [{ name: 'cad', seats: 3 }] })))
  t.is(await kept(agent, [render]), 0)
  t.is(await kept(agent, [plain]), 1)
})

test('a license that was active and has ended keeps the place of what it replaced', async (t) => {
  const { agent, vendor, license, id } = await begin({ exp: at(start + days(1)), replaces: ['license-before'] })
  await activate(agent, vendor, license)
  await agent.pass(days(2))
  t.is(agent.state(id), 'expired')
  await agent.install(blockOf(vendor.license({ id: 'license-before' })))
  t.is(agent.state('license-before'), 'replaced')
  t.is(await agent.refusal(), 'license_expired')
})
