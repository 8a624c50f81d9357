/**
 * The programs of a benchmark run: the agent with a data folder of its own, the bare server, the load.
 * Owns these child processes and ends them. Imports only the types of the load.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LoadOrder, LoadReport } from './load.ts'

const agentProgram = fileURLToPath(new URL('../../agent/main.js', import.meta.url))
const bareProgram = fileURLToPath(new URL('bare.js', import.meta.url))
const loadProgram = fileURLToPath(new URL('load.js', import.meta.url))

export interface RunningServer {
  readonly port: number
  readonly pid: number
  /** Milliseconds from starting the process to its first good answer. */
  readonly startedIn: number
  stop(): Promise<void>
}

/** The agent and its command line, as they are installed, with home and data below one folder. */
export class AgentProgram {
  readonly #folder: string
  readonly #program: string
  readonly #settings: Readonly<Record<string, string>>

  /** @param settings as environment variables, by what follows `LEASEHOLD_` in their names */
  constructor(folder: string, program = agentProgram, settings: Readonly<Record<string, string>> = {}) {
    this.#folder = folder
    this.#program = program
    this.#settings = settings
  }

  async start(): Promise<RunningServer> {
    await mkdir(this.#folder, { recursive: true })
    const port = await findFreePort()
    const began = performance.now()
    const child = spawn(process.execPath, ['--max-semi-space-size=32', this.#program, 'serve'], {
      env: { ...this.#env(), LEASEHOLD_NETWORK_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await waitUntilReady(child, port)
    return { ...serverOf(child, port), startedIn: performance.now() - began }
  }

  /** Runs a verb of the command line and gives what it printed. */
  async command(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [this.#program, ...args], { env: this.#env() })
    return stdout
  }

  #env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: this.#folder,
      LEASEHOLD_DATA: path.join(this.#folder, 'data'),
      UV_THREADPOOL_SIZE: '16',
      ...Object.fromEntries(Object.entries(this.#settings).map(([name, value]) => [`LEASEHOLD_${name}`, value])),
    }
  }
}

export async function startBare(): Promise<RunningServer> {
  const began = performance.now()
  const child = spawn(process.execPath, [bareProgram], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8')
    child.stdout.once('data', (line: string) => resolve(Number(line)))
    child.once('exit', () => reject(new Error('the bare server did not start')))
  })
  return { ...serverOf(child, port), startedIn: performance.now() - began }
}

/** Runs the load to its end; rejects when it broke, or when answers were not what the work wants. */
export async function load(order: LoadOrder): Promise<LoadReport> {
  const child = spawn(process.execPath, [loadProgram], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(order))
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const output = await text(child.stdout)
  const code = await exit
  if (code !== 0) throw new Error(`the load (${order.work.kind}, ${order.connections} connections) broke off`)
  const report = JSON.parse(output) as LoadReport
  if (Object.keys(report.wrong).length > 0)
    throw new Error(`wrong answers to ${order.work.kind}, by status: ${JSON.stringify(report.wrong)}`)
  return report
}

/** Resident memory in MiB; undefined where the system does not say. */
export async function readMemory(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024
}

/** Seconds of processor time that a process has had, over all of its threads; undefined where the system does not say. */
export async function readProcessorTime(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name of the program stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  // A tick is a hundredth of a second on every Linux that Node runs on.
  return Number.isNaN(ticks) ? undefined : ticks / 100
}

/** Asks the agent's interface; throws unless it is answered well. */
export async function callAgent(port: number, method: string, address: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://localhost:${port}/api/v1${address}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const said = await response.text()
  if (!response.ok) throw new Error(`${method} ${address} was answered ${response.status}: ${said}`)
  return said === '' ? undefined : JSON.parse(said)
}

function serverOf(child: ChildProcess, port: number): Omit<RunningServer, 'startedIn'> {
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const slow = AbortSignal.timeout(15_000)
      slow.addEventListener('abort', () => child.kill('SIGKILL'))
      await exit
    },
  }
}

async function waitUntilReady(child: ChildProcess, port: number): Promise<void> {
  const deadline = AbortSignal.timeout(120_000)
  while (!deadline.aborted) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the agent ended at its start')
    const answer = await fetch(`http://localhost:${port}/api/v1/ready`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
    await pause(5)
  }
  child.kill('SIGKILL')
  throw new Error('the agent was not ready within 2 minutes')
}

export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}
