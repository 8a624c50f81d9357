/**
 * History: the most seats in use against the seats there are, with the denials, for a day, a week or a month. Must not import owners.
 */
import { z } from 'zod'
import type { Product } from '../api/license-shapes.ts'
import { listBoundaries, type Period, periods } from './calendar.ts'
import { drawChart, drawSpark } from './charts.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { productAddress } from './product-rows.ts'
import { chooseFormat, sendList, writeAddress } from './table.ts'

const historyQuery = z.object({
  period: z.enum(periods).catch('day'),
  product: z.string().max(255).catch(''),
})

interface Step {
  readonly product: string
  readonly from: string
  readonly until: string
  readonly peak: number
  readonly seats: number
  readonly denials: number
}

export async function showHistory(page: Page, parts: Parts): Promise<void> {
  const { language, time, zone } = page
  const { t } = language
  const { period, product } = historyQuery.parse(page.query())
  const boundaries = listBoundaries(period, parts.now(), zone)
  const usage = await parts.history.read(boundaries)
  const products = new Map(parts.products.list().map((one) => [one.id, one]))
  const names = [...new Set([...products.keys(), ...usage.products.map((one) => one.product)])].sort()
  const series = names
    .filter((name) => product === '' || name === product)
    .map((name) => {
      const found = usage.products.find((one) => one.product === name)
      const none = boundaries.slice(1).map(() => 0)
      return {
        product: name,
        title: titleOf(products.get(name), name, t),
        seats: seatsOf(products.get(name)),
        peaks: found?.peaks ?? none,
        denials: found?.denials ?? none,
      }
    })
    .filter(({ product: name, peaks, denials }) => products.has(name) || [...peaks, ...denials].some((one) => one > 0))
  const format = chooseFormat(page)
  if (format !== 'html') {
    const steps: Step[] = series.flatMap((one) =>
      one.peaks.map((peak, place) => ({
        product: one.product,
        from: new Date(boundaries[place] ?? 0).toISOString(),
        until: new Date(boundaries[place + 1] ?? 0).toISOString(),
        peak,
        seats: one.seats,
        denials: one.denials[place] ?? 0,
      })),
    )
    const head = ['product', 'from', 'until', 'peak', 'seats', 'denials']
    return sendList(page, format, `history-${period}`, steps, head, (one) => [
      [one.product, one.from, one.until, one.peak, one.seats, one.denials],
    ])
  }
  const labels = boundaries.slice(0, -1).map((at) => nameStep(period, at, page))
  await page.show('pages/history', {
    title: t('navigation.history'),
    period,
    periods: periods.map((one) => ({
      text: t(`history.${one}`),
      address: writeAddress('/history', { period: one === 'day' ? undefined : one, product }),
      current: one === period,
    })),
    product,
    products: names.map((name) => ({ value: name, label: titleOf(products.get(name), name, t) })),
    series: series.map((one) => {
      const peak = Math.max(0, ...one.peaks)
      const denied = one.denials.reduce((sum, count) => sum + count, 0)
      return {
        id: one.product.replaceAll(/[^a-z0-9]+/g, '-'),
        product: one.product,
        title: one.title,
        address: products.has(one.product) ? productAddress(one.product) : undefined,
        chart: drawChart(one.peaks, one.denials, one.seats),
        summary: t('history.summary', { peak, seats: one.seats, denied: t('history.denied', { count: denied }) }),
        rows: one.peaks
          .map((used, place) => ({ time: labels[place] ?? '', peak: used, denials: one.denials[place] ?? 0 }))
          .reverse(),
        seats: one.seats,
      }
    }),
    axis: listAxis(labels),
    since: usage.since !== undefined && usage.since > (boundaries[0] ?? 0) ? time.show(usage.since) : undefined,
    reading: usage.since === undefined,
    csv: writeAddress('/history', { period, product, format: 'csv' }),
    json: writeAddress('/history', { period, product, format: 'json' }),
    refresh: parts.frame().refreshSeconds,
  })
}

function titleOf(product: Product | undefined, name: string, t: Page['language']['t']): string {
  if (product?.name === '*') return t('licenses.any_product')
  return product?.title ?? name
}

/** Seats of its own and those that fit any product, since a session may have either. */
function seatsOf(product: Product | undefined): number {
  if (product === undefined) return 0
  return product.licenses.reduce((sum, { state, seats }) => sum + (takes(state) ? seats : 0), 0)
}

function takes(state: Product['licenses'][number]['state']): boolean {
  return state === 'active' || state === 'expiring'
}

function nameStep(period: Period, at: number, { time }: Page): string {
  if (period === 'day') return time.clock(at)
  return period === 'week' ? `${time.weekday(at)} ${time.clock(at)}` : time.weekday(at)
}

/** A few labels for the line below the bars: first, quarters, last. */
function listAxis(labels: readonly string[]): string[] {
  return [0, 0.25, 0.5, 0.75].map((part) => labels[Math.floor(part * labels.length)] ?? '')
}

/** The last 24 hours of each product as a small drawing with its words; empty when the history can't be read. */
export async function drawSparks(page: Page, parts: Parts, products: readonly Product[]) {
  const { t } = page.language
  const boundaries = listBoundaries('day', parts.now(), page.zone)
  const usage = await parts.history.read(boundaries).catch(() => undefined)
  return new Map(
    products.map((product) => {
      const found = usage?.products.find((one) => one.product === product.id)
      const peaks = found?.peaks ?? boundaries.slice(1).map(() => 0)
      const peak = Math.max(0, ...peaks)
      const denied = (found?.denials ?? []).reduce((sum, count) => sum + count, 0)
      const text = denied === 0 ? t('history.spark', { peak }) : t('history.spark_denied', { peak, count: denied })
      return [product.id, { path: drawSpark(peaks, seatsOf(product)), width: peaks.length, text }]
    }),
  )
}
