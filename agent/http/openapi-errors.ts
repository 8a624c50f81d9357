/**
 * The refusals of a call in the interface description: which codes it can answer, by status, with an example of each.
 * Must not import owners.
 */
import { type ErrorCode, errorTable } from '../errors.ts'
import type { Guard } from './guards.ts'
import type { Header, Reference, Response } from './openapi-document.ts'
import { exampleProblem } from './problem-examples.ts'
import type { Route } from './route.ts'

const everywhere = [
  'host_not_allowed',
  'proxy_refused',
  'remote_access_off',
  'internal_error',
  'malformed_request',
  'invalid_request',
] as const satisfies readonly ErrorCode[]
/** An unknown token is refused, also where none is needed. */
const ofGuard: Readonly<Record<Guard, readonly ErrorCode[]>> = {
  open: ['sign_in_needed'],
  entry: ['sign_in_needed'],
  application: ['cross_origin'],
  read: ['sign_in_needed'],
  stream: ['sign_in_needed', 'cross_origin'],
  administrator: ['sign_in_needed', 'cross_origin'],
  site: ['sign_in_needed', 'not_permitted', 'cross_origin'],
  peer: [],
  greeting: [],
}

/** Every code that the route can answer. */
export function errorsOf(route: Route): readonly ErrorCode[] {
  const codes = new Set<ErrorCode>([...route.errors, ...ofGuard[route.guard], ...everywhere])
  if (route.params !== undefined) codes.add('not_found')
  if (route.method !== 'GET')
    for (const code of ['cross_origin', 'unsupported_media_type', 'body_too_large'] as const) codes.add(code)
  return [...codes]
}

/** @param used gets every code that is referred to */
export function describeErrors(route: Route, used: Set<ErrorCode>): Record<string, Response> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of errorsOf(route)) {
    const { status } = errorTable[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
    used.add(code)
  }
  const told = [...byStatus].map(([status, codes]): [string, Response] => [
    String(status),
    {
      description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('; '),
      headers: describeErrorHeaders(status, codes),
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    },
  ])
  return Object.fromEntries(told)
}

function describeErrorHeaders(status: number, codes: readonly ErrorCode[]): Record<string, Reference> {
  const names = ['X-Request-Id']
  if (status === 401) names.push('WWW-Authenticate')
  if (codes.some((code) => exampleProblem(code).retryIn !== undefined)) names.push('Retry-After')
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

export const headerComponents: Readonly<Record<string, Header>> = {
  'X-Request-Id': { description: 'finds the request in the log of the agent', schema: { type: 'string' } },
  'WWW-Authenticate': { description: 'that a bearer token is taken', schema: { type: 'string' } },
  'Retry-After': { description: 'seconds after which it is worth asking again', schema: { type: 'integer' } },
}

/** A status that is both an answer and a refusal (503 of `ready`) has content of both kinds. */
export function mergeResponses(
  answers: Record<string, Response>,
  errors: Record<string, Response>,
): Record<string, Response> {
  const all = { ...errors, ...answers }
  for (const [status, answer] of Object.entries(answers)) {
    const error = errors[status]
    if (error === undefined) continue
    all[status] = {
      description: `${answer.description}; or ${error.description}`,
      headers: { ...answer.headers, ...error.headers },
      content: { ...answer.content, ...error.content },
    }
  }
  return Object.fromEntries(Object.entries(all).sort(([one], [other]) => Number(one) - Number(other)))
}
