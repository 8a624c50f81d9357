import test from 'ava'
import { DryRun } from '../agent/access-dry-run.ts'
import { AccessRules, refuseDenied, refuseLicenses, subjectOf } from '../agent/access-rules.ts'
import { Configuration } from '../agent/config/configuration.ts'
import { readRules } from '../agent/domain/access/parse.ts'
import { sessionRefused } from '../agent/domain/happenings.ts'
import { JournalSearch } from '../agent/journal-search.ts'
import { mostClients, RecentClients } from '../agent/recent-clients.ts'
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
  t.like(refuseLicenses(limited.licenses), {
    code: 'denied_by_rule',
    facts: { explanation: { managers: [], asked: [], rule: 'deny=ana,license:license-1' } },
  })
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

// ---- recent clients

function makeClients(writes = new ManualWrites(), clock = new ManualClock()) {
  const clients = new RecentClients({ writes, clock, timers: clock, self: () => ({ id: agentId }) })
  writes.load(clients)
  const note = (account: string, more: Partial<Parameters<RecentClients['note']>[0]> = {}) =>
    clients.note({
      agent: { id: otherId, name: 'ws-17' },
      address: '10.0.0.5',
      account,
      host: 'ws-17',
      product: 'acme/cad',
      outcome: 'granted',
      ...more,
    })
  const stored = () => [...writes.records.values()].map(({ value }) => (value as { account?: string }).account)
  return { clients, note, stored, writes, clock }
}

test('S6: recent clients are who asked and what came of it, the newest first, each once', (t) => {
  const { clients, note, clock } = makeClients()
  note('ana')
  note('bo')
  clock.advance(1000)
  note('ANA', { outcome: 'no_seats', product: 'acme/cam' })
  note('ana', { host: 'ws-18\u0007\u202e' })
  t.deepEqual(
    clients.list().map(({ account, host, outcome, product, at }) => [account, host, outcome, product, at]),
    [
      ['ana', 'ws-18', 'granted', 'acme/cad', clock.wall()],
      ['ANA', 'ws-17', 'no_seats', 'acme/cam', clock.wall()],
      ['bo', 'ws-17', 'granted', 'acme/cad', clock.wall() - 1000],
    ],
  )
})

test('recent clients are written once a minute and not with a request, and are there after a restart', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  let batches = 0
  const counted = writes.submit.bind(writes)
  writes.submit = (decide) => {
    batches += 1
    return counted(decide)
  }
  for (let count = 0; count < 500; count += 1) note(count % 2 === 0 ? 'ana' : 'bo')
  clock.advance(59_000)
  t.is(batches, 0)
  clock.advance(1000)
  t.is(batches, 1)
  await Promise.resolve()
  t.deepEqual(stored().sort(), ['ana', 'bo'])
  clock.advance(3_600_000)
  t.is(batches, 1)
  note('cleo')
  await clients.stop()
  t.is(batches, 2)
  t.deepEqual(
    makeClients(writes, clock)
      .clients.list()
      .map(({ account }) => account),
    ['cleo', 'bo', 'ana'],
  )
})

test('R1: recent clients that could not be written are written later, and are not lost when the records are read anew', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  note('ana')
  await clients.flush()
  note('bo')
  writes.holding = true
  clock.advance(60_000)
  note('cleo')
  writes.fail()
  t.deepEqual(
    clients.list().map(({ account }) => account),
    ['cleo', 'bo', 'ana'],
  )
  t.deepEqual(stored(), ['ana'])
  writes.holding = false
  await new Promise<void>((resolve) => setImmediate(resolve))
  clock.advance(60_000)
  t.deepEqual(stored(), ['ana', 'bo', 'cleo'])
})

test('the hundred newest of thirty days are kept, in memory and in the store', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  for (let count = 0; count < mostClients + 30; count += 1) note(`user${count}`)
  await clients.flush()
  t.is(clients.list().length, mostClients)
  t.is(stored().length, mostClients)
  t.is(clients.list().at(-1)?.account, 'user30')
  note('new')
  await clients.flush()
  t.is(stored().length, mostClients)
  t.false(stored().includes('user30'))
  clock.advance(20 * day)
  note('late')
  clock.advance(11 * day)
  t.deepEqual(
    clients.list().map(({ account }) => account),
    ['late'],
  )
  await clients.flush()
  t.deepEqual(stored(), ['late'])
  writes.records.set('client/x', { kind: 'client', key: 'x', value: { of: 'another version' } })
  const again = makeClients(writes, clock)
  t.is(again.clients.list().length, 1)
  await again.clients.flush()
  t.false(writes.records.has('client/x'))
})

test('S6, S14: each client comes with rules about its machine, address and user that can be taken as they are', (t) => {
  const { clients, note } = makeClients()
  note('ana', { agent: { id: agentId, name: 'here' } })
  note('Ana Ruiz', { email: 'ana@example.com' })
  const [remote, local] = clients.list()
  if (remote === undefined || local === undefined) return t.fail('they are missing')
  t.deepEqual(
    clients.rulesFor(remote).map(({ setting, about, text }) => [setting, about, text]),
    ['allow', 'deny'].flatMap((action) => [
      ['serving.rules', 'machine', `${action}=agent:${otherId} # ws-17`],
      ['serving.rules', 'address', `${action}=10.0.0.5`],
      ['users.rules', 'user', `${action}=ana@example.com`],
    ]),
  )
  t.deepEqual(
    clients.rulesFor(local).map(({ setting, text }) => [setting, text]),
    [
      ['users.rules', 'allow=ana@ws-17'],
      ['users.rules', 'deny=ana@ws-17'],
    ],
  )
  for (const { setting, text } of clients.rulesFor(remote))
    t.deepEqual(readRules(setting === 'serving.rules' ? 'machines' : 'users', [text]).problems, [])
})
