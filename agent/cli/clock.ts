/** `leasehold clock`: the date that things end by, and the word that the clock is right. */
import { clock } from './detachment-answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { duration, exactTime } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

async function run({ agent, out }: Invocation, call: { readonly method: 'GET' | 'POST'; readonly path: string }) {
  const asked = await ask(agent, call, clock)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const { time, date, ahead, behind } = asked.value
  out.line(`The clock says ${exactTime(time)}; things begin and end by ${exactTime(date)}.`)
  if (ahead !== undefined)
    out.line(
      `It jumped ahead by ${duration(ahead.seconds)} and is believed after ${duration(ahead.waitIn)} more of running. If it is right: leasehold clock confirm`,
    )
  if (behind !== undefined)
    out.line(
      `It is ${duration(behind.seconds)} behind the latest date that was seen here. Detached seats are given out for ${duration(behind.refusesIn)} more; set it right.`,
    )
  return 0
}

export const clockVerb: Verb = {
  name: 'clock show',
  alias: 'clock',
  summary: 'Show the date that things begin and end by, beside the clock',
  arguments: [],
  options: agentOptions,
  run: (invocation) => run(invocation, { method: 'GET', path: '/api/v1/clock' }),
}

export const confirmClockVerb: Verb = {
  name: 'clock confirm',
  summary: 'Say that a clock that jumped ahead is right',
  description: ['What ends by the later date ends now.'],
  arguments: [],
  options: agentOptions,
  run: (invocation) => run(invocation, { method: 'POST', path: '/api/v1/clock/confirm' }),
}
