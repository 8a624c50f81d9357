import test, { type ExecutionContext } from 'ava'
import { buildAccess, clientViews, testProxy } from '../../../agent/agent-access.ts'
import { Configuration } from '../../../agent/config/configuration.ts'
import { checkedRules, proxyTest, recentClient } from '../../../agent/http/api/access-shapes.ts'
import { list, problem } from '../../../agent/http/api/shapes.ts'
import { MemoryAgent } from '../../helpers/memory-agent.ts'
import { blockOf, TestVendor } from '../../licenses/test-vendor.ts'
import type { AgentFixture } from '../agent-fixture.ts'
import { call, withAgent } from './api-call.ts'

const acme = new TestVendor('acme')
const other = `${'b'.repeat(42)}A`

/** The real owners over a store in memory, behind the interface. */
async function begin(t: ExecutionContext) {
  const memory = await MemoryAgent.start()
  const { writer, journal, self } = memory.parts
  const configuration = new Configuration({
    fixed: { environment: new Map(), file: new Map() },
    writes: writer,
    onTrouble: (what) => t.fail(what),
  })
  const pause = () => new Promise<void>((resolve) => setImmediate(resolve))
  const owners = buildAccess({
    configuration,
    writer,
    journal,
    clock: memory.clock,
    timers: memory.clock,
    pause,
    self: () => self,
  })
  t.teardown(async () => {
    await owners.clients.stop()
    await memory.stop()
  })
  const api = {
    rules: {
      check: (wish: Parameters<typeof owners.ruleCheck.check>[0], closed: () => AbortSignal) =>
        owners.ruleCheck.check(wish, closed),
    },
    recentClients: {
      list: () => {
        const items = clientViews(owners.clients)
        return { items, total: items.length }
      },
    },
    proxy: {
      test: (address: string | undefined, closed: () => AbortSignal) => testProxy(owners.proxy, address, closed),
    },
  }
  const use = <T>(task: (agent: AgentFixture) => Promise<T>) => withAgent({ api }, task)
  return { memory, configuration, owners, use }
}

test('S14: rules check says for somebody by which rule, in the order of a request', async (t) => {
  const { configuration, use } = await begin(t)
  await configuration.change(
    { 'serving.rules': ['deny=ws-9', 'allow=all'], 'users.rules': ['deny=bo,license:license-1', 'deny=ana@ws-17'] },
    'test',
  )
  await use(async (agent) => {
    const check = async (body: object) =>
      checkedRules.parse((await call(agent, 'POST', '/api/v1/rules/check', body)).body)
    t.deepEqual(await check({ subject: { user: { account: 'ana' }, product: 'acme/cad' } }), {
      outcome: 'denied',
      verdicts: [
        {
          list: 'users',
          outcome: 'denied',
          rule: 'deny=ana@ws-17',
          line: 2,
          detail: 'The rule “deny=ana@ws-17” (line 2 of User Restrictions) refuses this.',
        },
      ],
    })
    const remote = await check({ subject: { user: { account: 'ana' }, host: 'ws-3', agent: other } })
    t.is(remote.outcome, 'allowed')
    t.deepEqual(remote.verdicts, [
      { list: 'machines', outcome: 'allowed', rule: 'allow=all', line: 2 },
      { list: 'users', outcome: 'allowed' },
    ])
    const stranger = await check({ subject: { user: { account: 'ana' }, host: 'ws-9' } })
    t.deepEqual(
      stranger.verdicts?.map(({ list: which, outcome }) => [which, outcome]),
      [['machines', 'denied']],
    )
    const bo = await check({ subject: { user: { account: 'bo' } } })
    t.deepEqual(bo.verdicts?.[0]?.licenses, {
      kind: 'except',
      licenses: ['license-1'],
      rule: 'deny=bo,license:license-1',
    })
    t.is((await check({ subject: { user: { account: 'bo' }, license: 'license-1' } })).outcome, 'denied')
    t.is((await check({ subject: { user: { account: 'bo' } }, rules: { users: ['deny=bo'] } })).outcome, 'denied')
    t.deepEqual(await check({}), {})
  })
})

test('X14: rules check tries changed rules on the journal, and names each line that is wrong', async (t) => {
  const { memory, configuration, use } = await begin(t)
  await memory.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 5 }] })))
  await memory.seat({ user: { account: 'ana' }, host: 'ws-1' })
  await memory.seat({ user: { account: 'bo', email: 'bo@example.com' } })
  await use(async (agent) => {
    const body = { rules: { users: ['deny=@example.com'] }, dryRun: true, days: 7 }
    const { dryRun, verdicts } = checkedRules.parse((await call(agent, 'POST', '/api/v1/rules/check', body)).body)
    t.is(verdicts, undefined)
    t.like(dryRun, { requests: 2, complete: true, allowed: { count: 0, examples: [] } })
    t.is(dryRun?.refused.count, 1)
    t.like(dryRun?.refused.examples[0], {
      user: { account: 'bo', email: 'bo@example.com' },
      product: 'acme/cad',
      times: 1,
      rule: 'deny=@example.com',
      lastAt: new Date(memory.clock.wall()).toISOString(),
    })
    const wrong = await call(agent, 'POST', '/api/v1/rules/check', { rules: { users: ['deny=bo', 'deny bo', 'x'] } })
    t.is(wrong.status, 422)
    t.deepEqual(
      problem.parse(wrong.body).fields?.map(({ field, message }) => [field, message.slice(0, 16)]),
      [
        ['rules.users', 'line 2, column 6'],
        ['rules.users', 'line 3, column 1'],
      ],
    )
    t.is((await call(agent, 'POST', '/api/v1/rules/check', { days: 31 })).status, 422)
  })
  t.deepEqual(configuration.get('users.rules'), [])
})

test('S6: recent clients are listed with rules about them', async (t) => {
  const { owners, memory, use } = await begin(t)
  owners.clients.note({
    agent: { id: other, name: 'WS-3' },
    address: '::ffff:10.0.0.3',
    account: 'ana',
    host: 'WS-3',
    product: 'acme/cad',
    outcome: 'no_seats',
  })
  await use(async (agent) => {
    const { items } = list(recentClient).parse((await call(agent, 'GET', '/api/v1/recent-clients')).body)
    t.like(items[0], {
      agent: { id: other, name: 'WS-3' },
      user: { account: 'ana' },
      outcome: 'no_seats',
      at: new Date(memory.clock.wall()).toISOString(),
    })
    t.deepEqual(
      items[0]?.rules.filter(({ action }) => action === 'deny').map(({ text }) => text),
      [`deny=agent:${other} # WS-3`, 'deny=10.0.0.3', 'deny=ana@WS-3'],
    )
  })
})

test('B7: the proxy is tested as it is set, and without one only an address can be', async (t) => {
  const { configuration, use } = await begin(t)
  await use(async (agent) => {
    const none = await call(agent, 'POST', '/api/v1/proxy/test')
    t.is(none.status, 409)
    t.is(problem.parse(none.body).code, 'proxy_not_configured')
    const odd = await call(agent, 'POST', '/api/v1/proxy/test', { address: 'http://licenses.example.com' })
    t.is(odd.status, 422)
    const straight = await call(agent, 'POST', '/api/v1/proxy/test', { address: `localhost:${agent.port}` })
    t.like(proxyTest.parse(straight.body), { way: 'straight', good: true })
    await configuration.change({ 'network.proxy.url': `http://localhost:${agent.port}` }, 'test')
    const foreign = proxyTest.parse((await call(agent, 'POST', '/api/v1/proxy/test')).body)
    t.false(foreign.good)
    t.is(foreign.way, 'proxy')
    await configuration.change(
      { 'network.proxy.passwordFile': '/nowhere/password', 'network.proxy.user': 'ana' },
      'test',
    )
    const unreadable = proxyTest.parse((await call(agent, 'POST', '/api/v1/proxy/test')).body)
    t.deepEqual(
      unreadable.steps.map(({ step, outcome }) => [step, outcome]),
      [['password', 'failed']],
    )
  })
})
