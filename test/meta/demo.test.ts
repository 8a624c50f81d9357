import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { waitFor } from '../helpers/wait-for.ts'

const demo = fileURLToPath(new URL('../../scripts/demo/main.js', import.meta.url))

async function answers(address: string): Promise<number | undefined> {
  const answer = await fetch(address).catch(() => undefined)
  await answer?.arrayBuffer()
  return answer?.status
}

test('the demo prints four addresses that answer, people come, and Ctrl-C leaves nothing behind', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leasehold-test-'))
  // A group of its own, as a terminal gives it, so that what is left of it can be seen.
  const child = spawn(process.execPath, [demo], {
    env: { ...process.env, TMPDIR: folder },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const group = child.pid ?? 0
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  try {
    await waitFor('somebody has a seat', () => /ana opens CAD at the workstation\n/.test(said), 100_000)
    const addresses = [...said.matchAll(/http:\/\/\S+:\d+/g)].map(([address]) => address)
    t.is(addresses.length, 4, said)
    const [headOffice = '', branch = '', workstation = '', site = ''] = addresses
    for (const [address, shown] of [
      [`${headOffice}/configuration/sites/shop`, 'sample/portal-user'],
      [`${branch}/configuration/sites`, 'office'],
      [`${workstation}/sessions`, 'ana@example.com'],
      [site, 'Sign in'],
    ] as const) {
      const answer = await fetch(address)
      t.is(answer.status, 200, address)
      t.true((await answer.text()).includes(shown), `${address} shows ${shown}`)
    }
    t.is((await readdir(folder)).length, 1)
    process.kill(-group, 'SIGINT')
    t.deepEqual(await ended, [0, null], said)
    for (const address of addresses) t.is(await answers(address), undefined)
    t.deepEqual(await readdir(folder), [])
    t.throws(() => process.kill(-group, 0), { code: 'ESRCH' })
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-group, 'SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
})
