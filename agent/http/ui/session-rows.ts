/**
 * A session as the pages show it. Pure; must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import type { Session } from '../api/shapes.ts'
import type { PageWords } from './page.ts'
import { nameUser } from './session-selection.ts'
import type { ShownTime } from './time.ts'
import type { Place, Whereabouts } from './whereabouts.ts'

export interface SessionRow {
  readonly id: string
  readonly address: string
  readonly license: { readonly id: string; readonly address: string } | undefined
  readonly location: Place
  /** Of a seat from another manager: until when it works with no connection, and whether there is one. */
  readonly alone: { readonly until: ShownTime; readonly reachable: boolean } | undefined
  /** The agent that holds the seat for the application, where it is another one. */
  readonly agent: Place | undefined
  readonly product: string
  readonly title: string
  readonly feature: string
  readonly from: string
  readonly user: string
  /** Account or e-mail, where the name does not say it. */
  readonly account: string
  readonly machine: string
  /** Name and id of the process, and the application where it says its name. */
  readonly process: string
  readonly seats: number
  readonly since: ShownTime
  readonly timeout: ShownTime
  readonly state: { readonly kind: string; readonly icon: string; readonly text: string } | undefined
  readonly freeAt: ShownTime | undefined
  /** "Ana on WS-17", for buttons and sentences. */
  readonly holder: string
  readonly disconnect: string | undefined
  readonly freeNow: string | undefined
}

export function writeSessionRow(session: Session, { language, time }: PageWords, where: Whereabouts): SessionRow {
  const { t } = language
  const lease = where.lease(session.id)
  const aloneUntil = lease?.aloneUntil ?? where.attachedUntil(session)
  const address = `/sessions/${encodeURIComponent(session.id)}`
  const user = nameUser(session)
  const machine = session.host ?? ''
  return {
    id: session.id,
    address,
    license:
      session.license === undefined
        ? undefined
        : { id: session.license, address: `/licenses/${encodeURIComponent(session.license)}` },
    location: session.source.kind === 'lease' ? where.at(session.source.manager) : where.here,
    alone:
      aloneUntil === undefined ? undefined : { until: time.show(aloneUntil), reachable: lease?.reachable !== false },
    agent: session.agent === undefined ? undefined : where.at(session.agent),
    product: session.product,
    title: session.title ?? session.product,
    feature: session.feature ?? '',
    from: session.address,
    user: user === '' ? t('sessions.unknown_user') : user,
    account: [session.user.email, session.user.account].find((name) => name !== undefined && name !== user) ?? '',
    machine: machine === '' ? t('sessions.unknown_machine') : machine,
    process: [session.process?.name ?? session.application, session.process?.id]
      .filter((part) => part !== undefined)
      .join(' · '),
    seats: session.seats,
    since: time.show(session.startedAt),
    timeout: time.show(session.idleEndsAt ?? session.expiresAt),
    state:
      session.state === 'active' ? undefined : { ...marks[session.state], text: t(`session_state.${session.state}`) },
    freeAt: session.freeAt === undefined ? undefined : time.show(session.freeAt),
    holder: nameHolder(session, t),
    disconnect: session.actions.includes('disconnect') ? `${address}/disconnect` : undefined,
    freeNow: session.actions.includes('free-now') ? `${address}/free-now` : undefined,
  }
}

const marks = {
  ending: { kind: 'warning', icon: 'clock' },
  ended: { kind: 'quiet', icon: 'power' },
} as const

function nameHolder(session: Session, t: Language['t']): string {
  const user = nameUser(session)
  const machine = session.host ?? ''
  if (user !== '' && machine !== '') return t('sessions.holder', { user, machine })
  return user || machine || t('sessions.holder_unknown', { address: session.address })
}
