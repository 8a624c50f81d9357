/**
 * The journal: pages of it as JSON, all of it as NDJSON or CSV.
 * Must not import owners.
 */
import { z } from 'zod'
import { writeRow } from '../csv.ts'
import { ok, type Reply } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { journalExample, verifyJournalExample } from './agent-examples.ts'
import { type JournalLine, type JournalVerdict, journalEntry, journalVerdict } from './agent-shapes.ts'
import { type List, list, pageQuery, text } from './shapes.ts'

const formats = ['json', 'ndjson', 'csv'] as const
const sequence = z.coerce.number().int().min(1)
const journalFilter = {
  type: text(64).optional().describe('a type such as session.opened, or its first part'),
  from: sequence.optional().describe('sequence number of the first entry'),
  to: sequence.optional().describe('sequence number of the last entry'),
  order: z.enum(['newest-first', 'oldest-first']).default('newest-first'),
}
const journalQuery = z.strictObject({
  ...pageQuery.shape,
  ...journalFilter,
  format: z.enum(formats).optional().describe('else by the Accept header; ndjson and csv are not cut into pages'),
})
export type JournalFilter = z.infer<z.ZodObject<typeof journalFilter>>
export type JournalQuery = JournalFilter & z.infer<typeof pageQuery>

export interface JournalParts {
  list(query: JournalQuery): Promise<List<JournalLine>>
  lines(filter: JournalFilter): AsyncIterable<JournalLine>
  /** Follows the chain from its beginning. */
  verify(): Promise<JournalVerdict>
}

/** What most people look for has a column of its own; the rest is JSON in the last one. */
const columns = ['product', 'feature', 'user', 'host', 'address', 'application', 'outcome', 'rule', 'reason'] as const

function writeEntry(entry: JournalLine): string {
  const facts: Record<string, unknown> = { ...entry.facts, ...entry.personal }
  const cells = columns.map((column) => {
    const fact = facts[column]
    delete facts[column]
    return fact === undefined || fact === null ? '' : typeof fact === 'object' ? JSON.stringify(fact) : (fact as string)
  })
  const rest = Object.keys(facts).length === 0 ? '' : JSON.stringify(facts)
  return writeRow([entry.sequence, entry.at, entry.type, ...cells, rest])
}

async function* writeCsv(lines: AsyncIterable<JournalLine>): AsyncIterable<string> {
  yield writeRow(['sequence', 'at', 'type', ...columns, 'facts'])
  for await (const line of lines) yield writeEntry(line)
}

async function* writeNdjson(lines: AsyncIterable<JournalLine>): AsyncIterable<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

function download(type: string, name: string, lines: AsyncIterable<string>): Reply {
  const headers = { 'Content-Disposition': `attachment; filename="${name}"` }
  return { status: 200, headers, content: { kind: 'lines', type, lines } }
}

function formatOf(accept: string | undefined): (typeof formats)[number] {
  if (accept?.includes('application/x-ndjson')) return 'ndjson'
  return accept?.includes('text/csv') ? 'csv' : 'json'
}

export function journalRoutes(parts: JournalParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/journal',
      guard: 'read',
      operation: 'listJournal',
      summary: 'What happened',
      description:
        'The log of everything that happened, with reasons. In JSON it comes in pages; as NDJSON or CSV all of it comes as one download.',
      example: journalExample,
      query: journalQuery,
      answers: {
        200: {
          description: 'Entries of the journal',
          schema: list(journalEntry),
          types: ['application/json', 'application/x-ndjson', 'text/csv'],
        },
      },
      async handle({ query, headers }) {
        const { limit, cursor, format = formatOf(headers.accept), ...filter } = query
        if (format === 'ndjson')
          return download('application/x-ndjson', 'journal.ndjson', writeNdjson(parts.lines(filter)))
        if (format === 'csv') return download('text/csv; charset=utf-8', 'journal.csv', writeCsv(parts.lines(filter)))
        return ok(await parts.list({ ...filter, limit, cursor }))
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/journal/verify',
      guard: 'read',
      operation: 'verifyJournal',
      summary: 'Check that no entry was changed or left out',
      example: verifyJournalExample,
      answers: { 200: { description: 'What was found', schema: journalVerdict } },
      handle: async () => ok(await parts.verify()),
    }),
  ]
}
