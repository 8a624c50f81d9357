import test from 'ava'
import fc from 'fast-check'
import { clean, cleanLines, escapeJson, exactTime, widthOf } from '../../agent/cli/show.ts'
import { layOut } from '../../agent/cli/table.ts'
import { refusal } from './fake-agent.ts'
import {
  answers,
  begin,
  computer,
  instant,
  licenseDetails,
  product,
  refusedSeat,
  removeRoot,
  session,
  status,
} from './place.ts'

test.after.always(removeRoot)

// ---- what is printed

test('--json prints the answer of the agent, letter for letter', async (t) => {
  const { agent, io, run } = await begin(t)
  const list = { items: [product], total: 1 }
  agent.on('GET /api/v1/status', answers(status))
  agent.on('GET /api/v1/products', answers(list))
  agent.on('GET /api/v1/licenses/license-1', answers(licenseDetails))
  for (const [words, value] of [
    ['status', status],
    ['products', list],
    ['licenses show license-1', licenseDetails],
  ] as const) {
    io.stdout.text = ''
    t.is(await run(...words.split(' '), '--json'), 0)
    t.is(io.stdout.text, `${JSON.stringify(value)}\n`)
  }
})

test('status says which agent it is, what is the matter, and how many seats are free', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/status', answers(status))
  agent.on('GET /api/v1/products', answers({ items: [product], total: 1 }))
  const problem = {
    code: 'no_password',
    severity: 'warning',
    title: 'No password',
    text: 'Anyone may change settings.',
  }
  agent.on('GET /api/v1/health', answers({ state: 'warning', problems: [problem] }))
  t.is(await run('status'), 0)
  for (const part of [
    'ws-17, version 0.1.0',
    'http://localhost:1947',
    'pid 42',
    '/var/lib/leasehold',
    'warning: No password. Anyone',
  ])
    t.true(io.stdout.text.includes(part), part)
  t.regex(io.stdout.text, /^acme\/cad +CAD +5 +2 +3\+1 +0 +render +ws-17$/m)
  t.false(io.stdout.text.includes('\u001b'))
})

test('a table has bold headings at a terminal only, and not where NO_COLOR is set', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/products', answers({ items: [product], total: 1 }))
  io.atTerminal()
  await run('products')
  t.true(io.stdout.text.startsWith('\u001b[1mPRODUCT'))
  io.env.NO_COLOR = '1'
  io.stdout.text = ''
  await run('products')
  t.true(io.stdout.text.startsWith('PRODUCT'))
})

test('a list is read to its end; with --limit one page and how to go on', async (t) => {
  const { agent, io, run } = await begin(t)
  const pages: Readonly<Record<string, unknown>> = {
    none: { items: [session], total: 3, next: 'two' },
    two: { items: [{ ...session, id: 'session-2' }], total: 3, next: 'three' },
    three: { items: [{ ...session, id: 'session-3' }], total: 3 },
  }
  agent.on('GET /api/v1/sessions', ({ url }) =>
    answers(pages[new URLSearchParams(url.split('?')[1]).get('cursor') ?? 'none']),
  )
  t.is(await run('sessions', '--user', 'ana', '--state', 'active'), 0)
  t.deepEqual(io.stdout.text.match(/session-\d/g), ['session-1', 'session-2', 'session-3'])
  t.true(agent.asked.every(({ url }) => url.includes('user=ana&') && url.includes('state=active&')))
  io.stdout.text = ''
  t.is(await run('sessions', '--limit', '1'), 0)
  t.deepEqual(io.stdout.text.match(/session-\d/g), ['session-1'])
  t.true(io.stderr.text.includes('1 of 3; more with --cursor two'))
})

test('an empty list says so and what to do, and is no failure', async (t) => {
  const { agent, io, run } = await begin(t)
  for (const name of ['products', 'licenses', 'sessions', 'computers', 'journal']) {
    agent.on(`GET /api/v1/${name}`, answers({ items: [], total: 0 }))
    io.stderr.text = ''
    t.is(await run(name), 0)
    t.is(io.stdout.text, '')
    t.regex(io.stderr.text, /^(There are no|No license)/)
  }
})

test('hostile names are printed harmless, in tables, messages and JSON', async (t) => {
  const { agent, io, run } = await begin(t)
  const hostile = 'a\u001b[2Jb\u009bmc\nd\r\u202ee\u2066f\u0007'
  agent.on(
    'GET /api/v1/sessions',
    answers({ items: [{ ...session, host: hostile, user: { account: hostile } }], total: 1 }),
  )
  agent.on('DELETE /api/v1/licenses/x', refusal('unknown_license', hostile))
  io.atTerminal()
  io.env.NO_COLOR = '1'
  t.is(await run('sessions'), 0)
  t.is(await run('licenses', 'remove', 'x'), 17)
  t.true(io.stdout.text.includes(' a[2Jbmcdef '))
  t.is(io.stdout.text.split('\n').length, 3)
  const risky = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u
  t.notRegex(io.stdout.text, risky)
  t.notRegex(io.stderr.text, risky)
  io.stdout.text = ''
  t.is(await run('sessions', '--json'), 0)
  t.notRegex(io.stdout.text, risky)
  const printed = JSON.parse(io.stdout.text) as { items: (typeof session)[] }
  t.is(printed.items[0]?.host, hostile)
})

test('cleaning leaves nothing that a terminal acts on, and escaped JSON means the same', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      t.notRegex(clean(text), /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u)
      t.notRegex(cleanLines(text), /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u)
      t.deepEqual(JSON.parse(escapeJson(JSON.stringify({ text }))), { text })
      t.notRegex(escapeJson(JSON.stringify(text)), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
    }),
  )
})

test('columns are aligned whatever is in them', (t) => {
  const columns = [
    { title: 'a', cell: ([name]: readonly [string, number]) => name },
    { title: 'b', right: true, cell: ([, number]: readonly [string, number]) => number },
  ]
  t.deepEqual(
    layOut(columns, [
      ['日本', 5],
      ['e\u0301', 12],
      ['', 3],
    ]),
    ['A      B', '日本   5', 'e\u0301     12', '-      3'],
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer())), (rows) => {
      const widths = new Set(layOut(columns, rows).map(widthOf))
      t.is(widths.size, 1)
    }),
  )
})

// ---- who uses what, and who got nothing

test('computers lists machines with their users, by the filters, and what is used at each', async (t) => {
  const { agent, io, run } = await begin(t)
  const { host: _, ...nameless } = computer
  agent.on('GET /api/v1/computers', answers({ items: [computer, nameless], total: 2 }))
  t.is(await run('computers', '--product', 'acme/cad', '--user', 'ana', '--host', 'ws'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/computers?product=acme%2Fcad&user=ana&host=ws&limit=1000')
  t.regex(io.stdout.text, /^ws-ana +ana +2 +3 +2 × acme\/cad, acme\/cad render +2027-\d\d-\d\d \d\d:\d\d$/m)
  t.regex(io.stdout.text, /^127\.0\.0\.1 +ana /m)
})

test('X1: why says who asked in vain, what was said, who had the seats, when one was due, and what helps', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/refusals', answers({ items: [refusedSeat], total: 1 }))
  t.is(await run('why', '--product', 'acme/cad', '--user', 'bo'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/refusals?product=acme%2Fcad&user=bo&limit=5')
  t.deepEqual(io.stdout.text.split('\n'), [
    `${exactTime(instant)}, 3 times since ${exactTime(refusedSeat.firstAt)}: Bo Lind on ws-bo with CAD 7 asked for 2 seats of acme/cad with feature render.`,
    '  2 of 2 seats of acme/cad with feature render are in use.',
    '  ws-17: 2 of 2 seats of acme/cad in use',
    `    Ana Ruiz on ws-ana, 2 seats, since ${exactTime(instant)}`,
    `  The next seat is due at ${exactTime('2027-01-04T08:10:00.000Z')}.`,
    '  Wait, or ask a holder.',
    '  (no_seats)',
    '',
  ])
})

test('why tells of a refusal before a restart what is known: its kind, the rule, and what helps', async (t) => {
  const { agent, io, run } = await begin(t)
  const { id, product, lastAt, firstAt, help } = refusedSeat
  const rest = { id, product, seats: 1, times: 1, firstAt, lastAt, user: {}, help }
  const denied = { ...rest, code: 'denied_by_rule', title: 'A rule denies this', rule: 'deny cad bo' }
  const idle = { ...rest, id: 'refusal-2', code: 'license_not_active', title: 'The license is not active' }
  agent.on('GET /api/v1/refusals', answers({ items: [denied, idle], total: 9, next: '2' }))
  t.is(await run('why', '--limit', '2'), 0)
  for (const part of [
    'Somebody asked for 1 seat of acme/cad.\n  A rule denies this.\n  The rule: deny cad bo\n',
    '\n\n',
  ])
    t.true(io.stdout.text.includes(part), part)
  t.true(io.stdout.text.endsWith('  Activate it with: leasehold licenses activate ID\n  (license_not_active)\n'))
  t.is(io.stderr.text, '2 of 9; more with --cursor 2\n')
})

test('why prints the JSON as it came, and says so where nothing was refused', async (t) => {
  const { agent, io, run } = await begin(t)
  const list = { items: [refusedSeat], total: 1 }
  agent.on('GET /api/v1/refusals', answers(list))
  t.is(await run('why', '--json'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/refusals')
  t.is(io.stdout.text, `${JSON.stringify(list)}\n`)
  agent.on('GET /api/v1/refusals', answers({ items: [], total: 0 }))
  io.stdout.text = ''
  t.is(await run('why'), 0)
  t.is(io.stdout.text, '')
  t.is(io.stderr.text, 'No such seat was refused lately.\n')
})

// ---- journal

test('the journal is printed by its filters, or whole in a format', async (t) => {
  const { agent, io, run } = await begin(t)
  const line = {
    sequence: 7,
    at: instant,
    instance: 'agent-1',
    type: 'session.opened',
    facts: { product: 'acme/cad' },
    personal: { user: 'ana' },
    hash: 'h',
  }
  agent.on('GET /api/v1/journal', ({ url }) =>
    url.includes('format=') ? { status: 200, lines: '{"sequence":7}\n' } : answers({ items: [line], total: 1 }),
  )
  t.is(await run('journal', '--type', 'session', '--from', '1', '--to', '9', '--order', 'oldest-first'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/journal?type=session&from=1&to=9&order=oldest-first&limit=50')
  t.regex(io.stdout.text, /^ 7 +2027-\d\d-\d\d \d\d:\d\d +session\.opened +user=ana product=acme\/cad$/m)
  io.stdout.text = ''
  t.is(await run('journal', 'list', '--format', 'ndjson'), 0)
  t.is(io.stdout.text, '{"sequence":7}\n')
  agent.on('GET /api/v1/journal', refusal('sign_in_needed', 'This asks for the administrator.'))
  t.is(await run('journal', '--format', 'csv'), 6)
})

test('journal verify says good with what was checked, or where the chain breaks', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/journal/verify', answers({ kind: 'good', entries: 12, head: 'abc' }))
  t.is(await run('journal', 'verify'), 0)
  t.is(io.stdout.text, 'The journal is good: 12 entries, head abc.\n')
  agent.on('GET /api/v1/journal/verify', answers({ kind: 'broken', sequence: 5, reason: 'altered' }))
  t.is(await run('journal', 'verify'), 36)
  t.true(io.stderr.text.includes('at entry 5: altered'))
  io.stdout.text = ''
  t.is(await run('journal', 'verify', '--json'), 36)
  t.is(io.stdout.text, '{"kind":"broken","sequence":5,"reason":"altered"}\n')
})
