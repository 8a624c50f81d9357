/** Long and many sequences of orders about licenses. */
import test from 'ava'
import fc from 'fast-check'
import { play, sequence } from '../licenses/play.ts'

test('many sequences of orders keep seats, licenses and journal right', async (t) => {
  t.timeout(600_000)
  await fc.assert(
    fc.asyncProperty(sequence, (order) => play(undefined, order)),
    { numRuns: 1_500 },
  )
  t.pass()
})
