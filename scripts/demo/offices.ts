/**
 * The machines of the demo, all on this one: head office with the licenses, a branch that keeps some of its seats in advance, a
 * workstation that knows the branch only, and a web site at head office. Owns these programs and their folder, and removes both.
 * Searches by address and listens on loopback, so that nothing of the network is found and nobody else is reached.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type SmallSite, startSmallSite } from '../../test/fixtures/site/site.ts'
import { AgentProgram, callAgent, type RunningServer } from '../bench/programs.ts'
import { waitForOffers } from '../bench/remote-agent.ts'

export interface Offices {
  readonly headOffice: RunningServer
  readonly branch: RunningServer
  readonly workstation: RunningServer
  readonly site: SmallSite
  stop(): Promise<void>
}

/** Leases are short, so that one sees them being renewed and given back. */
const licenses = [
  { name: 'cad', title: 'CAD', seats: 4 },
  { name: 'portal-server', title: 'Portal server', seats: 1 },
  { name: 'portal-user', title: 'Portal user', seats: 3 },
].map((one) => ({ ...one, leaseSeconds: 60 }))

const alone = { REMOTE_BROADCAST: 'false', CACHE_LINGER_SECONDS: '0' }
const serving = { SERVING_ACCESS: 'rules', NETWORK_LISTEN: '127.0.0.1' }
export const keptByBranch = 3
export const siteId = 'shop'

/** What was started is stopped again where it fails, and where it was given up. */
export async function openOffices(signal: AbortSignal): Promise<Offices> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leasehold-demo-'))
  const running: RunningServer[] = []
  const sites: SmallSite[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(sites.map((one) => one.close()))
    // Those first that have something of others, so that it goes back.
    for (const one of running.reverse()) await one.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const start = async (name: string, settings: Readonly<Record<string, string>>) => {
    signal.throwIfAborted()
    const program = new AgentProgram(path.join(folder, name), undefined, { AGENT_NAME: name, ...alone, ...settings })
    const server = await program.start()
    running.push(server)
    return { program, server, address: `127.0.0.1:${server.port}` }
  }
  try {
    const head = await start('head-office', serving)
    await license(head.program, head.server, folder)
    const branch = await start('branch', { ...serving, REMOTE_SEARCH: head.address })
    const workstation = await start('workstation', { REMOTE_SEARCH: branch.address })
    await keepSeats(branch.server)
    signal.throwIfAborted()
    sites.push(await openSite(head.server))
    await waitForOffers(workstation.server.port)
    const [site] = sites
    if (!site) throw new Error('the site is not open')
    return { headOffice: head.server, branch: branch.server, workstation: workstation.server, site, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function license(agent: AgentProgram, { port }: RunningServer, folder: string): Promise<void> {
  await agent.command('vendor', 'init', 'sample')
  for (const { name, title, seats, leaseSeconds } of licenses) {
    const file = path.join(folder, `${name}.txt`)
    const terms = ['--product', name, '--title', title, '--seats', `${seats}`, '--lease-seconds', `${leaseSeconds}`]
    await agent.command('vendor', 'issue', ...terms, '--no-activation', '--out', file)
    await callAgent(port, 'POST', '/licenses', { text: await readFile(file, 'utf8'), trust: true })
  }
}

async function keepSeats({ port }: RunningServer): Promise<void> {
  await waitForOffers(port)
  await callAgent(port, 'PUT', '/reserves/office', { product: 'sample/cad', seats: keptByBranch })
}

async function openSite({ port }: RunningServer): Promise<SmallSite> {
  const definition = { serverProduct: 'sample/portal-server', clientProduct: 'sample/portal-user', seats: 3 }
  const { token } = (await callAgent(port, 'PUT', `/sites/${siteId}`, definition)) as { token: string }
  return await startSmallSite({ agentPort: port, token, site: siteId })
}
