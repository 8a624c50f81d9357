/**
 * The program that `run` wraps: started with our own streams, given the signals that come to us, watched until it ends.
 * Owns the child process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { runExits } from './exit-codes.ts'
import type { CommandIo } from './io.ts'

export type ProgramEnd =
  /** As shells say it: 128 and the number of the signal that ended it. */
  | { readonly kind: 'ended'; readonly exit: number }
  | { readonly kind: 'not-started'; readonly exit: number; readonly detail: string }

export class Program {
  readonly #child: ChildProcess
  readonly ended: Promise<ProgramEnd>

  constructor(command: readonly string[], env: CommandIo['env']) {
    const [file = '', ...args] = command
    this.#child = spawn(file, args, { stdio: 'inherit', env: { ...env } })
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error: NodeJS.ErrnoException) => {
        // An error after the start (a signal that could not be sent) is not the end.
        if (this.#child.pid === undefined) resolve(describeFailure(file, error))
      })
      this.#child.once('exit', (code, signal) => {
        resolve({ kind: 'ended', exit: code ?? exitOfSignal(signal ?? 'SIGKILL') })
      })
    })
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}

export function exitOfSignal(signal: NodeJS.Signals): number {
  return runExits.signal + (os.constants.signals[signal] ?? 0)
}

function describeFailure(file: string, error: NodeJS.ErrnoException): ProgramEnd {
  if (error.code === 'ENOENT')
    return { kind: 'not-started', exit: runExits.notFound, detail: `There is no program “${file}”.` }
  const detail = `“${file}” can not be started: ${error.code === 'EACCES' ? 'it may not be executed' : error.message}.`
  return { kind: 'not-started', exit: runExits.notExecutable, detail }
}

const everywhere: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
const elsewhere: readonly NodeJS.Signals[] = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']
/** Those that ask a process to end. */
const ends: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])

/** Takes the signals that come to this process: until there is a program they end the wait for a seat, then they go to it. */
export class SignalRelay {
  readonly #io: CommandIo
  readonly #stopper = new AbortController()
  readonly #listeners: readonly (readonly [NodeJS.Signals, () => void])[]
  #program: Program | undefined
  /** The signal that asked us to end before there was a program. */
  stoppedBy: NodeJS.Signals | undefined

  constructor(io: CommandIo) {
    this.#io = io
    const signals = io.platform === 'win32' ? everywhere : [...everywhere, ...elsewhere]
    this.#listeners = signals.map((signal) => [signal, () => this.#take(signal)])
    for (const [signal, listener] of this.#listeners) io.signals.on(signal, listener)
  }

  get stopped(): AbortSignal {
    return this.#stopper.signal
  }

  passTo(program: Program): void {
    this.#program = program
  }

  close(): void {
    for (const [signal, listener] of this.#listeners) this.#io.signals.off(signal, listener)
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#program !== undefined) {
      if (!this.#hasItAlready(signal)) this.#program.send(signal)
    } else if (ends.has(signal)) {
      this.stoppedBy ??= signal
      this.#stopper.abort()
    }
  }

  /** Ctrl-C and Ctrl-\ go to all processes in the foreground of a terminal; a second one would end a program that asks first. */
  #hasItAlready(signal: NodeJS.Signals): boolean {
    if (signal !== 'SIGINT' && signal !== 'SIGQUIT') return false
    return this.#io.platform === 'linux' ? isInForeground() : this.#io.stderr.isTTY === true
  }
}

/** Whether our process group is the one that the terminal's keys reach. */
function isInForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'latin1')
    // The second field is the name in parentheses and may hold anything, so count from its end.
    const [, , group, , , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return group === foreground
  } catch {
    return false
  }
}
