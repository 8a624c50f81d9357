/** What an agent knows of managers, as its interface tells. Imports the programs. */
import { setTimeout as pause } from 'node:timers/promises'
import { callAgent } from './programs.ts'

interface Known {
  readonly id: string
  readonly offers: readonly object[]
}

export async function listManagers(port: number): Promise<readonly Known[]> {
  return ((await callAgent(port, 'GET', '/managers')) as { items: readonly Known[] }).items
}

/** Looks again and again. @returns once some manager offers seats, at most after a minute */
export async function waitForOffers(port: number): Promise<void> {
  const late = performance.now() + 60_000
  while (!(await listManagers(port)).some(({ offers }) => offers.length > 0)) {
    if (performance.now() > late) throw new Error('no manager offered seats within a minute')
    await pause(2)
  }
}
