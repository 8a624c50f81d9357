import test from 'ava'
import fc from 'fast-check'
import {
  acceptWall,
  beginFloor,
  type ClockFact,
  endOf,
  type FloorState,
  hasBegun,
  hearTime,
  isSetBack,
  readDates,
  runningLeft,
  stepFloor,
} from '../../agent/domain/floor.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const first = Date.UTC(2027, 2, 1, 12)

/** A machine whose true time, wall and boot clock a test moves; it steps its floor as the agent does. */
class Machine {
  time = first
  /** Wall minus true time. */
  wrong = 0
  boots = 1
  boot = 0
  state: FloorState
  facts: ClockFact[] = []

  constructor() {
    this.state = beginFloor(this.reading())
  }

  reading() {
    return { wall: this.time + this.wrong, boot: { id: `boot-${this.boots}`, at: this.boot } }
  }

  step(ran: number, occasion: 'arriving' | 'running' = 'running') {
    const { state, facts } = stepFloor(this.state, { ...this.reading(), ran, occasion })
    this.state = JSON.parse(JSON.stringify(state))
    this.facts.push(...facts)
  }

  run(ms: number) {
    for (let left = ms; left > 0; left -= minute) {
      const ran = Math.min(left, minute)
      this.time += ran
      this.boot += ran
      this.step(ran)
    }
  }

  doze(ms: number) {
    this.time += ms
    this.boot += ms
    this.step(0, 'arriving')
  }

  off(ms: number) {
    this.time += ms
    this.boots += 1
    this.boot = 0
    this.step(0, 'arriving')
  }

  dates(signers: string[] = []) {
    return readDates(this.state, this.reading(), signers)
  }

  told(type: string) {
    return this.facts.filter((fact) => fact.type === type).map((fact) => fact.facts.outcome)
  }
}

test('R11: a first install takes its wall as it is', (t) => {
  const machine = new Machine()
  t.deepEqual(machine.dates(), { date: first })
})

test('R11: the floor ticks on while the wall is set back, also over sleep and a restart in the same boot', (t) => {
  const machine = new Machine()
  machine.wrong = -30 * day
  machine.run(2 * hour)
  machine.doze(5 * hour)
  t.is(machine.dates().date, first + 7 * hour)
  t.is(machine.dates().later, undefined)
})

test('R11: a wall up to 5 minutes ahead raises the floor at once, and it stays when the wall goes back', (t) => {
  const machine = new Machine()
  machine.wrong = 5 * minute
  machine.step(0)
  t.is(machine.dates().date, first + 5 * minute)
  machine.wrong = 0
  machine.run(minute)
  t.is(machine.dates().date, first + 6 * minute)
})

test('R11: a wall found ahead at a start is believed after 1 hour of running, and nothing ends by it before', (t) => {
  const machine = new Machine()
  machine.off(3 * day)
  const end = first + 2 * day
  t.is(machine.dates().date, first)
  t.is(machine.dates().later, first + 3 * day)
  t.is(endOf(machine.dates(), end), 'held')
  t.is(endOf(machine.dates(), first + 4 * day), 'running')
  t.false(hasBegun(machine.dates(), end))
  machine.run(59 * minute)
  t.is(endOf(machine.dates(), end), 'held')
  t.is(runningLeft(machine.state.track), minute)
  machine.run(minute)
  t.is(endOf(machine.dates(), end), 'ended')
  t.true(hasBegun(machine.dates(), end))
  t.is(machine.dates().date, machine.time)
  t.deepEqual(machine.told('clock.forward'), ['pending', 'accepted'])
})

test('R11: a pending date is withdrawn when the wall goes back, and is as if it had never been', (t) => {
  const machine = new Machine()
  machine.wrong = 400 * day
  machine.off(minute)
  machine.run(30 * minute)
  machine.wrong = 0
  machine.run(minute)
  t.deepEqual(machine.told('clock.forward'), ['pending', 'withdrawn'])
  t.is(machine.dates().date, machine.time)
  machine.wrong = 400 * day
  machine.step(0, 'arriving')
  machine.run(59 * minute)
  t.not(machine.dates().later, undefined, 'the first 30 minutes do not count')
})

test('R11: a step while running is believed only after 24 hours of running, summed over starts', (t) => {
  const machine = new Machine()
  machine.run(hour)
  machine.wrong = 100 * day
  machine.run(10 * hour)
  machine.off(minute)
  machine.run(13 * hour)
  t.true((machine.dates().later ?? 0) > machine.dates().date)
  t.true(machine.dates().date < first + 2 * day)
  machine.run(hour + 2 * minute)
  t.is(machine.dates().later, undefined)
  t.is(machine.dates().date, machine.time + machine.wrong)
})

test('R11: running while the wall is less far ahead does not count for the later date', (t) => {
  const machine = new Machine()
  machine.run(hour)
  machine.wrong = 100 * day
  machine.run(hour)
  machine.wrong = day
  machine.run(22 * hour)
  machine.wrong = 100 * day
  machine.run(2 * hour)
  t.true(machine.dates().date < first + 3 * day)
  t.is(machine.dates().later, machine.time + machine.wrong)
})

test('R11: what is believed in the end is never later than the wall itself', (t) => {
  const machine = new Machine()
  machine.off(2 * day)
  machine.wrong = -4 * minute
  machine.run(hour)
  t.is(machine.dates().date, machine.time - 4 * minute)
  t.is(machine.facts.at(-1)?.facts.bySeconds, (2 * day - 4 * minute) / 1000)
})

test('R11: a wall that steps without end does not make the state grow without end', (t) => {
  const machine = new Machine()
  for (let step = 0; step < 100; step++) {
    machine.wrong += day
    machine.step(0)
  }
  t.is(machine.state.track.claims.length, 16)
  t.is(machine.dates().later, machine.time + 100 * day)
})

test('R11: of the time between two boots nothing is known', (t) => {
  const machine = new Machine()
  machine.run(minute)
  machine.wrong = -day
  machine.boots += 1
  machine.boot = 3 * hour
  machine.step(0, 'arriving')
  t.is(machine.dates().date, first + minute)
})

test('R11: a machine that is paused every night gets every date in the end', (t) => {
  const machine = new Machine()
  for (let night = 0; night < 10; night++) {
    // a paused virtual machine: only true time and wall move, and nothing tells it from a step
    machine.time += 14 * hour
    machine.step(0, 'running')
    machine.run(10 * hour)
  }
  t.true(
    machine.time - machine.dates().date <= 4 * 14 * hour,
    `${(machine.time - machine.dates().date) / hour} hours late`,
  )
})

test('R11: a wall that goes back part of the way is believed as late as what was found', (t) => {
  const machine = new Machine()
  machine.wrong = 400 * day
  machine.off(2 * day)
  machine.run(20 * minute)
  machine.wrong = 0
  machine.run(minute)
  t.is(machine.dates().later, machine.time)
  machine.run(hour)
  t.is(machine.dates().date, machine.time)
})

test('R11: an administrator’s word is believed at once and never lowers the floor', (t) => {
  const machine = new Machine()
  machine.wrong = 50 * day
  machine.run(minute)
  const accepted = acceptWall(machine.state, machine.reading())
  t.is(readDates(accepted.state, machine.reading()).date, machine.time + machine.wrong)
  t.deepEqual(accepted.facts.at(-1)?.facts, {
    outcome: 'accepted',
    because: 'administrator',
    bySeconds: (50 * day) / 1000,
    date: new Date(machine.time + machine.wrong).toISOString(),
    wall: new Date(machine.time + machine.wrong).toISOString(),
  })
  machine.wrong = -50 * day
  const again = acceptWall(accepted.state, machine.reading())
  t.true(readDates(again.state, machine.reading()).date >= machine.time + 50 * day - minute)
})

test('R11: a signed time counts only for what its key signed; only a fresh one may be earlier than the floor', (t) => {
  const machine = new Machine()
  machine.off(30 * day)
  machine.state = hearTime(machine.state, machine.reading(), 'acme', machine.time, false)
  t.deepEqual(machine.dates(['acme']), { date: machine.time })
  t.is(machine.dates().date, first)
  t.is(machine.dates(['other', 'acme']).date, machine.time)
  machine.run(5 * minute)
  t.is(machine.dates(['acme']).date, machine.time)
  machine.run(hour)
  t.deepEqual(machine.state.signers, {}, 'the floor agrees now')

  const earlier = machine.time - 10 * day
  machine.state = hearTime(machine.state, machine.reading(), 'acme', earlier, false)
  t.is(machine.dates(['acme']).date, machine.time, 'an old document proves nothing')
  machine.state = hearTime(machine.state, machine.reading(), 'acme', earlier, true)
  t.is(machine.dates(['acme']).date, earlier)
  t.is(machine.dates().date, machine.time)
  machine.run(10 * minute)
  t.is(machine.dates(['acme']).date, earlier + 10 * minute)
  machine.state = hearTime(machine.state, machine.reading(), 'acme', machine.time, true)
  t.deepEqual(machine.state.signers, {}, 'what agrees need not be kept')
})

test('R11: a signed time is kept right although it is heard between two steps', (t) => {
  const machine = new Machine()
  machine.time += 40_000
  machine.boot += 40_000
  const heard = machine.time + 90 * day
  machine.state = hearTime(machine.state, machine.reading(), 'acme', heard, true)
  t.is(machine.dates(['acme']).date, heard)
  machine.time += 20_000
  machine.boot += 20_000
  machine.step(minute)
  t.is(machine.dates(['acme']).date, heard + 20_000)
})

test('R12: behind by more than 10 minutes is told once with the amount; after 24 ticking hours it counts as set back', (t) => {
  const machine = new Machine()
  machine.wrong = -10 * minute
  machine.run(minute)
  t.is(machine.dates().behind, undefined)
  machine.wrong = -3 * day
  machine.run(minute)
  t.is(machine.dates().behind?.by, 3 * day)
  t.is(machine.facts.length, 1)
  t.deepEqual(machine.facts[0]?.facts.bySeconds, (3 * day) / 1000)
  machine.run(23 * hour)
  t.false(isSetBack(machine.dates()))
  machine.run(hour)
  t.true(isSetBack(machine.dates()))
  machine.wrong = 0
  machine.run(minute)
  t.false(isSetBack(machine.dates()))
  t.deepEqual(machine.told('clock.back'), ['behind', 'right'])
})

const act = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), ms: fc.integer({ min: 1, max: 3 * hour }) }),
  fc.record({ kind: fc.constantFrom('doze' as const, 'off' as const), ms: fc.integer({ min: 1, max: 5 * day }) }),
  fc.record({ kind: fc.constant('wall' as const), ms: fc.integer({ min: -50 * day, max: 50 * day }) }),
)

test('R11: whatever the wall does, the floor never goes back, loses no time that ticked, and never passes the latest wall', (t) => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 25 }), (acts) => {
      const machine = new Machine()
      let latest = machine.dates().date
      for (const { kind, ms } of acts) {
        const before = machine.dates().date
        const boot = machine.boot
        if (kind === 'wall') {
          machine.wrong = ms
          machine.step(0)
        } else machine[kind](ms)
        const ticked = kind === 'off' ? 0 : machine.boot - boot
        const { date, later } = machine.dates()
        if (date < before + ticked) return false
        latest = Math.max(latest + ticked, machine.reading().wall)
        if (date > latest || (later !== undefined && later <= date)) return false
      }
      return true
    }),
    { numRuns: 200 },
  )
  t.pass()
})

test('R11: steps while running gain less than 24 hours of running no date, however they are made', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 6 * minute, max: 900 * day }), fc.integer({ min: 1, max: hour })), {
        minLength: 1,
        maxLength: 20,
      }),
      (steps) => {
        const machine = new Machine()
        let ran = 0
        for (const [wrong, ms] of steps) {
          if (ran + ms >= 23 * hour) break
          // never up to 5 minutes ahead of the floor: that is believed
          machine.wrong = machine.dates().date - machine.time + wrong + ms
          machine.run(ms)
          ran += ms
          if (machine.dates().date !== first + ran) return false
        }
        return true
      },
    ),
    { numRuns: 100 },
  )
  t.pass()
})

test('R11: a machine with a right clock that is off, asleep or running is right again after 1 hour and locks nobody out', (t) => {
  const honest = act.filter(({ kind }) => kind !== 'wall')
  fc.assert(
    fc.property(fc.array(honest, { maxLength: 20 }), (acts) => {
      const machine = new Machine()
      for (const { kind, ms } of acts) {
        if (kind === 'wall') continue
        machine[kind](ms)
        if (machine.dates().date > machine.time || machine.dates().behind) return false
      }
      machine.run(hour + minute)
      return machine.dates().date === machine.time && machine.dates().later === undefined
    }),
    { numRuns: 200 },
  )
  t.pass()
})
