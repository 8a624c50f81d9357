/** `leasehold products mode`: where the seats of a product come from. */
import { z } from 'zod'
import { ask, failUnanswered } from './failure.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

const productMode = z.looseObject({ mode: z.string(), manager: z.string() })

const modes = ['both', 'local', 'network'] as const

export const productModeVerb: Verb = {
  name: 'products mode',
  summary: 'Show or say where the seats of a product come from',
  description: [
    'local: only licenses of this machine; network: only of other managers; both: first here, then there.',
    '--manager names the one manager to ask, by host, host:port or id@host; "auto" finds one each time.',
  ],
  arguments: [{ name: 'VENDOR/PRODUCT', required: true }],
  options: [
    { name: 'set', kind: 'choice', choices: modes, help: 'The mode from now on' },
    { name: 'manager', kind: 'text', value: 'ADDRESS', help: 'The manager to ask, or auto' },
    ...agentOptions,
  ],
  run: runMode,
}

async function runMode({ agent, given, out }: Invocation): Promise<number> {
  const [product = ''] = given.arguments
  const path = `/api/v1/products/${product.split('/').map(encodeURIComponent).join('/')}/mode`
  const set = given.text('set')
  const manager = given.text('manager')
  const body = {
    ...(set === undefined ? {} : { mode: set }),
    ...(manager === undefined ? {} : { manager: manager === 'auto' ? '' : manager }),
  }
  const isChange = Object.keys(body).length > 0
  const asked = await ask(agent, isChange ? { method: 'PUT', path, body } : { method: 'GET', path }, productMode)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else
    out.line(
      `${product}: ${asked.value.mode}, ${asked.value.manager === '' ? 'manager found each time' : asked.value.manager}.`,
    )
  return 0
}
