/**
 * Takes one request through its route: guard, content type, body, schemas, handler, reply. The hot path and Koa both end here,
 * so they can't answer differently.
 * Must not import owners.
 */
import type { IncomingMessage } from 'node:http'
import type { Refusal } from '../errors.ts'
import type { Log } from '../log.ts'
import { readBody } from './body.ts'
import { type Access, checkGuard, checkJsonType } from './guards.ts'
import { parseJson } from './json.ts'
import { failureOf, isRefusal, isUnexpected, problemReply } from './problem.ts'
import type { Reply } from './reply.ts'
import { plainAddress, type RequestView } from './request-view.ts'
import type { Call, Route } from './route.ts'

export interface Surroundings {
  readonly access: Access
  readonly log: Pick<Log, 'error'>
}

export interface Asked {
  readonly params: Readonly<Record<string, string>>
  /** What stands behind the `?`, or nothing. */
  readonly search: string
  readonly requestId: string
}

/** `undefined`: the sender is gone. */
export async function perform(
  route: Route,
  incoming: IncomingMessage,
  view: RequestView,
  asked: Asked,
  { access, log }: Surroundings,
): Promise<Reply | undefined> {
  try {
    const authority = checkGuard(route.guard, view, access)
    if (typeof authority !== 'string') return problemReply(authority, asked.requestId)
    const body = route.method === 'GET' ? undefined : await readJson(incoming, view, route.bodyLimit)
    if (body === 'gone') return undefined
    if (isRefusal(body)) return problemReply(body, asked.requestId)
    const call: Call = {
      params: asked.params,
      query: asked.search === '' ? noQuery : readQuery(asked.search),
      body: body?.value,
      headers: view.headers,
      address: plainAddress(view.remoteAddress),
      authority,
      closed: () => signalClose(incoming),
    }
    const outcome = await route.handle(call)
    return isRefusal(outcome) ? problemReply(outcome, asked.requestId) : outcome
  } catch (error) {
    if (isUnexpected(error))
      log.error('request failed', { error, requestId: asked.requestId, route: `${route.method} ${route.path}` })
    return problemReply(failureOf(error), asked.requestId)
  }
}

const noQuery: Readonly<Record<string, unknown>> = Object.freeze({})

async function readJson(
  incoming: IncomingMessage,
  view: RequestView,
  limit: number,
): Promise<{ readonly value: unknown } | Refusal | 'gone'> {
  const type = checkJsonType(view)
  if (type !== undefined) return type
  const body = await readBody(incoming, limit)
  if (body.kind === 'gone') return 'gone'
  if (body.kind === 'refused') return body
  return body.bytes.length === 0 ? { value: undefined } : parseJson(body.bytes)
}

/** A name that comes twice becomes a list, which no schema takes. */
function readQuery(search: string): Record<string, unknown> {
  const query = Object.create(null) as Record<string, unknown>
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name]
    query[name] = before === undefined ? value : [before, value].flat()
  }
  return query
}

function signalClose(incoming: IncomingMessage): AbortSignal {
  const controller = new AbortController()
  if (incoming.socket.destroyed) controller.abort()
  else incoming.socket.once('close', () => controller.abort())
  return controller.signal
}
