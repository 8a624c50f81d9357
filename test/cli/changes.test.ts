import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import { refusal } from './fake-agent.ts'
import {
  answers,
  begin,
  entry,
  fingerprint,
  instant,
  licenseDetails,
  makeIo,
  makeRoot,
  patience,
  removeRoot,
} from './place.ts'

test.after.always(removeRoot)

// ---- licenses

test('a license of a vendor that is new here needs the fingerprint: from --trust, in any notation', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(await makeRoot(), 'license.txt')
  await writeFile(file, 'the license')
  agent.on('POST /api/v1/licenses', ({ body }) =>
    (body as { trust?: boolean }).trust
      ? answers(licenseDetails, 201)
      : refusal('untrusted_vendor', 'The vendor “acme” is new here.', { vendor: 'acme', fingerprint }),
  )
  t.is(await run('licenses', 'add', file), 25)
  t.true(io.stderr.text.includes(`Fingerprint: ${fingerprint}\n`))
  t.true(io.stderr.text.includes('--trust FINGERPRINT'))
  t.is(await run('licenses', 'add', file, '--trust', '00000-00000-00000-00000'), 25)
  t.false(agent.asked.some(({ body }) => (body as { trust: boolean }).trust))
  t.is(io.stdout.text, '')
  t.is(await run('licenses', 'add', file, '--trust', 'odirr 7x3ab9kzq2mn45t'), 0)
  t.true(io.stdout.text.includes('License license-1 of acme is installed: not_activated.'))
  t.true(io.stdout.text.includes('leasehold licenses activate license-1'))
})

test('a terminal is asked whether to trust a vendor, and only yes is yes', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(await makeRoot(), 'license-at-terminal.txt')
  await writeFile(file, 'the license')
  agent.on('POST /api/v1/licenses', ({ body }) =>
    (body as { trust?: boolean }).trust
      ? answers(licenseDetails, 201)
      : refusal('untrusted_vendor', `The key has the fingerprint ${fingerprint}.`, { vendor: 'acme', fingerprint }),
  )
  io.atTerminal()
  for (const [typed, exit] of [
    ['y\r', 9],
    ['\u0003', 130],
    ['yess\u007f\r', 0],
  ] as const) {
    io.stderr.text = ''
    const running = run('licenses', 'add', file)
    await waitFor('the question', () => io.stderr.text.includes('Type yes: '), patience)
    t.true(io.stderr.text.includes(fingerprint))
    io.stdin.write(typed)
    t.is(await running, exit, typed)
    t.false(io.stdin.raw)
  }
  io.stdin.isTTY = false
  io.given('the license')
  t.is(await run('licenses', 'add', '-'), 25)
  t.deepEqual(agent.asked.at(-1)?.body, { text: 'the license', trust: false })
})

test('a license is shown with everything in it, or as its block alone', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/licenses/license-1', answers(licenseDetails))
  t.is(await run('licenses', 'show', 'license-1'), 0)
  for (const part of [
    fingerprint,
    'machine (differs)',
    'needed: leasehold licenses activate',
    'render (at most 2)',
    'never',
  ])
    t.true(io.stdout.text.includes(part), part)
  io.stdout.text = ''
  t.is(await run('licenses', 'show', 'license-1', '--text'), 0)
  t.is(io.stdout.text, licenseDetails.text)
})

test('the request for an activation is printed or written, and the answer taken in', async (t) => {
  const { agent, io, run } = await begin(t)
  const request = '-----BEGIN LEASEHOLD ACTIVATION REQUEST-----\nabc\n-----END LEASEHOLD ACTIVATION REQUEST-----\n'
  agent.on('POST /api/v1/licenses/license-1/activation-request', answers({ request }))
  t.is(await run('licenses', 'activate', 'license-1'), 0)
  t.is(io.stdout.text, request)
  const file = path.join(await makeRoot(), 'request.txt')
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--out', file), 0)
  t.is(await readFile(file, 'utf8'), request)
  t.is(io.stdout.text, `The activation request is in ${file}.\n`)
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--json', '--out', file), 0)
  t.is(io.stdout.text, `${JSON.stringify({ request })}\n`)
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--out', path.join(await makeRoot(), 'no', 'folder')), 4)
  t.is(io.stdout.text, request)

  const done = {
    type: 'activation',
    license: 'license-1',
    summary: 'Activation 1.',
    effect: 'Binds it.',
    applied: true,
  }
  agent.on('POST /api/v1/documents', answers({ documents: [done] }))
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', '--answer', file), 0)
  t.deepEqual(agent.asked.at(-1)?.body, { text: request, apply: true })
  t.is(io.stdout.text, 'Activation 1.\n  Done: Binds it.\n')
  agent.on('POST /api/v1/documents', refusal('wrong_recipient', 'It is for another machine.'))
  t.is(await run('licenses', 'activate', '--answer', file), 16)
  t.is(await run('licenses', 'activate', '--answer', path.join(await makeRoot(), 'nothing')), 4)
  t.true(io.stderr.text.includes('there is no such file or folder'))
})

test('documents says what each block is, does it only when asked to, and ends with the code of what was refused', async (t) => {
  const { agent, io, run } = await begin(t)
  const documents = [
    { type: 'license', summary: 'A license.', effect: 'Installs it.', fingerprint, applied: false },
    {
      type: 'activation',
      summary: 'An activation.',
      effect: 'Binds it.',
      applied: false,
      refused: { code: 'already_applied', detail: 'It is applied.' },
    },
  ]
  agent.on('POST /api/v1/documents', answers({ documents }))
  io.given('two blocks')
  t.is(await run('documents', '-'), 23)
  t.deepEqual(agent.asked[0]?.body, { text: 'two blocks', apply: false })
  t.is(
    io.stdout.text,
    `A license.\n  Installs it.\n  Signed with the key ${fingerprint}.\nAn activation.\n  Refused: It is applied. (already_applied)\n`,
  )
})

test('deactivating gives the receipt, or says until when seats are out and that this is no success', async (t) => {
  const { agent, io, run } = await begin(t)
  const call = 'POST /api/v1/licenses/license-1/deactivate'
  agent.on(call, answers({ state: 'deactivating', freeAt: instant }, 202))
  t.is(await run('licenses', 'deactivate', 'license-1'), 8)
  t.is(io.stdout.text, '')
  t.true(io.stderr.text.includes('still in use'))
  agent.on(call, answers({ receipt: 'the receipt' }))
  t.is(await run('licenses', 'deactivate', 'license-1', '--confirm-overlap'), 0)
  t.is(io.stdout.text, 'the receipt\n')
  t.deepEqual(agent.asked.at(-1)?.body, { confirmOverlap: true })
})

test('disconnect tells an end from an ending from an overlap', async (t) => {
  const { agent, io, run } = await begin(t)
  const call = 'POST /api/v1/sessions/session-1/disconnect'
  for (const [value, said] of [
    [{ ended: 'confirmed', freeAt: instant }, 'has ended'],
    [{ ended: 'ending', freeAt: instant }, 'at the latest at'],
    [{ ended: 'ending', freeAt: instant, overlap: { seats: 1, until: instant } }, '1 seat may be in use beyond'],
  ] as const) {
    agent.on(call, answers(value))
    io.stdout.text = ''
    t.is(await run('disconnect', 'session-1', '--free-now'), 0)
    t.true(io.stdout.text.includes(said), io.stdout.text)
  }
  t.deepEqual(agent.asked.at(-1)?.body, { freeNow: true })
})

// ---- configuration and password

const entries = [
  entry('session.idleMinutes', 'number', 720, { unit: 'minutes' }),
  entry('agent.name', 'text', null),
  entry('remote.allow', 'switch', true),
  entry('remote.search', 'lines', ['10.0.0.1', 'host']),
  entry('network.port', 'number', 1947, { restart: true, source: 'administrator' }),
  entry('mail.password', 'secret', null),
]

test('config prints all settings, or the value of one alone', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/configuration', answers({ entries }))
  t.is(await run('config', '--section', 'basic'), 0)
  t.is(agent.asked[0]?.url, '/api/v1/configuration?section=basic')
  t.regex(io.stdout.text, /^session\.idleMinutes +720 minutes +default$/m)
  for (const [name, printed] of [
    ['session.idleMinutes', '720\n'],
    ['remote.search', '10.0.0.1\nhost\n'],
    ['agent.name', '\n'],
  ] as const) {
    io.stdout.text = ''
    t.is(await run('config', 'get', name), 0)
    t.is(io.stdout.text, printed)
  }
  io.stdout.text = ''
  t.is(await run('config', 'get', 'network.port', '--json'), 0)
  t.deepEqual(JSON.parse(io.stdout.text), entries[4])
  t.is(await run('config', 'get', 'frob'), 2)
})

test('config set sends the value in the type of the setting, unset takes it back, validate changes nothing', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/configuration', answers({ entries }))
  agent.on('PUT /api/v1/configuration', answers({ entries }))
  agent.on('POST /api/v1/configuration/validate', { status: 204 })
  const sent = async (...words: string[]): Promise<unknown> => {
    t.is(await run('config', ...words), 0, words.join(' '))
    return agent.asked.at(-1)?.body
  }
  t.deepEqual(await sent('set', 'session.idleMinutes', '30'), { 'session.idleMinutes': 30 })
  t.deepEqual(await sent('set', 'session.idleMinutes', '--', '-5'), { 'session.idleMinutes': -5 })
  t.deepEqual(await sent('set', 'session.idleMinutes', 'many'), { 'session.idleMinutes': 'many' })
  t.deepEqual(await sent('set', 'agent.name', '17'), { 'agent.name': '17' })
  t.deepEqual(await sent('set', 'remote.allow', 'Off'), { 'remote.allow': false })
  t.deepEqual(await sent('set', 'remote.search', 'a', 'b'), { 'remote.search': ['a', 'b'] })
  t.deepEqual(await sent('set', 'remote.search'), { 'remote.search': [] })
  t.deepEqual(await sent('set', 'detach.products.acme/cad.maxDays', '30'), { 'detach.products.acme/cad.maxDays': 30 })
  t.deepEqual(await sent('unset', 'agent.name'), { 'agent.name': null })
  io.stdout.text = ''
  await sent('set', 'network.port', '1950')
  t.is(io.stdout.text, 'network.port is 1947 now (from: administrator). It counts from the next start on.\n')
  const changes = agent.calls('PUT /api/v1/configuration').length
  t.deepEqual(await sent('validate', 'session.idleMinutes', '30'), { 'session.idleMinutes': 30 })
  t.is(agent.calls('PUT /api/v1/configuration').length, changes)
  for (const words of [
    ['set', 'frob', '1'],
    ['set', 'agent.name'],
    ['set', 'agent.name', 'a', 'b'],
  ])
    t.is(await run('config', ...words), 2, words.join(' '))
})

test('every wrong field of a setting is listed', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/configuration', answers({ entries }))
  const fields = [{ field: 'session.idleMinutes', message: 'wants a whole number' }]
  agent.on('PUT /api/v1/configuration', refusal('invalid_request', 'It can not be used.', { fields }))
  t.is(await run('config', 'set', 'session.idleMinutes', '1'), 2)
  t.true(io.stderr.text.includes('  session.idleMinutes: wants a whole number\n'))
})

test('config import says what a file would change and what is left out, and changes it with --apply', async (t) => {
  const { agent, io, run } = await begin(t)
  const lines = [{ line: 2, written: 'name = WS-17' }]
  const imported = {
    settings: [
      { name: 'agent.name', label: 'Machine Name', from: '', to: 'WS-17', changes: true, lines },
      { name: 'remote.allow', label: 'Allow', from: true, to: true, changes: false, lines },
    ],
    leftOut: [{ line: 3, written: 'pidfile = 0', reason: 'one_log', text: 'There is nothing for it.' }],
  }
  agent.on('POST /api/v1/configuration/import', answers({ applied: false, ...imported }))
  io.given('[SERVER]\nname = WS-17\npidfile = 0\n')
  t.is(await run('config', 'import', '-'), 0)
  t.deepEqual(agent.asked.at(-1)?.body, { text: '[SERVER]\nname = WS-17\npidfile = 0\n', apply: false })
  t.deepEqual(io.stdout.text.split('\n').slice(0, -1), [
    'agent.name: nothing -> WS-17',
    'remote.allow: is true already',
    'line 3, pidfile = 0: left out. There is nothing for it.',
    '1 setting would change. Nothing is changed yet: add --apply.',
  ])
  t.is(await run('config', 'import', '/no/such/hasplm.ini'), 4)
})

test('config import --apply changes the settings, and a file of something else is refused', async (t) => {
  const { agent, io, run } = await begin(t)
  io.given('[SERVER]')
  const lines = [{ line: 2, written: 'name = WS-17' }]
  const settings = [{ name: 'agent.name', label: 'Machine Name', from: '', to: 'WS-17', changes: true, lines }]
  agent.on('POST /api/v1/configuration/import', answers({ applied: true, settings, leftOut: [] }))
  t.is(await run('config', 'import', '-', '--apply'), 0)
  t.deepEqual(agent.asked.at(-1)?.body, { text: '[SERVER]', apply: true })
  t.regex(io.stdout.text, /1 setting is changed\.\n$/)
  const other = await begin(t)
  other.io.given('Dear Ana')
  other.agent.on('POST /api/v1/configuration/import', refusal('invalid_request', 'There is nothing in it.'))
  t.is(await other.run('config', 'import', '-'), 2)
})

test('a secret setting is read from standard input and never taken as an argument', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/configuration', answers({ entries }))
  agent.on('PUT /api/v1/configuration', answers({ entries }))
  t.is(await run('config', 'set', 'mail.password', 'geheim'), 2)
  t.is(agent.calls('PUT /api/v1/configuration').length, 0)
  io.given('geheim\n')
  t.is(await run('config', 'set', 'mail.password'), 0)
  t.deepEqual(agent.asked.at(-1)?.body, { 'mail.password': 'geheim' })
  t.false(`${io.stdout.text}${io.stderr.text}`.includes('geheim'))
})

const signedIn = answers({ expiresAt: instant, idleSeconds: 3600 })

test('a password is asked for twice at a terminal and not shown; two that differ change nothing', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('PUT /api/v1/password', signedIn)
  await writeFile(path.join(io.env.LEASEHOLD_DATA ?? '', 'cli.key'), 'key-of-this-agent\n')
  io.atTerminal()
  const type = async (question: string, typed: string): Promise<void> => {
    await waitFor(question, () => io.stderr.text.endsWith(question), patience)
    t.true(io.stdin.raw)
    io.stdin.write(typed)
  }
  const first = run('password')
  await type('New password: ', 'correct horsx\u007fe\r')
  await type('New password again: ', 'correct horse\r')
  t.is(await first, 0)
  t.deepEqual(agent.asked[0]?.body, { password: 'correct horse' })
  t.is(agent.asked[0]?.headers.authorization, 'Bearer key-of-this-agent')
  t.false(io.stderr.text.includes('correct'))

  // typed ahead, in one piece
  const second = run('password')
  await type('New password: ', 'one password\ranother password\r')
  t.is(await second, 2)
  t.is(agent.asked.length, 1)
  const third = run('password')
  await type('New password: ', '\u0003')
  t.is(await third, 130)
  t.false(io.stdin.raw)
})

test('without the key the present password is asked for, at a terminal and on standard input', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('PUT /api/v1/password', signedIn)
  io.atTerminal()
  const running = run('password')
  await waitFor('the question', () => io.stderr.text.endsWith('(nothing, if none is set): '), patience)
  io.stdin.write('old password\rnew password\rnew password\r')
  t.is(await running, 0)
  t.deepEqual(agent.asked.at(-1)?.body, { current: 'old password', password: 'new password' })
  for (const [given, body] of [
    ['new password\n', { password: 'new password' }],
    ['old password\r\nnew password\r\n', { current: 'old password', password: 'new password' }],
  ] as const) {
    const other = await makeIo()
    other.env.LEASEHOLD_NETWORK_PORT = String(agent.port)
    t.is(await other.given(given).run('password'), 0)
    t.deepEqual(agent.asked.at(-1)?.body, body)
  }
  const empty = await makeIo()
  t.is(await empty.given('').run('password'), 2)
  agent.on('PUT /api/v1/password', refusal('wrong_password', 'The password is not right.'))
  const wrong = await makeIo()
  wrong.env.LEASEHOLD_NETWORK_PORT = String(agent.port)
  t.is(await wrong.given('old\nnew password\n').run('password'), 6)
})

// ---- serving

test('each verb of serving sends its switch and prints the state after it', async (t) => {
  const { agent, io, run } = await begin(t)
  const state = {
    state: 'open',
    handingOut: true,
    running: true,
    access: 'none',
    agents: 0,
    users: 1,
    sessions: 2,
    seats: 2,
    ending: 0,
  }
  agent.on('GET /api/v1/serving', answers(state))
  agent.on('PUT /api/v1/serving', ({ body }) => answers({ ...state, ...(body as object), agents: 1, access: 'rules' }))
  t.is(await run('serving'), 0)
  t.is(io.stdout.text, 'Seats are given out.\n2 seats in use by 1 user.\nOther machines get no seats from here.\n')
  for (const [word, body] of [
    ['stop', { running: false }],
    ['start', { running: true }],
    ['disable', { handingOut: false }],
    ['enable', { handingOut: true }],
  ] as const) {
    t.is(await run('serving', word), 0)
    t.deepEqual(agent.asked.at(-1)?.body, body)
  }
  t.true(io.stdout.text.endsWith('1 other agent holds seats of this one.\n'))
  agent.on('PUT /api/v1/serving', refusal('read_only_setting', 'It is fixed.'))
  t.is(await run('serving', 'disable'), 9)
})

// ---- products

test('the mode of a product is shown, and changed with the manager to ask', async (t) => {
  const { agent, io, run } = await begin(t)
  const at = '/api/v1/products/acme/cad/mode'
  agent.on(`GET ${at}`, () => answers({ mode: 'both', manager: '' }))
  agent.on(`PUT ${at}`, ({ body }) => answers({ mode: 'network', manager: '', ...(body as object) }))
  t.is(await run('products', 'mode', 'acme/cad'), 0)
  t.true(io.stdout.text.includes('acme/cad: both, manager found each time.'))
  t.is(await run('products', 'mode', 'acme/cad', '--set', 'network', '--manager', 'office:1948'), 0)
  t.true(io.stdout.text.includes('acme/cad: network, office:1948.'))
  t.is(await run('products', 'mode', 'acme/cad', '--manager', 'auto'), 0)
  t.deepEqual(
    agent.asked.slice(1).map(({ body }) => body),
    [{ mode: 'network', manager: 'office:1948' }, { manager: '' }],
  )
})
