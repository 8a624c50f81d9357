/**
 * Features and computers: what of each product may be used and how often it is, and who is connected from where.
 * Must not import owners.
 */
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { nameComputerUser, writeComputerRow, writeFeatureRow } from './product-rows.ts'
import { chooseFormat, hasWords, sendList, writeAddress, writePager } from './table.ts'

export async function showFeatures(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const { search, number } = readQuery(page)
  const all = parts.features.list()
  const found = search === '' ? all : all.filter((one) => hasWords(search, [one.product, one.name, one.title]))
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['product', 'feature', 'title', 'access', 'count', 'used', 'peak', 'limit', 'detached', 'manager']
    return sendList(page, format, 'features', found, head, (one) => [
      [
        one.product,
        one.name,
        one.title,
        one.access,
        one.count,
        one.used,
        one.peak,
        one.limit,
        one.detached,
        one.manager.name,
      ],
    ])
  }
  const { shown, ...list } = cutPage(page, parts, '/features', search, number, found)
  await page.show('pages/features', {
    title: language.t('navigation.features'),
    rows: shown.map((one) => writeFeatureRow(one, language)),
    total: found.length,
    known: all.length,
    ...list,
  })
}

export async function showComputers(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { search, number } = readQuery(page)
  const all = parts.computers.list()
  const found =
    search === ''
      ? all
      : all.filter((one) =>
          hasWords(search, [
            one.host,
            nameComputerUser(one),
            one.user.account,
            one.user.email,
            ...one.addresses,
            ...one.uses.flatMap(({ product, feature }) => [product, feature]),
          ]),
        )
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['machine', 'user', 'account', 'email', 'addresses', 'sessions', 'seats', 'since', 'uses']
    return sendList(page, format, 'computers', found, head, (one) => [
      [
        one.host,
        nameComputerUser(one),
        one.user.account,
        one.user.email,
        one.addresses.join(' '),
        one.sessions,
        one.seats,
        one.since,
        one.uses
          .map(({ product, feature, seats }) => `${seats} × ${product}${feature ? ` ${feature}` : ''}`)
          .join('; '),
      ],
    ])
  }
  const titles = new Map(parts.products.list().map(({ id, title }) => [id, title]))
  const { shown, ...list } = cutPage(page, parts, '/computers', search, number, found)
  await page.show('pages/computers', {
    title: language.t('navigation.computers'),
    rows: shown.map((one) => writeComputerRow(one, titles, language, time)),
    total: found.length,
    known: all.length,
    ...list,
  })
}

function readQuery(page: Page): { readonly search: string; readonly number: number } {
  const { q = '', page: text = '1' } = page.query()
  return { search: q.trim().slice(0, 255), number: /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1 }
}

function cutPage<Item>(page: Page, parts: Parts, path: string, search: string, number: number, found: readonly Item[]) {
  const { rowsPerPage, refreshSeconds } = parts.frame()
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
