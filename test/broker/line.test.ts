/** The waiting line as it is seen through the broker, over the real lessor. */
import test from 'ava'
import { longestLine } from '../../agent/domain/line.ts'
import { supply } from '../domain/world.ts'
import { codeOf, peek, stand } from './stand.ts'

const second = 1000
const ana = { user: { email: 'ana@x.example' } }

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('R30: a seat that is given back goes to who waits, for 60 s until it is heard of', async (t) => {
  const { get, open, keep, close, clock, used, events } = await stand()
  const first = await get('key-1')
  const waiting = open('key-2', { wait: 300 })
  await clock.run(100 * second)
  t.is(await peek(waiting), 'pending')
  await close(first)
  const outcome = await waiting
  if (outcome.kind === 'refused') return t.fail(outcome.detail)
  t.true(outcome.created)
  t.is(outcome.session.expiresIn, 60)
  t.is((await keep(outcome.session)).expiresIn, 600)
  await clock.run(500 * second)
  t.is(used(), 1)
  t.is(events.filter((one) => one.kind === 'opened').length, 2)
  return undefined
})

test('R30: a seat that was granted after waiting and is never heard of is free after 60 s and the grace', async (t) => {
  const { get, open, close, clock, used } = await stand()
  const first = await get('key-1')
  const closing = new AbortController()
  const waiting = open('key-2', { wait: 300, signal: closing.signal })
  await clock.run(second)
  await close(first)
  await waiting
  await clock.run(74 * second)
  t.is(used(), 1)
  await clock.run(2 * second)
  t.is(used(), 0)
})

test('R30: who waits gets the seat of a session that is late, when its time is over', async (t) => {
  const { get, open, clock } = await stand()
  await get('key-1')
  await clock.run(400 * second)
  const waiting = open('key-2', { wait: 300 })
  await clock.run(214 * second)
  t.is(await peek(waiting), 'pending')
  await clock.run(3 * second)
  t.is(codeOf(await waiting), 'opened')
})

test('R30: who is not at the head gets none even if a seat is free, and is told how many wait', async (t) => {
  const { get, open, close, used } = await stand({ supplies: [supply('l1/cad', { seats: 2 })] })
  const [first] = [await get('key-1'), await get('key-2')]
  const two = open('key-3', { seats: 2, wait: 300 })
  await settled()
  await close(first)
  await settled()
  t.is(used(), 1)
  const refused = await open('key-4')
  t.is(codeOf(refused), 'no_seats')
  t.like(refused, { detail: '1 of 2 seats of acme/cad are in use; 1 waits for one already.' })
  t.is(await peek(two), 'pending')
})

test('R30: who shares a seat that it has anyway passes the line', async (t) => {
  const { get, open, close, used } = await stand({ supplies: [supply('l1/cad', { rule: 'user' })] })
  const first = await get('key-1', ana)
  const waiting = open('key-2', { user: { email: 'bob@x.example' }, wait: 300 })
  await settled()
  const second_ = await get('key-3', ana)
  t.is(used(), 1)
  await close(first)
  t.is(await peek(waiting), 'pending')
  await close(second_)
  t.is(codeOf(await waiting), 'opened')
})

test('R15: who was refused after its wait and asks again within 5 s is still first', async (t) => {
  const { get, open, close, clock } = await stand()
  const first = await get('key-1')
  const waiting = open('key-2', { wait: 5 })
  const behind = open('key-3', { wait: 300 })
  await settled()
  await clock.run(5 * second)
  t.is(codeOf(await waiting), 'no_seats')
  await clock.run(3 * second)
  await close(first)
  await settled()
  t.is(await peek(behind), 'pending')
  const again = await open('key-2')
  t.is(codeOf(again), 'opened')
  if (again.kind === 'opened') await close(again.session)
  t.is(codeOf(await behind), 'opened')
})

test('the same id that waits twice at once is one session', async (t) => {
  const { get, open, close, used } = await stand()
  const first = await get('key-1')
  const both = [open('key-2', { wait: 300 }), open('key-2', { wait: 300 })]
  await settled()
  await close(first)
  const outcomes = await Promise.all(both)
  t.deepEqual(
    outcomes.map((one) => one.kind === 'opened' && one.created),
    [true, false],
  )
  t.is(new Set(outcomes.map((one) => (one.kind === 'opened' ? one.session.id : ''))).size, 1)
  t.is(used(), 1)
})

test('asking for more seats than there are does not block the line', async (t) => {
  const { get, open, close } = await stand()
  const first = await get('key-1')
  const impossible = await open('key-2', { seats: 2, wait: 300 })
  t.like(impossible, { code: 'no_seats', detail: '2 seats of acme/cad are asked for; there are 1 in all.' })
  const waiting = open('key-3', { wait: 300 })
  await settled()
  await close(first)
  t.is(codeOf(await waiting), 'opened')
})

test('who waits hears at once that the license is gone, and gets seats of a new one', async (t) => {
  const license = supply('l1/cad')
  const { get, open, put } = await stand({ supplies: [license] })
  await get('key-1')
  const waiting = open('key-2', { wait: 300 })
  const next = open('key-3', { wait: 300 })
  await settled()
  await put(supply('l2/cad', { seats: 1 }))
  t.is(codeOf(await waiting), 'opened')
  for (const id of ['l1/cad', 'l2/cad']) await put(supply(id, { takes: { kind: 'nothing', why: 'license_expired' } }))
  t.is(codeOf(await next), 'license_expired')
})

test('a full line is told from no seats', async (t) => {
  const { get, open, broker } = await stand()
  await get('key-0')
  const waiting = Array.from({ length: longestLine }, (_, index) => open(`key w ${index}`, { wait: 300 }))
  await settled()
  await settled()
  t.is(broker.waiting('acme/cad'), longestLine)
  t.is(codeOf(await open('key-1', { wait: 300 })), 'queue_full')
  t.is(codeOf(await open('key-2')), 'no_seats')
  broker.stop()
  t.true((await Promise.all(waiting)).every((one) => codeOf(one) === 'no_seats'))
})

test('100 in line get the seats of a busy product one after another, in their order', async (t) => {
  const { get, open, close, used, clock } = await stand({ supplies: [supply('l1/cad', { seats: 3 })] })
  const held = [await get('key-1'), await get('key-2'), await get('key-3')]
  const served: number[] = []
  const all = Array.from({ length: 100 }, async (_, index) => {
    const outcome = await open(`waiting ${index}`, { wait: 300 })
    if (outcome.kind === 'refused') throw new Error(`${index}: ${outcome.detail}`)
    served.push(index)
    t.true(used() <= 3)
    await close(outcome.session)
  })
  await settled()
  await clock.run(second)
  t.is(served.length, 0)
  await Promise.all(held.map(close))
  await Promise.all(all)
  t.deepEqual(
    served,
    Array.from({ length: 100 }, (_, index) => index),
  )
  t.is(used(), 0)
})
