/**
 * Leases of a machine that become a detachment (R16): what lives on them goes on, and no seat is used twice meanwhile.
 */
import test from 'ava'
import { blockOf } from '../licenses/test-vendor.ts'
import { type Machine, minute, turns } from './machine.ts'
import { iso, monday, office, outOf, refusal, take, wish } from './office.ts'

test('R16: a lease of the laptop that becomes the detachment needs no second seat, and its session goes on', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  t.like(await laptop.parts.detachments.plan(wish()), { plan: { seats: 1, detachable: 1 } })
  const { detachment } = await take(laptop)
  t.is(await server.used(), 1)
  t.deepEqual(
    [...server.parts.lessor.view.grants()].map(({ kind }) => kind),
    ['detachment'],
  )
  const session = laptop.parts.lessor.view.grant('ana')
  t.deepEqual(
    session?.parts.map(({ supply }) => supply),
    [detachment.id],
  )
  t.is(session?.ending, undefined)
  t.is(laptop.parts.leases.size, 0)
  server.isUp = false
  await laptop.pass(9 * minute)
  t.is((await laptop.parts.lessor.renew('ana')).kind, 'renewed')
})

test('R16: a lease is not given up for a detachment that ends before what its sessions were promised', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  const soon = iso(monday + 9 * minute)
  t.is((await refusal(laptop, { until: soon })).code, 'too_many_seats')
  t.is(laptop.parts.lessor.view.grant('ana')?.ending, undefined)
  t.is(laptop.parts.leases.size, 1)
})

test('R16: when the answer to the conversion is lost, the session lives on until it is heard', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  server.fates.push('reply lost')
  const detaching = take(laptop)
  await turns(2)
  // Its manager says that the lease is over, which it is for a detachment.
  await laptop.parts.leases.ended([{ id: 'lease-that-is-used-1', reason: 'detached' }])
  await detaching
  t.is(laptop.parts.lessor.view.grant('ana')?.ending, undefined)
  t.is(await server.used(), 1)
})

test('R16, R31: no session is moved to the seat of a lease while that becomes a detachment', async (t) => {
  const { laptop, server } = await office({
    products: [
      { name: 'cad', seats: 1 },
      { any: true, seats: 1 },
    ],
  })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await server.opens('ben'), 'granted')
  await take(laptop)
  const places = [...server.parts.lessor.view.grants()].map(({ kind, parts }) => `${kind} ${parts[0]?.supply}`)
  t.is(new Set(places.map((one) => one.split(' ')[1])).size, 2, places.join(', '))
  t.is(server.parts.lessor.view.grant('ben')?.ending, undefined)
})

test('R16: a lease of which another agent has its seat stays one', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 2 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await lend(laptop, 'lease-of-the-desk-1'), 'granted')
  await take(laptop)
  t.is(laptop.parts.lessor.view.grant('desk/lease-of-the-desk-1')?.ending, undefined)
  t.is(laptop.parts.leases.get('lease-that-is-used-1')?.state, 'held')
  t.is(await server.used(), 2)
})

test('R16: while a lease is to become a detachment nothing of it is lent, and after a refusal it is again', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  server.settings = { ...server.settings, reservedSeats: 1 }
  const refused = refusal(laptop)
  t.not(await lend(laptop, 'lease-of-the-desk-1'), 'granted')
  t.is((await refused).code, 'too_many_seats')
  t.is(await lend(laptop, 'lease-of-the-desk-2'), 'granted')
})

test('R16: two detachments that are asked for at once are not both made of the same lease', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  const [, other] = await Promise.all([take(laptop), refusal(laptop)])
  t.is(other.code, 'too_many_seats')
  t.is(laptop.parts.lessor.view.grant('ana')?.ending, undefined)
  t.is(await server.used(), 1)
})

test('R16: a detachment that nothing was heard of is not cancelled while its leases are in use', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }] })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  server.fates.push('reply lost', 'reply lost', 'reply lost')
  t.is((await refusal(laptop)).code, 'manager_unreachable')
  await laptop.pass(5_000)
  t.is(outOf(server).length, 1)
  t.is(laptop.parts.leases.get('lease-that-is-used-1')?.state, 'returning')
  t.not(await laptop.opens('ben'), 'granted')
  await laptop.parts.lessor.end('ana', 'released')
  await laptop.pass(2 * minute)
  await turns()
  t.is(await server.used(), 0)
})

test('R17: a lease of another license than the detachment is of stays one', async (t) => {
  const { vendor, laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }], detach: undefined })
  await lease(laptop, server, 'lease-that-is-used-1')
  t.is(await laptop.opens('ana'), 'granted')
  const other = vendor.license({
    id: 'another-license',
    products: [{ name: 'cad', seats: 1 }],
    detach: { maxDays: 30 },
  })
  await server.install(blockOf(other))
  await take(laptop)
  t.deepEqual(
    laptop.parts.lessor.view.grant('ana')?.parts.map(({ supply }) => supply),
    ['lease-that-is-used-1'],
  )
  t.is(laptop.parts.leases.get('lease-that-is-used-1')?.state, 'held')
  t.is(await server.used(), 2)
})

test('R16: what can not go on when its lease becomes a detachment has its seat of that until it ends', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 2 }] })
  for (const id of ['lease-that-is-used-1', 'lease-that-is-used-2']) await lease(laptop, server, id)
  t.is(await laptop.opens('ana', { seats: 2 }), 'granted')
  const { detachment } = await take(laptop)
  t.is(laptop.parts.lessor.view.used(detachment.id), 1)
  t.not(await laptop.opens('ben'), 'granted')
  t.is(await server.used(), 2)
})

/** Another agent asks the laptop for a seat. @returns in one word what came of it */
async function lend(laptop: Machine, id: string): Promise<string> {
  const answer = await laptop.parts.lessor.open({
    kind: 'lease',
    id: `desk/${id}`,
    instance: laptop.id,
    holder: 'desk',
    product: 'acme/cad',
    seats: 1,
    who: {},
    body: '',
    activity: 'heartbeat',
    waited: false,
    lease: { purpose: 'session', facts: { agent: 'desk' }, chain: ['desk'] },
  })
  return answer.kind
}

/** A lease of one seat that the laptop holds. */
async function lease(laptop: Machine, server: Machine, id: string): Promise<void> {
  const chain = [laptop.id]
  const ask = {
    product: 'acme/cad',
    seats: 1,
    purpose: 'session' as const,
    agent: laptop.id,
    who: {},
    machine: '',
    chain,
  }
  const boot = laptop.clock.boot()
  const granted = await server.parts.lessor.open({
    kind: 'lease',
    id: `${laptop.id}/${id}`,
    instance: server.id,
    holder: laptop.id,
    product: 'acme/cad',
    seats: 1,
    who: {},
    body: '',
    activity: 'heartbeat',
    waited: false,
    lease: { purpose: 'session', facts: { agent: laptop.id }, chain },
  })
  if (granted.kind !== 'granted') throw new Error(granted.kind)
  const { leases, writer } = laptop.parts
  await leases.prepare({
    id,
    state: 'asking',
    manager: { id: server.id, name: server.name },
    for: 'ana',
    ask,
    vendorKey: '',
    promisedFor: 0,
    written: { boot: boot.id, at: boot.at, wall: 0 },
    startedAt: 0,
  })
  const terms = {
    id,
    product: 'acme/cad',
    seats: 1,
    license: server.parts.lessor.view.supply(granted.grant.parts[0]?.supply ?? '')?.license ?? '',
    rule: 'session' as const,
    leaseSeconds: 600,
    depth: 3,
    chain: [server.id],
    overlap: true,
    proof: [],
  }
  const times = { expiresIn: 600, freeIn: 615, renewIn: 200 }
  await writer.submit((transaction) => leases.take(transaction, { id, lease: { ...terms, ...times }, sentAt: 0 }))
  leases.release(id)
}
