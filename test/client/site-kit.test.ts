/** The site kit: decisions on an agent of a few lines, Express, and a small real site on a real agent. */
import test from 'ava'
import { SiteKit, type SiteKitOptions } from 'leasehold/client/site'
import { z } from 'zod'
import type { AgentCall, AgentReply } from '../../agent/client/call-agent.ts'
import { startSmallSite } from '../fixtures/site/site.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'
import { cleanUp, freshFolder, RealAgent } from '../scenarios/real-agent.ts'
import { answered, gone, refused } from './scripted-agent.ts'

test.after.always(cleanUp)

type Item = { id: string; access: string; [more: string]: unknown }

/** A kit whose agent answers each sign-in as the table says. */
function kitWith(table: Record<string, Omit<Item, 'id'>>, more: Partial<SiteKitOptions> = {}) {
  const clock = new ManualClock()
  const calls: AgentCall[] = []
  const state = { reply: undefined as AgentReply | undefined }
  const kit = new SiteKit(
    { site: 'shop', token: 't', ...more },
    {
      clock,
      call: async (call) => {
        calls.push(call)
        if (state.reply) return state.reply
        const { ids = [] } = (call.body ?? {}) as { ids?: string[] }
        const none = { access: 'none', code: 'unknown_sign_in' }
        return answered({ items: ids.map((id) => ({ id, seat: true, ...(table[id] ?? none) })) })
      },
    },
  )
  return { kit, clock, calls, state }
}

const people = {
  ana: { access: 'full', expiresIn: 300 },
  root: { access: 'administration' },
  ben: { access: 'none', code: 'site_reserve_empty', detail: 'All 2 seats are in use.', retryIn: 5 },
  eve: { access: 'none', code: 'denied_by_rule', detail: 'Line 1 refuses it.' },
}

test('P4: administrators see Admin, Contact and About; other pages lead to Admin, and programs get 401', async (t) => {
  const { kit } = kitWith(people)
  for (const path of ['/admin', '/Admin/users', '/contact', '/about/us'])
    t.deepEqual(await kit.decide(path, 'root'), { kind: 'pass', access: 'administration' }, path)
  for (const path of [
    '/',
    '/reports',
    '/administrator',
    '/admin/../reports',
    '/admin/%2e%2e/reports',
    '/about\\..\\x',
    '//admin',
  ])
    t.deepEqual(await kit.decide(path, 'root'), { kind: 'redirect', to: '/admin' }, path)
  for (const path of ['/api', '/api/data', '/API/data'])
    t.like(await kit.decide(path, 'root'), { kind: 'refuse', status: 401, code: 'administration_only', isApi: true })
})

test('who is not signed in is led to the sign-in page, programs get 401, and open addresses ask for nothing', async (t) => {
  const { kit, calls } = kitWith(people, { open: ['/assets'], signInPage: '/login' })
  t.deepEqual(await kit.decide('/assets/style.css', undefined), { kind: 'pass', access: 'open' })
  t.deepEqual(await kit.decide('/login', 'ana'), { kind: 'pass', access: 'open' })
  t.deepEqual(await kit.decide('/assets/../reports', undefined), { kind: 'redirect', to: '/login' })
  t.deepEqual(await kit.decide('/reports', undefined), { kind: 'redirect', to: '/login' })
  t.like(await kit.decide('/api/data', undefined), { kind: 'refuse', status: 401, code: 'sign_in_needed' })
  t.is(calls.length, 0)
  t.deepEqual(await kit.decide('/reports', 'nobody'), { kind: 'redirect', to: '/login' })
})

test('P3: without a free seat a user is refused with the reason, and a rule says so, too', async (t) => {
  const { kit } = kitWith(people)
  t.deepEqual(await kit.decide('/reports', 'ana'), { kind: 'pass', access: 'full' })
  t.deepEqual(await kit.decide('/reports', 'ben'), {
    kind: 'refuse',
    status: 503,
    code: 'site_reserve_empty',
    detail: 'All 2 seats are in use.',
    retryIn: 5,
    isApi: false,
  })
  t.like(await kit.decide('/api/data', 'eve'), { kind: 'refuse', status: 403, code: 'denied_by_rule', isApi: true })
})

test('requests of one moment are asked for together, and none is answered from before', async (t) => {
  const { kit, calls } = kitWith(people)
  await Promise.all(['ana', 'ben', 'ana', 'root'].map((id) => kit.decide('/reports', id)))
  t.deepEqual(
    calls.map(({ body }) => body),
    [{ ids: ['ana', 'ben', 'root'] }],
  )
  await kit.decide('/reports', 'ana')
  t.is(calls.length, 2)
})

test('while the agent does not answer a confirmed seat is good for as long as the agent said, and no longer', async (t) => {
  const { kit, clock, state } = kitWith(people)
  await kit.decide('/', 'ana')
  await kit.decide('/', 'root')
  for (const reply of [gone, refused('store_unavailable')]) {
    state.reply = reply
    t.deepEqual(await kit.decide('/', 'ana'), { kind: 'pass', access: 'full' })
    t.deepEqual(await kit.decide('/', 'root'), { kind: 'redirect', to: '/admin' })
    t.like(await kit.decide('/', 'ben'), { kind: 'refuse', status: 503 })
  }
  clock.advance(299_000)
  t.like(await kit.decide('/', 'ana'), { kind: 'pass' })
  clock.advance(2_000)
  state.reply = gone
  t.like(await kit.decide('/', 'ana'), { kind: 'refuse', status: 503, code: 'agent_not_running' })
  // What the agent says counts.
  state.reply = refused('unknown_site')
  t.like(await kit.decide('/', 'ana'), { kind: 'refuse', code: 'unknown_site' })
})

test('the middleware for Express lets on, leads, and answers programs with JSON', async (t) => {
  const { kit, state } = kitWith(people)
  const middleware = kit.express((request: { path: string; user?: string }) => request.user)
  const ask = (path: string, user?: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const seen: Record<string, unknown> = {}
      const response = {
        locals: {} as Record<string, unknown>,
        status(code: number) {
          seen.status = code
          return response
        },
        set: (name: string, value: string) => {
          seen[name] = value
        },
        json: (body: unknown) => resolve({ ...seen, body }),
        send: (body: string) => resolve({ ...seen, body }),
        redirect: (to: string) => resolve({ ...seen, to }),
      }
      middleware({ path, ...(user === undefined ? {} : { user }) }, response, (error) =>
        resolve({ passed: response.locals.siteAccess, ...(error === undefined ? {} : { error }) }),
      )
    })
  t.deepEqual(await ask('/', 'ana'), { passed: 'full' })
  t.like(await ask('/', 'root'), { to: '/admin' })
  t.like(await ask('/api/x'), { status: 401, body: { code: 'sign_in_needed' } })
  t.like(await ask('/', 'ben'), { status: 503, 'Retry-After': '5', body: 'All 2 seats are in use.' })
  state.reply = answered({ items: 'nonsense' })
  t.like(await ask('/', 'ana'), { status: 503 })
})

test('P1 to P7: a small site on a real agent: start, sign-in, administration, empty reserve, recycle, sign-out', async (t) => {
  const vendor = new TestVendor('acme')
  const agent = await RealAgent.start(await freshFolder())
  const products = [
    { name: 'portal', seats: 1 },
    { name: 'user', seats: 1 },
  ]
  await agent.install(blockOf(vendor.license({ products }, Date.UTC(2026, 0, 1))))
  const wish = { serverProduct: 'acme/portal', clientProduct: 'acme/user', seats: 1 }
  const made = await agent.ask('PUT', '/sites/shop', wish)
  const { token } = z.looseObject({ token: z.string() }).parse(made.body)
  await t.throwsAsync(startSmallSite({ agentPort: agent.port, token: 'wrong' }), { message: /not_permitted/ })
  const site = await startSmallSite({ agentPort: agent.port, token })
  const get = async (path: string, cookie = '') => {
    const answer = await fetch(site.address + path, { headers: { cookie }, redirect: 'manual' })
    const text = await answer.text()
    return {
      status: answer.status,
      to: answer.headers.get('location') ?? '',
      text,
      title: /<h1>(.*)<\/h1>/.exec(text)?.[1],
      hasSeat: text.includes('You have a seat.'),
      isAdministrator: text.includes('You are an administrator'),
    }
  }
  const signOut = async (cookie: string) => {
    const answer = await fetch(`${site.address}/sign-out`, { method: 'POST', headers: { cookie }, redirect: 'manual' })
    return answer.headers.get('location')
  }
  const signIn = async (name: string) => {
    const body = new URLSearchParams({ name })
    const answer = await fetch(`${site.address}/sign-in`, { method: 'POST', body, redirect: 'manual' })
    return {
      status: answer.status,
      text: await answer.text(),
      cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
    }
  }
  const seatFor = (title: string) => ({ status: 200, title, hasSeat: true })
  t.like(await get('/reports'), { status: 302, to: '/sign-in' })
  const ana = await signIn('ana')
  t.like(await get('/reports', ana.cookie), seatFor('Reports'))
  t.like(await get('/api/data', ana.cookie), { status: 200, text: '{"rows":3}' })
  const ben = await signIn('ben')
  t.is(ben.status, 503)
  t.regex(ben.text, /Its 1 seat is in use/)
  const root = await signIn('root')
  t.like(await get('/reports', root.cookie), { status: 302, to: '/admin' })
  t.like(await get('/admin/users', root.cookie), { status: 200, title: 'Users', isAdministrator: true })
  t.is((await get('/api/data', root.cookie)).status, 401)
  // The seat of a closed browser is free after the recycle, and who comes back has one again if it is there.
  t.is((await agent.ask('POST', '/sites/shop/recycle', {})).status, 200)
  const again = await signIn('ben')
  t.like(await get('/', again.cookie), seatFor('Home'))
  const without = await get('/', ana.cookie)
  t.is(without.status, 503)
  t.regex(without.text, /no free seat/)
  // Who has no seat, and who needs none, can leave as well.
  const eli = await signIn('eli')
  t.is(eli.status, 503)
  for (const { cookie } of [again, root]) t.is(await signOut(cookie), '/sign-in')
  t.like(await get('/admin', root.cookie), { status: 302, to: '/sign-in' })
  t.like(await get('/', ana.cookie), seatFor('Home'))
  t.like(await get('/', again.cookie), { status: 302, to: '/sign-in' })
  t.deepEqual(await site.kit.stop(), { kind: 'stopped' })
  t.is((await get('/', ana.cookie)).status, 302)
  await site.close()
  t.is((await agent.stop()).code, 0)
})
