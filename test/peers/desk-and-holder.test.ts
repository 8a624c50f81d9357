import test from 'ava'
import fc from 'fast-check'
import { LeaseDesk } from '../../agent/peers/lease-desk.ts'
import { LeaseGuards } from '../../agent/peers/lease-desk-guards.ts'
import type { Fate } from '../leases/fake-manager.ts'
import { codeOf, self as named, Place, turn } from '../leases/place.ts'
import { DeskLink } from './desk-link.ts'
import { type DeskStand, deskStand, peer, pool, self, vendorKey } from './desk-stand.ts'

interface Office {
  readonly manager: DeskStand
  readonly links: readonly DeskLink[]
  readonly places: readonly Place[]
}

/** A manager and agents that lease from it. */
async function office(
  seats: number,
  agents: readonly string[],
  more: Parameters<typeof pool>[1] = {},
): Promise<Office> {
  const manager = await deskStand({ supplies: [pool(seats, more)] })
  const links = agents.map(
    (letter) =>
      new DeskLink({
        clock: manager.clock,
        desk: () => manager.desk,
        id: self,
        caller: peer(letter),
        named: named.id,
      }),
  )
  const places = await Promise.all(links.map((link) => Place.start(manager.clock, [link])))
  return { manager, links, places }
}

/** Its process is gone and another begins; the clock is everybody's, so its timers are stopped one by one. */
async function crash(place: Place): Promise<void> {
  place.remote.stop()
  place.lessor.stop()
  place.broker.stop()
  await place.store.close()
  await place.begin()
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`there is no ${index}`)
  return found
}

async function run({ manager }: Office, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await manager.clock.run(Math.min(1_000, left))
    await turn(2)
  }
}

test('a session elsewhere is a lease of the manager, renewed, and free when it has ended and lingered', async (t) => {
  const team = await office(1, ['a'])
  const [ann] = [at(team.places, 0)]
  const session = await ann.get('key-1', { user: { account: 'ana' }, host: 'WS-1' })
  t.like(session, { source: { kind: 'lease', manager: { id: self } } })
  const [grant] = [...team.manager.lessor.view.grants()]
  t.like(grant, { kind: 'lease', holder: peer('a').id, who: { account: 'ana', host: 'WS-1', address: '192.0.2.7' } })
  for (let minute = 0; minute < 30; minute++) {
    await run(team, 60_000)
    t.is((await ann.beat(session)).kind, 'kept')
  }
  await ann.close(session)
  await run(team, 280_000)
  t.is(team.manager.used(), 1)
  await run(team, 40_000)
  t.is(team.manager.used(), 0)
  t.is(ann.leases.size, 0)
  t.deepEqual(ann.troubles, [])
})

test('I8: a disconnect at the manager reaches the application over its own agent, and frees the seat within seconds', async (t) => {
  const team = await office(1, ['a', 'b'])
  const [ann, ben] = [at(team.places, 0), at(team.places, 1)]
  const session = await ann.get('key-1')
  const [grant] = [...team.manager.lessor.view.grants()]
  await run(team, 2_000)
  await team.manager.lessor.disconnect(grant?.id ?? '', 'disconnected')
  await run(team, 1_000)
  t.is(codeOf(await ben.open('key-2')), 'no_seats')
  const beat = await ann.beat(session)
  t.like(beat, { code: 'session_ended', facts: { reason: 'disconnected' } })
  await run(team, 5_000)
  t.is(team.manager.used(), 0)
  t.is((await ben.open('key-3')).kind, 'opened')
})

test('R17: a license of one per user: Ana at two machines, she leaves one, and Bob there is refused', async (t) => {
  const team = await office(1, ['a', 'b'], { rule: 'user' })
  const [ann, ben] = [at(team.places, 0), at(team.places, 1)]
  const ana = { user: { email: 'ana@x.example' } }
  const first = await ann.get('key-1', ana)
  await ben.get('key-2', ana)
  t.is(team.manager.used(), 1)
  await ann.close(first)
  t.is(codeOf(await ann.open('key-3', { user: { email: 'bob@x.example' } })), 'no_seats')
  await run(team, 400_000)
  t.is(codeOf(await ann.open('key-4', { user: { email: 'bob@x.example' } })), 'no_seats')
  t.is(team.manager.used(), 1)
})

test('R30, R32: who waits at another agent gets the seat that is kept idle elsewhere, within seconds', async (t) => {
  const team = await office(1, ['a', 'b'])
  const [ann, ben] = [at(team.places, 0), at(team.places, 1)]
  const session = await ann.get('key-1')
  const waiting = ben.open('key-2', { wait: 120 })
  await run(team, 10_000)
  t.like(team.manager.desk.offers(peer('c')).offers[0], { waiting: 1 })
  await ann.close(session)
  await run(team, 10_000)
  t.is((await waiting).kind, 'opened')
  t.is(team.manager.used(), 1)
  await run(team, 60_000)
  t.deepEqual([...ann.leases.list()], [])
})

test('R30: a session of the manager’s own machine and another agent share its line', async (t) => {
  const team = await office(1, ['a'])
  const ann = at(team.places, 0)
  await team.manager.session('first')
  const waiting = ann.open('key-1', { wait: 60 })
  await run(team, 2_000)
  const local = team.manager.session('second', { wait: 60_000 })
  await run(team, 2_000)
  await team.manager.lessor.end('first', 'released')
  await run(team, 6_000)
  const opened = await waiting
  t.is(opened.kind, 'opened')
  if (opened.kind === 'opened') await ann.close(opened.session)
  await run(team, 10_000)
  t.is((await local).kind, 'granted')
})

test('R21: a branch office passes seats on, and gives them back when its own clients have', async (t) => {
  const team = await office(2, ['b'])
  const branch = at(team.places, 0)
  const desk = new LeaseDesk({
    lessor: branch.lessor,
    finder: branch.finder,
    guards: new LeaseGuards({
      access: () => 'rules',
      approvalOf: () => 'known',
      rules: { machine: () => ({ kind: 'allowed' }), user: () => ({ kind: 'allowed' }) },
      serving: { refusal: () => undefined },
      isRestored: () => false,
      seatsPerAgent: () => 0,
    }),
    upstream: {
      renewFirst: (id) => branch.remote.renewals.renewFirst(id),
      isInDoubt: (id) => branch.remote.isInDoubt([id]),
    },
    clock: branch.clock,
    timers: branch.clock,
    self: named.id,
    linksOf: async () => undefined,
    explain: () => undefined,
    licenseFacts: () => undefined,
    relayed: () => [{ manager: self, offer: at(team.links, 0).offer }],
  })
  const leaf = peer('c')
  t.like(desk.offers(leaf).offers[0], { product: 'acme/cad', seats: 2, chain: [self], licenses: [] })
  const link = new DeskLink({
    clock: branch.clock,
    desk: () => desk,
    id: named.id,
    caller: leaf,
    named: named.id,
  })
  const asked = await link.ask('a'.repeat(16), leafAsk(leaf.id), { timeout: 5_000 })
  t.like(asked, { kind: 'granted', lease: { chain: [self, named.id], depth: 2, expiresIn: 585 } })
  t.is(team.manager.used(), 1)
  t.like([...team.manager.lessor.view.grants()][0], { facts: { agent: leaf.id }, holder: peer('b').id })
  for (let minute = 0; minute < 20; minute++) {
    await run(team, 60_000)
    const renewed = await link.renew(['a'.repeat(16)], { timeout: 5_000 })
    t.like(renewed, { answer: { results: [{ outcome: 'renewed' }] } })
  }
  t.is(team.manager.used(), 1)
  await link.release('a'.repeat(16), { timeout: 5_000 })
  await run(team, 320_000)
  t.is(team.manager.used(), 0)
})

function leafAsk(agent: string) {
  return {
    product: 'acme/cad',
    seats: 1,
    purpose: 'session' as const,
    agent,
    who: { account: 'cay' },
    machine: 'WS-C',
    chain: [agent],
    vendorKey,
  }
}

test('whatever gets lost, late or doubled, no more seats are in use than there are, and all come back', async (t) => {
  const fates = fc.constantFrom<Fate>('works', 'works', 'works', 'lost', 'reply lost', 'late', 'doubled', 'unsent')
  const step = fc.record({
    kind: fc.constantFrom('open', 'open', 'wait', 'close', 'beat', 'disconnect', 'time', 'long', 'crash'),
    agent: fc.nat({ max: 1 }),
    which: fc.nat({ max: 7 }),
    fate: fates,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const team = await office(2, ['a', 'b'])
      const { manager, places, links } = team
      const live: { place: Place; session: Awaited<ReturnType<Place['get']>> }[] = []
      let keys = 0
      const inUse = (): number =>
        places.reduce(
          (sum, { lessor }) => sum + [...lessor.view.grants()].filter((one) => one.kind === 'session').length,
          0,
        )
      for (const { kind, agent, which, fate } of steps) {
        const place = at(places, agent)
        if (fate !== 'works') at(links, agent).fates.push(fate)
        if (kind === 'open' || kind === 'wait') {
          const key = `key-number-${++keys}`
          const opening = place.open(key, { user: { account: `u${which}` }, ...(kind === 'wait' ? { wait: 20 } : {}) })
          await run(team, 26_000)
          const outcome = await opening
          if (outcome.kind === 'opened') live.push({ place, session: outcome.session })
        } else if (kind === 'time') await run(team, 20_000)
        else if (kind === 'long') await run(team, 250_000)
        else if (kind === 'crash') await crash(place)
        else if (kind === 'disconnect') {
          const grant = [...manager.lessor.view.grants()][which % 2]
          if (grant) await manager.lessor.disconnect(grant.id, 'disconnected')
        } else {
          const one = live[which % Math.max(1, live.length)]
          if (kind === 'beat' && one) await one.place.beat(one.session)
          if (kind === 'close' && one) await one.place.broker.close(one.session.id, one.session.key)
        }
        t.true(inUse() <= 2, `${inUse()} sessions on 2 seats`)
        t.true(manager.used() <= 2)
      }
      for (const link of links) link.fates.length = 0
      await run(team, 2_200_000)
      t.is(inUse(), 0)
      t.is(manager.used(), 0)
      for (const place of places) {
        t.is(place.leases.size, 0)
        place.remote.stop()
        place.lessor.stop()
      }
      manager.lessor.stop()
    }),
    { numRuns: 12 },
  )
})
