import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import { FakeAgent, refusal } from './fake-agent.ts'
import { patience } from './place.ts'

const program = fileURLToPath(new URL('./program.js', import.meta.url))

let root: string
test.before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'leasehold-run-'))
})
test.after.always(() => rm(root, { recursive: true, force: true }))

interface Running {
  readonly child: ChildProcess
  readonly pid: number
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  stdout: string
  stderr: string
}

async function startAgent(t: ExecutionContext): Promise<FakeAgent> {
  const agent = await FakeAgent.start()
  t.teardown(async () => {
    await agent.stop()
    agent.checkFaults()
  })
  return agent
}

/** `leasehold run --product cad …` as a process of its own. */
function start(t: ExecutionContext, agent: Pick<FakeAgent, 'port'>, words: readonly string[], stdin = ''): Running {
  const args = [program, 'run', '--port', String(agent.port), '--product', 'cad', ...words]
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, LEASEHOLD_DATA: root },
    stdio: 'pipe',
    // A group of its own, so that a test that fails leaves no program running.
    detached: true,
  })
  t.teardown(() => endGroup(child))
  const running: Running = {
    child,
    pid: child.pid ?? 0,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
    stdout: '',
    stderr: '',
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    running.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    running.stderr += text
  })
  child.stdin?.end(stdin)
  return running
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

function shell(script: string): string[] {
  return ['--', 'sh', '-c', script]
}

/** Sleeps in slices, so that a trap is run at once. */
const waiting = 'echo up; while :; do sleep 0.1; done'

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a program has a seat while it runs, its own streams, and its exit code is handed on', async (t) => {
  const agent = await startAgent(t)
  const running = start(t, agent, shell('cat; echo to-stderr >&2; echo up; exit 7'), 'from stdin\n')
  const { code } = await running.ended
  t.is(code, 7)
  t.is(running.stdout, 'from stdin\nup\n')
  t.true(running.stderr.includes('to-stderr'))
  const [asked] = agent.calls('POST /api/v1/sessions')
  const body = asked?.body as { process: unknown; host: string; user: { account: string }; application: string }
  t.deepEqual(body.process, { id: running.pid, name: 'sh' })
  t.is(body.application, 'sh')
  t.truthy(body.host && body.user.account)
  t.true(String(asked?.headers['idempotency-key']).length >= 16)
  t.deepEqual(
    agent.asked.map(({ method }) => method),
    ['POST', 'DELETE'],
  )
  t.deepEqual(agent.live, [])
})

test('the program is started only once the seat is there, and not at all when it is refused', async (t) => {
  const agent = await startAgent(t)
  const mark = path.join(root, 'started')
  agent.on('POST /api/v1/sessions', refusal('license_expired', 'It has expired.'))
  const running = start(t, agent, ['--', 'touch', mark])
  t.is((await running.ended).code, 21)
  await t.throwsAsync(readFile(mark), { code: 'ENOENT' })
  t.true(running.stderr.startsWith('leasehold: It has expired.\n'))

  let answer: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    agent.on('POST /api/v1/sessions', async (call) => {
      resolve()
      await new Promise<void>((go) => {
        answer = go
      })
      return agent.open(call)
    })
  })
  const slow = start(t, agent, ['--', 'touch', mark])
  await asked
  await t.throwsAsync(readFile(mark), { code: 'ENOENT' })
  answer()
  t.is((await slow.ended).code, 0)
  t.is(await readFile(mark, 'utf8'), '')
})

test('a refusal says who holds the seats, when the next one is due, and when to try again', async (t) => {
  const agent = await startAgent(t)
  const holders = [
    { user: 'ben\u001b[2J', host: 'ws-ben', application: 'cad', seats: 1, startedAt: '2027-01-04T07:00:00.000Z' },
    { seats: 2, startedAt: '2027-01-04T07:00:00.000Z' },
  ]
  const manager = {
    id: 'agent-1',
    name: 'ws-17',
    product: 'acme/cad',
    seats: 3,
    used: 3,
    detached: 0,
    notDetachable: 3,
  }
  const explanation = {
    managers: [{ ...manager, nextReturnAt: '2027-01-04T09:00:00.000Z', holders }],
    asked: [{ manager: { id: 'agent-2', name: 'server' }, outcome: 'refused', detail: 'all in use', ms: 12 }],
  }
  agent.on('POST /api/v1/sessions', refusal('no_seats', '3 of 3 seats are in use.', { retryIn: 30, explanation }))
  const running = start(t, agent, ['--json', '--', 'true'])
  t.is((await running.ended).code, 30)
  for (const part of [
    'leasehold: 3 of 3 seats are in use.\n',
    'ws-17: 3 of 3 seats of acme/cad in use',
    'ben[2J on ws-ben with cad, since ',
    'somebody, 2 seats, since ',
    'The next seat is due at ',
    'server was asked: all in use',
    'Worth trying again in 30 s.',
    '(no_seats)\n',
  ])
    t.true(running.stderr.includes(part), part)
  t.is((JSON.parse(running.stdout) as { code: string }).code, 'no_seats')
})

test('a reply that was lost takes no second seat', async (t) => {
  const agent = await startAgent(t)
  let calls = 0
  agent.on('POST /api/v1/sessions', (asked) => {
    const said = agent.open(asked)
    calls += 1
    return calls === 1 ? 'drop' : said
  })
  const running = start(t, agent, ['--', 'true'])
  t.is((await running.ended).code, 0)
  t.is(calls, 2)
  t.is(agent.sessions.size, 1)
  t.deepEqual(agent.live, [])
})

const passed: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH']

for (const half of [passed.slice(0, 4), passed.slice(4)])
  test(`${half.join(', ')} go to the program`, async (t) => {
    const agent = await startAgent(t)
    agent.seats = half.length
    await Promise.all(
      half.map(async (signal) => {
        const running = start(t, agent, shell(`trap 'echo got ${signal}; exit 3' ${signal.slice(3)}; ${waiting}`))
        await waitFor('the program', () => running.stdout.includes('up'), patience)
        process.kill(running.pid, signal)
        t.deepEqual(await running.ended, { code: 3, signal: null }, signal)
        t.is(running.stdout, `up\ngot ${signal}\n`)
      }),
    )
    t.deepEqual(agent.live, [])
  })

test('a program that a signal ended is told as 128 and its number', async (t) => {
  const agent = await startAgent(t)
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const) {
    const running = start(t, agent, shell(`kill -${signal.slice(3)} $$`))
    t.deepEqual(await running.ended, { code: 128 + constants.signals[signal], signal: null })
  }
})

test('R29: when the program is killed its seat goes back at once', async (t) => {
  const agent = await startAgent(t)
  const running = start(t, agent, shell(`echo pid=$$; exec sleep 600`))
  await waitFor('the program', () => running.stdout.includes('\n'), patience)
  t.is(agent.live.length, 1)
  process.kill(Number(/pid=(\d+)/.exec(running.stdout)?.[1]), 'SIGKILL')
  await waitFor('the seat to be back', () => agent.live.length === 0, 5_000)
  t.is((await running.ended).code, 137)
})

test('R29: the session has the pid of the command itself, which is gone when that is killed', async (t) => {
  const agent = await startAgent(t)
  const running = start(t, agent, shell(`echo pid=$$; exec sleep 600`))
  await waitFor('the program', () => running.stdout.includes('\n'), patience)
  const pid = Number(/pid=(\d+)/.exec(running.stdout)?.[1])
  t.deepEqual(agent.live[0]?.body.process, { id: running.pid, name: 'sh' })
  running.child.kill('SIGKILL')
  await waitFor('the command to be gone', () => !isAlive(running.pid), patience)
  t.true(isAlive(pid), 'the program goes on: a documented limit')
  process.kill(pid, 'SIGKILL')
})

test('a signal before there is a seat ends the wait, and the place in the line is left', async (t) => {
  const agent = await startAgent(t)
  const closed = new Promise<void>((resolve) => {
    agent.on('POST /api/v1/sessions', () => {
      resolve()
      return 'hang'
    })
  })
  const running = start(t, agent, ['--wait', '300', '--', 'true'])
  await closed
  t.is((agent.asked[0]?.body as { wait?: number } | undefined)?.wait, 300)
  process.kill(running.pid, 'SIGTERM')
  t.is((await running.ended).code, 143)
  t.is(agent.calls('POST /api/v1/sessions').length, 1)
})

test('what can not be started has the exit codes of shells, and its seat goes back', async (t) => {
  const agent = await startAgent(t)
  const missing = start(t, agent, ['--', 'there-is-no-such-program'])
  t.is((await missing.ended).code, 127)
  t.true(missing.stderr.includes('There is no program “there-is-no-such-program”.'))
  const folder = start(t, agent, ['--', root])
  t.is((await folder.ended).code, 126)
  t.deepEqual(agent.live, [])
  t.is(agent.sessions.size, 2)
})

test('where no agent runs the exit code says so, and the program is not started', async (t) => {
  // Nobody listens on this port.
  const running = start(t, { port: 1 }, ['--', 'echo', 'started'])
  t.is((await running.ended).code, 5)
  t.is(running.stdout, '')
  t.true(running.stderr.includes('npx leasehold serve'))
})

test('options after -- are the program’s own', async (t) => {
  const agent = await startAgent(t)
  const running = start(t, agent, ['--', 'echo', '--json', '--help', '--', '-h'])
  t.is((await running.ended).code, 0)
  t.is(running.stdout, '--json --help -- -h\n')
})

test('the streams of the program block, as programs expect', async (t) => {
  if (process.platform !== 'linux') {
    t.pass('flags are read from /proc')
    return
  }
  const agent = await startAgent(t)
  const running = start(t, agent, shell('for n in 0 1 2; do cat /proc/$$/fdinfo/$n | grep flags; done'))
  t.is((await running.ended).code, 0)
  const nonblock = 0o4000
  const flags = [...running.stdout.matchAll(/flags:\s*(\d+)/g)].map((match) => Number.parseInt(match[1] ?? '', 8))
  t.is(flags.length, 3)
  t.true(flags.every((one) => (one & nonblock) === 0))
})

test('heartbeats keep the seat; when it is lost that is said, and another is taken without stopping the program', async (t) => {
  const agent = await startAgent(t)
  agent.expiresIn = 3
  agent.renewIn = 1
  const running = start(t, agent, shell(`trap 'exit 5' TERM; ${waiting}`))
  await waitFor('the program', () => running.stdout.includes('up'), patience)
  await waitFor('a heartbeat', () => agent.asked.some(({ method }) => method === 'PUT'), patience)
  agent.endAll('disconnected')
  await waitFor('another seat', () => running.stderr.includes('again'), patience)
  t.true(
    running.stderr.includes(
      'leasehold: The seat of acme/cad is lost. An administrator disconnected it. Trying for 60 s',
    ),
  )
  t.is(agent.live.length, 1)
  t.is(agent.sessions.size, 2)
  running.child.kill('SIGTERM')
  t.is((await running.ended).code, 5)
  t.deepEqual(agent.live, [])
})

test('an agent that restarts in time costs nothing', async (t) => {
  const agent = await startAgent(t)
  agent.expiresIn = 60
  agent.renewIn = 1
  const running = start(t, agent, shell(`trap 'exit 5' TERM; ${waiting}`))
  await waitFor('the program', () => running.stdout.includes('up'), patience)
  await waitFor('a heartbeat', () => agent.asked.some(({ method }) => method === 'PUT'), patience)
  await agent.stop()
  await agent.listen()
  const beats = (): number => agent.asked.filter(({ method }) => method === 'PUT').length
  const before = beats()
  await waitFor('another heartbeat', () => beats() > before, patience)
  running.child.kill('SIGTERM')
  t.is((await running.ended).code, 5)
  t.is(agent.sessions.size, 1)
  t.is(running.stderr, '')
})

test('in the foreground of a terminal Ctrl-C reaches the program once', async (t) => {
  if (process.platform !== 'linux' || spawnSync('script', ['--version']).status !== 0) {
    t.pass('needs script(1) for a terminal')
    return
  }
  const agent = await startAgent(t)
  const inner = `exec ${process.execPath} ${program} run --port ${agent.port} --product cad -- sh -c 'trap "n=\\$((n+1)); echo int=\\$n" INT; trap "exit 4" TERM; echo up; while :; do sleep 0.1; done'`
  const terminal = spawn('script', ['-qec', inner, '/dev/null'], {
    env: { PATH: process.env.PATH, LEASEHOLD_DATA: root, SHELL: '/bin/sh' },
    stdio: 'pipe',
    detached: true,
  })
  t.teardown(() => endGroup(terminal))
  let shown = ''
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const ended = new Promise((resolve) => terminal.once('close', resolve))
  await waitFor('the program', () => shown.includes('up'), patience)
  terminal.stdin.write('\u0003')
  await waitFor('the signal', () => shown.includes('int='), patience)
  const pid = Number((agent.live[0]?.body.process as { id: number } | undefined)?.id)
  process.kill(pid, 'SIGTERM')
  t.is(await ended, 4)
  t.true(shown.includes('int=1') && !shown.includes('int=2'), shown)
})
