/**
 * Where something is: on this machine, or on another one whose own pages a link opens; and what a session lives on.
 * Reads the lists of a page once. Must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import type { Detachment } from '../api/detachment-shapes.ts'
import type { Session } from '../api/shapes.ts'
import { readPage } from './agent-rows.ts'
import type { HeldLease, KnownAgent } from './network-parts.ts'
import type { Parts } from './parts.ts'

export interface Place {
  readonly name: string
  /** The page of that machine; undefined for this one, and where no address is known. */
  readonly address: string | undefined
}

export interface Whereabouts {
  readonly here: Place
  /** @param path of the page there */
  at(manager: { readonly id: string; readonly name: string }, path?: string): Place
  lease(session: string): HeldLease | undefined
  /** Until when a session on attached seats works with no connection; the first end where it could be one of several. */
  attachedUntil(session: Pick<Session, 'product' | 'license' | 'source'>): string | undefined
}

export function lookAround(
  parts: Pick<Parts, 'managers' | 'leases' | 'detaching'>,
  { t }: Pick<Language, 't'>,
): Whereabouts {
  let attached: readonly Detachment[] | undefined
  let agents: ReadonlyMap<string, KnownAgent> | undefined
  return {
    here: { name: t('sessions.here'), address: undefined },
    at: ({ id, name }, path = '/') => {
      agents ??= new Map(parts.managers.list().map((agent) => [agent.id, agent]))
      return { name, address: readPage(agents.get(id)?.page, path) }
    },
    lease: (session) => parts.leases.behind(session),
    attachedUntil: ({ product, license, source }) => {
      if (source.kind !== 'detachment') return undefined
      attached ??= parts.detaching.list().filter(({ direction }) => direction === 'in')
      return attached.find((one) => one.product === product && one.license === license)?.until
    },
  }
}
