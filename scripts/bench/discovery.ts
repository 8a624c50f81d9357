/**
 * How long it takes from submitting search parameters until the seats of a listed manager are offered, with and without addresses
 * beside it at which nobody answers. Imports the programs.
 */
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { installLicense } from './license.ts'
import type { NetworkPlan } from './network-plan.ts'
import { AgentProgram, callAgent, findFreePort, type RunningServer } from './programs.ts'
import { listManagers, waitForOffers } from './remote-agent.ts'
import { managerSettings } from './renewals.ts'
import { summarize, type Times } from './times.ts'

export interface DiscoveryRow extends Times {
  readonly trials: number
  /** Addresses before the right one. */
  readonly dead: number
}

/** @param say takes each row as soon as it is there */
export async function measureDiscovery(
  { trials, dead }: NetworkPlan['discovery'],
  folder: string,
  say: (row: DiscoveryRow) => void,
): Promise<DiscoveryRow[]> {
  const started: RunningServer[] = []
  const silent: Server[] = []
  const rows: DiscoveryRow[] = []
  try {
    const manager = new AgentProgram(path.join(folder, 'manager'), undefined, {
      ...managerSettings,
      AGENT_NAME: 'found',
    })
    const found = await manager.start()
    started.push(found)
    await installLicense(manager, found, path.join(folder, 'manager'))
    const settings = { REMOTE_BROADCAST: 'false', AGENT_NAME: 'finder' }
    const finder = await new AgentProgram(path.join(folder, 'finder'), undefined, settings).start()
    started.push(finder)
    const addresses = await makeDeadAddresses(Math.max(...dead), silent)
    for (const count of dead) {
      const times: number[] = []
      const search = [...addresses.slice(0, count), `127.0.0.1:${found.port}`]
      for (let trial = 0; trial < trials; trial += 1) times.push(await findOnce(finder.port, search))
      const row = { trials, dead: count, ...summarize(times) }
      rows.push(row)
      say(row)
    }
  } finally {
    for (const server of started.reverse()) await server.stop()
    for (const server of silent) server.close()
  }
  return rows
}

/** Apart, since an agent lets itself be greeted only so often from one address. */
const apart = 1_000

/** Everything that is known is forgotten first. @returns ms */
async function findOnce(port: number, search: readonly string[]): Promise<number> {
  await callAgent(port, 'PUT', '/configuration', { 'remote.search': [] })
  await pause(apart)
  for (const { id } of await listManagers(port)) await callAgent(port, 'POST', `/managers/${id}/forget`)
  if ((await listManagers(port)).length > 0) throw new Error('a manager is known that was forgotten')
  const start = performance.now()
  await callAgent(port, 'PUT', '/configuration', { 'remote.search': search })
  await waitForOffers(port)
  return performance.now() - start
}

/** In turns such that refuse a connection and such that take it and never say anything. */
async function makeDeadAddresses(count: number, silent: Server[]): Promise<readonly string[]> {
  const addresses: string[] = []
  while (addresses.length < count) {
    const port = await findFreePort()
    if (addresses.length % 2 === 1) {
      const server = createServer((socket) => socket.on('error', () => socket.destroy()).resume())
      silent.push(server)
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
    }
    addresses.push(`127.0.0.1:${port}`)
  }
  return addresses
}

export function describeDiscovery({ trials, dead, p50, p95, max }: DiscoveryRow): string {
  const [median, most, longest] = [p50, p95, max].map((time) => `${Math.round(time)} ms`)
  return `from Submit to the offer, ${dead} dead addresses before it, ${trials} trials: median ${median}, p95 ${most}, max ${longest}`
}
