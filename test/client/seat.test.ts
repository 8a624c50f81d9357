import test from 'ava'
import type { AgentCall, AgentReply, CallAgent } from '../../agent/client/call-agent.ts'
import { type AskOutcome, obtainSeat, type Seat, type SeatParts, type SeatRequest } from '../../agent/client/seat.ts'
import { SeatHolder } from '../../agent/client/seat-holder.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const request: SeatRequest = { product: 'acme/cad', seats: 1 }

function refused(code: string, more: object = {}): AgentReply {
  return { kind: 'refused', problem: { code, detail: `${code}.`, ...more }, text: '' }
}

function answered(value: unknown, status = 200): AgentReply {
  return { kind: 'answered', status, text: JSON.stringify(value), value }
}

const lost: AgentReply = { kind: 'no-answer', detail: 'the connection broke' }
const gone: AgentReply = { kind: 'no-agent' }

interface Heard {
  readonly what: 'ask' | 'beat' | 'return'
  readonly id: string
  readonly wait: number | undefined
  /** Manual time in ms. */
  readonly at: number
}

type Reaction = AgentReply | 'seat' | 'hang'

/** An agent of a few lines, on the time that the test moves. */
class ScriptedAgent {
  readonly clock = new ManualClock()
  readonly heard: Heard[] = []
  ask: (wait: number) => Reaction = () => 'seat'
  beat: () => Reaction = () => 'seat'
  giveBack: () => Reaction = () => answered(undefined, 204)
  /** ms from a call to its answer. */
  delay = 0
  expiresIn = 600
  #ids = 0

  readonly call: CallAgent = async (call) => {
    const what = call.method === 'POST' ? 'ask' : call.method === 'PUT' ? 'beat' : 'return'
    const id = call.headers?.['Idempotency-Key'] ?? call.path.split('/').at(-1) ?? ''
    const wait = (call.body as { wait?: number } | undefined)?.wait
    this.heard.push({ what, id, wait, at: this.clock.atMost() })
    const reaction = what === 'ask' ? this.ask(wait ?? 0) : what === 'beat' ? this.beat() : this.giveBack()
    if (reaction === 'hang') return this.#wait(call, call.patience ?? 30_000, lost)
    const { expiresIn } = this
    const seat = { id: `seat-of-${id}`, key: 'key', ...request, expiresIn, renewIn: Math.floor(expiresIn / 3) }
    const reply = reaction === 'seat' ? answered(seat) : reaction
    return this.delay > 0 ? this.#wait(call, this.delay, reply) : reply
  }

  get parts(): SeatParts {
    const { call, clock } = this
    return { call, clock, timers: clock, newId: () => `id-${++this.#ids}` }
  }

  heardOf(what: Heard['what']): readonly Heard[] {
    return this.heard.filter((one) => one.what === what)
  }

  #wait(call: AgentCall, ms: number, reply: AgentReply): Promise<AgentReply> {
    return new Promise((resolve) => {
      const stop = (): void => {
        cancel()
        resolve({ kind: 'stopped' })
      }
      const cancel = this.clock.after(ms, () => {
        call.signal?.removeEventListener('abort', stop)
        resolve(reply)
      })
      call.signal?.addEventListener('abort', stop)
    })
  }
}

interface Held {
  readonly agent: ScriptedAgent
  readonly clock: ManualClock
  readonly holder: SeatHolder
  readonly events: string[]
}

async function hold(keepTrying = false, prepare: (agent: ScriptedAgent) => void = () => {}): Promise<Held> {
  const agent = new ScriptedAgent()
  prepare(agent)
  const opened = await obtainSeat(agent.parts, request, 0, new AbortController().signal)
  if (opened.kind !== 'opened') throw new Error(opened.kind)
  const events: string[] = []
  const holder = new SeatHolder(opened.seat, {
    ...agent.parts,
    newId: idsFrom('fresh'),
    request,
    keepTrying,
    onLost: (loss) => events.push(loss.kind === 'ended' ? `lost: ${loss.problem.reason}` : 'lost: unreached'),
    onRegained: (seat) => events.push(`regained ${seat.id}`),
    onGaveUp: (problem) => events.push(`gave up: ${problem?.code}`),
  })
  holder.start()
  agent.heard.length = 0
  return { agent, clock: agent.clock, holder, events }
}

function idsFrom(name: string): () => string {
  let count = 0
  return () => `${name}-${++count}`
}

const second = 1_000
const minute = 60 * second

// ---- asking

interface Asking {
  outcome: AskOutcome | undefined
}

/** Begins to ask; the outcome comes as time goes on. */
async function obtain(agent: ScriptedAgent, wait: number, signal = new AbortController().signal): Promise<Asking> {
  const asking: Asking = { outcome: undefined }
  void obtainSeat(agent.parts, request, wait, signal).then((outcome) => {
    asking.outcome = outcome
  })
  await agent.clock.run(0)
  return asking
}

test('R9: a seat is ours from before the request was sent, not from when the answer came', async (t) => {
  const agent = new ScriptedAgent()
  agent.delay = 7 * second
  const asked = await obtain(agent, 0)
  await agent.clock.run(7 * second)
  const seat: Seat | undefined = asked.outcome?.kind === 'opened' ? asked.outcome.seat : undefined
  t.deepEqual(seat?.term, { until: 600 * second, renewAt: 200 * second })
})

test('a request whose answer was lost is repeated with the same id, for half a minute', async (t) => {
  const agent = new ScriptedAgent()
  let answers = 0
  agent.ask = () => (++answers < 4 ? lost : 'seat')
  const asked = await obtain(agent, 0)
  await agent.clock.run(5 * second)
  t.is(asked.outcome?.kind, 'opened')
  t.deepEqual(
    agent.heard.map(({ id }) => id),
    ['id-1', 'id-1', 'id-1', 'id-1'],
  )

  const silent = new ScriptedAgent()
  silent.ask = () => lost
  const vain = await obtain(silent, 0)
  await silent.clock.run(29 * second)
  t.is(vain.outcome, undefined)
  await silent.clock.run(3 * second)
  t.is(vain.outcome?.kind, 'no-answer')
})

test('where no agent listens nothing is repeated, unless one was there a moment ago', async (t) => {
  const agent = new ScriptedAgent()
  agent.ask = () => gone
  const asked = await obtain(agent, 300)
  await agent.clock.run(0)
  t.is(asked.outcome?.kind, 'no-agent')
  t.is(agent.heard.length, 1)

  const restarting = new ScriptedAgent()
  const replies: Reaction[] = [lost, gone, gone, refused('store_unavailable'), 'seat']
  restarting.ask = () => replies.shift() ?? 'hang'
  const other = await obtain(restarting, 0)
  await restarting.clock.run(10 * second)
  t.is(other.outcome?.kind, 'opened')
  t.is(new Set(restarting.heard.map(({ id }) => id)).size, 1)
})

test('a clear no is an answer, and the line is waited in for as long as was said', async (t) => {
  const agent = new ScriptedAgent()
  agent.ask = () => refused('denied_by_rule')
  const denied = await obtain(agent, 600)
  await agent.clock.run(0)
  t.is(denied.outcome?.kind, 'refused')

  const full = new ScriptedAgent()
  full.ask = (wait) => {
    full.delay = wait * second
    return refused('no_seats')
  }
  const waiting = await obtain(full, 700)
  await full.clock.run(690 * second)
  t.is(waiting.outcome, undefined)
  await full.clock.run(20 * second)
  t.is(waiting.outcome?.kind, 'refused')
  t.deepEqual(
    full.heard.slice(0, 3).map(({ id, wait }) => ({ id, wait })),
    [
      { id: 'id-1', wait: 300 },
      { id: 'id-1', wait: 300 },
      { id: 'id-1', wait: 98 },
    ],
  )
})

test('a wait that is stopped ends at once', async (t) => {
  const agent = new ScriptedAgent()
  agent.ask = () => 'hang'
  const stopper = new AbortController()
  const asked = await obtain(agent, 300, stopper.signal)
  await agent.clock.run(minute)
  stopper.abort()
  await agent.clock.run(0)
  t.is(asked.outcome?.kind, 'stopped')
})

test('an answer that promises nonsense is no seat', async (t) => {
  const agent = new ScriptedAgent()
  agent.expiresIn = 10_000_000
  const asked = await obtain(agent, 0)
  await agent.clock.run(0)
  t.is(asked.outcome?.kind, 'foreign')
})

// ---- keeping

test('the heartbeat comes at a third of what was promised, each time anew', async (t) => {
  const { agent, clock, events } = await hold()
  await clock.run(10 * minute)
  t.deepEqual(
    agent.heard.map(({ what, at }) => ({ what, at })),
    [200, 400, 600].map((at) => ({ what: 'beat', at: at * second })),
  )
  t.deepEqual(events, [])
})

test('R9: a seat is lost when no heartbeat was answered until the promise was over, and not before', async (t) => {
  for (const reaction of [lost, gone, 'hang', refused('store_unavailable'), refused('internal_error')] as const) {
    const { agent, clock, events } = await hold()
    agent.beat = () => reaction
    agent.ask = () => lost
    await clock.run(599 * second)
    t.deepEqual(events, [])
    t.true(agent.heardOf('beat').length > 50, 'it asks again and again')
    await clock.run(3 * second)
    t.deepEqual(events, ['lost: unreached'])
  }
})

test('a heartbeat that is answered again ends the trouble', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => (clock.atMost() < 590 * second ? gone : 'seat')
  await clock.run(20 * minute)
  t.deepEqual(events, [])
})

test('R9: after a sleep the agent is asked before the time counts', async (t) => {
  const answering = await hold()
  answering.clock.sleepMachine(60 * minute)
  await answering.clock.run(2 * second)
  t.is(answering.agent.heardOf('beat').length, 1)
  t.deepEqual(answering.events, [])

  const silent = await hold()
  silent.agent.beat = () => 'hang'
  silent.agent.ask = () => 'hang'
  silent.clock.sleepMachine(60 * minute)
  await silent.clock.run(5 * second)
  t.deepEqual(silent.events, [])
  await silent.clock.run(2 * second)
  t.deepEqual(silent.events, ['lost: unreached'])
})

test('R9: a wall clock that ran ahead counts as a sleep', async (t) => {
  const { agent, clock, events } = await hold()
  clock.pauseMachine(60 * minute)
  agent.beat = () => refused('session_ended', { reason: 'expired' })
  agent.ask = () => 'hang'
  await clock.run(second)
  t.deepEqual(events, ['lost: expired'])
})

// ---- losing and regaining

test('a seat that was ended is told at once, and another is asked for with a fresh id and a place in the line', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => refused('session_ended', { reason: 'disconnected' })
  agent.ask = () => 'hang'
  await clock.run(200 * second)
  t.deepEqual(events, ['lost: disconnected'])
  agent.ask = () => 'seat'
  await clock.run(2 * second)
  t.is(agent.heardOf('ask')[0]?.id, 'fresh-1')
  t.is(agent.heardOf('ask')[0]?.wait, 59)
})

test('a seat regained is kept like the first', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => (agent.heardOf('beat').length === 1 ? refused('unknown_session') : 'seat')
  await clock.run(10 * minute)
  t.deepEqual(events, ['lost: undefined', 'regained seat-of-fresh-1'])
  const later = agent.heardOf('beat').slice(1)
  t.true(later.length >= 1 && later.every(({ id }) => id === 'seat-of-fresh-1'))
})

test('a seat that the agent still has is taken up again, and no second one is asked for', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => (clock.atMost() < 630 * second ? gone : 'seat')
  await clock.run(640 * second)
  t.deepEqual(events, ['lost: unreached', 'regained seat-of-id-1'])
  t.deepEqual(agent.heardOf('ask'), [])
})

test('a lost answer to the request for another seat repeats its id; one that was over needs a new id', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => refused('session_ended', { reason: 'expired' })
  const replies: Reaction[] = [lost, refused('session_ended'), refused('serving_stopped'), 'seat']
  agent.ask = () => replies.shift() ?? 'hang'
  await clock.run(230 * second)
  t.deepEqual(
    agent.heardOf('ask').map(({ id }) => id),
    ['fresh-1', 'fresh-1', 'fresh-2', 'fresh-2'],
  )
  t.is(events.at(-1), 'regained seat-of-fresh-2')
})

test('after 60 s without another seat it gives up, once, with the last refusal', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => refused('session_ended', { reason: 'disconnected' })
  agent.ask = () => refused('no_seats')
  await clock.run(255 * second)
  t.deepEqual(events, ['lost: disconnected'])
  await clock.run(6 * second)
  t.deepEqual(events, ['lost: disconnected', 'gave up: no_seats'])
  const asked = agent.heardOf('ask').length
  t.true(asked >= 10)
  await clock.run(10 * minute)
  t.is(agent.heardOf('ask').length, asked)
  t.is(events.length, 2)
})

test('the 60 s are of being awake: a sleep in them costs no program its seat', async (t) => {
  const { agent, clock, events } = await hold()
  agent.beat = () => refused('session_ended', { reason: 'disconnected' })
  agent.ask = () => refused('no_seats')
  await clock.run(210 * second)
  clock.sleepMachine(60 * minute)
  await clock.run(30 * second)
  t.deepEqual(events, ['lost: disconnected'])
  agent.ask = () => 'seat'
  await clock.run(6 * second)
  t.regex(events.at(-1) ?? '', /^regained/)
})

test('who goes on without a seat asks for one from time to time', async (t) => {
  const { agent, clock, events } = await hold(true)
  agent.beat = () => refused('session_ended', { reason: 'disconnected' })
  agent.ask = () => refused('no_seats')
  await clock.run(270 * second)
  const before = agent.heardOf('ask').length
  await clock.run(10 * minute)
  const slow = agent.heardOf('ask').slice(before)
  t.true(slow.length >= 18 && slow.length <= 21, `${slow.length} in 10 minutes`)
  t.true(slow.every(({ wait }) => wait === undefined))
  agent.ask = () => 'seat'
  agent.beat = () => 'seat'
  await clock.run(minute)
  t.deepEqual(events.slice(0, 2), ['lost: disconnected', 'gave up: no_seats'])
  t.regex(events[2] ?? '', /^regained/)
})

// ---- giving back

test('closing gives the seat back, once more where the answer was lost, and stops everything', async (t) => {
  const { agent, clock, holder } = await hold()
  const replies: Reaction[] = [lost, answered(undefined, 204)]
  agent.giveBack = () => replies.shift() ?? 'hang'
  await holder.close()
  t.deepEqual(
    agent.heard.map(({ what, id }) => `${what} ${id}`),
    ['return seat-of-id-1', 'return seat-of-id-1'],
  )
  await clock.run(60 * minute)
  t.is(agent.heard.length, 2)
  t.is(clock.waiting, 0)
})

test('closing does not wait for a heartbeat or a place in the line', async (t) => {
  for (const what of ['beat', 'ask'] as const) {
    const { agent, clock, holder } = await hold()
    agent.beat = () => (what === 'beat' ? 'hang' : refused('session_ended', { reason: 'expired' }))
    agent.ask = () => 'hang'
    await clock.run(202 * second)
    t.is(agent.heard.at(-1)?.what, what)
    await holder.close()
    t.is(agent.heardOf('return').length, what === 'beat' ? 1 : 0)
  }
})
