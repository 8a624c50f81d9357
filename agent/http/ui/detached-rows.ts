/**
 * Seats that are taken along, as the pages show them. Pure; must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import type {
  DetachableProduct,
  Detachment,
  DetachmentAction,
  DetachmentState,
  DetachPlan,
} from '../api/detachment-shapes.ts'
import type { Mark } from './agent-rows.ts'
import type { DetachWish } from './detaching-parts.ts'
import { nameCode, type PageWords } from './page.ts'
import { productAddress } from './product-rows.ts'
import type { ShownTime } from './time.ts'
import type { Place, Whereabouts } from './whereabouts.ts'

const marks: Readonly<Record<DetachmentState, { readonly kind: string; readonly icon: string }>> = {
  asking: { kind: 'warning', icon: 'clock' },
  waiting: { kind: 'notice', icon: 'clock' },
  active: { kind: 'good', icon: 'away' },
  held: { kind: 'warning', icon: 'pause' },
  returning: { kind: 'warning', icon: 'clock' },
  lost: { kind: 'error', icon: 'warning' },
  over: { kind: 'warning', icon: 'clock' },
  returned: { kind: 'quiet', icon: 'check' },
  ended: { kind: 'quiet', icon: 'power' },
}

/** Reminders as the interface names them, by the ends of the keys that say them. */
const reminders = { '3 days': 'days', '1 day': 'day', '2 hours': 'hours' } as const

/** Nothing comes of it any more. */
export function isGone({ state }: Pick<Detachment, 'state'>): boolean {
  return state === 'returned' || state === 'ended'
}

/** An instant as people read it: how long until then, and exactly when and in which zone. */
export interface ShownEnd extends ShownTime {
  readonly spelled: string
}

export interface DetachmentRow {
  readonly id: string
  readonly address: string
  readonly out: boolean
  readonly gone: boolean
  readonly title: string
  readonly product: string
  readonly productAddress: string
  readonly feature: string
  readonly seats: string
  readonly used: string
  readonly manager: Place
  readonly recipient: Place
  readonly fingerprint: string
  readonly user: string
  readonly state: Mark
  readonly stateText: string
  readonly soft: boolean
  readonly reminder: Mark | undefined
  readonly ends: ShownEnd
  readonly freeAt: ShownEnd | undefined
  readonly latest: ShownEnd | undefined
  readonly started: ShownTime
  readonly contact: ShownTime | undefined
  readonly endedAt: ShownTime | undefined
  /** "2 seats of Acme CAD for WS-18", for buttons and titles. */
  readonly what: string
  readonly actions: readonly {
    readonly id: DetachmentAction
    readonly address: string
    /** What stands on the button. */
    readonly name: string
    readonly label: string
    /** Nobody is asked first. */
    readonly direct: boolean
  }[]
  readonly unavailable: readonly { readonly id: DetachmentAction; readonly code: string; readonly detail: string }[]
}

export function writeDetachment(detachment: Detachment, { language, time }: PageWords, where: Whereabouts) {
  const { t, number } = language
  const { id, product, state, recipient, manager, zone } = detachment
  const out = detachment.direction === 'out'
  const address = `/detached/${encodeURIComponent(id)}`
  const title = detachment.title ?? product
  const other = out ? recipient.name : manager.name
  const what = t(out ? 'detached.what_out' : 'detached.what_in', {
    count: detachment.seats,
    product: title,
    name: other,
  })
  const spell = (at: string): ShownEnd => ({ ...time.show(at), spelled: time.spell(at, zone) })
  const name = (action: DetachmentAction): string =>
    action === 'receipt' && state === 'returned' ? t('detached.receipt_again') : t(`detached.${action}`)
  const row: DetachmentRow = {
    id,
    address,
    out,
    gone: isGone(detachment),
    title,
    product,
    productAddress: productAddress(product),
    feature: detachment.feature ?? '',
    seats: number(detachment.seats),
    used: detachment.used === undefined ? '' : t('detached.used', { count: detachment.used }),
    manager: out ? where.here : where.at(manager),
    recipient: out ? where.at(recipient) : where.here,
    fingerprint: recipient.fingerprint,
    user: nameUser(detachment),
    state: { ...marks[state], text: t(`detached_state.${!out && state === 'active' ? 'attached' : state}`) },
    stateText: t(`detached_state.${state}_text`, { name: other, manager: manager.name }),
    soft: detachment.soft,
    reminder:
      detachment.reminder === undefined || isGone(detachment)
        ? undefined
        : { kind: 'warning', icon: 'clock', text: t(`reminder.${reminders[detachment.reminder]}`) },
    ends: spell(detachment.until),
    freeAt: detachment.freeAt === undefined ? undefined : spell(detachment.freeAt),
    latest: detachment.latest === undefined ? undefined : spell(detachment.latest),
    started: time.show(detachment.startedAt),
    contact: detachment.lastContactAt === undefined ? undefined : time.show(detachment.lastContactAt),
    endedAt: detachment.endedAt === undefined ? undefined : time.show(detachment.endedAt),
    what,
    actions: detachment.actions.map((action) => ({
      id: action,
      address: `${address}/${action}`,
      name: name(action),
      label: t('detached.label', { action: name(action), what }),
      direct: isDirect(action, detachment),
    })),
    unavailable: detachment.unavailable.map((one) => ({ id: one.action, code: one.code, detail: one.detail })),
  }
  return row
}

/** What changes nothing, and what stops nobody's application. */
function isDirect(action: DetachmentAction, { state, used }: Detachment): boolean {
  if (action === 'return') return used === 0
  return (action === 'block' && state !== 'waiting') || (action === 'receipt' && state === 'returned')
}

export function nameUser({ user }: Pick<Detachment, 'user'>): string {
  return user?.displayName ?? user?.email ?? user?.account ?? ''
}

/** The kinds of clock difference that are worth a sentence. */
export function writeDifference(
  seconds: number | undefined,
  { t }: Pick<Language, 't'>,
  time: PageWords['time'],
): string {
  if (seconds === undefined || Math.abs(seconds) < 1) return ''
  const duration = time.duration(Math.round(Math.abs(seconds)))
  return t(seconds > 0 ? 'managers.clock_ahead' : 'managers.clock_behind', { duration })
}

/** What of a product one manager lets go. */
export function writeOffer(offer: DetachableProduct, { language, time }: PageWords) {
  const { t } = language
  const { refused, latest, endsAt } = offer
  return {
    manager: offer.manager.name,
    local: offer.local,
    detachable: offer.detachable,
    text: t('detach.offer', { count: offer.detachable, seats: offer.seats, detached: offer.detached }),
    limit: latest === undefined ? '' : t('detach.limit', { count: offer.maxDays, time: time.spell(latest) }),
    byLicense: endsAt === undefined ? '' : t('detach.limit_license', { time: time.spell(endsAt) }),
    refused: offer.local
      ? offer.maxDays > 0
        ? undefined
        : { title: t('detach.own_off'), detail: '', code: '' }
      : refused && { title: nameCode(refused.code, language), detail: refused.detail, code: refused.code },
  }
}

export function writePlan(plan: DetachPlan, { user }: DetachWish, { language, time }: PageWords) {
  const { t, number } = language
  const here = time.spell(plan.until)
  const there = time.spell(plan.until, plan.zone)
  return {
    product: plan.title ?? plan.product,
    feature: plan.feature ?? '',
    seats: number(plan.seats),
    manager: plan.manager.name,
    recipient: plan.recipient.name,
    fingerprint: plan.recipient.fingerprint,
    user: user?.email ?? user?.account ?? '',
    ends: { ...time.show(plan.until), spelled: there },
    /** Where the zone of the machine is another one than that of this page. */
    here: here === there ? '' : here,
    cut: plan.cut,
    soft: plan.soft,
    freeAt: plan.freeAt === undefined ? undefined : { ...time.show(plan.freeAt), spelled: time.spell(plan.freeAt) },
    earlyReturn: plan.earlyReturn === undefined ? '' : t(`early_return.${plan.earlyReturn}`),
  }
}
