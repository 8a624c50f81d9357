/**
 * What a route is: one entry of the table that serves Koa, the hot path and the interface description. Handlers are plain
 * functions from a checked call to a reply or a refusal and know nothing of any framework.
 * Must not import owners.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { type ErrorCode, type Refusal, refuse } from '../errors.ts'
import type { Caller } from '../peers/peer-door.ts'
import { describeIssue, refuseFields } from './fields.ts'
import type { Authority, Guard } from './guards.ts'
import { isRefusal } from './problem.ts'
import type { Reply } from './reply.ts'
import type { Channel } from './request-view.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Call<Params = unknown, Query = unknown, Content = unknown> {
  readonly params: Params
  readonly query: Query
  readonly body: Content
  readonly headers: IncomingHttpHeaders
  /** Of the sender, as people know it. */
  readonly address: string
  readonly authority: Authority
  /** How the request came in. */
  readonly channel: Channel
  /** The verified agent that asks; only in calls of guard `peer`. */
  readonly peer?: Caller
  /** Aborts when the sender closes the connection before it has its answer; made when first asked for. */
  readonly closed: () => AbortSignal
}

export interface Answer {
  readonly description: string
  readonly schema?: z.ZodType
  /** Media types, application/json when left out. */
  readonly types?: readonly string[]
  /** Headers of the answer, by name, with what they mean. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A header that the call takes. */
export interface RequestHeader {
  readonly description: string
  readonly required: boolean
  readonly schema?: z.ZodType
}

/** One call as it could be, for people to copy; a test holds it against the schemas. */
export interface CallExample<Params = unknown, Query = unknown, Content = unknown> {
  readonly params?: Params
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Content
  /** JSON of each answer by its status; undefined where there is none. */
  readonly answers: Readonly<Record<number, unknown>>
  /** Answers that are not JSON, by their media type. */
  readonly texts?: Readonly<Record<string, string>>
}

export interface Route {
  readonly method: Method
  /** As in OpenAPI: `/api/v1/sessions/{id}`. */
  readonly path: string
  readonly guard: Guard
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** Most bytes of a body. */
  readonly bodyLimit: number
  /** Headers that the call takes, by name, with what they mean. */
  readonly headers: Readonly<Record<string, RequestHeader>>
  /** Name of the call in generated clients; stays as it is for good. */
  readonly operation: string
  readonly summary: string
  /** For people who have never seen the product; Markdown. */
  readonly description?: string
  readonly example: CallExample
  readonly answers: Readonly<Record<number, Answer>>
  readonly errors: readonly ErrorCode[]
  /** Checks the call by the schemas, then handles it. */
  handle(call: Call): Promise<Reply | Refusal> | Reply | Refusal
}

export const smallBody = 64 * 1024
/** Room for a document of 256 KB as a JSON string. */
export const documentBody = 288 * 1024

interface RouteDefinition<Params extends z.ZodType, Query extends z.ZodType, Content extends z.ZodType> {
  readonly method: Method
  readonly path: string
  readonly guard: Guard
  readonly params?: Params
  readonly query?: Query
  readonly body?: Content
  /** For the hot path: takes bodies of the usual form without the schema, as the schema would; `undefined` for all others. */
  readonly usualBody?: (value: unknown) => z.output<Content> | undefined
  readonly bodyLimit?: number
  readonly headers?: Route['headers']
  readonly operation: string
  readonly summary: string
  readonly description?: string
  readonly example: CallExample<z.input<Params>, z.input<Query>, z.input<Content>>
  readonly answers: Route['answers']
  readonly errors?: readonly ErrorCode[]
  readonly handle: (
    call: Call<z.output<Params>, z.output<Query>, z.output<Content>>,
  ) => Promise<Reply | Refusal> | Reply | Refusal
}

const none = z.strictObject({})

export function defineRoute<
  Params extends z.ZodType = typeof none,
  Query extends z.ZodType = typeof none,
  Content extends z.ZodType = typeof none,
>(definition: RouteDefinition<Params, Query, Content>): Route {
  const {
    params,
    query,
    body,
    usualBody,
    bodyLimit = smallBody,
    headers = {},
    errors = [],
    handle,
    ...rest
  } = definition
  return {
    ...rest,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
    bodyLimit,
    headers,
    errors,
    handle(call) {
      const checkedParams = checkParams(params, call.params)
      if (isRefusal(checkedParams)) return checkedParams
      const checkedQuery = check(query ?? none, call.query)
      if (isRefusal(checkedQuery)) return checkedQuery
      // No body at all stands for an empty one, so that a call with nothing but optional fields needs none.
      const given = call.body === undefined ? {} : call.body
      const checkedBody = usualBody?.(given) ?? check(body ?? none, given)
      if (isRefusal(checkedBody)) return checkedBody
      return handle({
        params: checkedParams as z.output<Params>,
        query: checkedQuery as z.output<Query>,
        body: checkedBody as z.output<Content>,
        headers: call.headers,
        address: call.address,
        authority: call.authority,
        channel: call.channel,
        ...(call.peer === undefined ? {} : { peer: call.peer }),
        closed: call.closed,
      })
    },
  }
}

function check(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  // Only now with words for what is wrong: asking for them makes every parse slower.
  const told = schema.safeParse(value, { error: describeIssue })
  return refuseFields(told.success ? result.error : told.error)
}

/** An address whose variable parts have the wrong form leads nowhere. */
function checkParams(schema: z.ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return value
  const result = schema.safeParse(value)
  return result.success ? result.data : refuse('not_found', 'The address has a part that can not be an id.')
}
