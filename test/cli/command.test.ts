import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { writeCommandDocument } from '../../agent/cli/document.ts'
import { exitCodeOf, exitKinds } from '../../agent/cli/exit-codes.ts'
import { clean, cleanLines, escapeJson, widthOf } from '../../agent/cli/show.ts'
import { layOut } from '../../agent/cli/table.ts'
import { verbs } from '../../agent/cli/verbs.ts'
import { errorTable } from '../../agent/errors.ts'
import { packagePaths } from '../../agent/paths.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { FakeAgent, refusal, type Said } from './fake-agent.ts'
import { FakeIo } from './fake-io.ts'

let root: string
test.before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'leasehold-cli-'))
})
test.after.always(() => rm(root, { recursive: true, force: true }))

let folders = 0
async function makeIo(): Promise<FakeIo> {
  const folder = path.join(root, String(folders++))
  await mkdir(folder)
  return new FakeIo(folder)
}

interface Place {
  readonly agent: FakeAgent
  readonly io: FakeIo
  /** Runs a command against the agent. */
  readonly run: (...words: string[]) => Promise<number>
}

async function begin(t: ExecutionContext): Promise<Place> {
  const agent = await FakeAgent.start()
  const io = await makeIo()
  io.env.LEASEHOLD_NETWORK_PORT = String(agent.port)
  t.teardown(async () => {
    await agent.stop()
    agent.checkFaults()
  })
  return { agent, io, run: (...words) => io.run(...words) }
}

function answers(value: unknown, status = 200): Said {
  return { status, value }
}

const manager = { id: 'agent-1', name: 'ws-17' }
const instant = '2027-01-04T08:00:00.000Z'
const fingerprint = '0D1RR-7X3AB-9KZQ2-MN45T'

const license = {
  id: 'license-1',
  state: 'not_activated',
  kind: 'network',
  vendor: { name: 'acme', fingerprint, trusted: true },
  products: [
    {
      product: 'acme/cad',
      title: 'CAD',
      any: false,
      seats: 5,
      used: 1,
      features: [{ name: 'render', seats: 2, used: 0 }],
    },
  ],
  model: 'perpetual',
  manager,
  local: true,
  actions: ['activation-request'],
}
const licenseDetails = {
  ...license,
  issuedAt: instant,
  count: 'user',
  leaseSeconds: 600,
  overlapAllowed: true,
  depth: 4,
  links: {},
  replaces: [],
  activation: { needed: true, parts: [{ name: 'machine', agrees: false }] },
  text: '-----BEGIN LEASEHOLD LICENSE-----\nabc\n-----END LEASEHOLD LICENSE-----\n',
}
const product = {
  id: 'acme/cad',
  vendor: 'acme',
  name: 'cad',
  title: 'CAD',
  seats: 5,
  used: 2,
  free: 3,
  anyProductFree: 1,
  waiting: 0,
  features: ['render'],
  licenses: [],
  manager,
  local: true,
}
const session = {
  id: 'session-1',
  product: 'acme/cad',
  seats: 1,
  state: 'active',
  user: { account: 'ana' },
  host: 'ws-ana',
  process: { id: 42, name: 'cad' },
  address: '127.0.0.1',
  source: { kind: 'license', manager },
  startedAt: instant,
  expiresAt: instant,
  expiresIn: 590,
  actions: ['disconnect'],
}
const status = {
  pid: 42,
  port: 1947,
  dataFolder: '/var/lib/leasehold',
  startedAt: instant,
  version: '0.1.0',
  agent: manager,
  sessions: 2,
}

function entry(name: string, kind: string, value: unknown, more: object = {}): object {
  return {
    name,
    section: 'basic',
    label: name,
    kind,
    value,
    default: value,
    source: 'default',
    editable: true,
    restart: false,
    ...more,
  }
}

// ---- words, help and the document

test('docs/command-line.md is what the verbs and exit codes say', async (t) => {
  const file = path.join(packagePaths.root, 'docs', 'command-line.md')
  const command = `node -e "import('./build/agent/cli/document.js').then((m) => fs.writeFileSync('docs/command-line.md', m.writeCommandDocument()))"`
  t.is(await readFile(file, 'utf8'), writeCommandDocument(), `write it again with: ${command}`)
})

test('the help of every verb lists its options and arguments', async (t) => {
  for (const verb of verbs) {
    for (const words of [
      ['help', ...verb.name.split(' ')],
      [...verb.name.split(' '), '--help'],
      [...verb.name.split(' '), '-h'],
    ]) {
      const io = await makeIo()
      t.is(await io.run(...words), 0, words.join(' '))
      for (const { name, help } of verb.options) {
        t.true(io.stdout.text.includes(`--${name}`), `${words.join(' ')} lists --${name}`)
        t.true(io.stdout.text.includes(help))
      }
      for (const { name } of verb.arguments) t.true(io.stdout.text.includes(name))
      t.true(io.stdout.text.split('\n').every((line) => line.length <= 120))
    }
  }
})

test('the help lists every verb, and help of a group all of its verbs', async (t) => {
  const io = await makeIo()
  t.is(await io.run('help'), 0)
  for (const { name, alias } of verbs) t.true(io.stdout.text.includes(`\n  ${alias ?? name} `), name)
  for (const name of ['serve', 'vendor']) t.true(io.stdout.text.includes(`\n  ${name} `), name)
  const group = await makeIo()
  t.is(await group.run('help', 'journal'), 0)
  t.true(group.stdout.text.includes('leasehold journal list') && group.stdout.text.includes('leasehold journal verify'))
})

test('without a verb the help goes to standard error and the exit code is that of a wrong command', async (t) => {
  const io = await makeIo()
  t.is(await io.run(), 2)
  t.is(io.stdout.text, '')
  t.true(io.stderr.text.includes('leasehold VERB'))
})

test('a wrong word is named with what is wanted, and the agent is not asked', async (t) => {
  const { agent, io, run } = await begin(t)
  const wrong: readonly (readonly [words: string, said: string])[] = [
    ['frobnicate', 'There is no verb “frobnicate”.'],
    ['licenses frob', '“frob” is too much.'],
    ['config frob x', '“x” is too much.'],
    ['help frobnicate', 'There is no verb “frobnicate”.'],
    ['status --frob', 'There is no option --frob.'],
    ['status -j', 'There is no option -j.'],
    ['status --json=yes', '--json takes no value.'],
    ['status --json --json', '--json is there twice.'],
    ['status --port 0', '--port wants a whole number from 1 to 65535.'],
    ['status --port 99999', '--port wants a whole number from 1 to 65535.'],
    ['status --port', '--port wants a whole number from 1 to 65535.'],
    ['sessions --state gone', '--state wants one of active, ending, ended.'],
    ['sessions --user --json', '--user wants a value: --user USER.'],
    ['disconnect', 'SESSION is missing.'],
    ['disconnect a b', '“b” is too much.'],
    ['licenses activate', 'A LICENSE is wanted, or --answer FILE.'],
    ['licenses activate id --answer x', '--answer goes alone'],
    ['run --product cad program', '“program” is too much: the command comes after --.'],
    ['run --product cad --', 'The command is missing: it comes after --.'],
    ['run -- program', '--product is needed.'],
    ['run --product cad --seats 0 -- program', '--seats wants a whole number from 1 to 1000000.'],
    ['run --product cad --on-loss panic -- program', '--on-loss wants one of stop, continue.'],
  ]
  for (const [words, said] of wrong) {
    io.stderr.text = ''
    t.is(await run(...words.split(' ')), 2, words)
    t.true(io.stderr.text.startsWith(`leasehold: ${said}`), `${words}: ${io.stderr.text}`)
    t.true(io.stderr.text.endsWith('(usage)\n'))
  }
  t.deepEqual(agent.asked, [])
})

test('options may be anywhere, and -- ends them', async (t) => {
  const { agent, run } = await begin(t)
  agent.on('POST /api/v1/sessions/-id/disconnect', answers({ ended: 'confirmed', freeAt: instant }))
  t.is(await run('disconnect', '--json', '--reason=gone home', '--', '-id'), 0)
  t.deepEqual(agent.asked[0]?.body, { freeNow: false, reason: 'gone home' })
})

test('the version is that of the package, and needs no agent', async (t) => {
  const { version } = JSON.parse(await readFile(packagePaths.manifest, 'utf8')) as { version: string }
  const io = await makeIo()
  t.is(await io.run('version'), 0)
  t.is(io.stdout.text, `leasehold ${version}\n`)
  const other = await makeIo()
  t.is(await other.run('--version', '--json'), 0)
  t.deepEqual(JSON.parse(other.stdout.text), { program: 'leasehold', version })
})

test('vendor is handed on with its words', async (t) => {
  const io = await makeIo()
  t.is(await io.run('vendor', '--help'), 0)
  t.true(io.stdout.text.includes('leasehold vendor init'))
  t.is(await io.run('vendor', 'frob'), 2)
})

// ---- exit codes

test('every error code has one exit code of its kind, and none is 0 or one that shells use', (t) => {
  const all = exitKinds.flatMap(({ codes }) => codes)
  t.is(new Set(all).size, all.length)
  t.deepEqual(
    Object.keys(errorTable).filter((code) => !(all as readonly string[]).includes(code)),
    [],
  )
  const exits = exitKinds.map(({ exit }) => exit)
  t.is(new Set(exits).size, exits.length)
  t.true(exits.every((exit) => exit > 0 && exit < 126))
  t.is(exitCodeOf('a_code_of_tomorrow'), 1)
})

test('a refusal is its sentence, its help and its code on standard error, with the exit code of its kind', async (t) => {
  const { agent, io, run } = await begin(t)
  for (const [code, exit] of [
    ['unknown_license', 17],
    ['store_unavailable', 35],
    ['sign_in_needed', 6],
    ['license_in_use', 8],
  ] as const) {
    agent.on('DELETE /api/v1/licenses/x', refusal(code, 'So it is.'))
    io.stderr.text = ''
    t.is(await run('licenses', 'remove', 'x'), exit)
    const lines = io.stderr.text.trimEnd().split('\n')
    t.is(lines[0], 'leasehold: So it is.')
    t.is(lines.at(-1), `(${code})`)
    t.true(lines.length >= 3)
  }
  t.is(io.stdout.text, '')
  t.true(io.stderr.text.includes('Wait for them to end'))
})

test('with --json a refusal is the problem document of the agent', async (t) => {
  const { agent, io, run } = await begin(t)
  const refused = refusal('read_only_setting', 'It is fixed.') as { value: object }
  agent.on('GET /api/v1/status', refused as Said)
  t.is(await run('status', '--json'), 9)
  t.is(io.stdout.text, `${JSON.stringify(refused.value)}\n`)
})

test('where no agent listens, the command says how to start one', async (t) => {
  const { agent, io, run } = await begin(t)
  await agent.stop()
  t.is(await run('status'), 5)
  t.true(io.stderr.text.includes(`No agent answers on port ${agent.port}`))
  t.true(io.stderr.text.includes('npx leasehold serve') && io.stderr.text.includes('systemctl start leasehold'))
  t.is(await run('status', '--json'), 5)
  t.is((JSON.parse(io.stdout.text) as { code: string }).code, 'agent_not_running')
})

test('what is no agent is told from an agent', async (t) => {
  const { agent, io, run } = await begin(t)
  for (const said of [
    { status: 200, html: '<p>ACC</p>' },
    { status: 404, html: 'no' },
    answers({ ...status, pid: 'x' }),
  ]) {
    io.stderr.text = ''
    agent.on('GET /api/v1/status', said)
    t.is(await run('status'), 5)
    t.true(io.stderr.text.includes('is no Leasehold agent') && io.stderr.text.endsWith('(not_an_agent)\n'))
  }
  t.is(agent.faults.splice(0).length, 1)
  agent.on('GET /api/v1/status', 'drop')
  t.is(await run('status'), 5)
  t.true(io.stderr.text.endsWith('(no_answer)\n'))
})

// ---- which agent, and who asks

test('the port is that of the option, else of the environment, else of the configuration file, else 1947', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/status', answers(status))
  io.env.LEASEHOLD_NETWORK_PORT = '1'
  t.is(await run('status', '--port', String(agent.port)), 0)
  // port 0 lets the agent take any port, so it says nothing
  for (const nothing of [undefined, '', '0']) {
    io.env.LEASEHOLD_NETWORK_PORT = nothing
    await writeFile(path.join(io.env.LEASEHOLD_DATA ?? '', 'leasehold.yaml'), `network: { port: ${agent.port} }\n`)
    t.is(await run('status'), 0)
  }
  const other = path.join(root, 'other.yaml')
  await writeFile(other, 'network:\n  port: [\n')
  io.env.LEASEHOLD_CONFIG = other
  io.stderr.text = ''
  await run('frobnicate')
  const { linkAgent } = await import('../../agent/cli/agent-link.ts')
  t.is((await linkAgent(io.env, undefined)).port, 1947)
  await writeFile(other, `network:\n  port: ${agent.port}\n`)
  t.is((await linkAgent(io.env, undefined)).port, agent.port)
})

test('the key in the data folder proves who asks; one that the agent does not know is followed by the token, then by nothing', async (t) => {
  const { agent, io, run } = await begin(t)
  let known = 'Bearer key-of-this-agent'
  agent.on('GET /api/v1/status', ({ headers }) =>
    headers.authorization === known || (known === 'none' && headers.authorization === undefined)
      ? answers(status)
      : refusal('sign_in_needed', 'This asks for the administrator.'),
  )
  await writeFile(path.join(io.env.LEASEHOLD_DATA ?? '', 'cli.key'), 'key-of-this-agent\n')
  io.env.LEASEHOLD_TOKEN = 'a-token'
  t.is(await run('status', '--json'), 0)
  t.is(agent.calls('GET /api/v1/status').length, 1)
  known = 'Bearer a-token'
  t.is(await run('status', '--json'), 0)
  known = 'none'
  t.is(await run('status', '--json'), 0)
  known = 'nobody'
  io.stdout.text = ''
  t.is(await run('status'), 6)
  t.true(io.stderr.text.includes('as root') && io.stderr.text.includes('LEASEHOLD_TOKEN'))
})

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
  for (const name of ['products', 'licenses', 'sessions', 'journal']) {
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

// ---- licenses

test('a license of a vendor that is new here needs the fingerprint: from --trust, in any notation', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(root, 'license.txt')
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
  const file = path.join(root, 'license-at-terminal.txt')
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
    await waitFor('the question', () => io.stderr.text.includes('Type yes: '))
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
  const file = path.join(root, 'request.txt')
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--out', file), 0)
  t.is(await readFile(file, 'utf8'), request)
  t.is(io.stdout.text, `The activation request is in ${file}.\n`)
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--json', '--out', file), 0)
  t.is(io.stdout.text, `${JSON.stringify({ request })}\n`)
  io.stdout.text = ''
  t.is(await run('licenses', 'activate', 'license-1', '--out', path.join(root, 'no', 'folder')), 4)
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
  t.is(await run('licenses', 'activate', '--answer', path.join(root, 'nothing')), 4)
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
    await waitFor(question, () => io.stderr.text.endsWith(question))
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
  await waitFor('the question', () => io.stderr.text.endsWith('(nothing, if none is set): '))
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
