/**
 * “Why was I refused?”: the last refusals, each with what was the matter, how it is now, and what would help. Must not import owners.
 */
import type { ErrorCode } from '../../errors.ts'
import type { Explanation } from '../api/shapes.ts'
import type { RefusedSeat } from './insight-parts.ts'
import { sayAs, tellAs } from './owner-words.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { productAddress } from './product-rows.ts'
import { chooseFormat, hasWords, sendList, writeAddress } from './table.ts'

const shownHolders = 10

export const helpfulPages = ['add_license', 'features', 'products', 'licenses', 'clock', 'overview'] as const

/** Where the page is that helps; other codes lead to their explanation in Help. */
const helpers: Partial<Record<ErrorCode, { readonly way: (typeof helpfulPages)[number]; readonly address: string }>> = {
  unknown_product: { way: 'add_license', address: '/licenses/add' },
  unknown_feature: { way: 'features', address: '/features' },
  ambiguous_product: { way: 'products', address: '/products' },
  license_not_active: { way: 'licenses', address: '/licenses' },
  license_not_yet_valid: { way: 'licenses', address: '/licenses' },
  license_expired: { way: 'licenses', address: '/licenses' },
  license_blocked: { way: 'licenses', address: '/licenses' },
  clock_set_back: { way: 'clock', address: '/diagnostics' },
  store_unavailable: { way: 'overview', address: '/' },
}

export async function showRefused(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const search = (page.query().q ?? '').trim().slice(0, 255)
  const all = parts.refusals.list()
  const found =
    search === ''
      ? all
      : all.filter((one) => hasWords(search, [one.product, one.feature, one.user, one.host, one.application, one.code]))
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['lastAt', 'firstAt', 'times', 'product', 'feature', 'seats', 'user', 'host', 'application', 'code']
    return sendList(page, format, 'refused', found, [...head, 'detail', 'rule'], (one) => [
      [
        one.lastAt,
        one.firstAt,
        one.times,
        one.product,
        one.feature,
        one.seats,
        one.user,
        one.host,
        one.application,
        one.code,
        one.detail,
        one.rule,
      ],
    ])
  }
  await page.show('pages/refused', {
    title: language.t('navigation.refused'),
    rows: found.map((one) => writeRefusal(page, one)),
    known: all.length,
    query: search,
    refresh: parts.frame().refreshSeconds,
    csv: writeAddress('/refused', { q: search, format: 'csv' }),
    json: writeAddress('/refused', { q: search, format: 'json' }),
  })
}

export function nameRefused({ user, host, application, address }: RefusedSeat, t: Page['language']['t']): string {
  if (user !== '' && host !== '') return t('sessions.holder', { user, machine: host })
  return user || host || application || t('sessions.holder_unknown', { address })
}

function writeRefusal(page: Page, one: RefusedSeat) {
  const { language, time } = page
  const { t } = language
  const seats = one.code === 'no_seats' || one.code === 'queue_full'
  const [now] = one.now?.managers ?? []
  const free = now === undefined ? 0 : Math.max(0, now.seats - now.used)
  return {
    id: one.id,
    holder: nameRefused(one, t),
    product: one.feature === undefined ? one.product : `${one.product} · ${one.feature}`,
    asked: one.seats > 1 ? t('seats.count', { count: one.seats }) : '',
    application: one.application,
    title: t(`error.${one.code}.title`),
    code: one.code,
    why: tellAs(language, one.detail ?? '', time),
    rule: one.rule,
    last: time.show(one.lastAt),
    times: one.times > 1 ? t('refused.times', { count: one.times, time: time.show(one.firstAt).exact }) : '',
    earlier: one.explanation === undefined ? undefined : writeExplanation(page, one.explanation),
    now: seats && now !== undefined ? t('refused.now', { count: free, seats: now.seats }) : undefined,
    free: seats && free >= one.seats,
    next: now?.nextReturnAt === undefined || free >= one.seats ? undefined : time.show(now.nextReturnAt),
    help: t(`error.${one.code}.help`),
    action: chooseAction(one, seats, t),
  }
}

function writeExplanation({ language, time }: Page, { managers, asked }: Explanation) {
  const { t } = language
  return {
    managers: managers.map((one) => ({
      name: one.name,
      seats: t('seats.used', { used: one.used, seats: one.seats }),
      detached: one.detached > 0 ? t('refused.detached', { count: one.detached }) : '',
      next: one.nextReturnAt === undefined ? undefined : time.show(one.nextReturnAt),
      hidden: one.holders === undefined,
      holders: (one.holders ?? []).slice(0, shownHolders).map((holder) => ({
        name:
          [holder.user, holder.host].filter(Boolean).join(' · ') || holder.application || t('sessions.unknown_user'),
        seats: holder.seats > 1 ? t('seats.count', { count: holder.seats }) : '',
        since: time.show(holder.startedAt),
      })),
      more: Math.max(0, (one.holders?.length ?? 0) - shownHolders),
    })),
    asked: asked.map(({ manager, outcome, detail }) => ({
      name: manager.name,
      outcome,
      detail: sayAs(language, detail, time),
    })),
  }
}

function chooseAction(one: RefusedSeat, seats: boolean, t: Page['language']['t']) {
  if (seats) return { label: t('refused.see_holders'), address: writeAddress('/sessions', { product: one.product }) }
  const helper = helpers[one.code]
  if (helper !== undefined) return { label: t(`refused.way_${helper.way}`), address: helper.address }
  return { label: t('refused.explained'), address: `/help#${one.code}` }
}

/** The last one, for the line on the Overview. */
export function writeLastRefusal({ language, time }: Page, parts: Parts) {
  const { t } = language
  const [last, ...others] = parts.refusals.list()
  if (last === undefined) return undefined
  return {
    text: t('refused.last', {
      holder: nameRefused(last, t),
      product: last.product,
      reason: t(`error.${last.code}.title`),
    }),
    time: time.show(last.lastAt),
    more: others.length,
    product: last.product.includes('/') ? productAddress(last.product) : undefined,
  }
}
