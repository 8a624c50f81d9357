/**
 * What the tables of all pages share: the pager and the choice of page, CSV or JSON. Must not import owners.
 */
import type { Language } from '../../language.ts'
import { type Cell, writeRow } from '../csv.ts'
import type { Page } from './page.ts'

export interface Pager {
  readonly text: string
  readonly page: number
  readonly pages: number
  readonly previous: string | undefined
  readonly next: string | undefined
}

export function writePager(
  { t }: Pick<Language, 't'>,
  { page, size, total }: { readonly page: number; readonly size: number; readonly total: number },
  link: (page: number) => string,
): Pager {
  const pages = Math.max(1, Math.ceil(total / size))
  const from = (page - 1) * size + 1
  const to = Math.min(total, page * size)
  return {
    text: from > total ? t('table.beyond', { page, pages }) : t('table.range', { from, to, total }),
    page,
    pages,
    previous: page > 1 ? link(Math.min(page - 1, pages)) : undefined,
    next: page < pages ? link(page + 1) : undefined,
  }
}

/** A list as CSV; the byte order mark makes spreadsheets read it as UTF-8. */
export function writeTable(head: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [writeRow(head)]
  for (const row of rows) lines.push(writeRow(row))
  return `\ufeff${lines.join('')}`
}

/** A list as a file or as JSON, at the address of its page. */
export function sendList<Item>(
  { ctx }: Page,
  format: 'csv' | 'json',
  name: string,
  items: readonly Item[],
  head: readonly string[],
  row: (item: Item) => readonly (readonly Cell[])[],
): void {
  ctx.set('Cache-Control', 'no-store')
  if (format === 'json') {
    ctx.body = { items, total: items.length }
    return
  }
  ctx.type = 'text/csv; charset=utf-8'
  ctx.attachment(`${name}.csv`)
  ctx.body = writeTable(head, items.flatMap(row))
}

/** The address of a page with these parameters; what is undefined or empty is left out. */
export function writeAddress(path: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  return parameters.size === 0 ? path : `${path}?${parameters}`
}

/** Whether every word occurs, in any case. */
export function hasWords(search: string, texts: readonly (string | undefined)[]): boolean {
  const all = texts.join('\n').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

/** The same address answers a page, a CSV file or JSON: by `format=` in it, else by what the caller accepts best. */
export function chooseFormat(page: Page): 'html' | 'csv' | 'json' {
  const asked = page.query().format
  if (asked === 'csv' || asked === 'json') return asked
  const accepted = page.ctx.accepts('text/html', 'application/json', 'text/csv')
  if (accepted === 'application/json') return 'json'
  return accepted === 'text/csv' ? 'csv' : 'html'
}

/** The words and the page that an address asks for. */
export function readListQuery(page: Page): { readonly search: string; readonly number: number } {
  const { q = '', page: text = '1' } = page.query()
  return { search: q.trim().slice(0, 255), number: /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1 }
}

/** One page of a list that is in memory, with what stands around it. */
export function cutPage<Item>(
  page: Page,
  { rowsPerPage, refreshSeconds }: { readonly rowsPerPage: number; readonly refreshSeconds: number },
  path: string,
  search: string,
  number: number,
  found: readonly Item[],
) {
  return {
    shown: found.slice((number - 1) * rowsPerPage, number * rowsPerPage),
    query: search,
    refresh: refreshSeconds,
    csv: writeAddress(path, { q: search, format: 'csv' }),
    json: writeAddress(path, { q: search, format: 'json' }),
    pager: writePager(page.language, { page: number, size: rowsPerPage, total: found.length }, (other) =>
      writeAddress(path, { q: search, page: other === 1 ? undefined : other }),
    ),
  }
}
