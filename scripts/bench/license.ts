/**
 * Gives the agent of a benchmark its license: made by the vendor's command line, installed over the API,
 * activated by the exchange of blocks. Imports the programs only.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type AgentProgram, callAgent, type RunningServer } from './programs.ts'

export const product = 'bench/load' as const

export interface Terms {
  readonly leaseSeconds: number
  readonly count: 'session' | 'user'
}

/** Leases of a day, so that no session ends while the benchmark runs. */
const longTerms: Terms = { leaseSeconds: 86_400, count: 'session' }

/** Activated, since proofs need that. */
export async function installLicense(
  agent: AgentProgram,
  server: RunningServer,
  folder: string,
  { leaseSeconds, count } = longTerms,
): Promise<void> {
  const [code, request, answer] = ['license.txt', 'request.txt', 'answer.txt'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string]
  const terms = ['--product', 'load', '--seats', '300000', '--count', count, '--lease-seconds', `${leaseSeconds}`]
  await agent.command('vendor', 'init', 'bench')
  await agent.command('vendor', 'issue', '--vendor', 'bench', ...terms, '--out', code)
  await callAgent(server.port, 'POST', '/licenses', { text: await readFile(code, 'utf8'), trust: true })
  const { items } = (await callAgent(server.port, 'GET', '/licenses')) as { items: { id: string }[] }
  const id = items[0]?.id
  if (id === undefined) throw new Error('the license was not installed')
  await agent.command('licenses', 'activate', id, '--out', request)
  await agent.command('vendor', 'activate', request, '--out', answer)
  await agent.command('licenses', 'activate', '--answer', answer)
}
