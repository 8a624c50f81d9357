/**
 * Gives the agent of a benchmark its license: made by the vendor's command line, installed over the API,
 * activated by the exchange of blocks. Imports only the types of the programs.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { AgentProgram, RunningServer } from './programs.ts'

export const product = 'bench/load'

/** Leases of a day, so that no session ends while the benchmark runs; activated, since proofs need that. */
export async function installLicense(agent: AgentProgram, server: RunningServer, folder: string): Promise<void> {
  const [code, request, answer] = ['license.txt', 'request.txt', 'answer.txt'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string]
  const terms = ['--product', 'load', '--seats', '300000', '--count', 'session', '--lease-seconds', '86400']
  await agent.command('vendor', 'init', 'bench')
  await agent.command('vendor', 'issue', '--vendor', 'bench', ...terms, '--out', code)
  await call(server, 'POST', '/api/v1/licenses', { text: await readFile(code, 'utf8'), trust: true })
  const { items } = (await call(server, 'GET', '/api/v1/licenses')) as { items: { id: string }[] }
  const id = items[0]?.id
  if (id === undefined) throw new Error('the license was not installed')
  await agent.command('licenses', 'activate', id, '--out', request)
  await agent.command('vendor', 'activate', request, '--out', answer)
  await agent.command('licenses', 'activate', '--answer', answer)
}

async function call(server: RunningServer, method: string, address: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://localhost:${server.port}${address}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${address} was answered ${response.status}: ${text}`)
  return JSON.parse(text)
}
