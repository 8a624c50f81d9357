/**
 * Ending a session from the manager's side: Disconnect, and “Free now” as an override (R5), each with a page that spells
 * out the consequence before and a sentence that says what happened after. Must not import owners.
 */
import type { Disconnected } from '../api/shapes.ts'
import type { Saying } from './cookies.ts'
import { readForm } from './form.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeSessionRow } from './session-rows.ts'
import { lookAround } from './whereabouts.ts'

type Way = 'disconnect' | 'free-now'

export async function askDisconnect(page: Page, parts: Parts, way: Way): Promise<void> {
  const { language, time } = page
  const { t } = language
  const session = parts.sessions.get(page.param('id'))
  if (session === undefined) return page.showProblem('unknown_session', t('sessions.gone'))
  const row = writeSessionRow(session, page, lookAround(parts, language))
  if (!session.actions.includes(way)) {
    page.leadTo(row.address, { kind: 'notice', key: 'said.not_now', args: {} })
    return
  }
  const trail = [
    { text: t('navigation.sessions'), address: '/sessions' },
    { text: t('session.title', { holder: row.holder }), address: row.address },
  ]
  const freeAt = time.show(session.freeAt ?? session.expiresAt)
  const confirm = { action: `${row.address}/${way}`, cancel: row.address, reason: true }
  if (way === 'disconnect') {
    await page.show('pages/confirm', {
      title: t('disconnect.title', { holder: row.holder }),
      trail,
      confirm: {
        ...confirm,
        texts: [t('disconnect.consequence', { holder: row.holder, product: row.title, time: freeAt.exact })],
        button: t('disconnect.button', { holder: row.holder }),
        other: row.freeNow === undefined ? undefined : { text: t('disconnect.override'), address: row.freeNow },
      },
    })
    return
  }
  const overlap = parts.sessions.overlapOf(session.id)
  const until = overlap === undefined ? freeAt : time.show(overlap.until)
  await page.show('pages/confirm', {
    title: t('free_now.title', { holder: row.holder }),
    trail,
    confirm: {
      ...confirm,
      texts: [
        t('free_now.consequence', { holder: row.holder, product: row.title }),
        t('free_now.overlap', { count: overlap?.seats ?? session.seats, time: until.exact }),
      ],
      button: t('free_now.button'),
      other: undefined,
    },
  })
}

export async function disconnect(page: Page, parts: Parts, way: Way): Promise<void> {
  const { language } = page
  const session = parts.sessions.get(page.param('id'))
  if (session === undefined) return page.showProblem('unknown_session', language.t('sessions.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const reason = read.form.reason?.trim().slice(0, 255) ?? ''
  const outcome = await parts.sessions.disconnect(session.id, {
    freeNow: way === 'free-now',
    ...(reason === '' ? {} : { reason }),
  })
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo(
    '/sessions',
    describeOutcome(outcome, writeSessionRow(session, page, lookAround(parts, language)).holder, page),
  )
}

/** What came of it, in a sentence. */
export function describeOutcome({ ended, freeAt, overlap }: Disconnected, holder: string, { time }: Page): Saying {
  const args = { holder: holder.slice(0, 200) }
  if (overlap !== undefined) {
    const until = time.show(overlap.until).exact
    return { kind: 'warning', key: 'said.freed_now', args: { ...args, count: overlap.seats, time: until } }
  }
  if (ended === 'confirmed') return { kind: 'good', key: 'said.disconnected', args }
  return { kind: 'notice', key: 'said.disconnecting', args: { ...args, time: time.show(freeAt).exact } }
}
