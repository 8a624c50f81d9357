/**
 * The sessions of this agent as lists: filtered, in pages, one by one. Owns nothing.
 */
import type { Grant } from './domain/grant.ts'
import type { Lessor } from './lessor.ts'
import { type SessionView, sessionView, type ViewContext } from './session-view.ts'

export interface SessionFilter {
  readonly limit: number
  readonly cursor?: string | undefined
  readonly product?: string | undefined
  readonly user?: string | undefined
  readonly host?: string | undefined
  readonly state?: 'active' | 'ending' | 'ended' | undefined
}

export class SessionList {
  readonly #lessor: Lessor
  readonly #context: () => ViewContext

  constructor(lessor: Lessor, context: () => ViewContext) {
    this.#lessor = lessor
    this.#context = context
  }

  *all(): Iterable<SessionView> {
    const context = this.#context()
    for (const grant of this.#lessor.view.grants()) yield this.#view(grant, context)
  }

  get(id: string): SessionView | undefined {
    const grant = this.#lessor.view.grant(id)
    return grant && this.#view(grant, this.#context())
  }

  list(filter: SessionFilter): { items: SessionView[]; total: number; next?: string } {
    const context = this.#context()
    const start = Math.max(0, Number.parseInt(filter.cursor ?? '0', 10) || 0)
    const items: SessionView[] = []
    let total = 0
    for (const grant of this.#lessor.view.grants()) {
      if (!fits(grant, filter)) continue
      if (total >= start && items.length < filter.limit) items.push(this.#view(grant, context))
      total++
    }
    const end = start + items.length
    return { items, total, ...(end < total ? { next: String(end) } : {}) }
  }

  #view(grant: Grant, context: ViewContext): SessionView {
    return sessionView(grant, this.#lessor.promiseOf(grant.id), context)
  }
}

function fits(grant: Grant, { product, user, host, state }: SessionFilter): boolean {
  if (product !== undefined && grant.product !== product) return false
  if (host !== undefined && grant.who.host !== host) return false
  if (user !== undefined && ![grant.who.email, grant.who.account, grant.who.displayName].includes(user)) return false
  return state === undefined || state === (grant.ending === undefined ? 'active' : 'ending')
}
