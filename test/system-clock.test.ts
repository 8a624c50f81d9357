import { mkdtempSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { readBootId } from '../agent/boot-id.ts'
import { type ClockSources, JoinedClock, systemSources, systemTimers } from '../agent/system-clock.ts'
import { ManualClock } from './helpers/manual-clock.ts'
import { waitFor } from './helpers/wait-for.ts'

/** Raw clocks that a test moves one by one. */
class Raw implements ClockSources {
  wallTime = 1_800_000_000_000
  monotonicTime = 5000
  bootTime = 7000
  /** What the coarse boot clock leaves out. */
  coarse = 0
  readonly bootId = 'boot'
  wall = () => this.wallTime
  monotonic = () => this.monotonicTime
  sinceBoot = () => this.bootTime - this.coarse
}

type Move =
  | { readonly kind: 'run' | 'sleep' | 'pause' | 'bootStands'; readonly ms: number; readonly coarse: number }
  | { readonly kind: 'wall'; readonly ms: number; readonly coarse: number }
  | { readonly kind: 'bootBack'; readonly ms: number; readonly coarse: number }

const coarse = fc.integer({ min: 0, max: 20 })
const move = (maximum: number): fc.Arbitrary<Move> =>
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('run', 'sleep', 'pause', 'bootStands'),
      ms: fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: maximum })),
      coarse,
    }),
    fc.record({ kind: fc.constant('wall'), ms: fc.integer({ min: -maximum, max: maximum }), coarse }),
    fc.record({ kind: fc.constant('bootBack'), ms: fc.integer({ min: 0, max: 5000 }), coarse }),
  )

function apply(raw: Raw, { kind, ms, coarse }: Move): void {
  raw.coarse = coarse
  if (kind === 'wall') raw.wallTime += ms
  else if (kind === 'bootBack') raw.bootTime -= ms
  else {
    raw.wallTime += ms
    if (kind === 'run' || kind === 'sleep') raw.bootTime += ms
    if (kind === 'run' || kind === 'bootStands') raw.monotonicTime += ms
  }
}

test('R9: between any two readings atMost is at least, and atLeast at most, what the clocks moved', (t) => {
  fc.assert(
    fc.property(fc.array(move(200_000), { maxLength: 60 }), (moves) => {
      const raw = new Raw()
      const clock = new JoinedClock(raw)
      const readings: { most: number; least: number; wall: number; monotonic: number; boot: number; back: number }[] =
        []
      let back = 0
      const read = () =>
        readings.push({
          most: clock.atMost(),
          least: clock.atLeast(),
          wall: raw.wallTime,
          monotonic: raw.monotonicTime,
          boot: raw.sinceBoot(),
          back,
        })
      read()
      for (const step of moves) {
        const before = raw.sinceBoot()
        apply(raw, step)
        back += Math.max(0, before - raw.sinceBoot())
        read()
      }
      for (const [index, from] of readings.entries()) {
        for (const to of readings.slice(index + 1)) {
          // never backward
          if (to.most < from.most || to.least < from.least) return false
          if (to.most - from.most < to.boot - from.boot) return false
          if (to.most - from.most < to.wall - from.wall - 30_000) return false
          if (to.least - from.least > to.monotonic - from.monotonic + 1e-6) return false
          if (to.least - from.least > to.boot - from.boot + (to.back - from.back) + 1000) return false
        }
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('R9: on a machine whose clocks agree both readings are what passed, whatever is read in between', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 100_000 }), coarse), { maxLength: 50 }), (steps) => {
      const raw = new Raw()
      const clock = new JoinedClock(raw)
      let passed = 0
      for (const [ms, rest] of steps) {
        passed += ms
        apply(raw, { kind: 'run', ms, coarse: rest })
        if (Math.abs(clock.atMost() - passed) > 20 || clock.atLeast() !== passed) return false
      }
      return true
    }),
  )
  t.pass()
})

test('R9: sleep counts for what is held and not for what is freed', (t) => {
  const clock = new ManualClock()
  clock.sleepMachine(3_600_000)
  t.is(clock.atMost(), 3_600_000)
  t.is(clock.atLeast(), 0)
})

test('R9: a wall that ran ahead by 30 s does not count, one that ran ahead by more does, and all of it', (t) => {
  const clock = new ManualClock()
  clock.pauseMachine(30_000)
  t.is(clock.atMost(), 0)
  clock.pauseMachine(1)
  t.is(clock.atMost(), 30_001)
  t.is(clock.atLeast(), 0)
})

test('R9: after a wall was set ahead and back, time goes on and the next pause is seen', (t) => {
  const clock = new ManualClock()
  const start = clock.wall()
  clock.setWall(start + 3_600_000)
  t.is(clock.atMost(), 3_600_000)
  clock.setWall(start)
  clock.advance(600_000)
  t.is(clock.atMost(), 3_600_000 + 600_000, 'it must not stand still for an hour')
  clock.pauseMachine(1_800_000)
  t.is(clock.atMost(), 3_600_000 + 600_000 + 1_800_000)
})

test('R9: a boot clock that stands holds back what is freed, and stays so', (t) => {
  const raw = new Raw()
  const clock = new JoinedClock(raw)
  apply(raw, { kind: 'bootStands', ms: 60_000, coarse: 0 })
  t.is(clock.atLeast(), 0)
  apply(raw, { kind: 'run', ms: 5000, coarse: 0 })
  t.is(clock.atLeast(), 5000)
})

test('the boot reading is the raw one and never runs backward', (t) => {
  const raw = new Raw()
  const clock = new JoinedClock(raw)
  t.deepEqual(clock.boot(), { id: 'boot', at: 7000 })
  raw.bootTime = 6000
  clock.atMost()
  t.deepEqual(clock.boot(), { id: 'boot', at: 6000 })
  raw.bootTime = 6500
  t.deepEqual(clock.boot(), { id: 'boot', at: 6500 })
})

test('the clocks of this machine move forward together', async (t) => {
  const clock = new JoinedClock(systemSources())
  const from = { most: clock.atMost(), least: clock.atLeast(), boot: clock.boot() }
  await waitFor('30 ms to pass', () => clock.atLeast() - from.least > 30)
  t.true(clock.atMost() - from.most > 5)
  t.is(clock.boot().id, from.boot.id)
  t.true(clock.boot().at > from.boot.at)
  t.true(Math.abs(clock.wall() - Date.now()) < 1000)
  if (process.platform === 'linux') t.true(Math.abs(clock.boot().at - os.uptime() * 1000) < 1000)
})

test('macOS takes hrtime for the boot clock, since its uptime follows the wall', (t) => {
  const { monotonic, sinceBoot } = systemSources('darwin')
  t.true(Math.abs(monotonic() - sinceBoot()) < 100)
})

test('timers of the system fire, repeat, and can be cancelled twice', async (t) => {
  const fired: string[] = []
  const cancelled = systemTimers.after(1, () => fired.push('cancelled'))
  cancelled()
  cancelled()
  systemTimers.after(1, () => fired.push('once'))
  const stop = systemTimers.every(1, () => fired.push('again'))
  await waitFor('three repeats', () => fired.filter((name) => name === 'again').length >= 3)
  stop()
  t.true(fired.includes('once'))
  t.false(fired.includes('cancelled'))
  t.throws(() => systemTimers.after(2 ** 31, () => {}), { instanceOf: RangeError })
})

test('R3: the boot id is the kernel’s, and another for every process where there is none', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-'))
  const file = path.join(folder, 'boot_id')
  writeFileSync(file, '6f1a2b3c-0000-4000-8000-0123456789ab\n')
  t.is(readBootId(file), '6f1a2b3c-0000-4000-8000-0123456789ab')
  writeFileSync(file, 'nonsense\n')
  t.not(readBootId(file), readBootId(file))
  t.not(readBootId(path.join(folder, 'missing')), readBootId(path.join(folder, 'missing')))
  t.not(readBootId(null), readBootId(null))
  if (process.platform === 'linux') t.is(readBootId(), readBootId())
})

test('the manual clock fires timers in order, at their times, and not while the machine sleeps', async (t) => {
  const clock = new ManualClock()
  const start = clock.wall()
  const fired: (string | number)[] = []
  clock.after(300, () => fired.push('late'))
  clock.every(100, () => fired.push(clock.wall() - start))
  const cancel = clock.after(150, () => fired.push('never'))
  cancel()
  clock.advance(250)
  t.deepEqual(fired, [100, 200])
  clock.sleepMachine(10_000)
  t.deepEqual(fired, [100, 200])
  await clock.run(50)
  t.deepEqual(fired, [100, 200, 'late', 10_300])
  clock.restart()
  t.is(clock.waiting, 0)
  t.is(clock.boot().id, 'boot-1')
  clock.reboot()
  t.deepEqual(clock.boot(), { id: 'boot-2', at: 0 })
  t.is(clock.atMost(), 0)
})
