import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import type { FakeAgent } from './fake-agent.ts'
import type { FakeIo } from './fake-io.ts'
import { begin, makeRoot, patience, removeRoot } from './place.ts'

test.after.always(removeRoot)

interface Lost {
  readonly agent: FakeAgent
  readonly io: FakeIo
  readonly ending: Promise<number>
  readonly file: string
}

/** A program whose seat is gone and does not come back, 60 s later. */
async function loseForGood(t: ExecutionContext, words: readonly string[]): Promise<Lost> {
  const { agent, io } = await begin(t)
  const file = path.join(await makeRoot(), `pid-${agent.port}`)
  const script = `trap 'exit 5' TERM; echo $$ >${file}; while :; do sleep 0.1; done`
  const ending = io.run('run', '--product', 'cad', ...words, '--', 'sh', '-c', script)
  await waitFor('the program', () => readPid(file) > 0, patience)
  t.teardown(() => {
    if (isAlive(file)) process.kill(readPid(file), 'SIGKILL')
  })
  agent.endAll('disconnected')
  agent.seats = 0
  io.time.advance(201_000)
  await waitFor('the loss', () => io.stderr.text.includes('is lost'), patience)
  const calls = (): number => agent.calls('POST /api/v1/sessions').length
  io.time.advance(1_000)
  await waitFor('the first try', () => calls() > 1, patience)
  io.time.advance(55_000)
  t.false(io.stderr.text.includes('No other seat'))
  io.time.advance(6_000)
  await waitFor('giving up', () => io.stderr.text.includes('No other seat'), patience)
  return { agent, io, ending, file }
}

function readPid(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}

function isAlive(file: string): boolean {
  try {
    return process.kill(readPid(file), 0)
  } catch {
    return false
  }
}

test('without another seat for 60 s the program is asked to end', async (t) => {
  const { io, ending, agent } = await loseForGood(t, [])
  t.is(await ending, 5)
  t.true(io.stderr.text.includes('No other seat of acme/cad within 60 s.'))
  t.true(io.stderr.text.includes('The program is asked to end (SIGTERM).'))
  t.deepEqual(agent.live, [])
})

test('with --on-loss continue the program goes on, and gets a seat when there is one', async (t) => {
  const { agent, io, ending, file } = await loseForGood(t, ['--on-loss', 'continue'])
  t.true(io.stderr.text.includes('The program goes on without one'))
  t.true(isAlive(file))
  agent.seats = 1
  await waitFor(
    'a seat',
    () => {
      io.time.advance(1_000)
      return io.stderr.text.includes('There is a seat of acme/cad again.')
    },
    patience,
  )
  io.signals.emit('SIGTERM')
  t.is(await ending, 5)
  t.deepEqual(agent.live, [])
})

test('who waits at a terminal is shown the place in the line, and each place once', async (t) => {
  const { agent, io } = await begin(t)
  io.atTerminal()
  let position = 2
  const place = (account: string, seconds: number) => ({
    position,
    product: 'acme/cad',
    seats: 1,
    user: { account },
    host: 'ws-17',
    since: new Date(io.time.wall() - seconds * 1_000).toISOString(),
    until: new Date(io.time.wall() + 300_000).toISOString(),
  })
  agent.on('GET /api/v1/queue', () => {
    const others = [place('ben', 0), { ...place('ana', 90), position: 1 }]
    return { status: 200, value: { items: [...others, place('ana', 0)], total: 3 } }
  })
  let answer: () => void = () => {}
  agent.on('POST /api/v1/sessions', async (asked) => {
    await new Promise<void>((go) => {
      answer = go
    })
    return agent.open(asked)
  })
  const ending = io.run('run', '--product', 'cad', '--wait', '60', '--', 'true')
  const looks = (): number => agent.calls('GET /api/v1/queue').length
  await waitFor('the request', () => agent.calls('POST /api/v1/sessions').length === 1, patience)
  io.time.advance(5_000)
  await waitFor('the place', () => io.stderr.text.includes('number 2 in line'), patience)
  io.time.advance(5_000)
  await waitFor('a second look', () => looks() === 2, patience)
  position = 1
  await waitFor(
    'the next place',
    () => {
      io.time.advance(5_000)
      return io.stderr.text.includes('number 1 in line')
    },
    patience,
  )
  t.is(io.stderr.text.split('number 2').length, 2)
  answer()
  t.is(await ending, 0)
})
