import test from 'ava'
import type { JsonSchema } from '../../../agent/http/json-schema.ts'
import { buildInterface } from '../../../agent/http/routes.ts'
import { describeType, listRows, listRules } from '../../../agent/http/ui/schema-rows.ts'
import { createLanguages, readCatalogs } from '../../../agent/language.ts'
import { makeParts } from '../api/api-call.ts'
import { options, startPageServer } from './page-app.ts'
import { createSampleParts, password } from './sample-parts.ts'

const { routes, describe } = buildInterface(makeParts())
const languages = createLanguages(await readCatalogs(`${options.views}/locales`))
const english = languages.get('en')

/** What a template makes of a text. */
function escapeText(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
    '\\': '#92',
  }
  return text.replaceAll(/[&<>"'\\]/g, (mark) => `&${marks[mark]};`)
}

async function read(language: string): Promise<string> {
  const server = await startPageServer(createSampleParts('some'))
  try {
    const answer = await fetch(`${server.address}/help/api`, { headers: { 'accept-language': language } })
    return await answer.text()
  } finally {
    await server.close()
  }
}

test('the page about the interface has every call, by group, with its example and the problems it can tell', async (t) => {
  const page = await read('en')
  for (const route of routes) {
    const start = page.indexOf(`<details class="call" id="${route.operation}">`)
    t.true(start > 0, route.operation)
    const told = page.slice(start, page.indexOf('</details>', start))
    const operation = describe().paths[route.path]?.[route.method.toLowerCase()]
    t.true(told.includes(`${route.method} ${route.path}`))
    t.true(told.includes(escapeText(route.summary)))
    t.true(told.includes(`>${escapeText(operation?.['x-codeSamples'][0]?.source ?? '?')}</pre>`), route.operation)
    for (const parameter of operation?.parameters ?? []) t.true(told.includes(`<code>${parameter.name}</code>`))
    for (const status of Object.keys(route.answers)) t.true(told.includes(`<strong>${status}</strong>`))
    for (const code of route.errors) t.true(told.includes(`<code>${code}</code>`), `${route.operation} ${code}`)
  }
  for (const { name } of describe().tags) t.regex(page, new RegExp(`<h2 id="group-${name.toLowerCase()}" lang="en">`))
})

test('every link on the page leads to a place on it, and no place is there twice', async (t) => {
  const page = await read('en')
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  t.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  )
  const targets = [...page.matchAll(/ (?:href="#|data-copy=")([^"]+)"/g)].map(([, id]) => id)
  t.true(targets.length > 100)
  t.deepEqual(
    targets.filter((id) => !ids.includes(id)),
    [],
  )
  t.notRegex(page, /(?:src|href)="https?:/)
})

test('in another language the words around are of it, and what is English says so', async (t) => {
  const page = await read('de')
  t.true(page.includes('<h3>Beispiel</h3>'))
  t.true(page.includes('<code>no_seats</code> Alle Plätze sind belegt'))
  t.true(page.includes('<span lang="en">Get a seat</span>'))
})

test('Help and the page of the interface open without a password', async (t) => {
  const parts = createSampleParts('some')
  parts.passwordSet = password
  const server = await startPageServer(parts)
  t.teardown(() => server.close())
  const help = await fetch(`${server.address}/help`, { redirect: 'manual' })
  t.true((await help.text()).includes('href="/help/api"'))
  t.is((await fetch(`${server.address}/help/api`, { redirect: 'manual' })).status, 200)
})

test('a schema is told in rows: paths of inner members, links to shapes, what is taken', (t) => {
  const schema: JsonSchema = {
    type: 'object',
    required: ['user'],
    properties: {
      user: {
        type: 'object',
        properties: { age: { type: 'integer', minimum: 1, maximum: 200, description: 'in years' } },
      },
      items: { type: 'array', items: { type: 'object', properties: { at: { type: 'string', format: 'date-time' } } } },
      one: { $ref: '#/components/schemas/Session' },
      either: { anyOf: [{ type: 'boolean' }, { type: 'null' }, { type: 'array', items: { enum: ['a', 'b'] } }] },
    },
    additionalProperties: { type: 'number' },
    oneOf: [{ type: 'object', properties: { kind: { const: 'good' } } }],
  }
  const rows = listRows(schema, english).map(({ name, required, type }) => [
    name,
    required,
    type.map(({ text }) => text).join(''),
  ])
  t.deepEqual(rows, [
    ['user', true, 'object'],
    ['user.age', false, 'whole number'],
    ['items', false, 'list of object'],
    ['items[].at', false, 'time'],
    ['one', false, 'Session'],
    ['either', false, 'true or false | null | list of "a" | "b"'],
    ['*', false, 'number'],
    ['kind', false, '"good"'],
  ])
  t.deepEqual(describeType({ $ref: '#/components/schemas/Session' }, english), [{ text: 'Session', shape: 'Session' }])
  t.deepEqual(describeType({}, english), [{ text: 'anything' }])
  t.deepEqual(listRules({ minimum: 1, maximum: 1000, default: 100 }, english), ['1 to 1,000', 'else 100'])
  t.deepEqual(listRules({ minimum: 0 }, english), [])
  t.deepEqual(listRules({ minimum: 5 }, languages.get('de')), ['mindestens 5'])
  t.deepEqual(listRules({ maximum: 9, minLength: 10, maxLength: 64, pattern: '^a$' }, english), [
    'at most 9',
    'at least 10 characters',
    'at most 64 characters',
    '^a$',
  ])
})
