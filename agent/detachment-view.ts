/**
 * Detachments as pages and interface show them, on both sides, with what can be done and why not. Owns nothing.
 */
import type { Clock } from './clock.ts'
import type { DetachmentBook } from './detachment-book.ts'
import type { DetachmentEnding } from './detachment-ending.ts'
import type { DetachmentHolding } from './detachment-holding.ts'
import type { DetachSettings } from './detachment-making.ts'
import { freeDateOf, type InRecord, isIn, isOut, type OutRecord } from './detachment-record.ts'
import { type Reminder, reminderDue } from './domain/detach-days.ts'
import { shortGroups } from './domain/documents/keys.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Lessor } from './lessor.ts'
import type { AgentName } from './session-view.ts'

export type DetachmentAction = 'return' | 'receipt' | 'extend' | 'lost' | 'withdraw' | 'block'
export type DetachmentState =
  | 'asking'
  | 'waiting'
  | 'active'
  | 'held'
  | 'returning'
  | 'lost'
  | 'over'
  | 'returned'
  | 'ended'

export interface DetachmentView {
  id: string
  direction: 'out' | 'in'
  state: DetachmentState
  product: string
  title?: string
  feature?: string
  seats: number
  used?: number
  license: string
  manager: AgentName
  recipient: { id: string; name: string; fingerprint: string }
  user?: { account?: string; email?: string; displayName?: string }
  version: number
  soft: boolean
  cascade: boolean
  earlyReturn: 'online' | 'offline' | 'atDate'
  startedAt: string
  until: string
  zone?: string
  endsIn: number
  freeAt?: string
  freeIn?: number
  latest?: string
  lastContactAt?: string
  clockDifference?: number
  lost?: { declaredAt: string; early: boolean }
  endedAt?: string
  reminder?: Reminder
  actions: DetachmentAction[]
  unavailable: { action: DetachmentAction; code: string; detail: string }[]
}

export interface DetachmentViewParts {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'isEmpty'>
  readonly ending: Pick<DetachmentEnding, 'standing' | 'dateOf'>
  readonly holding: Pick<DetachmentHolding, 'left' | 'endsAt' | 'isHeld'>
  readonly clock: Clock
  readonly self: () => AgentName
  readonly settings: (product: ProductName) => Pick<DetachSettings, 'enabled' | 'maxDays'>
}

const day = 86_400_000
type Judged = Pick<DetachmentView, 'actions' | 'unavailable'>

/** Those that end next come first; what is over comes last, the latest first. */
export function detachmentViews(parts: DetachmentViewParts): DetachmentView[] {
  const { book } = parts
  const views = [
    ...[...book.outs()].map((record) => outView(record, parts)),
    ...[...book.ins()].filter(({ state }) => state !== 'cancelling').map((record) => inView(record, parts)),
  ]
  const rank = ({ state }: DetachmentView): number => Number(isGone(state))
  return views.sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (isGone(a.state) ? compare(b.until, a.until) : compare(a.until, b.until)) ||
      compare(a.id, b.id),
  )
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

export function isGone(state: DetachmentState): boolean {
  return state === 'returned' || state === 'ended'
}

export function outView(record: OutRecord, parts: DetachmentViewParts): DetachmentView {
  const { ending, clock, self, lessor } = parts
  const { until, recipient, lost, behind, contactAt, endedAt, zone, feature } = record
  const now = ending.dateOf(record)
  const title = titleOf(record.product, record.license, parts)
  const state = outState(record, ending.standing(record))
  const freeAt = freeDateOf(record)
  // Dates are shown by the clock of the wall, which people have before their eyes.
  const atWall = (date: number): string => iso(clock.wall() + date - now)
  const supply = lessor.view.supply(lessor.view.grant(record.grant)?.parts[0]?.supply ?? '')
  const licenseEnd = supply?.until === undefined ? Number.POSITIVE_INFINITY : now + supply.until - clock.boot().at
  const rules = parts.settings(record.product)
  const latest = Math.min(now + Math.min(rules.maxDays, supply?.maxDetachDays ?? 0) * day, licenseEnd)
  return {
    id: record.id,
    direction: 'out',
    state,
    product: record.product,
    ...(title === undefined ? {} : { title }),
    ...(feature === undefined ? {} : { feature }),
    seats: record.seats,
    license: record.license,
    manager: self(),
    recipient: { id: recipient.id, name: recipient.name, fingerprint: shortGroups(recipient.id) },
    ...userOf(record),
    version: record.version,
    soft: record.soft === true,
    cascade: record.cascade,
    earlyReturn: record.earlyReturn,
    startedAt: iso(record.madeAt),
    until: iso(until),
    ...(zone === undefined ? {} : { zone }),
    endsIn: seconds(until - now),
    ...(isOut(record) ? { freeAt: atWall(freeAt), freeIn: seconds(freeAt - now) } : {}),
    ...(isOut(record) && latest > until ? { latest: iso(Math.floor(latest / 1000) * 1000) } : {}),
    ...(contactAt === undefined ? {} : { lastContactAt: iso(contactAt) }),
    ...(behind < 1000 ? {} : { clockDifference: -Math.round(behind / 1000) }),
    ...(lost === undefined ? {} : { lost: { declaredAt: iso(lost.at), early: lost.early } }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    ...outActions(record, state, latest, parts),
  }
}

export function inView(record: InRecord, parts: DetachmentViewParts): DetachmentView {
  const { holding, self, lessor } = parts
  const { until, terms, contactAt, endedAt, zone, feature, manager } = record
  const left = isIn(record) ? holding.left(record) : 0
  const state = inState(record, left, isIn(record) && holding.isHeld(record))
  const reminder = isIn(record) && left > 0 ? reminderDue(left, until - Math.min(until, record.attachedAt)) : undefined
  const own = self()
  return {
    id: record.id,
    direction: 'in',
    state,
    product: record.product,
    ...(terms?.title === undefined ? {} : { title: terms.title }),
    ...(feature === undefined ? {} : { feature }),
    seats: record.seats,
    ...(isIn(record) ? { used: lessor.view.used(record.id) } : {}),
    license: terms?.license ?? '-',
    manager,
    recipient: { id: own.id, name: own.name, fingerprint: shortGroups(own.id) },
    ...userOf(record),
    version: record.version,
    soft: record.soft === true,
    cascade: terms?.cascade ?? false,
    earlyReturn: terms?.earlyReturn ?? 'offline',
    startedAt: iso(record.attachedAt),
    // Where the duration is over first, it ends before its date (R12).
    until: iso(isIn(record) && left > 0 ? holding.endsAt(record) : until),
    ...(zone === undefined ? {} : { zone }),
    endsIn: seconds(left),
    ...(contactAt === undefined ? {} : { lastContactAt: iso(contactAt) }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    ...(reminder === undefined ? {} : { reminder }),
    ...inActions(record, parts),
  }
}

function outState(record: OutRecord, standing: 'running' | 'held' | 'over'): DetachmentState {
  if (record.state !== 'out') return record.state
  if (record.lost !== undefined) return 'lost'
  if (standing === 'over') return 'over'
  if (standing === 'held') return 'held'
  return record.delivered ? 'active' : 'waiting'
}

function inState({ state }: InRecord, left: number, isHeld: boolean): DetachmentState {
  if (state === 'asking' || state === 'cancelling') return 'asking'
  if (state !== 'attached') return state
  if (left <= 0) return 'ended'
  return isHeld ? 'held' : 'active'
}

class Actions {
  readonly actions: DetachmentAction[] = []
  readonly unavailable: DetachmentView['unavailable'] = []

  /** @param why not; undefined: it can be done */
  judge(action: DetachmentAction, why: readonly [code: string, detail: string] | undefined): void {
    if (why === undefined) this.actions.push(action)
    else this.unavailable.push({ action, code: why[0], detail: why[1] })
  }

  get judged(): Judged {
    return { actions: this.actions, unavailable: this.unavailable }
  }
}

function outActions(
  record: OutRecord,
  state: DetachmentState,
  latest: number,
  { self, settings }: DetachmentViewParts,
): Judged {
  const actions = new Actions()
  if (!isOut(record)) return actions.judged
  actions.judge('block', undefined)
  const extending: readonly [string, string] | undefined =
    record.lost !== undefined
      ? ['not_detachable', 'It was declared lost.']
      : !settings(record.product).enabled
        ? ['detach_disabled', `Detaching is switched off on ${self().name}.`]
        : latest <= record.until
          ? ['beyond_maximum', 'It lasts as long as is allowed now.']
          : state === 'over'
            ? ['date_in_past', 'It is past its date.']
            : undefined
  actions.judge('extend', extending)
  if (record.delivered) {
    actions.judge('withdraw', ['early_return_forbidden', `${record.recipient.name} may have it already.`])
    actions.judge('return', ['wrong_recipient', `It is given back on ${record.recipient.name}.`])
    actions.judge('lost', record.lost === undefined ? undefined : ['already_applied', 'It was declared lost already.'])
  } else actions.judge('withdraw', undefined)
  return actions.judged
}

function inActions(record: InRecord, { lessor, self, settings }: DetachmentViewParts): Judged {
  const actions = new Actions()
  const { terms, state } = record
  if (state === 'returned') {
    if (terms?.earlyReturn === 'offline') actions.judge('receipt', undefined)
    return actions.judged
  }
  if (!isIn(record)) return actions.judged
  const atDate: readonly [string, string] = [
    'early_return_forbidden',
    'The license lets it come back on its date only.',
  ]
  const onlineOnly: readonly [string, string] = ['early_return_forbidden', 'The license lets it come back online only.']
  const inUse: readonly [string, string] = ['detachment_in_use', 'Applications of this machine use its seats now.']
  const isAtDate = record.terms.earlyReturn === 'atDate'
  actions.judge('return', isAtDate ? atDate : undefined)
  actions.judge(
    'receipt',
    isAtDate
      ? atDate
      : record.terms.earlyReturn === 'online'
        ? onlineOnly
        : lessor.isEmpty(record.id)
          ? undefined
          : inUse,
  )
  actions.judge(
    'extend',
    state === 'returning'
      ? ['already_returned', 'It is being given back.']
      : settings(record.product).enabled
        ? undefined
        : ['detach_disabled', `Detaching is switched off on ${self().name}.`],
  )
  return actions.judged
}

function titleOf(product: ProductName, license: string, { lessor }: DetachmentViewParts): string | undefined {
  return lessor.view.suppliesFor(product).find((one) => one.license === license && one.product !== undefined)?.title
}

function userOf({ who }: OutRecord | InRecord): Pick<DetachmentView, 'user'> {
  const { account, email, displayName } = who
  const user = {
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(displayName === undefined ? {} : { displayName }),
  }
  return Object.keys(user).length === 0 ? {} : { user }
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
