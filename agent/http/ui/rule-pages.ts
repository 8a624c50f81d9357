/**
 * Configuration > Access from Remote Clients, and > User Restrictions: who may get seats, with those who asked lately and a
 * rule for each in one press, a check for one of them, and a dry run over what was asked before. Must not import owners.
 */
import { type Refusal, refuse } from '../../errors.ts'
import type { ConfigurationEntry } from '../api/agent-shapes.ts'
import { writeAgentRow } from './agent-rows.ts'
import { type Form, readForm } from './form.ts'
import type { DryRun, DryRunCase, RecentClient, RuleAnswer, RuleList } from './network-parts.ts'
import { nameCode, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { readFieldProblems, readLines } from './settings-form.ts'
import {
  type SettingsPage,
  settingsOf,
  showRefused,
  showSettings,
  submitSettings,
  tabAddresses,
} from './settings-page.ts'

const settings = { machines: 'serving.rules', users: 'users.rules' } as const

/** Who asks, as the form has it; an empty field is not known. */
type Subject = Readonly<Record<'account' | 'email' | 'host' | 'address' | 'product' | 'license', string>>

interface Found {
  readonly answer?: RuleAnswer
  readonly subject?: Subject
}

function describePage(list: RuleList): SettingsPage {
  const isMachines = list === 'machines'
  return {
    tab: isMachines ? 'remote-clients' : 'users',
    section: isMachines ? 'remote-clients' : 'user-restrictions',
    address: tabAddresses[isMachines ? 'remote-clients' : 'users'],
    view: 'pages/configuration-rules',
    has: ({ name }) => name === settings[list] || (isMachines && isAboutAgents(name)),
    more: (page, parts, { found = {} }) => {
      const { language, time } = page
      const { answer, subject }: Found = found
      return {
        list,
        pending: isMachines
          ? parts.managers
              .list()
              .filter(({ approval }) => approval === 'pending')
              .map((agent) => writeAgentRow(agent, language, time))
          : [],
        recent: parts.access.recent().flatMap((one) => writeRecent(one, list, page)),
        subject: subject ?? emptySubject,
        verdict: writeVerdict(answer, page),
        dryRun: answer?.dryRun && writeDryRun(answer.dryRun, page),
      }
    },
  }
}

/** The switch that stops giving out anything is on the Service page, where the other one is. */
function isAboutAgents(name: string): boolean {
  return name.startsWith('serving.') && name !== 'serving.handingOut'
}

const pages = { machines: describePage('machines'), users: describePage('users') } as const

const emptySubject: Subject = { account: '', email: '', host: '', address: '', product: '', license: '' }

/** Only those that there is a rule of this list for. */
function writeRecent(one: RecentClient, list: RuleList, { language, time }: Page) {
  const { t } = language
  const rules = one.rules.filter(({ setting }) => setting === settings[list])
  if (rules.length === 0) return []
  const user = one.user.email ?? one.user.account ?? ''
  const who = list === 'machines' ? one.agent.name : user || (one.host ?? one.address ?? '')
  const row = {
    who,
    second: [list === 'machines' ? user : '', one.host === who ? '' : (one.host ?? '')].filter(Boolean).join(', '),
    address: one.address ?? '',
    product: one.product,
    last: time.show(one.at),
    outcome:
      one.outcome === 'granted'
        ? { kind: 'good', icon: 'check', text: t('rules.granted') }
        : { kind: 'warning', icon: 'warning', text: nameCode(one.outcome, language) },
    rules: rules.map(({ about, action, text }) => {
      const button = t(`rules.${action}_${about}`)
      return { text, button, label: t('rules.label', { button, who, rule: text }) }
    }),
  }
  return [row]
}

function writeVerdict(answer: RuleAnswer | undefined, { language }: Page) {
  const { t } = language
  if (answer?.outcome === undefined) return undefined
  const allowed = answer.outcome === 'allowed'
  const decisive = answer.verdicts?.at(-1)
  return {
    kind: allowed ? 'good' : 'warning',
    title: t(allowed ? 'rules.allowed' : 'rules.denied'),
    text: decisive?.detail ?? '',
    rule:
      decisive?.rule === undefined
        ? t('rules.no_rule')
        : t('rules.by_rule', { rule: decisive.rule, line: decisive.line ?? 0 }),
  }
}

function writeDryRun({ from, requests, refused, allowed }: DryRun, { language, time }: Page) {
  const { t } = language
  const write = (one: DryRunCase, isAllowed: boolean) => ({
    who: [one.user.email ?? one.user.account, one.host ?? one.address].filter(Boolean).join(' · '),
    product: one.product,
    times: one.times,
    last: time.show(one.lastAt),
    after: t(isAllowed ? 'rules.allowed' : 'rules.denied'),
    rule: one.rule ?? '',
  })
  const rows = [...refused.examples.map((one) => write(one, false)), ...allowed.examples.map((one) => write(one, true))]
  return {
    title: t('rules.dry_title', { count: requests, refused: refused.count, allowed: allowed.count }),
    since: time.show(from),
    rows,
  }
}

export async function showRules(page: Page, parts: Parts, list: RuleList): Promise<void> {
  await showSettings(pages[list], page, parts)
}

export async function changeRules(page: Page, parts: Parts, list: RuleList): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  if (form.action === 'check') return checkSubject(page, parts, list, form)
  if (form.action === 'dry-run') return runDry(page, parts, list, form)
  if (form.rule !== undefined) return addRule(page, parts, list, form.rule)
  await submitSettings(pages[list], page, parts, form)
}

/** What is typed counts, not what is saved. */
function readDraft(entries: readonly ConfigurationEntry[], list: RuleList, form: Form) {
  const saved = entries.find((entry) => entry.name === settings[list])?.value
  const typed = form[settings[list]]
  const rules = typed === undefined ? (Array.isArray(saved) ? saved : []) : readLines(typed)
  return { [list]: rules }
}

async function checkSubject(page: Page, parts: Parts, list: RuleList, form: Form): Promise<void> {
  const own = pages[list]
  const read = (name: keyof Subject) => (form[`subject.${name}`] ?? '').trim().slice(0, 255)
  const subject: Subject = {
    account: read('account'),
    email: read('email'),
    host: read('host'),
    address: read('address'),
    product: read('product'),
    license: read('license'),
  }
  const { account, email, ...others } = keepKnown(subject)
  const user = { ...(account === undefined ? {} : { account }), ...(email === undefined ? {} : { email }) }
  const rules = readDraft(settingsOf(own, parts), list, form)
  const outcome = await parts.access.check({ rules, subject: { ...others, user }, dryRun: false })
  if (outcome.kind === 'refused') return showRefused(own, page, parts, nameSettings(outcome), form, { subject })
  await showSettings(own, page, parts, { form, found: { answer: outcome.answer, subject } })
}

function keepKnown(subject: Subject): Partial<Subject> {
  return Object.fromEntries(Object.entries(subject).filter(([, value]) => value !== ''))
}

async function runDry(page: Page, parts: Parts, list: RuleList, form: Form): Promise<void> {
  const own = pages[list]
  const rules = readDraft(settingsOf(own, parts), list, form)
  const outcome = await parts.access.check({ rules, dryRun: true })
  if (outcome.kind === 'refused') return showRefused(own, page, parts, nameSettings(outcome), form)
  await showSettings(own, page, parts, { form, found: { answer: outcome.answer } })
}

/** What was tried out stands in the field of its setting. */
function nameSettings(refusal: Refusal): Refusal {
  const fields = readFieldProblems(refusal).map(({ field, message }) => ({
    field: field === 'rules.machines' ? settings.machines : field === 'rules.users' ? settings.users : field,
    message,
  }))
  return fields.length === 0 ? refusal : refuse(refusal.code, refusal.detail, { fields })
}

/** At the top, so that it decides. */
async function addRule(page: Page, parts: Parts, list: RuleList, rule: string): Promise<void> {
  const own = pages[list]
  const name = settings[list]
  const saved = settingsOf(own, parts).find((entry) => entry.name === name)?.value
  const rules = Array.isArray(saved) ? saved : []
  const outcome = await parts.configuration.change(
    { [name]: [rule, ...rules.filter((one) => one !== rule)] },
    page.asker,
  )
  if (outcome.kind === 'refused') return showRefused(own, page, parts, outcome, {})
  page.leadTo(own.address, { kind: 'good', key: 'said.rule_added', args: { rule: rule.slice(0, 300) } })
}
