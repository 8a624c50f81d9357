import test from 'ava'
import { DateFloor } from '../agent/date-floor.ts'
import { Health } from '../agent/health.ts'
import { ManualClock } from './helpers/manual-clock.ts'
import { ManualWrites } from './helpers/manual-writes.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

function make(clock = new ManualClock(), writes = new ManualWrites()) {
  const health = new Health(clock)
  const troubles: unknown[] = []
  const floor = new DateFloor({ clock, timers: clock, writes, health, onTrouble: (error) => troubles.push(error) })
  writes.load(floor)
  return { clock, writes, health, troubles, floor }
}

type Made = ReturnType<typeof make>

/** A new process over the same records. */
function again({ clock, writes }: Made): Made {
  const next = new ManualWrites()
  for (const [key, record] of writes.records) next.records.set(key, record)
  return make(clock, next)
}

test('R11: the floor is stored at the start and every minute, and goes on after a restart', async (t) => {
  const made = make()
  const { clock, writes, floor } = made
  const start = clock.wall()
  const stop = await floor.start()
  t.is(writes.records.size, 1)
  const stored = () => JSON.stringify(writes.records.get('floor/date'))
  const before = stored()
  await clock.run(minute)
  t.not(stored(), before)
  stop()
  clock.setWall(start - day)
  clock.restart()
  clock.advance(hour)
  const { floor: next } = again(made)
  await next.start()
  t.is(next.dates().date, start + minute + hour)
})

test('R11: a first start believes the wall before anything is stored', (t) => {
  const { clock, floor } = make()
  t.deepEqual(floor.dates(), { date: clock.wall() })
})

test('R11: a wall found ahead after a reboot waits one hour, is journaled and warned of with its amount', async (t) => {
  const made = make()
  await made.floor.start()
  const start = made.clock.wall()
  made.clock.reboot(2 * day)
  const { clock, floor, health, writes } = again(made)
  await floor.start()
  t.is(floor.dates().date, start)
  t.deepEqual(health.list(), [], 'what may pass by itself is not shown at once')
  await clock.run(5 * minute)
  const [problem] = health.list()
  t.is(problem?.code, 'clock_forward_pending')
  t.true(problem?.text.includes('2 days ahead'), problem?.text)
  t.true(problem?.text.includes('after 55 minutes more'), problem?.text)
  await clock.run(55 * minute)
  t.is(floor.dates().date, clock.wall())
  t.deepEqual(health.list(), [])
  t.deepEqual(
    writes.journal.map(({ type, facts }) => [type, facts.outcome, facts.because]),
    [
      ['clock.forward', 'pending', 'found'],
      ['clock.forward', 'accepted', 'found'],
    ],
  )
})

test('R11: a clock that the network sets minutes after the start was found and is no step; later it is one', async (t) => {
  const made = make()
  const { clock, floor } = made
  await floor.start()
  await clock.run(5 * minute)
  clock.setWall(clock.wall() + 3 * day)
  await clock.run(minute)
  await clock.run(hour)
  t.is(floor.dates().date, clock.wall())
  clock.setWall(clock.wall() + 3 * day)
  await clock.run(2 * hour)
  t.is(floor.dates().later, clock.wall())
  await clock.run(22 * hour + minute)
  t.is(floor.dates().date, clock.wall())
})

test('R11: after a sleep the floor is right at once, and a wall that woke up ahead was found', async (t) => {
  const { clock, floor } = make()
  await floor.start()
  await clock.run(2 * hour)
  clock.sleepMachine(8 * hour)
  t.is(floor.dates().date, clock.wall())
  clock.setWall(clock.wall() + day)
  await clock.run(minute)
  t.is(floor.dates().later, clock.wall())
  await clock.run(hour)
  t.is(floor.dates().date, clock.wall())
})

test('R11: a tick that could not be stored is told, and its time counts with the next one', async (t) => {
  const made = make()
  const { clock, floor, writes, troubles } = made
  await floor.start()
  clock.reboot(2 * day)
  const next = again(made)
  await next.floor.start()
  next.writes.holding = true
  for (let round = 0; round < 59; round++) {
    clock.advance(minute)
    next.writes.fail()
    await clock.run(0)
  }
  t.is(next.troubles.length, 59)
  t.is(troubles.length, 0)
  t.not(next.floor.dates().later, undefined)
  next.writes.holding = false
  await clock.run(minute)
  t.is(next.floor.dates().later, undefined)
  t.true(writes.records.has('floor/date'))
})

test('R11: several steps in one batch journal what happened once', async (t) => {
  const made = make()
  await made.floor.start()
  made.clock.reboot(2 * day)
  const { floor, writes } = again(made)
  writes.holding = true
  const all = [floor.tick(), floor.tick(), writes.submit((transaction) => floor.write(transaction))]
  writes.commit()
  await Promise.all(all)
  t.is(writes.journal.length, 1)
})

test('R12: a clock that is behind is one warning that names the amount and goes when the clock is right', async (t) => {
  const { clock, floor, health, writes } = make()
  await floor.start()
  const right = clock.wall()
  clock.setWall(right - 3 * hour - 20 * minute)
  await clock.run(3 * minute)
  t.is(health.list().length, 1)
  t.true(health.list()[0]?.text.startsWith('It is 3 hours 20 minutes behind'), health.list()[0]?.text)
  clock.setWall(right + 3 * minute)
  await clock.run(minute)
  t.deepEqual(health.list(), [])
  t.is(writes.journal.length, 2)
})

test('R11: an administrator’s word and a signed time are stored', async (t) => {
  const made = make()
  const { clock, floor } = made
  await floor.start()
  await clock.run(hour)
  clock.setWall(clock.wall() + 40 * day)
  await floor.hear('acme', clock.wall(), false)
  t.is(floor.dates(['acme']).date, clock.wall())
  t.not(floor.dates().date, clock.wall())
  await floor.acceptWall()
  t.is(again(made).floor.dates().date, clock.wall())
})

test('R11: a stored floor that is not one is refused when it is read', (t) => {
  const { floor } = make()
  t.throws(() => floor.restore({ kind: 'floor', instance: 'test', key: 'date', value: { date: 'soon' } }))
})
