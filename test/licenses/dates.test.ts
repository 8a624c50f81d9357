/**
 * Licenses over time: beginning and end by the date floor, warnings, and removal.
 */
import test from 'ava'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { blockOf, days, type LicenseTerms, TestVendor } from './test-vendor.ts'

const minute = 60_000
const hour = 60 * minute
/** A holder that is answered that its session has ended gives its seat back so much later, in ms. */
const heard = 2_000
const start = Date.UTC(2027, 0, 4, 8)
const acme = new TestVendor('acme')

function at(ms: number): number {
  return Math.floor(ms / 1000)
}

async function withLicense(terms: LicenseTerms) {
  const agent = await MemoryAgent.start()
  // Ten minutes on, so that a wall that is set ahead is a step and not what was found at the start.
  await agent.pass(10 * minute)
  return { agent, id: await agent.install(blockOf(acme.license(terms))) }
}

test('a license goes through its states by the date', async (t) => {
  const { agent, id } = await withLicense({ nbf: at(start + days(2)), exp: at(start + days(60)) })
  t.like(agent.license(id), { state: 'not_yet_valid', daysLeft: 60, beginsAt: '2027-01-06T08:00:00.000Z' })
  t.is(await agent.refusal(), 'license_not_yet_valid')
  await agent.pass(days(2))
  t.is(agent.state(id), 'active')
  await agent.close(await agent.seat())
  await agent.pass(days(29))
  t.like(agent.license(id), { state: 'expiring', daysLeft: 29 })
  await agent.close(await agent.seat())
  await agent.pass(days(29))
  t.like(agent.license(id), { state: 'expired', daysLeft: 0 })
  t.is(await agent.refusal(), 'license_expired')
  t.like(await agent.entries('license.expired'), [{ facts: { license: id, ended: 'license' } }])
  t.true(agent.parts.changed.filter((one) => one === id).length >= 4, 'each change of state is told')
})

test('the end of a license with several products is journaled once, also when it came while the agent was off', async (t) => {
  const terms = {
    exp: at(start + days(3)),
    products: [
      { name: 'cad', seats: 1 },
      { name: 'cam', seats: 1 },
    ],
  }
  const { agent, id } = await withLicense(terms)
  await agent.stop()
  agent.clock.advance(days(4))
  await agent.restart()
  t.is(agent.state(id), 'expired')
  await agent.restart()
  await agent.look()
  t.like(await agent.entries('license.expired'), [{ facts: { license: id } }])
  t.is((await agent.entries('license.expired')).length, 1)
})

test('R11: after a boot only the wall says how long the machine was off, and it is believed after an hour of running', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + days(3)) })
  await agent.reboot(days(4))
  t.is(agent.state(id), 'expiring')
  t.is(await agent.refusal(), 'license_expired')
  await agent.pass(hour)
  t.is(agent.state(id), 'expired')
})

test('the end of a license ends its sessions with `expired`, and no promise outlives it', async (t) => {
  const { agent } = await withLicense({ exp: at(start + hour) })
  await agent.pass(40 * minute)
  const session = await agent.seat()
  t.is(session.expiresIn, 600)
  for (let told = session.expiresIn; told > 0; ) {
    await agent.pass(5_000)
    const beat = await agent.beat(session)
    const left = (start + hour - agent.clock.wall()) / 1000
    if (beat.kind === 'refused') {
      t.true(left <= 0)
      t.like(beat, { code: 'session_ended', facts: { reason: 'expired' } })
      break
    }
    told = beat.session.expiresIn
    t.true(told <= left, `${told} s are told with ${left} s left`)
  }
  t.is(await agent.refusal(), 'license_expired')
  await agent.pass(heard)
  t.is(agent.products()[0]?.used, 0)
})

test('a session goes on from another license when its own ends', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + hour), products: [{ name: 'cad', seats: 2 }] })
  const sessions = [await agent.seat(), await agent.seat()]
  const spare = await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 1 }] })))
  for (let minutes = 0; minutes < 50; minutes++) {
    await agent.pass(minute)
    for (const session of sessions) await agent.beat(session)
  }
  const kept = await Promise.all(sessions.map(async (session) => (await agent.beat(session)).kind))
  t.deepEqual(kept.sort(), ['kept', 'refused'])
  await agent.pass(heard)
  t.is(agent.license(spare).products[0]?.used, 1)
  t.is(agent.license(id).products[0]?.used, 0)
})

test('R11: a wall set far ahead ends nothing and frees nothing, but takes no new sessions of what only it would end', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + days(60)), products: [{ name: 'cad', seats: 2 }] })
  await agent.install(blockOf(acme.license({ products: [{ name: 'cam', seats: 1 }] })))
  const session = await agent.seat()
  agent.clock.setWall(agent.clock.wall() + days(365))
  t.is((await agent.beat(session)).kind, 'kept', 'before anybody has looked at the date')
  await agent.look()
  t.is(await agent.refusal(), 'license_expired')
  t.is(await agent.refusal({ product: 'acme/cam' }), undefined, 'what has no end goes on')
  for (let minutes = 0; minutes < 120; minutes += 5) {
    await agent.pass(5 * minute)
    const beat = await agent.beat(session)
    if (beat.kind === 'refused') return t.fail(`after ${minutes} minutes: ${beat.detail}`)
  }
  t.is(agent.license(id).products[0]?.used, 1)
  t.deepEqual(await agent.entries('license.expired'), [])
  // Honest users are not locked out: the clock is put right, and everything is as before.
  agent.clock.setWall(agent.clock.wall() - days(365))
  await agent.look()
  t.is(agent.state(id), 'active')
  t.is(await agent.refusal(), undefined)
})

test('R11: a wall ahead that is still there after a day of running is the date', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + days(60)) })
  const session = await agent.seat()
  agent.clock.setWall(agent.clock.wall() + days(365))
  await agent.look()
  for (let hours = 0; hours < 24; hours++) await agent.pass(hour)
  t.is(agent.state(id), 'expired')
  t.like(await agent.beat(session), { code: 'session_ended' })
  t.is((await agent.entries('license.expired')).length, 1)
})

test('R11: what only a wall ahead would begin waits for it to be believed', async (t) => {
  const { agent, id } = await withLicense({ nbf: at(start + days(30)) })
  agent.clock.setWall(agent.clock.wall() + days(31))
  await agent.look()
  t.is(agent.state(id), 'not_yet_valid')
  t.is(await agent.refusal(), 'license_not_yet_valid')
  for (let hours = 0; hours < 24; hours++) await agent.pass(hour)
  t.is(agent.state(id), 'active')
  t.is(await agent.refusal(), undefined)
})

test('R11: a time that the vendor signed confirms a date for its licenses, and for no other', async (t) => {
  const { agent, id } = await withLicense({ nbf: at(start + days(30)) })
  const rival = new TestVendor('rival')
  const other = await agent.install(blockOf(rival.license({ nbf: at(start + days(30)) })))
  await agent.install(blockOf(acme.license({ products: [{ name: 'cam', seats: 1 }] }, start + days(31))))
  t.is(agent.state(id), 'active')
  t.is(await agent.refusal(), undefined)
  t.is(agent.state(other), 'not_yet_valid')
  t.is(await agent.refusal({ product: 'rival/cad' }), 'license_not_yet_valid')
  await agent.restart()
  t.is(agent.state(id), 'active')
})

test('R11: a clock set back lengthens nothing', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + days(10)) })
  await agent.pass(days(5))
  agent.clock.setWall(start)
  await agent.reboot()
  t.is(agent.license(id).daysLeft, 5)
  await agent.pass(days(5))
  t.is(agent.state(id), 'expired')
})

test('R11: a date up to five minutes ahead ends a license early by no more than that, and nothing ends early otherwise', async (t) => {
  const { agent, id } = await withLicense({ exp: at(start + hour) })
  agent.clock.setWall(agent.clock.wall() + 5 * minute)
  await agent.pass(44 * minute)
  t.is(agent.state(id), 'expiring')
  t.is(await agent.refusal(), undefined)
  await agent.pass(minute)
  t.is(agent.state(id), 'expired')
})

test('M8: the end is warned of from 30 days before, with the days that are left', async (t) => {
  const { agent, id } = await withLicense({
    exp: at(start + days(40)),
    products: [{ name: 'cad', title: 'Acme CAD', seats: 1 }],
  })
  const warnings = () => agent.parts.health.list().map(({ code, severity, text }) => ({ code, severity, text }))
  const seen: string[] = []
  for (let day = 40; day >= 0; day--) {
    for (const { code, text } of warnings()) seen.push(`${day} ${code} ${text}`)
    await agent.pass(days(1))
  }
  t.is(seen.length, 30 + 1)
  for (const day of [30, 14, 7, 3]) t.true(seen.includes(`${day} license_expiring acme: Acme CAD ends in ${day} days.`))
  t.true(seen.includes('1 license_expiring acme: Acme CAD ends in 1 day.'))
  t.like(warnings(), [{ code: 'license_expired', severity: 'error' }])
  await agent.parts.licenses.remove(id)
  await agent.look()
  t.deepEqual(warnings(), [])
})

test('R6: a removed license takes its seats out of the pool; those in use end at their time and are counted until then', async (t) => {
  const license = acme.license({ products: [{ name: 'cad', seats: 2 }] })
  const agent = await MemoryAgent.start()
  const id = await agent.install(blockOf(license))
  const [silent, beating] = [await agent.seat(), await agent.seat()]
  await agent.parts.licenses.remove(id)
  t.deepEqual(agent.products(), [])
  t.is(await agent.refusal(), 'unknown_product')
  t.like(await agent.beat(beating), { code: 'session_ended', facts: { reason: 'license_removed' } })
  await agent.pass(heard)

  await agent.install(blockOf(license))
  t.is(agent.license(id).products[0]?.used, 1, 'the one that has not confirmed its end still counts')
  await agent.seat()
  t.is(await agent.refusal(), 'no_seats')
  await agent.pass(614_000 - heard)
  t.is(agent.license(id).products[0]?.used, 2)
  await agent.pass(2_000)
  t.true((agent.license(id).products[0]?.used ?? 2) < 2)
  t.like(await agent.beat(silent), { code: 'session_ended' })
})

test('R6: a license that comes back after a restart finds the seats that were out of it', async (t) => {
  const license = acme.license({ products: [{ name: 'cad', seats: 1 }] })
  const agent = await MemoryAgent.start()
  const id = await agent.install(blockOf(license))
  await agent.seat()
  await agent.parts.licenses.remove(id)
  await agent.reboot()
  await agent.install(blockOf(license))
  t.is(await agent.refusal(), 'no_seats')
})

test('sessions of a removed license go on from another one that has room', async (t) => {
  const agent = await MemoryAgent.start()
  const [one, two] = [await agent.install(blockOf(acme.license())), await agent.install(blockOf(acme.license()))]
  const sessions = await Promise.all(Array.from({ length: 4 }, () => agent.seat()))
  await agent.parts.licenses.remove(one)
  for (const session of sessions) t.like(await agent.beat(session), { kind: 'kept' })
  t.is(agent.license(two).products[0]?.used, 4)
  t.like(await agent.parts.licenses.remove(one), { code: 'unknown_license' })
})
