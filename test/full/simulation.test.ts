/** The simulator for some minutes: many seeds in memory, and some over the real LevelDB store. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { LevelStore } from '../../agent/store/level-store.ts'
import { simulate } from '../simulation/simulation.ts'

const seeds = 250
const steps = 25_000

test('no seat is used twice and none is lost, over many seeds', async (t) => {
  for (let seed = 1_000; seed < 1_000 + seeds; seed++) t.is((await simulate({ seed, steps })).steps, steps)
})

test('no seat is used twice and none is lost over LevelDB either', async (t) => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const folder = await mkdtemp(join(tmpdir(), 'leasehold-simulation-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const inMemory = await simulate({ seed, steps: 10_000 })
    const onDisk = await simulate({ seed, steps: 10_000, store: () => new LevelStore({ folder }) })
    t.deepEqual(onDisk, inMemory, 'the kind of store makes no difference')
  }
})
