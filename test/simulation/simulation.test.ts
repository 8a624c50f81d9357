import test from 'ava'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Batch, Change, CommitOutcome } from '../../agent/store/store.ts'
import { SimulationFailure, simulate } from './simulation.ts'

const seeds = [1, 2, 3, 4, 5, 6]
const steps = 15_000

for (const seed of seeds) {
  test(`no seat is used twice and none is lost, whatever happens in which order (seed ${seed})`, async (t) => {
    const { happened, revision } = await simulate({ seed, steps })
    t.true(revision > 100)
    for (const what of ['agent crashes', 'commit fails', 'license changes', 'seen granted', 'seen full'])
      t.true((happened[what] ?? 0) > 0, `the run has no ${what}`)
  })
}

for (const agents of [2, 3, 4]) {
  test(`no seat is used twice and none is lost between ${agents} machines`, async (t) => {
    const { happened, revision } = await simulate({ seed: 100 + agents, agents, steps: 6_000 })
    t.true(revision > 100)
    for (const what of ['connection is cut', 'seen remote', 'seen granted'])
      t.true((happened[what] ?? 0) > 0, `the run has no ${what}`)
  })

  test(`no seat that is taken along is used twice or missing after its date, between ${agents} machines`, async (t) => {
    const { happened } = await simulate({ seed: 200 + agents, agents, steps: 10_000, detaching: true })
    for (const what of ['detach', 'detach by mail', 'extend'])
      t.true((happened[what] ?? 0) > 0, `the run has no ${what}`)
    t.true((happened['detached: made'] ?? 0) + (happened['mail: applied'] ?? 0) > 0, 'nothing is taken along')
  })
}

test('R21: seats come over four agents in a row, and none is used twice or lost', async (t) => {
  const { happened } = await simulate({ seed: 2, agents: 5, steps: 8_000, isRow: true })
  t.true((happened['seen cascade'] ?? 0) >= 2)
})

test('P2, P5, P6: web sites hand on their own seats and no others, and have them all again after a recycle', async (t) => {
  const { happened } = await simulate({ seed: 301, agents: 3, steps: 10_000, sites: true })
  for (const what of ['sign-in: full', 'activity: full', 'site is recycled', 'seen visitors', 'seen whole site'])
    t.true((happened[what] ?? 0) > 0, `the run has no ${what}`)
})

test('a seed repeats a run to the last journal entry', async (t) => {
  const [one, other] = [await simulate({ seed: 11, steps: 4_000 }), await simulate({ seed: 11, steps: 4_000 })]
  t.deepEqual(one, other)
  t.not((await simulate({ seed: 12, steps: 4_000 })).heads, one.heads)
})

function hasEnded({ kind, value }: Change): boolean {
  return kind === 'grant' && typeof value === 'object' && value !== null && 'ended' in value
}

/** Loses what became of ids. */
class ForgetfulStore extends MemoryStore {
  override commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    const forget = (change: Change) => (hasEnded(change) ? { ...change, value: undefined } : change)
    return super.commit({ ...batch, changes: batch.changes.map(forget) }, revision)
  }
}

test('the simulator finds a disk that forgets, and names the seed and the step', async (t) => {
  const failure = await t.throwsAsync(simulate({ seed: 1, steps: 50_000, store: () => new ForgetfulStore() }), {
    instanceOf: SimulationFailure,
  })
  t.regex(failure?.message ?? '', /^seed 1, agents 1, step \d+: .*(is granted again after its end|unknown_session).*\n/)
})

test('the simulator finds applications whose clocks run slower than the grace allows (R10)', async (t) => {
  const slow = { seed: 2, steps: 50_000, longestLag: 0.9 }
  const found = /may believe in|are believed in|beat in time/
  await t.throwsAsync(simulate(slow), { message: found })
  await t.throwsAsync(simulate({ ...slow, checksBacking: false }), { message: found })
})
