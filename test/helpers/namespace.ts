/**
 * A network namespace for a test: ports, addresses and routes of its own, loopback only, gone afterwards.
 * Linux as root only; ask `available()` first. Imports nothing of ours.
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const run = promisify(execFile)
const limit = { timeout: 10_000, killSignal: 'SIGKILL' } as const

let answer: Promise<boolean> | undefined

/** Whether this process can make namespaces; tried once, by making one. */
export function available(): Promise<boolean> {
  answer ??= tryOnce()
  return answer
}

async function tryOnce(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    await (await makeNamespace()).remove()
    return true
  } catch {
    return false
  }
}

export async function makeNamespace(): Promise<Namespace> {
  const name = `leasehold-${randomBytes(4).toString('hex')}`
  await run('ip', ['netns', 'add', name], limit)
  const namespace = new Namespace(name)
  try {
    await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'], limit)
  } catch (error) {
    await namespace.remove()
    throw error
  }
  return namespace
}

export class Namespace {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** The command line that runs `command` in here; it replaces itself, so the pid is the command's. */
  wrap(command: string, args: readonly string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.name, command, ...args]]
  }

  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn(...this.wrap(command, args), options)
  }

  /** Runs to the end, for at most `timeout` ms; rejects when the exit code is not 0, as execFile does. */
  async run(command: string, args: readonly string[], timeout = 60_000): Promise<{ stdout: string; stderr: string }> {
    return run(...this.wrap(command, args), { timeout, killSignal: 'SIGKILL' })
  }

  /** Ids of the processes that run in here. */
  async processes(): Promise<number[]> {
    const { stdout } = await run('ip', ['netns', 'pids', this.name], limit)
    return stdout.split('\n').filter(Boolean).map(Number)
  }

  /** Ends what still runs in here, then removes the namespace. */
  async remove(): Promise<void> {
    for (const id of await this.processes()) {
      try {
        process.kill(id, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    await run('ip', ['netns', 'delete', this.name], limit)
  }
}
