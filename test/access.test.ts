import test from 'ava'
import { DryRun } from '../agent/access-dry-run.ts'
import { AccessRules, permitOf, refuseDenied, subjectOf } from '../agent/access-rules.ts'
import { Configuration } from '../agent/config/configuration.ts'
import type { LicensePermit } from '../agent/domain/access/permit.ts'
import { sessionRefused } from '../agent/domain/happenings.ts'
import { JournalSearch } from '../agent/journal-search.ts'
import { ManualClock } from './helpers/manual-clock.ts'
import { ManualWrites } from './helpers/manual-writes.ts'
import { MemoryAgent } from './helpers/memory-agent.ts'
import { blockOf, TestVendor } from './licenses/test-vendor.ts'

const agentId = `${'a'.repeat(42)}A`
const otherId = `${'b'.repeat(42)}A`
const day = 86_400_000

function makeRules(writes = new ManualWrites()) {
  const configuration = new Configuration({
    fixed: { environment: new Map(), file: new Map() },
    writes,
    onTrouble: (what) => {
      throw new Error(what)
    },
  })
  writes.load(configuration)
  return { configuration, access: new AccessRules({ configuration }) }
}

// ---- rules

test('S6, S14: a change of the rules counts at once, and a denial names the rule and where it stands', async (t) => {
  const { configuration, access } = makeRules()
  const machine = { agent: agentId, name: 'ws-17', address: '10.0.0.5' }
  const user = { account: 'ana', host: 'ws-17', product: 'acme/cad' }
  t.deepEqual([access.machine(machine), access.user(user)], [{ kind: 'allowed' }, { kind: 'allowed' }])
  await configuration.change(
    {
      'serving.rules': ['# the lab', 'deny=10.0.0.0/24 # until May'],
      'users.rules': ['allow=ana@ws-17,product:acme/cam', 'deny=ana'],
    },
    'test',
  )
  t.deepEqual(access.machine(machine), {
    kind: 'denied',
    code: 'denied_by_rule',
    rule: 'deny=10.0.0.0/24',
    line: 2,
    detail: 'The rule “deny=10.0.0.0/24” (line 2 of Access from Remote Clients) refuses this.',
  })
  t.like(access.user(user), { kind: 'denied', rule: 'deny=ana', line: 2 })
  t.deepEqual(access.user({ ...user, product: 'acme/cam' }), {
    kind: 'allowed',
    rule: 'allow=ana@ws-17,product:acme/cam',
    line: 1,
  })
  await configuration.change({ 'serving.rules': null }, 'test')
  t.deepEqual(access.machine(machine), { kind: 'allowed' })
  t.is(access.user(user).kind, 'denied')
})

test('X1: the refusal of a denial explains the rule and tells nobody who holds the seats', async (t) => {
  const { configuration, access } = makeRules()
  await configuration.change({ 'users.rules': ['deny=ana,license:license-1', 'deny=bo # left'] }, 'test')
  const denied = access.user({ account: 'bo' })
  if (denied.kind !== 'denied') return t.fail('Bo is allowed')
  const refusal = refuseDenied(denied)
  t.is(refusal.code, 'denied_by_rule')
  t.deepEqual(refusal.facts?.explanation, { managers: [], asked: [], rule: 'deny=bo' })
  const limited = access.user({ account: 'ana' })
  if (limited.kind !== 'allowed' || limited.licenses === undefined) return t.fail('Ana is not limited')
  t.like(limited.licenses, { kind: 'except', licenses: ['license-1'] })
  t.like(permitOf(limited, ['license-1']), {
    code: 'denied_by_rule',
    facts: { explanation: { managers: [], asked: [], rule: 'deny=ana,license:license-1' } },
  })
  const permit = { kind: 'permitted', licenses: { kind: 'except', licenses: ['license-1'] } }
  t.deepEqual(permitOf(limited, ['license-1', 'license-2']), permit)
  t.deepEqual(permitOf(limited, []), permit)
  t.deepEqual(permitOf({ kind: 'allowed' }, ['license-1']), { kind: 'permitted' })
})

test('rules that this version can not read allow nobody until they are put right', async (t) => {
  const writes = new ManualWrites()
  writes.records.set('setting/users.rules', { kind: 'setting', key: 'users.rules', value: ['deny=later:x'] })
  const { configuration, access } = makeRules(writes)
  const verdict = access.user({ account: 'ana' })
  t.like(verdict, { kind: 'denied', code: 'denied_by_rule' })
  t.regex(verdict.kind === 'denied' ? verdict.detail : '', /users\.rules, line 1, column 6/)
  t.is(access.machine({ agent: agentId }).kind, 'allowed')
  await configuration.change({ 'users.rules': ['deny=bo'] }, 'test')
  t.is(access.user({ account: 'ana' }).kind, 'allowed')
})

test('X14: rules are tried out without being in force, a list that is not given as it is', async (t) => {
  const { configuration, access } = makeRules()
  await configuration.change({ 'serving.rules': ['deny=all'] }, 'test')
  const tried = access.tryOut({ users: ['deny=ana'] })
  if (tried.kind === 'refused') return t.fail(tried.detail)
  t.is(tried.judge.user({ account: 'ana' }).kind, 'denied')
  t.is(tried.judge.machine({}).kind, 'denied')
  t.is(access.user({ account: 'ana' }).kind, 'allowed')
  const wrong = access.tryOut({ users: ['deny=ana', 'deny ana'], machines: ['deny=ana@x'] })
  if (wrong.kind !== 'refused') return t.fail('wrong rules are tried out')
  t.is(wrong.code, 'invalid_request')
  t.deepEqual(
    ((wrong.facts?.fields ?? []) as { field: string }[]).map(({ field }) => field),
    ['rules.machines', 'rules.users'],
  )
})

test('who asks is seen by the rules as the application says, at this machine where it names none', (t) => {
  const who = { account: 'ana', address: '127.0.0.1', processId: 7, displayName: 'Ana' }
  t.deepEqual(subjectOf(who, { product: 'acme/cad', feature: 'x' }, { machine: 'ws-17' }), {
    account: 'ana',
    address: '127.0.0.1',
    host: 'ws-17',
    product: 'acme/cad',
    feature: 'x',
  })
  t.is(subjectOf({ host: 'ws-18' }, { product: 'acme/cad' }, { machine: 'ws-17', agent: agentId }).host, 'ws-18')
})

test('S14: seats come only from licenses that the rules permit, and stay so when sessions move', async (t) => {
  const agent = await MemoryAgent.start()
  t.teardown(() => agent.stop())
  const products = [{ name: 'cad', seats: 1 }]
  const first = await agent.install(blockOf(acme.license({ products })))
  const second = await agent.install(blockOf(acme.license({ products })))
  const { lessor, self } = agent.parts
  let count = 0
  const open = (licenses?: LicensePermit) =>
    lessor.open({
      id: `session-${++count}`,
      instance: self.id,
      holder: self.id,
      product: 'acme/cad',
      seats: 1,
      who: { account: `user${count}` },
      body: '',
      activity: 'heartbeat',
      waited: false,
      ...(licenses === undefined ? {} : { licenses }),
    })
  const licenseOf = (id: string) => lessor.view.grant(id)?.parts.map(({ supply }) => supply.split('/')[0])
  t.is((await open({ kind: 'only', licenses: [second] })).kind, 'granted')
  t.deepEqual(licenseOf('session-1'), [second])
  t.is((await open({ kind: 'only', licenses: [second] })).kind, 'short')
  t.is((await open({ kind: 'except', licenses: [first, second] })).kind, 'unknown_product')
  t.is((await open({ kind: 'except', licenses: [second] })).kind, 'granted')
  t.deepEqual(licenseOf('session-4'), [first])
  await lessor.end('session-4', 'released')
  // To make room the first one would have to move where it may not.
  t.is((await open({ kind: 'only', licenses: [second] })).kind, 'short')
  t.is((await open()).kind, 'granted')
  t.deepEqual([licenseOf('session-1'), licenseOf('session-6')], [[second], [first]])
})

// ---- the dry run

const acme = new TestVendor('acme')

async function makeJournal(t: import('ava').ExecutionContext) {
  const agent = await MemoryAgent.start()
  t.teardown(() => agent.stop())
  const license = await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 50 }] })))
  const { journal, writer } = agent.parts
  const make = (most?: number) =>
    new DryRun({
      search: new JournalSearch({ journal, newest: () => writer.head.sequence, most: 3 }),
      wall: () => agent.clock.wall(),
      self: () => agent.parts.self,
      ...(most === undefined ? {} : { most }),
    })
  const { access } = makeRules()
  const judge = (users: readonly string[], machines: readonly string[] = []) => {
    const tried = access.tryOut({ users, machines })
    if (tried.kind === 'refused') throw new Error(tried.detail)
    return tried.judge
  }
  const deny = (account: string, facts: { readonly agent?: string; readonly code?: string } = {}) =>
    writer.submit((transaction) => {
      const happening = sessionRefused({
        instance: agent.parts.self.id,
        product: 'acme/cad',
        seats: 1,
        who: { account, host: 'ws-9', address: '10.0.0.9' },
        code: facts.code ?? 'denied_by_rule',
      })
      const more = facts.agent === undefined ? {} : { agent: facts.agent }
      transaction.journal({ ...happening, facts: { ...happening.facts, ...more } })
    })
  return { agent, license, make, judge, deny }
}

test('X14: changed rules are tried on the last 30 days: which seats would have been refused, which refusals not', async (t) => {
  const { agent, license, make, judge, deny } = await makeJournal(t)
  await agent.seat({ user: { account: 'old' }, host: 'ws-0' })
  await agent.pass(31 * day)
  for (let count = 0; count < 3; count += 1) await agent.seat({ user: { account: 'bo' }, host: 'ws-2' })
  await agent.close(await agent.seat({ user: { account: 'ana', email: 'ana@example.com' }, host: 'ws-1' }))
  await deny('cleo')
  await deny('dora')
  await deny('dora', { code: 'no_seats' })
  const run = make()
  const report = await run.run(judge(['deny=@example.com', 'deny=bo', 'deny=old', 'deny=dora']))
  t.like(report, {
    requests: 7,
    complete: true,
    forgotten: 0,
    until: agent.clock.wall(),
    from: agent.clock.wall() - 30 * day,
  })
  t.is(report.refused.count, 4)
  t.deepEqual(
    report.refused.examples.map(({ account, host, times, rule, line }) => [account, host, times, rule, line]),
    [
      ['bo', 'ws-2', 3, 'deny=bo', 2],
      ['ana', 'ws-1', 1, 'deny=@example.com', 1],
    ],
  )
  t.is(report.allowed.count, 1)
  t.like(report.allowed.examples[0], { account: 'cleo', product: 'acme/cad', times: 1 })
  t.is((await run.run(judge([`deny=bo,license:${license}`]))).refused.count, 3)
  t.is((await run.run(judge(['deny=bo,license:license-other']))).refused.count, 0)
  agent.clock.advance(60_000)
  t.is((await run.run(judge(['deny=bo']), 30_000)).requests, 0)
})

test('X14: a request of another agent is tried on the rules for machines too', async (t) => {
  const { make, judge, deny } = await makeJournal(t)
  await deny('ana', { agent: otherId })
  await deny('bo')
  const { allowed } = await make().run(judge([], ['deny=10.0.0.0/8']))
  t.deepEqual(
    allowed.examples.map(({ account }) => account),
    ['bo'],
  )
  t.is((await make().run(judge([], [`allow=agent:${otherId}`, 'deny=all']))).allowed.count, 2)
  t.is((await make().run(judge(['deny=@localhost', `deny=ana@agent:${otherId}`]))).allowed.count, 1)
})

test('X14: a journal that is too long is tried as far back as it is looked at, and the report says so', async (t) => {
  const { make, judge, deny } = await makeJournal(t)
  for (let count = 0; count < 20; count += 1) await deny(`user${count}`)
  const report = await make(8).run(judge([]))
  t.false(report.complete)
  t.true(report.requests >= 8 && report.requests < 12)
  t.true(report.allowed.examples.some(({ account }) => account === 'user19'))
  t.is((await make().run(judge([]))).allowed.count, 20)
})

test('X14: what was forgotten is counted, one run goes on after another, and one whose asker is gone ends', async (t) => {
  const clock = new ManualClock()
  const at = clock.wall()
  const entry = { sequence: 1, at, instance: 'i', type: 'session.opened', facts: { product: 'acme/cad' }, hash: '' }
  const waiting: (() => void)[] = []
  let running = 0
  const dryRun = new DryRun({
    search: {
      page: async () => {
        running += 1
        t.is(running, 1)
        await new Promise<void>((resolve) => void waiting.push(resolve))
        running -= 1
        return { entries: [{ ...entry, personal: { hash: 'h' } }], older: undefined, looked: 1 }
      },
    },
    wall: () => clock.wall(),
    self: () => ({ id: agentId }),
  })
  const { access } = makeRules()
  const gone = new AbortController()
  const runs = [dryRun.run(access), dryRun.run(access, undefined, gone.signal), dryRun.run(access)]
  gone.abort(new Error('the asker is gone'))
  await t.throwsAsync(
    async () => {
      while (waiting.length === 0) await Promise.resolve()
      waiting.shift()?.()
      await runs[1]
    },
    { message: 'the asker is gone' },
  )
  while (waiting.length === 0) await Promise.resolve()
  waiting.shift()?.()
  for (const report of [await runs[0], await runs[2]]) t.like(report, { requests: 1, forgotten: 1 })
})
