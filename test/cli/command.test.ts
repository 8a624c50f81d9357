import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import { linkAgent } from '../../agent/cli/agent-link.ts'
import { writeCommandDocument } from '../../agent/cli/document.ts'
import { exitCodeOf, exitKinds } from '../../agent/cli/exit-codes.ts'
import { verbs } from '../../agent/cli/verbs.ts'
import { errorTable } from '../../agent/errors.ts'
import { packagePaths } from '../../agent/paths.ts'
import { refusal, type Said } from './fake-agent.ts'
import { answers, begin, instant, makeIo, makeRoot, removeRoot, status } from './place.ts'

test.after.always(removeRoot)

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
  const io = await makeIo()
  // Nobody listens on this port, and a port that was just left may be another test's.
  const run = (...words: string[]) => io.run(...words, '--port', '1')
  t.is(await run('status'), 5)
  t.true(io.stderr.text.includes('No agent answers on port 1 of'))
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
  const other = path.join(await makeRoot(), 'other.yaml')
  await writeFile(other, 'network:\n  port: [\n')
  io.env.LEASEHOLD_CONFIG = other
  io.stderr.text = ''
  await run('frobnicate')
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
