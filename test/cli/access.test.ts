import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { exactTime } from '../../agent/cli/show.ts'
import { errorTable } from '../../agent/errors.ts'
import { refusal } from './fake-agent.ts'
import { answers, begin, instant, makeRoot, removeRoot } from './place.ts'

test.after.always(removeRoot)

const denied = {
  outcome: 'denied',
  verdicts: [
    { list: 'machines', outcome: 'allowed' },
    {
      list: 'users',
      outcome: 'denied',
      rule: 'deny=ana',
      line: 2,
      detail: 'The rule “deny=ana” (line 2 of User Restrictions) refuses this.',
    },
  ],
}
const side = (count: number, times = count) => ({
  count,
  examples:
    times === 0
      ? []
      : [
          {
            product: 'acme/cad',
            user: { account: 'bo' },
            host: 'ws-2',
            times,
            lastAt: instant,
            rule: 'deny=bo',
            line: 1,
          },
        ],
})
const report = {
  from: instant,
  until: instant,
  requests: 40,
  complete: false,
  forgotten: 3,
  refused: side(9, 7),
  allowed: side(0),
}

test('S14: rules check says who is allowed and why not, with the exit code of a refusal by a rule', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('POST /api/v1/rules/check', answers(denied))
  t.is(await run('rules', 'check', '--user', 'ana', '--host', 'ws-17', '--product', 'acme/cad'), 32)
  t.deepEqual(agent.asked[0]?.body, {
    subject: { user: { account: 'ana' }, host: 'ws-17', product: 'acme/cad' },
    dryRun: false,
  })
  t.is(
    io.stdout.text,
    'Allowed by the rules for machines: none of them fits.\nDenied by the rules for users: The rule “deny=ana” (line 2 of User Restrictions) refuses this.\n',
  )
  const limit = { kind: 'except', licenses: ['license-1'], rule: 'deny=*,license:license-1' }
  const verdict = { list: 'users', outcome: 'allowed', rule: 'allow=ana@*', line: 1, licenses: limit }
  agent.on('POST /api/v1/rules/check', answers({ outcome: 'allowed', verdicts: [verdict] }))
  io.stdout.text = ''
  t.is(await run('rules', 'check', '--user', 'ana@example.com', '--feature', 'x', '--license', 'license-2'), 0)
  t.like(agent.asked[1]?.body, { subject: { user: { email: 'ana@example.com' }, feature: 'x', license: 'license-2' } })
  t.is(
    io.stdout.text,
    'Allowed by the rules for users: “allow=ana@*”, line 1.\n  But not with seats of license-1, by “deny=*,license:license-1”.\n',
  )
})

test('X14: rules check tries the rules of a file on the last days', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(await makeRoot(), 'rules.txt')
  await writeFile(file, '# who\r\n\r\ndeny=bo\r\n')
  agent.on('POST /api/v1/rules/check', answers({ dryRun: report }))
  t.is(await run('rules', 'check', '--users', file, '--days', '7'), 0)
  t.deepEqual(agent.asked[0]?.body, { rules: { users: ['# who', '', 'deny=bo'] }, dryRun: true, days: 7 })
  t.regex(io.stdout.text, /^40 requests from /)
  t.true(io.stdout.text.includes(exactTime(instant)))
  t.regex(io.stdout.text, /^9 got a seat and would have been refused:$/m)
  t.regex(io.stdout.text, /^ +7 +bo +ws-2 +acme\/cad +2027-\d\d-\d\d \d\d:\d\d +deny=bo\nand 2 more$/m)
  t.regex(io.stdout.text, /^None was refused by a rule and would not have been\.$/m)
  t.regex(io.stderr.text, /more requests before that than can be looked at\.\nOf 3 of them/)
  const wrong = refusal('invalid_request', 'rules.users, line 1, column 5: …', {
    fields: [{ field: 'rules.users', message: 'line 1, column 5: there is “bo”, expected is = after deny' }],
  })
  agent.on('POST /api/v1/rules/check', wrong)
  io.given('deny bo')
  t.is(await run('rules', 'check', '--machines', '-'), 2)
  t.deepEqual(agent.asked[1]?.body, { rules: { machines: ['deny bo'] }, dryRun: true })
  t.true(io.stderr.text.includes('rules.users: line 1, column 5'))
})

test('rules check wants somebody or a file, and prints JSON as it came', async (t) => {
  const { agent, io, run } = await begin(t)
  t.is(await run('rules', 'check'), 2)
  t.is(await run('rules', 'check', '--users', '/nowhere/rules'), 4)
  t.is(agent.asked.length, 0)
  agent.on('POST /api/v1/rules/check', answers(denied))
  t.is(await run('rules', 'check', '--user', 'ana', '--json'), 32)
  t.is(io.stdout.text.trim().split('\n').at(-1), JSON.stringify(denied))
  t.is(await run('rules', 'check', '--dry-run', '--json'), 32)
  t.deepEqual(agent.asked[1]?.body, { dryRun: true })
})

test('S6: clients lists who asked lately, with a rule that keeps each out', async (t) => {
  const { agent, io, run } = await begin(t)
  const client = {
    id: 'client-1',
    agent: { id: 'agent-2', name: 'ws-3' },
    address: '10.0.0.3',
    user: { account: 'bo' },
    host: 'ws-3',
    product: 'acme/cad',
    outcome: 'no_seats',
    at: instant,
    rules: [
      { setting: 'users.rules', about: 'user', action: 'allow', text: 'allow=bo@ws-3' },
      { setting: 'users.rules', about: 'user', action: 'deny', text: 'deny=bo@ws-3' },
    ],
  }
  agent.on('GET /api/v1/recent-clients', answers({ items: [client], total: 1 }))
  t.is(await run('clients'), 0)
  t.regex(io.stdout.text, /bo +ws-3 +ws-3 +10\.0\.0\.3 +acme\/cad +no_seats +deny=bo@ws-3$/m)
  agent.on('GET /api/v1/recent-clients', answers({ items: [], total: 0 }))
  t.is(await run('clients'), 0)
  t.true(io.stderr.text.includes('There are no recent clients.'))
})

test('B7: proxy test prints each step, and fails where the proxy does', async (t) => {
  const { agent, io, run } = await begin(t)
  const steps = [
    { step: 'connect', outcome: 'good', detail: 'the connection was made' },
    { step: 'login', outcome: 'failed', detail: 'the proxy p:1 asks for a login (407)' },
  ]
  agent.on('POST /api/v1/proxy/test', answers({ way: 'proxy', good: false, steps, ms: 7 }))
  t.is(await run('proxy', 'test', 'licenses.example.com:1947'), 1)
  t.deepEqual(agent.asked[0]?.body, { address: 'licenses.example.com:1947' })
  t.is(
    io.stdout.text,
    'good  connect: the connection was made\nFAILED  login: the proxy p:1 asks for a login (407)\nIt does not work, through the proxy.\n',
  )
  agent.on('POST /api/v1/proxy/test', answers({ way: 'straight', good: true, steps: steps.slice(0, 1), ms: 7 }))
  t.is(await run('proxy', 'test'), 0)
  t.regex(io.stdout.text, /It works, without a proxy, in 7 ms\.\n$/)
  agent.on('POST /api/v1/proxy/test', refusal('proxy_not_configured', 'There is no proxy to be tested.'))
  t.is(await run('proxy', 'test'), 9)
  t.true(io.stderr.text.includes(errorTable.proxy_not_configured.help))
})
