/**
 * The client library against real agents: killed and started again, disconnecting, proving, and watching processes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { type OpenSessionOptions, openSession, type Session, type SessionEnd } from 'leasehold/client'
import { type AgentCall, type CallAgent, connectAgent } from '../../agent/client/call-agent.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'
import { cleanUp, freshFolder, RealAgent } from '../scenarios/real-agent.ts'

const acme = new TestVendor('acme')
const children = new Set<ChildProcess>()

test.after.always(async () => {
  for (const child of children) child.kill('SIGKILL')
  await cleanUp()
})

let starting: Promise<RealAgent> | undefined

/** One agent for all who do not kill it, with one seat of a product for each, and one of `proved` whose license is activated. */
function sharedAgent(): Promise<RealAgent> {
  const start = async (): Promise<RealAgent> => {
    const agent = await RealAgent.start(await freshFolder())
    const names = ['opened', 'waited', 'disconnected', 'freed', 'unproved', 'crashed', 'quiet']
    const since = Date.UTC(2026, 0, 1)
    await agent.install(blockOf(acme.license({ products: names.map((name) => ({ name, seats: 1 })) }, since)))
    const products = [{ name: 'proved', seats: 2 }]
    const license = acme.license({ products, count: 'user', activation: { needed: true } }, since)
    await agent.install(blockOf(license))
    const asked = await agent.ask('POST', `/licenses/${license.payload.id}/activation-request`)
    const answer = acme.answer(String(asked.body.request), license, { now: Date.now() })
    const applied = await agent.ask('POST', '/documents', { text: answer, apply: true })
    if (applied.status !== 200) throw new Error(JSON.stringify(applied))
    return agent
  }
  starting ??= start()
  return starting
}

async function sessionsOf(agent: RealAgent, product: string): Promise<string[]> {
  return (await agent.sessions()).filter((one) => one.product === product).map(({ id }) => id)
}

async function open(agent: RealAgent, options: Omit<OpenSessionOptions, 'port'>): Promise<Session> {
  const outcome = await openSession({ port: agent.port, ...options })
  if (outcome.kind === 'refused') throw new Error(`${outcome.code}: ${outcome.detail}`)
  return outcome.session
}

test('a seat is opened, refused to the next with who holds it, and there again once it is closed', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/opened'
  const session = await open(agent, { product, user: { account: 'ana' }, application: 'CAD 5', host: 'WS-17' })
  t.like(session, { product, seats: 1, state: 'active', feature: undefined })
  t.true(session.secondsLeft > 590 && session.secondsLeft <= 600)
  const refused = await openSession({ product, port: agent.port })
  t.like(refused, { kind: 'refused', code: 'no_seats', detail: `1 of 1 seats of ${product} are in use.` })
  if (refused.kind !== 'refused') return
  t.true((refused.retryIn ?? 0) > 0)
  t.like(refused.explanation?.managers[0]?.holders?.[0], { user: 'ana', host: 'WS-17', application: 'CAD 5', seats: 1 })
  t.like(await openSession({ product: 'acme/cam', port: agent.port }), { code: 'unknown_product' })
  await session.close()
  t.deepEqual(await sessionsOf(agent, product), [])
  const six = await open(agent, { product, address: '[::1]' })
  await six.close()
})

test('X11, R30: who waits gets the seat that is given back meanwhile, for a minute until its first heartbeat', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/waited'
  const first = await open(agent, { product })
  const waiting = open(agent, { product, wait: 60 })
  await waitFor('the line', async () => (await agent.ask('GET', `/queue?product=${product}`)).body.total === 1)
  await first.close()
  const second = await waiting
  t.true(second.secondsLeft > 50 && second.secondsLeft <= 60)
  await second.verify()
  t.true(second.secondsLeft > 590)
  await second.close()
})

test('an agent killed and started again in between keeps the same session, and the application sees both', async (t) => {
  const folder = await freshFolder()
  let agent = await RealAgent.start(folder)
  await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 1 }] }, Date.UTC(2026, 0, 1))))
  // The agent comes back on another port than before, which an application would not see.
  const call: CallAgent = (asked) => connectAgent({ port: agent.port, tokens: [] })(asked)
  const outcome = await openSession({ product: 'acme/cad' }, { call })
  if (outcome.kind !== 'opened') return t.fail(outcome.detail)
  const { session } = outcome
  const states: string[] = []
  session.onChange(({ state }) => states.push(state))
  await agent.kill()
  t.deepEqual(await session.verify(), { kind: 'unreached' })
  t.is(session.state, 'renewing')
  t.true(session.secondsLeft > 580)
  agent = await RealAgent.start(folder)
  await waitFor('the session to be kept', () => session.state === 'active', 15_000)
  t.deepEqual(states, ['renewing', 'active'])
  t.deepEqual(
    (await agent.sessions()).map(({ id }) => id),
    [session.id],
  )
  await session.close()
  t.deepEqual(await agent.sessions(), [])
  await agent.stop()
})

test('R5, I8: a disconnect is told at once; the seat is out until the use has ended, and free right after', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/disconnected'
  let endUse: () => void = () => {}
  const ends: SessionEnd[] = []
  const session = await open(agent, {
    product,
    onEnd: (end) => {
      ends.push(end)
      return new Promise<void>((resolve) => (endUse = resolve))
    },
  })
  const { status } = await agent.ask('POST', `/sessions/${session.id}/disconnect`, {})
  t.is(status, 200)
  await waitFor('the end', () => ends.length > 0, 3_000)
  t.deepEqual(ends, [{ reason: 'disconnected', detail: 'An administrator disconnected it.' }])
  t.true(session.secondsLeft > 500)
  t.like(await openSession({ product, port: agent.port }), { code: 'no_seats' })
  endUse()
  t.is((await session.ended).reason, 'disconnected')
  await (await open(agent, { product })).close()
})

test('“Free now” is told at once, too, with the reason', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/freed'
  const session = await open(agent, { product })
  await agent.ask('POST', `/sessions/${session.id}/disconnect`, { freeNow: true })
  const end = await Promise.race([session.ended, waitFor('the end', () => session.end, 3_000)])
  t.is(end.reason, 'disconnected')
})

test('X4, R27: a real agent proves its seat; a session that another application opened proves nothing', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/proved'
  const proving = { product, vendorKey: acme.key.jwk, requireProof: true, user: { account: 'ana' } }
  const session = await open(agent, proving)
  t.like(session.proof, { kind: 'valid', seats: 1 })
  t.like(await session.verify(), { kind: 'valid', seats: 1 })

  // A wrapper that opens one session and lets every application beat on it.
  const direct = connectAgent({ port: agent.port, tokens: [] })
  let shared: { id: string; key: string } | undefined
  const wrapper: CallAgent = async (asked: AgentCall) => {
    if (asked.method !== 'POST') return direct(asked)
    if (shared === undefined) {
      const reply = await direct(asked)
      shared = reply.kind === 'answered' ? (reply.value as { id: string; key: string }) : undefined
      return reply
    }
    const { nonce } = asked.body as { nonce: string }
    const reply = await direct({
      method: 'PUT',
      path: `/api/v1/sessions/${shared.id}`,
      headers: { 'Session-Key': shared.key },
      body: { nonce },
    })
    return reply.kind === 'answered' ? { ...reply, value: { ...(reply.value as object), key: shared.key } } : reply
  }
  const asking = proving
  const first = await openSession(asking, { call: wrapper })
  t.is(first.kind, 'opened')
  const second = await openSession(asking, { call: wrapper })
  t.like(second, { kind: 'refused', code: 'proof_invalid' })
  t.regex(second.kind === 'refused' ? second.detail : '', /wrong_binding/)

  const other = new TestVendor('acme', new TestVendor('other').key)
  const foreign = await openSession({ ...asking, port: agent.port, vendorKey: other.key.jwk })
  t.like(foreign, { kind: 'refused', code: 'unknown_product' }, 'the agent offers nothing of another vendor’s key')
  if (first.kind === 'opened') await first.session.close()
  await session.close()
})

test('R27: a license without activation gives a seat without a proof, and who requires one gets none', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/unproved'
  const session = await open(agent, { product, vendorKey: acme.key.jwk })
  t.deepEqual(session.proof, { kind: 'unavailable', reason: 'not_activated' })
  await session.close()
  const asking = { product, port: agent.port, vendorKey: acme.key.jwk, requireProof: true }
  t.like(await openSession(asking), { kind: 'refused', code: 'proof_unavailable' })
  t.deepEqual(await sessionsOf(agent, product), [])
})

/** An application of a few lines, as a process of its own. */
function application(lines: string): ChildProcess {
  const source = `import { openSession } from 'leasehold/client'\n${lines}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.add(child)
  return child
}

test('R29: the seat of an application that crashes is free within seconds', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/crashed'
  const child = application(`
    const { session } = await openSession({ product: '${product}', port: ${agent.port}, keepsProcessAlive: true })
    console.log(session.state)
  `)
  const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  t.is(String(said).trim(), 'active')
  t.is((await sessionsOf(agent, product)).length, 1)
  child.kill('SIGKILL')
  await waitFor('the seat', async () => (await sessionsOf(agent, product)).length === 0, 8_000)
  t.pass()
})

test('a session keeps no process alive unless it is asked to', async (t) => {
  const agent = await sharedAgent()
  const product = 'acme/quiet'
  const child = application(`
    const { session } = await openSession({ product: '${product}', port: ${agent.port} })
    await session.verify()
    console.log(session.state)
  `)
  const [said, [code]] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'close')])
  t.is(said.trim(), 'active')
  t.is(code, 0)
})

test('the code in docs/client-library.md compiles against the types that the package ships', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'leasehold-types-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await mkdir(path.join(folder, 'node_modules/@types'), { recursive: true })
  await symlink(process.cwd(), path.join(folder, 'node_modules/leasehold'))
  await symlink(path.resolve('node_modules/@types/node'), path.join(folder, 'node_modules/@types/node'))
  const document = await readFile('docs/client-library.md', 'utf8')
  const blocks = [...document.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
  t.is(blocks.length, 3)
  const wrong = "import { openSession } from 'leasehold/client'\nawait openSession({ product: 5 })\n"
  await Promise.all([...blocks, wrong].map((block, at) => writeFile(path.join(folder, `block-${at}.ts`), block)))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  const compiler = path.resolve('node_modules/typescript/bin/tsc')
  const options = [
    '--noEmit',
    '--strict',
    '--types',
    'node',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2023',
  ]
  const files = [...blocks, wrong].map((_, at) => `block-${at}.ts`)
  const child = spawn(process.execPath, [compiler, ...options, ...files], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await text(child.stdout)
  const faults = said.split('\n').filter((line) => /error TS/.test(line))
  t.is(faults.length, 1, said)
  t.regex(faults[0] ?? '', /^block-3\.ts\(2,21\): error TS2322/)
})
