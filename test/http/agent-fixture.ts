/** An agent's HTTP side on a real port, with parts in memory: what the tests of this folder talk to. */
import { randomBytes } from 'node:crypto'
import type { Middleware } from 'koa'
import { refuse } from '../../agent/errors.ts'
import { Events } from '../../agent/events.ts'
import { type AccessParts, CookieAccess } from '../../agent/http/access.ts'
import { EventStreams } from '../../agent/http/api/events.ts'
import type { Serving } from '../../agent/http/api/serving.ts'
import type { SessionsParts } from '../../agent/http/api/sessions.ts'
import type { KeptSession, Session } from '../../agent/http/api/shapes.ts'
import { type AppParts, createApp, createRequestListener } from '../../agent/http/app.ts'
import type { Limits } from '../../agent/http/http-server.ts'
import { Listener } from '../../agent/http/listener.ts'
import { type ApiParts, buildInterface } from '../../agent/http/routes.ts'
import type { ListenerParts } from '../../agent/http/servers.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const manager = { id: 'agent-1', name: 'WS-17' }

export const keptSession: KeptSession = {
  id: 's-1',
  product: 'acme/cad',
  seats: 1,
  state: 'active',
  source: { kind: 'license', manager },
  startedAt: '2027-01-04T08:00:00.000Z',
  expiresAt: '2027-01-04T08:10:00.000Z',
  expiresIn: 600,
  renewIn: 200,
}
const openServing: Serving = {
  state: 'open',
  handingOut: true,
  running: true,
  access: 'none',
  agents: 0,
  users: 0,
  sessions: 0,
  seats: 0,
  ending: 0,
}
export const sessionKey = 'k'.repeat(22)

export const listedSession: Session = {
  ...keptSessionFacts(),
  user: { account: 'ana' },
  address: '127.0.0.1',
  actions: ['disconnect'],
}

function keptSessionFacts() {
  const { renewIn: _, ...facts } = keptSession
  return facts
}

/** Gives a seat of `acme/cad`, and refuses the rest. */
export const sessions: SessionsParts = {
  async open(request) {
    if (request.product !== 'acme/cad') return refuse('unknown_product', `There is no product ${request.product}.`)
    if (request.seats > 5) return refuse('no_seats', 'All 5 seats are in use.', { retryIn: 30 })
    return {
      kind: 'opened',
      created: request.idempotencyKey.startsWith('new'),
      session: { ...keptSession, key: sessionKey },
    }
  },
  async heartbeat(id, key) {
    if (id !== 's-1') return refuse('unknown_session', 'There is no such session.')
    if (key !== sessionKey) return refuse('wrong_key', 'That is another key.')
    return { kind: 'kept', session: keptSession }
  },
  async close(id, key) {
    if (id === 'broken') throw new Error('secret of the inside')
    return key === sessionKey ? { kind: 'closed' } : refuse('wrong_key', 'That is another key.')
  },
  list: () => ({ items: [listedSession], total: 1 }),
  get: (id) => (id === 's-1' ? listedSession : undefined),
  disconnect: async (id, { freeNow }) =>
    id === 's-1'
      ? { kind: 'disconnected', outcome: { ended: freeNow ? 'ending' : 'confirmed', freeAt: keptSession.expiresAt } }
      : refuse('unknown_session', 'There is no such session.'),
}

export interface Logged {
  readonly event: string
  readonly facts: Readonly<Record<string, unknown>> | undefined
}

export interface FixtureOptions {
  /** false: everything goes through Koa, the calls of the hot path too. */
  readonly hotPath?: boolean
  readonly api?: Partial<ApiParts>
  readonly access?: Partial<AccessParts>
  readonly limits?: Partial<Limits>
  readonly listening?: Pick<ListenerParts, 'certificate' | 'redirect'>
  readonly app?: Partial<Pick<AppParts, 'renderProblem' | 'publicFolder' | 'outside'>> & { readonly pages?: Middleware }
}

export interface AgentFixture {
  readonly port: number
  readonly url: string
  readonly log: readonly Logged[]
  readonly clock: ManualClock
  readonly events: Events
  readonly access: CookieAccess
  readonly streams: EventStreams
  readonly listener: Listener
  stop(): Promise<void>
}

export function inMemoryApi(access: CookieAccess, streams: EventStreams): ApiParts {
  const none = () => ({ items: [], total: 0 })
  const never = async () => refuse('not_found', 'not part of this test')
  return {
    sessions,
    queue: { list: none },
    refusals: { list: none },
    computers: { list: none, disconnect: never },
    serving: { view: () => openServing, change: async () => ({ kind: 'changed' }) },
    licenses: {
      list: none,
      get: () => undefined,
      add: never,
      remove: never,
      requestActivation: never,
      deactivate: never,
      addSample: never,
    },
    documents: { process: never },
    products: {
      products: none,
      features: none,
      mode: () => ({ mode: 'both', manager: '' }),
      changeMode: never,
      recount: never,
    },
    detachments: {
      refuse: () => undefined,
      list: none,
      get: () => undefined,
      block: never,
      detachable: none,
      plan: never,
      detach: never,
      extend: never,
      giveBack: never,
      declareLost: never,
      makeReceipt: never,
      recipient: () => ({
        recipient: '',
        id: 'agent',
        name: 'machine',
        fingerprint: '',
        time: '2027-01-01T00:00:00.000Z',
        zone: 'UTC',
      }),
    },
    clock: {
      read: () => ({ time: '2027-01-01T00:00:00.000Z', date: '2027-01-01T00:00:00.000Z', zone: 'UTC' }),
      confirm: async () => undefined,
    },
    managers: {
      list: none,
      approve: never,
      forget: never,
      test: never,
      search: () => ({
        id: 's-1',
        state: 'running',
        startedAt: '2027-01-01T00:00:00.000Z',
        tried: 0,
        found: 0,
        steps: [],
        notes: [],
      }),
      lastSearch: () => undefined,
    },
    reserves: { list: none, get: () => undefined, put: never, remove: never },
    sites: {
      list: none,
      get: () => undefined,
      define: never,
      remove: never,
      renewToken: never,
      isToken: () => false,
      recycle: never,
      start: never,
      stop: never,
      signIn: never,
      signOut: never,
      noteActivity: never,
    },
    health: {
      health: () => ({ state: 'ok', problems: [] }),
      ready: () => true,
      status: () => ({
        pid: 1,
        port: 1947,
        dataFolder: '/data',
        startedAt: '2027-01-01T00:00:00.000Z',
        version: '0.0.0',
        agent: { id: 'agent', name: 'machine' },
        sessions: 0,
      }),
      version: () => ({ program: 'leasehold', version: '0.1.0', agent: manager, node: '20.0.0', platform: 'test' }),
    },
    streams,
    configuration: {
      describe: () => [],
      change: async () => ({ kind: 'changed' }),
      validate: () => ({ kind: 'valid' }),
      import: never,
      schema: () => ({ type: 'object' }),
    },
    journal: {
      list: async () => none(),
      lines: async function* () {},
      verify: () => Promise.resolve({ kind: 'good' as const, entries: 0, head: '' }),
    },
    rules: { check: never },
    recentClients: { list: none },
    proxy: { test: never },
    signIn: {
      access,
      administrator: { signIn: never, signOut: async () => undefined, changePassword: never },
    },
  }
}

export async function startAgent(options: FixtureOptions = {}): Promise<AgentFixture> {
  const clock = new ManualClock()
  const log: Logged[] = []
  const note = (event: string, facts?: Logged['facts']) => {
    log.push({ event, facts })
  }
  const access = new CookieAccess({
    administrator: { hasPassword: () => false, isSignedIn: () => false },
    agentId: manager.id,
    cliKey: () => undefined,
    protection: () => 'configuration',
    ...options.access,
  })
  const events = new Events('start-1', 4)
  const streams = new EventStreams(events, clock)
  const { routes } = buildInterface({ ...inMemoryApi(access, streams), ...options.api })
  let count = 0
  const prefix = randomBytes(3).toString('hex')
  const newRequestId = () => `${prefix}-${++count}`
  const surroundings = { access, log: { error: note }, newRequestId, routes, ...options.app }
  const listener = new Listener({
    handler: options.hotPath === false ? createApp(surroundings) : createRequestListener(surroundings),
    // Stopping is watched with real timers where a test looks at it; here nothing waits.
    timers: clock,
    log: { info: note, warn: note },
    newRequestId,
    ...options.listening,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  const started = await listener.start(0)
  if (started.kind !== 'listening') throw new Error(`the fixture can not listen: ${started.kind}`)
  return {
    port: started.port,
    url: `http://localhost:${started.port}`,
    log,
    clock,
    events,
    access,
    streams,
    listener,
    async stop() {
      const stopped = listener.stop(0)
      clock.advance(100)
      await stopped
    },
  }
}
