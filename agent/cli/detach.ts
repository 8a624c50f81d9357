/** `leasehold detach` and `leasehold detachments`: seats taken along until a date, and which there are. */
import {
  block as blockAnswer,
  type Detachment,
  detachment as detachmentAnswer,
  detachmentPath,
  detachments,
  detachPlan,
  madeDetachment,
  tell,
} from './detachment-answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { deliver, readInput } from './files.ts'
import { printList } from './pages.ts'
import { exactTime, localTime, plural } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, type Option, pageOptions, type Verb } from './verb.ts'

/** When it is to end; `extend` has them, too. */
export const endOptions: readonly Option[] = [
  {
    name: 'until',
    kind: 'text',
    value: 'DATE',
    help: 'A day of the zone of the machine, or an instant such as 2027-02-01T12:00:00Z',
  },
  { name: 'days', kind: 'whole', value: 'N', min: 1, max: 9999, help: 'So many times 24 hours from now' },
]

/** What was given of them. */
export function endOf({ given }: Invocation): { readonly until?: string; readonly days?: number } {
  const until = given.text('until')
  const days = given.whole('days')
  return { ...(until === undefined ? {} : { until }), ...(days === undefined ? {} : { days }) }
}

export const detachVerb: Verb = {
  name: 'detach',
  summary: 'Take seats along until a date; they work with no network',
  description: [
    'The seats are attached to this machine and deducted from the manager. On their date they end on both sides by themselves.',
    'With --recipient an administrator of a manager detaches for another machine: by its id or name where it is known, which takes them when it next connects; or by a file with its recipient block, which leasehold recipient makes there. Then the block for it is printed, or written to --out.',
    'With --preview nothing is done, and what it would be is said.',
  ],
  arguments: [{ name: 'PRODUCT', required: true }],
  options: [
    ...endOptions,
    {
      name: 'soft',
      kind: 'switch',
      help: 'Valid for 3 days, renewed every hour while the manager can be reached',
    },
    {
      name: 'seats',
      kind: 'whole',
      value: 'N',
      min: 1,
      max: 1_000_000,
      help: 'So many seats; one where nothing is said',
    },
    { name: 'feature', kind: 'text', value: 'FEATURE', help: 'Seats of this feature' },
    { name: 'manager', kind: 'text', value: 'NAME', help: 'From this manager: its id, name or address' },
    { name: 'recipient', kind: 'text', value: 'ID|FILE', help: 'For this machine instead of this one' },
    { name: 'out', kind: 'text', value: 'FILE', help: 'Write the block for the other machine to this file' },
    { name: 'preview', kind: 'switch', help: 'Only say what it would be' },
    ...agentOptions,
  ],
  run: detach,
}

async function detach(invocation: Invocation): Promise<number> {
  const { given, agent, out } = invocation
  const named = await readRecipient(invocation)
  if (named.kind === 'failed') return named.exit
  const seats = given.whole('seats')
  const [feature, manager] = [given.text('feature'), given.text('manager')]
  const preview = given.on('preview')
  const body = {
    product: given.arguments[0] ?? '',
    ...endOf(invocation),
    ...(given.on('soft') ? { soft: true } : {}),
    ...(seats === undefined ? {} : { seats }),
    ...(feature === undefined ? {} : { feature }),
    ...(manager === undefined ? {} : { manager }),
    ...(named.text === undefined ? {} : { recipient: named.text }),
    ...(preview ? { preview } : {}),
  }
  const call = { method: 'POST', path: '/api/v1/detachments', body } as const
  if (preview) {
    const planned = await ask(agent, call, detachPlan)
    if (planned.kind !== 'answer') return failUnanswered(out, agent, planned)
    if (out.json) out.raw(planned.text)
    else for (const line of writePlan(planned.value)) out.line(line)
    return 0
  }
  const asked = await ask(agent, call, madeDetachment)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  return await printMade(invocation, asked.value, asked.text)
}

/** A file, if there is one of that name, else the name or id of an agent. */
async function readRecipient({ given, io, out }: Invocation) {
  const named = given.text('recipient')
  if (named === undefined || (!/[./\\]/.test(named) && named !== '-')) return { kind: 'read', text: named } as const
  const read = await readInput(io, out, named)
  return read.kind === 'failed' ? read : ({ kind: 'read', text: read.text } as const)
}

function writePlan(plan: ReturnType<typeof detachPlan.parse>): string[] {
  const { product, seats, manager, recipient, until, cut, latest, freeAt } = plan
  return [
    `${plural(seats, 'seat')} of ${product} from ${manager.name} for ${recipient.name}, until ${exactTime(until)}.`,
    ...(cut ? ['The day ends later than is allowed, so it ends there.'] : []),
    ...(latest === undefined ? [] : [`The latest date that is allowed now is ${exactTime(latest)}.`]),
    ...(freeAt === undefined ? [] : [`${manager.name} has them back at ${exactTime(freeAt)} at the latest.`]),
  ]
}

/** Says what there is now, and delivers the block where there is one. @returns the exit code */
export async function printMade(
  { given, out }: Invocation,
  { detachment, block }: ReturnType<typeof madeDetachment.parse>,
  text: string,
): Promise<number> {
  if (out.json) out.raw(text)
  else out.line(tell(detachment))
  if (!out.json) out.note(`Its id is ${detachment.id}.`)
  if (block === undefined || (out.json && given.text('out') === undefined)) return 0
  const failed = await deliver(out, given.text('out'), block, 'The block for the other machine')
  if (failed !== undefined) return failed
  out.note(`On ${detachment.recipient.name}: leasehold attach FILE`)
  return 0
}

const columns: readonly Column<Detachment>[] = [
  { title: 'Where', cell: ({ direction }) => (direction === 'in' ? 'here' : 'away') },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Product', cell: ({ product, feature }) => (feature === undefined ? product : `${product} ${feature}`) },
  { title: 'Seats', right: true, cell: ({ seats }) => seats },
  { title: 'Manager', cell: ({ manager }) => manager.name },
  { title: 'Machine', cell: ({ recipient }) => recipient.name },
  { title: 'Until', cell: ({ until }) => localTime(until) },
  { title: 'Id', cell: ({ id }) => id },
]

export const detachmentsVerb: Verb = {
  name: 'detachments list',
  alias: 'detachments',
  summary: 'List seats that are taken along: of others here, and of this agent elsewhere',
  arguments: [],
  options: [
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'Only those of this product' },
    { name: 'over', kind: 'switch', help: 'Also those that are over' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: (invocation) => {
    const { given } = invocation
    const filter = { product: given.text('product'), over: given.on('over') ? 'with' : undefined }
    return printList(invocation, '/api/v1/detachments', filter, detachments, columns, 'No seats are taken along.')
  },
}

export const lostVerb: Verb = {
  name: 'detachments lost',
  summary: 'Declare that the machine that has the seats is lost',
  description: ['They are free at their date, earlier only where the license says so.'],
  arguments: [{ name: 'ID', required: true }],
  options: [{ name: 'note', kind: 'text', value: 'TEXT', help: 'What happened, for the access log' }, ...agentOptions],
  run: async ({ given, agent, out }) => {
    const note = given.text('note')
    const path = detachmentPath(given.arguments[0] ?? '', '/lost')
    const asked = await ask(agent, { method: 'POST', path, body: note === undefined ? {} : { note } }, detachmentAnswer)
    if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
    if (out.json) out.raw(asked.text)
    else out.line(`It is declared lost. Its seats are free at ${exactTime(asked.value.freeAt ?? asked.value.until)}.`)
    return 0
  },
}

export const blockVerb: Verb = {
  name: 'detachments block',
  summary: 'Print the block of a detachment for the other machine',
  description: ['Whoever has it can attach the seats to that machine: from then on only that one gives them back.'],
  arguments: [{ name: 'ID', required: true }],
  options: [{ name: 'out', kind: 'text', value: 'FILE', help: 'Write it to this file' }, ...agentOptions],
  run: async ({ given, agent, out }) => {
    const path = detachmentPath(given.arguments[0] ?? '', '/block')
    const asked = await ask(agent, { method: 'POST', path }, blockAnswer)
    if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
    if (out.json && given.text('out') === undefined) {
      out.raw(asked.text)
      return 0
    }
    return (await deliver(out, given.text('out'), asked.value.block, 'The block')) ?? 0
  },
}
