/**
 * Sessions: the list with filter, order and pages, and one session. Must not import owners.
 */
import type { Session } from '../api/shapes.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeSessionRow } from './session-rows.ts'
import { nameUser, type SessionOrder, sessionOrders, sessionQuery } from './session-selection.ts'
import { chooseFormat, writePager, writeTable } from './table.ts'
import { lookAround } from './whereabouts.ts'

/** More rows than this are not put into one file. */
const fileLimit = 200_000

export async function showSessions(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const { t } = language
  const query = sessionQuery.parse(page.query())
  const { rowsPerPage, refreshSeconds } = parts.frame()
  // Newest first when nothing is said; everything else reads best upward.
  const descending = (query.order ?? (query.sort === 'since' ? 'down' : 'up')) === 'down'
  const selection = {
    search: query.q,
    state: query.state,
    license: query.license,
    product: query.product,
    sort: query.sort,
    descending,
    offset: 0,
    limit: fileLimit,
  }
  const format = chooseFormat(page)
  if (format !== 'html') return sendSessions(page, format, parts.sessions.list(selection))

  function link(change: Readonly<Record<string, string | number | undefined>>): string {
    const values = {
      q: query.q || undefined,
      state: query.state,
      license: query.license,
      product: query.product,
      sort: query.sort === 'since' ? undefined : query.sort,
      order: query.order,
      page: query.page === 1 ? undefined : query.page,
      ...change,
    }
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(values)) if (value !== undefined) parameters.set(name, String(value))
    return parameters.size === 0 ? '/sessions' : `/sessions?${parameters}`
  }

  const list = parts.sessions.list({ ...selection, offset: (query.page - 1) * rowsPerPage, limit: rowsPerPage })
  const filtered =
    query.q !== '' || query.state !== undefined || query.license !== undefined || query.product !== undefined
  const where = lookAround(parts, language)
  await page.show('pages/sessions', {
    title: t('navigation.sessions'),
    rows: list.items.map((session) => writeSessionRow(session, page, where)),
    total: list.total,
    filtered,
    query: {
      q: query.q,
      state: query.state ?? '',
      license: query.license ?? '',
      product: query.product ?? '',
      sort: query.sort,
      order: query.order,
    },
    refresh: refreshSeconds,
    address: link({}),
    columns: sessionOrders.map((name) => writeColumn(name, query.sort, descending, link, t)),
    csv: link({ format: 'csv', page: undefined }),
    json: link({ format: 'json', page: undefined }),
    pager: writePager(language, { page: query.page, size: rowsPerPage, total: list.total }, (number) =>
      link({ page: number === 1 ? undefined : number }),
    ),
  })
}

function writeColumn(
  name: SessionOrder,
  sorted: SessionOrder,
  descending: boolean,
  link: (change: Readonly<Record<string, string | undefined>>) => string,
  t: Page['language']['t'],
) {
  const order = name === sorted ? (descending ? 'up' : 'down') : undefined
  return {
    text: t(`sessions.column_${name}`),
    address: link({ sort: name === 'since' ? undefined : name, order, page: undefined }),
    sorted: name === sorted ? (descending ? 'descending' : 'ascending') : undefined,
  }
}

function sendSessions(
  page: Page,
  format: 'csv' | 'json',
  list: { readonly items: readonly Session[]; readonly total: number },
): void {
  const { ctx } = page
  ctx.set('Cache-Control', 'no-store')
  if (format === 'json') {
    ctx.body = { items: list.items, total: list.total }
    return
  }
  ctx.type = 'text/csv; charset=utf-8'
  ctx.attachment('sessions.csv')
  const head = ['id', 'license', 'location', 'product', 'feature', 'seats', 'state', 'address', 'user', 'machine']
  ctx.body = writeTable(
    [...head, 'process', 'processId', 'application', 'startedAt', 'expiresAt', 'idleEndsAt'],
    list.items.map((session) => [
      session.id,
      session.license,
      session.source.manager.name,
      session.product,
      session.feature,
      session.seats,
      session.state,
      session.address,
      nameUser(session),
      session.host,
      session.process?.name,
      session.process?.id,
      session.application,
      session.startedAt,
      session.expiresAt,
      session.idleEndsAt,
    ]),
  )
}

export async function showSession(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const session = parts.sessions.get(page.param('id'))
  if (session === undefined) return page.showProblem('unknown_session', language.t('sessions.gone'))
  const row = writeSessionRow(session, page, lookAround(parts, language))
  await page.show('pages/session', {
    title: language.t('session.title', { holder: row.holder }),
    trail: [{ text: language.t('navigation.sessions'), address: '/sessions' }],
    row,
    session,
    expires: time.show(session.expiresAt),
    idleEnds: session.idleEndsAt === undefined ? undefined : time.show(session.idleEndsAt),
    reason: session.reason === undefined ? undefined : language.t(`end_reason.${session.reason}`),
    refresh: parts.frame().refreshSeconds,
  })
}
