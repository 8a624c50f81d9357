import test from 'ava'
import { longestLine } from '../../agent/domain/line.ts'
import type { OpenCommand } from '../../agent/domain/seats.ts'
import { WaitingRoom } from '../../agent/waiting-room.ts'
import { command } from '../domain/world.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { peek } from './stand.ts'

const second = 1000

interface Answer {
  readonly kind: 'granted' | 'repeated' | 'short'
  readonly id?: string
}

/** A room in front of a number of seats, without anything below it. */
function room(seats: number) {
  const clock = new ManualClock()
  const counts: number[] = []
  const asked: string[] = []
  const state = { seats, failing: false, late: Promise.resolve() }
  const waiting = new WaitingRoom<Answer>({
    clock,
    timers: clock,
    ask: async ({ id, waited }: OpenCommand) => {
      asked.push(id)
      if (!waited) throw new Error('it did not say that it waited')
      const answer: Answer = state.seats > 0 ? { kind: 'granted', id } : { kind: 'short' }
      if (answer.kind === 'granted' && !state.failing) state.seats--
      const failing = state.failing
      await state.late
      if (failing) throw new Error('the store failed')
      return answer
    },
    isFinal: (answer) => answer.kind !== 'short',
    again: (answer) => ({ ...answer, kind: 'repeated' }),
    onChange: (_, count) => counts.push(count),
  })
  const wait = (id: string, seconds: number, signal?: AbortSignal) =>
    waiting.wait(command(id), seconds * second, signal)
  return { clock, state, waiting, wait, asked, counts }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test('R30: seats are given in the order of coming', async (t) => {
  const { state, waiting, wait } = room(0)
  const answers = ['a', 'b', 'c'].map((id) => wait(id, 300))
  await settled()
  state.seats = 2
  waiting.serve()
  t.deepEqual(await Promise.all(answers.slice(0, 2)), [
    { kind: 'granted', id: 'a' },
    { kind: 'granted', id: 'b' },
  ])
  t.is(await peek(answers[2] as Promise<unknown>), 'pending')
  t.is(waiting.list()[0]?.waiting.id, 'c')
})

test('R30: who was first and has left by the clock alone stands in no line of others any more', async (t) => {
  const clock = new ManualClock()
  const standing = new Set<string>()
  const never = () => () => undefined
  const waiting = new WaitingRoom<Answer>({
    clock,
    // No timer comes before a seat does.
    timers: { after: never, every: never },
    ask: async () => ({ kind: 'short' }),
    isFinal: () => false,
    again: (answer) => answer,
    stand: ({ id }) => {
      standing.add(id)
      return () => standing.delete(id)
    },
  })
  const controller = new AbortController()
  const first = waiting.wait(command('a'), 300 * second, controller.signal)
  void waiting.wait(command('b'), 300 * second)
  await settled()
  t.deepEqual([...standing], ['a'])
  controller.abort()
  t.is((await first).kind, 'short')
  clock.advance(6 * second)
  waiting.serve()
  await settled()
  t.deepEqual([...standing], ['b'])
})

test('R30: a seat that comes free while the head is being asked for is not lost', async (t) => {
  const { state, waiting, wait, asked } = room(0)
  const first = wait('a', 300)
  await settled()
  // Asked again; the answer is "short" already, but it is still on its way when a seat comes free.
  let arrive = (): void => undefined
  state.late = new Promise((resolve) => {
    arrive = resolve
  })
  waiting.serve()
  await settled()
  state.late = Promise.resolve()
  state.seats = 1
  waiting.serve()
  await settled()
  t.is(asked.length, 2)
  arrive()
  t.deepEqual(await first, { kind: 'granted', id: 'a' })
})

test('R30: a wait ends exactly at its time, and not a moment before', async (t) => {
  const { clock, wait } = room(0)
  const [short, long] = [wait('a', 10), wait('b', 20)]
  await clock.run(10 * second - 1)
  t.is(await peek(short), 'pending')
  await clock.run(1)
  t.deepEqual(await peek(short), { kind: 'short' })
  t.is(await peek(long), 'pending')
  await clock.run(10 * second)
  t.deepEqual(await peek(long), { kind: 'short' })
})

test('R30: a closed connection keeps its place for 5 s; then the next one is served', async (t) => {
  const { clock, state, waiting, wait } = room(0)
  const closing = new AbortController()
  const gone = wait('a', 300, closing.signal)
  const next = wait('b', 300)
  await settled()
  closing.abort()
  t.deepEqual(await gone, { kind: 'short' })
  state.seats = 1
  waiting.serve()
  await clock.run(5 * second - 1)
  t.is(await peek(next), 'pending')
  t.is(state.seats, 1)
  await clock.run(1)
  t.deepEqual(await peek(next), { kind: 'granted', id: 'b' })
})

test('R30: who asks again within 5 s has its place back', async (t) => {
  const { clock, state, waiting, wait } = room(0)
  const closing = new AbortController()
  void wait('a', 300, closing.signal)
  const next = wait('b', 300)
  await settled()
  closing.abort()
  await clock.run(4 * second)
  const again = wait('a', 300)
  await clock.run(60 * second)
  state.seats = 1
  waiting.serve()
  t.deepEqual(await again, { kind: 'granted', id: 'a' })
  t.is(await peek(next), 'pending')
})

test('R30: a connection that is closed already takes a place only for 5 s', async (t) => {
  const { clock, waiting, wait } = room(0)
  t.deepEqual(await wait('a', 300, AbortSignal.abort()), { kind: 'short' })
  t.true(waiting.othersAhead('acme/cad', 'b'))
  await clock.run(5 * second)
  t.false(waiting.othersAhead('acme/cad', 'b'))
  t.is(clock.waiting, 0)
})

test('a clock that is behind the timers gives up no place early and forgets nobody', async (t) => {
  const { clock, state, wait } = room(0)
  const slow = { behind: 0 }
  const read = clock.atLeast.bind(clock)
  clock.atLeast = () => read() - slow.behind
  const closing = new AbortController()
  void wait('a', 300, closing.signal)
  const next = wait('b', 300)
  await settled()
  closing.abort()
  slow.behind = 900
  state.seats = 1
  await clock.run(5 * second)
  t.is(await peek(next), 'pending')
  await clock.run(second)
  t.deepEqual(await peek(next), { kind: 'granted', id: 'b' })
})

test('the same id asked for twice at once has one place, and both hear the answer', async (t) => {
  const { clock, state, waiting, wait } = room(0)
  const [first, second_] = [wait('a', 10), wait('a', 300)]
  const third = wait('b', 300)
  await settled()
  t.deepEqual(
    waiting.list().map(({ position, waiting: { id } }) => [position, id]),
    [
      [1, 'a'],
      [2, 'b'],
    ],
  )
  await clock.run(10 * second)
  t.deepEqual(await peek(first), { kind: 'short' })
  const fourth = wait('a', 300)
  state.seats = 1
  waiting.serve()
  t.deepEqual(await Promise.all([second_, fourth]), [
    { kind: 'granted', id: 'a' },
    { kind: 'repeated', id: 'a' },
  ])
  t.is(state.seats, 0)
  t.is(await peek(third), 'pending')
})

test('R15: an id that waits with one body is a conflict with another', async (t) => {
  const { waiting, wait } = room(0)
  void wait('a', 300)
  t.deepEqual(await waiting.wait(command('a', { body: 'other' }), second), { kind: 'conflict' })
})

test('R30: the line of a product takes 1,000', async (t) => {
  const { wait, waiting } = room(0)
  for (let index = 0; index < longestLine; index++) void wait(`id ${index}`, 300)
  t.deepEqual(await wait('one more', 300), { kind: 'queue_full' })
  t.is(waiting.waiting('acme/cad'), longestLine)
  t.deepEqual(await peek(waiting.wait(command('x', { product: 'acme/cam' }), second)), 'pending')
})

test('R1: when asking fails, the head is told and keeps its place for 5 s; nobody else is', async (t) => {
  const { clock, state, waiting, wait } = room(0)
  const [first, next] = [wait('a', 300), wait('b', 300)]
  await settled()
  state.failing = true
  waiting.serve()
  await t.throwsAsync(first, { message: 'the store failed' })
  t.is(await peek(next), 'pending')
  state.failing = false
  state.seats = 1
  const again = wait('a', 300)
  t.deepEqual(await again, { kind: 'granted', id: 'a' })
  state.failing = true
  waiting.serve()
  await t.throwsAsync(next)
  await clock.run(6 * second)
  t.is(waiting.waiting('acme/cad'), 0)
})

test('who gets its answer by another way leaves the line, and the next one is served', async (t) => {
  const { state, waiting, wait } = room(0)
  const [first, next] = [wait('a', 300), wait('b', 300)]
  await settled()
  state.seats = 1
  waiting.settle('acme/cad', 'a', { kind: 'granted', id: 'another way' })
  t.deepEqual(await first, { kind: 'repeated', id: 'another way' })
  t.deepEqual(await next, { kind: 'granted', id: 'b' })
})

test('how many wait is told with every change', async (t) => {
  const { clock, state, waiting, wait, counts } = room(0)
  const closing = new AbortController()
  void wait('a', 300)
  void wait('b', 300, closing.signal)
  void wait('c', 10)
  await settled()
  t.is(counts.at(-1), 3)
  closing.abort()
  await clock.run(5 * second)
  t.is(counts.at(-1), 2)
  state.seats = 1
  waiting.serve()
  await settled()
  t.is(counts.at(-1), 1)
  await clock.run(10 * second)
  t.is(counts.at(-1), 0)
  t.is(clock.waiting, 0)
})

test('only the lines of a vendor are asked for when one of its seats comes free', async (t) => {
  const { waiting, wait, asked } = room(0)
  void wait('a', 300)
  void waiting.wait(command('x', { product: 'other/cad' }), 300 * second)
  await settled()
  asked.length = 0
  waiting.serve('other')
  await settled()
  t.deepEqual(asked, ['x'])
})

test('stopping answers everybody and leaves no timer', async (t) => {
  const { clock, waiting, wait } = room(0)
  const closing = new AbortController()
  const answers = [wait('a', 300), wait('b', 300), wait('c', 300, closing.signal)]
  closing.abort()
  waiting.stop()
  t.deepEqual(await Promise.all(answers), [{ kind: 'short' }, { kind: 'short' }, { kind: 'short' }])
  t.is(clock.waiting, 0)
})
