import test from 'ava'
import fc from 'fast-check'
import { Book } from '../../agent/domain/book.ts'
import type { Grant } from '../../agent/domain/grant.ts'
import { decideOpen, type OpenOutcome, type SessionCommand } from '../../agent/domain/seats.ts'
import type { Supply, Takes } from '../../agent/domain/supply.ts'
import { featureUnit } from '../../agent/domain/usage.ts'
import { anySupply, command, describe, recount, rightKey, type Step, supply, World } from './world.ts'

// ---- random histories

const ids = ['s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8']
const people = ['ana@x.example', 'bob@x.example', 'cid@x.example']
const hour = 3_600_000

const takes: fc.Arbitrary<Takes> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Takes>({ kind: 'sessions' }) },
  { weight: 1, arbitrary: fc.constant<Takes>({ kind: 'renewals', why: 'license_expired' }) },
  { weight: 1, arbitrary: fc.constant<Takes>({ kind: 'nothing', why: 'license_expired' }) },
)

/** Three licenses of cad, one of cam, one for any product; a change of one of them is another one with the same id. */
const supplies: fc.Arbitrary<Supply> = fc
  .record({
    id: fc.constantFrom('l1/cad', 'l2/cad', 'l3/cad', 'l4/cam', 'l5/*'),
    seats: fc.nat({ max: 4 }),
    limit: fc.constantFrom(undefined, null, 0, 1, 2),
    takes,
    leaseSeconds: fc.constantFrom(20, 600, 3600),
  })
  .map(({ id, seats, limit, takes: taken, leaseSeconds }) => {
    const [license = '', product = ''] = id.split('/')
    // Rule and end belong to the license and never change.
    const rule = ({ l1: 'session', l2: 'user', l3: 'user', l4: 'host', l5: 'user' } as const)[license] ?? 'session'
    const hours = { l2: 0.1, l3: 1, l5: 0.5 }[license]
    const more = {
      seats,
      takes: taken,
      rule,
      leaseSeconds,
      features: limit === undefined ? {} : { draw: limit },
      ...(hours === undefined ? {} : { until: hours * hour }),
    }
    return product === '*' ? anySupply(id, more) : supply(id, { ...more, product })
  })

const commands: fc.Arbitrary<SessionCommand> = fc
  .record({
    id: fc.constantFrom(...ids),
    product: fc.constantFrom('acme/cad' as const, 'acme/cad' as const, 'acme/cam' as const),
    feature: fc.constantFrom(undefined, undefined, 'draw'),
    seats: fc.constantFrom(1, 1, 1, 2, 3),
    person: fc.constantFrom(undefined, ...people),
    sharedOnly: fc.constantFrom(undefined, undefined, undefined, true as const),
  })
  .map(({ id, product, feature, seats, person, sharedOnly }) =>
    command(id, {
      product,
      seats,
      ...(feature === undefined ? {} : { feature }),
      ...(person === undefined ? {} : { who: { email: person } }),
      ...(sharedOnly === undefined ? {} : { sharedOnly }),
    }),
  )

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: commands.map((one): Step => ({ kind: 'open', command: one })) },
  { weight: 4, arbitrary: fc.constantFrom(...ids).map((id): Step => ({ kind: 'end', id })) },
  { weight: 1, arbitrary: fc.constantFrom(...ids).map((id): Step => ({ kind: 'ending', id })) },
  { weight: 2, arbitrary: fc.constantFrom(...ids).map((id): Step => ({ kind: 'renew', id })) },
  { weight: 3, arbitrary: supplies.map((one): Step => ({ kind: 'supply', supply: one })) },
  { weight: 1, arbitrary: supplies.map((one): Step => ({ kind: 'drop supply', id: one.id })) },
)

const histories = fc.array(fc.record({ step: steps, pause: fc.constantFrom(0, 0, 0, 60_000, 900_000) }), {
  minLength: 1,
  maxLength: 40,
})

/** Session ids are granted once, so a history uses a fresh one after an end. */
function freshen(world: World, step: Step, used: Map<string, number>): Step {
  const named = (id: string): string => `${id}.${used.get(id) ?? 0}`
  if (step.kind === 'open') {
    const { id } = step.command
    if (world.book.tombstone(named(id))) used.set(id, (used.get(id) ?? 0) + 1)
    return { ...step, command: { ...step.command, id: named(id) } }
  }
  return step.kind === 'supply' || step.kind === 'drop supply' ? step : { ...step, id: named(step.id) }
}

function play(history: readonly { step: Step; pause: number }[], look: (world: World, step: Step) => void): void {
  const world = new World()
  const used = new Map<string, number>()
  for (const { step, pause } of history) {
    world.now += pause
    const fresh = freshen(world, step, used)
    look(world, fresh)
    world.run(fresh)
    if (fresh.kind === 'renew') world.renew(fresh.id)
  }
}

function eachState(history: readonly { step: Step; pause: number }[], check: (before: Book, world: World) => void) {
  const world = new World()
  const used = new Map<string, number>()
  for (const { step, pause } of history) {
    world.now += pause
    const fresh = freshen(world, step, used)
    const before = copyOf(world.book)
    world.run(fresh)
    if (fresh.kind === 'renew') world.renew(fresh.id)
    check(before, world)
  }
}

/** The same state, put together from nothing but its records. */
function copyOf(book: Book): Book {
  const copy = new Book()
  const draft = copy.draft()
  for (const one of book.supplies()) draft.putSupply(one)
  for (const one of book.grants()) draft.putGrant(structuredClone(one))
  for (const one of book.tombstones()) draft.putTombstone(one)
  copy.apply(draft)
  return copy
}

test('in every history the counts of the book are what a recount of its grants gives', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      eachState(history, (_, { book }) => {
        const counted = recount(book.grants())
        for (const one of book.supplies())
          for (const unit of [one.id, featureUnit(one.id, 'draw')]) t.is(book.used(unit), counted.get(unit) ?? 0, unit)
        for (const [unit, seats] of counted) t.is(book.used(unit), seats, unit)
        for (const one of book.supplies()) {
          const members = [...book.grantsOf(one.id)].map((grant) => grant.id)
          const right = [...book.grants()].filter((grant) => grant.parts.some((part) => part.supply === one.id))
          t.deepEqual(members.sort(), right.map((grant) => grant.id).sort())
        }
      })
    }),
    { numRuns: 300 },
  )
})

test('invariant 1: no supply and no limit of a feature is ever exceeded, unless it shrank, and then it only falls', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      eachState(history, (before, { book }) => {
        for (const one of book.supplies()) {
          t.true(book.used(one.id) <= Math.max(one.seats, before.used(one.id)), one.id)
          const limit = one.features.draw ?? one.seats
          const unit = featureUnit(one.id, 'draw')
          t.true(book.used(unit) <= Math.max(limit, before.used(unit)), unit)
        }
      })
    }),
    { numRuns: 500 },
  )
})

test('invariant 2: nothing is ever promised past the end of a supply, moved or not', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      eachState(history, (_, { book, promisedUntil }) => {
        for (const grant of book.grants()) {
          const promised = promisedUntil.get(grant.id) ?? 0
          for (const part of grant.parts)
            t.true(promised <= (book.supply(part.supply)?.until ?? promised), `${grant.id} in ${part.supply}`)
        }
      })
    }),
    { numRuns: 500 },
  )
})

test('in every history each part has the key of its supply, all seats are placed, and product and feature fit', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      eachState(history, (_, { book }) => {
        for (const grant of book.grants()) {
          t.is(
            grant.parts.reduce((sum, part) => sum + part.seats, 0),
            grant.seats,
          )
          t.is(new Set(grant.parts.map((part) => part.supply)).size, grant.parts.length)
          for (const part of grant.parts) {
            const found = book.supply(part.supply)
            if (!found) continue
            t.is(part.key, rightKey(grant, found))
            t.true(found.product === undefined || grant.product === `acme/${found.product}`)
          }
        }
      })
    }),
    { numRuns: 200 },
  )
})

test('R4: a draft that is dropped has changed nothing', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      play(history, (world, step) => {
        const before = describe(world.book)
        world.decide(world.book.draft(), step)
        t.deepEqual(describe(world.book), before)
      })
    }),
    { numRuns: 100 },
  )
})

test('a refusal leaves its draft as it was', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      play(history, (world, step) => {
        if (step.kind !== 'open') return
        const draft = world.book.draft()
        const outcome = decideOpen(draft, step.command, world.context)
        if (outcome.kind === 'granted') return
        t.is(draft.grantChanges.size, 0)
        for (const [unit, seats] of draft.usedChanges) t.is(seats, world.book.used(unit))
        for (const [key, holdings] of draft.holdingChanges) t.deepEqual(holdings, world.book.holdings(key))
      })
    }),
    { numRuns: 300 },
  )
})

test('R4: a batch on one draft gives the same as its steps one by one, and as the steps on a copy from the records', (t) => {
  const plain = fc.array(
    steps.filter((step) => step.kind !== 'supply' && step.kind !== 'drop supply'),
    { minLength: 1, maxLength: 20 },
  )
  // One license per product and nothing that fits any: no session can move, so the order of grants decides nothing.
  const licenses = [
    supply('l1/cad', { seats: 3, rule: 'user', features: { draw: 1 } }),
    supply('l4/cam', { product: 'cam', seats: 2, rule: 'host' }),
  ]
  fc.assert(
    fc.property(plain, plain, (first, second) => {
      const together = new World(licenses)
      const apart = new World(licenses)
      for (const batch of [first, second]) {
        const copy = Object.assign(new World(), { book: copyOf(apart.book) })
        const draft = together.book.draft()
        const outcomes = batch.map((step) => together.decide(draft, step))
        together.book.apply(draft)
        t.deepEqual(
          batch.map((step) => apart.run(step)),
          outcomes,
        )
        t.deepEqual(
          batch.map((step) => copy.run(step)),
          outcomes,
        )
        t.deepEqual(describe(apart.book), describe(together.book))
        t.deepEqual(describe(copy.book), describe(together.book))
      }
    }),
    { numRuns: 300 },
  )
})

test('sharedOnly: no seat of any supply or feature is taken that was free (R30)', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      play(history, (world, step) => {
        if (step.kind !== 'open') return
        const draft = world.book.draft()
        // Of somebody who has a seat, so that there is something to share.
        const [like] = world.book.grants()
        const more = like === undefined ? {} : { who: like.who, product: like.product }
        const asked = { ...step.command, ...more, id: `${step.command.id}-shared`, sharedOnly: true as const }
        const outcome = decideOpen(draft, asked, world.context)
        if (outcome.kind !== 'granted') return
        for (const one of world.book.supplies()) {
          t.is(draft.used(one.id), world.book.used(one.id))
          const unit = featureUnit(one.id, 'draw')
          if (typeof one.features.draw === 'number') t.is(draft.used(unit), world.book.used(unit))
        }
      })
    }),
    { numRuns: 300 },
  )
})

// ---- opening

test('a request is granted while seats are free and refused when they are not', (t) => {
  const world = new World([supply('l1/cad', { seats: 2 })])
  t.is(world.open('a'), 'granted')
  t.is(world.open('b'), 'granted')
  t.is(world.open('c'), 'short')
  world.run({ kind: 'end', id: 'a' })
  t.is(world.open('c'), 'granted')
})

test('R15: the same id is repeated while it lives, a conflict with another body, and over once it has ended', (t) => {
  const world = new World([supply('l1/cad', { seats: 2 })])
  t.is(world.open('a'), 'granted')
  t.is(world.open('a'), 'repeated')
  t.is(world.open('a', { body: 'other' }), 'conflict')
  t.is(world.book.used('l1/cad'), 1)
  world.run({ kind: 'ending', id: 'a' })
  t.is(world.open('a'), 'ended')
  world.run({ kind: 'end', id: 'a' })
  t.is(world.open('a'), 'ended')
  t.is(world.open('a', { body: 'other' }), 'ended')
  t.is(world.book.used('l1/cad'), 0)
})

test('R15: a refusal ends nothing, the same id is decided anew', (t) => {
  const world = new World([supply('l1/cad')])
  world.open('a')
  t.is(world.open('b'), 'short')
  world.run({ kind: 'end', id: 'a' })
  t.is(world.open('b'), 'granted')
})

test('more seats than there are in all is told from all being in use', (t) => {
  const world = new World([
    supply('l1/cad', { seats: 2, features: { draw: 1 } }),
    supply('l2/cad', { seats: 1, features: { draw: null } }),
  ])
  t.is(world.open('a', { seats: 4 }), 'too_many')
  t.is(world.open('b', { seats: 3, feature: 'draw' }), 'too_many')
  t.is(world.open('c', { seats: 3 }), 'granted')
  t.is(world.open('d', { seats: 3 }), 'short')
})

test('what is missing is said: product, feature, or why the license is closed', (t) => {
  const closed = (why: Extract<Takes, { kind: 'renewals' }>['why']): Takes => ({ kind: 'renewals', why })
  const outcome = (supplies: readonly Supply[], more: Partial<SessionCommand> = {}): OpenOutcome =>
    decideOpen(new World(supplies).book.draft(), command('a', more), new World().context)
  t.deepEqual(outcome([]), { kind: 'unknown_product' })
  t.deepEqual(outcome([supply('l1/cam', { product: 'cam' })]), { kind: 'unknown_product' })
  t.deepEqual(outcome([supply('l1/cad')], { feature: 'draw' }), { kind: 'unknown_feature' })
  t.deepEqual(outcome([supply('l1/cad'), anySupply('l2/*')], { feature: 'draw' }), { kind: 'unknown_feature' })
  t.like(outcome([anySupply('l2/*')], { feature: 'draw' }), { kind: 'granted' })
  t.deepEqual(outcome([supply('l1/cad', { takes: closed('license_expired') })]), {
    kind: 'closed',
    why: 'license_expired',
  })
  t.deepEqual(outcome([supply('l1/cad', { until: 400 })]), { kind: 'closed', why: 'license_expired' })
  const blockedButWithoutIt = supply('l1/cad', { takes: closed('license_blocked') })
  const expired = supply('l2/cad', { takes: closed('license_expired'), features: { draw: null } })
  t.deepEqual(outcome([blockedButWithoutIt, expired], { feature: 'draw' }), { kind: 'closed', why: 'license_expired' })
  t.deepEqual(outcome([blockedButWithoutIt, expired]), { kind: 'closed', why: 'license_blocked' })
})

test('R17: one license per user, one agent: Ana twice takes one seat, and Bob gets it only when she has left twice', (t) => {
  const world = new World([supply('l1/cad', { rule: 'user' })])
  const [ana, bob] = [{ who: { email: 'ana@x.example' } }, { who: { email: 'bob@x.example' } }]
  t.is(world.open('ana-1', ana), 'granted')
  t.is(world.open('ana-2', ana), 'granted')
  t.is(world.book.used('l1/cad'), 1)
  t.is(world.open('bob-1', bob), 'short')
  world.run({ kind: 'end', id: 'ana-1' })
  t.is(world.open('bob-1', bob), 'short')
  world.run({ kind: 'end', id: 'ana-2' })
  t.is(world.open('bob-1', bob), 'granted')
})

test('R18: a key occupies its largest grant, and gives back what only that one needed', (t) => {
  const world = new World([supply('l1/cad', { seats: 5, rule: 'user' })])
  const ana = { who: { email: 'ana@x.example' } }
  world.open('a', { ...ana, seats: 3 })
  world.open('b', { ...ana, seats: 2 })
  world.open('c', { ...ana, seats: 3 })
  t.is(world.book.used('l1/cad'), 3)
  world.run({ kind: 'end', id: 'a' })
  t.is(world.book.used('l1/cad'), 3)
  world.run({ kind: 'end', id: 'c' })
  t.is(world.book.used('l1/cad'), 2)
  world.run({ kind: 'end', id: 'b' })
  t.is(world.book.used('l1/cad'), 0)
})

test('R18: without a name two users take two seats', (t) => {
  const world = new World([supply('l1/cad', { seats: 2, rule: 'user' })])
  world.open('a')
  world.open('b')
  t.is(world.book.used('l1/cad'), 2)
})

test('R6: grants of a license that was removed count until they end, and are found again when it is back', (t) => {
  const license = supply('l1/cad')
  const world = new World([license])
  world.open('a')
  world.run({ kind: 'drop supply', id: license.id })
  t.is(world.book.grant('a')?.ending, 'license_removed')
  t.is(world.open('b'), 'unknown_product')
  world.run({ kind: 'supply', supply: license })
  t.is(world.open('b'), 'short')
  world.run({ kind: 'end', id: 'a' })
  t.is(world.open('b'), 'granted')
})

test('R6: with fewer seats than are out nobody is thrown out and nothing new is granted until below', (t) => {
  const world = new World([supply('l1/cad', { seats: 3 })])
  for (const id of ['a', 'b', 'c']) world.open(id)
  world.run({ kind: 'supply', supply: supply('l1/cad', { seats: 1 }) })
  t.is(world.book.used('l1/cad'), 3)
  for (const id of ['a', 'b']) {
    world.run({ kind: 'end', id })
    t.is(world.open(`${id}-new`), 'short')
  }
  world.run({ kind: 'end', id: 'c' })
  t.is(world.open('d'), 'granted')
})

test('an end is decided once: what is over or unknown ends no second time', (t) => {
  const world = new World([supply('l1/cad')])
  world.open('a')
  world.run({ kind: 'end', id: 'a' })
  const before = describe(world.book)
  for (const kind of ['end', 'ending'] as const) for (const id of ['a', 'unknown']) world.run({ kind, id })
  t.deepEqual(describe(world.book), before)
})

test('ending keeps the first reason and the seat', (t) => {
  const world = new World([supply('l1/cad')])
  world.open('a')
  world.run({ kind: 'ending', id: 'a' })
  world.run({ kind: 'drop supply', id: 'l1/cad' })
  const grant: Grant | undefined = world.book.grant('a')
  t.is(grant?.ending, 'disconnected')
  t.is(world.book.used('l1/cad'), 1)
})
