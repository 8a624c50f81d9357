/** `leasehold test`: the way to another agent, step by step, with what to ask the network administrator for. */
import { connectionReport } from './answers.ts'
import { exitCodeOf } from './exit-codes.ts'
import { ask, failUnanswered } from './failure.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

/** ms; a silent address takes its time at every step. */
const patience = 60_000

const names: Readonly<Record<string, string>> = {
  name: 'Name',
  tcp: 'TCP',
  tls: 'TLS',
  identity: 'Identity',
  version: 'Version',
  latency: 'Latency',
  clock: 'Clock difference',
  licenses: 'Licenses offered',
}
const marks: Readonly<Record<string, string>> = { passed: 'ok', failed: 'FAILED', skipped: '-' }

export const testVerb: Verb = {
  name: 'test',
  summary: 'Test the way to another agent, step by step',
  description: [
    'ADDRESS is one search parameter: IPv4, IPv6, link-local address with its adapter, host name, host:port, x.x.x.255 for every address of that /24, CIDR range, https URL, id@host. The exit code is 0 only if every step passed.',
  ],
  arguments: [{ name: 'ADDRESS', required: true }],
  options: agentOptions,
  run: testAddress,
}

async function testAddress({ agent, given, out }: Invocation): Promise<number> {
  const body = { address: given.arguments[0] ?? '' }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/managers/test', body, patience }, connectionReport)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { reached, steps } = asked.value
  if (out.json) out.raw(asked.text)
  else {
    out.table(
      [
        { title: 'Step', cell: ({ step }) => names[step] ?? step },
        { title: 'Result', cell: ({ outcome }) => marks[outcome] ?? outcome },
        { title: 'Time', right: true, cell: ({ ms }) => (ms === undefined ? undefined : `${Math.round(ms)} ms`) },
        { title: 'What was found', cell: ({ detail }) => detail },
      ],
      steps,
    )
    for (const { help } of steps) if (help !== undefined) out.note(help)
  }
  return reached ? 0 : exitCodeOf('manager_unreachable')
}
