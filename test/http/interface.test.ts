import { readFileSync } from 'node:fs'
import test from 'ava'
import { guards } from '../../agent/http/guards.ts'
import { buildInterface } from '../../agent/http/routes.ts'
import { call, makeParts, withAgent } from './api/api-call.ts'
import { errorCodesFile, writeErrorCodes } from './error-codes.ts'

const { routes } = buildInterface(makeParts())

test('every route has exactly one guard, and no two routes are the same', (t) => {
  const seen = new Set<string>()
  for (const route of routes) {
    t.true(guards.includes(route.guard), route.path)
    const name = `${route.method} ${route.path}`
    t.false(seen.has(name), name)
    seen.add(name)
  }
})

test('what changes something has a guard that looks at the origin, and GET has none that changes', (t) => {
  for (const { method, path, guard } of routes) {
    if (method === 'GET') t.true(['open', 'read', 'stream', 'site'].includes(guard), path)
    else if (path === '/api/v1/sessions' || path === '/api/v1/sessions/{id}') t.is(guard, 'application')
    else if (path === '/api/v1/sign-in') t.is(guard, 'entry')
    // The people of this machine detach to it and give back; whether they may is asked within.
    else if (/^.api.v1.(detachments(\/\{id\})?|returns|password)$/.test(path)) t.is(guard, 'open')
    else if (/^.api.v1.sites.\{id\}.(start|stop|sign-ins|activity)/.test(path)) t.is(guard, 'site')
    else t.is(guard, 'administrator', path)
  }
})

test('every route that changes something refuses GET, unless another route reads there', async (t) => {
  await withAgent({}, async (agent) => {
    const reading = new Set(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))
    for (const { method, path } of routes)
      if (method !== 'GET' && !reading.has(path)) {
        const answer = await call(agent, 'GET', path.replace('{id}', 's-1'))
        t.is(answer.status, 405, path)
        t.true(answer.headers.get('allow')?.split(', ').includes(method), path)
      }
  })
})

test('every route is in the page about the interface', (t) => {
  const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
  for (const { method, path, operation, guard, summary } of routes)
    t.true(
      page.includes(`| \`${method} ${path.slice('/api/v1'.length)}\` | ${operation} | ${guard} | ${summary} |`),
      `${method} ${path}`,
    )
})

test('the page of error codes is what the error table says', (t) => {
  t.is(readFileSync(errorCodesFile, 'utf8'), writeErrorCodes(), 'write it anew: node build/test/http/error-codes.js')
})
