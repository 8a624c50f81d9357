/** The simulator for some minutes: many seeds in memory, and some over the real LevelDB store. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { LevelStore } from '../../agent/store/level-store.ts'
import { type SimulationOptions, simulate } from '../simulation/simulation.ts'

const steps = 25_000
/** Of each number of machines. */
const networkSeeds = 6
const siteSeeds = 3

async function runSeeds(
  first: number,
  count: number,
  more: Pick<SimulationOptions, 'agents' | 'detaching' | 'isRow' | 'sites'>,
): Promise<number> {
  let good = 0
  for (let seed = first; seed < first + count; seed++)
    if ((await simulate({ seed, steps, ...more })).steps === steps) good++
  return good
}

test('no seat is used twice and none is lost, over many seeds', async (t) => {
  t.is(await runSeeds(1_000, 250, {}), 250)
})

for (const agents of [2, 3, 4]) {
  test(`no seat is used twice and none is lost between ${agents} machines, over many seeds`, async (t) => {
    t.is(await runSeeds(agents * 1_000, networkSeeds, { agents }), networkSeeds)
  })

  test(`no seat that is taken along is used twice or missing after its date between ${agents} machines, over many seeds`, async (t) => {
    t.is(await runSeeds(agents * 100, networkSeeds, { agents, detaching: true }), networkSeeds)
  })
}

for (const agents of [2, 3, 4]) {
  test(`no seat of a web site is used twice, and none is lost, between ${agents} machines, over many seeds`, async (t) => {
    t.is(await runSeeds(agents * 1_000 + 300, siteSeeds, { agents, sites: true }), siteSeeds)
    t.is(await runSeeds(agents * 1_000 + 400, 1, { agents, sites: true, detaching: true }), 1)
  })
}

test('no seat is used twice and none is lost over four agents in a row, over many seeds', async (t) => {
  t.is(await runSeeds(5_000, networkSeeds, { agents: 5, isRow: true }), networkSeeds)
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
