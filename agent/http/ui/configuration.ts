/**
 * Configuration > Basic Settings: each value with its source, Submit, Cancel, Set Defaults, and the password.
 * Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { Language } from '../../language.ts'
import type { ConfigurationEntry, ConfigurationValue } from '../api/agent-shapes.ts'
import type { FieldProblem } from '../api/shapes.ts'
import { type Form, readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'

const section = 'basic'
const address = '/configuration/basic'
/** Shown, but to be switched elsewhere: reach comes with the network. */
const shownOnly: readonly string[] = ['ui.remote']
/** Longest list of changes that the page after Submit tells. */
const toldLength = 400
const shortestPassword = 10

interface Shown {
  readonly form?: Form
  readonly defaults?: boolean
  readonly problems?: readonly FieldProblem[]
  readonly passwordProblems?: readonly FieldProblem[]
  readonly refused?: ReturnType<typeof describeRefusal>
}

export async function showBasicSettings(page: Page, parts: Parts, shown: Shown = {}, status = 200): Promise<void> {
  const { language } = page
  const { t } = language
  const entries = parts.configuration.describe(section)
  const fields = entries.map((entry) => writeField(entry, shown, language))
  const passwordFields = writePasswordFields(parts.administrator.protected(), shown.passwordProblems ?? [], language)
  const wrong = [...fields, ...passwordFields].filter((field) => field.error !== undefined)
  await page.show(
    'pages/configuration-basic',
    {
      title: t('navigation.basic'),
      fields,
      passwordFields,
      errors:
        wrong.length === 0
          ? undefined
          : {
              title: t('form.wrong', { count: wrong.length }),
              items: wrong.map(({ id, label, error }) => ({ field: id, label, message: error })),
            },
      refused: shown.refused,
      defaults: shown.defaults === true,
      wrong: wrong.length > 0 || shown.refused !== undefined,
      address,
    },
    status,
  )
}

function writeField(entry: ConfigurationEntry, shown: Shown, language: Language) {
  const { t } = language
  const key = `setting.${entry.name}`
  const fixed = !entry.editable || shownOnly.includes(entry.name)
  const value = shown.defaults ? entry.default : entry.value
  const kept =
    shown.form === undefined
      ? undefined
      : entry.kind === 'switch'
        ? shown.form[entry.name] === 'on'
        : shown.form[entry.name]
  const limits =
    entry.min === undefined || entry.max === undefined ? '' : t('form.limits', { min: entry.min, max: entry.max })
  const help = entry.help === undefined ? '' : language.translate(`${key}.help`, entry.help)
  const unit = entry.unit === undefined ? undefined : language.translate(`unit.${entry.unit}`, entry.unit)
  return {
    id: entry.name,
    name: entry.name,
    label: language.translate(`${key}.label`, entry.label),
    type: fieldTypes[entry.kind],
    value: fixed ? '' : (kept ?? (entry.kind === 'switch' ? value === true : writeValue(value))),
    hint: [help, limits].filter(Boolean).join(' '),
    error: shown.problems?.find(({ field }) => field === entry.name)?.message,
    unit,
    min: entry.kind === 'number' ? entry.min : undefined,
    max: entry.kind === 'number' ? entry.max : undefined,
    choices: (entry.choices ?? []).map((choice) => ({ value: choice, label: nameValue(entry, choice, language) })),
    fixed: fixed ? `${nameValue(entry, entry.value, language)}${unit === undefined ? '' : ` ${unit}`}` : undefined,
    note: writeNote(entry, language),
    rows: 4,
  }
}

const fieldTypes = {
  text: 'text',
  number: 'number',
  switch: 'switch',
  choice: 'choice',
  lines: 'textarea',
  secret: 'password',
} as const

function writeValue(value: ConfigurationValue): string {
  if (value === null) return ''
  return typeof value === 'object' ? value.join('\n') : String(value)
}

/** A value in words, for what is read only and for what changed. */
function nameValue(entry: ConfigurationEntry, value: ConfigurationValue, language: Language): string {
  if (typeof value === 'boolean') return language.t(value ? 'form.on' : 'form.off')
  if (value === null || value === '' || (typeof value === 'object' && value.length === 0))
    return language.t('form.empty')
  if (typeof value === 'number') return language.number(value)
  if (typeof value === 'object') return value.join(', ')
  return language.translate(`choice.${entry.name}.${value}`, value)
}

function writeNote(entry: ConfigurationEntry, language: Language): string {
  const { t } = language
  if (shownOnly.includes(entry.name) && entry.editable) return t('source.network')
  const source =
    entry.source === 'environment'
      ? t('source.environment', { name: nameVariable(entry.name) })
      : t(`source.${entry.source}`)
  return entry.restart ? `${source} ${t('form.restart')}` : source
}

/** `detach.maxDays` is set by LEASEHOLD_DETACH_MAX_DAYS. */
function nameVariable(name: string): string {
  return `LEASEHOLD_${name
    .replace(/([A-Z])/g, '_$1')
    .replaceAll('.', '_')
    .toUpperCase()}`
}

function writePasswordFields(set: boolean, problems: readonly FieldProblem[], { t }: Language) {
  const fields = [
    { name: 'current', hint: '', autocomplete: 'current-password' },
    { name: 'password', hint: t('password.hint', { count: shortestPassword }), autocomplete: 'new-password' },
    { name: 'again', hint: '', autocomplete: 'new-password' },
  ]
  return fields
    .filter(({ name }) => set || name !== 'current')
    .map((field) => ({
      ...field,
      id: `password-${field.name}`,
      type: 'password' as const,
      label: t(`password.${field.name}`),
      error: problems.find((problem) => problem.field === field.name)?.message,
      required: true,
    }))
}

export async function changeBasicSettings(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  if (form.action === 'defaults') return showBasicSettings(page, parts, { defaults: true })
  const entries = parts.configuration.describe(section)
  const { patch, problems } = readPatch(entries, form, language)
  if (problems.length > 0) return showBasicSettings(page, parts, { form, problems }, 422)
  if (Object.keys(patch).length === 0) {
    page.leadTo(address, { kind: 'notice', key: 'said.unchanged', args: {} })
    return
  }
  const outcome = await parts.configuration.change(patch)
  if (outcome.kind === 'refused') return showRefused(page, parts, outcome, form)
  const told = outcome.changes
    .map(({ name, before, after }) => {
      const entry = entries.find((candidate) => candidate.name === name)
      if (entry === undefined) return name
      const label = language.translate(`setting.${name}.label`, entry.label)
      return `${label}: ${nameValue(entry, before, language)} → ${nameValue(entry, after, language)}`
    })
    .join('; ')
  const changes = told.length > toldLength ? `${told.slice(0, toldLength)}…` : told
  page.leadTo(address, { kind: 'good', key: 'said.saved', args: { changes } })
}

function showRefused(page: Page, parts: Parts, refusal: Refusal, form: Form): Promise<void> {
  const problems = readFieldProblems(refusal)
  if (problems.length > 0) return showBasicSettings(page, parts, { form, problems }, 422)
  return showBasicSettings(page, parts, { form, refused: describeRefusal(refusal, page.language) }, 422)
}

export function readFieldProblems(refusal: Refusal): readonly FieldProblem[] {
  const fields = refusal.facts?.fields
  return Array.isArray(fields) ? (fields as FieldProblem[]) : []
}

/** Only what differs from the present value goes into the patch, so that it gets no new source. */
function readPatch(entries: readonly ConfigurationEntry[], form: Form, language: Language) {
  const patch: Record<string, ConfigurationValue> = {}
  const problems: FieldProblem[] = []
  for (const entry of entries) {
    if (!entry.editable || shownOnly.includes(entry.name)) continue
    const text = form[entry.name]
    // A switch that is off is not sent at all; any other field that is missing was not on the page.
    if (text === undefined && entry.kind !== 'switch') continue
    const value = readValue(entry, text ?? '')
    const problem = findNumberProblem(entry, value, language)
    if (problem !== undefined) problems.push({ field: entry.name, message: problem })
    else if (value !== undefined && writeValue(value) !== writeValue(entry.value)) patch[entry.name] = value
  }
  return { patch, problems }
}

/** The owner checks everything; numbers are checked here too, so that what is wrong is said in the language of the page. */
function findNumberProblem(
  { min, max }: ConfigurationEntry,
  value: ConfigurationValue | undefined,
  { t }: Language,
): string | undefined {
  if (value === undefined) return t('form.number')
  if (typeof value !== 'number' || min === undefined || max === undefined) return undefined
  return value < min || value > max ? t('form.range', { min, max }) : undefined
}

/** undefined: not a number. */
function readValue(entry: ConfigurationEntry, text: string): ConfigurationValue | undefined {
  if (entry.kind === 'switch') return text === 'on'
  if (entry.kind === 'lines')
    return text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean)
  const trimmed = text.trim()
  if (entry.kind !== 'number') return trimmed === '' ? null : trimmed
  const number = trimmed === '' ? Number.NaN : Number(trimmed.replace(',', '.'))
  return Number.isFinite(number) ? number : undefined
}

export async function changePassword(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { current = '', password = '', again = '' } = read.form
  const problems: FieldProblem[] = []
  if (password.length < shortestPassword)
    problems.push({ field: 'password', message: t('password.short', { count: shortestPassword }) })
  else if (password !== again) problems.push({ field: 'again', message: t('password.differ') })
  if (problems.length > 0) return showBasicSettings(page, parts, { passwordProblems: problems }, 422)
  const set = parts.administrator.protected()
  const outcome = await parts.administrator.changePassword(set ? { current, password } : { password }, page.asker)
  if (outcome.kind === 'refused') {
    const known = readFieldProblems(outcome)
    const passwordProblems =
      outcome.code === 'wrong_password' ? [{ field: 'current', message: t('password.wrong') }] : known
    if (passwordProblems.length > 0) return showBasicSettings(page, parts, { passwordProblems }, 422)
    return showBasicSettings(page, parts, { refused: describeRefusal(outcome, page.language) }, 422)
  }
  page.leadTo(address, { kind: 'good', key: 'said.password_changed', args: {} })
  if (outcome.cookie !== undefined) page.ctx.append('Set-Cookie', outcome.cookie)
}
