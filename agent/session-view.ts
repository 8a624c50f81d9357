/**
 * Sessions as people and programs see them: a grant joined with what is promised at the moment. Owns nothing.
 */

import type { Clock } from './clock.ts'
import type { SeatView } from './domain/book.ts'
import { type Grant, graceOf, type Who } from './domain/grant.ts'
import type { Supply } from './domain/supply.ts'
import type { EndReason } from './errors.ts'
import type { LivePromise } from './promises.ts'
import { publicId } from './session-id.ts'

export interface AgentName {
  readonly id: string
  readonly name: string
}

export interface SessionSource {
  readonly kind: 'license' | 'lease' | 'detachment'
  readonly manager: AgentName
}

/** What the holder of a session is told. */
export interface KeptSessionView {
  id: string
  product: string
  feature?: string
  seats: number
  state: 'active'
  source: SessionSource
  startedAt: string
  expiresAt: string
  expiresIn: number
  renewIn: number
  idleEndsAt?: string
  proof?: string[]
  proofUnavailable?: 'not_activated'
}

/** What everybody else is shown of it. */
export interface SessionView {
  id: string
  product: string
  title?: string
  feature?: string
  seats: number
  state: 'active' | 'ending'
  reason?: EndReason
  user: { account?: string; email?: string; displayName?: string }
  host?: string
  process?: { id?: number; name?: string }
  application?: string
  address: string
  /** Another agent that holds the seat for its applications. */
  agent?: AgentName
  license?: string
  source: SessionSource
  startedAt: string
  expiresAt: string
  expiresIn: number
  idleEndsAt?: string
  freeAt?: string
  actions: ('disconnect' | 'free-now')[]
}

/** A third of what was promised, at least 5 s (R21), but before that little time is over. */
export function renewIn(expiresIn: number): number {
  return Math.min(Math.max(5, Math.floor(expiresIn / 3)), Math.max(1, expiresIn - 2))
}

export interface ViewContext {
  readonly clock: Clock
  readonly view: SeatView
  readonly self: AgentName
  /** In ms. */
  readonly idleLimit: number
  /** What another agent calls itself. */
  readonly agentName?: (id: string) => string | undefined
}

export function keptSession(
  grant: Grant,
  expiresIn: number,
  promise: LivePromise | undefined,
  context: ViewContext,
): KeptSessionView {
  const wall = context.clock.wall()
  return {
    id: grant.id,
    product: grant.product,
    ...(grant.feature === undefined ? {} : { feature: grant.feature }),
    seats: grant.seats,
    state: 'active',
    source: sourceOf(grant, context),
    startedAt: iso(grant.startedAt),
    expiresAt: iso(wall + expiresIn * 1000),
    expiresIn,
    renewIn: renewIn(expiresIn),
    ...idleEnd(grant, promise, wall, context),
  }
}

export function sessionView(grant: Grant, promise: LivePromise | undefined, context: ViewContext): SessionView {
  const wall = context.clock.wall()
  const now = context.clock.atLeast()
  const supply = context.view.supply(grant.parts[0]?.supply ?? '')
  // A seat for any product has no title of its own.
  const named = supply?.product === undefined ? context.view.suppliesFor(grant.product).find(hasTitle) : supply
  const title = named?.title
  const { host, processId, processName, application, address } = grant.who
  const left = Math.max(0, (promise?.promisedUntil ?? now) - now)
  const freeIn = Math.max(0, (promise?.freeAt ?? now + graceOf(grant.leaseSeconds)) - now)
  return {
    id: publicId(grant.id),
    product: grant.product,
    ...(title === undefined ? {} : { title }),
    ...(grant.feature === undefined ? {} : { feature: grant.feature }),
    seats: grant.seats,
    state: grant.ending === undefined ? 'active' : 'ending',
    ...(grant.ending === undefined ? {} : { reason: grant.ending as EndReason }),
    user: userOf(grant.who),
    ...(host === undefined ? {} : { host }),
    ...(processId === undefined && processName === undefined
      ? {}
      : {
          process: {
            ...(processId === undefined ? {} : { id: processId }),
            ...(processName === undefined ? {} : { name: processName }),
          },
        }),
    ...(application === undefined ? {} : { application }),
    address: address ?? '',
    ...(grant.kind === 'session' ? {} : { agent: agentOf(grant, context) }),
    ...(supply === undefined ? {} : { license: supply.license }),
    source: sourceOf(grant, context),
    startedAt: iso(grant.startedAt),
    expiresAt: iso(wall + left),
    expiresIn: Math.floor(left / 1000),
    ...idleEnd(grant, promise, wall, context),
    ...(grant.ending === undefined ? {} : { freeAt: iso(wall + Math.ceil(freeIn)) }),
    actions: actionsOn(grant, context),
  }
}

export function userOf({ account, email, displayName }: Who): SessionView['user'] {
  return {
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(displayName === undefined ? {} : { displayName }),
  }
}

export function agentOf({ holder, who }: Grant, { agentName }: Pick<ViewContext, 'agentName'>): AgentName {
  return { id: holder, name: agentName?.(holder) ?? who.host ?? holder }
}

function actionsOn(grant: Grant, { view }: ViewContext): SessionView['actions'] {
  const actions: SessionView['actions'] = grant.ending === undefined ? ['disconnect'] : []
  if (grant.parts.every((part) => view.supply(part.supply)?.overlap !== false)) actions.push('free-now')
  return actions
}

function hasTitle(supply: Supply): boolean {
  return supply.product !== undefined && supply.title !== undefined
}

function sourceOf(grant: Grant, context: ViewContext): SessionSource {
  const supply = context.view.supply(grant.parts[0]?.supply ?? '')
  return { kind: supply?.kind ?? 'license', manager: supply?.manager ?? context.self }
}

function idleEnd(
  grant: Grant,
  promise: LivePromise | undefined,
  wall: number,
  context: ViewContext,
): { idleEndsAt?: string } {
  if (grant.activity !== 'reported') return {}
  const now = context.clock.atLeast()
  const limit = grant.idleSeconds === undefined ? context.idleLimit : grant.idleSeconds * 1000
  return { idleEndsAt: iso(wall + (promise?.activeAt ?? now) + limit - now) }
}

/** Texts of times that were written lately: sessions of one batch share theirs. */
const written: { readonly ms: number; readonly text: string }[] = []
const mostWritten = 16

function iso(ms: number): string {
  const slot = ms & (mostWritten - 1)
  const known = written[slot]
  if (known?.ms === ms) return known.text
  const text = new Date(ms).toISOString()
  written[slot] = { ms, text }
  return text
}
