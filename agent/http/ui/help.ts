/**
 * Help: short pages for people, and every error code explained, on one page that can be searched and works without a network.
 * Must not import owners.
 */
import { errorTable } from '../../errors.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { hasWords } from './table.ts'

/** Topics in their order, with the page that each leads to. Their texts are in the catalogs, paragraphs divided by line breaks. */
export const helpTopics = [
  { id: 'first-seat', key: 'first_seat', address: '/help/api' },
  { id: 'add-license', key: 'add_license', address: '/licenses/add' },
  { id: 'refused', key: 'refused', address: '/refused' },
  { id: 'find-managers', key: 'find_managers', address: '/configuration/remote-managers' },
  { id: 'no-manager', key: 'no_manager', address: '/managers/test' },
  { id: 'who-may', key: 'who_may', address: '/configuration/remote-clients' },
  { id: 'keys', key: 'keys', address: '/configuration/network' },
  { id: 'outgoing-proxy', key: 'outgoing_proxy', address: '/configuration/network' },
  { id: 'move-license', key: 'move_license', address: '/licenses' },
  { id: 'password', key: 'password', address: '/configuration/basic#password' },
  { id: 'about', key: 'about', address: '/diagnostics' },
] as const

export async function showHelp(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const search = (page.query().q ?? '').trim().slice(0, 255)
  const { version } = parts.frame()
  const topics = helpTopics.map(({ id, key, address }) => ({
    id,
    title: t(`help.${key}.title`),
    paragraphs: t(`help.${key}.text`, { version }).split('\n'),
    link: { text: t(`help.${key}.link`), address },
  }))
  const codes = Object.entries(errorTable).map(([code, { status }]) => ({
    code,
    status,
    title: t(`error.${code}.title`),
    help: t(`error.${code}.help`),
  }))
  await page.show('pages/help', {
    title: t('navigation.help'),
    query: search,
    topics: search === '' ? topics : topics.filter((one) => hasWords(search, [one.title, ...one.paragraphs])),
    codes: search === '' ? codes : codes.filter((one) => hasWords(search, [one.code, one.title, one.help])),
  })
}
