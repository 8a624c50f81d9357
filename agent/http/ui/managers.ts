/**
 * Managers: the agents that are known, approving and forgetting them, testing a connection, and the search as it goes on.
 * Must not import owners.
 */

import { shortGroups } from '../../domain/documents/keys.ts'
import type { ConnectionReport } from '../api/manager-shapes.ts'
import { writeAgentRow, writeSearchStep, writeTest } from './agent-rows.ts'
import { readForm } from './form.ts'
import type { KnownAgent } from './network-parts.ts'
import { sayAs } from './owner-words.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { chooseFormat, hasWords, sendList, writeAddress } from './table.ts'

export async function showManagers(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const search = (page.query().q ?? '').trim().slice(0, 255)
  const all = parts.managers.list()
  const found = search === '' ? all : all.filter((agent) => hasWords(search, wordsOf(agent)))
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['id', 'name', 'addresses', 'foundBy', 'state', 'approval', 'version', 'latency', 'clockDifference']
    return sendList(page, format, 'managers', found, [...head, 'lastSeenAt', 'offers'], (agent) => [
      [
        agent.id,
        agent.name,
        agent.addresses.map(({ address }) => address).join(' '),
        agent.foundBy.join(' '),
        agent.state,
        agent.approval,
        agent.version,
        agent.latency,
        agent.clockDifference,
        agent.lastSeenAt,
        agent.offers.map(({ product, used, seats }) => `${product} ${used}/${seats}`).join('; '),
      ],
    ])
  }
  await page.show('pages/managers', {
    title: t('navigation.managers'),
    rows: found.map((agent) => writeAgentRow(agent, language, time)),
    total: all.length,
    query: search,
    restored: parts.managers.isRestored(),
    off: parts.search.isOff(),
    refresh: parts.frame().refreshSeconds,
    csv: writeAddress('/managers', { q: search, format: 'csv' }),
    json: writeAddress('/managers', { q: search, format: 'json' }),
  })
}

function wordsOf({ id, name, addresses, offers }: KnownAgent): readonly string[] {
  const places = addresses.map(({ address }) => address)
  return [id, shortGroups(id), name, ...places, ...offers.flatMap(({ product, title }) => [product, title ?? ''])]
}

function find(page: Page, parts: Parts): KnownAgent | undefined {
  return parts.managers.list().find(({ id }) => id === page.param('id'))
}

/** Where an agent is approved, denied or forgotten, people go on with what they were at. */
function backFrom(value: string | undefined): string {
  return value === 'remote-clients' ? '/configuration/remote-clients' : value === 'overview' ? '/' : '/managers'
}

export async function judgeManager(page: Page, parts: Parts, approval: 'approved' | 'denied'): Promise<void> {
  const agent = find(page, parts)
  if (agent === undefined) return page.showProblem('unknown_peer', page.language.t('managers.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const outcome = await parts.managers.judge(agent.id, approval)
  if (outcome.kind === 'refused') return page.refuse(outcome)
  const key = approval === 'approved' ? 'said.agent_approved' : 'said.agent_denied'
  page.leadTo(backFrom(read.form.back), { kind: 'good', key, args: { name: agent.name } })
}

export async function askForget(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const agent = find(page, parts)
  if (agent === undefined) return page.showProblem('unknown_peer', t('managers.gone'))
  await page.show('pages/confirm', {
    title: t('forget.title', { name: agent.name }),
    trail: [{ text: t('navigation.managers'), address: '/managers' }],
    confirm: {
      action: `/managers/${encodeURIComponent(agent.id)}/forget`,
      cancel: '/managers',
      texts: [t('forget.consequence', { name: agent.name, fingerprint: shortGroups(agent.id) })],
      button: t('forget.button', { name: agent.name }),
    },
  })
}

export async function forgetManager(page: Page, parts: Parts): Promise<void> {
  const agent = find(page, parts)
  if (agent === undefined) return page.showProblem('unknown_peer', page.language.t('managers.gone'))
  const outcome = await parts.managers.forget(agent.id)
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo('/managers', { kind: 'good', key: 'said.agent_forgotten', args: { name: agent.name } })
}

export async function confirmRestored(page: Page, parts: Parts): Promise<void> {
  await parts.managers.confirmRestored()
  page.leadTo('/managers', { kind: 'good', key: 'said.restored_confirmed', args: {} })
}

interface ShownTest {
  readonly address?: string
  readonly test?: ConnectionReport
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
}

export async function showTest(page: Page, shown: ShownTest = {}, status = 200): Promise<void> {
  const { language } = page
  const { t } = language
  await page.show(
    'pages/connection-test',
    {
      title: t('test.title'),
      trail: [{ text: t('navigation.managers'), address: '/managers' }],
      address: shown.address ?? page.query().address ?? '',
      test: shown.test && writeTest(shown.test, language),
      error: shown.error,
      refused: shown.refused,
      wrong: status !== 200,
    },
    status,
  )
}

export async function takeTest(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const address = (read.form.address ?? '').trim().slice(0, 300)
  if (address === '') return showTest(page, { address, error: page.language.t('test.nothing') }, 422)
  const outcome = await parts.managers.test(address)
  if (outcome.kind === 'refused') {
    const refused = describeRefusal(outcome, page.language)
    return showTest(page, { address, refused, error: sayAs(page.language, outcome.detail) }, 422)
  }
  await showTest(page, { address, test: outcome })
}

/** Steps that the page shows at most; the interface has them all. */
const shownSteps = 300

export async function showSearch(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const search = parts.search.last()
  if (chooseFormat(page) === 'json') {
    page.ctx.set('Cache-Control', 'no-store')
    page.ctx.body = { search }
    return
  }
  const steps = [...(search?.steps ?? [])].sort((a, b) => rankOf(a.result) - rankOf(b.result) || b.number - a.number)
  const { tried = 0, found = 0 } = search ?? {}
  await page.show('pages/search', {
    title: t('search.title'),
    trail: [{ text: t('navigation.managers'), address: '/managers' }],
    off: parts.search.isOff(),
    running: search?.state === 'running',
    rows: steps.slice(0, shownSteps).map((step) => writeSearchStep(step, language)),
    more: Math.max(0, steps.length - shownSteps),
    notes: search?.notes ?? [],
    started: search && time.show(search.startedAt),
    summary:
      search === undefined
        ? ''
        : search.state === 'running'
          ? t('search.running', { count: found, tried })
          : t('search.done', { count: found, tried }),
    refresh: 1,
  })
}

/** What was found stands first, then what is being asked. */
function rankOf(result: string): number {
  return result === 'found' ? 0 : result === 'running' ? 1 : 2
}

export async function startSearch(page: Page, parts: Parts): Promise<void> {
  if (parts.search.isOff()) return page.showProblem('remote_access_off', page.language.t('search.off'))
  parts.search.start()
  page.leadTo('/managers/search')
}
