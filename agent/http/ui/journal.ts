/**
 * Access Log: what happened, the newest first, with filters; one entry; the check of the chain. Must not import owners.
 */
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { JournalLine } from '../api/agent-shapes.ts'
import { writeRow } from '../csv.ts'
import { readDay, startOfDay } from './calendar.ts'
import type { JournalWish } from './insight-parts.ts'
import { journalHead, journalTypes, textOf, writeJournalCells, writeJournalRow, writeType } from './journal-rows.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeAddress } from './table.ts'

const word = z.string().trim().max(255).catch('')
const journalQuery = z.object({
  type: z.string().trim().max(64).catch(''),
  product: word,
  user: word,
  q: word,
  from: word,
  until: word,
  to: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
  format: z.enum(['csv', 'ndjson', 'json']).optional().catch(undefined),
})

export async function showJournal(page: Page, parts: Parts): Promise<void> {
  const { language, time, zone } = page
  const { t } = language
  const { to, format, ...filter } = journalQuery.parse(page.query())
  const from = readDay(filter.from, zone)
  const last = readDay(filter.until, zone)
  const wish: JournalWish = {
    type: filter.type || undefined,
    product: filter.product || undefined,
    user: filter.user || undefined,
    text: filter.q || undefined,
    from,
    until: last === undefined ? undefined : startOfDay(last, zone, 1),
  }
  const size = parts.frame().rowsPerPage
  const wanted = format ?? readAccepted(page)
  if (wanted === 'csv' || wanted === 'ndjson') return sendLines(page, parts.journal.lines(wish), wanted)
  const { entries, older, looked } = await parts.journal.page(wish, size, to)
  if (wanted === 'json') {
    page.ctx.set('Cache-Control', 'no-store')
    page.ctx.body = { items: entries, ...(older === undefined ? {} : { next: String(older) }) }
    return
  }
  const filtered = Object.values(filter).some((value) => value !== '')
  const newest = to === undefined
  await page.show('pages/journal', {
    title: t('navigation.journal'),
    rows: entries.map((entry) => writeJournalRow(entry, language, time)),
    types: journalTypes.map((type) => ({ value: type, label: writeType(type, t) })),
    filter,
    filtered,
    looked,
    newest,
    first: writeAddress('/journal', filter),
    older: older === undefined ? undefined : writeAddress('/journal', { ...filter, to: older }),
    csv: writeAddress('/journal', { ...filter, format: 'csv' }),
    ndjson: writeAddress('/journal', { ...filter, format: 'ndjson' }),
    refresh: parts.frame().refreshSeconds,
  })
}

function readAccepted({ ctx }: Page): 'html' | 'csv' | 'ndjson' | 'json' {
  const accepted = ctx.accepts('text/html', 'application/json', 'application/x-ndjson', 'text/csv')
  if (accepted === 'application/json') return 'json'
  if (accepted === 'application/x-ndjson') return 'ndjson'
  return accepted === 'text/csv' ? 'csv' : 'html'
}

/** Everything that fits, read while it is sent. */
function sendLines({ ctx }: Page, lines: AsyncIterable<JournalLine>, format: 'csv' | 'ndjson'): void {
  ctx.set('Cache-Control', 'no-store')
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson'
  ctx.attachment(`access-log.${format}`)
  ctx.body = Readable.from(format === 'csv' ? writeCsv(lines) : writeNdjson(lines))
}

async function* writeCsv(lines: AsyncIterable<JournalLine>): AsyncIterable<string> {
  yield `\ufeff${writeRow(journalHead)}`
  for await (const line of lines) yield writeRow(writeJournalCells(line))
}

async function* writeNdjson(lines: AsyncIterable<JournalLine>): AsyncIterable<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

export async function showJournalEntry(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const text = page.param('sequence')
  const line = /^[1-9]\d{0,14}$/.test(text) ? await parts.journal.get(Number(text)) : undefined
  if (line === undefined) return page.showProblem('not_found', t('journal.gone'))
  await page.show('pages/journal-entry', {
    title: t('journal.entry', { number: String(line.sequence) }),
    trail: [{ text: t('navigation.journal'), address: '/journal' }],
    row: writeJournalRow(line, language, time),
    facts: Object.entries(line.facts).map(([name, value]) => ({ name, value: textOf(value) })),
    personal: Object.entries(line.personal).map(([name, value]) => ({ name, value: value ?? t('journal.forgotten') })),
    line,
  })
}

export async function verifyJournal(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const verdict = await parts.journal.verify()
  await page.show('pages/journal-verdict', {
    title: t('journal.verify_title'),
    trail: [{ text: t('navigation.journal'), address: '/journal' }],
    verdict:
      verdict.kind === 'good'
        ? { kind: 'good', title: t('journal.verify_good', { count: verdict.entries }), live: true }
        : {
            kind: 'error',
            title: t('journal.verify_broken', { number: String(verdict.sequence) }),
            text: verdict.reason,
            live: true,
          },
    head: verdict.kind === 'good' ? verdict.head : undefined,
  })
}
