/**
 * Many agents that hold leases of one manager: obtaining them, keeping them at the pace that they have, and as fast as it goes.
 * Imports the programs and the types of the load.
 */
import { type ChildProcess, fork } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installLicense, product } from './license.ts'
import type { RenewalPlan } from './network-plan.ts'
import type { PeerOrder, PeerReport } from './peer-load.ts'
import { AgentProgram, type RunningServer, readMemory, readProcessorTime } from './programs.ts'
import { describeTimes, summarize, type Times } from './times.ts'

export interface PeerRow extends Times {
  readonly work: 'obtain' | 'renew when due' | 'renew at once'
  readonly agents: number
  /** That the agents hold in all. */
  readonly held: number
  readonly leaseSeconds: number
  readonly calls: number
  readonly seconds: number
  readonly leasesPerSecond: number
  /** TLS connections that were opened, the streams of news included. */
  readonly connections: number
  /** Share of one processor that the manager had; undefined where the system does not say. */
  readonly share: number | undefined
  /** Milliseconds of a processor that the manager spent for each lease. */
  readonly cost: number | undefined
  /** MiB of the manager afterwards. */
  readonly memory: number | undefined
  /** Of the machine, afterwards. */
  readonly systemLoad: number
  readonly wrong: Readonly<Record<string, number>>
}

const loadProgram = fileURLToPath(new URL('peer-load.js', import.meta.url))
const loads = 2

export const managerSettings = { SERVING_ACCESS: 'rules', REMOTE_BROADCAST: 'false', NETWORK_LISTEN: '127.0.0.2' }

/** @param say takes each row as soon as it is there */
export async function measureRenewals(
  plan: RenewalPlan,
  folder: string,
  say: (row: PeerRow) => void,
): Promise<PeerRow[]> {
  const manager = new AgentProgram(folder, undefined, {
    ...managerSettings,
    AGENT_NAME: `manager-${path.basename(folder)}`,
  })
  const server = await manager.start()
  const programs = Array.from({ length: loads }, () => fork(loadProgram))
  const rows: PeerRow[] = []
  try {
    await installLicense(manager, server, folder, { leaseSeconds: plan.leaseSeconds, count: 'session' })
    const shares = splitInto(plan.agents, loads)
    const address = `127.0.0.1:${server.port}`
    const obtain = (at: number): PeerOrder => {
      const first = shares.slice(0, at).reduce((sum, one) => sum + one, 0)
      return { kind: 'obtain', address, product, first, agents: shares[at] ?? 0, leases: plan.leases }
    }
    const every = plan.leaseSeconds / 3
    const steps: readonly [PeerRow['work'], (at: number) => PeerOrder][] = [
      ['obtain', obtain],
      ['renew when due', () => ({ kind: 'renew', seconds: plan.steadySeconds, every })],
      ['renew at once', () => ({ kind: 'renew', seconds: plan.fastSeconds })],
    ]
    for (const [work, order] of steps) {
      const row = await measure(plan, work, server, () => Promise.all(programs.map((one, at) => ask(one, order(at)))))
      rows.push(row)
      say(row)
    }
  } finally {
    for (const program of programs) program.disconnect()
    await server.stop()
  }
  return rows
}

async function measure(
  plan: RenewalPlan,
  work: PeerRow['work'],
  { pid }: RunningServer,
  run: () => Promise<readonly PeerReport[]>,
): Promise<PeerRow> {
  const before = await readProcessorTime(pid)
  const reports = await run()
  const after = await readProcessorTime(pid)
  const times = reports.flatMap((one) => one.times)
  const seconds = Math.max(...reports.map((one) => one.seconds))
  const leases = reports.reduce((sum, one) => sum + one.leases, 0)
  const spent = before === undefined || after === undefined ? undefined : after - before
  const wrong: Record<string, number> = {}
  for (const report of reports)
    for (const [name, count] of Object.entries(report.wrong)) wrong[name] = (wrong[name] ?? 0) + count
  return {
    work,
    agents: plan.agents,
    held: plan.agents * plan.leases,
    leaseSeconds: plan.leaseSeconds,
    calls: times.length,
    seconds,
    leasesPerSecond: leases / seconds,
    connections: reports.reduce((sum, one) => sum + one.connections, 0),
    share: spent === undefined ? undefined : spent / seconds,
    cost: spent === undefined ? undefined : (spent * 1000) / leases,
    memory: await readMemory(pid),
    systemLoad: os.loadavg()[0] ?? 0,
    ...summarize(times),
    wrong,
  }
}

function ask(program: ChildProcess, order: PeerOrder): Promise<PeerReport> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error(`the agents (${order.kind}) broke off`))
    program.once('exit', onExit)
    program.once('message', (report: PeerReport) => {
      program.off('exit', onExit)
      resolve(report)
    })
    program.send(order)
  })
}

/** Whole numbers, as equal as they can be. */
function splitInto(whole: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, at) => Math.floor(whole / parts) + (at < whole % parts ? 1 : 0))
}

export function describePeerRow(row: PeerRow): string {
  const { share, cost, memory } = row
  const troubles = Object.entries(row.wrong).map(([name, count]) => `${count} x ${name}`)
  return [
    row.work.padEnd(16),
    `${row.held} leases`.padStart(15),
    `${row.agents} agents`.padStart(13),
    `${Math.round(row.leasesPerSecond)} leases/s`.padStart(16),
    describeTimes(row),
    share === undefined ? '' : `  ${Math.round(share * 100)} % of a processor`,
    cost === undefined ? '' : `, ${cost.toFixed(3)} ms a lease`,
    memory === undefined ? '' : `, ${Math.round(memory)} MiB`,
    `, ${row.connections} connections for ${row.calls} calls, load ${row.systemLoad.toFixed(1)}`,
    troubles.length === 0 ? '' : `; wrong: ${troubles.join(', ')}`,
  ].join('')
}
