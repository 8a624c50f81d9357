/**
 * Overview: is anything wrong, how many seats are free, who holds them, what ends soon; on the first visit three ways in.
 * Must not import owners.
 */
import { writeLicenseRow } from './license-rows.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeSessionRow } from './session-rows.ts'

const shownHolders = 8
/** Days before the end of a license from which it stands here. */
const soon = 30

export async function showOverview(
  page: Page,
  parts: Parts,
  refused?: ReturnType<typeof describeRefusal>,
): Promise<void> {
  const { language, time } = page
  const { t } = language
  const title = t('navigation.overview')
  const problems = parts.health.problems().map((problem) => ({
    kind: problem.severity,
    title: language.translate(`health.${problem.code}.title`, problem.title),
    text: language.translate(`health.${problem.code}.text`, problem.text),
    action: problem.action && {
      label: language.translate(`health.${problem.code}.action`, problem.action.label),
      address: problem.action.address,
    },
  }))
  const licenses = parts.licenses.list()
  const products = parts.products.list()
  if (licenses.length === 0 && products.length === 0) {
    await page.show('pages/welcome', { title, problems, refused })
    return
  }
  const sessions = parts.sessions.list({ search: '', sort: 'since', descending: true, offset: 0, limit: shownHolders })
  await page.show('pages/overview', {
    title,
    problems,
    refused,
    products: products.map((product) => ({
      ...product,
      marks: {
        used: product.used,
        seats: product.seats,
        text: t('seats.used', { used: product.used, seats: product.seats }),
      },
      anyText: product.anyProductFree > 0 ? t('seats.any_free', { count: product.anyProductFree }) : '',
    })),
    holders: sessions.items.map((session) => writeSessionRow(session, language, time)),
    sessions: sessions.total,
    ending: licenses
      .filter(({ state, daysLeft }) => state !== 'replaced' && daysLeft !== undefined && daysLeft <= soon)
      .sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0))
      .map((license) => writeLicenseRow(license, language, time)),
    refresh: parts.frame().refreshSeconds,
  })
}

export async function installSample(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.sample.install()
  if (outcome.kind === 'refused') return showOverview(page, parts, describeRefusal(outcome, page.language))
  page.leadTo('/', { kind: 'good', key: 'said.sample_installed', args: {} })
}
