import test from 'ava'
import fc from 'fast-check'
import type { CountRule } from '../agent/domain/count-key.ts'
import type { JournalEntry } from '../agent/domain/journal.ts'
import { History, type HistoryOptions, type LiveSeat } from '../agent/history.ts'
import type { JournalFilter } from '../agent/journal.ts'
import { ManualClock } from './helpers/manual-clock.ts'

const minute = 60_000
const hour = 60 * minute
const start = Date.parse('2026-11-24T00:00:00.000Z')

interface Happened {
  readonly at: number
  readonly type:
    | 'session.opened'
    | 'session.ended'
    | 'session.refused'
    | 'agent.started'
    | 'lease.granted'
    | 'lease.ended'
  /** Also of a lease. */
  readonly session?: string
  /** Of a lease: where the application runs. */
  readonly agent?: string
  readonly account?: string
  readonly seats?: number
  readonly product?: string
  readonly code?: string
}

function entryOf(one: Happened, place: number): JournalEntry {
  const { at, type, session, agent, account, seats = 1, product = 'acme/cad', code } = one
  return {
    sequence: place + 1,
    at,
    instance: 'a',
    type,
    facts: {
      ...(type === 'agent.started' ? {} : { product, seats }),
      ...(session === undefined ? {} : { [type.startsWith('lease') ? 'lease' : 'session']: session }),
      ...(agent === undefined ? {} : { agent }),
      ...(code === undefined ? {} : { code }),
    },
    ...(account === undefined ? {} : { personal: { hash: '', texts: { account } } }),
    hash: '',
  }
}

/** A journal that grows, and the sessions that live at its end. */
class Story {
  readonly happened: Happened[] = []
  readonly live = new Map<string, LiveSeat>()
  now = start
  reads = 0

  note(one: Happened): void {
    this.happened.push(one)
    this.now = Math.max(this.now, one.at)
    if (one.session === undefined) return
    if (one.type.endsWith('.ended')) this.live.delete(one.session)
    if (one.type === 'session.opened' || one.type === 'lease.granted')
      this.live.set(one.session, {
        id: one.session,
        product: one.product ?? 'acme/cad',
        seats: one.seats ?? 1,
        agent: one.agent,
        account: one.account,
      })
  }

  history(rule: CountRule, more: Partial<HistoryOptions> = {}): History {
    return new History({
      journal: { read: (filter, limit) => this.#read(filter, limit) },
      snapshot: async () => ({ sequence: this.happened.length, live: [...this.live.values()] }),
      ruleOf: () => rule,
      agent: 'a',
      wall: () => this.now,
      timers: new ManualClock(),
      ...more,
    })
  }

  async *#read(
    { from = 1, to = this.happened.length, order }: JournalFilter,
    limit: number,
  ): AsyncIterable<JournalEntry> {
    const all = this.happened.map(entryOf).slice(from - 1, to)
    for (const entry of (order === 'oldest-first' ? all : all.reverse()).slice(0, limit)) {
      this.reads += 1
      yield entry
    }
  }
}

/** Seats in use between two times, counted the slow way. */
function countPeak(happened: readonly Happened[], rule: CountRule, from: number, until: number): number {
  const live = new Map<string, Happened>()
  const count = (): number => {
    const keys = new Map<string, number>()
    for (const [id, { account, seats = 1 }] of live) {
      const key = rule === 'user' && account !== undefined ? account : id
      keys.set(key, Math.max(keys.get(key) ?? 0, seats))
    }
    return [...keys.values()].reduce((sum, seats) => sum + seats, 0)
  }
  let peak = 0
  let before = 0
  for (const one of happened) {
    if (one.at >= until) break
    if (one.session === undefined) continue
    if (one.type === 'session.opened') live.set(one.session, one)
    else live.delete(one.session)
    if (one.at >= from) peak = Math.max(peak, before, count())
    before = count()
  }
  return Math.max(peak, before)
}

const hours = Array.from({ length: 25 }, (_, place) => start + place * hour)

test('usage over time is the same read backward from the present, forward as it comes, and counted one by one', async (t) => {
  const step = fc.record({
    pause: fc.integer({ min: 1, max: 90 }),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    account: fc.constantFrom('ana', 'bo'),
    seats: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.nat({ max: 40 }),
      fc.constantFrom<CountRule>('session', 'user'),
      async (steps, asked, rule) => {
        const story = new Story()
        const history = story.history(rule)
        const live = new Map<string, { readonly session: string; readonly account: string; readonly seats: number }>()
        let count = 0
        for (const [place, { pause, id, account, seats }] of steps.entries()) {
          if (place === asked) await history.read(hours)
          const at = Math.min(story.now + pause * minute, start + 24 * hour - 1)
          const known = live.get(id)
          if (known) story.note({ at, type: 'session.ended', ...known })
          else story.note({ at, type: 'session.opened', session: `${id}${++count}`, account, seats })
          if (known) live.delete(id)
          else live.set(id, { session: `${id}${count}`, account, seats })
        }
        const usage = await history.read(hours)
        const end = story.now
        const wanted = hours.slice(1).map((until, place) => {
          const from = hours[place] ?? 0
          return from > end ? 0 : countPeak(story.happened, rule, from, until)
        })
        const found = usage.products[0]?.peaks ?? wanted.map(() => 0)
        t.deepEqual(found, wanted)
      },
    ),
    { numRuns: 60 },
  )
})

test('denials are counted where no seat was free, and other refusals are not', async (t) => {
  const story = new Story()
  for (const [place, code] of ['no_seats', 'queue_full', 'unknown_product', 'no_seats'].entries())
    story.note({ at: start + place * 25 * minute, type: 'session.refused', code })
  const history = story.history('session')
  t.deepEqual((await history.read(hours)).products[0]?.denials.slice(0, 3), [2, 1, 0])
  story.note({ at: start + 2 * hour, type: 'session.refused', code: 'no_seats' })
  t.deepEqual((await history.read(hours)).products[0]?.denials.slice(0, 3), [2, 1, 1])
})

test('the journal is read backward once, then only what is new', async (t) => {
  const story = new Story()
  for (let place = 0; place < 50; place += 1) story.note({ at: start + place * minute, type: 'agent.started' })
  const history = story.history('session')
  await history.read(hours)
  t.is(story.reads, 50)
  await history.read(hours)
  t.is(story.reads, 50)
  story.note({ at: start + hour, type: 'session.opened', session: 's' })
  t.deepEqual(
    (await history.read(hours)).products.map(({ product }) => product),
    ['acme/cad'],
  )
  t.is(story.reads, 51)
})

test('what is older than is kept is not read, and since when it is known is said', async (t) => {
  const story = new Story()
  const day = 24 * hour
  story.note({ at: start - 60 * day, type: 'session.opened', session: 'old' })
  story.note({ at: start - 40 * day, type: 'session.refused', code: 'no_seats' })
  story.note({ at: start, type: 'session.opened', session: 'new' })
  const days = Array.from({ length: 41 }, (_, place) => start + (place - 39) * day)
  const whole = await story.history('session').read(days)
  t.is(whole.products[0]?.peaks.at(-1), 2)
  t.is(whole.products[0]?.peaks.at(10), 1)
  t.deepEqual(
    whole.products[0]?.denials.filter((count) => count > 0),
    [],
  )
  t.true((whole.since ?? 0) < start - 34 * day)
  const short = await story.history('session', { most: 1 }).read(days)
  t.is(short.since, start)
})

test('slots come around: what is older than 35 days makes room', async (t) => {
  const story = new Story()
  const day = 24 * hour
  const history = story.history('session')
  story.note({ at: start, type: 'session.opened', session: 'a', seats: 7 })
  story.note({ at: start + hour, type: 'session.ended', session: 'a', seats: 7 })
  await history.read(hours)
  story.now = start + 36 * day
  story.note({ at: story.now, type: 'session.opened', session: 'b' })
  const boundaries = [start + 35 * day, start + 36 * day, start + 37 * day]
  t.deepEqual((await history.read(boundaries)).products[0]?.peaks, [0, 1])
})

test('a reader does not wait for a long past: it is told that it is still being read', async (t) => {
  const story = new Story()
  story.note({ at: start, type: 'session.opened', session: 'a' })
  let go = (): void => undefined
  const held = new Promise<void>((resolve) => {
    go = resolve
  })
  const timers = new ManualClock()
  const history = story.history('session', {
    timers,
    patience: 1000,
    journal: {
      read: async function* () {
        await held
        yield entryOf(story.happened[0] as Happened, 0)
      },
    },
  })
  const asked = history.read(hours)
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  timers.advance(1000)
  const usage = await asked
  t.is(usage.since, undefined)
  t.is(usage.products[0]?.peaks[0], 1, 'what lives now is known')
  go()
})

test('a past that can not be read is read anew by the next who asks', async (t) => {
  const story = new Story()
  story.note({ at: start, type: 'session.opened', session: 'a' })
  let broken = true
  const history = story.history('session', {
    journal: {
      read: async function* () {
        if (broken) throw new Error('the store is gone')
        yield entryOf(story.happened[0] as Happened, 0)
      },
    },
  })
  await t.throwsAsync(history.read(hours), { message: 'the store is gone' })
  broken = false
  t.is((await history.read(hours)).products[0]?.peaks[0], 1)
})

test('leases of other agents are usage like sessions, and count for the machine that the application runs at', async (t) => {
  const story = new Story()
  const at = (minutes: number): number => start + minutes * minute
  story.note({ at: at(1), type: 'session.opened', session: 'here' })
  story.note({ at: at(2), type: 'lease.granted', session: 'a/one', agent: 'desktop' })
  story.note({ at: at(3), type: 'lease.granted', session: 'b/one', agent: 'desktop' })
  const history = story.history('host')
  t.deepEqual((await history.read([start, start + hour])).products[0]?.peaks, [2])
  story.note({ at: at(70), type: 'lease.granted', session: 'a/two', agent: 'laptop' })
  story.note({ at: at(80), type: 'lease.ended', session: 'a/one', agent: 'desktop' })
  story.note({ at: at(90), type: 'lease.ended', session: 'b/one', agent: 'desktop' })
  story.note({ at: at(130), type: 'session.ended', session: 'here' })
  const boundaries = [start, start + hour, start + 2 * hour, start + 3 * hour]
  for (const one of [history, story.history('host')])
    t.deepEqual((await one.read(boundaries)).products[0]?.peaks, [2, 3, 2])
})
