/**
 * Says on disk where the agent of a data folder answers, so that the command line finds it whatever its port was set by.
 * Owns `agent.json` in the data folder; it is there while the agent runs, and after a crash until the next start.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Paths } from './paths.ts'

export async function writeRunning(
  paths: Paths,
  facts: { readonly pid: number; readonly port: number },
): Promise<void> {
  const draft = `${paths.running}.tmp`
  await writeFile(draft, `${JSON.stringify(facts)}\n`, { mode: 0o600 })
  await rename(draft, paths.running)
}

export async function removeRunning(paths: Paths): Promise<void> {
  await rm(paths.running, { force: true })
}
