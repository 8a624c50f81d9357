/** `leasehold status`: which agent runs here, how it is, and how many seats are free. */
import { health, type Product, products, status } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { columns } from './products.ts'
import { exactTime } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const statusVerb: Verb = {
  name: 'status',
  summary: 'Say which agent runs here, how it is, and how many seats are free',
  arguments: [],
  options: agentOptions,
  run: showStatus,
}

async function showStatus({ agent, out }: Invocation): Promise<number> {
  const asked = await ask(agent, { method: 'GET', path: '/api/v1/status' }, status)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const { value } = asked
  const [condition, offered] = await Promise.all([
    ask(agent, { method: 'GET', path: '/api/v1/health' }, health),
    ask(agent, { method: 'GET', path: '/api/v1/products?limit=1000' }, products),
  ])
  out.pairs([
    ['Agent', `${value.agent.name}, version ${value.version}`],
    ['Page', `http://localhost:${value.port}`],
    ['Running', `since ${exactTime(value.startedAt)}, pid ${value.pid}`],
    ['Data folder', value.dataFolder],
    ['Sessions', value.sessions],
    ['Health', condition.kind === 'answer' ? condition.value.state : 'could not be read'],
  ])
  if (condition.kind === 'answer')
    for (const { severity, title, text } of condition.value.problems) out.line(`  ${severity}: ${title}. ${text}`)
  if (offered.kind === 'answer' && offered.value.items.length > 0) {
    out.line('')
    out.table<Product>(columns, offered.value.items)
  }
  return 0
}
