/**
 * Runs vendor commands as a person would, in a home of their own.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { runVendor } from '../../agent/cli/vendor.ts'

export interface Said {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

export interface Terminal {
  readonly home: string
  /** Wall time in ms; tests set it. */
  now: number
  run(...args: string[]): Promise<Said>
  /** The same with something on standard input. */
  pipe(input: string, ...args: string[]): Promise<Said>
  path(name: string): string
  write(name: string, text: string): Promise<string>
  read(name: string): Promise<string>
}

export async function openTerminal(t: ExecutionContext): Promise<Terminal> {
  const home = await mkdtemp(join(tmpdir(), 'leasehold-vendor-'))
  t.teardown(() => rm(home, { recursive: true, force: true }))
  const path = (name: string) => join(home, name)
  const terminal: Terminal = {
    home,
    now: Date.parse('2026-11-24T12:00:00Z'),
    path,
    run: (...args) => terminal.pipe('', ...args),
    pipe: async (input, ...args) => {
      const said = { stdout: '', stderr: '' }
      const exit = await runVendor(args, {
        stdout: { write: (text) => (said.stdout += text) },
        stderr: { write: (text) => (said.stderr += text) },
        stdin: (async function* () {
          yield input
        })(),
        env: { HOME: home },
        now: () => terminal.now,
      })
      return { exit, ...said }
    },
    write: async (name, text) => {
      await writeFile(path(name), text)
      return path(name)
    },
    read: (name) => readFile(path(name), 'utf8'),
  }
  return terminal
}
