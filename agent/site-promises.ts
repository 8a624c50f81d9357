/**
 * What web sites are promised of the seats of those who are signed in. Owns when each session is renewed next, and until when a site
 * may rely on each with no word of the agent: so long a seat that is taken from here stays counted, unless the site asks and is told
 * (R5). The sessions are the lessor's. Must not import sites or http.
 */
import type { Clock, Elapsed, Timers } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import type { EndReason } from './errors.ts'
import type { Lessor } from './lessor.ts'

export interface SitePromisesOptions {
  readonly lessor: Lessor
  readonly clock: Clock
  readonly timers: Timers
  /** Whether the manager must be heard before the seat is kept (R9, R20). */
  readonly isInDoubt: (session: string) => boolean
  readonly onTrouble: (what: string, error: unknown) => void
}

export type Promised =
  /** @property left ms for which the site may rely on it with no word of the agent */
  | { readonly kind: 'promised'; readonly grant: Grant; readonly left: number }
  /** It lives, but nothing can be promised before its manager is heard. */
  | { readonly kind: 'unheard' }
  | { readonly kind: 'ended' }

/**
 * In ms: for so long a site goes on while the agent does not answer. Long enough for a restart, and short, since a recycle waits for
 * it where somebody did something just before.
 */
const mostRelied = 10_000
/** In ms. */
const retryEvery = 5_000

export class SitePromises {
  readonly #options: SitePromisesOptions
  /** When each session is renewed, on `atMost`. */
  readonly #due = new Map<string, Elapsed>()
  /** Until when a site may rely on each session by what this process told it, on `atLeast`. */
  readonly #told = new Map<string, number>()
  /** On `atLeast`: what was told before then is not known. */
  #startedAt = 0

  constructor(options: SitePromisesOptions) {
    this.#options = options
  }

  start(): void {
    this.#startedAt = this.#options.clock.atLeast()
  }

  /** @param seconds what the lessor promised */
  noteRenewed({ id, leaseSeconds }: Grant, seconds: number): void {
    this.#due.set(id, this.#options.clock.atMost() + Math.min(seconds, leaseSeconds) * 333)
  }

  /** Renews what is due. @param live all sessions of sites */
  look(live: ReadonlyMap<string, Grant>): void {
    const now = this.#options.clock.atMost()
    for (const grant of live.values()) if ((this.#due.get(grant.id) ?? 0) <= now) this.#renew(grant)
    for (const id of this.#due.keys()) if (!live.has(id)) this.#due.delete(id)
    for (const id of this.#told.keys()) if (!live.has(id)) this.#told.delete(id)
  }

  /** What the site is answered of a seat when it asks: promised anew, as to every holder. */
  async promise(session: string): Promise<Promised> {
    const { lessor, clock, isInDoubt } = this.#options
    if (!lessor.view.grant(session)) return { kind: 'ended' }
    if (isInDoubt(session)) return { kind: 'unheard' }
    const renewal = await lessor.keep(session)
    if (renewal.kind === 'later') return { kind: 'unheard' }
    if (renewal.kind !== 'renewed' || lessor.view.grant(session)?.ending !== undefined) return { kind: 'ended' }
    const { grant, expiresIn } = renewal
    const now = clock.atLeast()
    const left = Math.max(0, Math.min(expiresIn * 1000, mostRelied, this.idleEndOf(grant) - now))
    this.#told.set(session, Math.max(now + left, this.#told.get(session) ?? 0))
    this.noteRenewed(grant, expiresIn)
    return { kind: 'promised', grant, left }
  }

  /**
   * The site is answered now that this seat is none any more: that confirms its end (R5). Not earlier, since a site that is answered
   * nothing relies on what it knows.
   */
  async confirm(session: string | undefined): Promise<void> {
    const { lessor } = this.#options
    if (session !== undefined && lessor.view.grant(session)?.ending !== undefined) await lessor.renew(session)
  }

  /** On `atLeast`. */
  idleEndOf({ id, idleSeconds = 0 }: Grant): number {
    const { clock, lessor } = this.#options
    return (lessor.promiseOf(id)?.activeAt ?? clock.atLeast()) + idleSeconds * 1000
  }

  /** Not by the site's own word (R5): who may still be shown something keeps the seat until the site asks, or that time is over. */
  async takeAway(grant: Grant, reason: EndReason): Promise<void> {
    const { lessor, timers, onTrouble } = this.#options
    const left = this.#relied(grant)
    if (left <= 0) {
      await lessor.end(grant.id, reason)
      return
    }
    await lessor.disconnect(grant.id, reason)
    timers.after(left, () => {
      this.#end(grant).catch((error: unknown) => onTrouble('the seat of a sign-in could not be ended', error))
    })
  }

  #renew(grant: Grant): void {
    const { clock, lessor, isInDoubt, onTrouble } = this.#options
    this.#due.set(grant.id, clock.atMost() + retryEvery)
    if (isInDoubt(grant.id)) return
    Promise.resolve()
      .then(async () => {
        const renewal = await lessor.keep(grant.id)
        if (renewal.kind === 'renewed') this.noteRenewed(grant, renewal.expiresIn)
        else if (renewal.kind === 'ended') await this.#end(grant)
      })
      .catch((error: unknown) => onTrouble('the seat of a sign-in could not be renewed', error))
  }

  /** When the site may not rely on it any more there is nothing to wait for. */
  async #end(grant: Grant): Promise<void> {
    const { lessor } = this.#options
    const ending = lessor.view.grant(grant.id)?.ending
    if (ending !== undefined && this.#relied(grant) <= 0) await lessor.end(grant.id, ending as EndReason)
  }

  /** ms for which the site may still rely on it with no word of the agent. */
  #relied({ id, leaseSeconds }: Grant): number {
    const unknown = this.#startedAt + Math.min(leaseSeconds * 1000, mostRelied)
    return (this.#told.get(id) ?? unknown) - this.#options.clock.atLeast()
  }
}
