/** Real agents on machines and subnets of their own: who finds whom, and what is heard where. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { available } from '../helpers/namespace.ts'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { issue, knows, managersOf, takeSeat, usedAt } from './office.ts'
import { cleanUp, type RealAgent } from './real-agent.ts'
import { audit } from './seat-audit.ts'
import { broadcast, Site } from './site.ts'

const hint = 'agents on networks of their own need Linux as root with nft: sudo scripts/install-test-tools.sh'
const run = (await available()) ? test.serial : testNeeding(false, hint)

const sites: Site[] = []
test.after.always(async () => {
  for (const site of sites) await site.remove()
  await cleanUp()
})

async function newSite(): Promise<Site> {
  const site = await Site.build()
  sites.push(site)
  return site
}

/** Changes settings as “Submit” does. */
async function submit(agent: RealAgent, settings: object): Promise<void> {
  const { status, body } = await agent.ask('PUT', '/configuration', settings)
  if (status !== 200) throw new Error(JSON.stringify(body))
}

async function nothingFound(agent: RealAgent): Promise<boolean> {
  await agent.ask('POST', '/search', {})
  await waitFor(
    'the end of the search',
    async () => {
      const { search } = (await agent.ask('GET', '/search')).body as { search?: { state: string } }
      return search?.state === 'done'
    },
    30_000,
  )
  return (await managersOf(agent)).length === 0
}

run(
  'broadcast finds the managers of its own subnet, and none behind a router; those are found by their address',
  async (t) => {
    const site = await newSite()
    const { laboratory } = site
    const router = await laboratory.router(1, 1, 2)
    const [near, far, desk] = [
      await laboratory.machine(10, 1),
      await laboratory.machine(20, 2),
      await laboratory.machine(11, 1),
    ]
    await near.routeThrough(router, 1)
    await desk.routeThrough(router, 1)
    await far.routeThrough(router, 2)
    const [nearLicense, farLicense] = [issue(1), issue(1)]
    const managers = await Promise.all([
      site.manager(near, [nearLicense], { LEASEHOLD_AGENT_NAME: 'near' }),
      site.manager(far, [farLicense], { LEASEHOLD_AGENT_NAME: 'far' }),
    ])
    const agent = await site.workstation(desk, broadcast)
    await knows(agent, 1)
    t.deepEqual(
      (await managersOf(agent)).map(({ name }) => name),
      ['near'],
    )
    await takeSeat(agent)
    t.like(await agent.open(randomUUID()), { status: 409, body: { code: 'no_seats' } })
    await submit(agent, { 'remote.search': [far.address] })
    await knows(agent, 2)
    const second = await takeSeat(agent)
    t.truthy(second.id)
    t.deepEqual((await managersOf(agent)).map(({ name }) => name).sort(), ['far', 'near'])
    const report = await audit([...managers, agent], [nearLicense.terms, farLicense.terms])
    t.deepEqual(report.violations, [])
    t.is(report.sessions, 2)
  },
)

run(
  'without a router nothing is found on another subnet, and the test of the address says at which step it ends',
  async (t) => {
    const site = await newSite()
    const { laboratory } = site
    const [server, desk] = [await laboratory.machine(10, 1), await laboratory.machine(11, 2)]
    const manager = await site.manager(server, [issue(1)])
    const agent = await site.workstation(desk, { ...broadcast })
    t.true(await nothingFound(agent))
    t.like(await agent.open(randomUUID()), { status: 404, body: { code: 'unknown_product' } })
    const { status, body } = await agent.ask('POST', '/managers/test', { address: server.address })
    t.is(status, 200)
    t.false(body.reached)
    const { steps } = body as unknown as { steps: { step: string; outcome: string; help?: string }[] }
    t.deepEqual(
      steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step),
      ['tcp'],
    )
    t.truthy(steps.find(({ outcome }) => outcome === 'failed')?.help)
    t.is(await usedAt(manager), 0)
  },
)

run('where broadcast is blocked a manager is found by its address, its range or aggressive search', async (t) => {
  const site = await newSite()
  const { laboratory } = site
  const server = await laboratory.machine(10, 1)
  await server.blockBroadcast()
  await site.manager(server, [issue(3)], { LEASEHOLD_AGENT_NAME: 'server' })
  const agent = await site.workstation(await laboratory.machine(11, 1), broadcast)
  t.true(await nothingFound(agent))
  await submit(agent, { 'remote.search': ['10.47.1.255'] })
  await knows(agent, 1)
  await takeSeat(agent)
  const other = await site.workstation(await laboratory.machine(12, 1), { LEASEHOLD_REMOTE_AGGRESSIVE: 'true' })
  await knows(other, 1)
  await takeSeat(other)
})

run('twenty dead addresses among the search parameters make a seat at most a second later', async (t) => {
  const site = await newSite()
  const { laboratory } = site
  const server = await laboratory.machine(10, 1)
  await site.manager(server, [issue(20)])
  const hole = await laboratory.machine(200, 1)
  const dead = Array.from({ length: 20 }, (_, index) => `10.47.1.${210 + index}`)
  for (const address of dead) await hole.space.run('ip', ['addr', 'add', `${address}/24`, 'dev', 'eth0'])
  await hole.cut()
  const search = async (host: number, addresses: readonly string[]) => {
    const environment = { LEASEHOLD_REMOTE_SEARCH: addresses.join('\n') }
    const startedAt = performance.now()
    const agent = await site.workstation(await laboratory.machine(host, 1), environment)
    await waitFor('a seat', async () => (await agent.open(randomUUID())).status === 201, 30_000)
    const first = performance.now() - startedAt
    const again = performance.now()
    await takeSeat(agent)
    return { first, second: performance.now() - again }
  }
  await search(11, [server.address])
  const alone = await search(12, [server.address])
  const among = await search(13, [...dead.slice(0, 10), server.address, ...dead.slice(10)])
  const told = (one: { first: number; second: number }) =>
    `${Math.round(one.first)} ms, then ${Math.round(one.second)} ms`
  t.log(`from the start of the agent to the first seat: alone ${told(alone)}; among 20 dead ones ${told(among)}`)
  // On a machine that is busy with other tests everything takes longer.
  t.true(among.first - alone.first < Math.max(1000, alone.first))
  t.true(among.second < 1000)
})
