import test from 'ava'
import { type Refusal, refuse } from '../agent/errors.ts'
import { isCovered, Serving, type ServingState } from '../agent/serving.ts'
import { disconnectComputer, disconnectSession } from '../agent/session-end.ts'
import { grantIdOf, publicId } from '../agent/session-id.ts'
import { SessionList } from '../agent/session-list.ts'
import { codeOf, type Stand, stand } from './broker/stand.ts'
import { command, supply, World } from './domain/world.ts'

interface Served extends Stand {
  readonly serving: Serving
  readonly states: ServingState[]
  /** What changing the setting is answered. */
  fixed: Refusal | undefined
}

async function serve(seats = 5): Promise<Served> {
  const base = await stand({
    supplies: [supply('l1/cad', { seats }), supply('d1/cam', { kind: 'detachment', product: 'cam', seats })],
  })
  const states: ServingState[] = []
  let handingOut = true
  const serving = new Serving({
    lessor: base.lessor,
    writes: base.writer,
    handingOut: () => handingOut,
    setHandingOut: async (on) => {
      if (served.fixed) return served.fixed
      handingOut = on
      return { kind: 'changed' }
    },
    onChange: (state) => states.push(state),
  })
  const served: Served = Object.assign(base, { serving, states, fixed: undefined })
  return served
}

async function typesOf(served: Stand): Promise<string[]> {
  return (await served.journal()).map((entry) => entry.type).filter((type) => type.startsWith('serving.'))
}

test('M3: disabled gives out nothing new, and what is in use goes on and is renewed', async (t) => {
  const served = await serve()
  const { serving, states, get, keep } = served
  const session = await get('key-1')
  t.is(serving.refusal(), undefined)
  t.deepEqual(await serving.change({ handingOut: false }, 'administrator'), { kind: 'changed' })
  t.is(serving.state(), 'handing_out_disabled')
  t.is(serving.refusal()?.code, 'handing_out_disabled')
  t.is((await keep(session)).expiresIn, 600)
  await serving.change({ handingOut: false }, 'administrator')
  await serving.change({ handingOut: true }, 'administrator')
  t.deepEqual(states, ['handing_out_disabled', 'open'])
  t.deepEqual(await typesOf(served), ['serving.disabled', 'serving.enabled'])
})

test('M3: a switch that the environment fixes is not changed, and nothing is journaled', async (t) => {
  const served = await serve()
  served.fixed = refuse('read_only_setting', 'serving.handingOut is fixed by the environment')
  t.is(codeOf(await served.serving.change({ handingOut: false }, 'administrator')), 'read_only_setting')
  t.is(served.serving.state(), 'open')
  t.deepEqual(await typesOf(served), [])
})

test('I9: stopped tells every live seat to end but those of detachments, and refuses their renewals', async (t) => {
  const served = await serve()
  const { serving, get, beat, lessor, events, clock } = served
  const session = await get('key-1')
  const detached = await get('key-2', { product: 'acme/cam' })
  events.length = 0
  await serving.change({ running: false }, 'administrator')
  t.is(serving.refusal()?.code, 'serving_stopped')
  t.deepEqual(
    events.map((event) => event.kind),
    ['ending'],
  )
  t.is(lessor.view.grant(session.id)?.ending, 'serving_stopped')
  t.is((await beat(detached)).kind, 'kept')
  const ended = await beat(session)
  t.is(codeOf(ended), 'session_ended')
  t.is((ended as Refusal).facts?.reason, 'serving_stopped')
  await clock.run(3_000)
  t.is(lessor.view.grant(session.id), undefined)
  t.like(serving.view(), { state: 'serving_stopped', running: false, handingOut: true, sessions: 1, ending: 0 })
})

test('I9: stopped and disabled are two switches, and starting again does not enable', async (t) => {
  const { serving, states } = await serve()
  await serving.change({ running: false, handingOut: false }, 'administrator')
  t.is(serving.state(), 'serving_stopped')
  await serving.change({ running: true }, 'administrator')
  t.is(serving.state(), 'handing_out_disabled')
  await serving.change({ handingOut: true }, 'administrator')
  t.deepEqual(states, ['handing_out_disabled', 'serving_stopped', 'handing_out_disabled', 'open'])
})

test('I9: what was decided while serving stopped ends as well', async (t) => {
  const { serving, lessor, get, events, clock } = await serve()
  await serving.change({ running: false }, 'administrator')
  // As if it had been on its way: nobody asked the switch.
  const late = await get('key-late')
  serving.noteSeats(events.find((event) => event.kind === 'opened') ?? { kind: 'supplies' })
  await clock.run(10)
  t.is(lessor.view.grant(late.id)?.ending, 'serving_stopped')
})

test('I9: serving is not stored, so a restart serves again', async (t) => {
  const served = await serve()
  await served.serving.change({ running: false }, 'administrator')
  const again = new Serving({
    lessor: served.lessor,
    writes: served.writer,
    handingOut: () => true,
    setHandingOut: async () => ({ kind: 'changed' }),
  })
  t.is(again.state(), 'open')
})

test('I9: agents, users and seats in use are counted, a person once', (t) => {
  const world = new World([supply('l1/cad', { seats: 9 })])
  const draft = world.book.draft()
  const put = (id: string, who: object, kind: 'session' | 'lease', holder = 'agent-1', ending?: string): void =>
    draft.putGrant({
      ...command(id, { who, holder }),
      kind,
      parts: [{ supply: 'l1/cad', seats: 1 }],
      leaseSeconds: 600,
      startedAt: 0,
      idleFor: 0,
      freeIn: 0,
      written: { boot: 'b', at: 0 },
      ...(ending === undefined ? {} : { ending }),
    })
  put('s1', { account: 'ana', email: 'Ana@x.example' }, 'session')
  put('far/l1', { email: 'ana@x.example' }, 'lease', 'far')
  put('far/l2', { account: 'bob' }, 'lease', 'far', 'disconnected')
  put('near/l1', { host: 'ws-1' }, 'lease', 'near')
  world.book.apply(draft)
  const serving = new Serving({
    lessor: { view: world.book, disconnect: async () => ({ kind: 'unknown' }) },
    writes: { submit: async () => Promise.reject(new Error('nothing is written here')) },
    handingOut: () => true,
    setHandingOut: async () => ({ kind: 'changed' }),
  })
  t.like(serving.view(), { agents: 2, users: 3, sessions: 4, seats: 4, ending: 1 })
})

test('detachments are covered by no switch, whoever has them', (t) => {
  const world = new World([supply('l1/cad'), supply('d1/cad', { kind: 'detachment' })])
  const grant = {
    ...command('g'),
    leaseSeconds: 600,
    startedAt: 0,
    idleFor: 0,
    freeIn: 0,
    written: { boot: '', at: 0 },
  }
  const part = (name: string) => [{ supply: name, seats: 1 }]
  t.true(isCovered({ ...grant, kind: 'session', parts: part('l1/cad') }, world.book))
  t.true(isCovered({ ...grant, kind: 'lease', parts: part('removed/cad') }, world.book))
  t.true(isCovered({ ...grant, kind: 'session', parts: [...part('d1/cad'), ...part('l1/cad')] }, world.book))
  t.false(isCovered({ ...grant, kind: 'session', parts: part('d1/cad') }, world.book))
  t.false(isCovered({ ...grant, kind: 'detachment', parts: part('l1/cad') }, world.book))
})

test('a seat of another agent is shown by an id that fits into an address, and found by it', (t) => {
  const known = new Set(['s1_2', 'far_off/ab_cd', 'gone/x'])
  const view = {
    grant: (id: string) => (known.has(id) && id !== 'gone/x' ? ({ id } as never) : undefined),
    tombstone: (id: string) => (id === 'gone/x' ? { id, instance: 'agent-1', reason: 'released' } : undefined),
  }
  for (const id of known) t.is(grantIdOf(publicId(id), view), id)
  t.is(publicId('far_off/ab_cd'), 'far_off_ab_cd')
  for (const id of ['s1', 'far_off_ab', '_', '', 'far/off_ab_cd']) t.is(grantIdOf(id, view), id)
})

test('I8: all sessions of a user at a machine are disconnected at once, the others go on', async (t) => {
  const { lessor, broker, clock, get } = await stand({ supplies: [supply('l1/cad', { seats: 5 })] })
  const sessions = new SessionList(lessor, () => broker.viewContext())
  const parts = { lessor, sessions, wall: () => clock.wall() }
  const ana = { user: { account: 'ana' }, host: 'WS-17' }
  await get('key-1', ana)
  await get('key-2', { ...ana, seats: 2 })
  await get('key-3', { user: { account: 'bob' }, host: 'WS-17' })
  const [computer] = sessions.computers({ limit: 9, user: 'ana' }).items
  const order = { freeNow: false, by: 'administrator', reason: 'it hangs' }
  const ending = await disconnectComputer(parts, computer?.id ?? '', order)
  const freeAt = new Date(clock.wall() + 615_000).toISOString()
  t.deepEqual(ending, { kind: 'disconnected', outcome: { ended: 'ending', freeAt } })
  t.is(sessions.list({ limit: 9, state: 'ending' }).total, 2)
  const freed = await disconnectComputer(parts, computer?.id ?? '', { ...order, freeNow: true })
  t.deepEqual(freed, {
    kind: 'disconnected',
    outcome: { ended: 'confirmed', freeAt: new Date(clock.wall()).toISOString(), overlap: { seats: 3, until: freeAt } },
  })
  t.is(sessions.list({ limit: 9 }).total, 1)
  t.is(codeOf(await disconnectComputer(parts, computer?.id ?? '', order)), 'unknown_session')
})

test('I8: freeing a computer is refused as a whole where one of its licenses forbids it', async (t) => {
  const supplies = [supply('l1/cad', { overlap: false }), supply('l2/cam', { product: 'cam' })]
  const { lessor, broker, clock, get } = await stand({ supplies })
  const sessions = new SessionList(lessor, () => broker.viewContext())
  const parts = { lessor, sessions, wall: () => clock.wall() }
  const cad = await get('key-1')
  await get('key-2', { product: 'acme/cam' })
  const [computer] = sessions.computers({ limit: 9 }).items
  const order = { freeNow: true, by: 'administrator' }
  t.is(codeOf(await disconnectComputer(parts, computer?.id ?? '', order)), 'overlap_forbidden')
  t.is(sessions.list({ limit: 9, state: 'active' }).total, 2)
  t.is(codeOf(await disconnectSession(parts, cad.id, order)), 'overlap_forbidden')
  t.is(codeOf(await disconnectSession(parts, 'nobody', order)), 'unknown_session')
})

test('M7: seats of other agents are in the lists with their user, host, address and agent', (t) => {
  const world = new World([supply('l1/cad', { seats: 9 })])
  const draft = world.book.draft()
  const who = { account: 'ana', email: 'ana@x.example', host: 'WS-9', address: '192.0.2.9', application: 'CAD 9' }
  for (const holder of ['far', 'near'])
    draft.putGrant({
      ...command(`${holder}/lease-1`, { who, holder }),
      kind: 'lease',
      parts: [{ supply: 'l1/cad', seats: 1 }],
      leaseSeconds: 600,
      startedAt: 1_000,
      idleFor: 0,
      freeIn: 0,
      written: { boot: 'b', at: 0 },
    })
  world.book.apply(draft)
  const clock = { wall: () => 0, atMost: () => 0, atLeast: () => 0, boot: () => ({ id: 'b', at: 0 }) }
  const sessions = new SessionList({ view: world.book, promiseOf: () => undefined }, () => ({
    clock,
    view: world.book,
    self: { id: 'agent-1', name: 'Agent one' },
    idleLimit: 0,
    agentName: (id) => (id === 'far' ? 'Far workshop' : undefined),
  }))
  t.like(sessions.get('far_lease-1'), {
    id: 'far_lease-1',
    user: { account: 'ana', email: 'ana@x.example' },
    host: 'WS-9',
    address: '192.0.2.9',
    application: 'CAD 9',
    agent: { id: 'far', name: 'Far workshop' },
    source: { kind: 'license', manager: { id: 'agent-1', name: 'Agent one' } },
    actions: ['disconnect', 'free-now'],
  })
  t.is(sessions.list({ limit: 9, host: 'ws-9' }).total, 2)
  const computers = sessions.computers({ limit: 9 })
  t.deepEqual(
    computers.items.map(({ agent, host }) => ({ agent, host })),
    [
      { agent: { id: 'near', name: 'WS-9' }, host: 'WS-9' },
      { agent: { id: 'far', name: 'Far workshop' }, host: 'WS-9' },
    ],
  )
})
