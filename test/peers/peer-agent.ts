/**
 * Agents that speak to each other on real ports, with their records in memory and time that tests move: the transport as an
 * agent has it, without seats.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { type SigningKey, signingKey } from '../../agent/domain/documents/keys.ts'
import { Events } from '../../agent/events.ts'
import { Health } from '../../agent/health.ts'
import { CookieAccess } from '../../agent/http/access.ts'
import { EventStreams } from '../../agent/http/api/events.ts'
import { createRequestListener } from '../../agent/http/app.ts'
import type { Limits } from '../../agent/http/http-server.ts'
import { Listener } from '../../agent/http/listener.ts'
import { helloRoutes } from '../../agent/http/peer-api/hello.ts'
import { peersRoutes } from '../../agent/http/peer-api/peers.ts'
import { ok } from '../../agent/http/reply.ts'
import { type Call, defineRoute, type Route } from '../../agent/http/route.ts'
import { buildInterface } from '../../agent/http/routes.ts'
import { Certificates } from '../../agent/peers/certificate.ts'
import { Introduction } from '../../agent/peers/introduction.ts'
import type { Unreachable } from '../../agent/peers/manager-link.ts'
import { PeerBook } from '../../agent/peers/peer-book.ts'
import type { PeerAddress, PeerAnswer } from '../../agent/peers/peer-call.ts'
import { PeerClient } from '../../agent/peers/peer-client.ts'
import { type Connect, connectDirectly } from '../../agent/peers/peer-connection.ts'
import { PeerDoor } from '../../agent/peers/peer-door.ts'
import type { Hello } from '../../agent/peers/wire.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { inMemoryApi } from '../http/agent-fixture.ts'

export interface PeerAgentOptions {
  readonly name?: string
  readonly key?: SigningKey
  readonly clock?: ManualClock
  readonly writes?: ManualWrites
  readonly startId?: string
  readonly approvals?: boolean
  readonly connect?: Connect
  readonly limits?: Partial<Limits>
  readonly port?: number
  /** Changes what the agent says in `hello`. */
  readonly hello?: (hello: Hello) => Hello
  readonly certificate?: { readonly certificate: string; readonly key: string }
  /** Routes between agents besides those that every one has. */
  readonly routes?: readonly Route[]
}

export function makeKey(): SigningKey {
  return signingKey(generateKeyPairSync('ed25519').privateKey)
}

export function randomId(): string {
  return randomBytes(16).toString('base64url')
}

export class PeerAgent {
  readonly name: string
  readonly key: SigningKey
  readonly clock: ManualClock
  readonly writes: ManualWrites
  readonly health: Health
  readonly book: PeerBook
  readonly door: PeerDoor
  readonly client: PeerClient
  readonly certificates: Certificates
  readonly listener: Listener
  readonly calls: Call[] = []
  /** Of its machine: those in its certificate. */
  readonly names = [os.hostname()]
  readonly startId: string
  approvals: boolean
  startCounter = 1
  revision = 7
  port = 0
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-peer-'))
  #ends: (() => void)[] = []
  #isStopped = false

  private constructor(options: PeerAgentOptions) {
    this.name = options.name ?? `WS-${randomId().slice(0, 6)}`
    this.key = options.key ?? makeKey()
    this.clock = options.clock ?? new ManualClock()
    this.writes = options.writes ?? new ManualWrites()
    this.startId = options.startId ?? randomId()
    this.approvals = options.approvals ?? false
    this.health = new Health(this.clock)
    this.book = new PeerBook({
      writes: this.writes,
      clock: this.clock,
      timers: this.clock,
      asksForApproval: () => this.approvals,
      health: this.health,
      onTrouble: (error) => {
        throw error
      },
    })
    this.writes.load(this.book)
    this.certificates = new Certificates({
      clock: this.clock,
      files: { certificate: path.join(this.#folder, 'tls.crt'), key: path.join(this.#folder, 'tls.key') },
      named: () => options.certificate ?? { certificate: '', key: '' },
      names: () => this.names,
      onTrouble: () => undefined,
      onChange: (certificate) => this.listener.useCertificate(certificate),
    })
    const common = {
      agent: this.key,
      startId: this.startId,
      startCounter: () => this.startCounter,
      clock: this.clock,
      timers: this.clock,
      randomId,
      book: this.book,
      name: () => this.name,
    }
    this.door = new PeerDoor({ ...common, revision: () => this.revision })
    this.client = new PeerClient({ ...common, connect: options.connect ?? connectDirectly })
    const introduction = new Introduction({ ...common, version: '0.1.0', certificates: this.certificates })
    const change = options.hello ?? ((hello: Hello) => hello)
    const access = new CookieAccess({
      administrator: { hasPassword: () => false, isSignedIn: () => false },
      agentId: this.key.id,
      cliKey: () => undefined,
      protection: () => 'configuration',
    })
    const { routes } = buildInterface(inMemoryApi(access, new EventStreams(new Events('start', 4), this.clock)))
    const handler = createRequestListener({
      routes,
      access,
      log: { error: () => undefined },
      newRequestId: () => 'request-1',
      peers: {
        door: this.door,
        routes: [
          ...helloRoutes({ hello: async () => change(await introduction.hello()) }),
          ...peersRoutes({ peers: () => [] }),
          // First: they may have the address of one that only tests have.
          ...(options.routes ?? []),
          ...this.#testRoutes(),
        ],
      },
    })
    this.listener = new Listener({
      handler,
      timers: this.clock,
      log: { info: () => undefined, warn: () => undefined },
      newRequestId: () => 'request-1',
      certificate: () => this.certificates.get(),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    })
  }

  static async start(options: PeerAgentOptions = {}): Promise<PeerAgent> {
    const agent = new PeerAgent(options)
    const started = await agent.listener.start(options.port ?? 0)
    if (started.kind !== 'listening') throw new Error(`the test can not listen: ${started.kind}`)
    agent.port = started.port
    return agent
  }

  get id(): string {
    return this.key.id
  }

  get address(): PeerAddress {
    return { id: this.id, addresses: [`127.0.0.1:${this.port}`] }
  }

  ask(other: PeerAgent, changes: Partial<Parameters<PeerClient['call']>[1]> = {}) {
    const request = { method: 'PUT', path: '/echo/one', body: { text: 'hello' }, ...changes } as const
    return this.client.call(other.address, request, { timeout: 5000 })
  }

  /** Ends the events streams that are open here. */
  endStreams(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  /** Once; stopping again does nothing. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.client.close()
    const stopped = this.listener.stop(0)
    this.clock.advance(100)
    await stopped
    rmSync(this.#folder, { recursive: true })
  }

  #testRoutes() {
    const example = { answers: {} }
    const params = z.strictObject({ id: z.string().max(64) })
    return [
      defineRoute({
        method: 'PUT',
        path: '/peer/v1/echo/{id}',
        guard: 'peer',
        operation: 'echo',
        summary: 'Says the same',
        params,
        query: z.strictObject({ loud: z.string().optional() }),
        body: z.strictObject({ text: z.string().max(10_000) }),
        example: { params: { id: 'one' }, answers: {} },
        answers: {},
        handle: (call) => {
          this.calls.push(call)
          const { params: at, body, peer, query } = call
          return ok({ ...at, ...body, ...query, peer })
        },
      }),
      defineRoute({
        method: 'DELETE',
        path: '/peer/v1/echo/{id}',
        guard: 'peer',
        operation: 'unecho',
        summary: 'Says nothing',
        params,
        example: { params: { id: 'one' }, answers: {} },
        answers: {},
        handle: (call) => {
          this.calls.push(call)
          return { status: 204 }
        },
      }),
      defineRoute({
        method: 'GET',
        path: '/peer/v1/wait',
        guard: 'peer',
        operation: 'wait',
        summary: 'Never answers',
        example,
        answers: {},
        handle: (call) => {
          this.calls.push(call)
          return new Promise<never>((_, reject) =>
            call.closed().addEventListener('abort', () => reject(new Error('gone'))),
          )
        },
      }),
      defineRoute({
        method: 'GET',
        path: '/peer/v1/events',
        guard: 'peer',
        operation: 'events',
        summary: 'Says a few things',
        example,
        answers: {},
        handle: () => ({
          status: 200,
          content: {
            kind: 'live',
            type: 'text/event-stream',
            open: (sink) => {
              this.#ends.push(() => sink.end())
              sink.send(': ping\n\nevent: ended\ndata: {"lease":"one"}\n\nevent: policy\ndata: {}\n\n')
              return () => undefined
            },
          },
        }),
      }),
    ]
  }
}

/** Two agents that know nothing of each other yet. */
export async function withAgents(
  run: (asker: PeerAgent, manager: PeerAgent) => Promise<void>,
  options: { readonly asker?: PeerAgentOptions; readonly manager?: PeerAgentOptions } = {},
): Promise<void> {
  const asker = await PeerAgent.start({ name: 'WS-17', ...options.asker })
  const manager = await PeerAgent.start({ name: 'LICENSE-1', ...options.manager })
  try {
    await run(asker, manager)
  } finally {
    await asker.stop()
    await manager.stop()
  }
}

/** Another start of the same agent on the same port. */
export async function restart(agent: PeerAgent, options: PeerAgentOptions = {}): Promise<PeerAgent> {
  const { key, name, port } = agent
  await agent.stop()
  return await PeerAgent.start({ key, name, port, ...options })
}

/** How a call ended, in a word or two. */
export function statusOf(answer: PeerAnswer | Unreachable): string {
  return answer.kind === 'answered' ? String(answer.status) : `${answer.step}${answer.unsent ? ', unsent' : ''}`
}
