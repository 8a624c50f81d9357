import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import test from 'ava'
import { errorTable } from '../../agent/errors.ts'
import { problem } from '../../agent/http/api/shapes.ts'
import { writeCurl } from '../../agent/http/curl.ts'
import type { Description, Operation } from '../../agent/http/openapi-document.ts'
import { errorsOf } from '../../agent/http/openapi-errors.ts'
import { exampleProblem } from '../../agent/http/problem-examples.ts'
import type { Route } from '../../agent/http/route.ts'
import { buildInterface } from '../../agent/http/routes.ts'
import { call, makeParts, withAgent } from './api/api-call.ts'

const { routes, describe } = buildInterface(makeParts())
const description = describe()

function operationOf({ method, path }: Pick<Route, 'method' | 'path'>): Operation {
  const operation = description.paths[path]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not described`)
  return operation
}

/** A checker of values by the description alone, as a program would make it that knows nothing else. */
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ ...description, $id: 'description' })

/** What a value has against the schema at a place in the description. */
function complain(place: readonly string[], value: unknown): string {
  const pointer = place.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
  const check = ajv.compile({ $ref: `description#/${encodeURI(pointer)}` })
  return check(value) ? '' : ajv.errorsText(check.errors)
}

/** Every object in the description, with where it is. */
function* walk(part: unknown, place = '#'): Generator<[string, Readonly<Record<string, unknown>>]> {
  if (typeof part !== 'object' || part === null) return
  if (!Array.isArray(part)) yield [place, part as Readonly<Record<string, unknown>>]
  for (const [key, value] of Object.entries(part)) yield* walk(value, `${place}/${key}`)
}

test('what the agent serves is the description, and a public validator finds nothing wrong in it', async (t) => {
  await withAgent({}, async (agent) => {
    const { status, body } = await call(agent, 'GET', '/api/v1/openapi.json')
    t.is(status, 200)
    t.deepEqual(body, JSON.parse(JSON.stringify(description)))
    const validator = new Validator()
    t.deepEqual(await validator.validate(structuredClone(body) as Record<string, unknown>), { valid: true })
    t.is(validator.version, '3.1')
    const { paths: _, ...without } = body as Description
    const damaged = await validator.validate({ ...without, paths: { 'no slash': {} } })
    t.false(damaged.valid)
  })
})

test('examples name the port that the agent listens on, also where it was asked before it listened', (t) => {
  const parts = makeParts()
  let port = 0
  const made = buildInterface({
    ...parts,
    health: { ...parts.health, status: () => ({ ...parts.health.status(), port }) },
  })
  t.is(made.describe().servers[0]?.url, 'http://localhost:0')
  port = 45_123
  t.is(made.describe().servers[0]?.url, 'http://localhost:45123')
  t.true(JSON.stringify(made.describe().paths).includes("curl -s 'http://localhost:45123/api/v1/live'"))
  t.is(made.describe(), made.describe())
})

test('every route is described with its parameters, its body, its answers and the problems it can tell', (t) => {
  for (const route of routes) {
    const operation = operationOf(route)
    const { parameters = [], responses, requestBody } = operation
    t.is(operation.operationId, route.operation)
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    t.deepEqual(
      parameters.filter((one) => one.in === 'path').map(({ name }) => name),
      inPath as string[],
    )
    t.is(requestBody !== undefined, route.body !== undefined)
    for (const status of Object.keys(route.answers)) t.truthy(responses[status], status)
    for (const code of errorsOf(route)) {
      const examples = responses[errorTable[code].status]?.content?.['application/problem+json']?.examples
      t.truthy(examples?.[code], `${route.operation} ${code}`)
    }
  }
  const described = Object.values(description.paths).flatMap((path) => Object.keys(path))
  t.is(described.length, routes.length)
})

test('every reference leads somewhere, and every named shape is used', (t) => {
  const used = new Set<string>()
  for (const [place, part] of walk(JSON.parse(JSON.stringify(description)))) {
    const { $ref } = part
    if (typeof $ref !== 'string') continue
    const [, , kind = '', name = ''] = $ref.split('/')
    t.truthy(
      (description.components as unknown as Record<string, Record<string, unknown>>)[kind]?.[name],
      `${place}: ${$ref}`,
    )
    used.add(`${kind}/${name}`)
  }
  const named = Object.entries(description.components)
    .filter(([kind]) => kind !== 'securitySchemes')
    .flatMap(([kind, all]) => Object.keys(all).map((name) => `${kind}/${name}`))
  t.deepEqual(
    named.filter((one) => !used.has(one)),
    [],
  )
})

test('names of calls are fit for generated clients, each is used once, and each call is in a group', (t) => {
  const operations = routes.map(({ operation }) => operation)
  for (const operation of operations) t.regex(operation, /^[a-z]+([A-Z][a-z]+)*$/)
  t.is(new Set(operations).size, operations.length)
  const groups = new Set(description.tags.map(({ name }) => name))
  for (const route of routes) for (const tag of operationOf(route).tags) t.true(groups.delete(tag) || !groups.has(tag))
  t.deepEqual([...groups], [])
  // Generators make one list of a header and a parameter of the address.
  for (const route of routes) {
    const names = (operationOf(route).parameters ?? []).map(({ name }) => name.replaceAll('-', '').toLowerCase())
    t.is(new Set(names).size, names.length, route.operation)
  }
})

test('what is sent is described as closed, what is answered as open to later members', (t) => {
  const { AddLicense, Session, Problem } = description.components.schemas
  t.is(AddLicense?.additionalProperties, false)
  t.is(Session?.additionalProperties, undefined)
  t.not(Problem?.additionalProperties, false)
})

test('every route has an example that its own schemas and the description take', (t) => {
  for (const route of routes) {
    const { method, path, operation, example } = route
    const place = ['paths', path, method.toLowerCase()]
    for (const [schema, given] of [
      [route.params, example.params],
      [route.query, example.query],
      [route.body, example.body],
    ] as const) {
      t.is(given === undefined, schema === undefined, operation)
      if (schema !== undefined) t.notThrows(() => schema.parse(given), operation)
    }
    const { parameters = [], requestBody, responses } = operationOf(route)
    parameters.forEach(({ name, required, example: given }, index) => {
      if (required) t.not(given, undefined, `${operation} ${name}`)
      if (given !== undefined)
        t.is(complain([...place, 'parameters', String(index), 'schema'], given), '', `${operation} ${name}`)
    })
    if (requestBody !== undefined)
      t.is(complain([...place, 'requestBody', 'content', 'application/json', 'schema'], example.body), '', operation)
    for (const [status, answer] of Object.entries(route.answers)) {
      const content = responses[status]?.content ?? {}
      const types = answer.types ?? (answer.schema === undefined ? [] : ['application/json'])
      for (const type of types) {
        const given = content[type]?.example
        t.not(given, undefined, `${operation} ${status} ${type}`)
        if (type !== 'application/json') continue
        t.notThrows(() => answer.schema?.parse(given), `${operation} ${status}`)
        t.is(complain([...place, 'responses', status, 'content', type, 'schema'], given), '', `${operation} ${status}`)
      }
    }
    t.deepEqual(
      Object.keys(example.answers).filter((status) => !(status in route.answers)),
      [],
      operation,
    )
  }
})

test('the description tells a wrong value from a right one', (t) => {
  const body = ['paths', '/api/v1/sessions', 'post', 'requestBody', 'content', 'application/json', 'schema']
  t.is(complain(body, { product: 'acme/cad' }), '')
  t.not(complain(body, { product: 'acme/cad', seats: 0 }), '')
  t.not(complain(body, { product: 'acme/cad', other: 1 }), '')
  t.not(complain(['components', 'schemas', 'Problem'], { code: 'no_seats' }), '')
})

test('every problem has an example with the words of its code', (t) => {
  const codes = new Set(routes.flatMap((route) => errorsOf(route)))
  t.deepEqual(Object.keys(description.components.examples), [...codes].sort())
  for (const code of codes) {
    const { summary, value } = description.components.examples[code] ?? {}
    const { status, title, help } = errorTable[code]
    t.like(problem.parse(value), { status, title, help, code, type: `urn:leasehold:problem:${code}` })
    t.is(complain(['components', 'schemas', 'Problem'], value), '', code)
    t.is(summary, title)
    t.deepEqual(value, exampleProblem(code))
  }
})

test('each call says what it asks for: the key of the session, a sign-in or a token, or nothing', (t) => {
  const { securitySchemes } = description.components
  t.like(securitySchemes.sessionKey, { type: 'apiKey', in: 'header', name: 'Session-Key' })
  t.like(securitySchemes.signIn, { type: 'apiKey', in: 'cookie', name: 'leasehold-agent-1' })
  t.like(securitySchemes.token, { type: 'http', scheme: 'bearer' })
  for (const route of routes) {
    const { security } = operationOf(route)
    const names = security.map((one) => Object.keys(one).join())
    if (route.operation === 'keepSession' || route.operation === 'closeSession') t.deepEqual(names, ['sessionKey'])
    else if (route.guard === 'open' || route.guard === 'application') t.deepEqual(names, [])
    else if (route.guard === 'site') t.deepEqual(names, ['token'])
    else t.deepEqual(names, ['', 'signIn', 'token'], route.operation)
  }
  const [key] = operationOf({ method: 'POST', path: '/api/v1/sessions' }).parameters ?? []
  t.like(key, { name: 'Idempotency-Key', in: 'header', required: true, schema: { pattern: '^[!-~]{16,128}$' } })
})

interface Arrived {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

test('each curl example, pasted into a shell, sends the example and nothing else', async (t) => {
  const arrived: Arrived[] = []
  const server = createServer((request, response) => {
    const { method, url, headers } = request
    void text(request).then((body) => {
      arrived.push({ method, url, headers, body })
      response.writeHead(204).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const quoting = { name: 'it\'s $HOME `x` \\ " ’' }
  const lines = routes.map((route) => operationOf(route)['x-codeSamples'][0]?.source ?? '')
  lines.push(writeCurl({ method: 'PUT', url: 'http://localhost:1947/quoting', headers: {}, body: quoting }))
  const script = lines.join('\n').replaceAll('http://localhost:1947', `http://127.0.0.1:${port}`)
  await promisify(execFile)('bash', ['-euc', script])
  t.is(arrived.length, routes.length + 1)
  t.deepEqual(JSON.parse(arrived.pop()?.body ?? ''), quoting)
  routes.forEach((route, index) => {
    const { example, method, path } = route
    const got = arrived[index]
    t.is(got?.method, method)
    const url = new URL(got?.url ?? '', 'http://localhost')
    t.is(
      url.pathname,
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent((example.params as Record<string, string>)[name] ?? ''),
      ),
    )
    t.deepEqual(
      Object.fromEntries(url.searchParams),
      Object.fromEntries(Object.entries(example.query ?? {}).map(([name, value]) => [name, String(value)])),
    )
    for (const [name, value] of Object.entries(example.headers ?? {})) t.is(got?.headers[name.toLowerCase()], value)
    if (example.body === undefined) t.is(got?.body, '')
    else {
      t.is(got?.headers['content-type'], 'application/json')
      t.deepEqual(JSON.parse(got?.body ?? ''), example.body)
    }
  })
})
