import test from 'ava'
import { refuse } from '../../../agent/errors.ts'
import { configuration, health, signedIn, status, version } from '../../../agent/http/api/agent-shapes.ts'
import { problem } from '../../../agent/http/api/shapes.ts'
import { request } from '../raw-client.ts'
import { openAccess as access, call, makeParts, withAgent } from './api-call.ts'

test('health, live, ready and version say how the agent is', async (t) => {
  let ready = false
  const facts = makeParts().health
  await withAgent({ api: { health: { ...facts, ready: () => ready } } }, async (agent) => {
    t.deepEqual(health.parse((await call(agent, 'GET', '/api/v1/health')).body), { state: 'ok', problems: [] })
    t.deepEqual((await call(agent, 'GET', '/api/v1/live')).body, { live: true })
    t.is(version.parse((await call(agent, 'GET', '/api/v1/version')).body).program, 'leasehold')
    t.is(status.parse((await call(agent, 'GET', '/api/v1/status')).body).port, 1947)
    t.is((await call(agent, 'GET', '/api/v1/ready')).status, 503)
    ready = true
    t.is((await call(agent, 'GET', '/api/v1/ready')).status, 200)
  })
})

test('settings are described, checked and changed, and each wrong one is listed', async (t) => {
  const changes: unknown[] = []
  const wrong = refuse('invalid_request', '1 field has a value that can not be used.', {
    fields: [{ field: 'session.idleMinutes', message: 'must be at least 10' }],
  })
  const parts = {
    describe: (section?: string) => (section === 'basic' ? [] : [entry]),
    change: async (patch: Record<string, unknown>, by: string) => {
      changes.push([patch, by])
      return patch['session.idleMinutes'] === 1 ? wrong : { kind: 'changed' as const }
    },
    validate: (patch: Record<string, unknown>) =>
      patch['session.idleMinutes'] === 1 ? wrong : { kind: 'valid' as const },
    schema: () => ({ type: 'object' }),
    import: async (text: string, { apply, by }: { apply: boolean; by: string }) => {
      changes.push([text, by])
      if (text === 'x') return wrong
      return { kind: 'imported' as const, imported: { applied: apply, settings: [], leftOut: [] } }
    },
  }
  const entry = {
    name: 'session.idleMinutes',
    section: 'basic',
    label: 'Idle timeout',
    kind: 'number' as const,
    value: 720,
    default: 720,
    source: 'default' as const,
    editable: true,
    restart: false,
    unit: 'minutes',
    min: 10,
    max: 10_080,
  }
  const cli = { Authorization: 'Bearer cli-key' }
  await withAgent({ api: { configuration: parts }, access: { cliKey: () => 'cli-key' } }, async (agent) => {
    const at = '/api/v1/configuration'
    t.deepEqual(configuration.parse((await call(agent, 'GET', at)).body), { entries: [entry] })
    t.deepEqual((await call(agent, 'GET', `${at}?section=basic`)).body, { entries: [] })
    t.deepEqual((await call(agent, 'GET', `${at}/schema`)).body, { type: 'object' })
    t.is((await call(agent, 'POST', `${at}/validate`, { 'session.idleMinutes': 60 })).status, 204)
    t.is((await call(agent, 'POST', `${at}/validate`, { 'session.idleMinutes': 1 })).status, 422)
    const refused = await call(agent, 'PUT', at, { 'session.idleMinutes': 1 })
    t.deepEqual(problem.parse(refused.body).fields, [{ field: 'session.idleMinutes', message: 'must be at least 10' }])
    const none = { settings: [], leftOut: [] }
    const looked = await call(agent, 'POST', `${at}/import`, { text: '[SERVER]' })
    t.deepEqual(looked.body, { applied: false, ...none })
    t.deepEqual((await call(agent, 'POST', `${at}/import`, { text: 'x', apply: true })).status, 422)
    t.deepEqual((await call(agent, 'POST', `${at}/import`, { text: 'y', apply: true })).body, {
      applied: true,
      ...none,
    })
    t.deepEqual(changes.splice(1), [
      ['[SERVER]', 'administrator'],
      ['x', 'administrator'],
      ['y', 'administrator'],
    ])
    t.deepEqual((await call(agent, 'PUT', at, { 'agent.name': null, 'remote.search': ['a'] }, cli)).body, {
      entries: [entry],
    })
    t.deepEqual(changes, [
      [{ 'session.idleMinutes': 1 }, 'administrator'],
      [{ 'agent.name': null, 'remote.search': ['a'] }, 'command line'],
    ])
    t.is((await call(agent, 'PUT', at, { 'agent.name': { deep: true } })).status, 422)
    t.is((await call(agent, 'PUT', at, {}, { Authorization: 'Bearer other' })).status, 401)
  })
})

test('signing in sets a cookie that only this agent reads, signing out takes it away', async (t) => {
  const asked: unknown[] = []
  const token = 't'.repeat(43)
  const signed = { token, endsAt: Date.UTC(2027, 0, 4, 20), idleSeconds: 3600 }
  const administrator = {
    signIn: async (...given: unknown[]) => {
      asked.push(['in', ...given])
      return given[0] === 'right' ? { kind: 'signed-in' as const, ...signed } : refuse('wrong_password', 'Not that.')
    },
    signOut: async (...given: unknown[]) => {
      asked.push(['out', ...given])
    },
    changePassword: async (...given: unknown[]) => {
      asked.push(['change', ...given])
      return { kind: 'changed' as const, ...signed }
    },
  }
  await withAgent(
    { api: { signIn: { administrator, access } }, access: { cliKey: () => 'cli-key' } },
    async (agent) => {
      const right = await call(agent, 'POST', '/api/v1/sign-in', { password: 'right' })
      t.is(right.status, 200)
      t.deepEqual(signedIn.parse(right.body), { expiresAt: '2027-01-04T20:00:00.000Z', idleSeconds: 3600 })
      t.is(right.headers.get('set-cookie'), `leasehold-agent-1=${token}; Path=/; HttpOnly; SameSite=Strict`)
      const wrong = await call(agent, 'POST', '/api/v1/sign-in', { password: 'wrong' })
      t.is(wrong.status, 401)
      t.is(wrong.headers.get('set-cookie'), null)
      const own = { 'Sec-Fetch-Site': 'same-origin', Cookie: `a=b; leasehold-agent-1=${token}` }
      const browser = Object.entries(own).map(([name, value]) => [name, value] as const)
      const out = await request(agent.port, { method: 'DELETE', path: '/api/v1/sign-in', headers: browser })
      t.is(out?.status, 204)
      t.is(out?.headers['set-cookie'], 'leasehold-agent-1=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0')
      await call(agent, 'PUT', '/api/v1/password', { current: 'right', password: 'long enough' })
      await call(agent, 'PUT', '/api/v1/password', { password: 'long enough' }, { Authorization: 'Bearer cli-key' })
      t.is((await call(agent, 'PUT', '/api/v1/password', { password: 'short' })).status, 422)
      t.deepEqual(asked, [
        ['in', 'right', '127.0.0.1', undefined],
        ['in', 'wrong', '127.0.0.1', undefined],
        ['out', token],
        ['change', { current: 'right', password: 'long enough', reset: false }, '127.0.0.1'],
        ['change', { password: 'long enough', reset: true }, '127.0.0.1'],
      ])
    },
  )
})

test('once a password is set, changes ask for the cookie or the key of the command line', async (t) => {
  const token = 't'.repeat(43)
  let protection: 'none' | 'configuration' | 'all' = 'configuration'
  const options = {
    access: {
      administrator: { hasPassword: () => true, isSignedIn: (given: string) => given === token },
      cliKey: () => 'cli-key',
      protection: () => protection,
    },
  }
  await withAgent(options, async (agent) => {
    const ask = async (method: string, path: string, headers: readonly (readonly [string, string])[] = []) =>
      (await request(agent.port, { method, path, headers }))?.status
    const disconnect = '/api/v1/sessions/s-1/disconnect'
    const cookie = ['Cookie', `leasehold-agent-1=${token}`] as const
    const own = ['Sec-Fetch-Site', 'same-origin'] as const
    t.is(await ask('POST', disconnect), 401)
    t.is(await ask('POST', disconnect, [own, ['Cookie', `leasehold-agent-1=${'x'.repeat(43)}`]]), 401)
    t.is(await ask('POST', disconnect, [own, ['Cookie', `leasehold-agent-2=${token}`]]), 401)
    t.is(await ask('POST', disconnect, [own, cookie]), 200)
    t.is(await ask('POST', disconnect, [cookie]), 403)
    t.is(await ask('POST', disconnect, [['Authorization', 'Bearer cli-key']]), 200)
    t.is(await ask('POST', disconnect, [['Authorization', 'Bearer cli-kez']]), 401)
    t.is(await ask('POST', disconnect, [['Authorization', 'Basic Y2xpLWtleQ==']]), 401)
    t.is(await ask('GET', '/api/v1/sessions'), 200)
    protection = 'all'
    t.is(await ask('GET', '/api/v1/sessions'), 401)
    t.is(await ask('GET', '/api/v1/sessions', [cookie]), 200)
    t.is(await ask('GET', '/api/v1/live'), 200)
    protection = 'none'
    t.is(await ask('POST', disconnect), 200)
  })
})
