import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { generate } from 'openapi-typescript-codegen'
import { createAgent } from '../../agent/agent.ts'
import { openIdentity } from '../../agent/identity.ts'
import { createLog } from '../../agent/log.ts'
import { pathsIn } from '../../agent/paths.ts'
import { noProcesses } from '../../agent/process-watch.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { JoinedClock, systemSources, systemTimers } from '../../agent/system-clock.ts'

const requireHere = createRequire(import.meta.url)

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'leasehold-client-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The whole agent, with nothing left out but the disk. */
async function startWholeAgent(t: ExecutionContext): Promise<string> {
  const paths = pathsIn(path.join(await makeFolder(t), 'data'))
  await mkdir(paths.store, { recursive: true, mode: 0o700 })
  const agent = await createAgent({
    paths,
    identity: await openIdentity(paths),
    store: new MemoryStore(),
    ballast: { free: async () => undefined, restore: async () => true },
    clock: new JoinedClock(systemSources()),
    timers: systemTimers,
    fixed: { environment: new Map([['network.port', 0]]), file: new Map() },
    hardware: { machine: 'a machine of this test', disk: 'a disk of this test' },
    processes: noProcesses,
    log: createLog('error', { write: () => undefined }),
  })
  const started = await agent.start()
  t.teardown(() => agent.stop())
  if (started.kind !== 'listening') throw new Error(`the agent can not listen: ${started.kind}`)
  return `http://localhost:${started.port}`
}

/** What a developer writes who has the generated client and nothing else. */
const application = `
import { ApiError, type Computer, Leasehold, type OpenedSession, type Problem, type Recount, type RefusedSeat } from './client/index'

export interface Seen {
  opened: OpenedSession
  again: string
  kept: number
  held: number
  left: number
  refused: Problem
  computer: Computer
  counted: Recount['licenses'][number]
  noted: RefusedSeat
}

export async function useSeat(address: string): Promise<Seen> {
  const leasehold = new Leasehold({ BASE: address })
  await leasehold.licenses.addSample()
  const { items } = await leasehold.products.listProducts({ limit: 10 })
  const product = items.find((one) => one.name === 'cad')
  if (product === undefined) throw new Error('the sample has no such product')
  const asked = { idempotencyKey: crypto.randomUUID(), requestBody: { product: product.id, user: { account: 'ana' } } }
  const opened = await leasehold.sessions.openSession(asked)
  const again = await leasehold.sessions.openSession(asked)
  const { id, key: sessionKey } = opened
  const kept = await leasehold.sessions.keepSession({ id, sessionKey, requestBody: {} })
  const held = (await leasehold.sessions.listSessions({ product: product.id })).total
  const [computer] = (await leasehold.sessions.listComputers({ product: product.id })).items
  const [counted] = (await leasehold.products.recountProduct({ vendor: product.vendor, product: product.name })).licenses
  await leasehold.sessions.closeSession({ id, sessionKey })
  const left = (await leasehold.sessions.listSessions({ product: product.id })).total
  try {
    await leasehold.sessions.openSession({ ...asked, idempotencyKey: crypto.randomUUID(), requestBody: { product: 'nobody/knows' } })
  } catch (error) {
    const [noted] = (await leasehold.sessions.listRefusals({ product: 'knows' })).items
    if (error instanceof ApiError)
      return { opened, again: again.id, kept: kept.expiresIn, held, left, refused: error.body, computer, counted, noted }
  }
  throw new Error('a product that nobody knows was given')
}
`

interface Application {
  useSeat(address: string): Promise<{
    readonly opened: { readonly id: string; readonly state: string; readonly expiresIn: number }
    readonly again: string
    readonly kept: number
    readonly held: number
    readonly left: number
    readonly refused: { readonly code: string; readonly status: number; readonly detail: string }
    readonly computer: object
    readonly counted: object
    readonly noted: object
  }>
}

async function compile(folder: string): Promise<Application> {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'dom'],
    module: 'nodenext',
    types: [],
    strict: true,
    rootDir: '.',
    outDir: 'built',
  }
  await writeFile(path.join(folder, 'package.json'), '{"type":"commonjs"}')
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }))
  await writeFile(path.join(folder, 'application.ts'), application)
  const compiler = path.join(path.dirname(requireHere.resolve('typescript/package.json')), 'bin/tsc')
  await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch((error: { stdout?: string }) => {
    throw new Error(`the client does not compile: ${error.stdout}`)
  })
  return requireHere(path.join(folder, 'built/application.js')) as Application
}

test('a client that is generated from the description of a running agent opens, keeps and closes a session, and reads what came of it', async (t) => {
  t.timeout(60_000)
  const address = await startWholeAgent(t)
  const folder = await makeFolder(t)
  const description = (await (await fetch(`${address}/api/v1/openapi.json`)).json()) as {
    readonly servers: readonly { readonly url: string }[]
  }
  t.is(description.servers[0]?.url, address)
  await generate({
    input: description,
    output: path.join(folder, 'client'),
    httpClient: 'fetch',
    useOptions: true,
    clientName: 'Leasehold',
  })
  const seen = await (await compile(folder)).useSeat(address)
  t.like(seen.opened, { state: 'active', expiresIn: 600 })
  t.is(seen.again, seen.opened.id)
  t.is(seen.kept, 600)
  t.is(seen.held, 1)
  t.is(seen.left, 0)
  t.like(seen.refused, { code: 'unknown_product', status: 404 })
  t.like(seen.computer, { sessions: 1, seats: 1 })
  t.like(seen.counted, { kept: 1, counted: 1 })
  t.like(seen.noted, { product: 'nobody/knows', code: 'unknown_product', detail: seen.refused.detail, times: 1 })
})
