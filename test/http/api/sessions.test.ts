import test from 'ava'
import { LeaseholdError, refuse } from '../../../agent/errors.ts'
import { keptSession, list, openedSession, problem, session } from '../../../agent/http/api/shapes.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { keptSession as kept, sessionKey } from '../agent-fixture.ts'
import { call, makeParts, withAgent } from './api-call.ts'

test('sessions are opened, kept, seen, disconnected and closed in the shapes that are described', async (t) => {
  await withAgent({}, async (agent) => {
    const at = '/api/v1/sessions'
    const opened = await call(agent, 'POST', at, { product: 'acme/cad' }, { 'Idempotency-Key': 'new-0123456789abcdef' })
    t.is(opened.status, 201)
    t.deepEqual(openedSession.parse(opened.body), { ...kept, key: sessionKey })
    const beat = await call(agent, 'PUT', `${at}/s-1`, {}, { 'Session-Key': sessionKey })
    t.deepEqual(keptSession.parse(beat.body), kept)
    t.is(list(session).parse((await call(agent, 'GET', `${at}?state=active&limit=5`)).body).total, 1)
    t.is(session.parse((await call(agent, 'GET', `${at}/s-1`)).body).id, 's-1')
    t.is((await call(agent, 'GET', `${at}/s-2`)).status, 404)
    const ended = await call(agent, 'POST', `${at}/s-1/disconnect`, { freeNow: true })
    t.deepEqual(ended.body, { ended: 'ending', freeAt: kept.expiresAt })
    t.is((await call(agent, 'POST', `${at}/s-1/disconnect`)).status, 200)
    t.is((await call(agent, 'DELETE', `${at}/s-1`, undefined, { 'Session-Key': sessionKey })).status, 204)
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'state=gone',
      'limit=1&limit=2',
      'other=1',
      '__proto__=1',
    ]) {
      const refused = await call(agent, 'GET', `${at}?${query}`)
      t.is(refused.status, 422, query)
      t.is(problem.parse(refused.body).code, 'invalid_request')
    }
  })
})

test('a store that can not be written is told as such', async (t) => {
  const broken = async () => {
    throw new LeaseholdError('store_unavailable', 'The disk is full.')
  }
  const api = makeParts()
  await withAgent({ api: { sessions: { ...api.sessions, open: broken } } }, async (agent) => {
    const headers = { 'Idempotency-Key': 'new-0123456789abcdef' }
    const answer = await call(agent, 'POST', '/api/v1/sessions', { product: 'acme/cad' }, headers)
    t.is(answer.status, 503)
    t.is(problem.parse(answer.body).code, 'store_unavailable')
    t.is(agent.log.length, 1)
  })
})

test('who waits for a seat is heard of when the asker closes the connection', async (t) => {
  let asked = false
  let aborted = false
  const api = makeParts()
  const open: typeof api.sessions.open = (_request, closed) =>
    new Promise((resolve) => {
      asked = true
      closed().addEventListener('abort', () => {
        aborted = true
        resolve(refuse('no_seats', 'The asker is gone.'))
      })
    })
  await withAgent({ api: { sessions: { ...api.sessions, open } } }, async (agent) => {
    const controller = new AbortController()
    const asking = fetch(`${agent.url}/api/v1/sessions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'new-0123456789abcdef' },
      body: '{"product":"acme/cad","wait":300}',
      signal: controller.signal,
    })
    await waitFor('the request', () => asked)
    controller.abort()
    await t.throwsAsync(asking, { any: true })
    t.true(await waitFor('the abort', () => aborted))
  })
})
