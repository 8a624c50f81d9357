/**
 * Features: what of each product may be used and how often it is. Must not import owners.
 */
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeFeatureRow } from './product-rows.ts'
import { chooseFormat, cutPage, hasWords, readListQuery, sendList } from './table.ts'
import { lookAround } from './whereabouts.ts'

export async function showFeatures(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const { search, number } = readListQuery(page)
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
  const { shown, ...list } = cutPage(page, parts.frame(), '/features', search, number, found)
  const where = lookAround(parts, language)
  await page.show('pages/features', {
    title: language.t('navigation.features'),
    rows: shown.map((one) => writeFeatureRow(one, language, where)),
    total: found.length,
    known: all.length,
    ...list,
  })
}
