/**
 * Renewals of the leases that one agent holds from here, many in one call and each answered separately (R21). Owns nothing; the
 * lessor promises.
 */
import type { Cancel, Timers } from '../clock.ts'
import { type Grant, peerGrantId } from '../domain/grant.ts'
import { freshLease } from '../domain/supply.ts'
import { type EndReason, LeaseholdError } from '../errors.ts'
import type { Lessor, Renewal } from '../lessor.ts'
import { renewIn } from '../session-view.ts'
import type { LeaseGrantContext, LeaseLinks } from './lease-desk-grant.ts'
import type { RenewalsAnswer } from './wire.ts'

/** Where seats come from that this agent has leased itself. */
export interface Upstream {
  /** Renews the lease behind this supply at its manager; resolves when that was tried. */
  renewFirst(supply: string): Promise<void>
  /** The manager must be asked before anything that lives on this supply is kept (R9, R20). */
  isInDoubt(supply: string): boolean
}

export interface DeskRenewalOptions extends LeaseGrantContext {
  readonly lessor: Pick<Lessor, 'view' | 'isReady' | 'renew' | 'disconnect'>
  readonly upstream: Upstream
  readonly timers: Timers
  /** Why the seat may not be used any more. */
  readonly mayStay: (grant: Grant) => { readonly kind: 'yes' } | { readonly kind: 'no'; readonly reason: EndReason }
  /** Whether the id is being decided, or stands in line. */
  readonly isUnderWay: (grantId: string) => boolean
}

type Result = RenewalsAnswer['results'][number]

interface Signed {
  readonly result: Result
  /** At the root. */
  readonly license?: string | undefined
  readonly links?: LeaseLinks | undefined
}

/** ms for the managers above, so that who asks here still gets an answer. */
const upstreamTimeout = 3_000
/** Seconds. */
const soon = 2
/** Characters of proofs in one answer; who does not fit in asks again. */
const mostProof = 600_000

export class DeskRenewals {
  readonly #options: DeskRenewalOptions

  constructor(options: DeskRenewalOptions) {
    this.#options = options
  }

  async renewAll(agent: string, leases: readonly string[]): Promise<Omit<RenewalsAnswer, 'news'>> {
    const ids = [...new Set(leases)]
    await this.freshen(ids.flatMap((id) => this.#options.lessor.view.grant(peerGrantId(agent, id)) ?? []))
    const results = await Promise.all(ids.map((id) => this.#renew(agent, id)))
    return await this.#prove(agent, results)
  }

  /** One lease, which lives here. */
  async renew(grant: Grant): Promise<Renewal> {
    const { lessor, upstream } = this.#options
    const stays = this.#options.mayStay(grant)
    if (stays.kind === 'no') {
      await lessor.disconnect(grant.id, stays.reason)
      return { kind: 'ended', reason: stays.reason }
    }
    if (grant.parts.some(({ supply }) => upstream.isInDoubt(supply))) return { kind: 'later', grant }
    return await lessor.renew(grant.id)
  }

  /** What is passed on must last: a supply with too little left is renewed first. */
  async freshen(grants: readonly Grant[]): Promise<void> {
    const { lessor, clock, timers, upstream } = this.#options
    const bootAt = clock.boot().at
    const stale = new Set<string>()
    for (const { parts } of grants)
      for (const { supply: id } of parts) {
        const supply = lessor.view.supply(id)
        if (supply?.kind !== 'lease') continue
        const left = (supply.until ?? 0) - bootAt
        if (upstream.isInDoubt(id) || left < freshLease(supply.leaseSeconds)) stale.add(id)
      }
    if (stale.size === 0) return
    let deadline: Cancel = () => undefined
    await Promise.race([
      Promise.allSettled([...stale].map((id) => upstream.renewFirst(id))),
      new Promise<void>((resolve) => {
        deadline = timers.after(upstreamTimeout, resolve)
      }),
    ])
    deadline()
  }

  async #renew(agent: string, id: string): Promise<Result> {
    const { lessor, isUnderWay } = this.#options
    const grantId = peerGrantId(agent, id)
    const later: Result = { id, outcome: 'later', retryIn: soon }
    if (!lessor.isReady) return later
    const grant = lessor.view.grant(grantId)
    // Being answered here confirms nothing: only a DELETE does, after the session on it has ended (R5).
    if (grant?.ending !== undefined) return { id, outcome: 'ended', reason: grant.ending }
    if (!grant) {
      const ended = lessor.view.tombstone(grantId)
      if (ended) return { id, outcome: 'ended', reason: ended.reason }
      return isUnderWay(grantId) ? later : { id, outcome: 'unknown' }
    }
    try {
      const renewal = await this.renew(grant)
      switch (renewal.kind) {
        case 'later':
          return later
        case 'unknown':
          return { id, outcome: 'unknown' }
        case 'ended':
          return { id, outcome: 'ended', reason: renewal.reason }
        case 'renewed': {
          const { expiresIn, freeIn } = renewal
          return { id, outcome: 'renewed', seats: renewal.grant.seats, expiresIn, freeIn, renewIn: renewIn(expiresIn) }
        }
      }
    } catch (error) {
      // The outcome is unknown (R1); the same is asked again.
      if (error instanceof LeaseholdError && error.code === 'store_unavailable') return later
      throw error
    }
  }

  /** The links are signed together, beside what else is answered meanwhile. */
  async #prove(agent: string, results: readonly Result[]): Promise<Omit<RenewalsAnswer, 'news'>> {
    const signed = await Promise.all(results.map((result) => this.#sign(agent, result)))
    const roots: Record<string, string[]> = {}
    let size = 0
    const proved = signed.map(({ result, license, links }): Result => {
      if (size > mostProof && result.outcome === 'renewed') return { id: result.id, outcome: 'later', retryIn: soon }
      if (result.outcome !== 'renewed' || !links || license === undefined) return result
      if (!Object.hasOwn(roots, license)) {
        roots[license] = [...links.root]
        size += lengthOf(links.root)
      }
      size += lengthOf(links.leases)
      return { ...result, root: license, leases: [...links.leases] }
    })
    return { roots, results: proved }
  }

  async #sign(agent: string, result: Result): Promise<Signed> {
    if (result.outcome !== 'renewed') return { result }
    const { lessor, linksOf } = this.#options
    const grant = lessor.view.grant(peerGrantId(agent, result.id))
    const license = grant && lessor.view.supply(grant.parts[0]?.supply ?? '')?.license
    return { result, license, links: grant && (await linksOf(grant)) }
  }
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0)
}
