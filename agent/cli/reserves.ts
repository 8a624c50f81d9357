/** `leasehold reserves`: seats that this machine keeps in advance. */
import { anything, type Reserve, reserve, reserves } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { printList } from './pages.ts'
import { localTime, plural } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<Reserve>[] = [
  { title: 'Reserve', cell: ({ id }) => id },
  { title: 'Product', cell: ({ product, feature }) => [product, feature].filter(Boolean).join(' ') },
  { title: 'Asked', right: true, cell: ({ seats }) => seats },
  { title: 'Kept', right: true, cell: ({ taken }) => taken },
  { title: 'In use', right: true, cell: ({ used }) => used },
  { title: 'From', cell: ({ from }) => from.map(({ manager, seats }) => `${seats} ${manager.name}`).join(', ') },
  { title: 'Works alone until', cell: ({ from }) => aloneUntil(from) },
  { title: 'Missing because', cell: ({ missing }) => missing?.detail },
]

export const reserveVerbs: readonly Verb[] = [
  {
    name: 'reserves list',
    alias: 'reserves',
    summary: 'List the seats that this machine keeps in advance',
    arguments: [],
    options: [...agentOptions, ...pageOptions],
    run: (invocation) => {
      const empty = 'Nothing is kept in advance. Keep some with: leasehold reserves keep NAME --product P --seats N'
      return printList(invocation, '/api/v1/reserves', {}, reserves, columns, empty)
    },
  },
  {
    name: 'reserves keep',
    summary: 'Keep seats of a product in advance; the same name again changes how many',
    description: [
      'Takes as many as there are, of the licenses of this machine first, then of other managers, and goes on trying for the rest.',
    ],
    arguments: [{ name: 'NAME', required: true }],
    options: [
      { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', required: true, help: 'The product' },
      { name: 'feature', kind: 'text', value: 'FEATURE', help: 'Seats that serve this feature only' },
      { name: 'seats', kind: 'whole', value: 'N', min: 1, max: 1000, help: 'How many; 1 when left out' },
      ...agentOptions,
    ],
    run: keep,
  },
  {
    name: 'reserves drop',
    summary: 'Give a reserve back; seats in use follow when their sessions end',
    arguments: [{ name: 'NAME', required: true }],
    options: agentOptions,
    run: drop,
  },
]

/** Of the seats whose manager does not answer; the others are renewed. */
function aloneUntil(from: Reserve['from']): string | undefined {
  const until = from
    .filter(({ reachable }) => !reachable)
    .map((one) => one.until)
    .sort()[0]
  return until && localTime(until)
}

function pathOf({ given }: Invocation): string {
  return `/api/v1/reserves/${encodeURIComponent(given.arguments[0] ?? '')}`
}

async function keep(invocation: Invocation): Promise<number> {
  const { agent, given, out } = invocation
  const feature = given.text('feature')
  const body = {
    product: given.text('product'),
    ...(feature === undefined ? {} : { feature }),
    seats: given.whole('seats') ?? 1,
  }
  const asked = await ask(agent, { method: 'PUT', path: pathOf(invocation), body }, reserve)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { taken, seats, missing } = asked.value
  if (out.json) out.raw(asked.text)
  else out.line(`${taken} of ${plural(seats, 'seat')} kept.`)
  if (!out.json && missing !== undefined) out.note(missing.detail)
  return 0
}

async function drop(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const asked = await ask(agent, { method: 'DELETE', path: pathOf(invocation) }, anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (!out.json) out.note('It is given back.')
  return 0
}
