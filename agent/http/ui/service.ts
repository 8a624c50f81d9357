/**
 * Service: whether this agent gives out seats, with its two switches; what runs, where it listens, who is connected, and the
 * last lines of the log. Must not import owners.
 */
import { readForm } from './form.ts'
import { writeListening } from './network.ts'
import type { ServingPart } from './network-parts.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { chooseFormat } from './table.ts'

const shownLines = 100

export const servingMarks = {
  open: { kind: 'good', icon: 'check' },
  handing_out_disabled: { kind: 'warning', icon: 'pause' },
  serving_stopped: { kind: 'error', icon: 'power' },
} as const

/** The switch as Overview and Service show it. */
export function writeServing(view: ReturnType<ServingPart['view']>, { language }: Page) {
  const { t } = language
  return {
    state: { ...servingMarks[view.state], text: t(`serving.${view.state}`) },
    text: t(`serving.${view.state}_text`),
    handingOut: view.handingOut,
    running: view.running,
    ending: view.ending === 0 ? undefined : t('serving.ending', { count: view.ending }),
  }
}

export async function showService(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const serving = parts.serving.view()
  const service = parts.service.view()
  const lines = parts.service.log(shownLines)
  if (chooseFormat(page) === 'json') {
    page.ctx.set('Cache-Control', 'no-store')
    page.ctx.body = { serving, service, log: lines }
    return
  }
  const { version, refreshSeconds } = parts.frame()
  await page.show('pages/service', {
    title: t('navigation.service'),
    serving: writeServing(serving, page),
    version,
    process: service.process,
    started: time.show(service.startedAt),
    installed:
      service.installed === undefined ? undefined : t(service.installed ? 'service.system' : 'service.by_hand'),
    listening: writeListening(page, parts),
    others: service.others,
    agents: serving.agents,
    users: serving.users,
    seats: serving.seats,
    lines: lines.map(({ at, level, event, facts }, place) => ({
      id: place,
      at: time.show(at),
      level: { ...(levelMarks[level] ?? levelMarks.debug), text: level },
      event,
      facts,
    })),
    refresh: Math.min(refreshSeconds, 3),
  })
}

const levelMarks: Readonly<Record<string, { readonly kind: string; readonly icon: string }>> = {
  error: { kind: 'error', icon: 'error' },
  warn: { kind: 'warning', icon: 'warning' },
  info: { kind: 'notice', icon: 'info' },
  debug: { kind: 'quiet', icon: 'info' },
}

/** People go on where they pressed it. */
function backTo(value: string | undefined): string {
  return value === 'overview' ? '/' : '/service'
}

export async function switchHandingOut(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const on = read.form.on === 'yes'
  const outcome = await parts.serving.change({ handingOut: on })
  if (outcome.kind === 'refused') return page.refuse(outcome)
  const key = on ? 'said.serving_enabled' : 'said.serving_disabled'
  page.leadTo(backTo(read.form.back), { kind: 'good', key, args: {} })
}

export async function startServing(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.serving.change({ running: true })
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo('/service', { kind: 'good', key: 'said.serving_started', args: {} })
}

export async function askStop(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const { seats, users } = parts.serving.view()
  await page.show('pages/confirm', {
    title: t('stop.title'),
    trail: [{ text: t('navigation.service'), address: '/service' }],
    confirm: {
      action: '/service/stop',
      cancel: '/service',
      texts: [t('stop.consequence'), seats === 0 ? t('stop.unused') : t('stop.used', { count: seats, users })],
      button: t('stop.button'),
      other: { text: t('stop.rather'), address: '/service' },
    },
  })
}

export async function stopServing(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.serving.change({ running: false })
  if (outcome.kind === 'refused') return page.refuse(outcome)
  const { ending } = parts.serving.view()
  if (ending > 0) page.leadTo('/service', { kind: 'notice', key: 'said.serving_stopping', args: { count: ending } })
  else page.leadTo('/service', { kind: 'good', key: 'said.serving_stopped', args: {} })
}
