/** The calendar by which web sites recycle their seats. */
import test from 'ava'
import { createCalendar } from '../../agent/jobs/recycle.ts'
import { waitFor } from '../helpers/wait-for.ts'

const calendar = createCalendar()
const hour = 3_600_000

test('P5: a schedule has five fields and a zone that exists; what is wrong is named by its field', (t) => {
  for (const [cron, zone] of [
    ['30 4 * * *', 'Europe/Berlin'],
    ['0 */6 * * 1-5', 'UTC'],
  ] as const)
    t.is(calendar.check({ cron, zone }), undefined)
  for (const cron of ['', 'daily', '@daily', '61 4 * * *', '30 4 * *', '0 30 4 * * *', '30 4 30 2 *; rm'])
    t.like(calendar.check({ cron, zone: 'UTC' }), { field: 'cron' }, cron)
  for (const zone of ['', 'Mars/Olympus', '../etc'])
    t.like(calendar.check({ cron: '30 4 * * *', zone }), { field: 'zone' }, zone)
})

test('P5: the next recycle is told in the zone of the site', (t) => {
  const next = (zone: string): Date => new Date(calendar.next({ cron: '30 4 * * *', zone }) ?? 0)
  for (const zone of ['UTC', 'Asia/Tokyo', 'America/New_York']) {
    const at = next(zone)
    t.is(new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'short' }).format(at), '04:30', zone)
    // A day may be an hour longer, where summer time ends.
    t.true(at.getTime() > Date.now() && at.getTime() <= Date.now() + 25 * hour, zone)
  }
  t.not(next('UTC').getTime(), next('Asia/Tokyo').getTime())
})

test('P5: what is scheduled runs again and again, and not any more once it is canceled', async (t) => {
  let runs = 0
  const cancel = calendar.run({ cron: '* * * * * *', zone: 'UTC' }, () => {
    runs += 1
  })
  await waitFor('two runs', () => runs >= 2, 10_000)
  cancel()
  const before = runs
  let others = 0
  const cancelOther = calendar.run({ cron: '* * * * * *', zone: 'UTC' }, () => {
    others += 1
  })
  await waitFor('two runs of another', () => others >= 2, 10_000)
  cancelOther()
  t.is(runs, before)
})
