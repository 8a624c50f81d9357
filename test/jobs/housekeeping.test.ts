import test from 'ava'
import { detachmentJobs, reconcile } from '../../agent/jobs/detachment-jobs.ts'
import { Housekeeping } from '../../agent/jobs/housekeeping.ts'
import { inOf, office, outOf, take } from '../detachments/office.ts'
import { waitFor } from '../helpers/wait-for.ts'

test('a job runs when its time has come, in UTC, and one that fails is told of and runs again', async (t) => {
  const ran: string[] = []
  const failed: string[] = []
  const housekeeping = new Housekeeping({
    jobs: [
      { name: 'good', schedule: '* * * * * *', run: async () => void ran.push('good') },
      { name: 'bad', schedule: '* * * * * *', run: () => Promise.reject(new Error('no')) },
      { name: 'never', schedule: '0 0 1 1 *', run: async () => void ran.push('never') },
    ],
    onFailed: (job) => failed.push(job),
  })
  housekeeping.start()
  await waitFor('two runs', () => ran.length >= 2 && failed.length >= 2, 20_000)
  await housekeeping.run('never')
  t.true(ran.includes('never'))
  await housekeeping.stop()
  const { length } = ran
  t.deepEqual([...new Set(failed)], ['bad'])
  await housekeeping.run('none of that name')
  t.is(ran.length, length)
})

test('a schedule that is none is a mistake that shows at the start', (t) => {
  const wrong = { name: 'wrong', schedule: 'every now and then', run: async () => undefined }
  t.throws(() => new Housekeeping({ jobs: [wrong], onFailed: () => undefined }))
})

test('the hourly look finds records and counts that differ, and says so as an error', async (t) => {
  const { server, laptop } = await office()
  await take(laptop, { seats: 2 })
  const parts = (machine: typeof server, differences: unknown[]) => ({
    ...machine.parts,
    writes: machine.parts.writer,
    onDifference: (facts: object) => void differences.push(facts),
  })
  const found: unknown[] = []
  await reconcile(parts(server, found))
  await reconcile(parts(laptop, found))
  t.deepEqual(found, [])
  const [record] = outOf(server)
  if (record === undefined) throw new Error('no record')
  await server.parts.writer.submit((transaction) =>
    server.parts.lessor.departures.end(transaction, record.grant, 'mistake'),
  )
  await reconcile(parts(server, found))
  t.like(
    server.parts.health.list().find(({ code }) => code === 'detachments_differ'),
    { severity: 'error' },
  )
  t.is((await server.entries('detachment.differs')).length, 1)
  const [held] = inOf(laptop)
  await laptop.parts.writer.submit((transaction) =>
    laptop.parts.lessor.dropSupply(transaction, held?.id ?? '', 'lease_lost'),
  )
  await reconcile(parts(laptop, found))
  t.is(found.length, 2)
  t.deepEqual(
    detachmentJobs(parts(server, [])).map(({ name, schedule }) => [name, schedule.split(' ')[1]]),
    [
      ['reconcile detachments', '*'],
      ['remind of detachments', '*'],
      ['renew soft detachments', '*'],
    ],
  )
})
