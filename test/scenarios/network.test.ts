/** Real agents that lease seats from each other, on one machine: what breaks between them, and what must not. */
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import {
  beat,
  giveBack,
  issue,
  knows,
  managersOf,
  Relay,
  restart,
  startManager,
  startWorkstation,
  takeSeat,
  usedAt,
} from './office.ts'
import { cleanUp, type RealAgent, seatIn } from './real-agent.ts'
import { audit, auditJournals, type Entry, type LicenseTerms, readJournal } from './seat-audit.ts'

const relays: Relay[] = []
test.after.always(async () => {
  for (const relay of relays) relay.close()
  await cleanUp()
})

async function relayTo(agent: RealAgent): Promise<Relay> {
  const relay = await Relay.to(agent.port)
  relays.push(relay)
  return relay
}

/** Whatever happened: never more seats in use than licensed, none twice, and the journals whole. */
async function settle(t: ExecutionContext, agents: readonly RealAgent[], licenses: readonly LicenseTerms[]) {
  const report = await audit(agents, licenses)
  t.deepEqual(report.violations, [])
  for (const agent of agents) {
    t.like((await agent.ask('GET', '/journal/verify')).body, { kind: 'good' })
    t.is((await agent.stop()).code, 0)
  }
  return report
}

test('the audit sees a seat that is used twice, at two agents that know nothing of each other, and knows an overlap', (t) => {
  let sequence = 0
  const entry = (at: number, instance: string, type: string, facts: object): Entry => {
    return {
      sequence: ++sequence,
      at,
      instance,
      type,
      facts: { product: 'acme/cad', seats: 1, ...facts },
      personal: {},
    }
  }
  const terms = [{ id: 'license-1', seats: 1 }]
  const own = (id: string, instance: string) => ({ lease: `${instance}/${id}`, supplies: ['license-1/cad'] })
  const leased = (at: number, instance: string, id: string) => [
    entry(at, instance, 'lease.obtained', { lease: id, license: 'license-1' }),
    entry(at, instance, 'session.opened', { session: `s-${id}`, supplies: [id] }),
  ]
  const manager = [entry(1, 'm', 'lease.granted', own('x', 'a')), entry(20, 'm', 'lease.ended', own('x', 'a'))]
  const again = entry(21, 'm', 'lease.granted', own('y', 'b'))
  const [near, far] = [leased(2, 'a', 'x'), leased(22, 'b', 'y')]
  const end = (at: number) => entry(at, 'a', 'session.ended', { session: 's-x' })
  t.deepEqual(auditJournals([[...manager, again], [...near, end(19)], far], terms).violations, [])
  const [twice, ...more] = auditJournals([[...manager, again], [...near, end(30)], far], terms).violations
  t.regex(twice ?? '', /in use, .*: 2 seats of license license-1 are in use, and 1 there are/)
  t.deepEqual(more, [])
  const overlap = entry(20, 'm', 'seat.overlap', { ...own('x', 'a'), until: new Date(40).toISOString() })
  t.deepEqual(auditJournals([[...manager, overlap, again], [...near, end(30)], far], terms).violations, [])
  const early = { ...overlap, facts: { ...overlap.facts, until: new Date(21).toISOString() } }
  t.is(auditJournals([[...manager, early, again], [...near, end(30)], far], terms).violations.length, 1)
})

test.serial(
  'a seat of another machine is had through the own agent, refused with its holder, and free again for the next',
  async (t) => {
    const { license, terms } = issue(1)
    const manager = await startManager([{ license, terms }], {
      environment: { LEASEHOLD_AGENT_NAME: 'license-server' },
    })
    const [near, far] = await Promise.all([startWorkstation([manager.port]), startWorkstation([manager.port])])
    const seat = await takeSeat(near, { user: { account: 'ana' }, host: 'ws-ana' })
    t.is(await usedAt(manager), 1)
    // Who holds the seats is told to approved agents only.
    const [entry] = await readJournal(far)
    t.is((await manager.ask('POST', `/managers/${entry?.instance}/approve`)).status, 200)
    const { status, body } = await far.open(randomUUID(), { user: { account: 'ben' }, host: 'ws-ben' })
    t.is(status, 409)
    t.like(body, { code: 'no_seats', detail: '1 of 1 seats of acme/cad are in use.' })
    const { explanation } = body as {
      explanation: { managers: { name: string; holders: object[] }[]; asked: object[] }
    }
    t.like(explanation.managers[0], { name: 'license-server', seats: 1, used: 1 })
    t.like(explanation.managers[0]?.holders[0], { user: 'ana', host: 'ws-ana' })
    t.like(explanation.asked[0], { manager: { name: 'license-server' }, outcome: 'no_seats' })
    t.is((await beat(seat)).status, 200)
    const waiting = far.open(randomUUID(), { user: { account: 'ben' }, host: 'ws-ben', wait: 20 })
    await waitFor('somebody in line at the manager', async () => {
      const offers = (await manager.ask('GET', '/queue')).body.total
      return offers === 1
    })
    const askedAt = performance.now()
    await giveBack(seat)
    const next = await waiting
    t.is(next.status, 201, JSON.stringify(next.body))
    t.log(`the next in line has the seat ${Math.round(performance.now() - askedAt)} ms after it was given back`)
    const report = await settle(t, [manager, near, far], [terms])
    t.is(report.sessions, 2)
    t.is(report.most.get(terms.id), 1)
  },
)

test.serial(
  'a manager that is killed while 50 seats are out finds all of them again, and gives none twice',
  async (t) => {
    const { license, terms } = issue(51)
    let manager = await startManager([{ license, terms }])
    const workstation = await startWorkstation([manager.port])
    const seats = await Promise.all(Array.from({ length: 50 }, () => takeSeat(workstation)))
    t.is(await usedAt(manager), 50)
    await manager.kill()
    for (const seat of seats) t.is((await beat(seat)).status, 200, 'the application goes on while the manager is gone')
    manager = await restart(manager)
    await knows(workstation, 1)
    t.is(await usedAt(manager), 50)
    for (const seat of seats) t.is((await beat(seat)).status, 200)
    await takeSeat(workstation)
    t.like(await workstation.open(randomUUID()), { status: 409, body: { code: 'no_seats' } })
    t.is(await usedAt(manager), 51)
    const report = await settle(t, [manager, workstation], [terms])
    t.is(report.most.get(terms.id), 51)
  },
)

test.serial(
  'R7: a manager whose answer is lost has given one seat and no second one, however often it is asked again',
  async (t) => {
    const { license, terms } = issue(1)
    const manager = await startManager([{ license, terms }])
    const relay = await relayTo(manager)
    const workstation = await startWorkstation([relay.port])
    relay.deaf = true
    const key = randomUUID()
    const lost = await workstation.open(key, {})
    t.is(lost.status, 503, JSON.stringify(lost.body))
    t.like(lost.body, { code: 'manager_unreachable' })
    relay.deaf = false
    relay.reset()
    await knows(workstation, 1)
    const again = await waitFor(
      'the seat',
      async () => {
        const reply = await workstation.open(key, {})
        return reply.status < 300 && reply
      },
      40_000,
    )
    seatIn(again)
    t.is(await usedAt(manager), 1)
    t.like(await workstation.open(randomUUID()), { status: 409 })
    await settle(t, [manager, workstation], [terms])
  },
)

test.serial(
  'with two managers, one of them gone, seats come from the other one and those of the lost one go on',
  async (t) => {
    const [first, second] = [issue(2), issue(4)]
    const [one, two] = await Promise.all([startManager([first]), startManager([second])])
    const workstation = await startWorkstation([one.port, two.port])
    const seats = [await takeSeat(workstation), await takeSeat(workstation), await takeSeat(workstation)]
    await one.kill()
    const startedAt = performance.now()
    const last = await takeSeat(workstation)
    t.log(`a seat although one manager has just gone: ${Math.round(performance.now() - startedAt)} ms`)
    for (const seat of [...seats, last]) t.is((await beat(seat)).status, 200)
    while ((await usedAt(two)) < 4) await takeSeat(workstation)
    t.is((await workstation.open(randomUUID())).status, 409)
    const again = await restart(one)
    await settle(t, [again, two, workstation], [first.terms, second.terms])
  },
)

test.serial(
  'R17: Ana on two machines holds one seat of a license that counts users, and when she leaves the first, Bob there is refused',
  async (t) => {
    const { license, terms } = issue(1, { count: 'user' })
    const manager = await startManager([{ license, terms }])
    const linger = { LEASEHOLD_CACHE_LINGER_SECONDS: '300' }
    const [desk, laptop] = await Promise.all([
      startWorkstation([manager.port], linger),
      startWorkstation([manager.port], linger),
    ])
    const ana = { user: { account: 'ana', email: 'ana@example.com' } }
    const [atDesk, atLaptop] = [await takeSeat(desk, ana), await takeSeat(laptop, ana)]
    t.is(await usedAt(manager), 1)
    await giveBack(atDesk)
    const bob = { user: { account: 'bob', email: 'bob@example.com' } }
    t.like(await desk.open(randomUUID(), bob), { status: 409, body: { code: 'no_seats' } })
    t.is((await beat(atLaptop)).status, 200)
    t.is((await desk.open(randomUUID(), ana)).status, 201)
    await settle(t, [manager, desk, laptop], [terms])
  },
)

test.serial(
  'a disconnect at the manager reaches the agent that holds the seat within a second, and its application at the next heartbeat',
  async (t) => {
    const { license, terms } = issue(1)
    const manager = await startManager([{ license, terms }])
    const workstation = await startWorkstation([manager.port])
    const seat = await takeSeat(workstation)
    const [lease] = await manager.sessions()
    const orderedAt = performance.now()
    const { status } = await manager.ask('POST', `/sessions/${lease?.id}/disconnect`, {})
    t.is(status, 200)
    await waitFor('the news', async () => (await workstation.sessions()).every(({ state }) => state === 'ending'), 5000)
    t.log(`the agent knows it ${Math.round(performance.now() - orderedAt)} ms after the order`)
    t.true(performance.now() - orderedAt < 1000)
    t.like(await beat(seat), { status: 410, body: { code: 'session_ended', reason: 'disconnected' } })
    await waitFor('the seat at the manager', async () => (await usedAt(manager)) === 0)
    t.is((await workstation.open(randomUUID())).status, 201)
    await settle(t, [manager, workstation], [terms])
  },
)

test.serial('an agent at the end of a slow line is found and gives seats, only later', async (t) => {
  const { license, terms } = issue(1)
  const manager = await startManager([{ license, terms }])
  const relay = await relayTo(manager)
  relay.delay = 150
  const workstation = await startWorkstation([relay.port])
  const startedAt = performance.now()
  const seat = await takeSeat(workstation)
  t.log(`a seat over a line of 300 ms there and back: ${Math.round(performance.now() - startedAt)} ms`)
  t.is((await managersOf(workstation)).length, 1)
  t.is((await beat(seat)).status, 200)
  await settle(t, [manager, workstation], [terms])
})
