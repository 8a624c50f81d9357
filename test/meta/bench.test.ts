import { fileURLToPath } from 'node:url'
import test from 'ava'
import { makeNetworkPlan, networkSeconds } from '../../scripts/bench/network-plan.ts'
import { makePlan, measurements, planSeconds } from '../../scripts/bench/plan.ts'
import { load, startBare } from '../../scripts/bench/programs.ts'
import { describeRow, runPlan } from '../../scripts/bench/run.ts'

const agent = fileURLToPath(new URL('bench-agent.js', import.meta.url))
const order = { connections: 4, seconds: 1, warmUpSeconds: 0 }

test('a plan is measured row by row against the bare server, and every figure is of something that ran', async (t) => {
  const plan = { live: [10], connections: [3], rounds: 1, seconds: 1, warmUpSeconds: 0 }
  const lines: string[] = []
  const { rows, starts } = await runPlan(plan, (line) => lines.push(line), agent)
  t.is(rows.length, measurements.length)
  for (const row of rows) {
    t.true(row.agent.requests > 0 && row.bare.requests > 0)
    t.true(row.agent.p50 > 0 && row.agent.p50 <= row.agent.p99 && row.agent.p99 <= row.agent.max)
    t.is(row.ratio, row.agent.requestsPerSecond / row.bare.requestsPerSecond)
  }
  t.is(starts.length, 1)
  t.true((starts[0]?.milliseconds ?? 0) > 0)
  t.deepEqual(lines.slice(1), rows.map(describeRow))
})

test('an answer that is not what the work wants ends the benchmark', async (t) => {
  const bare = await startBare()
  try {
    await t.throwsAsync(load({ ...order, port: bare.port, work: { kind: 'open-close', body: '{}', nonce: true } }), {
      message: 'the load (open-close, 4 connections) broke off',
    })
    const sound = await load({ ...order, port: bare.port, work: { kind: 'get', path: '/' } })
    t.true(sound.requests > 10)
  } finally {
    await bare.stop()
  }
})

test('the quick plan takes minutes and the whole one covers what is promised', (t) => {
  t.true(planSeconds(makePlan(true)) < 8 * 60)
  t.deepEqual(makePlan(false).live, [10, 1_000, 100_000])
  t.deepEqual(makePlan(false).connections, [1, 64, 512, 1_000])
})

test('the whole plan of the network has 100,000 leases of 1,000 agents, and the quick one is quick', (t) => {
  const [whole] = makeNetworkPlan(false).renewals
  t.like(whole, { agents: 1_000, leases: 100, leaseSeconds: 600 })
  t.true(networkSeconds(makeNetworkPlan(true)) < 2 * 60)
})
