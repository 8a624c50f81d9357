/**
 * Calls of the interface to an agent whose parts are in memory, with the answers read as JSON. Each answer is held against the
 * route table: its status, its shape, its code.
 */
import { errorTable } from '../../../agent/errors.ts'
import { Events } from '../../../agent/events.ts'
import { CookieAccess } from '../../../agent/http/access.ts'
import { EventStreams } from '../../../agent/http/api/events.ts'
import { problem } from '../../../agent/http/api/shapes.ts'
import { errorsOf } from '../../../agent/http/openapi-errors.ts'
import { type ApiParts, buildInterface } from '../../../agent/http/routes.ts'
import { ManualClock } from '../../helpers/manual-clock.ts'
import { type AgentFixture, inMemoryApi, startAgent } from '../agent-fixture.ts'

/** Of an agent without a password. */
export const openAccess = new CookieAccess({
  administrator: { hasPassword: () => false, isSignedIn: () => false },
  agentId: 'agent-1',
  cliKey: () => undefined,
  protection: () => 'none',
})

/** Parts to build on. */
export function makeParts(): ApiParts {
  return inMemoryApi(openAccess, new EventStreams(new Events('start-1'), new ManualClock()))
}

export async function withAgent<T>(
  options: Parameters<typeof startAgent>[0],
  use: (agent: AgentFixture) => Promise<T>,
): Promise<T> {
  const agent = await startAgent(options)
  try {
    return await use(agent)
  } finally {
    await agent.stop()
  }
}

export interface Told {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

const { routes } = buildInterface(makeParts())

/** Throws when a route answers what it is not described with. */
function checkAnswer(method: string, address: string, { status, body }: Told): void {
  const [path = ''] = address.split('?')
  const route = routes.find(
    (one) => one.method === method && new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  )
  if (route === undefined) return
  const answer = route.answers[status]
  if (answer !== undefined) answer.schema?.parse(body)
  else if (!errorsOf(route).some((code) => code === problem.parse(body).code && errorTable[code].status === status))
    throw new Error(`${route.operation} is not described with ${status} ${JSON.stringify(body)}`)
}

export async function call(
  agent: AgentFixture,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Told> {
  const answer = await fetch(agent.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const told = { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers }
  checkAnswer(method, path, told)
  return told
}
