/**
 * The interface description (OpenAPI 3.1), made from the route table and the schemas that check the requests.
 * Must not import owners.
 */
import type { z } from 'zod'
import { type ErrorCode, errorTable } from '../errors.ts'
import { problem } from './api/shapes.ts'
import { writeCurl } from './curl.ts'
import { SchemaComponents } from './json-schema.ts'
import type {
  Description,
  Header,
  MediaType,
  Operation,
  Parameter,
  RequestBody,
  Response,
  SecurityScheme,
} from './openapi-document.ts'
import { describeErrors, headerComponents, mergeResponses } from './openapi-errors.ts'
import { exampleProblem } from './problem-examples.ts'
import type { Answer, Route } from './route.ts'
import { findGroup, routeGroups } from './route-groups.ts'

export interface InterfaceFacts {
  readonly version: string
  readonly cookieName: string
  /** That the agent listens on. */
  readonly port: number
}

function describeParameters(route: Route, components: SchemaComponents): Parameter[] {
  const { example } = route
  const parameters: Parameter[] = []
  for (const [place, schema, values] of [
    ['path', route.params, example.params],
    ['query', route.query, example.query],
  ] as const) {
    if (schema === undefined) continue
    const { properties = {}, required = [] } = components.resolve(components.describe(schema, 'request'))
    for (const [name, { description, ...property }] of Object.entries(properties))
      parameters.push({
        name,
        in: place,
        required: required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema: property,
        ...exampleOf((values as Readonly<Record<string, unknown>> | undefined)?.[name]),
      })
  }
  for (const [name, { description, required, schema }] of Object.entries(route.headers))
    parameters.push({
      name,
      in: 'header',
      required,
      description,
      schema: schema === undefined ? { type: 'string' } : components.describe(schema, 'request'),
      ...exampleOf(example.headers?.[name]),
    })
  return parameters
}

function exampleOf(example: unknown): { readonly example?: unknown } {
  return example === undefined ? {} : { example }
}

function describeBody(body: z.ZodType, route: Route, components: SchemaComponents): RequestBody {
  const schema = components.describe(body, 'request')
  return {
    required: !body.safeParse({}).success,
    content: { 'application/json': { schema, ...exampleOf(route.example.body) } },
  }
}

function describeAnswer(status: number, answer: Answer, { example }: Route, components: SchemaComponents): Response {
  const { description, schema, types = ['application/json'], headers = {} } = answer
  const content = types.flatMap((type): [string, MediaType][] => {
    if (type !== 'application/json')
      return [[type, { schema: { type: 'string' }, ...exampleOf(example.texts?.[type]) }]]
    if (schema === undefined) return []
    return [[type, { schema: components.describe(schema, 'answer'), ...exampleOf(example.answers[status]) }]]
  })
  const told = Object.entries(headers).map(([name, means]): [string, Header] => [
    name,
    { description: means, schema: { type: 'string' } },
  ])
  return {
    description,
    ...(told.length === 0 ? {} : { headers: Object.fromEntries(told) }),
    ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
  }
}

function describeSecurity(route: Route): Operation['security'] {
  if (route.headers['Session-Key'] !== undefined) return [{ sessionKey: [] }]
  if (route.guard === 'open' || route.guard === 'application') return []
  if (route.guard === 'site') return [{ token: [] }]
  // The empty one: nothing is asked for as long as no password is set, or where the protection setting leaves it out.
  return [{}, { signIn: [] }, { token: [] }]
}

function describeExample(route: Route, server: string): string {
  const { params, query, headers = {}, body } = route.example
  const given = (params ?? {}) as Readonly<Record<string, string>>
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given[name] ?? ''))
  const search = new URLSearchParams(
    Object.entries((query ?? {}) as Readonly<Record<string, unknown>>).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  )
  const url = `${server}${path}${search.size === 0 ? '' : `?${search}`}`
  const live = Object.values(route.answers).some(({ types }) => types?.includes('text/event-stream'))
  return writeCurl({ method: route.method, url, headers, body, live })
}

/** @param used gets every code that is referred to */
function describeRoute(route: Route, server: string, components: SchemaComponents, used: Set<ErrorCode>): Operation {
  const parameters = describeParameters(route, components)
  const answers = Object.entries(route.answers).map(([status, answer]): [string, Response] => [
    status,
    describeAnswer(Number(status), answer, route, components),
  ])
  return {
    operationId: route.operation,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [findGroup(route.path).name],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: describeBody(route.body, route, components) }),
    responses: mergeResponses(Object.fromEntries(answers), describeErrors(route, used)),
    'x-guard': route.guard,
    security: describeSecurity(route),
    'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: describeExample(route, server) }],
  }
}

export function describeInterface(routes: readonly Route[], facts: InterfaceFacts): Description {
  const server = `http://localhost:${facts.port}`
  const components = new SchemaComponents()
  components.describe(problem, 'answer')
  const used = new Set<ErrorCode>()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    const operation = describeRoute(route, server, components, used)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation }
  }
  const examples = [...used]
    .sort()
    .map((code) => [code, { summary: errorTable[code].title, value: exampleProblem(code) }])
  return {
    openapi: '3.1.0',
    info: {
      title: 'Leasehold',
      version: facts.version,
      summary: 'The agent on this machine that gives applications their seats.',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: server, description: 'this agent; it answers to programs and people of its own machine only' }],
    tags: routeGroups.map(({ name, description }) => ({ name, description })),
    paths,
    components: {
      schemas: components.all,
      examples: Object.fromEntries(examples),
      headers: headerComponents,
      securitySchemes: describeSchemes(facts.cookieName),
    },
  }
}

const introduction = [
  'A license says how many may use a product at the same time. Each use takes a seat: an application asks this agent for one when it starts, keeps it with heartbeats, and gives it back at the end.',
  'JSON in and out. Times are ISO 8601 in UTC; members that end in `In` are numbers of seconds. Ids are opaque. Answers may get further members later: leave alone what you do not know.',
  'A refusal is a problem document (RFC 9457). Its `code` is stable and decides; the rest is for people.',
  'Lists come in pages: `limit` says how many items at most, and `next` of the answer is the `cursor` of the next page.',
].join('\n\n')

function describeSchemes(cookieName: string): Record<string, SecurityScheme> {
  return {
    sessionKey: {
      type: 'apiKey',
      in: 'header',
      name: 'Session-Key',
      description: 'The key that the answer to opening a session gave: the right to keep and to end that one session.',
    },
    signIn: {
      type: 'apiKey',
      in: 'cookie',
      name: cookieName,
      description:
        'Set by signing in. It counts only with `Sec-Fetch-Site: same-origin` for calls that change something.',
    },
    token: {
      type: 'http',
      scheme: 'bearer',
      description:
        'For the command line: the content of `cli.key` in the data folder, which only the user of the service can read. For the calls of a web site: the token that was shown when the site was defined.',
    },
  }
}
