import test from 'ava'
import type { ExplanationView } from '../../agent/explanation.ts'
import type { LeaseAsk } from '../../agent/peers/wire.ts'
import { supply } from '../domain/world.ts'
import { codeOf, placeWith, second, self, turn } from './place.ts'

const ana = { user: { email: 'ana@x.example' } }
const bob = { user: { email: 'bob@x.example' } }

function explanationOf(outcome: { readonly kind: string; readonly facts?: Readonly<Record<string, unknown>> }) {
  return outcome.facts?.explanation as ExplanationView
}

// ---- one seat

test('an application gets a seat of another manager, keeps it by heartbeats, and it goes back after a while', async (t) => {
  const { clock, place, manager } = await placeWith([{}])
  const session = await place.get('key-1', ana)
  const { id, name } = manager(1)
  t.deepEqual(session.source, { kind: 'lease', manager: { id, name } })
  t.is(session.expiresIn, 600)
  t.is(manager(1).used, 1)
  for (let beats = 0; beats < 20; beats++) {
    await clock.run(200 * second)
    t.is(codeOf(await place.beat(session)), 'kept')
  }
  t.is(manager(1).leases.size, 1)
  await place.close(session)
  await clock.run(290 * second)
  t.is(manager(1).used, 1)
  await clock.run(20 * second)
  t.is(manager(1).used, 0)
  t.deepEqual(place.states(), [])
  t.is((await place.journal('lease.obtained')).length, 1)
  t.is((await place.journal('lease.returned')).length, 1)
  t.deepEqual(place.troubles, [])
})

test('what is asked for says who wants it and where, and over which agents', async (t) => {
  const { place, manager } = await placeWith([{ rule: 'user' }])
  await place.get('key-1', { ...ana, host: 'PC-1', application: 'CAD', vendorKey: 'key of acme', wait: 5 })
  const [ask] = manager(1).asks
  t.deepEqual(ask, {
    product: 'acme/cad',
    seats: 1,
    purpose: 'session',
    agent: self.id,
    who: { email: 'ana@x.example', host: 'PC-1', application: 'CAD' },
    machine: self.name,
    chain: [self.id],
    vendorKey: 'key of acme',
  } satisfies LeaseAsk)
})

test('own seats come first, then leases that are kept, then new ones', async (t) => {
  const { place, manager } = await placeWith([{ seats: 5 }], { supplies: [supply('l1/cad')] })
  const own = await place.get('key-1')
  t.is(own.source.kind, 'license')
  t.is(manager(1).asks.length, 0)
  const leased = await place.get('key-2')
  t.is(leased.source.kind, 'lease')
  await place.close(leased)
  t.is((await place.get('key-3')).source.kind, 'lease')
  t.is(manager(1).asks.length, 1)
})

test('managers are asked best first, one at a time, and what each said is told', async (t) => {
  const { place, manager } = await placeWith([{ seats: 0 }, { seats: 0 }, { seats: 1 }])
  const session = await place.get('key-1')
  t.is(session.source.manager.id, 'manager-3')
  const refused = await place.open('key-2')
  t.is(codeOf(refused), 'no_seats')
  const { asked, managers } = explanationOf(refused)
  t.deepEqual(
    asked.map((one) => [one.manager.id, one.outcome]),
    [
      ['manager-1', 'no_seats'],
      ['manager-2', 'no_seats'],
      ['manager-3', 'no_seats'],
    ],
  )
  t.deepEqual(
    managers.map((one) => [one.id, one.used, one.seats]),
    [
      ['manager-1', 0, 0],
      ['manager-2', 0, 0],
      ['manager-3', 1, 1],
    ],
  )
  t.like(refused, { detail: '1 of 1 seats of acme/cad are in use.' })
  t.is(manager(1).asks.length, 2)
})

test('X1: who holds the seats of a manager is told as the manager tells it', async (t) => {
  const { place, manager } = await placeWith([{}])
  const startedAt = '2027-01-04T08:00:00.000Z'
  manager(1).refusal = {
    code: 'no_seats',
    detail: 'All seats are in use.',
    explanation: { holders: [{ user: 'Ana', seats: 1, startedAt, secret: 'x' }] },
  }
  const told = explanationOf(await place.open('key-1')).managers[0]
  t.deepEqual(told?.holders, [{ user: 'Ana', seats: 1, startedAt }])
  manager(1).refusal = { code: 'no_seats', explanation: { holders: 'everybody' } }
  t.is(explanationOf(await place.open('key-2')).managers[0]?.holders, undefined)
})

test('5 s for each manager and 15 s in all: what does not answer costs no more', async (t) => {
  const { clock, place, manager } = await placeWith([{}, {}, {}, {}, {}])
  for (let number = 1; number <= 5; number++) manager(number).delay = 60 * second
  const opening = place.open('key-1')
  let isOver = false
  void opening.then(() => {
    isOver = true
  })
  await clock.run(14 * second)
  t.false(isOver)
  await clock.run(2 * second)
  t.true(isOver)
  const outcome = await opening
  t.is(codeOf(outcome), 'manager_unreachable')
  t.is(explanationOf(outcome).asked.length, 3)
})

test('the same request twice at once is one lease and one session', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 5 }])
  manager(1).delay = second
  const both = [place.open('key-1', ana), place.open('key-1', ana)]
  const other = place.open('key-1', bob)
  await clock.run(3 * second)
  t.deepEqual(
    (await Promise.all(both)).map((one) => (one.kind === 'opened' ? one.created : one.code)),
    [true, false],
  )
  t.is(codeOf(await other), 'id_conflict')
  t.is(manager(1).used, 1)
})

// ---- which managers

test('I10: the license mode of a product says where its seats come from', async (t) => {
  const { place, manager } = await placeWith([{ seats: 5 }], { supplies: [supply('l1/cad', { seats: 2 })] })
  place.settings.mode = 'network'
  const leased = await place.get('key-1')
  t.is(leased.source.kind, 'lease')
  place.settings.mode = 'local'
  await place.close(leased)
  place.remote.look()
  t.is((await place.get('key-2')).source.kind, 'license')
  t.is((await place.get('key-3')).source.kind, 'license')
  t.is(codeOf(await place.open('key-4')), 'no_seats')
  t.is(manager(1).asks.length, 1)
})

test('I10: a manager that is set is the only one that is asked, and is named when it can not be reached', async (t) => {
  const { place, manager } = await placeWith([{}, {}])
  place.settings.manager = 'manager-2'
  t.is((await place.get('key-1')).source.manager.id, 'manager-2')
  t.is(codeOf(await place.open('key-2')), 'no_seats')
  t.is(manager(1).asks.length, 0)
  place.network.lostIds.add('manager-2')
  const outcome = await place.open('key-3')
  t.is(codeOf(outcome), 'no_seats', 'the lease that is held is still full')
  place.settings.manager = 'manager-9'
  const { place: other } = await placeWith([{}])
  other.settings.manager = 'manager-9'
  const refused = await other.open('key-4')
  t.is(codeOf(refused), 'manager_unreachable')
  t.regex(refused.kind === 'refused' ? refused.detail : '', /manager-9/)
})

test('S3: switched off means no new leases; running ones end when their sessions do', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 5 }])
  const session = await place.get('key-1')
  place.settings.allowed = false
  t.is(codeOf(await place.open('key-2')), 'no_seats')
  t.is(manager(1).asks.length, 1)
  for (let beats = 0; beats < 10; beats++) {
    await clock.run(200 * second)
    t.is(codeOf(await place.beat(session)), 'kept')
  }
  await place.close(session)
  await clock.run(2 * second)
  t.is(manager(1).used, 0)
  t.is(codeOf(await place.open('key-3')), 'unknown_product')
})

test('R21: an agent that the seats come over, or that asks for them, is not asked', async (t) => {
  const { place, manager } = await placeWith([{ chain: [self.id] }, { chain: ['root-1'] }])
  t.is((await place.get('key-1')).source.manager.id, 'manager-2')
  t.is(manager(1).asks.length, 0)
})

test('R21: a lease whose chain names this agent or repeats one is refused and given back', async (t) => {
  for (const chain of [[self.id, 'manager-1'], ['x', 'x', 'manager-1'], ['somebody else']]) {
    const { clock, place, manager } = await placeWith([{}])
    const ask = manager(1).ask.bind(manager(1))
    manager(1).ask = async (...given) => {
      const reply = await ask(...given)
      return reply.kind === 'granted' ? { ...reply, lease: { ...reply.lease, chain } } : reply
    }
    const outcome = await place.open('key-1')
    t.not(codeOf(outcome), 'opened', chain.join())
    await clock.run(2 * second)
    t.is(manager(1).used, 0)
    t.deepEqual(place.states(), [])
  }
})

test('offers of another vendor key than the application trusts are no offers', async (t) => {
  const { place, manager } = await placeWith([{ vendorKey: 'another key' }, { vendorKey: 'key of acme' }])
  t.is((await place.get('key-1', { vendorKey: 'key of acme' })).source.manager.id, 'manager-2')
  t.is(manager(1).asks.length, 0)
  t.is(codeOf(await place.open('key-2', { vendorKey: 'a third key' })), 'unknown_product')
})

// ---- what is known

test('a bare product name may be one that only another manager has', async (t) => {
  const { place } = await placeWith([{}])
  t.is((await place.get('key-1', { product: 'cad' })).product, 'acme/cad')
  t.is(codeOf(await place.open('key-2', { product: 'draw' })), 'unknown_product')
})

test('a product is unknown only after the first search is over', async (t) => {
  const { place } = await placeWith([{}])
  for (const product of ['cad', 'acme/cad']) {
    let settle = (): void => undefined
    place.network.settling = new Promise((resolve) => {
      settle = resolve
    })
    const found = [...place.network.managers]
    place.network.managers.length = 0
    let isOver = false
    const opening = place.open(`key ${product}`, { product })
    void opening.then(() => {
      isOver = true
    })
    await turn()
    t.false(isOver)
    place.network.managers.push(...found)
    settle()
    t.is(codeOf(await opening), 'opened', product)
    const [held] = place.held()
    if (held !== undefined) await place.leases.giveBack([held])
    place.network.managers[0]?.leases.clear()
  }
})

test('the first manager that has a product is asked, although the search goes on', async (t) => {
  const { place } = await placeWith([{}])
  place.network.settling = new Promise(() => {})
  const found = place.network.managers.splice(0)
  const opening = place.open('key-1')
  await turn()
  place.network.change()
  await turn()
  t.is(place.held().length, 0)
  place.network.managers.push(...found)
  place.network.change()
  t.is(codeOf(await opening), 'opened')
})

test('managers that have it and can not be reached are named, where no license here fits', async (t) => {
  const { place } = await placeWith([{}])
  place.network.lostIds.add('manager-1')
  const outcome = await place.open('key-1')
  t.is(codeOf(outcome), 'manager_unreachable')
  t.regex(outcome.kind === 'refused' ? outcome.detail : '', /The manager manager-1 has acme\/cad/)
  const { place: other } = await placeWith([{}], { supplies: [supply('l1/cad')] })
  other.network.lostIds.add('manager-1')
  await other.get('key-1')
  t.is(codeOf(await other.open('key-2')), 'no_seats')
})

test('what a manager says of the rules is what the application is told', async (t) => {
  const { place, manager } = await placeWith([{}, {}])
  manager(1).refusal = { code: 'approval_pending', detail: 'It waits for approval.' }
  manager(2).seats = 0
  t.is(codeOf(await place.open('key-1')), 'no_seats')
  manager(2).refusal = { code: 'serving_stopped', detail: 'It is stopped.' }
  const outcome = await place.open('key-2')
  t.is(codeOf(outcome), 'approval_pending')
  t.is(explanationOf(outcome).asked[1]?.outcome, 'serving_stopped')
  manager(1).refusal = { code: 'denied_by_rule', detail: 'A rule refuses it.', rule: 'deny=agent-1' }
  const denied = await place.open('key-4')
  t.is(codeOf(denied), 'denied_by_rule')
  t.like(explanationOf(denied), { managers: [], rule: 'deny=agent-1' })
  manager(1).refusal = { code: 'a_code_of_a_later_version', detail: 'No.' }
  t.is(codeOf(await place.open('key-3')), 'manager_unreachable')
})

test('rules and the state of the license server come before seats, and who has a seat keeps it', async (t) => {
  let serving: 'open' | 'handing_out_disabled' | 'serving_stopped' = 'open'
  const { place, manager } = await placeWith([{ seats: 5 }], {
    broker: {
      serving: () => serving,
      rules: ({ who }) =>
        who.email === 'bob@x.example'
          ? { kind: 'denied', code: 'denied_by_rule', rule: 'deny=bob', detail: 'A rule refuses Bob.' }
          : { kind: 'allowed' },
    },
  })
  const denied = await place.open('key-1', bob)
  t.is(codeOf(denied), 'denied_by_rule')
  t.deepEqual(explanationOf(denied), { managers: [], asked: [], rule: 'deny=bob' })
  const session = await place.get('key-2', ana)
  for (const state of ['handing_out_disabled', 'serving_stopped'] as const) {
    serving = state
    t.is(codeOf(await place.open('key-3', ana)), state)
    t.is(codeOf(await place.open('key-2', ana)), 'opened')
    t.is(codeOf(await place.beat(session)), 'kept')
  }
  t.is(manager(1).asks.length, 1)
})

test('while the store is read again the answer is to ask again, not that the product is unknown', async (t) => {
  const { place } = await placeWith([{}])
  await place.get('key-1')
  place.leases.reset()
  place.lessor.records.reset()
  await t.throwsAsync(place.open('key-2'), { code: 'store_unavailable' })
  await t.throwsAsync(place.open('key-3', { product: 'cad' }), { code: 'store_unavailable' })
})

// ---- more than one seat

test('a session of several seats gets them in one lease where a manager has them', async (t) => {
  const { place, manager } = await placeWith([{ seats: 2 }, { seats: 3 }])
  t.is((await place.get('key-1', { seats: 3 })).seats, 3)
  t.is(manager(1).used, 0)
  t.is(manager(2).used, 3)
})

test('a session of several seats is put together from own seats and from several leases', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 2 }, { seats: 3, license: 'license-2' }], {
    supplies: [supply('l1/cad')],
  })
  const session = await place.get('key-1', { seats: 5 })
  t.is(manager(1).used + manager(2).used, 4)
  await place.close(session)
  await clock.run(310 * second)
  t.is(manager(1).used + manager(2).used, 0)
  t.deepEqual(place.states(), [])
})

test('when the pieces are too few, each of them goes back', async (t) => {
  const { clock, place, manager } = await placeWith([{ seats: 2 }, { seats: 1, license: 'license-2' }])
  const outcome = await place.open('key-1', { seats: 4 })
  t.is(codeOf(outcome), 'no_seats')
  t.regex(outcome.kind === 'refused' ? outcome.detail : '', /there are 3 in all/)
  await clock.run(2 * second)
  t.is(manager(1).used + manager(2).used, 0)
  t.deepEqual(place.states(), [])
})

test('R17: a user who needs more seats than the lease has gets another lease of all of them, since the key shares them', async (t) => {
  const { place, manager } = await placeWith([{ seats: 2, rule: 'user' }])
  await place.get('key-1', ana)
  await place.get('key-2', { ...ana, seats: 2 })
  t.deepEqual(
    manager(1).asks.map((one) => one.seats),
    [1, 2],
  )
  t.is(manager(1).used, 2)
  t.is(codeOf(await place.open('key-3', { ...ana, seats: 3 })), 'no_seats', '1 and 2 seats of one key are 2')
})

// ---- by key

test('R17: a lease under a key serves and lingers only for that key', async (t) => {
  const { place, manager } = await placeWith([{ seats: 2, rule: 'user' }])
  await place.close(await place.get('key-1', ana))
  t.is((await place.get('key-2', bob)).source.kind, 'lease')
  t.is(manager(1).used, 2)
  await place.get('key-3', ana)
  t.is(manager(1).asks.length, 2)
})

test('R17: a license of one, per user; Ana on A and B; Ana leaves A; Bob on A is refused', async (t) => {
  const { clock, place, manager } = await placeWith([{ rule: 'user' }])
  const elsewhere: LeaseAsk = {
    product: 'acme/cad',
    seats: 1,
    purpose: 'session',
    agent: 'agent-2',
    who: { email: 'ana@x.example' },
    machine: 'B',
    chain: ['agent-2'],
  }
  const session = await place.get('key-1', ana)
  await manager(1).ask('lease-of-agent-2-0', elsewhere, { timeout: second })
  t.is(manager(1).used, 1)
  await place.close(session)
  t.is(codeOf(await place.open('key-2', bob)), 'no_seats')
  await clock.run(2 * second)
  t.is(manager(1).used, 1)
  t.is(manager(1).leases.size, 1, 'what lingered here for Ana went back before Bob was refused')
})

test('R32: what is kept here for nobody goes back before its manager refuses the next', async (t) => {
  const { place, manager } = await placeWith([{ rule: 'user' }])
  await place.close(await place.get('key-1', ana))
  t.is(manager(1).used, 1)
  t.is(codeOf(await place.open('key-2', bob)), 'opened')
  t.is(manager(1).leases.size, 1)
})

test('a feature is asked for by name, and its lease serves only that', async (t) => {
  const { place, manager } = await placeWith([{ seats: 3, features: [{ name: 'draw', seats: 1 }] }])
  await place.close(await place.get('key-1', { feature: 'draw' }))
  t.is(manager(1).asks[0]?.feature, 'draw')
  await place.get('key-2')
  t.is(manager(1).asks.length, 2)
  await place.get('key-3', { feature: 'draw' })
  t.is(manager(1).asks.length, 2)
  t.is(codeOf(await place.open('key-4', { feature: 'paint' })), 'unknown_product')
})
