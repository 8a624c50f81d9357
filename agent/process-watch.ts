/**
 * Watches the processes of local sessions: when one is gone its seat comes back within seconds (R29, S12). Armed only for
 * processes that were seen alive with their start time when the session was opened, so that a reused pid is not taken for it.
 * Owns nothing that is stored; what to watch comes from the grants.
 */
import { readFileSync } from 'node:fs'
import type { Cancel, Timers } from './clock.ts'

/** What the machine says of a process. */
export interface ProcessTable {
  /** When the process began, as this machine writes it; undefined = there is none, or it can't be seen here. */
  startOf(pid: number): string | undefined
}

export interface WatchedSession {
  readonly id: string
  readonly process: { readonly boot: string; readonly id: number; readonly startedAt: string }
}

export interface ProcessWatchOptions {
  readonly table: ProcessTable
  readonly timers: Timers
  readonly boot: () => string
  readonly sessions: () => Iterable<WatchedSession>
  readonly gone: (id: string) => void
}

const interval = 2_000

/** Those of the sessions that have a process to be watched. */
export function* watchedIn(
  sessions: Iterable<{ readonly id: string; readonly process?: WatchedSession['process'] }>,
): Iterable<WatchedSession> {
  for (const { id, process } of sessions) if (process !== undefined) yield { id, process }
}

export class ProcessWatch {
  readonly #options: ProcessWatchOptions
  /** Sessions whose process was gone at the last look. */
  #missing = new Set<string>()
  #cancel: Cancel | undefined

  constructor(options: ProcessWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#cancel ??= this.#options.timers.every(interval, () => this.look())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Looks at every watched process once. Gone = not there, or begun at another time, twice in a row; at once after a boot. */
  look(): void {
    const { table, sessions, gone } = this.#options
    const boot = this.#options.boot()
    const starts = new Map<number, string | undefined>()
    const missing = new Set<string>()
    for (const { id, process } of sessions()) {
      if (process.boot !== boot) {
        gone(id)
        continue
      }
      if (!starts.has(process.id)) starts.set(process.id, table.startOf(process.id))
      if (starts.get(process.id) === process.startedAt) continue
      if (this.#missing.has(id)) gone(id)
      else missing.add(id)
    }
    this.#missing = missing
  }
}

/** Linux: field 22 of /proc/pid/stat, ticks since boot. A zombie has ended. */
export const linuxProcesses: ProcessTable = {
  startOf(pid) {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
      // The second field is the name in parentheses and may hold anything, so count from its end.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    } catch {
      return undefined
    }
  },
}

/** Where start times can't be seen: heartbeats only. */
export const noProcesses: ProcessTable = { startOf: () => undefined }

export function systemProcesses(platform: NodeJS.Platform): ProcessTable {
  return platform === 'linux' ? linuxProcesses : noProcesses
}
