import test from 'ava'
import type { ConnectionReport, Manager, SearchState } from '../../agent/http/api/manager-shapes.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { refusal } from './fake-agent.ts'
import { answers, begin, instant, removeRoot } from './place.ts'

test.after.always(removeRoot)

const manager: Manager = {
  id: 'agent-2',
  name: 'LIC-1',
  state: 'reachable',
  detail: '',
  addresses: [{ address: '10.0.0.5:1947', foundBy: ['broadcast'] }],
  foundBy: ['broadcast', 'configured'],
  version: '0.1.0',
  latency: 2.6,
  clockDifference: -125,
  lastSeenAt: instant,
  offers: [
    {
      product: 'acme/cad',
      seats: 5,
      used: 2,
      free: 3,
      anyProductFree: 0,
      waiting: 0,
      features: [],
      licenses: [],
      over: [],
    },
  ],
  actions: ['forget'],
}
const asker: Manager = {
  id: 'agent-3',
  name: 'WS-7\u001b[2J',
  state: 'asking',
  detail: '',
  approval: 'pending',
  addresses: [],
  foundBy: ['asked'],
  offers: [],
  actions: ['approve', 'forget'],
}

test('managers lists other agents with state, address, version, latency, clock difference and offers', async (t) => {
  const { agent, io, run } = await begin(t)
  const stopped: Manager = { ...manager, id: 'agent-4', name: 'LIC-2', state: 'refusing', code: 'serving_stopped' }
  agent.on('GET /api/v1/managers', answers({ items: [manager, stopped, asker], total: 3 }))
  t.is(await run('managers', '--product', 'acme/cad', '--state', 'reachable'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/managers?product=acme%2Fcad&state=reachable&limit=1000')
  const { text } = io.stdout
  t.regex(text, /^LIC-1 +reachable +10\.0\.0\.5:1947 +broadcast, configured +0\.1\.0 +3 ms +-2 min +acme\/cad 3\/5 /m)
  t.regex(text, /^LIC-2 +refuses \(serving_stopped\) /m)
  t.regex(text, /^WS-7\[2J +asks to be approved here +- +asked /m)
  agent.on('GET /api/v1/managers', answers({ items: [], total: 0 }))
  t.is(await run('managers'), 0)
  t.true(io.stderr.text.includes('leasehold search'))
})

test('an agent is approved and forgotten by its id, and one that is not known is said so', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('POST /api/v1/managers/agent-3/approve', answers({ ...asker, approval: 'approved' }))
  agent.on('POST /api/v1/managers/agent-3/forget', { status: 204 })
  agent.on('POST /api/v1/managers/agent-9/forget', refusal('unknown_peer', 'No agent agent-9 is known here.'))
  t.is(await run('managers', 'approve', 'agent-3'), 0)
  t.is(await run('managers', 'forget', 'agent-3'), 0)
  t.is(await run('managers', 'forget', 'agent-9'), 7)
  t.regex(io.stderr.text, /It may have seats from here now\.\nIt is forgotten\.\nleasehold: No agent agent-9/)
  io.stdout.text = ''
  t.is(await run('managers', 'approve', 'agent-3', '--json'), 0)
  t.like(JSON.parse(io.stdout.text), { approval: 'approved' })
})

const step = { foundBy: 'configured', addresses: 1, detail: '' } as const
const search: SearchState = {
  id: 'search-1',
  state: 'running',
  startedAt: instant,
  tried: 2,
  found: 0,
  steps: [
    { ...step, number: 1, address: '10.0.0.5:1947', step: 'connect', result: 'running' },
    { ...step, number: 2, address: '10.0.0.6:1947', step: 'connect', result: 'running' },
  ],
  notes: [],
}
const done: SearchState = {
  ...search,
  state: 'done',
  endedAt: instant,
  tried: 258,
  found: 1,
  steps: [
    {
      ...step,
      number: 1,
      address: '10.0.0.5:1947',
      step: 'answer',
      result: 'found',
      ms: 2.6,
      agent: { id: 'agent-2', name: 'LIC-1' },
    },
    { ...step, number: 2, address: '10.0.0.6:1947', step: 'connect', result: 'failed', detail: 'no answer within 2 s' },
    {
      ...step,
      number: 3,
      address: '10.1.2.0 to 10.1.2.255:1947',
      foundBy: 'sweep',
      step: 'connect',
      result: 'nothing',
      addresses: 256,
    },
    { ...step, number: 4, address: '10.0.0.9:1947', step: 'answer', result: 'self' },
  ],
  notes: ['Broadcast asks on eth0 (10.0.0.9).'],
}

test('search prints each step once when it has come out, then notes and what was found', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('POST /api/v1/search', answers(search, 202))
  let looks = 0
  const [first] = done.steps
  const between: SearchState = { ...search, steps: first === undefined ? [] : [first, ...search.steps.slice(1)] }
  agent.on('GET /api/v1/search', () => answers({ search: ++looks < 2 ? between : done }))
  let exit: number | undefined
  const running = run('search').then((code) => {
    exit = code
  })
  await waitFor('the end of the search', async () => {
    await io.clock.run(500)
    return exit !== undefined
  })
  await running
  t.is(exit, 0)
  t.is(
    io.stdout.text,
    [
      '10.0.0.5:1947  configured  found LIC-1 in 3 ms',
      '10.0.0.6:1947  configured  no agent (connect): no answer within 2 s',
      '10.1.2.0 to 10.1.2.255:1947  sweep  256 addresses, nothing answers',
      '10.0.0.9:1947  configured  is this agent',
      '',
    ].join('\n'),
  )
  t.is(io.stderr.text, 'Broadcast asks on eth0 (10.0.0.9).\n258 addresses tried, 1 agent found.\n')
})

test('a search that takes longer than --wait goes on in the agent, and --json prints what is known then', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('POST /api/v1/search', answers(search, 202))
  t.is(await run('search', '--wait', '0'), 0)
  t.true(io.stderr.text.includes('2 addresses tried, 0 agents found so far; the search goes on.'))
  t.is(agent.calls('GET /api/v1/search').length, 0)
  t.is(await run('search', '--wait', '0', '--json'), 0)
  t.deepEqual(JSON.parse(io.stdout.text), search)
})

test('test prints each step with what helps, and its exit code is 0 only if all of them passed', async (t) => {
  const { agent, io, run } = await begin(t)
  const steps: ConnectionReport['steps'] = [
    { step: 'name', outcome: 'passed', detail: 'The name stands for 10.0.0.5.', ms: 3 },
    {
      step: 'tcp',
      outcome: 'failed',
      detail: '10.0.0.5:1947: no answer within 2 s.',
      help: 'Ask the network administrator.',
      ms: 2000,
    },
    { step: 'clock', outcome: 'skipped', detail: '' },
  ]
  agent.on('POST /api/v1/managers/test', answers({ address: 'license.example', reached: false, steps }))
  t.is(await run('test', 'license.example'), 34)
  t.deepEqual(agent.asked[0]?.body, { address: 'license.example' })
  t.regex(io.stdout.text, /^Name +ok +3 ms +The name stands for 10\.0\.0\.5\.$/m)
  t.regex(io.stdout.text, /^TCP +FAILED +2000 ms +10\.0\.0\.5:1947: no answer/m)
  t.regex(io.stdout.text, /^Clock difference +- +- +-$/m)
  t.is(io.stderr.text, 'Ask the network administrator.\n')
  agent.on(
    'POST /api/v1/managers/test',
    answers({ address: 'license.example', reached: true, steps: steps.slice(0, 1) }),
  )
  t.is(await run('test', 'license.example'), 0)
  agent.on('POST /api/v1/managers/test', refusal('invalid_request', 'It can not be tested.'))
  t.is(await run('test', '10.0.0.300'), 2)
  t.is(await run('test'), 2)
})
