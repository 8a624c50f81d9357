/** Sequences of orders, few of them; test/full plays many. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { LevelStore } from '../../agent/store/level-store.ts'
import { play, sequence } from './play.ts'

test('any sequence of orders, with restarts in between, keeps seats, licenses and journal right', async (t) => {
  await fc.assert(
    fc.asyncProperty(sequence, (order) => play(undefined, order)),
    { numRuns: 50 },
  )
  t.pass()
})

test('the same on a store on disk', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-sequences-'))
  let run = 0
  await fc.assert(
    fc.asyncProperty(sequence, (order) => play(new LevelStore({ folder: join(folder, String(++run)) }), order)),
    { numRuns: 4 },
  )
  await rm(folder, { recursive: true })
  t.pass()
})
