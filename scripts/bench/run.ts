/**
 * Carries out a plan: for every number of live sessions an agent of its own, filled, restarted, and measured in turns
 * with the bare server. Imports plan, programs, license, times.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { installLicense, product } from './license.ts'
import type { LoadOrder, LoadReport } from './load.ts'
import { type Measurement, measurements, type Plan } from './plan.ts'
import { AgentProgram, load, type RunningServer, readMemory, startBare } from './programs.ts'
import { describeTimes } from './times.ts'

export interface Row extends Measurement {
  readonly live: number
  readonly connections: number
  readonly agent: LoadReport
  readonly bare: LoadReport
  /** Requests per second of the agent over those of a bare POST of the same body: median of the rounds. */
  readonly ratio: number
}

export interface StartRow {
  readonly live: number
  readonly milliseconds: number
  /** MiB, after the start, before any load; undefined where the system does not say. */
  readonly memory: number | undefined
}

export interface BenchResult {
  readonly rows: readonly Row[]
  readonly starts: readonly StartRow[]
  /** MiB of an agent that has a license and no session. */
  readonly idleMemory: number | undefined
}

const body = JSON.stringify({ product, user: { account: 'ana' }, host: 'bench', process: { name: 'bench' } })

interface Target {
  readonly agent: RunningServer
  readonly bare: RunningServer
  readonly sessions: string
  readonly live: number
}

/** @param say takes one line for people */
export async function runPlan(plan: Plan, say: (line: string) => void, program?: string): Promise<BenchResult> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'leasehold-bench-'))
  const bare = await startBare()
  const rows: Row[] = []
  const starts: StartRow[] = []
  let idleMemory: number | undefined
  try {
    for (const live of plan.live) {
      const folder = path.join(base, String(live))
      const sessions = path.join(base, `${live}.json`)
      const agent = new AgentProgram(folder, program)
      idleMemory = await fill(agent, folder, live, sessions)
      const server = await agent.start()
      try {
        const start = { live, milliseconds: server.startedIn, memory: await readMemory(server.pid) }
        starts.push(start)
        say(describeStart(start))
        for (const connections of plan.connections) {
          for (const measurement of measurements) {
            const row = await measure(plan, measurement, connections, { agent: server, bare, sessions, live })
            rows.push(row)
            say(describeRow(row))
          }
        }
      } finally {
        await server.stop()
      }
    }
  } finally {
    await bare.stop()
    await rm(base, { recursive: true, force: true })
  }
  return { rows, starts, idleMemory }
}

/** @returns memory before the first session */
async function fill(agent: AgentProgram, folder: string, live: number, file: string): Promise<number | undefined> {
  const server = await agent.start()
  try {
    await installLicense(agent, server, folder)
    const memory = await readMemory(server.pid)
    const connections = Math.min(64, live)
    await load({ ...quiet(server), connections, work: { kind: 'fill', body, count: live, file } })
    return memory
  } finally {
    await server.stop()
  }
}

function quiet(server: RunningServer): Pick<LoadOrder, 'port' | 'seconds' | 'warmUpSeconds'> {
  return { port: server.port, seconds: 0, warmUpSeconds: 0 }
}

async function measure(plan: Plan, measurement: Measurement, connections: number, target: Target): Promise<Row> {
  const rounds: { agent: LoadReport; bare: LoadReport; ratio: number }[] = []
  const common = { connections, seconds: plan.seconds, warmUpSeconds: plan.warmUpSeconds }
  for (let round = 0; round < plan.rounds; round += 1) {
    const bare = await load({ ...common, port: target.bare.port, work: { kind: 'post', path: '/', body } })
    const agent = await load({ ...common, port: target.agent.port, work: makeWork(measurement, target.sessions) })
    rounds.push({ agent, bare, ratio: agent.requestsPerSecond / bare.requestsPerSecond })
  }
  rounds.sort((one, other) => one.ratio - other.ratio)
  const median = rounds[Math.floor(rounds.length / 2)]
  if (median === undefined) throw new Error('a plan needs at least one round')
  return { ...measurement, live: target.live, connections, ...median }
}

function makeWork(measurement: Measurement, file: string): LoadOrder['work'] {
  switch (measurement.work) {
    case 'open and close':
      return { kind: 'open-close', body, nonce: measurement.proof }
    case 'heartbeat':
      return { kind: 'heartbeat', file, nonce: measurement.proof }
    case 'list':
      return { kind: 'get', path: '/api/v1/sessions?limit=50' }
    case 'page':
      return { kind: 'get', path: '/sessions' }
  }
}

export function describeRow(row: Row): string {
  const name = `${row.work}${row.proof ? ' with proof' : ''}`
  const { agent } = row
  return [
    name.padEnd(26),
    `${row.live} live`.padStart(12),
    `${row.connections} connections`.padStart(17),
    `${Math.round(agent.requestsPerSecond)}/s`.padStart(10),
    `ratio ${row.ratio.toFixed(2)}`.padStart(12),
    describeTimes(agent),
  ].join('')
}

export function describeStart(start: StartRow): string {
  const memory = start.memory === undefined ? '' : `, ${Math.round(start.memory)} MiB`
  return `start with ${start.live} live sessions: ${Math.round(start.milliseconds)} ms${memory}`
}
