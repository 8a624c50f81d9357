import { performance } from 'node:perf_hooks'
import test from 'ava'
import type { OpenedSessionView } from '../../agent/broker.ts'
import { graceOf } from '../../agent/domain/grant.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { anySupply, supply } from '../domain/world.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FailingStore } from '../store/failing-store.ts'
import { codeOf, stand } from './stand.ts'

const second = 1000
const ana = { user: { email: 'ana@x.example' } }
const bob = { user: { email: 'bob@x.example' } }

// ---- opening, keeping, closing

test('an application gets a seat, keeps it by heartbeats and gives it back', async (t) => {
  const { get, keep, close, open, used, clock } = await stand()
  const session = await get('key-1', { ...ana, application: 'CAD' })
  t.is(session.state, 'active')
  t.is(session.product, 'acme/cad')
  t.deepEqual(session.source, { kind: 'license', manager: { id: 'agent-1', name: 'Agent one' } })
  t.deepEqual([session.expiresIn, session.renewIn], [600, 200])
  t.is(Date.parse(session.expiresAt), clock.wall() + 600 * second)
  t.is(codeOf(await open('key-2')), 'no_seats')
  for (let beats = 0; beats < 20; beats++) {
    await clock.run(200 * second)
    t.is((await keep(session)).expiresIn, 600)
  }
  t.is(used(), 1)
  t.deepEqual(await close(session), { kind: 'closed' })
  t.is(used(), 0)
  t.is(codeOf(await open('key-2')), 'opened')
})

test('I7: without a heartbeat the seat is free after what was promised and the grace, and not before', async (t) => {
  const { get, beat, used, clock, events } = await stand()
  const session = await get('key-1')
  await clock.run(600 * second + graceOf(600) - second)
  t.is(used(), 1)
  await clock.run(2 * second)
  t.is(used(), 0)
  t.is(events.at(-1)?.kind, 'ended')
  const late = await beat(session)
  t.is(codeOf(late), 'session_ended')
  t.like(late, { facts: { reason: 'expired' } })
})

test('R14: a repeat is a renewal: same session, same key, times anew, no second seat', async (t) => {
  const { get, open, clock, used } = await stand({ supplies: [supply('l1/cad', { seats: 5 })] })
  const session = await get('key-1')
  await clock.run(100 * second)
  const again = await open('key-1')
  if (again.kind === 'refused') return t.fail()
  t.false(again.created)
  t.is(again.session.id, session.id)
  t.is(again.session.key, session.key)
  t.is(again.session.startedAt, session.startedAt)
  t.is(again.session.expiresIn, 600)
  t.is(Date.parse(again.session.expiresAt), clock.wall() + 600 * second)
  t.is(used(), 1)
  return undefined
})

test('R15: the same id with another body is a conflict, and the first goes on', async (t) => {
  const { get, open, keep } = await stand({ supplies: [supply('l1/cad', { seats: 5 })] })
  const session = await get('key-1', ana)
  for (const other of [{ ...ana, seats: 2 }, { ...ana, application: 'CAD' }, { ...ana, product: 'cad' }, bob])
    t.is(codeOf(await open('key-1', other)), 'id_conflict')
  t.is((await keep(session)).id, session.id)
  t.is(codeOf(await open('key-1', { ...ana, nonce: 'a'.repeat(16), wait: 3 })), 'opened')
})

test('R15: after its release an id is over, with whatever body; giving back twice is right', async (t) => {
  const { get, open, beat, close, used } = await stand()
  const session = await get('key-1')
  await close(session)
  t.deepEqual(await close(session), { kind: 'closed' })
  for (const body of [{}, { seats: 2 }, { wait: 10 }]) {
    const outcome = await open('key-1', body)
    t.is(codeOf(outcome), 'session_ended')
    t.like(outcome, { facts: { reason: 'released' } })
  }
  t.like(await beat(session), { code: 'session_ended', facts: { reason: 'released' } })
  t.is(used(), 0)
})

test('R15: the id of another process or account of the same key is another id', async (t) => {
  const { get } = await stand({ supplies: [supply('l1/cad', { seats: 5 })] })
  const sessions = await Promise.all([
    get('key-1'),
    get('key-1', { process: { id: 7 } }),
    get('key-1', { process: { id: 8 } }),
    get('key-1', { user: { account: 'ana' } }),
  ])
  t.is(new Set(sessions.map((one) => one.id)).size, 4)
})

test('the same id asked for twice at once is one session with one seat', async (t) => {
  const { open, used } = await stand({ supplies: [supply('l1/cad', { seats: 5 })] })
  const both = await Promise.all([open('key-1'), open('key-1')])
  t.deepEqual(
    both.map((one) => (one.kind === 'opened' ? one.created : one.code)),
    [true, false],
  )
  t.is(used(), 1)
})

test('without the right key nobody keeps or ends a session, and an unknown session is unknown', async (t) => {
  const { broker, get, used } = await stand({ supplies: [supply('l1/cad', { seats: 2 })] })
  const [session, other] = [await get('key-1'), await get('key-2')]
  for (const key of [undefined, '', 'x', other.key, `${session.key}x`]) {
    t.is(codeOf(await broker.heartbeat(session.id, key, {})), 'wrong_key')
    t.is(codeOf(await broker.close(session.id, key)), 'wrong_key')
  }
  t.is(codeOf(await broker.heartbeat('unknown', session.key, {})), 'unknown_session')
  t.is(codeOf(await broker.close('unknown', session.key)), 'unknown_session')
  t.is(used(), 2)
})

test('a restart loses no session: the same key keeps it, in the same or another boot', async (t) => {
  const clock = new ManualClock()
  const store = new MemoryStore()
  const supplies = [supply('l1/cad', { seats: 2 })]
  const first = await stand({ clock, store, supplies })
  const session = await first.get('key-1')
  await first.stop()
  clock.restart()
  const second = await stand({ clock, store, supplies })
  t.is((await second.keep(session)).id, session.id)
  await second.stop()
  clock.reboot()
  const third = await stand({ clock, store, supplies })
  t.is(third.used(), 1)
  t.is((await third.keep(session)).expiresIn, 600)
})

// ---- which product

test('a bare name is accepted while one vendor has it, and ambiguous with two', async (t) => {
  const { open, get, put } = await stand()
  t.is((await get('key-1', { product: 'cad' })).product, 'acme/cad')
  await put(supply('l2/cad', { vendor: 'other', seats: 3 }))
  const outcome = await open('key-2', { product: 'cad' })
  t.is(codeOf(outcome), 'ambiguous_product')
  t.like(outcome, { facts: { products: ['acme/cad', 'other/cad'] } })
  t.is((await get('key-3', { product: 'other/cad' })).product, 'other/cad')
})

test('a bare name that only any-product seats fit is of their vendor, if there is one', async (t) => {
  const { get, open, put } = await stand({ supplies: [anySupply('l1/*', { seats: 3 })] })
  t.is((await get('key-1', { product: 'cam' })).product, 'acme/cam')
  await put(anySupply('l2/*', { vendor: 'other' }))
  t.is(codeOf(await open('key-2', { product: 'cam' })), 'unknown_product')
})

test('what is no product, or has no license or not the feature here, is said to be unknown', async (t) => {
  const { open } = await stand()
  for (const product of ['', 'a/b/c', 'Acme/CAD', 'cam', 'acme/cam', 'other/cad'])
    t.is(codeOf(await open(`key ${product}`, { product })), 'unknown_product', product)
  t.is(codeOf(await open('key-f', { feature: 'draw' })), 'unknown_feature')
})

test('a license that is closed is named with its reason, and its name is still known', async (t) => {
  const closed = supply('l1/cad', { takes: { kind: 'renewals', why: 'license_expired' } })
  const { open } = await stand({ supplies: [closed] })
  t.is(codeOf(await open('key-1', { product: 'cad' })), 'license_expired')
})

test('seats that are signed with another key than the application trusts are no seats', async (t) => {
  const { open } = await stand({ supplies: [supply('l1/cad', { vendorKey: 'key of l1' })] })
  t.is(codeOf(await open('key-1', { vendorKey: 'another key' })), 'unknown_product')
  t.is(codeOf(await open('key-2', { vendorKey: 'key of l1' })), 'opened')
})

// ---- proof

test('R27: the first nonce is the binding, stored before the answer, and never changes', async (t) => {
  const clock = new ManualClock()
  const store = new MemoryStore()
  const first = await stand({ clock, store })
  const opened = await first.get('key-1')
  t.is(opened.proof, undefined)
  t.deepEqual((await first.keep(opened, { nonce: 'nonce-1' })).proof, ['nonce-1', 'nonce-1'])
  t.deepEqual((await first.keep(opened, { nonce: 'nonce-2' })).proof, ['nonce-1', 'nonce-2'])
  t.is((await first.keep(opened)).proof, undefined)
  await first.stop()
  clock.restart()
  const second = await stand({ clock, store })
  t.deepEqual((await second.keep(opened, { nonce: 'nonce-3' })).proof, ['nonce-1', 'nonce-3'])
  const again = await second.get('key-1', { nonce: 'nonce-4' })
  t.deepEqual(again.proof, ['nonce-1', 'nonce-4'])
})

test('R27: a nonce at opening is the binding, also of a repeat with another one', async (t) => {
  const { get } = await stand()
  t.deepEqual((await get('key-1', { nonce: 'nonce-1' })).proof, ['nonce-1', 'nonce-1'])
  t.deepEqual((await get('key-1', { nonce: 'nonce-2' })).proof, ['nonce-1', 'nonce-2'])
})

// ---- ending

test('R5: a disconnected session is told at its heartbeat, which frees the seat a moment later', async (t) => {
  const { broker, get, beat, used, clock } = await stand()
  const session = await get('key-1')
  const answer = await broker.disconnect(session.id, { freeNow: false })
  if (answer.kind !== 'ending') return t.fail(answer.kind)
  t.is(answer.freeAt, clock.wall() + 600 * second + graceOf(600))
  t.is(used(), 1)
  t.like(await beat(session), { code: 'session_ended', facts: { reason: 'disconnected' } })
  await clock.run(3 * second)
  t.is(used(), 0)
  return undefined
})

test('R5: a disconnected session that is silent is free when its time is over; giving it back confirms at once', async (t) => {
  const { broker, get, close, used, clock } = await stand({ supplies: [supply('l1/cad', { seats: 2 })] })
  const [silent, polite] = [await get('key-1'), await get('key-2')]
  for (const { id } of [silent, polite]) await broker.disconnect(id, { freeNow: false })
  await close(polite)
  t.is(used(), 1)
  await clock.run(600 * second + graceOf(600) - second)
  t.is(used(), 1)
  await clock.run(2 * second)
  t.is(used(), 0)
})

test('S12: with reported activity a session ends when it has been idle for too long, heartbeats or not', async (t) => {
  const idleLimit = 30 * 60 * second
  const { get, keep, beat, clock, used } = await stand({ idleLimit, supplies: [supply('l1/cad', { seats: 2 })] })
  const session = await get('key-1', { activity: 'reported' })
  const other = await get('key-2')
  t.is(Date.parse(session.idleEndsAt ?? ''), clock.wall() + idleLimit)
  t.is(other.idleEndsAt, undefined)
  for (let minutes = 0; minutes < 25; minutes += 5) {
    await clock.run(5 * 60 * second)
    await keep(session)
    await keep(other)
  }
  const active = await keep(session, { active: true })
  t.is(Date.parse(active.idleEndsAt ?? ''), clock.wall() + idleLimit)
  const before = await keep(session, { activeAt: clock.wall() - 60 * second })
  t.is(before.idleEndsAt, active.idleEndsAt)
  for (let minutes = 0; minutes < 30; minutes += 5) {
    await keep(session)
    await keep(other)
    await clock.run(5 * 60 * second)
  }
  await clock.run(2 * second)
  t.like(await beat(session), { code: 'session_ended', facts: { reason: 'idle' } })
  t.is((await keep(other)).id, other.id)
  await clock.run(3 * second)
  t.is(used(), 1)
})

test('S12: activity in the past counts from then, activity in the future from now', async (t) => {
  const idleLimit = 30 * 60 * second
  const { get, keep, clock } = await stand({ idleLimit })
  const session = await get('key-1', { activity: 'reported' })
  await clock.run(300 * second)
  const past = await keep(session, { activeAt: clock.wall() - 100 * second })
  t.is(Date.parse(past.idleEndsAt ?? ''), clock.wall() - 100 * second + idleLimit)
  const future = await keep(session, { activeAt: clock.wall() + 3600 * second })
  t.is(Date.parse(future.idleEndsAt ?? ''), clock.wall() + idleLimit)
})

test('a session of a supply that ends soon is told to come again before that', async (t) => {
  const { get } = await stand({ supplies: [supply('l1/cad', { until: 64 * second })] })
  const session = await get('key-1')
  t.is(session.expiresIn, 4)
  t.is(session.renewIn, 2)
})

// ---- R18 through the broker

test('R18: by process, sessions of one process that the agent saw share a seat; unseen ones and those from afar do not', async (t) => {
  const processes = { startOf: (pid: number) => (pid < 100 ? `start-${pid}` : undefined) }
  const { get, used } = await stand({
    supplies: [supply('l1/cad', { seats: 10, rule: 'process' })],
    broker: { processes },
  })
  for (const key of ['key-1', 'key-2', 'key-3']) await get(key, { process: { id: 7 } })
  t.is(used(), 1)
  await get('key-4', { process: { id: 8 } })
  t.is(used(), 2)
  for (const key of ['key-5', 'key-6']) await get(key, { process: { id: 100 } })
  t.is(used(), 4)
  for (const key of ['key-7', 'key-8']) await get(key, { process: { id: 7 }, address: '192.0.2.7' })
  t.is(used(), 6)
})

test('R17: one license per user: Ana leaves one of her two sessions, Bob is refused until she leaves the other', async (t) => {
  const { get, open, close } = await stand({ supplies: [supply('l1/cad', { rule: 'user' })] })
  const [one, two] = [await get('key-1', ana), await get('key-2', ana)]
  await close(one)
  t.is(codeOf(await open('key-3', bob)), 'no_seats')
  await close(two)
  t.is(codeOf(await open('key-3', bob)), 'opened')
})

// ---- the journal

test('what is refused is in the journal with its facts, once a minute for the same request', async (t) => {
  const { get, open, journal, clock } = await stand()
  await get('key-1', ana)
  for (let asks = 0; asks < 30; asks++) {
    await open('key-2', { ...bob, host: 'PC-2' })
    await clock.run(second)
  }
  await open('key-3', { product: 'acme/cam' })
  const refused = await journal('session.refused')
  t.deepEqual(
    refused.map((one) => [one.facts.product, one.facts.code, one.personal?.texts?.email]),
    [
      ['acme/cad', 'no_seats', 'bob@x.example'],
      ['acme/cam', 'unknown_product', undefined],
    ],
  )
  await clock.run(60 * second)
  await open('key-2', { ...bob, host: 'PC-2' })
  t.is((await journal('session.refused')).length, 3)
})

test('R1: while the store fails nothing is said to be granted; the same id asked again gets one seat', async (t) => {
  for (const failure of ['before', 'after', 'torn'] as const) {
    const store = new FailingStore(new MemoryStore())
    const { open, get, beat, close, used, clock } = await stand({ store, supplies: [supply('l1/cad', { seats: 2 })] })
    const other = await get('key-0')
    store.failCommits(failure)
    t.like(await t.throwsAsync(open('key-1')), { code: 'store_unavailable' }, failure)
    // Until everything is loaded anew an unknown id means nothing, so nobody is told that a session is unknown.
    t.like(await t.throwsAsync(beat(other)), { code: 'store_unavailable' }, failure)
    await clock.run(second)
    t.is(used(), failure === 'after' ? 2 : 1, failure)
    t.is(codeOf(await beat(other)), 'kept')
    const session = await get('key-1')
    t.is(used(), 2, failure)
    await close(session)
    t.is(used(), 1, failure)
  }
})

// ---- under load

test.serial(
  '500 applications race for 100 seats: 100 get one, whatever comes between, and none is ever given twice',
  async (t) => {
    const seats = 100
    const { open, close, used, journal, lessor } = await stand({ supplies: [supply('l1/cad', { seats })] })
    const outcomes = await Promise.all(Array.from({ length: 500 }, (_, index) => open(`key ${index}`)))
    const held = outcomes.flatMap((one) => (one.kind === 'opened' ? [one.session] : []))
    t.is(held.length, seats)
    t.is(used(), seats)
    t.true(outcomes.every((one) => one.kind === 'opened' || one.code === 'no_seats'))

    // In each round half of the holders leave while everybody asks again.
    let most = 0
    let live: OpenedSessionView[] = held
    for (let round = 0; round < 10; round++) {
      const leaving = live.filter((_, index) => index % 2 === 0)
      const staying = live.filter((_, index) => index % 2 === 1)
      const asked = Array.from({ length: 500 }, (_, index) => open(`round ${round} ${index}`))
      const [answers] = await Promise.all([Promise.all(asked), Promise.all(leaving.map(close))])
      live = [...staying, ...answers.flatMap((one) => (one.kind === 'opened' ? [one.session] : []))]
      most = Math.max(most, used())
      t.is(used(), live.length)
      t.is(lessor.view.grantCount, live.length)
    }
    t.true(most <= seats)
    // The journal tells the same story: never more opened than ended plus seats.
    let balance = 0
    for (const { type } of await journal()) {
      if (type === 'session.opened') balance++
      if (type === 'session.ended') balance--
      t.true(balance <= seats)
    }
    t.is(balance, live.length)
  },
)

test.serial('opening and closing costs about the same with 10 and with 20,000 sessions alive', async (t) => {
  const cost = async (live: number): Promise<number> => {
    const { get, close } = await stand({ supplies: [supply('l1/cad', { seats: live + 100, rule: 'user' })] })
    for (let from = 0; from < live; from += 500)
      await Promise.all(
        Array.from({ length: Math.min(500, live - from) }, (_, index) =>
          get(`live ${from + index}`, { user: { account: `user ${from + index}` } }),
        ),
      )
    const best: number[] = []
    for (let round = 0; round < 12; round++) {
      const start = performance.now()
      for (let index = 0; index < 100; index++) await close(await get(`key ${round} ${index}`))
      best.push(performance.now() - start)
    }
    return Math.min(...best)
  }
  const [few, many] = [await cost(10), await cost(20_000)]
  t.log(`${(few * 10).toFixed(0)} and ${(many * 10).toFixed(0)} µs for a pair`)
  t.true(many < few * 3, `${few} ms, ${many} ms`)
})
