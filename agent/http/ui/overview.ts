/**
 * Overview: is anything wrong, how many seats are free, who holds them, what ends soon; on the first visit three ways in.
 * Must not import owners.
 */
import { writeAgentRow } from './agent-rows.ts'
import { isGone, writeDetachment } from './detached-rows.ts'
import { drawSparks } from './history.ts'
import { writeLicenseRow } from './license-rows.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { productAddress } from './product-rows.ts'
import { writeLastRefusal } from './refused.ts'
import { writeServing } from './service.ts'
import { writeSessionRow } from './session-rows.ts'
import { lookAround } from './whereabouts.ts'

const shownHolders = 8
/** Days before the end of a license from which it stands here. */
const soon = 30
/** Seconds before the end of what is at another machine from which it stands here. */
const soonDetached = 3 * 86_400

export async function showOverview(
  page: Page,
  parts: Parts,
  refused?: ReturnType<typeof describeRefusal>,
): Promise<void> {
  const { language, time } = page
  const { t } = language
  const title = t('navigation.overview')
  // The reminders of what is attached here stand as they are, with their exact time in the zone of this page.
  const problems = parts.health
    .problems()
    .filter(({ code }) => code !== 'detachment_ends')
    .map((problem) => ({
      kind: problem.severity,
      title: language.translate(`health.${problem.code}.title`, problem.title),
      text: language.translate(`health.${problem.code}.text`, problem.text),
      action: problem.action && {
        label: language.translate(`health.${problem.code}.action`, problem.action.label),
        address: problem.action.address,
      },
    }))
  const notOver = parts.detaching.list().filter((one) => !isGone(one))
  const taken = [
    ...notOver.filter(({ direction }) => direction === 'in'),
    ...notOver.filter(({ direction, endsIn }) => direction === 'out' && endsIn <= soonDetached),
  ]
  const licenses = parts.licenses.list()
  const products = parts.products.list()
  if (licenses.length === 0 && products.length === 0) {
    await page.show('pages/welcome', { title, problems, refused })
    return
  }
  const { refreshSeconds, hostNames } = parts.frame()
  const pending = parts.managers.list().filter(({ approval }) => approval === 'pending')
  const newest = { search: '', sort: 'since', descending: true, offset: 0, limit: shownHolders } as const
  const sessions = parts.sessions.list(newest)
  const own = parts.sessions.list({ ...newest, hosts: hostNames })
  const where = lookAround(parts, language)
  const sparks = await drawSparks(page, parts, products)
  await page.show('pages/overview', {
    title,
    problems,
    refused,
    products: products.map((product) => ({
      ...product,
      domId: product.local ? product.id : `${product.id}-${product.manager.id}`,
      place: product.local ? undefined : where.at(product.manager),
      title: product.name === '*' ? t('licenses.any_product') : product.title,
      address: productAddress(product.id),
      spark: product.local ? sparks.get(product.id) : undefined,
      marks: {
        used: product.used,
        seats: product.seats,
        text: t('seats.used', { used: product.used, seats: product.seats }),
      },
      anyText: product.anyProductFree > 0 ? t('seats.any_free', { count: product.anyProductFree }) : '',
    })),
    holders: sessions.items.map((session) => writeSessionRow(session, page, where)),
    sessions: sessions.total,
    own: own.items.map((session) => writeSessionRow(session, page, where)),
    ownTotal: own.total,
    refusal: writeLastRefusal(page, parts),
    serving: licenses.some(({ local }) => local) ? writeServing(parts.serving.view(), page) : undefined,
    pending: pending.map((agent) => writeAgentRow(agent, language, time)),
    takenAlong: taken.slice(0, shownHolders).map((one) => writeDetachment(one, page, where)),
    takenTotal: taken.length,
    ending: licenses
      .filter(({ state, daysLeft }) => state !== 'replaced' && daysLeft !== undefined && daysLeft <= soon)
      .sort((a, b) => (a.daysLeft ?? 0) - (b.daysLeft ?? 0))
      .map((license) => writeLicenseRow(license, page, where)),
    refresh: refreshSeconds,
  })
}

export async function installSample(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.sample.install()
  if (outcome.kind === 'refused') return showOverview(page, parts, describeRefusal(outcome, page.language))
  page.leadTo('/', { kind: 'good', key: 'said.sample_installed', args: {} })
}
