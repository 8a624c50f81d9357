/**
 * What is done with seats that are taken along: giving them back, with or without a connection, extending, withdrawing what
 * nobody took, the block for the other machine, and declaring them lost. Each has a page that spells out the consequence.
 * Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { Detachment, DetachmentAction } from '../api/detachment-shapes.ts'
import { readDay } from './calendar.ts'
import type { Saying } from './cookies.ts'
import { writeWhy } from './detach.ts'
import { findDetachment, nameOther, showDetachment, showNoDetachment } from './detached.ts'
import { writeDetachment } from './detached-rows.ts'
import { type Form, readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { askToSignIn } from './sign-in.ts'
import { lookAround } from './whereabouts.ts'

interface Found {
  readonly detachment: Detachment
  readonly row: ReturnType<typeof writeDetachment>
  readonly trail: readonly { readonly text: string; readonly address: string }[]
}

function find(page: Page, parts: Parts): Found | undefined {
  const detachment = findDetachment(page, parts)
  if (detachment === undefined) return undefined
  const row = writeDetachment(detachment, page, lookAround(parts, page.language))
  const trail = [
    { text: page.language.t('navigation.detached'), address: '/detached' },
    { text: row.what, address: row.address },
  ]
  return { detachment, row, trail }
}

// ---- before it is done

export async function askAction(page: Page, parts: Parts, action: DetachmentAction): Promise<void> {
  const { t } = page.language
  const found = find(page, parts)
  if (found === undefined) return showNoDetachment(page)
  const { row, detachment, trail } = found
  if (!detachment.actions.includes(action)) {
    page.leadTo(row.address, { kind: 'notice', key: 'said.detached_not_now', args: {} })
    return
  }
  if (action === 'extend') return showExtend(page, parts, found)
  await page.show('pages/confirm', {
    title: row.actions.find(({ id }) => id === action)?.label ?? row.what,
    trail,
    confirm: {
      texts: writeConsequence(action, found, page),
      action: `${row.address}/${action}`,
      cancel: row.address,
      button: t(`detached.${action}`),
      reason: action === 'lost',
    },
  })
}

function writeConsequence(
  action: Exclude<DetachmentAction, 'extend'>,
  { detachment, row }: Found,
  page: Page,
): string[] {
  const { t } = page.language
  const { used = 0, state } = detachment
  const name = nameOther(detachment)
  const args = { what: row.what, name, time: row.ends.spelled, free: row.freeAt?.spelled ?? row.ends.spelled }
  switch (action) {
    case 'return':
      return [
        t('detached.return_text', args),
        ...(used > 0 ? [t('detached.return_used', { count: used })] : []),
        t('detached.return_later', args),
      ]
    case 'receipt':
      return [t('detached.receipt_text', args), t('detached.receipt_bring', args)]
    case 'withdraw':
      return [t('detached.withdraw_text', args)]
    case 'block':
      return [state === 'waiting' ? t('detached.block_waiting', args) : t('detached.block_again', args)]
    case 'lost':
      return [t('detached.lost_text', args), t('detached.lost_free', args), t('detached.lost_stays', args)]
  }
}

interface ShownExtend {
  readonly until?: string
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
}

async function showExtend(page: Page, parts: Parts, found: Found, shown: ShownExtend = {}, status = 200) {
  const { language, time } = page
  const { t } = language
  const { detachment, row, trail } = found
  const until = shown.until ?? time.calendarDay(detachment.latest ?? detachment.until)
  const label = t('detach.until')
  await page.show(
    'pages/detached-extend',
    {
      title: t('detached.label', { action: t('detached.extend'), what: row.what }),
      trail,
      row,
      until,
      first: time.calendarDay(parts.now()),
      last: detachment.latest === undefined ? '' : time.calendarDay(detachment.latest),
      spelled: time.spellDay(readDay(until, page.zone) ?? detachment.until),
      limit: row.latest === undefined ? t('detached.limit_manager') : t('detached.limit', { time: row.latest.spelled }),
      errors:
        shown.error === undefined
          ? undefined
          : { title: t('form.wrong', { count: 1 }), items: [{ field: 'until', label, message: shown.error }] },
      error: shown.error,
      refused: shown.refused,
      wrong: status !== 200,
    },
    status,
  )
}

// ---- doing it

export async function doAction(page: Page, parts: Parts, action: DetachmentAction): Promise<void> {
  const found = find(page, parts)
  if (found === undefined) return showNoDetachment(page)
  const { detachment, row } = found
  // Its own people give back what is attached here; what is out is the administrator's.
  if (detachment.direction === 'out' && !(await parts.administrator.may('change', page.asker)))
    return askToSignIn(page, row.address)
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  if (action === 'extend') return extend(page, parts, found, read.form)
  if (action === 'block' || action === 'receipt') return showBlock(page, parts, detachment, action)
  const outcome = await carryOut(parts, found, action, read.form)
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo(row.address, outcome.saying)
}

async function carryOut(
  parts: Parts,
  { detachment, row }: Found,
  action: 'return' | 'withdraw' | 'lost',
  form: Form,
): Promise<Refusal | { readonly kind: 'done'; readonly saying: Saying }> {
  const { id } = detachment
  const args = { what: row.what.slice(0, 300), name: nameOther(detachment).slice(0, 200) }
  if (action === 'lost') {
    const note = form.reason?.trim().slice(0, 255) ?? ''
    const outcome = await parts.detaching.declareLost(id, note === '' ? undefined : note)
    if (outcome.kind === 'refused') return outcome
    return { kind: 'done', saying: { kind: 'warning', key: 'said.lost', args } }
  }
  const outcome = await parts.detaching.giveBack(id)
  if (outcome.kind === 'refused') return outcome
  const said = {
    returned: { kind: 'good', key: 'said.returned', args },
    returning: { kind: 'notice', key: 'said.returning', args },
    withdrawn: { kind: 'good', key: 'said.withdrawn', args },
    ended: { kind: 'notice', key: 'said.ended_already', args },
  } as const
  return { kind: 'done', saying: said[outcome.state] }
}

/** Reading the page again makes the same block again. */
async function showBlock(page: Page, parts: Parts, { id, recipient }: Detachment, action: 'block' | 'receipt') {
  if (action === 'receipt') {
    const made = await parts.detaching.makeReceipt(id)
    if (made.kind === 'refused') return page.refuse(made)
    return showDetachment(page, parts, { kind: 'receipt', text: made.receipt, fingerprint: made.fingerprint })
  }
  const made = await parts.detaching.block(id)
  if (made.kind === 'refused') return page.refuse(made)
  await showDetachment(page, parts, { kind: 'detachment', text: made.block, fingerprint: recipient.fingerprint })
}

async function extend(page: Page, parts: Parts, found: Found, form: Form): Promise<void> {
  const { language, time } = page
  const { detachment, row } = found
  const until = form.until?.trim().slice(0, 64) ?? ''
  if (!detachment.soft && readDay(until, page.zone) === undefined)
    return showExtend(page, parts, found, { until, error: language.t('detach.until_missing') }, 422)
  const made = await parts.detaching.extend(detachment.id, detachment.soft ? undefined : until)
  if (made.kind === 'refused') {
    const error = writeWhy(made, page)?.error
    const shown = error === undefined ? { refused: describeRefusal(made, language) } : { error }
    return showExtend(page, parts, found, { until, ...shown }, 422)
  }
  const args = { what: row.what.slice(0, 300), time: time.spell(made.detachment.until, made.detachment.zone) }
  page.leadTo(row.address, { kind: 'good', key: 'said.extended', args })
}
