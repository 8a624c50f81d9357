/** `leasehold disconnect`: ends a session of somebody else. */
import { disconnected } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { exactTime, plural } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const disconnectVerb: Verb = {
  name: 'disconnect',
  summary: 'End a session',
  description: [
    'The application is told at its next heartbeat. The seat is free when it confirms, at the latest at the time shown.',
    'With --free-now the seat is free at once although the application may still run: until the time shown more seats may be in use than there are. That is recorded, and the license may forbid it.',
  ],
  arguments: [{ name: 'SESSION', required: true }],
  options: [
    { name: 'reason', kind: 'text', value: 'TEXT', help: 'Recorded in the journal' },
    { name: 'free-now', kind: 'switch', help: 'Free the seat although the application may still run' },
    ...agentOptions,
  ],
  run: disconnect,
}

async function disconnect({ given, agent, out }: Invocation): Promise<number> {
  const id = given.arguments[0] ?? ''
  const reason = given.text('reason')
  const body = { freeNow: given.on('free-now'), ...(reason === undefined ? {} : { reason }) }
  const path = `/api/v1/sessions/${encodeURIComponent(id)}/disconnect`
  const asked = await ask(agent, { method: 'POST', path, body }, disconnected)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const { ended, freeAt, overlap } = asked.value
  if (overlap !== undefined)
    out.line(
      `The seat is free. Until ${exactTime(overlap.until)} ${plural(overlap.seats, 'seat')} may be in use beyond the licensed ones.`,
    )
  else if (ended === 'confirmed') out.line('The session has ended and the seat is free.')
  else
    out.line(
      `The session is ending. The seat is free when the application confirms, at the latest at ${exactTime(freeAt)}.`,
    )
  return 0
}
