/**
 * A page of the configuration: its settings as a form with Submit, Cancel and Set Defaults; after Submit it says what changed.
 * What a page has besides its settings comes from the page. Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { ConfigurationEntry, ConfigurationValue } from '../api/agent-shapes.ts'
import type { Saying } from './cookies.ts'
import { type Form, readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { ConfigurationPart, Parts } from './parts.ts'
import { listErrors, nameValue, readFieldProblems, readPatch, type Typed, writeField } from './settings-form.ts'

/** The pages of the configuration in the order of their tabs. */
export const settingsTabs = [
  'basic',
  'users',
  'remote-managers',
  'remote-clients',
  'detachable',
  'network',
  'sites',
] as const
export type SettingsTab = (typeof settingsTabs)[number]

export interface SettingsPage {
  readonly tab: SettingsTab
  /** Of the configuration. */
  readonly section: string
  readonly address: string
  readonly view: string
  /** Settings of the section that this page has. */
  readonly has: (entry: ConfigurationEntry) => boolean
  /** What stands on the page besides. */
  readonly more?: (page: Page, parts: Parts, shown: Shown) => Promise<object> | object
  /** What is said after Submit, where “saved” is not all there is to say. */
  readonly tell?: (told: Saying, changes: Changes, parts: Parts, page: Page) => Saying
}

export type Changes = Extract<Awaited<ReturnType<ConfigurationPart['change']>>, { kind: 'changed' }>['changes']

export interface Shown extends Typed {
  readonly refused?: ReturnType<typeof describeRefusal> | undefined
  /** What the page's own buttons found out. */
  readonly found?: object | undefined
}

/** Longest list of changes that the page after Submit tells. */
const toldLength = 400

export const tabAddresses: Readonly<Record<SettingsTab, string>> = {
  basic: '/configuration/basic',
  users: '/configuration/user-restrictions',
  'remote-managers': '/configuration/remote-managers',
  'remote-clients': '/configuration/remote-clients',
  detachable: '/configuration/detachable',
  network: '/configuration/network',
  sites: '/configuration/sites',
}

export function listTabs(current: SettingsTab, { t }: Page['language']) {
  return settingsTabs.map((tab) => ({
    text: t(`navigation.${tab}`),
    address: tabAddresses[tab],
    current: tab === current,
  }))
}

export function settingsOf({ section, has }: SettingsPage, parts: Parts): readonly ConfigurationEntry[] {
  return parts.configuration.describe(section).filter(has)
}

export async function showSettings(
  own: SettingsPage,
  page: Page,
  parts: Parts,
  shown: Shown = {},
  status = 200,
): Promise<void> {
  const { language } = page
  const fields = settingsOf(own, parts).map((entry) => writeField(entry, shown, language))
  const errors = listErrors(fields, shown.problems ?? [], language)
  await page.show(
    own.view,
    {
      title: language.t(`navigation.${own.tab}`),
      tabs: listTabs(own.tab, language),
      fields,
      errors,
      refused: shown.refused,
      defaults: shown.defaults === true,
      wrong: errors !== undefined || shown.refused !== undefined,
      address: own.address,
      ...(await own.more?.(page, parts, shown)),
    },
    status,
  )
}

export async function changeSettings(own: SettingsPage, page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  return submitSettings(own, page, parts, read.form)
}

export async function submitSettings(own: SettingsPage, page: Page, parts: Parts, form: Form): Promise<void> {
  const { language } = page
  if (form.action === 'defaults') return showSettings(own, page, parts, { defaults: true })
  const entries = settingsOf(own, parts)
  const { patch, problems } = readPatch(entries, form, language)
  if (problems.length > 0) return showSettings(own, page, parts, { form, problems }, 422)
  if (Object.keys(patch).length === 0) {
    page.leadTo(own.address, { kind: 'notice', key: 'said.unchanged', args: {} })
    return
  }
  const outcome = await parts.configuration.change(patch, page.asker)
  if (outcome.kind === 'refused') return showRefused(own, page, parts, outcome, form)
  const said = tellChanges(entries, outcome.changes, page)
  page.leadTo(own.address, own.tell?.(said, outcome.changes, parts, page) ?? said)
}

export function tellChanges(
  entries: readonly Pick<ConfigurationEntry, 'name' | 'label'>[],
  changes: Changes,
  { language }: Page,
): Saying {
  const told = changes
    .map(({ name, before, after }) => {
      const entry = entries.find((candidate) => candidate.name === name)
      if (entry === undefined) return name
      return tellChange(entry, before, after, language)
    })
    .join('; ')
  const text = told.length > toldLength ? `${told.slice(0, toldLength)}…` : told
  return { kind: 'good', key: 'said.saved', args: { changes: text } }
}

export function tellChange(
  entry: Pick<ConfigurationEntry, 'name' | 'label'>,
  before: ConfigurationValue,
  after: ConfigurationValue,
  language: Page['language'],
): string {
  const label = language.translate(`setting.${entry.name}.label`, entry.label)
  return `${label}: ${nameValue(entry, before, language)} → ${nameValue(entry, after, language)}`
}

export function showRefused(
  own: SettingsPage,
  page: Page,
  parts: Parts,
  refusal: Refusal,
  form: Form,
  found?: object,
): Promise<void> {
  const problems = readFieldProblems(refusal)
  if (problems.length > 0) return showSettings(own, page, parts, { form, problems, found }, 422)
  return showSettings(own, page, parts, { form, found, refused: describeRefusal(refusal, page.language) }, 422)
}
