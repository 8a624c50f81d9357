import test from 'ava'
import fc from 'fast-check'
import { peerGrantId } from '../../agent/domain/grant.ts'
import type { LeaseTerms } from '../../agent/domain/leasing.ts'
import { decideOpen, type LeaseCommand } from '../../agent/domain/seats.ts'
import { endsSoon, leasableSeconds, promiseSeconds, type Supply } from '../../agent/domain/supply.ts'
import { anySupply, command, recount, supply, World } from './world.ts'

const minute = 60_000
const ana = { email: 'ana@x.example' }
const bob = { email: 'bob@x.example' }

function lease(
  id: string,
  { terms = {}, ...more }: Partial<Omit<LeaseCommand, 'lease'>> & { readonly terms?: Partial<LeaseTerms> } = {},
): LeaseCommand {
  const holder = more.holder ?? 'agent-a'
  const { who = {} } = more
  return {
    ...command(id),
    ...more,
    id: peerGrantId(holder, id),
    holder,
    who,
    kind: 'lease',
    lease: { purpose: 'session', facts: { agent: holder, ...who }, chain: [holder], ...terms },
  }
}

function ask(world: World, asked: LeaseCommand, returned: readonly string[] = []) {
  const draft = world.book.draft()
  const grants = returned.flatMap((id) => world.book.grant(id) ?? [])
  const outcome = decideOpen(draft, asked, world.context, grants)
  world.book.apply(draft)
  world.settle()
  return outcome
}

// ---- how many, and where

test('a lease has all its seats from one supply, and the refusal says how many one could have', (t) => {
  const world = new World([supply('l1', { seats: 2 }), supply('l2', { seats: 3 })])
  world.open('s', { seats: 2 })
  t.deepEqual(world.seatsOf('s'), { l1: 2 })
  t.deepEqual(ask(world, lease('a', { seats: 4 })), { kind: 'too_many', seats: 3, largest: 3 })
  world.open('s2')
  t.deepEqual(ask(world, lease('a', { seats: 3 })), { kind: 'short', largest: 2 })
  t.like(ask(world, lease('a', { seats: 2 })), { kind: 'granted', grant: { kind: 'lease', seats: 2 } })
  t.deepEqual(ask(world, lease('b')), { kind: 'short', largest: 0 })
})

test('a reserve takes what there is, from the supply that has the most', (t) => {
  const world = new World([supply('l1', { seats: 2, rule: 'user' }), supply('l2', { seats: 5, rule: 'user' })])
  const asked = lease('r', { seats: 9, who: ana, terms: { purpose: 'reserve' } })
  t.like(ask(world, asked), { kind: 'granted', grant: { seats: 5, parts: [{ supply: 'l2', seats: 5 }] } })
  t.is(world.book.grant('agent-a/r')?.parts[0]?.key, undefined, 'it is keyless whatever the rule says')
  t.is(ask(world, asked).kind, 'repeated')
  t.like(ask(world, lease('r2', { seats: 1, terms: { purpose: 'reserve' } })), { kind: 'granted', grant: { seats: 1 } })
  t.like(ask(world, lease('r3', { seats: 3, terms: { purpose: 'reserve' } })), { kind: 'granted', grant: { seats: 1 } })
  t.deepEqual(ask(world, lease('r4', { terms: { purpose: 'reserve' } })), { kind: 'short', largest: 0 })
})

test('a lease is first where its key lives already, be it of a local session', (t) => {
  const world = new World([supply('l1', { rule: 'user', seats: 3 }), supply('l2', { rule: 'user', seats: 3 })])
  world.open('cid', { who: { email: 'cid@x.example' }, seats: 3 })
  world.open('ana', { who: ana })
  world.run({ kind: 'end', id: 'cid' })
  t.like(ask(world, lease('a', { who: ana })), { kind: 'granted', grant: { parts: [{ supply: 'l2' }] } })
  t.is(world.book.used('l2'), 1, 'one seat for both')
  t.like(ask(world, lease('b', { who: ana, seats: 2 })), { kind: 'granted', grant: { parts: [{ supply: 'l2' }] } })
  t.is(world.book.used('l2'), 2, 'a key occupies the most of its grants')
  t.like(ask(world, lease('c', { who: bob })), { kind: 'granted', grant: { parts: [{ supply: 'l1' }] } })
})

test('R30: while others wait a lease may share a key, and nothing else', (t) => {
  const world = new World([supply('l1', { rule: 'user', seats: 3 })])
  world.open('ana', { who: ana })
  t.deepEqual(ask(world, lease('b', { who: bob, sharedOnly: true })), { kind: 'short', largest: 0 })
  t.deepEqual(ask(world, lease('a2', { who: ana, seats: 2, sharedOnly: true })), { kind: 'short', largest: 0 })
  t.is(ask(world, lease('a1', { who: ana, sharedOnly: true })).kind, 'granted')
})

test('R31: local sessions make room for a lease in one supply, and are left where that is of no use', (t) => {
  const world = new World([
    supply('l1', { seats: 2, features: { draw: null } }),
    supply('l2', { seats: 1 }),
    supply('l3', { seats: 1, features: { draw: null }, takes: { kind: 'renewals', why: 'license_expired' } }),
  ])
  world.open('s1')
  world.open('s2')
  t.deepEqual(ask(world, lease('a', { seats: 2, feature: 'draw' })), { kind: 'short', largest: 0 })
  t.deepEqual(world.seatsOf('s1'), { l1: 1 })
  t.like(ask(world, lease('a', { feature: 'draw' })), { kind: 'granted', grant: { parts: [{ supply: 'l1' }] } })
  t.deepEqual(world.seatsOf('s1'), { l2: 1 })
})

test('leases never move: not to own seats that come free, and not when their license ends', (t) => {
  const world = new World([
    supply('l1'),
    anySupply('any', { seats: 2 }),
    supply('l2', { takes: { kind: 'renewals', why: 'license_expired' } }),
  ])
  world.open('s')
  ask(world, lease('a'))
  t.deepEqual(world.seatsOf('agent-a/a'), { any: 1 })
  world.run({ kind: 'end', id: 's' })
  t.deepEqual(world.seatsOf('agent-a/a'), { any: 1 })
  world.run({ kind: 'supply', supply: supply('l2', { seats: 5 }) })
  world.run({ kind: 'drop supply', id: 'any' })
  t.deepEqual(world.seatsOf('agent-a/a'), { any: 1 })
  t.is(world.book.grant('agent-a/a')?.ending, 'license_removed')
})

test('a limit of a feature counts leases like sessions', (t) => {
  const world = new World([supply('l1', { seats: 5, features: { draw: 2 } })])
  ask(world, lease('a', { seats: 1, feature: 'draw' }))
  t.deepEqual(ask(world, lease('b', { seats: 2, feature: 'draw' })), { kind: 'short', largest: 1 })
  t.like(ask(world, lease('r', { seats: 3, feature: 'draw', terms: { purpose: 'reserve' } })), { grant: { seats: 1 } })
  t.is(world.open('s', { feature: 'draw' }), 'short')
  t.is(world.open('s'), 'granted')
  t.deepEqual(ask(world, lease('c', { feature: 'fly' })), { kind: 'unknown_feature' })
})

test('R28: as few waiting leases as make room are taken over, and none where even all would not', (t) => {
  const world = new World([supply('l1', { seats: 3 })])
  const back = ['a', 'b', 'c'].map((id) => peerGrantId('agent-a', id))
  for (const id of ['a', 'b', 'c']) ask(world, lease(id))
  for (const id of back) world.run({ kind: 'ending', id })
  t.deepEqual(ask(world, lease('x', { seats: 2 })), { kind: 'short', largest: 0 })
  t.like(ask(world, lease('x', { seats: 2 }), back), { kind: 'granted', takenOver: [{ id: back[0] }, { id: back[1] }] })
  t.is(world.book.used('l1'), 3)
  t.like(world.book.tombstone(back[1] ?? ''), { reason: 'released', peer: true })
  const draft = world.book.draft()
  t.is(
    decideOpen(
      draft,
      lease('y', { seats: 2 }),
      world.context,
      world.book.grant(back[2] ?? '') ? [world.book.grant(back[2] ?? '') as never] : [],
    ).kind,
    'short',
  )
  t.is(draft.grantChanges.size, 0)
})

// ---- for whom a leased supply is

test('R17: a supply under a key serves that key only, one for a feature that feature only', (t) => {
  const world = new World([supply('own', { rule: 'user', seats: 5 })])
  world.open('ana', { who: ana })
  const key = world.book.grant('ana')?.parts[0]?.key ?? ''
  const leased = { kind: 'lease', rule: 'user', license: 'own', seats: 5 } as const
  const held = new World([
    supply('keyed', { ...leased, onlyKey: key }),
    supply('drawing', { ...leased, onlyFeature: 'draw' }),
    supply('plain', { ...leased, onlyFeature: null, takes: { kind: 'renewals', why: 'lease_returning' } }),
  ])
  t.is(held.open('bob', { who: bob }), 'unknown_product')
  t.is(held.open('bob-draws', { who: bob, feature: 'draw' }), 'granted')
  t.deepEqual(held.seatsOf('bob-draws'), { drawing: 1 })
  t.is(held.open('ana', { who: { email: ' ANA@x.example' } }), 'granted')
  t.deepEqual(held.seatsOf('ana'), { keyed: 1 })
  t.is(held.open('nobody'), 'unknown_product')
  t.is(held.open('fly', { who: bob, feature: 'fly' }), 'unknown_product', 'what there is elsewhere is not known here')
  t.is(ask(held, lease('a', { who: ana })).kind, 'granted', 'and may be passed on under that key')
  t.deepEqual(ask(held, lease('r', { who: ana, terms: { purpose: 'reserve' } })), { kind: 'unknown_product' })
  held.run({ kind: 'supply', supply: supply('plain', { ...leased, onlyFeature: null }) })
  t.is(held.open('bob-2', { who: bob }), 'granted')
})

test('who trusts one vendor key has seats of licenses that it signed, and of no others, also when it moves', (t) => {
  const world = new World([supply('l1', { vendorKey: 'key-1' }), supply('l2', { seats: 2 })])
  t.is(world.open('a', { vendorKey: 'key-2' }), 'unknown_product')
  t.is(world.open('b', { vendorKey: 'key-1' }), 'granted')
  t.is(world.open('c', { vendorKey: 'key-1' }), 'short')
  t.deepEqual(ask(world, lease('d', { vendorKey: 'key-1' })), { kind: 'short', largest: 0 })
  world.run({ kind: 'drop supply', id: 'l1' })
  t.is(world.book.grant('b')?.ending, 'license_removed')
})

test('M6: a lease that comes does not draw local sessions off any-product seats', (t) => {
  const world = new World([anySupply('any', { seats: 2 })])
  world.open('a')
  world.run({ kind: 'supply', supply: supply('l1', { kind: 'lease', until: 10 * minute }) })
  t.deepEqual(world.seatsOf('a'), { any: 1 })
  world.run({ kind: 'supply', supply: supply('l2') })
  t.deepEqual(world.seatsOf('a'), { l2: 1 })
})

test('R20: why a leased supply takes nothing is that its manager was not heard; of one that returns nothing is said', (t) => {
  const world = new World([supply('l1', { kind: 'lease', takes: { kind: 'renewals', why: 'lease_returning' } })])
  t.is(world.open('a'), 'unknown_product')
  world.run({
    kind: 'supply',
    supply: supply('l2', { kind: 'lease', takes: { kind: 'renewals', why: 'manager_unreachable' } }),
  })
  const closed = { kind: 'closed', why: 'manager_unreachable' } as const
  t.deepEqual(decideOpen(world.book.draft(), command('a'), world.context), closed)
  world.run({ kind: 'supply', supply: supply('l2', { kind: 'lease', until: 0 }) })
  t.deepEqual(decideOpen(world.book.draft(), command('a'), world.context), closed)
  world.run({ kind: 'supply', supply: supply('own', { takes: { kind: 'nothing', why: 'license_expired' } }) })
  t.deepEqual(decideOpen(world.book.draft(), command('a'), world.context), { kind: 'closed', why: 'license_expired' })
})

test('R10: what came from another agent is leased on for its grace less; a license for all that it lasts', (t) => {
  const license = supply('l1', { until: 10 * minute })
  const leased = supply('l2', { kind: 'lease', until: 10 * minute })
  t.is(leasableSeconds(license, 0), 600)
  t.is(leasableSeconds(leased, 0), 585)
  t.is(leasableSeconds(supply('l3', { kind: 'lease', leaseSeconds: 7200, until: 7_200_000 }), 0), 7164)
  t.is(leasableSeconds(leased, 590_000), 0)
  t.is(promiseSeconds(leased, 590_000), 10)
  t.is(leasableSeconds(supply('l4'), 0), 600)
})

test('R10: of several supplies one that lasts long enough is taken; without one the lease is too short', (t) => {
  const world = new World([
    supply('l1', { kind: 'lease', until: 20_000 }),
    supply('l2', { kind: 'lease', until: 25_000, seats: 1 }),
  ])
  t.like(ask(world, lease('a')), { kind: 'granted', grant: { parts: [{ supply: 'l2' }] } })
  t.deepEqual(ask(world, lease('b')), { kind: 'short', largest: 0 })
  world.now = 1
  t.deepEqual(ask(world, lease('c')), { kind: 'lease_too_short' })
})

test('R31: a lease is renewed with a third of it gone, so it ends soon when half is left', (t) => {
  const leased = supply('l1', { kind: 'lease', until: 10 * minute })
  t.false(endsSoon(leased, 5 * minute))
  t.true(endsSoon(leased, 5 * minute + 1))
  t.true(endsSoon(supply('l2', { until: 10 * minute }), 1))
})

// ---- random histories

const people = [undefined, ana, bob]
const supplies: fc.Arbitrary<Supply> = fc
  .record({
    id: fc.constantFrom('l1', 'l2', 'l3'),
    seats: fc.nat({ max: 4 }),
    rule: fc.constantFrom('session' as const, 'user' as const),
    limit: fc.constantFrom(null, 1, 2),
    depth: fc.constantFrom(0, 1, 4),
    chain: fc.constantFrom<readonly string[]>([], ['agent-a'], ['agent-z']),
    local: fc.constantFrom(false, false, true),
  })
  .map(({ limit, local, ...rest }) =>
    supply(`${rest.id}-${rest.rule}`, {
      ...rest,
      id: `${rest.id}-${rest.rule}`,
      features: { draw: limit },
      ...(local ? { local: true } : {}),
    }),
  )

const asks = fc
  .record({
    holder: fc.constantFrom('agent-a', 'agent-b'),
    seats: fc.integer({ min: 1, max: 4 }),
    who: fc.constantFrom(...people),
    feature: fc.constantFrom(undefined, 'draw'),
    purpose: fc.constantFrom('session' as const, 'session' as const, 'reserve' as const),
    isSession: fc.boolean(),
    end: fc.constantFrom(false, false, true),
  })
  .map((one) => one)

test('in every history a lease is in one supply that may be leased to who asked, within its seats, and what the refusal promises is true', (t) => {
  fc.assert(
    fc.property(
      fc.array(supplies, { minLength: 1, maxLength: 4 }),
      fc.array(asks, { maxLength: 20 }),
      (all, wishes) => {
        const world = new World(all)
        wishes.forEach(({ holder, seats, who, feature, purpose, isSession, end }, at) => {
          const named = { seats, ...(who === undefined ? {} : { who }), ...(feature === undefined ? {} : { feature }) }
          const id = `g${at}`
          if (isSession) world.open(id, named)
          else {
            const asked = (size: number, fresh: string) =>
              lease(fresh, { ...named, seats: size, holder, terms: { purpose } })
            const largest = (size: number) => {
              const outcome = decideOpen(world.book.draft(), asked(size, 'probe'), world.context)
              return outcome.kind === 'granted' ? outcome.grant.seats : 0
            }
            const outcome = ask(world, asked(seats, id))
            if (outcome.kind === 'granted') {
              const { grant } = outcome
              const [part] = grant.parts
              const found = world.book.supply(part?.supply ?? '')
              if (grant.parts.length !== 1 || part?.seats !== grant.seats) throw new Error('not in one supply')
              if (purpose === 'session' ? grant.seats !== seats : grant.seats > seats) throw new Error('other seats')
              if (!found || found.local || found.depth === 0 || found.chain.includes(holder))
                throw new Error('not leasable')
            } else if (outcome.kind === 'short' || outcome.kind === 'too_many') {
              const most = outcome.largest ?? Number.NaN
              if (!(most < seats)) throw new Error(`refused ${seats} though there are ${most}`)
              if (most > 0 && largest(most) !== most) throw new Error(`there are no ${most}`)
              if (largest(most + 1) > most && purpose === 'session' && most + 1 >= seats)
                throw new Error('there are more')
            }
          }
          if (end) world.run({ kind: 'end', id: isSession ? id : peerGrantId(holder, id) })
          const counted = recount(world.book.grants())
          for (const one of world.book.supplies()) {
            if (world.book.used(one.id) !== (counted.get(one.id) ?? 0)) throw new Error('counted wrongly')
            if (world.book.used(one.id) > one.seats) throw new Error('more than there are')
          }
        })
      },
    ),
    { numRuns: 400 },
  )
  t.pass()
})
