/** A real agent killed under load, many times. */
import test from 'ava'
import { killUnderLoad } from '../scenarios/applications.ts'
import { cleanUp } from '../scenarios/real-agent.ts'

test.after.always(cleanUp)

test('forty kills under load lose no acknowledged seat and give none twice', async (t) => {
  t.timeout(600_000)
  await killUnderLoad(t, 40)
})
