/**
 * Takes one request through its route: guard, content type, body, schemas, handler, reply. The hot path and Koa both end here,
 * so they can't answer differently.
 * Must not import owners.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
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
  /** Asked for once at most, when the request goes wrong. */
  readonly requestId: () => string
}

/** `undefined`: the sender is gone. */
export async function perform(
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
  view: RequestView,
  asked: Asked,
  { access, log }: Surroundings,
): Promise<Reply | undefined> {
  try {
    const authority = checkGuard(route.guard, view, access)
    if (typeof authority !== 'string') return problemReply(authority, asked.requestId())
    let content: unknown
    if (route.method !== 'GET') {
      const type = checkJsonType(view)
      if (type !== undefined) return problemReply(type, asked.requestId())
      // Without a length and without pieces there is no body, and nothing to wait for.
      if (hasBody(view)) {
        const body = await readBody(incoming, route.bodyLimit)
        if (body.kind === 'gone') return undefined
        if (body.kind === 'refused') return problemReply(body, asked.requestId())
        if (body.bytes.length > 0) {
          const parsed = parseJson(body.bytes)
          if (parsed.kind === 'refused') return problemReply(parsed, asked.requestId())
          content = parsed.value
        }
      }
    }
    const call: Call = {
      params: asked.params,
      query: asked.search === '' ? noQuery : readQuery(asked.search),
      body: content,
      headers: view.headers,
      address: plainAddress(view.remoteAddress),
      authority,
      channel: view.channel,
      closed: () => signalClose(response),
    }
    const outcome = await route.handle(call)
    return isRefusal(outcome) ? problemReply(outcome, asked.requestId()) : outcome
  } catch (error) {
    const requestId = asked.requestId()
    if (isUnexpected(error)) log.error('request failed', { error, requestId, route: `${route.method} ${route.path}` })
    return problemReply(failureOf(error), requestId)
  }
}

const noQuery: Readonly<Record<string, unknown>> = Object.freeze({})

function hasBody({ headers }: RequestView): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** A name that comes twice becomes a list, which no schema takes. */
export function readQuery(search: string): Record<string, unknown> {
  const query = Object.create(null) as Record<string, unknown>
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name]
    query[name] = before === undefined ? value : [before, value].flat()
  }
  return query
}

/** Listens to the response, which goes with the request; the socket stays and would gather listeners. */
export function signalClose(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  if (response.closed || response.destroyed) controller.abort()
  else
    response.once('close', () => {
      if (!response.writableFinished) controller.abort()
    })
  return controller.signal
}
