import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { linkAgent } from '../agent/cli/agent-link.ts'
import { pathsIn } from '../agent/paths.ts'
import { removeRunning, writeRunning } from '../agent/running-file.ts'

test('the command line finds the agent of its data folder by the port that it noted, unless it is told another', async (t) => {
  const data = mkdtempSync(path.join(os.tmpdir(), 'leasehold-'))
  const paths = pathsIn(data)
  const portOf = async (env: Record<string, string> = {}, port?: number): Promise<number> =>
    (await linkAgent({ LEASEHOLD_DATA: data, ...env }, port)).port
  t.is(await portOf(), 1947)
  await writeRunning(paths, { pid: 17, port: 40_001 })
  t.is(statSync(paths.running).mode & 0o777, 0o600)
  t.is(await portOf(), 40_001)
  t.is(await portOf({ LEASEHOLD_NETWORK_PORT: '40002' }), 40_002)
  t.is(await portOf({}, 40_003), 40_003)
  writeFileSync(paths.running, '{ "port": "of call" ')
  t.is(await portOf(), 1947)
  await removeRunning(paths)
  await removeRunning(paths)
  t.is(await portOf(), 1947)
})
