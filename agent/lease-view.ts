/**
 * Leases from other managers as people see them: what lives on each, and until when it works with no word of its manager. Owns
 * nothing.
 */
import { type GrantedLease, isGranted } from './lease-record.ts'
import type { LeaseRenewals } from './lease-renewals.ts'
import type { Leases } from './leases.ts'
import type { Lessor } from './lessor.ts'

/**
 * `held`; `unconfirmed`: its manager was not heard since this machine was started; `returning`: goes back as soon as nothing lives on
 * it; `ended`: by its manager or by time, and not confirmed by all who used it.
 */
export type HeldLeaseState = 'held' | 'unconfirmed' | 'returning' | 'ended'

export interface HeldLeaseView {
  readonly id: string
  readonly product: string
  readonly feature?: string
  readonly license: string
  readonly manager: { readonly id: string; readonly name: string }
  readonly state: HeldLeaseState
  readonly seats: number
  readonly used: number
  /** Ids of the sessions and of the leases of other agents that live on it. */
  readonly grants: readonly string[]
  /** The manager answers at the moment, and renewed it when it was last asked. */
  readonly reachable: boolean
  /** ISO 8601. */
  readonly startedAt: string
  /** ISO 8601: until when it works with no manager. */
  readonly aloneUntil: string
}

export interface LeaseViewParts {
  readonly leases: Leases
  readonly renewals: Pick<LeaseRenewals, 'isFailing'>
  readonly lessor: Pick<Lessor, 'view'>
  /** Whether a manager answers at the moment, as far as is known. */
  readonly isReachable: (manager: string) => boolean
  /** Wall time in ms. */
  readonly wall: () => number
}

export class LeaseViews {
  readonly #parts: LeaseViewParts

  constructor(parts: LeaseViewParts) {
    this.#parts = parts
  }

  /** All that were granted and are not back yet. */
  list(): HeldLeaseView[] {
    return [...this.#parts.leases.list()].filter(isGranted).map((one) => this.#view(one))
  }

  /** Those that something lives on. */
  inUse(): HeldLeaseView[] {
    return this.list().filter(({ grants }) => grants.length > 0)
  }

  /** The lease that a session lives on; of several the one that ends first. Undefined: seats of this machine. */
  behind(session: string): HeldLeaseView | undefined {
    const { leases, lessor } = this.#parts
    const found = (lessor.view.grant(session)?.parts ?? []).map(({ supply }) => leases.get(supply)).filter(isGranted)
    const [first] = found.sort((a, b) => leases.left(a.id) - leases.left(b.id))
    return first && this.#view(first)
  }

  #view(record: GrantedLease): HeldLeaseView {
    const { leases, renewals, lessor, isReachable, wall } = this.#parts
    const { id, terms, manager, startedAt } = record
    return {
      id,
      product: terms.product,
      ...(terms.feature === undefined ? {} : { feature: terms.feature }),
      license: terms.license,
      manager,
      state: stateOf(record, leases.isConfirmed(id)),
      seats: terms.seats,
      used: lessor.view.used(id),
      grants: Array.from(lessor.view.grantsOf(id), (grant) => grant.id),
      reachable: leases.isConfirmed(id) && !renewals.isFailing(id) && isReachable(manager.id),
      startedAt: new Date(startedAt).toISOString(),
      aloneUntil: new Date(wall() + leases.left(id)).toISOString(),
    }
  }
}

function stateOf({ state, ended }: GrantedLease, isConfirmed: boolean): HeldLeaseState {
  if (ended !== undefined) return 'ended'
  if (state === 'returning') return 'returning'
  return isConfirmed ? 'held' : 'unconfirmed'
}
