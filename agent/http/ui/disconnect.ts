/**
 * Ending a session from the manager's side: Disconnect, and “Free now” as an override (R5), each with a page that spells
 * out the consequence before and a sentence that says what happened after. Must not import owners.
 */
import { readForm } from './form.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { writeSessionRow } from './session-rows.ts'

type Way = 'disconnect' | 'free-now'

export async function askDisconnect(page: Page, parts: Parts, way: Way): Promise<void> {
  const { language, time } = page
  const { t } = language
  const session = parts.sessions.get(page.param('id'))
  if (session === undefined) return page.showProblem('unknown_session', t('sessions.gone'))
  const row = writeSessionRow(session, language, time)
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
  const { language, time } = page
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
  const args = { holder: writeSessionRow(session, language, time).holder.slice(0, 200) }
  if (outcome.overlap !== undefined) {
    const until = time.show(outcome.overlap.until).exact
    page.leadTo('/sessions', {
      kind: 'warning',
      key: 'said.freed_now',
      args: { ...args, count: outcome.overlap.seats, time: until },
    })
  } else if (outcome.ended === 'confirmed') {
    page.leadTo('/sessions', { kind: 'good', key: 'said.disconnected', args })
  } else {
    const at = time.show(outcome.freeAt).exact
    page.leadTo('/sessions', { kind: 'notice', key: 'said.disconnecting', args: { ...args, time: at } })
  }
}
