/**
 * The examples in docs/examples, as they stand, against a real agent. Between them is a relay that asks for a heartbeat every
 * second, so that nobody has to wait, and loses the first answer.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'
import { cleanUp, freshFolder, RealAgent, seatIn } from '../scenarios/real-agent.ts'

const examples = path.resolve('docs/examples')
const scratch = mkdtempSync(path.join(tmpdir(), 'leasehold-examples-'))
const program = path.join(scratch, 'seat')
const children = new Set<ChildProcess>()
const relays = new Set<Server>()
const hint = 'the examples need bash, curl, python3, gcc and libcurl: sudo scripts/install-test-tools.sh'

test.after.always(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const relay of relays) relay.close()
  await cleanUp()
  await rm(scratch, { recursive: true, force: true })
})

function works(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Relayed {
  readonly method: string
  readonly id: string
  readonly body: string
}

/** Passes calls on to the agent; `lose` says whose answer does not come back. */
class Relay {
  readonly seen: Relayed[] = []
  lose = (_: Relayed): boolean => false
  readonly #agent: RealAgent
  readonly #server = createServer((incoming, response) => void this.#pass(incoming, response))

  constructor(agent: RealAgent) {
    this.#agent = agent
    relays.add(this.#server)
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  count(method: string): number {
    return this.seen.filter((one) => one.method === method).length
  }

  async #pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming
    const body = await text(incoming)
    const own = url.split('/').at(-1) ?? ''
    const seen = { method, id: String(headers['idempotency-key'] ?? own), body }
    this.seen.push(seen)
    const onward = request(
      { port: this.#agent.port, host: '127.0.0.1', method, path: url, headers },
      async (answer) => {
        const content = (await text(answer)).replace(/"renewIn":\d+/, '"renewIn":1')
        const type = answer.headers['content-type']
        if (this.lose(seen)) response.destroy()
        else
          response.writeHead(answer.statusCode ?? 500, type === undefined ? {} : { 'content-type': type }).end(content)
      },
    )
    onward.end(body)
  }
}

/** Runs an example to its end. */
async function run(command: readonly string[], product: string, seconds: number, port: number) {
  const [name = '', ...args] = [...command, product, String(seconds)]
  const env = {
    PATH: process.env.PATH,
    HOME: scratch,
    LEASEHOLD_NETWORK_PORT: String(port),
    http_proxy: 'http://127.0.0.1:9',
  }
  const child = spawn(name, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  children.delete(child)
  return { out, errors, code, pid: child.pid }
}

let starting: Promise<RealAgent> | undefined

/** One agent for all, with a seat of a product for each. */
function sharedAgent(): Promise<RealAgent> {
  const start = async (): Promise<RealAgent> => {
    const agent = await RealAgent.start(await freshFolder())
    const products = ['curl', 'python', 'c'].map((name) => ({ name, seats: 1 }))
    await agent.install(blockOf(new TestVendor('acme').license({ products }, Date.UTC(2026, 0, 1))))
    return agent
  }
  starting ??= start()
  return starting
}

function checkExample(name: string, available: boolean, command: readonly string[]): void {
  testNeeding(available, hint)(
    `the example for ${name} opens, keeps and gives back one seat, and says why when there is none or it is lost`,
    async (t) => {
      const agent = await sharedAgent()
      const product = `acme/${name}`
      const relay = await new Relay(agent).start()
      const isOurs = (one: Readonly<Record<string, unknown>>) => one.product === product
      relay.lose = ({ method }) => method === 'POST' && relay.count('POST') === 1
      const holder = seatIn(await agent.open(randomUUID(), { product }))
      const second = await run(command, product, 3, agent.port)
      t.is(second.code, 1, second.errors)
      t.regex(second.errors, new RegExp(`No seat: 1 of 1 seats of ${product} are in use\\. \\(no_seats\\)`))
      t.is(second.out, '')
      await agent.ask('DELETE', `/sessions/${holder.id}`, undefined, { 'session-key': holder.key })

      const first = await run(command, product, 3, relay.port)
      t.is(first.code, 0, first.errors)
      t.regex(first.out, new RegExp(`^A seat of ${product} for 600 s\\.\n(Kept for 600 s\\.\n){1,2}Given back\\.\n$`))
      const asked = relay.seen.filter(({ method }) => method === 'POST')
      t.is(asked.length, 2, 'the answer that was lost was asked for again')
      t.is(asked[0]?.id, asked[1]?.id)
      t.like(JSON.parse(asked[0]?.body ?? ''), { process: { id: first.pid } }, 'so that a crash frees the seat')
      t.is(relay.count('DELETE'), 1)
      t.deepEqual((await agent.sessions()).filter(isOurs), [])

      const losing = run(command, product, 30, relay.port)
      const { id } = await waitFor('a seat', async () => (await agent.sessions()).find(isOurs))
      await agent.ask('POST', `/sessions/${id}/disconnect`, { freeNow: true })
      const lost = await losing
      t.is(lost.code, 3, lost.errors)
      t.regex(lost.errors, /The seat is lost: An administrator disconnected it\. \(session_ended\)/)
    },
  )
}

const hasCurl = works('bash', '--version') && works('curl', '--version')
checkExample('curl', hasCurl, [path.join(examples, 'seat.sh')])
checkExample('python', works('python3', '--version'), ['python3', path.join(examples, 'seat.py')])
checkExample(
  'c',
  works('gcc', '-Wall', '-Wextra', '-Werror', '-O1', '-o', program, path.join(examples, 'seat.c'), '-lcurl'),
  [program],
)

testNeeding(hasCurl, hint)('an example where no agent is says so', async (t) => {
  const ended = await run([path.join(examples, 'seat.sh')], 'acme/cad', 1, 1)
  t.is(ended.code, 1)
  t.regex(ended.errors, /No Leasehold agent answers at http:\/\/127\.0\.0\.1:1\/api\/v1\/sessions/)
})

test('what the tests do not run says so at its beginning', (t) => {
  for (const name of ['seat.cs', 'seat.ps1'])
    t.regex(readFileSync(path.join(examples, name), 'utf8').slice(0, 500), /NOT RUN: .* not run by the tests/)
})
