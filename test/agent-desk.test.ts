import test from 'ava'
import { connectDesk, type DeskParts } from '../agent/agent-desk.ts'
import { Refusals } from '../agent/refusals.ts'
import { SeatFinder } from '../agent/seat-finder.ts'
import { MemoryAgent } from './helpers/memory-agent.ts'
import { blockOf, TestVendor } from './licenses/test-vendor.ts'
import { askOf, leaseId, peer, problemOf, wordOf } from './peers/desk-stand.ts'

const acme = new TestVendor('acme')
const [ann, ben] = [peer('a'), peer('b')]

test('the desk of an agent leases seats of its licenses, and whoever is refused is noted once a minute', async (t) => {
  const agent = await MemoryAgent.start()
  t.teardown(() => agent.stop())
  const products = [{ name: 'cad', seats: 1, title: 'CAD 9' }]
  const license = await agent.install(blockOf(acme.license({ products, exp: Date.UTC(2028, 0, 1) / 1000 })))
  const { lessor, broker, shelf, writer, journal, self } = agent.parts
  const { clock } = agent
  const refusals = new Refusals({ journal, wall: () => clock.wall() })
  const settings = { 'serving.access': 'approved', 'serving.seatsPerAgent': 0 } as const
  const asked: string[] = []
  const { desk } = connectDesk({
    ...agent.parts,
    finder: new SeatFinder({ lessor, clock, timers: clock, self: () => self }),
    broker,
    proofs: { leaseLinks: async () => ({ root: ['license'], leases: ['lease'] }) },
    shelf,
    refusals,
    configuration: { get: (name: keyof typeof settings) => settings[name] } as DeskParts['configuration'],
    serving: { refusal: () => undefined },
    book: {
      get: (id: string) => ({ approval: id === ann.id ? 'approved' : 'known' }) as never,
      self: { is: () => false },
    },
    rules: { machine: () => ({ kind: 'allowed' }), user: () => ({ kind: 'allowed' }) },
    relayed: () => [],
    writes: writer,
    clock,
    timers: clock,
    self: () => self,
    onAsked: ({ name }, { who }, outcome) => asked.push(`${name} ${who.account} ${outcome}`),
  })
  t.like(desk.offers(ann).offers[0], {
    product: 'acme/cad',
    title: 'CAD 9',
    vendorKey: acme.key.id,
    licenses: [{ id: license, model: 'subscription', endsAt: '2028-01-01T00:00:00.000Z', seats: 1 }],
  })
  t.like(await desk.ask(ann, leaseId('one'), askOf(ann)), { kind: 'granted', lease: { proof: ['license', 'lease'] } })
  t.is(wordOf(await desk.ask(ben, leaseId('two'), askOf(ben))), 'approval_pending')
  await clock.run(1_000)
  const none = await desk.ask(ann, leaseId('three'), askOf(ann, { who: { account: 'bob' } }))
  t.like(problemOf(none), {
    code: 'no_seats',
    detail: '1 of 1 seats of acme/cad are in use.',
    explanation: { id: self.id, used: 1, holders: [{ user: 'ana', host: 'WS-a' }] },
  })
  await desk.ask(ann, leaseId('four'), askOf(ann, { who: { account: 'bob' } }))
  t.deepEqual(asked, ['WS-a ana granted', 'WS-b ana approval_pending', 'WS-a bob no_seats', 'WS-a bob no_seats'])
  t.deepEqual(
    refusals.list().map(({ code, times, who }) => [code, times, who.account, who.host]),
    [
      ['no_seats', 2, 'bob', 'WS-a'],
      ['approval_pending', 1, 'ana', 'WS-b'],
    ],
  )
  const entries = await agent.entries('session.refused')
  t.deepEqual(
    entries.map(({ facts, personal }) => [facts.code, personal?.texts?.account, personal?.texts?.address]),
    [
      ['approval_pending', 'ana', '192.0.2.7'],
      ['no_seats', 'bob', '192.0.2.7'],
    ],
  )
})
