/**
 * The interface description (OpenAPI 3.1), made from the route table and the schemas that check the requests.
 * Must not import owners.
 */
import { z } from 'zod'
import { type ErrorCode, errorTable } from '../errors.ts'
import { problem } from './api/shapes.ts'
import type { Guard } from './guards.ts'
import type { Answer, Route } from './route.ts'

type Json = Record<string, unknown>

function describeSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' })
  return rest
}

function describeParameters(route: Route): Json[] {
  const parameters: Json[] = []
  for (const [place, schema] of [
    ['path', route.params],
    ['query', route.query],
  ] as const) {
    if (schema === undefined) continue
    const { properties = {}, required = [] } = describeSchema(schema, 'input') as {
      properties?: Record<string, Json>
      required?: string[]
    }
    for (const [name, property] of Object.entries(properties))
      parameters.push({ name, in: place, required: required.includes(name), schema: property })
  }
  for (const [name, { description, required }] of Object.entries(route.headers))
    parameters.push({ name, in: 'header', required, description, schema: { type: 'string' } })
  return parameters
}

function describeAnswer({ description, schema, types = ['application/json'] }: Answer): Json {
  if (schema === undefined && types[0] === 'application/json') return { description }
  const content = types.map((type) => [
    type,
    schema === undefined || type !== 'application/json'
      ? { schema: { type: 'string' } }
      : { schema: describeSchema(schema, 'output') },
  ])
  return { description, content: Object.fromEntries(content) }
}

const everywhere = ['host_not_allowed', 'proxy_refused', 'internal_error'] as const satisfies readonly ErrorCode[]
const ofGuard: Readonly<Record<Guard, readonly ErrorCode[]>> = {
  open: ['cross_origin'],
  application: ['cross_origin'],
  read: ['sign_in_needed'],
  stream: ['sign_in_needed', 'cross_origin'],
  administrator: ['sign_in_needed', 'cross_origin'],
}

/** Every code that the route can answer. */
function errorsOf(route: Route): ErrorCode[] {
  const codes = new Set<ErrorCode>([...route.errors, ...ofGuard[route.guard], ...everywhere, 'malformed_request'])
  if (route.params !== undefined) codes.add('not_found')
  if (route.query !== undefined || route.body !== undefined) codes.add('invalid_request')
  if (route.method !== 'GET') for (const code of ['unsupported_media_type', 'body_too_large'] as const) codes.add(code)
  return [...codes]
}

function describeErrors(route: Route): Json {
  const byStatus: Record<string, ErrorCode[]> = {}
  for (const code of errorsOf(route)) {
    const status = String(errorTable[code].status)
    byStatus[status] = [...(byStatus[status] ?? []), code]
  }
  const schema = { $ref: '#/components/schemas/Problem' }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\` ${errorTable[code].title}`).join('; '),
        content: { 'application/problem+json': { schema } },
      },
    ]),
  )
}

function describeRoute(route: Route): Json {
  const parameters = describeParameters(route)
  const errors = describeErrors(route)
  const answers: Json = {}
  for (const [status, answer] of Object.entries(route.answers)) {
    answers[status] = describeAnswer(answer)
    // A status that is both an answer and a refusal (503 of `ready`) keeps the answer.
    delete errors[status]
  }
  return {
    summary: route.summary,
    tags: [route.path.split('/')[3] ?? ''],
    operationId: `${route.method.toLowerCase()}${route.path.slice('/api/v1'.length).replaceAll(/[^A-Za-z]+(.)?/g, (_, first: string | undefined) => (first ?? '').toUpperCase())}`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse({}).success,
            content: { 'application/json': { schema: describeSchema(route.body, 'input') } },
          },
        }),
    ...(route.guard === 'administrator' || route.guard === 'read' || route.guard === 'stream'
      ? { security: [{}, { signIn: [] }, { token: [] }] }
      : {}),
    responses: { ...answers, ...errors },
  }
}

export function describeInterface(
  routes: readonly Route[],
  facts: { readonly version: string; readonly cookieName: string },
): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(route) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Leasehold',
      version: facts.version,
      description: 'A floating-license agent. Errors are problem documents; `code` is stable.',
    },
    servers: [{ url: 'http://localhost:1947' }],
    paths,
    components: {
      schemas: { Problem: describeSchema(problem, 'output') },
      securitySchemes: {
        signIn: { type: 'apiKey', in: 'cookie', name: facts.cookieName },
        token: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}
