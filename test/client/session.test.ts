/**
 * Sessions of the client library on a clock that the test moves: when they beat, what they believe, how they end.
 */
import test from 'ava'
import type { Session } from 'leasehold/client'
import { answered, gone, lost, minute, type Reaction, refused, ScriptedAgent, second } from './scripted-agent.ts'

/** A session that notes its changes and its end. */
async function live(agent = new ScriptedAgent(), options: Parameters<ScriptedAgent['session']>[0] = {}) {
  const events: string[] = []
  const session = await agent.session({ onEnd: ({ reason }) => void events.push(`end: ${reason}`), ...options })
  session.onChange(({ state }) => events.push(state))
  agent.heard.length = 0
  return { agent, clock: agent.clock, session, events }
}

// ---- keeping

test('heartbeats come exactly when the agent asks for them, for as long as the session lives', async (t) => {
  const { agent, clock, session, events } = await live()
  await clock.run(30 * minute)
  t.deepEqual(
    agent.heardOf('beat').map(({ at }) => at),
    [200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800].map((at) => at * second),
  )
  t.is(session.state, 'active')
  t.deepEqual(events, [])
})

test('while the agent does not answer the session is renewing, and active again when it does', async (t) => {
  for (const reaction of [lost, gone, 'hang', refused('internal_error')] as const) {
    const { agent, clock, session, events } = await live()
    agent.beat = () => reaction
    await clock.run(220 * second)
    t.is(session.state, 'renewing')
    t.is(session.secondsLeft, 380)
    agent.beat = () => 'seat'
    await clock.run(10 * second)
    t.is(session.state, 'active')
    t.true(session.secondsLeft > 590)
    t.deepEqual(events, ['renewing', 'active'])
  }
})

test('a heartbeat that the agent puts off is repeated when it says', async (t) => {
  const { agent, clock } = await live()
  agent.beat = () => refused('store_unavailable', { retryIn: 20 })
  await clock.run(250 * second)
  t.deepEqual(
    agent.heardOf('beat').map(({ at }) => at),
    [200, 220, 240].map((at) => at * second),
  )
})

test('R9: when no heartbeat was answered the seat ends to the second, and the use of it ends first', async (t) => {
  for (const reaction of [lost, gone, 'hang'] as const) {
    const { agent, clock, session, events } = await live()
    agent.beat = () => reaction
    await clock.run(599 * second)
    t.deepEqual(events, ['renewing'])
    t.is(session.secondsLeft, 1)
    await clock.run(second + 5)
    t.deepEqual(events, ['renewing', 'ended', 'end: unreached'])
    t.is(session.secondsLeft, 0)
    t.deepEqual(await session.ended, session.end)
    t.is(agent.calls.at(-1), 'close')
    agent.heard.length = 0
    await clock.run(60 * minute)
    t.deepEqual(agent.heard, [])
    t.is(clock.waiting, 0)
  }
})

test('R9: after a sleep the agent is asked before the time counts, and it counts when there is no answer for 5 s', async (t) => {
  const good = await live()
  good.clock.sleepMachine(60 * minute)
  t.is(good.session.secondsLeft, 0)
  await good.clock.run(second)
  t.is(good.session.state, 'active')
  t.is(good.session.secondsLeft, 600)

  const silent = await live()
  silent.agent.beat = () => 'hang'
  silent.clock.sleepMachine(60 * minute)
  await silent.clock.run(5 * second)
  t.deepEqual(silent.events, ['renewing'])
  await silent.clock.run(second)
  t.is(silent.session.end?.reason, 'unreached')
})

test('R9: a heartbeat that was on its way when the machine fell asleep is no answer after it woke', async (t) => {
  const { agent, clock, session } = await live()
  agent.beat = () => 'hang'
  await clock.run(202 * second)
  clock.sleepMachine(60 * minute)
  agent.beat = () => 'seat'
  await clock.run(5 * second)
  t.is(session.state, 'active')
  t.true(session.secondsLeft > 590)
})

test('R9: who could not reach the agent before a sleep asks again after it', async (t) => {
  const { agent, clock, session } = await live()
  agent.beat = () => gone
  await clock.run(250 * second)
  t.is(session.state, 'renewing')
  clock.sleepMachine(60 * minute)
  agent.beat = () => 'seat'
  await clock.run(2 * second)
  t.is(session.state, 'active')
})

test('R9: a wall clock that ran ahead by more than 30 s counts as a sleep, one that was set back does not', async (t) => {
  const paused = await live()
  paused.agent.beat = () => refused('session_ended', { reason: 'expired' })
  paused.clock.pauseMachine(60 * minute)
  await paused.clock.run(second)
  t.is(paused.session.end?.reason, 'expired')

  const back = await live()
  back.clock.setWall(back.clock.wall() - 60 * minute)
  await back.clock.run(second)
  t.is(back.session.secondsLeft, 599)
  t.deepEqual(back.events, [])
})

// ---- activity

test('S12: activity is told with the next heartbeat, at once where the last word is 2 minutes old, and never invented', async (t) => {
  const agent = new ScriptedAgent()
  agent.expiresIn = 3600
  agent.more = { idleEndsAt: '2027-01-04T20:00:00.000Z' }
  const { clock, session } = await live(agent, { activity: 'reported' })
  t.is(session.idleEndsAt?.toISOString(), '2027-01-04T20:00:00.000Z')
  await clock.run(30 * second)
  session.touch()
  await clock.run(89 * second)
  t.deepEqual(agent.calls, [])
  await clock.run(second)
  const wallAt30 = new Date(clock.wall() - 90 * second).toISOString()
  t.deepEqual(
    agent.heardOf('beat').map(({ at, body }) => [at, body.activeAt]),
    [[120 * second, wallAt30]],
  )
  await clock.run(30 * second)
  session.touch()
  await clock.run(89 * second)
  t.is(agent.heardOf('beat').length, 1, 'the last word is not old')
  await clock.run(10 * minute)
  t.is(agent.heardOf('beat').length, 2, 'no activity, no word of it')
  session.touch()
  session.touch()
  await clock.run(0)
  t.is(agent.heardOf('beat').length, 3)
  t.is(agent.heardOf('beat')[2]?.body.activeAt, new Date(clock.wall()).toISOString())
  await clock.run(20 * minute)
  t.is(agent.heardOf('beat')[3]?.body.activeAt, undefined)

  agent.beat = () => gone
  session.touch()
  await clock.run(second)
  agent.beat = () => 'seat'
  await clock.run(3 * second)
  t.is(typeof agent.heardOf('beat').at(-1)?.body.activeAt, 'string', 'what was not heard is said again')
})

test('without activity “reported” nothing is told of it', async (t) => {
  const { agent, clock, session } = await live()
  await clock.run(150 * second)
  session.touch()
  await clock.run(60 * second)
  t.deepEqual(
    agent.heardOf('beat').map(({ at, body }) => [at, body]),
    [[200 * second, {}]],
  )
})

// ---- ending

test('R5: a heartbeat that is answered 410 ends the session with the agent’s reason, and nothing is left to give back', async (t) => {
  for (const [code, facts, reason] of [
    ['session_ended', { reason: 'disconnected' }, 'disconnected'],
    ['session_ended', { reason: 'idle' }, 'idle'],
    ['session_ended', { reason: 'a reason of next year' }, 'other'],
    ['unknown_session', {}, 'unknown_session'],
    ['wrong_key', {}, 'wrong_key'],
  ] as const) {
    const { agent, clock, session, events } = await live()
    agent.beat = () => refused(code, facts)
    await clock.run(200 * second)
    t.deepEqual(events, ['ended', `end: ${reason}`])
    t.deepEqual(session.end, { reason, detail: `${code}.` })
    t.deepEqual(agent.calls, ['beat'])
    t.is(session.secondsLeft, 0)
  }
})

test('R5: an ordered end is known at once, and the agent is told only after the use has ended', async (t) => {
  const agent = new ScriptedAgent()
  let endUse: () => void = () => {}
  const onEnd = () => new Promise<void>((resolve) => (endUse = resolve))
  const { clock, session, events } = await live(agent, { onEnd })
  await clock.run(50 * second)
  await agent.tell('session.changed', 'session-2')
  t.deepEqual(agent.heard, [], 'another session is none of its business')
  await agent.tell('session.changed')
  t.is(session.state, 'active', 'it only moved')
  agent.look = () => answered({ state: 'ending', reason: 'disconnected' })
  await agent.tell('session.changed')
  t.deepEqual(session.end, { reason: 'disconnected', detail: 'An administrator disconnected it.' })
  t.is(session.secondsLeft, 550, 'what was promised is left to finish in')
  await session.close()
  await clock.run(5 * minute)
  t.deepEqual(agent.calls, [], 'no heartbeat, which would confirm the end, and no word yet')
  endUse()
  await clock.run(0)
  t.deepEqual(agent.calls, ['close'])
  t.is((await session.ended).reason, 'disconnected')
  t.is(session.secondsLeft, 0)
  t.deepEqual(events, ['ended'])
  t.is(agent.streams, 0)
})

test('a session that the agent says is gone ends with the reason of the heartbeat', async (t) => {
  const { agent, clock, session } = await live()
  agent.look = () => refused('unknown_session')
  agent.beat = () => refused('session_ended', { reason: 'process_gone' })
  await agent.tell('session.ended')
  await clock.run(0)
  t.is(session.end?.reason, 'process_gone')
})

test('news that were missed while the stream was away are asked for; without a stream heartbeats go on', async (t) => {
  const { agent, clock, session } = await live()
  agent.look = () => answered({ state: 'ending', reason: 'license_removed' })
  await agent.breakStreams()
  await clock.run(2 * second)
  t.is(session.end?.reason, 'license_removed')

  const deaf = new ScriptedAgent()
  deaf.news = () => refused('too_many_requests', { retryIn: 10 })
  const other = await live(deaf)
  await clock.run(0)
  await other.clock.run(10 * minute)
  t.is(other.agent.heardOf('beat').length, 3)
  const tries = other.agent.heardOf('news').length
  t.true(tries >= 8 && tries <= 60, `${tries} tries in 10 minutes`)
})

test('closing gives the seat back once, repeats a lost answer, calls no handler and leaves nothing running', async (t) => {
  const { agent, clock, session, events } = await live()
  const replies: Reaction[] = [lost, answered(undefined, 204)]
  agent.close = () => replies.shift() ?? 'hang'
  await session.close()
  await session.close()
  t.deepEqual(agent.calls, ['close', 'close'])
  t.is(agent.streams, 0)
  await clock.run(0)
  t.is(clock.waiting, 0)
  t.deepEqual(events, ['ended'])
  t.is((await session.ended).reason, 'closed')
  t.is(session.secondsLeft, 0)
  t.deepEqual(await session.verify(), { kind: 'ended', end: session.end ?? t.fail() })
  session.touch()
  await clock.run(60 * minute)
  t.is(clock.waiting, 0)
  t.is(agent.streams, 0)
})

test('closing does not wait for a heartbeat that hangs', async (t) => {
  const { agent, clock, session } = await live()
  agent.beat = () => 'hang'
  await clock.run(201 * second)
  await session.close()
  t.deepEqual(agent.calls, ['beat', 'close'])
})

test('a handler that closes the session does not wait for itself', async (t) => {
  const agent = new ScriptedAgent()
  const closing: Promise<void>[] = []
  const sessions: Session[] = []
  const { clock, session } = await live(agent, {
    onEnd: async () => {
      const closed = sessions[0]?.close() ?? Promise.reject(new Error('no session'))
      closing.push(closed)
      await closed
    },
  })
  sessions.push(session)
  agent.beat = () => refused('session_ended', { reason: 'idle' })
  await clock.run(200 * second)
  t.is((await session.ended).reason, 'idle')
  t.is(closing.length, 1)
})

test('a listener is not called any more once it was taken away', async (t) => {
  const { agent, clock, session } = await live()
  const states: string[] = []
  const stop = session.onChange(({ state }) => states.push(state))
  agent.beat = () => lost
  await clock.run(201 * second)
  stop()
  agent.beat = () => 'seat'
  await clock.run(10 * second)
  t.deepEqual(states, ['renewing'])
})

test('a seat that comes from elsewhere all of a sudden is told', async (t) => {
  const { agent, clock, session, events } = await live()
  agent.more = { source: { kind: 'lease', manager: { id: 'agent-2', name: 'LS-1' } } }
  await clock.run(200 * second)
  t.deepEqual(events, ['active'])
  t.is(session.source?.manager.name, 'LS-1')
})

test('verify sends a heartbeat now and says whether the agent answered', async (t) => {
  const { agent, clock, session } = await live()
  t.deepEqual(await session.verify(), { kind: 'none' })
  await clock.run(100 * second)
  t.deepEqual(await session.verify(), { kind: 'none' })
  t.is(session.secondsLeft, 600)
  agent.beat = () => gone
  t.deepEqual(await session.verify(), { kind: 'unreached' })
  t.is(session.state, 'renewing')
})
