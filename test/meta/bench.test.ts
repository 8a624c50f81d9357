import { fileURLToPath } from 'node:url'
import test from 'ava'
import { runNetworkPlan } from '../../scripts/bench/network.ts'
import { makeNetworkPlan, type NetworkPlan, networkSeconds } from '../../scripts/bench/network-plan.ts'
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

test('agents that lease from each other are measured as they are, row by row', async (t) => {
  t.timeout(300_000)
  const plan: NetworkPlan = {
    connections: [2],
    rounds: 1,
    seconds: 1,
    warmUpSeconds: 1,
    renewals: [{ agents: 3, leases: 4, leaseSeconds: 20, steadySeconds: 7, fastSeconds: 1 }],
    discovery: { trials: 1, dead: [2] },
  }
  const lines: string[] = []
  const { seats, handshakes, renewals, discovery } = await runNetworkPlan(plan, (line) => lines.push(line))
  t.deepEqual(
    seats.map(({ source }) => source),
    ['own', 'cached', 'cold'],
  )
  const [own, cached, cold] = seats
  t.is(own?.ratio, 1)
  for (const { report } of seats) t.true((report.opening?.p50 ?? 0) > 0)
  t.is(own?.leases, 0)
  t.true((cached?.leases ?? 0) <= 2, 'a cached seat is fetched once')
  t.true((cold?.leases ?? 0) >= (cold?.report.requests ?? 0) / 2 - 2, 'a cold one is fetched each time')
  for (const { sessions, connections } of handshakes) {
    t.true(sessions > 0)
    t.true(connections > 0 && connections < 50, `${connections} connections`)
  }

  const [obtained, due, once] = renewals
  t.like(obtained, { work: 'obtain', calls: 12, held: 12, wrong: {} })
  t.true((obtained?.connections ?? 0) >= 2 * 3, 'a stream and a connection for requests of each agent')
  // A third of the lease time is within what was measured, so that every agent was due once.
  t.like(due, { work: 'renew when due', wrong: {} })
  t.true((due?.calls ?? 0) >= 3)
  t.like(once, { work: 'renew at once', wrong: {} })
  t.true((once?.connections ?? 0) <= 3, 'connections are kept for the next call')
  t.true((once?.calls ?? 0) > 3)

  t.like(discovery[0], { trials: 1, dead: 2 })
  t.true((discovery[0]?.p50 ?? 0) > 0)
  t.is(lines.length, seats.length + handshakes.length + renewals.length + discovery.length)
})

test('the whole plan of the network has 100,000 leases of 1,000 agents, and the quick one is quick', (t) => {
  const [whole] = makeNetworkPlan(false).renewals
  t.like(whole, { agents: 1_000, leases: 100, leaseSeconds: 600 })
  t.true(networkSeconds(makeNetworkPlan(true)) < 2 * 60)
})
