/** `leasehold proxy test`: whether the outgoing proxy works, and where it fails. */
import { proxyTest } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

/** ms; longer than the agent tries. */
const patience = 30_000
const unreachable = 1

export const testProxyVerb: Verb = {
  name: 'proxy test',
  summary: 'Try the outgoing proxy, and say where it fails',
  description: [
    'With an ADDRESS a connection to it is made as the agent would make it; without, it goes as far as the login of the proxy. The exit code is 0 where it works, else 1.',
  ],
  arguments: [{ name: 'ADDRESS', required: false }],
  options: agentOptions,
  run: runTest,
}

async function runTest({ given, agent, out }: Invocation): Promise<number> {
  const [address] = given.arguments
  const body = address === undefined ? {} : { address }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/proxy/test', body, patience }, proxyTest)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { way, good, steps, ms } = asked.value
  if (out.json) out.raw(asked.text)
  else {
    for (const { step, outcome, detail } of steps)
      out.line(`${outcome === 'good' ? 'good' : 'FAILED'}  ${step}: ${detail}`)
    const how = way === 'straight' ? 'without a proxy' : 'through the proxy'
    out.line(good ? `It works, ${how}, in ${ms} ms.` : `It does not work, ${how}.`)
  }
  return good ? 0 : unreachable
}
