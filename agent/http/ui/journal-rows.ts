/**
 * Entries of the journal as the pages show them, and as rows of a file. Pure; must not import owners or koa.
 */
import { endReasons, errorTable } from '../../errors.ts'
import type { Language } from '../../language.ts'
import type { JournalLine } from '../api/agent-shapes.ts'
import type { Cell } from '../csv.ts'
import type { ShownTime, TimeWords } from './time.ts'

/** Types that have words of their own in the catalogs, in the order of the filter. */
export const journalTypes = [
  'session.opened',
  'session.ended',
  'session.ending',
  'session.moved',
  'session.refused',
  'seat.overlap',
  'lease.obtained',
  'lease.returned',
  'lease.lost',
  'detachment.made',
  'detachment.extended',
  'detachment.returned',
  'detachment.ended',
  'detachment.lost',
  'detachment.reminded',
  'license.installed',
  'license.activated',
  'license.replaced',
  'license.deactivated',
  'license.removed',
  'license.expired',
  'license.blocked',
  'vendor.trusted',
  'configuration.changed',
  'clock.back',
  'clock.forward',
  'agent.started',
  'agent.stopped',
  'agent.signed_in',
  'agent.password_changed',
  'agent.store_reopened',
  'health.recounted',
] as const

export interface JournalRow {
  readonly sequence: number
  readonly address: string
  readonly time: ShownTime
  readonly type: string
  readonly raw: string
  readonly product: string
  readonly feature: string
  readonly user: string
  readonly machine: string
  readonly outcome: string
}

export function writeType(type: string, t: Language['t']): string {
  const known = journalTypes.find((one) => one === type)
  return known === undefined ? type : t(`journal_type.${known}`)
}

export function writeJournalRow(line: JournalLine, { t }: Pick<Language, 't'>, time: TimeWords): JournalRow {
  const { facts, personal } = line
  return {
    sequence: line.sequence,
    address: `/journal/${line.sequence}`,
    time: time.show(line.at),
    type: writeType(line.type, t),
    raw: line.type,
    product: textOf(facts.product ?? facts.license ?? facts.name ?? facts.vendor),
    feature: textOf(facts.feature),
    user: textOf(personal.email ?? personal.account ?? personal.by ?? facts.by),
    machine: textOf(personal.host ?? personal.address),
    outcome: writeOutcome(line, t),
  }
}

function writeOutcome({ facts }: JournalLine, t: Language['t']): string {
  const code = textOf(facts.code)
  if (code !== '') return Object.hasOwn(errorTable, code) ? t(`error.${code}.title`) : code
  const reason = endReasons.find((one) => one === facts.reason)
  if (reason !== undefined) return t(`end_reason.${reason}`)
  if (facts.from !== undefined || facts.to !== undefined) return `${textOf(facts.from)} → ${textOf(facts.to)}`
  return textOf(facts.reason)
}

export function textOf(fact: JournalLine['facts'][string] | undefined): string {
  if (fact === undefined || fact === null) return ''
  return Array.isArray(fact) ? fact.join(', ') : String(fact)
}

const own = [
  'product',
  'feature',
  'seats',
  'code',
  'reason',
  'rule',
  'account',
  'email',
  'host',
  'address',
  'application',
]

export const journalHead: readonly string[] = [
  'sequence',
  'at',
  'type',
  'product',
  'feature',
  'seats',
  'user',
  'host',
  'address',
  'application',
  'code',
  'reason',
  'rule',
  'more',
]

/** What most people look for has a column of its own; the rest is JSON in the last one. */
export function writeJournalCells({ sequence, at, type, facts, personal }: JournalLine): readonly Cell[] {
  const rest = Object.entries({ ...facts, ...personal }).filter(([name]) => !own.includes(name))
  return [
    sequence,
    at,
    type,
    textOf(facts.product),
    textOf(facts.feature),
    typeof facts.seats === 'number' ? facts.seats : '',
    textOf(personal.email ?? personal.account),
    textOf(personal.host),
    textOf(personal.address),
    textOf(personal.application),
    textOf(facts.code),
    textOf(facts.reason),
    textOf(facts.rule),
    rest.length === 0 ? '' : JSON.stringify(Object.fromEntries(rest)),
  ]
}
