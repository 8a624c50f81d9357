import test from 'ava'
import type { Meeting } from '../../agent/peers/meeting.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { PeerAgent } from './peer-agent.ts'

interface Greeting {
  meeting?: Meeting
}

/** Greets a manager that has been greeted too often from this address, and waits until that was refused once. */
async function greetInVain(asker: PeerAgent, manager: PeerAgent, timeout: number): Promise<Greeting> {
  while (manager.door.greet('127.0.0.1') === undefined);
  const before = manager.listener.handshakes
  const greeting: Greeting = {}
  void asker.client.meet(`127.0.0.1:${manager.port}`, { timeout }).then((meeting) => {
    greeting.meeting = meeting
  })
  await waitFor('the second greeting', () => {
    asker.clock.advance(100)
    return manager.listener.handshakes >= before + 2
  })
  return greeting
}

test('an agent that too many greet from one address is greeted again until there is no time left', async (t) => {
  const asker = await PeerAgent.start({ name: 'WS-17' })
  const manager = await PeerAgent.start({ name: 'LICENSE-1' })
  try {
    const hour = 3_600_000
    const patient = await greetInVain(asker, manager, hour)
    t.is(patient.meeting, undefined)
    manager.clock.advance(1000)
    await waitFor('the meeting', () => {
      asker.clock.advance(100)
      return patient.meeting !== undefined
    })
    t.is(patient.meeting?.kind, 'met')

    const hurried = await greetInVain(asker, manager, hour)
    asker.clock.advance(hour)
    await waitFor('the end of the waiting', () => hurried.meeting !== undefined)
    t.like(hurried.meeting, { kind: 'unreachable', unsent: true, step: 'answer' })
    const detail = `127.0.0.1:${manager.port}: too many greet it from this address at the moment.`
    t.is(hurried.meeting?.kind === 'unreachable' ? hurried.meeting.detail : '', detail)
  } finally {
    await asker.stop()
    await manager.stop()
  }
})
