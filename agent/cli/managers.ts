/** `leasehold managers`: which other agents are known, whether they answer, and what they offer; approve and forget. */
import { anything, type Manager, managers } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { printList } from './pages.ts'
import { duration, localTime } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, pageOptions, type Verb } from './verb.ts'

/** In the words of the page. */
const states: Readonly<Record<string, string>> = {
  asking: 'not asked yet',
  reachable: 'reachable',
  refusing: 'refuses',
  pending: 'waits for approval there',
  unreachable: 'unreachable',
  wrong_identity: 'another agent answers',
  other_version: 'other version',
}

const columns: readonly Column<Manager>[] = [
  { title: 'Name', cell: ({ name }) => name },
  { title: 'State', cell: describeState },
  { title: 'Address', cell: ({ addresses }) => addresses[0]?.address },
  { title: 'Found by', cell: ({ foundBy }) => foundBy.join(', ') },
  { title: 'Version', cell: ({ version }) => version },
  { title: 'Answer', right: true, cell: ({ latency }) => latency && `${Math.round(latency)} ms` },
  { title: 'Clock', right: true, cell: ({ clockDifference }) => describeClock(clockDifference) },
  { title: 'Offers', cell: ({ offers }) => offers.map(describeOffer).join(', ') },
  { title: 'Last seen', cell: ({ lastSeenAt }) => lastSeenAt && localTime(lastSeenAt) },
  { title: 'Id', cell: ({ id }) => id },
]

function describeState({ state, code, approval }: Manager): string {
  if (approval === 'pending' && state === 'asking') return 'asks to be approved here'
  const said = states[state] ?? state
  return code === undefined || state === 'pending' ? said : `${said} (${code})`
}

function describeClock(difference: number | undefined): string | undefined {
  if (difference === undefined) return undefined
  return Math.abs(difference) < 2 ? 'right' : `${difference < 0 ? '-' : '+'}${duration(Math.abs(difference))}`
}

function describeOffer({ product, free, seats }: Manager['offers'][number]): string {
  return `${product} ${free}/${seats}`
}

export const managersVerb: Verb = {
  name: 'managers list',
  alias: 'managers',
  summary: 'List the other agents that are known, and what they offer',
  description: ['Offers are shown as free seats of all seats. Those that offer something come first.'],
  arguments: [],
  options: [
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'Only those that offer this product' },
    { name: 'state', kind: 'text', value: 'STATE', help: 'Only those in this state, such as reachable' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: (invocation) => {
    const filter = { product: invocation.given.text('product'), state: invocation.given.text('state') }
    const empty = 'There are no such agents. Search for them with: leasehold search'
    return printList(invocation, '/api/v1/managers', filter, managers, columns, empty)
  },
}

export const approveManagerVerb: Verb = {
  name: 'managers approve',
  summary: 'Let an agent have seats from here, where only approved ones get some',
  arguments: [{ name: 'ID', required: true }],
  options: agentOptions,
  run: (invocation) => order(invocation, 'approve', 'It may have seats from here now.'),
}

export const forgetManagerVerb: Verb = {
  name: 'managers forget',
  summary: 'Forget an agent, with its key and its approval',
  arguments: [{ name: 'ID', required: true }],
  options: agentOptions,
  run: (invocation) => order(invocation, 'forget', 'It is forgotten.'),
}

async function order({ agent, given, out }: Invocation, what: 'approve' | 'forget', done: string): Promise<number> {
  const path = `/api/v1/managers/${encodeURIComponent(given.arguments[0] ?? '')}/${what}`
  const asked = await ask(agent, { method: 'POST', path }, anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (!out.json) out.note(done)
  else if (asked.text !== '') out.raw(asked.text)
  return 0
}
