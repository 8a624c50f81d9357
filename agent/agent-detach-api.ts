/**
 * What the interface tells and does about seats that are taken along and about the clock that they go by. Part of the composition
 * root; owns nothing.
 */
import { type AccessRules, subjectOf } from './access-rules.ts'
import { type DetachableParts, detachableProducts } from './agent-detachable.ts'
import type { Clock } from './clock.ts'
import type { DateFloor } from './date-floor.ts'
import { isGone } from './detachment-view.ts'
import type { DetachWish } from './detachment-wish.ts'
import type { Detachments } from './detachments.ts'
import { behindGrace, runningWait } from './domain/floor.ts'
import { type Refusal, refuse } from './errors.ts'
import type { CookieAccess } from './http/access.ts'
import type { ClockState, Detach } from './http/api/detachment-shapes.ts'
import type { ApiParts } from './http/routes.ts'
import { paged } from './paging.ts'

export interface DetachApiParts extends DetachableParts {
  readonly detachments: Detachments
  readonly access: Pick<CookieAccess, 'asks'>
  readonly rules: Pick<AccessRules, 'user'>
}

const second = 1_000

export function detachmentsApi(parts: DetachApiParts): ApiParts['detachments'] {
  const { detachments, configuration, access, rules, self } = parts
  const wishOf = (request: Detach): DetachWish => {
    const { user, preview: _, ...rest } = request
    const { account, email, displayName } = user ?? {}
    const who = {
      ...(account ? { account } : {}),
      ...(email ? { email } : {}),
      ...(displayName ? { displayName } : {}),
      ...(rest.recipient === undefined ? { host: self().name } : {}),
    }
    return { ...rest, who }
  }
  /** The rules of this machine hold for its own people, those of the manager for all that ask it. */
  const denied = ({ who, product, feature }: DetachWish): Refusal | undefined => {
    const verdict = rules.user(subjectOf(who, { product, feature }, { machine: self().name, agent: self().id }))
    if (verdict.kind === 'allowed') return undefined
    return refuse(verdict.code, verdict.detail, verdict.rule === undefined ? {} : { rule: verdict.rule })
  }
  return {
    refuse: (authority, whose) => {
      if (authority !== 'nobody') return undefined
      if (whose === 'own' && !configuration.get('detach.needsAdministrator')) return undefined
      return access.asks('change') ? refuse('sign_in_needed', 'This asks for the administrator.') : undefined
    },
    list: ({ direction, product, state, over, ...page }) =>
      paged(
        detachments
          .list()
          .filter((one) => direction === undefined || one.direction === direction)
          .filter((one) => product === undefined || one.product === product)
          .filter((one) => (state === undefined ? over === 'with' || !isGone(one.state) : one.state === state)),
        page,
      ),
    get: (id) => detachments.get(id),
    block: (id) => detachments.block(id),
    detachable: ({ product, ...page }) => {
      const all = detachableProducts(parts)
      return paged(
        all.filter((one) => product === undefined || one.product === product),
        page,
      )
    },
    plan: async (request) => denied(wishOf(request)) ?? (await detachments.plan(wishOf(request))),
    detach: async (request, order) =>
      denied(wishOf(request)) ?? (await detachments.detach({ ...wishOf(request), order })),
    extend: (id, change) => detachments.extend(id, change),
    giveBack: (id) => detachments.giveBack(id),
    declareLost: (id, { note }) =>
      detachments.declareLost(id, { by: 'administrator', ...(note === undefined ? {} : { note }) }),
    makeReceipt: (id) => detachments.makeReceipt(id),
    recipient: () => detachments.recipient(),
  }
}

export function clockApi(floor: DateFloor, clock: Clock): ApiParts['clock'] {
  return {
    read: (): ClockState => {
      const { date, later, behind } = floor.dates()
      const wait = floor.waitsFor()
      return {
        time: iso(clock.wall()),
        date: iso(date),
        zone: localZone(),
        ...(later === undefined ? {} : { ahead: { seconds: whole(later - date), waitIn: whole(wait ?? runningWait) } }),
        ...(behind === undefined
          ? {}
          : { behind: { seconds: whole(behind.by), refusesIn: whole(behindGrace - behind.ticked) } }),
      }
    },
    confirm: () => floor.acceptWall(),
  }
}

export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

function whole(ms: number): number {
  return Math.max(0, Math.round(ms / second))
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
