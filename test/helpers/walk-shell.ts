/**
 * The shell that a walk types into: one bash that keeps its folder, variables and aliases from command to command.
 * Owns the processes that the walk starts and ends them. Imports nothing of ours.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export interface ShellOptions {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** Where output of background commands is kept. */
  readonly scratch: string
  /** The command line that starts a program where the walk runs, such as in a namespace. */
  readonly wrap: (command: string, args: readonly string[]) => [string, string[]]
}

export type CommandOutcome =
  | { readonly kind: 'ended'; readonly status: number; readonly output: string }
  | { readonly kind: 'timed-out'; readonly output: string }
  | { readonly kind: 'shell-gone'; readonly output: string }

export interface BackgroundCommand {
  /** What it has printed so far. */
  output(): Promise<string>
  isRunning(): boolean
}

/** Bash's remark on a background command that was ended by a signal. */
const remark = /^bash: line \d+: +\d+ [A-Z][a-z]+.*(\n|$)/gm
const ansi = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

export class WalkShell {
  readonly #bash: ChildProcessWithoutNullStreams
  readonly #mark = `end-of-command-${randomBytes(8).toString('hex')}`
  readonly #scratch: string
  #received = ''
  #wake: () => void = () => {}
  #gone = false
  #backgrounds = 0

  constructor(options: ShellOptions) {
    const [command, args] = options.wrap('bash', ['--noprofile', '--norc'])
    this.#scratch = options.scratch
    // A process group of its own, so that ending the group ends what the walk left behind.
    this.#bash = spawn(command, args, { cwd: options.folder, env: { ...options.env }, detached: true, stdio: 'pipe' })
    this.#bash.stdout.setEncoding('utf8')
    this.#bash.stdout.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
    // Bash's own remarks ("Killed") are not the output of a command.
    this.#bash.stderr.resume()
    this.#bash.stdin.on('error', () => {})
    const end = (): void => {
      this.#gone = true
      this.#wake()
    }
    this.#bash.on('error', end)
    this.#bash.on('close', end)
    this.#bash.stdin.write('shopt -s expand_aliases\n')
  }

  async run(text: string, timeout: number): Promise<CommandOutcome> {
    this.#received = ''
    this.#bash.stdin.write(`eval ${quote(text)} </dev/null 2>&1\nprintf '\\n%s %s\\n' ${this.#mark} "$?"\n`)
    const ending = new RegExp(`\\n${this.#mark} (\\d+)\\n`)
    const deadline = AbortSignal.timeout(timeout)
    for (;;) {
      const match = ending.exec(this.#received)
      const output = clean(match === null ? this.#received : this.#received.slice(0, match.index))
      if (match !== null) return { kind: 'ended', status: Number(match[1]), output }
      if (this.#gone) return { kind: 'shell-gone', output }
      if (deadline.aborted) return { kind: 'timed-out', output }
      await this.#news(deadline)
    }
  }

  /** @param text one simple command, without the `&`; `$!` is its pid afterwards */
  async runBackground(text: string): Promise<BackgroundCommand> {
    this.#backgrounds += 1
    const file = path.join(this.#scratch, `background-${this.#backgrounds}.txt`)
    const started = await this.run(`${text} >${quote(file)} 2>&1 &\nprintf %s "$!"`, 10_000)
    const pid = started.kind === 'ended' ? Number(started.output) : 0
    return {
      output: async () => clean(await readFile(file, 'utf8').catch(() => '')),
      isRunning: () => pid > 0 && isAlive(pid),
    }
  }

  async setVariable(name: string, value: string): Promise<void> {
    await this.run(`${name}=${quote(value)}`, 10_000)
  }

  /** Ends the shell and everything it started: politely, and after 5 s by force. */
  async close(): Promise<void> {
    const group = this.#bash.pid
    if (group === undefined) return
    for (const [signal, patience] of [
      ['SIGTERM', 5000],
      ['SIGKILL', 5000],
    ] as const) {
      if (!sendToGroup(group, signal)) return
      const deadline = AbortSignal.timeout(patience)
      while (!deadline.aborted) {
        if (!sendToGroup(group, 0)) return
        await pause(20)
      }
    }
  }

  #news(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

function clean(output: string): string {
  return output.replace(ansi, '').replace(remark, '')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function sendToGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch {
    return false
  }
}
