import test from 'ava'
import { runNetworkPlan } from '../../scripts/bench/network.ts'
import type { NetworkPlan } from '../../scripts/bench/network-plan.ts'

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
