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

/** The same address answers a page, a CSV file or JSON: by `format=` in it, else by what the caller accepts best. */
export function chooseFormat(page: Page): 'html' | 'csv' | 'json' {
  const asked = page.query().format
  if (asked === 'csv' || asked === 'json') return asked
  const accepted = page.ctx.accepts('text/html', 'application/json', 'text/csv')
  if (accepted === 'application/json') return 'json'
  return accepted === 'text/csv' ? 'csv' : 'html'
}
