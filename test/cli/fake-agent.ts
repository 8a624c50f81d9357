/**
 * A small agent for the tests of the command line. It gives out seats, answers the rest as it is told, and holds both sides
 * to the interface: what the command sends must pass the schemas of the routes, and so must what is answered here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ErrorCode, errorTable } from '../../agent/errors.ts'
import { problem } from '../../agent/http/api/shapes.ts'
import type { Route } from '../../agent/http/route.ts'
import { type ApiParts, buildInterface } from '../../agent/http/routes.ts'

export interface Asked {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export type Said =
  | { readonly status: number; readonly value?: unknown; readonly lines?: string; readonly html?: string }
  /** The connection is closed without a word; `done` first does what was asked. */
  | 'drop'
  /** Nothing is ever said. */
  | 'hang'

type Handler = (asked: Asked) => Said | Promise<Said>

interface FakeSession {
  readonly id: string
  readonly key: string
  readonly body: Record<string, unknown>
  ended?: string
}

/** The handlers are never called, so they need no owners. */
const routes: readonly Route[] = buildInterface({ signIn: {}, managers: {} } as ApiParts).routes

export class FakeAgent {
  readonly asked: Asked[] = []
  /** What did not fit the interface. */
  readonly faults: string[] = []
  readonly sessions = new Map<string, FakeSession>()
  seats = 1
  expiresIn = 600
  renewIn = 200
  readonly #handlers = new Map<string, Handler>()
  #server: Server
  #port = 0

  constructor() {
    this.#server = this.#make()
  }

  static async start(): Promise<FakeAgent> {
    const agent = new FakeAgent()
    await agent.listen()
    return agent
  }

  get port(): number {
    return this.#port
  }

  /** Again on the same port after `stop`. */
  async listen(): Promise<void> {
    if (!this.#server.listening) this.#server = this.#make()
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  checkFaults(): void {
    if (this.faults.length > 0) throw new Error(this.faults.join('\n'))
  }

  /** Answers calls of this method and path (without the query) from now on. */
  on(call: string, handler: Handler | Said): void {
    this.#handlers.set(call, typeof handler === 'function' ? handler : () => handler)
  }

  off(call: string): void {
    this.#handlers.delete(call)
  }

  get live(): readonly FakeSession[] {
    return [...this.sessions.values()].filter((session) => session.ended === undefined)
  }

  /** The calls of this method and path. */
  calls(call: string): readonly Asked[] {
    return this.asked.filter(({ method, url }) => `${method} ${url.split('?')[0]}` === call)
  }

  endAll(reason: string): void {
    for (const session of this.sessions.values()) session.ended ??= reason
  }

  open(asked: Asked): Said {
    const id = String(asked.headers['idempotency-key'] ?? '')
    const body = asked.body as Record<string, unknown>
    const known = this.sessions.get(id)
    if (known?.ended !== undefined) return refusal('session_ended', 'The seat was given back.', { reason: known.ended })
    if (known === undefined && this.live.length >= this.seats)
      return refusal('no_seats', `${this.live.length} of ${this.seats} seats of acme/cad are in use.`, { retryIn: 30 })
    const session = known ?? { id, key: `key-of-${id}`, body }
    this.sessions.set(id, session)
    return { status: known === undefined ? 201 : 200, value: { ...this.#kept(session), key: session.key } }
  }

  #kept({ id, body }: FakeSession): object {
    const product = String(body.product)
    return {
      id,
      product: product.includes('/') ? product : `acme/${product}`,
      ...(body.feature === undefined ? {} : { feature: body.feature }),
      seats: body.seats ?? 1,
      state: 'active',
      source: { kind: 'license', manager: { id: 'agent-1', name: 'ws-17' } },
      startedAt: '2027-01-04T08:00:00.000Z',
      expiresAt: '2027-01-04T08:10:00.000Z',
      expiresIn: this.expiresIn,
      renewIn: this.renewIn,
    }
  }

  #member(asked: Asked): Said {
    const session = this.sessions.get(asked.url.split('/').at(-1) ?? '')
    if (session === undefined) return refusal('unknown_session', 'There is no such session here.')
    if (asked.headers['session-key'] !== session.key) return refusal('wrong_key', 'The key is another one.')
    if (asked.method === 'DELETE') {
      session.ended ??= 'released'
      return { status: 204 }
    }
    if (session.ended !== undefined)
      return refusal('session_ended', 'An administrator disconnected it.', { reason: session.ended })
    return { status: 200, value: this.#kept(session) }
  }

  #make(): Server {
    return createServer((request, response) => void this.#answer(request, response))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const content = await text(request)
    const asked: Asked = { method, url, headers, body: content === '' ? undefined : JSON.parse(content) }
    this.asked.push(asked)
    const route = this.#checkCall(asked)
    const path = url.split('?')[0]
    const handler = this.#handlers.get(`${method} ${path}`)
    const said = handler !== undefined ? await handler(asked) : this.#usual(asked, path ?? '')
    if (said === 'hang') return
    if (said === 'drop') {
      response.destroy()
      return
    }
    this.#checkAnswer(route, said)
    const type = said.status >= 400 ? 'application/problem+json' : 'application/json'
    if (said.html !== undefined) response.writeHead(said.status, { 'content-type': 'text/html' }).end(said.html)
    else if (said.lines !== undefined)
      response.writeHead(said.status, { 'content-type': 'application/x-ndjson' }).end(said.lines)
    else if (said.value === undefined) response.writeHead(said.status).end()
    else response.writeHead(said.status, { 'content-type': type }).end(JSON.stringify(said.value))
  }

  #usual(asked: Asked, path: string): Said {
    if (asked.method === 'POST' && path === '/api/v1/sessions') return this.open(asked)
    if (/^\/api\/v1\/sessions\/[^/]+$/.test(path) && asked.method !== 'GET') return this.#member(asked)
    return refusal('not_found', 'There is nothing at this address.')
  }

  #checkCall({ method, url, body, headers }: Asked): Route | undefined {
    const [path = '', search = ''] = url.split('?')
    const route = routes.find((one) => one.method === method && matches(one.path, path))
    if (route === undefined) {
      this.faults.push(`there is no ${method} ${path}`)
      return undefined
    }
    const query = Object.fromEntries(new URLSearchParams(search))
    for (const [what, schema, value] of [
      ['query', route.query, query],
      ['body', route.body, body ?? {}],
    ] as const) {
      const checked = schema?.safeParse(value)
      if (checked?.success === false) this.faults.push(`${method} ${path}, ${what}: ${checked.error.message}`)
    }
    for (const [name, { required }] of Object.entries(route.headers))
      if (required && headers[name.toLowerCase()] === undefined) this.faults.push(`${method} ${path} lacks ${name}`)
    if (body !== undefined && headers['content-type'] !== 'application/json')
      this.faults.push(`${method} ${path} has the type ${headers['content-type']}`)
    return route
  }

  #checkAnswer(route: Route | undefined, said: Exclude<Said, string>): void {
    if (route === undefined || said.html !== undefined || said.lines !== undefined) return
    const answer = route.answers[said.status]
    const schema = said.status >= 400 ? problem : answer?.schema
    if (answer === undefined && said.status < 400) this.faults.push(`${route.path} is never answered ${said.status}`)
    const checked = schema?.safeParse(said.value)
    if (checked?.success === false) this.faults.push(`answer of ${route.path}: ${checked.error.message}`)
  }
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith('{') || part === given[at])
}

export function refusal(code: ErrorCode, detail: string, facts: object = {}): Said {
  const { status, title, help } = errorTable[code]
  const type = `urn:leasehold:problem:${code}`
  return { status, value: { type, title, status, code, detail, help, requestId: 'request-1', ...facts } }
}
