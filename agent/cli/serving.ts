/** `leasehold serving`: whether the agent gives out seats, and its two switches. */
import { type Serving, serving } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { plural } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

const path = '/api/v1/serving'

const states: Readonly<Record<string, string>> = {
  open: 'Seats are given out.',
  handing_out_disabled: 'The license server is disabled: no new seats; those in use go on.',
  serving_stopped: 'Serving is stopped: no new seats, and those in use end.',
}

function writeServing({ state, access, agents, users, seats, ending }: Serving): string[] {
  const told = ending === 0 ? '' : `, ${ending} of them ending`
  return [
    states[state] ?? state,
    `${plural(seats, 'seat')} in use by ${plural(users, 'user')}${told}.`,
    access === 'none'
      ? 'Other machines get no seats from here.'
      : `${plural(agents, 'other agent')} ${agents === 1 ? 'holds' : 'hold'} seats of this one.`,
  ]
}

async function run({ agent, out }: Invocation, change?: Readonly<Record<string, boolean>>): Promise<number> {
  const call =
    change === undefined ? ({ method: 'GET', path } as const) : ({ method: 'PUT', path, body: change } as const)
  const asked = await ask(agent, call, serving)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else for (const line of writeServing(asked.value)) out.line(line)
  return 0
}

function switchVerb(
  word: string,
  summary: string,
  description: string,
  change: Readonly<Record<string, boolean>>,
): Verb {
  return {
    name: `serving ${word}`,
    summary,
    description: [description],
    arguments: [],
    options: agentOptions,
    run: (invocation) => run(invocation, change),
  }
}

export const servingVerb: Verb = {
  name: 'serving',
  summary: 'Show whether the agent gives out seats, and to how many',
  arguments: [],
  options: agentOptions,
  run: (invocation) => run(invocation),
}

export const servingVerbs: readonly Verb[] = [
  servingVerb,
  switchVerb(
    'stop',
    'Stop serving: no new seats, and those in use end',
    'Whoever uses a seat is told; it is free when that is confirmed, at the latest when its lease time is over. Detached seats stay. When the agent starts anew it serves again.',
    { running: false },
  ),
  switchVerb('start', 'Serve again', 'After serving was stopped.', { running: true }),
  switchVerb(
    'disable',
    'Disable the license server: no new seats',
    'Seats in use go on and are renewed; detached seats stay. It stays so when the agent starts anew.',
    { handingOut: false },
  ),
  switchVerb('enable', 'Enable the license server', 'Seats are given out again.', { handingOut: true }),
]
