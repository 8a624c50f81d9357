/**
 * Runs the agent on this machine: with the real store, clock and hardware, until a signal; and says why where it can not.
 * Part of the composition root; only `main.ts` imports it.
 */
import { createAgent } from './agent.ts'
import { loadConfiguration } from './config/load.ts'
import { ConfigurationError } from './config/problem.ts'
import { readHardwareParts } from './hardware-parts.ts'
import type { Started } from './http/listener.ts'
import { explainHolder } from './http/port-holder.ts'
import { IdentityError, openIdentity } from './identity.ts'
import { createLog } from './log.ts'
import { findDataFolder, pathsIn } from './paths.ts'
import { systemProcesses } from './process-watch.ts'
import { Ballast } from './store/ballast.ts'
import { LevelStore } from './store/level-store.ts'
import { StoreError } from './store/store.ts'
import { JoinedClock, systemSources, systemTimers } from './system-clock.ts'

/** Exit codes of `serve`, for service managers. */
const exitCodes = {
  configuration: 78,
  storeDamaged: 65,
  storeLocked: 75,
  portTaken: 69,
  notPermitted: 77,
  failed: 1,
} as const

/** @returns the exit code */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  try {
    return await run(environment)
  } catch (error) {
    return explainFailure(error)
  }
}

async function run(environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  process.umask(0o077)
  const paths = pathsIn(findDataFolder(environment))
  const fixed = await loadConfiguration(environment, paths.configuration)
  const log = createLog()
  const identity = await openIdentity(paths)
  const ballast = new Ballast(paths.ballast)
  const agent = await createAgent({
    paths,
    identity,
    store: new LevelStore({ folder: paths.data, ballast }),
    ballast: {
      free: async () => void (await ballast.free()),
      restore: async () => (await ballast.restore()) !== 'no_room',
    },
    clock: new JoinedClock(systemSources()),
    timers: systemTimers,
    fixed,
    hardware: await readHardwareParts(),
    processes: systemProcesses(process.platform),
    log,
  })
  const started = await agent.start()
  if (started.kind !== 'listening') {
    await agent.stop()
    return explainStart(started)
  }
  process.stdout.write(`Leasehold is ready at http://localhost:${started.port}\n`)
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  await agent.stop()
  return 0
}

function explainStart(started: Exclude<Started, { kind: 'listening' }>): number {
  if (started.kind === 'not-permitted') {
    process.stderr.write(
      `leasehold: this user may not listen on port ${started.port}. Choose another with LEASEHOLD_NETWORK_PORT.\n`,
    )
    return exitCodes.notPermitted
  }
  const { text, help } = explainHolder(started.holder, started.port)
  process.stderr.write(`leasehold: ${text} ${help}\n`)
  return exitCodes.portTaken
}

function explainFailure(error: unknown): number {
  if (error instanceof ConfigurationError) {
    process.stderr.write(`leasehold: the configuration can not be used\n${error.message}\n`)
    return exitCodes.configuration
  }
  if (error instanceof IdentityError) {
    process.stderr.write(`leasehold: ${error.message}.\n`)
    return exitCodes.notPermitted
  }
  if (error instanceof StoreError) {
    if (error.code === 'damaged') {
      process.stderr.write(`leasehold: the store is damaged, and nothing was changed. ${error.message}\n`)
      process.stderr.write('Restore the data folder from a backup, or move it away to begin anew.\n')
      return exitCodes.storeDamaged
    }
    process.stderr.write(`leasehold: ${error.message}\n`)
    if (error.code === 'newer_schema') return exitCodes.storeDamaged
    return error.code === 'locked' ? exitCodes.storeLocked : exitCodes.failed
  }
  process.stderr.write(`leasehold: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return exitCodes.failed
}
