import test from 'ava'
import type { Supply } from '../../agent/domain/supply.ts'
import { leaseQueuedSchema, type Offer, offersSchema } from '../../agent/peers/wire.ts'
import { anySupply, supply } from '../domain/world.ts'
import {
  agentId,
  type DeskStand,
  type DeskStandOptions,
  deskStand,
  leaseId,
  peer,
  pool,
  self,
  vendorKey,
  wordOf,
} from './desk-stand.ts'

const [ann, ben, cay] = [peer('a'), peer('b'), peer('c')]

// ---- the line

async function full(options: DeskStandOptions = {}): Promise<DeskStand> {
  const stand = await deskStand(options)
  await stand.get(ann, 'one')
  return stand
}

/** Asks to wait and expects to stand in line. */
async function wait({ ask, clock }: DeskStand, ...[from, id, more]: Parameters<DeskStand['ask']>) {
  const asked = ask(from, id, { wait: 300, ...more })
  await clock.run(1)
  const answer = await Promise.race([asked, clock.run(3_000).then(() => asked)])
  if (answer.kind !== 'queued') throw new Error(JSON.stringify(answer))
  const { kind: _, ...wire } = answer
  leaseQueuedSchema.parse(wire)
  return answer
}

test('R30: sessions of this machine and other agents stand in one line, and the seat goes to who came first', async (t) => {
  const stand = await full()
  const { session, ask, release, listen, clock, lessor } = stand
  const local = session('local', { wait: 300_000 })
  await clock.run(1)
  t.like(await wait(stand, ben, 'two'), { position: 2, waiting: 2, retryIn: 5 })
  const last = session('last', { wait: 300_000 })
  const stream = listen(ben)
  await clock.run(1)
  t.is(wordOf(await ask(cay, 'three')), 'no_seats')
  await release(ann, 'one')
  t.is((await local).kind, 'granted')
  const offers = () => stream.heard.filter((event) => event.kind === 'seat-offered')
  t.deepEqual(offers(), [])
  await lessor.end('local', 'released')
  await clock.run(1)
  t.deepEqual(offers(), [{ kind: 'seat-offered', request: leaseId('two'), expiresIn: 10 }])
  const taken = await ask(ben, 'two', { wait: 300 })
  t.like(taken, { kind: 'granted', lease: { expiresIn: 600, offered: undefined } })
  await release(ben, 'two')
  t.is((await last).kind, 'granted')
})

test('R30: a seat that was offered and not asked for goes to the next', async (t) => {
  const stand = await full()
  const { ask, release, listen, clock, used } = stand
  await wait(stand, ben, 'two')
  await release(ann, 'one')
  await clock.run(1)
  t.is(used(), 1)
  t.is(wordOf(await ask(cay, 'three')), 'no_seats')
  const stream = listen(ben)
  t.deepEqual(stream.heard, [{ kind: 'seat-offered', request: leaseId('two'), expiresIn: 10 }])
  await clock.run(26_000)
  t.is(used(), 0)
  t.is(wordOf(await ask(ben, 'two', { wait: 300 })), 'session_ended')
  t.is(wordOf(await ask(cay, 'four')), 'granted')
})

test('R30: a place is kept while its agent asks again, and 15 s after that', async (t) => {
  const stand = await full()
  const { session, release, listen, clock } = stand
  await wait(stand, ben, 'two')
  const local = session('local', { wait: 300_000 })
  for (let round = 0; round < 5; round++) {
    await clock.run(9_000)
    t.like(await wait(stand, ben, 'two'), { position: 1, waiting: 2 })
  }
  await clock.run(16_000)
  const stream = listen(ben)
  await release(ann, 'one')
  t.is((await local).kind, 'granted')
  t.deepEqual(stream.heard, [])
  t.like(await wait(stand, ben, 'two'), { position: 1, waiting: 1 })
})

test('R30: who gives up before its turn leaves the line, and a late copy does not come back into it', async (t) => {
  const stand = await full()
  const { ask, session, release, clock, used } = stand
  await wait(stand, ben, 'two')
  const local = session('local', { wait: 300_000 })
  await release(ben, 'two')
  await release(ann, 'one')
  await clock.run(6_000)
  t.is((await local).kind, 'granted')
  t.is(wordOf(await ask(ben, 'two', { wait: 300 })), 'session_ended')
  t.is(used(), 1)
})

test('R30: when the wait is over the answer is a refusal, and the id stays refused', async (t) => {
  const stand = await full()
  const { ask, clock } = stand
  await wait(stand, ben, 'two', { wait: 8 })
  await clock.run(5_000)
  t.is(wordOf(await ask(ben, 'two', { wait: 3 })), 'queued')
  await clock.run(5_000)
  t.is(wordOf(await ask(ben, 'two', { wait: 60 })), 'no_seats')
  t.is(wordOf(await ask(ben, 'three', { wait: 0 })), 'no_seats')
})

test('R15: in the line, too, an id is one request', async (t) => {
  const stand = await full({ supplies: [pool(1)] })
  const { ask } = stand
  await wait(stand, ben, 'two')
  t.is(wordOf(await ask(ben, 'two', { wait: 300, who: { account: 'bob' } })), 'id_conflict')
})

test('a request that is looked for elsewhere for long is answered before its agent gives up, and found again', async (t) => {
  let give: () => void = () => undefined
  const late = new Promise<void>((resolve) => {
    give = resolve
  })
  const { ask, clock, renew } = await deskStand({
    finder: (finder) => ({
      placeOf: (product, id) => finder.placeOf(product, id),
      waiting: (product) => finder.waiting(product),
      find: async (command, options) => {
        await late
        return await finder.find(command, options)
      },
    }),
  })
  const first = ask(ann, 'one', { wait: 60 })
  await clock.run(3_000)
  t.like(await first, { kind: 'queued', position: 1, waiting: 1 })
  t.like(await renew(ann, 'one'), [{ outcome: 'later' }])
  give()
  await clock.run(1)
  t.like(await ask(ann, 'one', { wait: 60 }), { kind: 'granted' })
})

test('R32: who is refused or waits makes the holders of such leases be asked for what is idle, at most every 5 s', async (t) => {
  const stand = await deskStand({ supplies: [anySupply('l1/*', { seats: 2, vendorKey }), pool(1, { product: 'cam' })] })
  const { ask, get, listen, desk, clock } = stand
  await get(ann, 'one', { product: 'acme/cad' })
  await get(ann, 'two', { product: 'acme/draw' })
  const stream = listen(ann)
  const other = listen(ben)
  await clock.run(1_000)
  stream.heard.length = 0
  const wanted = () => stream.heard.filter((event) => event.kind === 'counts' && event.wanted)
  t.is(wordOf(await ask(ben, 'three', { product: 'acme/cad' })), 'no_seats')
  await clock.run(1_000)
  t.deepEqual(wanted(), [
    { kind: 'counts', product: 'acme/cad', wanted: true },
    { kind: 'counts', product: 'acme/draw', wanted: true },
  ])
  t.deepEqual(
    other.heard.filter((event) => event.kind === 'counts' && event.wanted),
    [],
  )
  for (let index = 0; index < 4; index++) {
    desk.noteWanted('acme/cad')
    await clock.run(1_000)
  }
  t.is(wanted().length, 2)
  await clock.run(5_000)
  t.is(wanted().length, 4)
  await clock.run(20_000)
  t.is(wanted().length, 4)
})

test('R32: what a manager wants back is wanted of those that have it from here, along the way that it came', async (t) => {
  const leased = (id: string, manager: string) =>
    supply(id, {
      vendorKey,
      kind: 'lease',
      chain: [manager],
      manager: { id: manager, name: manager },
      until: 900_000,
      depth: 2,
    })
  const [above, aside] = [agentId('R'), agentId('S')]
  const stand = await deskStand({ supplies: [leased('one', above), leased('two', aside)] })
  await stand.get(ann, 'one')
  await stand.get(ben, 'two')
  const [one, two] = [stand.listen(ann), stand.listen(ben)]
  await stand.clock.run(1_000)
  const [there] = [...stand.lessor.view.grants()].filter(({ parts }) => parts[0]?.supply === 'one')
  one.heard.length = 0
  two.heard.length = 0
  stand.desk.passWanted(above, 'acme/cad')
  const wanted = { kind: 'counts' as const, product: 'acme/cad', wanted: true }
  t.deepEqual([one.heard, two.heard], there?.holder === ann.id ? [[wanted], []] : [[], [wanted]])
})

test('agents that listen are told when seats come to an end or come free, and when there are other pools', async (t) => {
  const { get, release, listen, put, clock } = await deskStand({ supplies: [pool(2)] })
  const { heard } = listen(cay)
  await get(ann, 'one')
  await clock.run(1_000)
  heard.length = 0
  await get(ann, 'two')
  await clock.run(1_000)
  await release(ann, 'two')
  await clock.run(1_000)
  t.deepEqual(heard, [
    { kind: 'counts', product: 'acme/cad', wanted: false },
    { kind: 'counts', product: 'acme/cad', wanted: false },
  ])
  heard.length = 0
  await put(pool(5))
  // The same pool, put anew, is no news.
  await clock.run(1_000)
  await put(pool(5))
  await clock.run(1_000)
  t.deepEqual(heard, [{ kind: 'policy' }])
})

// ---- offers

function relay(product: string, chain: readonly string[]): Offer {
  return {
    product,
    vendorKey,
    features: [],
    seats: 9,
    used: 1,
    detached: 0,
    notDetachable: 9,
    detachable: 0,
    maxDetachDays: 0,
    anySeats: 0,
    anyUsed: 0,
    rule: 'session' as const,
    waiting: 0,
    licenses: [{ id: 'l9', model: 'perpetual', seats: 9 }],
    chain: [...chain],
  }
}

test('offers are the pools that the agent may have, in the shape of the wire', async (t) => {
  const links = { home: 'https://acme.example/' }
  const root = agentId('R')
  const { desk, get, session } = await deskStand({
    supplies: [
      pool(3, { title: 'CAD 9', features: { draw: 2, print: null } }),
      supply('l2/cad', { seats: 2, vendorKey, features: { draw: 5 } }),
      anySupply('l3/*', { seats: 4, vendorKey }),
      supply('l4/own', { product: 'own', vendorKey, local: true }),
      supply('l5/end', { product: 'end', vendorKey, depth: 0 }),
      supply('l6/old', { product: 'old', vendorKey, takes: { kind: 'nothing', why: 'license_expired' } }),
      supply('l7/far', { product: 'far', vendorKey, kind: 'lease', chain: [ben.id], until: 900_000 }),
      supply('l8/kept', { product: 'kept', vendorKey, kind: 'lease', onlyKey: 'k', chain: [root], until: 900_000 }),
      supply('l9/nokey', { product: 'nokey' }),
    ],
    desk: {
      licenseFacts: (license) => ({ model: 'subscription', links, ...(license === 'l1' ? { endsAt: 'then' } : {}) }),
      relayed: () => [
        { manager: root, offer: relay('acme/cad', []) },
        { manager: root, offer: relay('acme/cam', [ben.id]) },
        { manager: root, offer: relay('acme/loop', [self]) },
        { manager: ben.id, offer: relay('acme/mill', []) },
        { manager: root, offer: relay('acme/deep', [agentId('S'), agentId('T'), agentId('U')]) },
      ],
    },
  })
  await get(ann, 'one')
  await session('local', { seats: 2 })
  const told = desk.offers(ann)
  t.deepEqual(offersSchema.parse(told), told)
  t.like(told, { instance: self, serving: 'open' })
  t.deepEqual(told.offers.map(({ product, chain }) => [product, ...chain]).sort(), [
    ['acme/*'],
    ['acme/cad'],
    ['acme/cam', ben.id, root],
    ['acme/far', ben.id],
    ['acme/mill', ben.id],
  ])
  const offer = (product: string) => told.offers.find((one) => one.product === product)
  t.deepEqual(offer('acme/cad'), {
    product: 'acme/cad',
    title: 'CAD 9',
    vendorKey,
    features: [
      { name: 'draw', seats: 4 },
      { name: 'print', seats: null },
    ],
    seats: 5,
    used: 3,
    detached: 0,
    notDetachable: 5,
    detachable: 0,
    maxDetachDays: 0,
    anySeats: 4,
    anyUsed: 0,
    rule: 'session',
    waiting: 0,
    licenses: [
      { id: 'l1', model: 'subscription', endsAt: 'then', seats: 3 },
      { id: 'l2', model: 'subscription', seats: 2 },
    ],
    chain: [],
    links,
  })
  t.like(offer('acme/*'), { seats: 4, anySeats: 0 })
  t.deepEqual(offer('acme/cam')?.licenses, [])
  t.deepEqual(
    desk
      .offers(ben)
      .offers.map(({ product }) => product)
      .sort(),
    ['acme/*', 'acme/cad'],
  )
})

test('of what other managers offer the best is passed on, with the seats that fit any product besides', async (t) => {
  const [root, other] = [agentId('R'), agentId('S')]
  const told = (relays: readonly (readonly [string, Partial<Offer>])[], supplies: readonly Supply[] = []) =>
    deskStand({
      supplies,
      desk: {
        relayed: () => relays.map(([manager, more]) => ({ manager, offer: { ...relay('acme/cam', []), ...more } })),
      },
    }).then(({ desk }) => desk.offers(ann).offers.find(({ product }) => product === 'acme/cam'))
  const full = { seats: 2, used: 2 }
  t.like(
    await told([
      [root, full],
      [other, { seats: 1, used: 0 }],
    ]),
    { seats: 1, used: 0, chain: [other] },
  )
  t.like(
    await told([
      [root, { ...full, chain: [ben.id] }],
      [other, full],
    ]),
    { chain: [other] },
  )
  const any = anySupply('l3/*', { seats: 4, vendorKey })
  t.like(await told([[root, full]], [any]), { seats: 2, used: 2, anySeats: 4, anyUsed: 0, chain: [root] })
  t.like(
    await told([
      [root, full],
      [other, { ...full, product: 'acme/*', seats: 3 }],
    ]),
    { anySeats: 3, anyUsed: 2 },
  )
})
