import test from 'ava'
import { openSupplies } from '../../agent/domain/placement.ts'
import { anySupply, supply, World } from './world.ts'

const minute = 60_000
const ana = { who: { email: 'ana@x.example' } }
const bob = { who: { email: 'bob@x.example' } }

function orderOf(world: World, feature?: string): string[] {
  const wanted = { product: 'acme/cad', ...(feature === undefined ? {} : { feature }) } as const
  return openSupplies(world.book, wanted, world.now).map((one) => one.id)
}

// ---- the order of supplies

test('detached seats come before own licenses, own licenses before leases', (t) => {
  const world = new World([
    supply('lease', { kind: 'lease' }),
    supply('own', { kind: 'license' }),
    supply('detached', { kind: 'detachment' }),
  ])
  t.deepEqual(orderOf(world), ['detached', 'own', 'lease'])
})

test('M6: any-product seats come after the own seats of the product, and only of the same vendor', (t) => {
  const world = new World([
    anySupply('any'),
    supply('own'),
    supply('cam', { product: 'cam' }),
    anySupply('other', { vendor: 'other' }),
  ])
  t.deepEqual(orderOf(world), ['own', 'any'])
})

test('R31: a supply that ends within one lease time comes last, even before any-product seats', (t) => {
  const world = new World([
    supply('ending', { until: 9 * minute }),
    anySupply('any'),
    supply('later', { until: 60 * minute }),
    supply('never'),
  ])
  t.deepEqual(orderOf(world), ['never', 'later', 'any', 'ending'])
  world.now = 55 * minute
  t.deepEqual(orderOf(world), ['never', 'any', 'later'])
})

test('a supply takes part only if it takes sessions and has the feature', (t) => {
  const world = new World([
    supply('l1', { features: { draw: null } }),
    supply('l2'),
    supply('l3', { takes: { kind: 'renewals', why: 'license_expired' } }),
    anySupply('any'),
  ])
  t.deepEqual(orderOf(world), ['l1', 'l2', 'any'])
  t.deepEqual(orderOf(world, 'draw'), ['l1', 'any'])
})

// ---- where the seats are taken

test('M6: an any-product seat is taken only when no own seat is free', (t) => {
  const world = new World([anySupply('any', { seats: 2 }), supply('own', { seats: 2 })])
  for (const id of ['a', 'b', 'c']) world.open(id)
  t.deepEqual([world.seatsOf('a'), world.seatsOf('b'), world.seatsOf('c')], [{ own: 1 }, { own: 1 }, { any: 1 }])
})

test('R18: a session goes where its key lives, before the order of supplies', (t) => {
  const world = new World([supply('b-later', { rule: 'user' }), supply('a-first', { rule: 'user' })])
  world.open('bob', bob)
  world.open('ana-1', ana)
  t.deepEqual(world.seatsOf('ana-1'), { 'b-later': 1 })
  world.run({ kind: 'end', id: 'bob' })
  world.open('ana-2', ana)
  t.deepEqual(world.seatsOf('ana-2'), { 'b-later': 1 })
  t.is(world.book.used('a-first'), 0)
})

test('R18: a session of several seats has parts in several supplies, first where its key lives', (t) => {
  const world = new World([
    supply('l1', { seats: 2, rule: 'user' }),
    supply('l2', { seats: 2, rule: 'user' }),
    anySupply('l3', { seats: 2, rule: 'user' }),
  ])
  world.open('ana-1', { ...ana, seats: 5 })
  t.deepEqual(world.seatsOf('ana-1'), { l1: 2, l2: 2, l3: 1 })
  t.is(world.open('bob-1', { ...bob, seats: 2 }), 'short')
  t.is(world.open('ana-2', { ...ana, seats: 6 }), 'granted')
  t.deepEqual(world.seatsOf('ana-2'), { l1: 2, l2: 2, l3: 2 })
  t.deepEqual(
    ['l1', 'l2', 'l3'].map((id) => world.book.used(id)),
    [2, 2, 2],
  )
})

test('a feature has at most as many seats as its limit, added up over licenses', (t) => {
  const world = new World([
    supply('l1', { seats: 3, features: { draw: 1, print: null } }),
    supply('l2', { seats: 3, features: { draw: 2 } }),
  ])
  for (const id of ['a', 'b', 'c']) t.is(world.open(id, { feature: 'draw' }), 'granted')
  t.is(world.open('d', { feature: 'draw' }), 'short')
  for (const id of ['e', 'f']) t.is(world.open(id, { feature: 'print' }), 'granted')
  t.is(world.open('g', { feature: 'print' }), 'short')
  t.is(world.open('h'), 'granted')
  t.is(world.open('i'), 'short')
})

test('a key counts once for a feature too', (t) => {
  const world = new World([supply('l1', { seats: 3, rule: 'user', features: { draw: 1 } })])
  t.is(world.open('ana-1', { ...ana, feature: 'draw' }), 'granted')
  t.is(world.open('ana-2', { ...ana, feature: 'draw' }), 'granted')
  t.is(world.open('bob-1', { ...bob, feature: 'draw' }), 'short')
  t.is(world.open('bob-2', bob), 'granted')
})

test('R30: a request may share what its key has, but neither a free seat nor a free seat of a feature', (t) => {
  const sharedOnly = { ...ana, sharedOnly: true } as const
  const world = new World([supply('l1', { seats: 5, rule: 'user', features: { draw: 2 } })])
  t.is(world.open('ana-0', sharedOnly), 'short')
  world.open('ana-1', { ...ana, seats: 2 })
  t.is(world.open('ana-2', { ...sharedOnly, seats: 2 }), 'granted')
  t.is(world.open('ana-3', { ...sharedOnly, seats: 3 }), 'short')
  t.is(world.open('ana-4', { ...sharedOnly, feature: 'draw' }), 'short')
  world.open('ana-5', { ...ana, feature: 'draw' })
  t.is(world.open('ana-4', { ...sharedOnly, feature: 'draw' }), 'granted')
  t.is(world.book.used('l1'), 2)
})

// ---- moving

test('R31: a session on an any-product seat moves back when an own seat comes free', (t) => {
  const world = new World([supply('own'), anySupply('any', { seats: 2 })])
  for (const id of ['a', 'b', 'c']) world.open(id)
  world.run({ kind: 'end', id: 'a' })
  t.deepEqual([world.seatsOf('b'), world.seatsOf('c')], [{ own: 1 }, { any: 1 }])
})

test('R31: as many sessions move back as a new license has seats, those first that came first', (t) => {
  const world = new World([anySupply('any', { seats: 4 })])
  world.open('cam', { product: 'acme/cam' })
  for (const id of ['a', 'b', 'c']) world.open(id)
  world.run({ kind: 'supply', supply: supply('own', { seats: 2 }) })
  t.deepEqual(
    ['cam', 'a', 'b', 'c'].map((id) => world.seatsOf(id)),
    [{ any: 1 }, { own: 1 }, { own: 1 }, { any: 1 }],
  )
})

test('R31: what ends in one supply lets sessions move back into each of its supplies', (t) => {
  const world = new World([supply('l1'), supply('l2'), anySupply('any', { seats: 2 })])
  world.open('both', { seats: 2 })
  for (const id of ['a', 'b']) world.open(id)
  world.run({ kind: 'end', id: 'both' })
  t.is(world.book.used('any'), 0)
})

test('R31: nobody moves back into a supply that ends within a lease time, nor one whose end is before what was promised', (t) => {
  const world = new World([anySupply('any', { leaseSeconds: 3600 })])
  world.open('a')
  world.run({ kind: 'supply', supply: supply('own', { leaseSeconds: 60, until: 30 * minute }) })
  t.deepEqual(world.seatsOf('a'), { any: 1 })
  world.now = 59 * minute
  world.run({ kind: 'supply', supply: supply('own', { leaseSeconds: 600, until: 65 * minute }) })
  t.deepEqual(world.seatsOf('a'), { any: 1 })
  world.run({ kind: 'supply', supply: supply('own', { leaseSeconds: 60, until: 65 * minute }) })
  t.deepEqual(world.seatsOf('a'), { own: 1 })
  t.is(world.book.grant('a')?.leaseSeconds, 60)
})

test('R31: an any-product seat is made free for another product by moving who has an own seat free', (t) => {
  const own = supply('own', { takes: { kind: 'renewals', why: 'clock_set_back' } })
  const world = new World([anySupply('any'), own])
  world.open('a')
  const draft = world.book.draft()
  draft.putSupply(supply('own'))
  world.book.apply(draft)
  t.is(world.open('cam', { product: 'acme/cam' }), 'granted')
  t.deepEqual([world.seatsOf('a'), world.seatsOf('cam')], [{ own: 1 }, { any: 1 }])
})

test('R31: a license with a feature is made free for it by moving sessions that need it not, those of one key together', (t) => {
  const world = new World([
    supply('a-with', { seats: 1, rule: 'user', features: { draw: null } }),
    supply('b-without', { seats: 1, rule: 'user' }),
  ])
  world.open('ana-1', ana)
  world.open('ana-2', ana)
  t.deepEqual(world.seatsOf('ana-2'), { 'a-with': 1 })
  t.is(world.open('bob', { ...bob, feature: 'draw' }), 'granted')
  t.deepEqual([world.seatsOf('ana-1'), world.seatsOf('ana-2')], [{ 'b-without': 1 }, { 'b-without': 1 }])
  t.is(world.open('cid', { who: { email: 'cid@x.example' } }), 'short')
})

test('R31: a move that does not help is taken back', (t) => {
  const world = new World([supply('a-with', { seats: 2, features: { draw: null } }), supply('b-without', { seats: 1 })])
  for (const id of ['a', 'b']) world.open(id)
  const draft = world.book.draft()
  t.is(world.open('c', { seats: 2, feature: 'draw' }), 'short')
  t.deepEqual([world.seatsOf('a'), world.seatsOf('b')], [{ 'a-with': 1 }, { 'a-with': 1 }])
  t.is(draft.grantChanges.size, 0)
  t.is(world.book.used('b-without'), 0)
})

test('R31: only who makes room is moved', (t) => {
  const world = new World([supply('l1'), anySupply('any', { seats: 2 })])
  world.open('a')
  world.open('cam', { product: 'acme/cam' })
  const draft = world.book.draft()
  draft.putSupply(supply('l2', { product: 'cam' }))
  world.book.apply(draft)
  t.is(world.open('b', { seats: 2 }), 'granted')
  t.deepEqual(
    ['a', 'cam', 'b'].map((id) => world.seatsOf(id)),
    [{ l1: 1 }, { l2: 1 }, { any: 2 }],
  )
})

test('R31: two moves that help only together are made', (t) => {
  const world = new World([supply('a-with', { seats: 2, features: { draw: null } }), supply('b-without', { seats: 2 })])
  for (const id of ['a', 'b']) world.open(id)
  t.is(world.open('c', { seats: 2, feature: 'draw' }), 'granted')
  t.deepEqual(world.seatsOf('c'), { 'a-with': 2 })
  t.is(world.book.used('b-without'), 2)
})

test('R31: when a supply ends its sessions move to others that last, and the rest begin to end', (t) => {
  const world = new World([supply('l1', { seats: 3 }), anySupply('any'), supply('l2', { until: 5 * minute })])
  for (const id of ['a', 'b', 'c']) world.open(id)
  world.run({ kind: 'drop supply', id: 'l1' })
  t.deepEqual(world.seatsOf('a'), { any: 1 })
  for (const id of ['b', 'c']) t.is(world.book.grant(id)?.ending, 'license_removed')
  t.is(world.book.used('l2'), 0)
  t.is(world.book.used('l1'), 2)
})

test('R5: a session that is ending moves nowhere', (t) => {
  const world = new World([supply('own'), anySupply('any')])
  for (const id of ['a', 'b']) world.open(id)
  world.run({ kind: 'ending', id: 'b' })
  world.run({ kind: 'end', id: 'a' })
  t.deepEqual(world.seatsOf('b'), { any: 1 })
})
