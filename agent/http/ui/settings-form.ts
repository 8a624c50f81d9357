/**
 * Settings as fields of a form, and back: each with its words, where its value comes from, and what is wrong with it.
 * Pure; must not import owners or koa.
 */

import type { Refusal } from '../../errors.ts'
import type { Language } from '../../language.ts'
import type { ConfigurationEntry, ConfigurationValue } from '../api/agent-shapes.ts'
import type { FieldProblem } from '../api/shapes.ts'
import type { Form } from './form.ts'
import { sayAs } from './owner-words.ts'

/** What was typed or filled in, and what is wrong with it. */
export interface Typed {
  readonly form?: Form | undefined
  readonly defaults?: boolean | undefined
  readonly problems?: readonly FieldProblem[] | undefined
}

/** Settings that are chosen with buttons, each with a sentence of its own (`choice.<name>.<value>.hint`). */
const spelledOut: readonly string[] = ['serving.access']

const fieldTypes = {
  text: 'text',
  number: 'number',
  switch: 'switch',
  choice: 'choice',
  lines: 'textarea',
  secret: 'password',
} as const

export type Field = ReturnType<typeof writeField>

export function writeField(entry: ConfigurationEntry, typed: Typed, language: Language) {
  const { t } = language
  const key = `setting.${entry.name}`
  const value = typed.defaults ? entry.default : entry.value
  const kept = readKept(entry, typed.form)
  const limits =
    entry.min === undefined || entry.max === undefined ? '' : t('form.limits', { min: entry.min, max: entry.max })
  const help = entry.help === undefined ? '' : language.translate(`${key}.help`, entry.help)
  const unit = entry.unit === undefined ? undefined : language.translate(`unit.${entry.unit}`, entry.unit)
  const isSpelledOut = spelledOut.includes(entry.name)
  return {
    id: entry.name,
    name: entry.name,
    label: language.translate(`${key}.label`, entry.label),
    type: isSpelledOut ? ('radio' as const) : fieldTypes[entry.kind],
    value: entry.editable ? (kept ?? (entry.kind === 'switch' ? value === true : writeValue(value))) : '',
    hint: [help, limits].filter(Boolean).join(' '),
    error: joinProblems(typed.problems ?? [], entry.name, language),
    unit,
    min: entry.kind === 'number' ? entry.min : undefined,
    max: entry.kind === 'number' ? entry.max : undefined,
    choices: (entry.choices ?? []).map((choice) => ({
      value: choice,
      label: nameValue(entry, choice, language),
      hint: isSpelledOut ? language.translate(`choice.${entry.name}.${choice}.hint`, '') : '',
    })),
    fixed: entry.editable
      ? undefined
      : `${nameValue(entry, entry.value, language)}${unit === undefined ? '' : ` ${unit}`}`,
    note: writeNote(entry, language),
    rows: 6,
  }
}

function readKept(entry: ConfigurationEntry, form: Form | undefined): string | boolean | undefined {
  if (form === undefined) return undefined
  return entry.kind === 'switch' ? form[entry.name] === 'on' : form[entry.name]
}

/** A list may have something wrong in several of its lines. */
function joinProblems(problems: readonly FieldProblem[], name: string, language: Language): string | undefined {
  const own = problems.filter(({ field }) => field === name).map(({ message }) => sayProblem(message, name, language))
  return own.length === 0 ? undefined : own.join('; ')
}

function sayProblem(message: string, name: string, language: Language): string {
  return sayAs(language, withoutName(message, name))
}

/** The owner's sentences begin with the name of the setting, which the label has said. */
export function withoutName(message: string, name: string): string {
  return message.startsWith(name) ? message.slice(name.length).replace(/^[,:]?\s+/, '') : message
}

/** What the summary above the form says: one item for each thing that is wrong. */
export function listErrors(
  fields: readonly Pick<Field, 'id' | 'label' | 'error'>[],
  problems: readonly FieldProblem[],
  language: Language,
) {
  const items = fields.flatMap(({ id, label, error }) => {
    if (error === undefined) return []
    const own = problems.filter(({ field }) => field === id)
    return own.length < 2
      ? [{ field: id, label, message: error }]
      : own.map(({ message }) => ({ field: id, label, message: sayProblem(message, id, language) }))
  })
  return items.length === 0 ? undefined : { title: language.t('form.wrong', { count: items.length }), items }
}

export function writeValue(value: ConfigurationValue): string {
  if (value === null) return ''
  return typeof value === 'object' ? value.join('\n') : String(value)
}

/** A value in words, for what is read only and for what changed. */
export function nameValue(
  { name }: Pick<ConfigurationEntry, 'name'>,
  value: ConfigurationValue,
  language: Language,
): string {
  if (typeof value === 'boolean') return language.t(value ? 'form.on' : 'form.off')
  if (value === null || value === '' || (typeof value === 'object' && value.length === 0))
    return language.t('form.empty')
  if (typeof value === 'number') return language.number(value)
  if (typeof value === 'object') return value.join(', ')
  return language.translate(`choice.${name}.${value}`, value)
}

function writeNote(entry: ConfigurationEntry, { t }: Language): string {
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

export function readFieldProblems(refusal: Refusal): readonly FieldProblem[] {
  const fields = refusal.facts?.fields
  return Array.isArray(fields) ? (fields as FieldProblem[]) : []
}

/** Only what differs from the present value goes into the patch, so that it gets no new source. */
export function readPatch(entries: readonly ConfigurationEntry[], form: Form, language: Language) {
  const patch: Record<string, ConfigurationValue> = {}
  const problems: FieldProblem[] = []
  for (const entry of entries) {
    if (!entry.editable) continue
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
export function findNumberProblem(
  { min, max }: Pick<ConfigurationEntry, 'min' | 'max'>,
  value: ConfigurationValue | undefined,
  { t }: Language,
): string | undefined {
  if (value === undefined) return t('form.number')
  if (typeof value !== 'number' || min === undefined || max === undefined) return undefined
  return value < min || value > max ? t('form.range', { min, max }) : undefined
}

/** undefined: not a number. */
export function readValue(entry: Pick<ConfigurationEntry, 'kind'>, text: string): ConfigurationValue | undefined {
  if (entry.kind === 'switch') return text === 'on'
  if (entry.kind === 'lines') return readLines(text)
  const trimmed = text.trim()
  if (entry.kind !== 'number') return trimmed === '' ? null : trimmed
  const number = trimmed === '' ? Number.NaN : Number(trimmed.replace(',', '.'))
  return Number.isFinite(number) ? number : undefined
}

export function readLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean)
}
