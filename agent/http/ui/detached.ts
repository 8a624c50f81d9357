/**
 * Detached: seats that are attached here, and seats of this agent that are at other machines, until when; and one of them with
 * what can be done with it and why not. Must not import owners.
 */
import type { Detachment } from '../api/detachment-shapes.ts'
import { isGone, nameUser, writeDetachment, writeDifference } from './detached-rows.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { drawQr } from './qr.ts'
import { chooseFormat, hasWords, readListQuery, sendList, writeAddress, writePager } from './table.ts'
import { lookAround } from './whereabouts.ts'

const head = ['id', 'direction', 'state', 'product', 'feature', 'seats', 'license', 'manager', 'recipient', 'user']
const times = ['startedAt', 'until', 'zone', 'freeAt', 'lastContactAt', 'endedAt', 'version', 'soft']

export async function showDetached(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const { t } = language
  const { search, number } = readListQuery(page)
  const withOver = page.query().over === 'with'
  const all = parts.detaching.list()
  const found = all.filter(
    (one) =>
      (withOver || !isGone(one)) &&
      (search === '' ||
        hasWords(search, [
          one.id,
          one.product,
          one.title,
          one.feature,
          one.manager.name,
          one.recipient.name,
          nameUser(one),
        ])),
  )
  const format = chooseFormat(page)
  if (format !== 'html')
    return sendList(page, format, 'detached', found, [...head, ...times], (one) => [
      [
        one.id,
        one.direction,
        one.state,
        one.product,
        one.feature,
        one.seats,
        one.license,
        one.manager.name,
        one.recipient.name,
        nameUser(one),
        one.startedAt,
        one.until,
        one.zone,
        one.freeAt,
        one.lastContactAt,
        one.endedAt,
        one.version,
        String(one.soft),
      ],
    ])
  const { rowsPerPage, refreshSeconds } = parts.frame()
  const ordered = [...found.filter(isHere), ...found.filter((one) => !isHere(one))]
  const where = lookAround(parts, language)
  const rows = ordered
    .slice((number - 1) * rowsPerPage, number * rowsPerPage)
    .map((one) => writeDetachment(one, page, where))
  const filter = { q: search, over: withOver ? 'with' : undefined }
  const here = found.filter(isHere).length
  await page.show('pages/detached', {
    title: t('navigation.detached'),
    clock: writeClock(page, parts),
    enabled: parts.detaching.enabled(''),
    known: all.length,
    total: found.length,
    gone: all.filter(isGone).length,
    withOver,
    overAddress: writeAddress('/detached', { q: search, over: withOver ? undefined : 'with' }),
    shown: rows.length,
    into: { count: here, rows: rows.filter(({ out }) => !out) },
    out: { count: found.length - here, rows: rows.filter(({ out }) => out) },
    query: search,
    refresh: refreshSeconds,
    csv: writeAddress('/detached', { ...filter, format: 'csv' }),
    json: writeAddress('/detached', { ...filter, format: 'json' }),
    first: writeAddress('/detached', filter),
    pager: writePager(language, { page: number, size: rowsPerPage, total: found.length }, (other) =>
      writeAddress('/detached', { ...filter, page: other === 1 ? undefined : other }),
    ),
  })
}

/** What is attached here comes first, on as many pages as it takes. */
function isHere({ direction }: Detachment): boolean {
  return direction === 'in'
}

/** What is said of the clock while dates do not go by what it shows. */
export function writeClock({ language, time }: Page, parts: Parts) {
  const { t } = language
  const { ahead, behind, date } = parts.detaching.clock()
  const said = (seconds: number): string => time.duration(roundDuration(seconds))
  if (ahead !== undefined)
    return {
      title: t('clock.ahead', { duration: said(ahead.seconds) }),
      text: t('clock.ahead_text', { time: time.spell(date), duration: said(ahead.waitIn) }),
      button: t('clock.accept'),
    }
  if (behind === undefined) return undefined
  return {
    title: t('clock.behind', { duration: said(behind.seconds) }),
    text: t('clock.behind_text', { time: time.spell(date), duration: said(behind.refusesIn) }),
    button: '',
  }
}

/** Two digits are enough of a long time. */
function roundDuration(seconds: number): number {
  const unit = seconds >= 2 * 86_400 ? 86_400 : seconds >= 2 * 3600 ? 3600 : seconds >= 120 ? 60 : 1
  return Math.max(1, Math.round(seconds / unit)) * unit
}

export async function acceptClock(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.detaching.acceptClock()
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo('/detached', { kind: 'good', key: 'said.clock_accepted', args: {} })
}

export function findDetachment(page: Page, parts: Parts): Detachment | undefined {
  return parts.detaching.get(page.param('id'))
}

export async function showNoDetachment(page: Page): Promise<void> {
  await page.showProblem('unknown_detachment', page.language.t('detached.none_such'))
}

/** A block that was made for it, to be brought to the other machine. */
export interface MadeBlock {
  readonly kind: 'detachment' | 'receipt'
  readonly text: string
  readonly fingerprint: string
}

export async function showDetachment(page: Page, parts: Parts, made?: MadeBlock): Promise<void> {
  const { language, time } = page
  const { t } = language
  const detachment = findDetachment(page, parts)
  if (detachment === undefined) return showNoDetachment(page)
  const row = writeDetachment(detachment, page, lookAround(parts, language))
  await page.show('pages/detachment', {
    title: row.what,
    trail: [{ text: t('navigation.detached'), address: '/detached' }],
    row,
    detachment,
    license: row.out ? `/licenses/${encodeURIComponent(detachment.license)}` : '',
    earlyReturn: t(`early_return.${detachment.earlyReturn}`),
    here: time.spell(detachment.until) === row.ends.spelled ? '' : time.spell(detachment.until),
    difference: writeDifference(detachment.clockDifference, language, time),
    lost: detachment.lost && time.show(detachment.lost.declaredAt),
    why: row.unavailable.map((one) => ({ ...one, name: t(`detached.${one.id}`) })),
    block: made && {
      id: 'made-block',
      label: t(`detached.block_${made.kind}`),
      text: made.text,
      fingerprint: made.fingerprint,
      filename: `${made.kind}-${detachment.id.replace(/[^\w-]/g, '').slice(0, 40)}.txt`,
      qr: drawQr(made.text),
    },
    blockText: made === undefined ? '' : t(`detached.block_${made.kind}_text`, { name: nameOther(detachment) }),
    refresh: parts.frame().refreshSeconds,
  })
}

/** The machine on the other side. */
export function nameOther({ direction, manager, recipient }: Detachment): string {
  return direction === 'out' ? recipient.name : manager.name
}
