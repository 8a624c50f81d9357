import test from 'ava'
import fc from 'fast-check'
import { type DetachWish, detachable, placeDetachment, poolOf, reservedSeats } from '../../agent/domain/detaching.ts'
import type { Grant } from '../../agent/domain/grant.ts'
import { supply, World } from './world.ts'

const day = 86_400_000
const none = { seats: 0, percent: 0 }
const ana = { email: 'ana@x.example' }

function wish(more: Partial<DetachWish> = {}): DetachWish {
  return { product: 'acme/cad', seats: 1, until: 7 * day, days: 7, reserved: none, ...more }
}

function place(world: World, more: Partial<DetachWish> = {}) {
  return placeDetachment(world.book.draft(), wish(more))
}

function detach(world: World, id: string, from: string, seats: number): void {
  const draft = world.book.draft()
  world.open(`${id}-as`)
  const like = world.book.grant(`${id}-as`)
  world.run({ kind: 'end', id: `${id}-as` })
  if (!like) throw new Error('no seat')
  const grant: Grant = { ...like, id, kind: 'detachment', seats, parts: [{ supply: from, seats }], until: 7 * day }
  draft.putGrant(grant)
  world.book.apply(draft)
}

test('S7: reserved is the larger of a count and a percentage, rounded up, and never more than there are', (t) => {
  t.is(reservedSeats(10, { seats: 2, percent: 0 }), 2)
  t.is(reservedSeats(10, { seats: 2, percent: 25 }), 3)
  t.is(reservedSeats(10, { seats: 4, percent: 25 }), 4)
  t.is(reservedSeats(100, { seats: 0, percent: 7 }), 7)
  t.is(reservedSeats(3, { seats: 9, percent: 0 }), 3)
  t.is(reservedSeats(3, { seats: 0, percent: 100 }), 3)
  t.is(reservedSeats(0, { seats: 1, percent: 50 }), 0)
})

test('S7: detachable is what is neither reserved nor in use, less what is detached', (t) => {
  t.is(detachable({ seats: 10, used: 0, detached: 0 }, none), 10)
  t.is(detachable({ seats: 10, used: 3, detached: 2 }, none), 5)
  t.is(detachable({ seats: 10, used: 1, detached: 2 }, { seats: 4, percent: 0 }), 4)
  t.is(detachable({ seats: 10, used: 9, detached: 1 }, { seats: 4, percent: 0 }), 0)
  t.is(detachable({ seats: 2, used: 3, detached: 1 }, none), 0)
})

test('S7: the reserved seats are never detached, and what is detached and used together is within the seats', (t) => {
  const pools = fc.record({ seats: fc.nat(50), used: fc.nat(50), detached: fc.nat(50) })
  const reserves = fc.record({ seats: fc.nat(60), percent: fc.nat(100) })
  fc.assert(
    fc.property(pools, reserves, (pool, reserved) => {
      const more = detachable(pool, reserved)
      if (more === 0) return
      const detached = pool.detached + more
      t.true(pool.used + detached <= pool.seats)
      t.true(detached <= pool.seats - reserved.seats)
      t.true(detached <= pool.seats - (pool.seats * reserved.percent) / 100)
    }),
  )
})

test('a pool counts detached seats apart from those in use', (t) => {
  const world = new World([supply('l1', { seats: 4, rule: 'user' }), supply('l2', { seats: 3 })])
  detach(world, 'd', 'l1', 2)
  world.open('ana-1', { who: ana })
  world.open('ana-2', { who: ana })
  world.open('b', { seats: 2 })
  t.deepEqual(poolOf(world.book, world.book.suppliesFor('acme/cad')), { seats: 7, used: 3, detached: 2 })
})

test('R22: a detachment comes from one supply that lasts until its date and allows as many days', (t) => {
  const world = new World([
    supply('forbids', { seats: 9 }),
    supply('short', { seats: 9, maxDetachDays: 3 }),
    supply('ends', { seats: 9, maxDetachDays: 30, until: 6 * day }),
    supply('long', { seats: 2, maxDetachDays: 30, until: 7 * day }),
  ])
  t.deepEqual(place(world), { kind: 'placed', part: { supply: 'long', seats: 1 } })
  t.deepEqual(place(world, { seats: 3 }), { kind: 'too_many_seats', detachable: 2 })
  t.deepEqual(place(world, { until: 7 * day + 1 }), { kind: 'beyond_license_end', until: 7 * day })
  t.deepEqual(place(world, { until: 40 * day, days: 40 }), { kind: 'beyond_maximum', days: 30 })
  t.like(place(world, { until: day, days: 1, seats: 9 }), { kind: 'placed', part: { seats: 9 } })
})

test('not detachable: licenses that say so, stand-alone ones, leased seats, and a feature that is not there', (t) => {
  const world = new World([
    supply('l1'),
    supply('l2', { maxDetachDays: 14, local: true }),
    supply('l3', { maxDetachDays: 14, kind: 'lease' }),
    supply('l4', { maxDetachDays: 14, takes: { kind: 'renewals', why: 'license_blocked' } }),
  ])
  t.deepEqual(place(world), { kind: 'not_detachable' })
  world.run({ kind: 'supply', supply: supply('l5', { maxDetachDays: 14, features: { draw: 1 } }) })
  t.deepEqual(place(world, { feature: 'fly' }), { kind: 'not_detachable' })
  t.like(place(world, { feature: 'draw' }), { kind: 'placed', part: { supply: 'l5' } })
})

test('S7: the seat that is being converted is not in the way, one that somebody else shares is', (t) => {
  const world = new World([supply('l1', { seats: 2, rule: 'user', maxDetachDays: 14 })])
  world.open('ana', { who: ana })
  world.open('bob', { who: { email: 'bob@x.example' } })
  t.deepEqual(place(world), { kind: 'too_many_seats', detachable: 0 })
  const converting = world.book.grant('ana')
  if (!converting) throw new Error('no seat')
  t.like(place(world, { converting: [converting] }), { kind: 'placed' })
  t.deepEqual(place(world, { converting: [converting], reserved: { seats: 2, percent: 0 } }), {
    kind: 'too_many_seats',
    detachable: 0,
  })
  world.open('ana-again', { who: ana })
  t.deepEqual(place(world, { converting: [converting] }), { kind: 'too_many_seats', detachable: 0 })
})

test('R17: a detached seat is shared by no key, and it never moves', (t) => {
  const world = new World([supply('l1', { seats: 2, rule: 'user', maxDetachDays: 14 }), supply('l2', { seats: 2 })])
  detach(world, 'd', 'l1', 1)
  t.is(world.open('ana', { who: ana }), 'granted')
  t.is(world.book.used('l1'), 2)
  world.run({ kind: 'drop supply', id: 'l1' })
  t.deepEqual(world.seatsOf('d'), { l1: 1 })
  t.deepEqual(world.seatsOf('ana'), { l2: 1 })
})

test('seats detached to this machine are used before its licenses, and serve keys of their own', (t) => {
  const world = new World([
    supply('own', { rule: 'user', seats: 2 }),
    supply('taken along', { kind: 'detachment', rule: 'user', until: 7 * day }),
  ])
  t.is(world.open('ana-1', { who: ana }), 'granted')
  t.is(world.open('ana-2', { who: ana }), 'granted')
  t.is(world.open('bob', { who: { email: 'bob@x.example' } }), 'granted')
  t.deepEqual(
    [world.seatsOf('ana-1'), world.seatsOf('ana-2'), world.seatsOf('bob')],
    [{ 'taken along': 1 }, { 'taken along': 1 }, { own: 1 }],
  )
})
