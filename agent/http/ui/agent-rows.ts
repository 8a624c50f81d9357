/**
 * Other agents as the pages show them: in a list, as the result of a test, as a place that the search looked at.
 * Pure; must not import owners or koa.
 */

import { shortGroups } from '../../domain/documents/keys.ts'
import type { Language } from '../../language.ts'
import type { ConnectionReport, Manager, SearchState } from '../api/manager-shapes.ts'
import type { KnownAgent } from './network-parts.ts'
import { sayAs } from './owner-words.ts'
import { nameCode } from './page.ts'
import type { ShownTime, TimeWords } from './time.ts'

export interface Mark {
  readonly kind: string
  readonly icon: string
  readonly text: string
}

export interface AgentRow {
  readonly id: string
  readonly name: string
  readonly fingerprint: string
  /** Its own page; undefined where no address is known. */
  readonly address: string | undefined
  readonly places: readonly string[]
  readonly found: string
  readonly state: Mark
  readonly detail: string
  readonly approval: Mark | undefined
  readonly trouble: Mark | undefined
  readonly version: string
  readonly latency: string
  readonly clock: string
  readonly lastSeen: ShownTime | undefined
  readonly offers: readonly { readonly title: string; readonly text: string }[]
  /** Address to be tested. */
  readonly test: string | undefined
  readonly actions: Readonly<Partial<Record<'approve' | 'deny' | 'forget', string>>>
}

/** An address of another agent's pages, as it says or as it was found; only https addresses of machines become links. */
export function readPage(page: string | undefined, path = '/'): string | undefined {
  if (page === undefined || !/^https:\/\/(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?\/?$/i.test(page)) return undefined
  return page.replace(/\/$/, '') + path
}

export function writeAgentRow(agent: KnownAgent, language: Language, time: TimeWords): AgentRow {
  const { t } = language
  const { id, approval, trouble } = agent
  const address = `/managers/${encodeURIComponent(id)}`
  const canDeny = approval === 'pending' || approval === 'approved'
  return {
    id,
    name: agent.name,
    fingerprint: shortGroups(id),
    address: readPage(agent.page),
    places: agent.addresses.map((one) => one.address),
    found: agent.foundBy.map((way) => t(`found.${way}`)).join(', '),
    state: { ...stateMarks[agent.state], text: t(`agent_state.${agent.state}`) },
    detail: sayAs(language, agent.detail) || (agent.code === undefined ? '' : nameCode(agent.code, language)),
    approval:
      approval === undefined || approval === 'known'
        ? undefined
        : { ...approvalMarks[approval], text: t(`approval.${approval}`) },
    trouble: trouble === undefined ? undefined : { kind: 'error', icon: 'error', text: t(`agent_trouble.${trouble}`) },
    version: agent.version ?? '',
    latency: writeLatency(agent.latency, language),
    clock: writeClockDifference(agent.clockDifference, language, time),
    lastSeen: agent.lastSeenAt === undefined ? undefined : time.show(agent.lastSeenAt),
    offers: agent.offers.map(({ product, title, used, seats }) => ({
      title: title ?? product,
      text: t('seats.used', { used, seats }),
    })),
    test: agent.addresses[0]?.address,
    actions: {
      // of two copies the one that is approved goes on
      ...(agent.actions.includes('approve') || trouble === 'forked' ? { approve: `${address}/approve` } : {}),
      ...(canDeny ? { deny: `${address}/deny` } : {}),
      ...(agent.actions.includes('forget') ? { forget: `${address}/forget` } : {}),
    },
  }
}

const approvalMarks = {
  pending: { kind: 'warning', icon: 'clock' },
  approved: { kind: 'good', icon: 'check' },
  denied: { kind: 'quiet', icon: 'lock' },
} as const

const stateMarks: Readonly<Record<Manager['state'], { readonly kind: string; readonly icon: string }>> = {
  reachable: { kind: 'good', icon: 'check' },
  refusing: { kind: 'warning', icon: 'warning' },
  pending: { kind: 'warning', icon: 'clock' },
  unreachable: { kind: 'error', icon: 'error' },
  wrong_identity: { kind: 'error', icon: 'error' },
  other_version: { kind: 'warning', icon: 'warning' },
  asking: { kind: 'quiet', icon: 'clock' },
}

function writeLatency(ms: number | undefined, { t, number }: Language): string {
  if (ms === undefined) return ''
  return t('managers.ms', { ms: number(ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)) })
}

/** @param seconds by which its clock is ahead of ours */
function writeClockDifference(seconds: number | undefined, { t }: Language, time: TimeWords): string {
  if (seconds === undefined) return ''
  if (Math.abs(seconds) < 1) return t('managers.clock_same')
  const duration = time.duration(Math.round(Math.abs(seconds)))
  return t(seconds > 0 ? 'managers.clock_ahead' : 'managers.clock_behind', { duration })
}

const stepMarks = {
  passed: { kind: 'good', icon: 'check' },
  good: { kind: 'good', icon: 'check' },
  failed: { kind: 'error', icon: 'error' },
  skipped: { kind: 'quiet', icon: 'pause' },
} as const

interface TakenStep {
  readonly step: string
  readonly outcome: keyof typeof stepMarks
  readonly detail: string
  readonly help?: string | undefined
  readonly ms?: number | undefined
}

/** Steps that testing a connection takes. */
export const testSteps = [
  'name',
  'connect',
  'tcp',
  'tls',
  'identity',
  'version',
  'latency',
  'clock',
  'licenses',
  'answer',
  'password',
  'login',
  'target',
] as const

function nameStep(step: string, { t }: Language): string {
  const known = testSteps.find((one) => one === step)
  return known === undefined ? step : t(`test_step.${known}`)
}

export function writeStep({ step, outcome, detail, help = '', ms }: TakenStep, language: Language) {
  const word = outcome === 'good' ? 'passed' : outcome
  return {
    name: nameStep(step, language),
    mark: { ...stepMarks[outcome], text: language.t(`step_outcome.${word}`) },
    detail: sayAs(language, detail),
    help: sayAs(language, help),
    ms: writeLatency(ms, language),
  }
}

export function writeTest({ address, reached, agent, steps }: ConnectionReport, language: Language) {
  const { t } = language
  return {
    reached,
    title: t(reached ? 'test.reached' : 'test.not_reached', { address }),
    steps: steps.map((step) => writeStep(step, language)),
    agent: agent && { name: agent.name, fingerprint: shortGroups(agent.id) },
  }
}

type SearchStep = SearchState['steps'][number]

const resultMarks: Readonly<Record<SearchStep['result'], { readonly kind: string; readonly icon: string }>> = {
  running: { kind: 'notice', icon: 'clock' },
  found: { kind: 'good', icon: 'check' },
  self: { kind: 'quiet', icon: 'check' },
  failed: { kind: 'warning', icon: 'warning' },
  nothing: { kind: 'quiet', icon: 'pause' },
}

export function writeSearchStep(step: SearchStep, language: Language) {
  const { t } = language
  return {
    id: step.number,
    place: step.address,
    count: step.addresses > 1 ? t('search.addresses', { count: step.addresses }) : '',
    origin: t(`found.${step.foundBy}`),
    step: nameStep(step.step, language),
    result: { ...resultMarks[step.result], text: t(`search_result.${step.result}`) },
    detail: step.agent?.name ?? sayAs(language, step.detail),
    ms: writeLatency(step.ms, language),
  }
}
