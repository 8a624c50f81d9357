/** Real agents on machines and subnets of their own, for longer: cuts, losses, kills, a proxy, and how soon a manager is found. */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { available } from '../helpers/namespace.ts'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { beat, issue, knows, managersOf, restart, takeSeat, usedAt } from '../scenarios/office.ts'
import { makeRandom, People } from '../scenarios/people.ts'
import { cleanUp, freshFolder, type RealAgent } from '../scenarios/real-agent.ts'
import { audit } from '../scenarios/seat-audit.ts'
import { Site } from '../scenarios/site.ts'

const hint = 'agents on networks of their own need Linux as root with nft: sudo scripts/install-test-tools.sh'
const hasNamespaces = await available()
const hasTinyproxy = spawnSync('tinyproxy', ['-v']).status === 0
const run = hasNamespaces ? test.serial : testNeeding(false, hint)
const runWithProxy = hasNamespaces && hasTinyproxy ? test.serial : testNeeding(false, hint)

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

const short = { leaseSeconds: 20 }

run(
  'R10: a machine that is cut off works on for its lease and no longer, and its seat is given to the next only after that',
  async (t) => {
    t.timeout(300_000)
    const site = await newSite()
    const { laboratory } = site
    const { license, terms } = issue(1, short)
    const server = await laboratory.machine(10, 1)
    const manager = await site.manager(server, [{ license, terms }])
    const search = { LEASEHOLD_REMOTE_SEARCH: server.address }
    const [far, near] = [await laboratory.machine(11, 1), await laboratory.machine(12, 1)]
    const [one, two] = [await site.workstation(far, search), await site.workstation(near, search)]
    for (const agent of [one, two]) await knows(agent, 1)
    const seat = await takeSeat(one)

    // Back in time: the same lease goes on.
    const [lease] = await manager.sessions()
    await far.cut()
    await pause(8000)
    t.is((await beat(seat)).status, 200)
    await far.restore()
    await waitFor('a renewal', async () => Number((await beat(seat)).body.expiresIn) > 15, 20_000)
    t.is((await manager.sessions())[0]?.id, lease?.id)

    // Not back in time: over here first, free there later.
    await far.cut()
    const cutAt = performance.now()
    let worksUntil = cutAt
    await waitFor(
      'the end of the lease',
      async () => {
        const askedAt = performance.now()
        const { status, body } = await beat(seat)
        if (status === 200) worksUntil = askedAt + Number(body.expiresIn) * 1000
        return status === 410
      },
      60_000,
    )
    const endedAt = performance.now()
    await waitFor('the seat for the next', async () => (await two.open(randomUUID())).status === 201, 60_000)
    const freeAt = performance.now()
    t.true(freeAt > worksUntil, 'nobody else has the seat while it is promised')
    const told = [endedAt, worksUntil, freeAt].map((one) => `${((one - cutAt) / 1000).toFixed(1)} s`)
    t.log(`after the cut: ended ${told[0]}, promised until ${told[1]}, given to the next ${told[2]}`)
    t.true(freeAt - cutAt < 20_000 + 15_000 + 10_000, 'lease and grace, and a little')
    await far.restore()
    await waitFor('the manager', async () => (await one.open(randomUUID())).body.code === 'no_seats', 60_000)
    t.deepEqual((await audit([manager, one, two], [terms])).violations, [])
  },
)

run(
  'whatever the network and the manager do, nobody works without a seat, none is used twice, and all come back',
  async (t) => {
    t.timeout(600_000)
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
    t.log(`SEED=${seed}`)
    const random = makeRandom(seed)
    const site = await newSite()
    const { laboratory } = site
    const { license, terms } = issue(5, short)
    const server = await laboratory.machine(10, 1)
    let manager = await site.manager(server, [{ license, terms }])
    const search = { LEASEHOLD_REMOTE_SEARCH: server.address, LEASEHOLD_CACHE_LINGER_SECONDS: '5' }
    const machines = [await laboratory.machine(11, 1), await laboratory.machine(12, 1), await laboratory.machine(13, 1)]
    const agents: RealAgent[] = []
    for (const machine of machines) agents.push(await site.workstation(machine, search))
    for (const agent of agents) await knows(agent, 1)
    const people = new People(terms.seats, random)
    const all = agents.flatMap((agent, index) =>
      Array.from({ length: 4 }, (_, person) => people.work(() => agent, `person-${index}-${person}`)),
    )
    const incidents = { cut: 0, loss: 0, kill: 0 }
    const until = performance.now() + 150_000
    while (performance.now() < until) {
      const machine = machines[Math.floor(random() * machines.length)] ?? server
      const kind = random()
      if (kind < 0.4) {
        incidents.cut += 1
        await machine.cut()
        await pause(1000 + random() * 35_000)
        await machine.restore()
      } else if (kind < 0.7) {
        incidents.loss += 1
        await machine.lose(30)
        await pause(1000 + random() * 10_000)
        await machine.restore()
      } else {
        incidents.kill += 1
        await manager.kill()
        await pause(random() * 5000)
        manager = await restart(manager)
      }
      await pause(random() * 5000)
    }
    people.stop()
    await Promise.all(all)
    t.deepEqual(people.violations, [])
    t.true(people.opened > 20, `${people.opened} seats were had`)
    await waitFor('all seats', async () => (await usedAt(manager)) === 0, 90_000)
    const report = await audit([manager, ...agents], [terms])
    t.deepEqual(report.violations, [])
    for (const agent of [manager, ...agents]) t.like((await agent.ask('GET', '/journal/verify')).body, { kind: 'good' })
    t.log(
      `${incidents.cut} cuts, ${incidents.loss} times of loss, ${incidents.kill} kills; ${people.opened} seats had, ` +
        `${people.refused} refusals, ${people.lost} lost; at most ${people.most} of ${terms.seats} at work`,
    )
  },
)

runWithProxy(
  'B7: a manager beyond the local subnets is reached through a proxy with a login, and not without',
  async (t) => {
    t.timeout(120_000)
    const site = await newSite()
    const { laboratory } = site
    const server = await laboratory.machine(20, 2)
    const manager = await site.manager(server, [issue(1)])
    // In both subnets, and no router: only the proxy leads over.
    const gateway = await laboratory.machine(1, 1, 2)
    const folder = path.dirname(await freshFolder())
    const file = path.join(folder, 'tinyproxy.conf')
    await writeFile(
      file,
      ['Port 3128', 'Timeout 60', 'Allow 10.47.0.0/16', 'BasicAuth ana secret', 'ConnectPort 1947'].join('\n'),
    )
    gateway.space.spawn('tinyproxy', ['-d', '-c', file], { stdio: 'ignore' })
    const desk = await laboratory.machine(11, 1)
    const search = { LEASEHOLD_REMOTE_SEARCH: server.address }
    const agent = await site.workstation(desk, search)
    t.deepEqual(await managersOf(agent), [])
    const passwordFile = path.join(folder, 'password')
    await writeFile(passwordFile, 'wrong\n', { mode: 0o600 })
    const proxy = {
      'network.proxy.url': 'http://10.47.1.1:3128',
      'network.proxy.user': 'ana',
      'network.proxy.passwordFile': passwordFile,
    }
    t.is((await agent.ask('PUT', '/configuration', proxy)).status, 200)
    const tested = async () => (await agent.ask('POST', '/managers/test', { address: server.address })).body
    t.like(await tested(), { reached: false })
    t.regex(JSON.stringify(await tested()), /login|sign in|password/i)
    await writeFile(passwordFile, 'secret\n', { mode: 0o600 })
    t.like(await tested(), { reached: true })
    await knows(agent, 1)
    const seat = await takeSeat(agent)
    t.is((await beat(seat)).status, 200)
    t.is(await usedAt(manager), 1)
  },
)

run('a manager is found within a second of Submit, by broadcast and by its address', async (t) => {
  t.timeout(300_000)
  const site = await newSite()
  const { laboratory } = site
  const server = await laboratory.machine(10, 1)
  await site.manager(server, [issue(1)])
  const agent = await site.workstation(await laboratory.machine(11, 1), { LEASEHOLD_REMOTE_BROADCAST: '' })
  const submit = async (settings: object) => t.is((await agent.ask('PUT', '/configuration', settings)).status, 200)
  const isFound = async (): Promise<boolean> => Number((await agent.ask('GET', '/licenses')).body.total) > 0
  const measure = async (settings: object): Promise<number[]> => {
    const times: number[] = []
    for (let trial = 0; trial < 20; trial++) {
      await submit({ 'remote.broadcast': false, 'remote.search': [] })
      for (const { id } of await managersOf(agent)) await agent.ask('POST', `/managers/${id}/forget`)
      await waitFor('nothing', async () => !(await isFound()))
      const startedAt = performance.now()
      await submit(settings)
      await waitFor('the licenses', isFound, 30_000)
      times.push(performance.now() - startedAt)
    }
    return times.sort((a, b) => a - b)
  }
  for (const [name, settings] of [
    ['by its address', { 'remote.search': [server.address] }],
    ['by broadcast', { 'remote.broadcast': true }],
  ] as const) {
    const times = await measure(settings)
    const [median, late] = [times[9] ?? 0, times[18] ?? 0]
    t.log(`found ${name}: median ${Math.round(median)} ms, 19th of 20 ${Math.round(late)} ms`)
    // A busy machine is slower; a second is the aim.
    t.true(late < 5000, `${Math.round(late)} ms`)
  }
})
