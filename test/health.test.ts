import test from 'ava'
import { formatDuration, Health } from '../agent/health.ts'
import { ManualClock } from './helpers/manual-clock.ts'

test('problems are listed worst first, then oldest first, with their words and what to do', (t) => {
  const clock = new ManualClock()
  const health = new Health(clock)
  t.is(health.worst(), 'good')
  health.set('remote_reach', { addresses: ['10.0.0.7'] })
  clock.advance(1)
  health.set('no_password', {})
  clock.advance(1)
  health.set('license_expiring', { license: 'one', name: 'CAD', days: 3 }, 'one')
  health.set('license_expired', { license: 'two', name: 'CAM' }, 'two')
  t.deepEqual(
    health.list().map(({ code, severity }) => [code, severity]),
    [
      ['license_expired', 'error'],
      ['no_password', 'warning'],
      ['license_expiring', 'warning'],
      ['remote_reach', 'notice'],
    ],
  )
  t.is(health.worst(), 'error')
  t.is(health.list()[2]?.text, 'CAD ends in 3 days.')
  t.deepEqual(health.list()[1]?.action, { label: 'Set a password', href: '/configuration/basic#password' })
  t.is(health.list()[1]?.since, clock.wall() - 1)
})

test('a problem that may pass by itself is shown only when it has stood for long enough', (t) => {
  const clock = new ManualClock()
  clock.advance(5000)
  const health = new Health(clock)
  health.set('store_unavailable', { reason: 'the disk is full' })
  t.is(health.worst(), 'good')
  clock.advance(1000)
  t.is(health.worst(), 'error')
})

test('setting a problem again changes its words and not its time, and tells listeners only of changes', (t) => {
  const clock = new ManualClock()
  const health = new Health(clock)
  const told: string[] = []
  const cancel = health.onChange((code) => told.push(code))
  health.set('license_expiring', { license: 'one', name: 'CAD', days: 1 }, 'one')
  health.set('license_expiring', { license: 'one', name: 'CAD', days: 1 }, 'one')
  const since = health.list()[0]?.since
  clock.advance(5000)
  health.set('license_expiring', { license: 'one', name: 'CAD', days: 0 }, 'one')
  t.is(health.list()[0]?.text, 'CAD ends today.')
  t.is(health.list()[0]?.since, since)
  health.clear('license_expiring', 'other')
  health.clear('license_expiring', 'one')
  cancel()
  health.set('no_password', {})
  t.deepEqual(told, ['license_expiring', 'license_expiring', 'license_expiring'])
})

test('problems of subjects that are gone are cleared together', (t) => {
  const health = new Health(new ManualClock())
  for (const id of ['one', 'two', 'three']) health.set('license_not_activated', { license: id, name: id }, id)
  health.set('no_password', {})
  health.keepOnly('license_not_activated', ['two'])
  t.deepEqual(
    health
      .list()
      .map(({ code, subject }) => `${code} ${subject}`)
      .sort(),
    ['license_not_activated two', 'no_password '],
  )
})

test('durations are said in at most two units', (t) => {
  const said = [0, 999, 1000, 59_600, 61_000, 3_600_000, 12_000_000, 86_399_000, 90_000_000, 4_000_000_000]
  t.deepEqual(said.map(formatDuration), [
    '0 seconds',
    '0 seconds',
    '1 second',
    '1 minute',
    '1 minute 1 second',
    '1 hour',
    '3 hours 20 minutes',
    '1 day',
    '1 day 1 hour',
    '46 days 7 hours',
  ])
})
