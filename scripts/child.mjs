/**
 * Runs a compiled script as a child of this process that behaves as if it were this process:
 * terminal, signals and exit code pass through. Imports nothing but Node.
 */
import { spawn } from 'node:child_process'
import os from 'node:os'

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * A child is needed because some sizes of Node are fixed before a script's first line runs: of its thread pool, since the store's
 * synchronous writes need more than the four threads that are the default; and of the part of memory in which objects begin (MiB),
 * since a request that is being answered should not have to be moved out of it.
 */
export function runBuilt(script, args) {
  const child = spawn(process.execPath, ['--enable-source-maps', '--max-semi-space-size=32', script, ...args], {
    stdio: 'inherit',
    env: { UV_THREADPOOL_SIZE: '16', ...process.env },
  })
  for (const signal of passedOn) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the whole process group; passing it on would make it two.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (os.constants.signals[signal] ?? 0)
  })
}
