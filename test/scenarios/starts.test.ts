/**
 * How a real agent starts, explains why it can not, watches processes and stops.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import { licenseOf } from './applications.ts'
import { cleanUp, freshFolder, Launch, RealAgent, seatIn } from './real-agent.ts'

const processes = new Set<ChildProcess>()
test.after.always(async () => {
  for (const child of processes) child.kill('SIGKILL')
  await cleanUp()
})

test('a seat is there after a stop and a start, and the third of two is still refused', async (t) => {
  const folder = await freshFolder()
  let agent = await RealAgent.start(folder)
  await agent.install(licenseOf(2))
  const seats = [seatIn(await agent.open(randomUUID())), seatIn(await agent.open(randomUUID()))]
  t.is((await agent.stop()).code, 0)
  agent = await RealAgent.start(folder)
  t.deepEqual((await agent.sessions()).map((one) => one.id).sort(), seats.map((one) => one.id).sort())
  t.like(await agent.open(randomUUID()), { status: 409, body: { code: 'no_seats' } })
  for (const { id, key } of seats) {
    const beat = await agent.ask('PUT', `/sessions/${id}`, {}, { 'session-key': key })
    t.is(beat.status, 200)
    t.true(typeof beat.body.expiresIn === 'number' && beat.body.expiresIn <= 600)
  }
  t.is((await agent.stop()).code, 0)
})

test('a second agent on the same folder ends with 75 and says that another one has it; the first goes on', async (t) => {
  const agent = await RealAgent.start(await freshFolder())
  const cliKey = await readFile(join(agent.folder, 'cli.key'), 'utf8')
  const second = await new Launch(agent.folder).ended
  t.is(second.code, 75)
  t.regex(second.said, /another Leasehold agent has this store open/)
  t.is(await readFile(join(agent.folder, 'cli.key'), 'utf8'), cliKey)
  t.is((await agent.ask('GET', '/health')).status, 200)
  await agent.stop()
})

test('a port that another agent or program has is explained, and the agent ends with 69', async (t) => {
  const agent = await RealAgent.start(await freshFolder())
  const other = await new Launch(await freshFolder(), { LEASEHOLD_NETWORK_PORT: String(agent.port) }).ended
  t.is(other.code, 69)
  t.regex(other.said, new RegExp(`A Leasehold agent .* already runs on port ${agent.port} of this machine`))
  await agent.stop()

  const server = createServer((_, response) => response.setHeader('Server', 'Example/1').end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const blocked = await new Launch(await freshFolder(), { LEASEHOLD_NETWORK_PORT: String(port) }).ended
  t.is(blocked.code, 69)
  t.regex(blocked.said, /Another program \(it calls itself Example\/1\) has port \d+/)
  t.regex(blocked.said, /LEASEHOLD_NETWORK_PORT/)
  server.close()
})

test('a damaged store is refused with the name of what is damaged, and nothing of it is touched', async (t) => {
  const folder = await freshFolder()
  const agent = await RealAgent.start(folder)
  await agent.install(licenseOf(2))
  for (let seat = 0; seat < 2; seat++) await agent.open(randomUUID())
  await agent.kill()
  const store = join(folder, 'store')
  const log = (await readdir(store)).find((name) => name.endsWith('.log')) ?? ''
  const bytes = await readFile(join(store, log))
  const at = Math.floor(bytes.length / 2)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  await writeFile(join(store, log), bytes)
  const ended = await new Launch(folder).ended
  t.is(ended.code, 65, ended.said)
  t.regex(ended.said, /damaged|lost changes/)
  t.true(ended.said.includes(folder), ended.said)
  t.notRegex(ended.said, /\n\s+at /, 'a sentence, not a stack')
  t.is((await new Launch(folder).ended).code, 65, 'it does not heal by being started again')
})

test('a wrong configuration stops the start with 78, the file and the line', async (t) => {
  const folder = await freshFolder()
  await mkdir(folder)
  const file = join(folder, 'leasehold.yaml')
  await writeFile(file, 'agent:\n  name: WS-17\nsession:\n  idleMinutes: soon\n')
  const ended = await new Launch(folder).ended
  t.is(ended.code, 78)
  t.regex(ended.said, /leasehold\.yaml/)
  t.regex(ended.said, /\b4\b.*session\.idleMinutes|session\.idleMinutes.*\b4\b/s)
  t.deepEqual(await readdir(folder), ['leasehold.yaml'], 'nothing was made before that')
  const variable = await new Launch(await freshFolder(), { LEASEHOLD_SESSION_IDLE_MINUTES: 'soon' }).ended
  t.is(variable.code, 78)
  t.regex(variable.said, /LEASEHOLD_SESSION_IDLE_MINUTES/)
})

test('SIGTERM lets a request that is under way end, and what it was told is true after the next start', async (t) => {
  const folder = await freshFolder()
  const agent = await RealAgent.start(folder)
  await agent.install(licenseOf(2))
  const body = JSON.stringify({ product: 'acme/cad' })
  const socket = connect(agent.port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  const head = [
    'POST /api/v1/sessions HTTP/1.1',
    `Host: localhost:${agent.port}`,
    'Content-Type: application/json',
    `Idempotency-Key: ${randomUUID()}`,
    `Content-Length: ${body.length}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 5)}`)
  // Another request that was answered shows that the agent has read the first half by now.
  await agent.ask('GET', '/health')
  const ended = agent.stop()
  await waitFor('a port that takes no more', async () => {
    const refused = await new Promise<boolean>((resolve) => {
      const probe = connect(agent.port, '127.0.0.1')
      probe.on('error', () => resolve(true)).on('connect', () => resolve(probe.destroy() === undefined))
    })
    return refused
  })
  socket.write(body.slice(5))
  const { code } = await ended
  t.is(code, 0)
  t.regex(answer, /^HTTP\/1\.1 201 /)
  const again = await RealAgent.start(folder)
  t.is((await again.sessions()).length, 1)
  await again.stop()
})

test('S12: the seat of a process that was killed is free within 5 seconds, and that of a living one is not', async (t) => {
  const agent = await RealAgent.start(await freshFolder())
  await agent.install(licenseOf(2))
  const [living, dying] = ['living', 'dying'].map(() => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    processes.add(child)
    return child
  })
  await waitFor('two processes', () => living?.pid !== undefined && dying?.pid !== undefined)
  const one = seatIn(await agent.open(randomUUID(), { process: { id: living?.pid } }))
  const two = seatIn(await agent.open(randomUUID(), { process: { id: dying?.pid } }))
  t.is((await agent.open(randomUUID())).status, 409)
  const killedAt = performance.now()
  dying?.kill('SIGKILL')
  await waitFor('the seat', async () => (await agent.sessions()).every((session) => session.id !== two.id), 10_000)
  t.true(performance.now() - killedAt < 5_000, `${Math.round(performance.now() - killedAt)} ms`)
  t.deepEqual(
    (await agent.sessions()).map((session) => session.id),
    [one.id],
  )
  const beat = await agent.ask('PUT', `/sessions/${two.id}`, {}, { 'session-key': two.key })
  t.like(beat, { status: 410, body: { reason: 'process_gone' } })
  t.is((await agent.open(randomUUID())).status, 201)
  await agent.stop()
})
