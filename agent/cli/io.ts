/**
 * What a command is given: streams, environment, time, and what the operating system tells of its own process.
 * Tests give their own. Owns nothing.
 */
import os from 'node:os'
import { readAccount } from '../client/account.ts'
import type { Clock, Timers } from '../clock.ts'
import { JoinedClock, systemSources, systemTimers } from '../system-clock.ts'

export interface CommandOutput {
  readonly isTTY?: boolean
  write(text: string | Uint8Array): boolean
  once(event: 'drain' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface CommandInput extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean
  setRawMode?(on: boolean): unknown
  on(event: 'data', listener: (piece: Buffer | string) => void): unknown
  on(event: 'end', listener: () => void): unknown
  off(event: 'data', listener: (piece: Buffer | string) => void): unknown
  off(event: 'end', listener: () => void): unknown
  resume(): unknown
  unshift?(piece: Buffer): unknown
  pause(): unknown
}

export interface Signals {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
}

export interface CommandIo {
  readonly stdout: CommandOutput
  readonly stderr: CommandOutput
  /** Opened when it is asked for: what is never read stays for the program that `run` starts. */
  readonly stdin: CommandInput
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly timers: Timers
  readonly signals: Signals
  readonly processId: number
  readonly platform: NodeJS.Platform
  /** Account of the operating system that runs the command. */
  account(): string | undefined
  hostName(): string
}

/** The real thing. @param program the process */
export function openIo(program: NodeJS.Process): CommandIo {
  return {
    stdout: program.stdout,
    stderr: program.stderr,
    get stdin() {
      return program.stdin
    },
    env: program.env,
    clock: new JoinedClock(systemSources()),
    timers: systemTimers,
    signals: program,
    processId: program.pid,
    platform: program.platform,
    account: () => readAccount(program),
    hostName: () => os.hostname(),
  }
}
