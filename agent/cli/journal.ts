/** `leasehold journal`: what happened, and whether the journal is whole. */
import { type JournalEntry, journal, journalVerdict } from './answers.ts'
import { exitCodeOf } from './exit-codes.ts'
import { ask, fail, failUnanswered } from './failure.ts'
import { pathWith, printList } from './pages.ts'
import { localTime } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<JournalEntry>[] = [
  { title: 'No', right: true, cell: ({ sequence }) => sequence },
  { title: 'Time', cell: ({ at }) => localTime(at) },
  { title: 'What', cell: ({ type }) => type },
  { title: 'Facts', cell: describeFacts },
]

function describeFacts({ facts, personal }: JournalEntry): string {
  return Object.entries({ ...personal, ...facts })
    .filter(([, fact]) => fact !== null && fact !== '')
    .map(([name, fact]) => `${name}=${Array.isArray(fact) ? fact.join(',') : fact}`)
    .join(' ')
}

const sequence = { kind: 'whole', value: 'NUMBER', min: 1, max: 999_999_999_999 } as const
/** Entries of a journal are many: without a limit the newest are shown. */
const usualLimit = 50

export const journalVerb: Verb = {
  name: 'journal list',
  alias: 'journal',
  summary: 'Print what happened',
  description: [
    `Without --limit the newest ${usualLimit} entries. --format prints all that fit: ndjson is one JSON object per line, csv is for spreadsheets.`,
  ],
  arguments: [],
  options: [
    { name: 'type', kind: 'text', value: 'TYPE', help: 'Only this type, such as session.opened, or its first part' },
    { name: 'from', ...sequence, help: 'From this entry on' },
    { name: 'to', ...sequence, help: 'Up to this entry' },
    { name: 'order', kind: 'choice', choices: ['newest-first', 'oldest-first'], help: 'Newest first, unless said' },
    { name: 'format', kind: 'choice', choices: ['ndjson', 'csv'], help: 'Print all that fit, in this format' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: printJournal,
}

async function printJournal(invocation: Invocation): Promise<number> {
  const { given, out, agent } = invocation
  const filter = {
    type: given.text('type'),
    from: given.whole('from'),
    to: given.whole('to'),
    order: given.text('order'),
  }
  const format = given.text('format')
  if (format === undefined)
    return printList(invocation, '/api/v1/journal', filter, journal, columns, 'There are no such entries.', usualLimit)
  const reply = await agent.call({
    method: 'GET',
    path: pathWith('/api/v1/journal', { ...filter, format }),
    patience: exportPatience,
    sink: (piece) => out.bytes(piece),
    signal: out.gone,
  })
  if (reply.kind === 'stopped') return 0
  return reply.kind === 'answered' ? 0 : failUnanswered(out, agent, reply)
}

/** ms; a journal of years takes its time. */
const exportPatience = 60 * 60 * 1000
const verifyPatience = 15 * 60 * 1000

export const verifyJournalVerb: Verb = {
  name: 'journal verify',
  summary: 'Check that no entry of the journal was changed or left out',
  arguments: [],
  options: agentOptions,
  run: verifyJournal,
}

async function verifyJournal({ out, agent }: Invocation): Promise<number> {
  const call = { method: 'GET', path: '/api/v1/journal/verify', patience: verifyPatience } as const
  const asked = await ask(agent, call, journalVerdict)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { value } = asked
  if (out.json) out.raw(asked.text)
  if (value.kind === 'broken') {
    if (out.json) return exitCodeOf('journal_broken')
    return fail(
      out,
      'journal_broken',
      `The journal is damaged or was changed at entry ${value.sequence}: ${value.reason}.`,
      'What came before that entry is good. Compare with a backup of the data folder.',
    )
  }
  if (!out.json) out.line(`The journal is good: ${value.entries} entries, head ${value.head}.`)
  return 0
}
