/**
 * Keeps leases: renews all that are due at one manager in one call (R21), and asks again soon where that fails. Owns when each lease
 * is due; what is promised is `leases.ts`'s. Must not import broker or http.
 */
import type { Clock, Elapsed } from './clock.ts'
import { freshLease } from './domain/supply.ts'
import { type GrantedLease, isGranted } from './lease-record.ts'
import type { Leases, RenewedLease } from './leases.ts'
import type { KnownManagers, ManagerLink } from './peers/manager-link.ts'
import { mostRenewals, type PeerEvent, type RenewalsAnswer } from './peers/wire.ts'

export interface LeaseRenewalsParts {
  readonly leases: Leases
  readonly known: KnownManagers
  readonly clock: Clock
  /** 0 to 1, so that not all agents ask at the same moment. */
  readonly random: () => number
  /** News that came with an answer. */
  readonly onNews: (manager: string, event: PeerEvent) => void
  readonly onTrouble: (what: string, error: unknown) => void
}

interface Due {
  /** On `atMost`, so that it is due on waking. */
  at: Elapsed
  /** Attempts in vain since the last answer. */
  failures: number
}

/** In ms. */
const callTimeout = 5_000
const shortestPause = 5_000
const longestPause = 30_000

export class LeaseRenewals {
  readonly #parts: LeaseRenewalsParts
  readonly #due = new Map<string, Due>()
  /** The call that is under way to each manager. */
  readonly #calls = new Map<string, Promise<void>>()

  constructor(parts: LeaseRenewalsParts) {
    this.#parts = parts
  }

  /** A lease was granted or renewed just now. @param isOffered it must be confirmed at once (R30) */
  note(id: string, expiresIn: number, isOffered = false): void {
    this.#due.set(id, { at: this.#parts.clock.atMost() + (isOffered ? 0 : this.#pauseOf(expiresIn)), failures: 0 })
  }

  /** Renewals of it have failed since it was last heard of. */
  isFailing(id: string): boolean {
    return (this.#due.get(id)?.failures ?? 0) > 0
  }

  /** Renews what is due. To be called often. */
  look(): void {
    const now = this.#parts.clock.atMost()
    for (const id of [...this.#due.keys()]) if (!isGranted(this.#parts.leases.get(id))) this.#due.delete(id)
    for (const [manager, leases] of this.#byManager())
      if (leases.some(({ id }) => this.#dueAt(id) <= now)) void this.#renew(manager, leases)
  }

  /** All leases of a manager, or of all, are due now: it is back, or time has jumped (R9). */
  hurry(manager?: string): void {
    for (const [id, leases] of this.#byManager())
      if (manager === undefined || id === manager) for (const lease of leases) this.#dueNow(lease.id)
    this.look()
  }

  /**
   * Renews what is overdue at a manager before something new is asked of it (R32).
   * @returns false when it does not answer to that, so that asking is of no use
   */
  async keepFirst(manager: string): Promise<boolean> {
    const now = this.#parts.clock.atMost()
    const leases = this.#byManager().get(manager) ?? []
    const isOverdue = ({ id }: GrantedLease): boolean => this.#dueAt(id) <= now || this.isFailing(id)
    const overdue = leases.filter(isOverdue)
    if (overdue.length === 0) return true
    for (const { id } of overdue) this.#dueNow(id)
    await this.#renew(manager, leases)
    return overdue.some(({ id }) => !this.isFailing(id))
  }

  /** Renews a lease before something that lives on it is promised to another agent anew, where too little of it is left (R21). */
  async renewFirst(supply: string): Promise<void> {
    const { leases } = this.#parts
    const record = leases.get(supply)
    if (!isGranted(record) || leases.left(supply) >= freshLease(record.terms.leaseSeconds)) return
    this.#dueNow(supply)
    await this.#renew(record.manager.id, this.#byManager().get(record.manager.id) ?? [])
  }

  /** Leases that are to be kept: held, or still lived on while they go back. */
  #byManager(): Map<string, GrantedLease[]> {
    const { leases } = this.#parts
    const found = new Map<string, GrantedLease[]>()
    for (const record of leases.list()) {
      if (!isGranted(record) || record.ended !== undefined) continue
      if (record.state === 'returning' && leases.isIdle(record.id)) continue
      const list = found.get(record.manager.id)
      if (list) list.push(record)
      else found.set(record.manager.id, [record])
    }
    return found
  }

  /** One call to a manager at a time; what becomes due soon goes along. */
  #renew(manager: string, leases: readonly GrantedLease[]): Promise<void> {
    const running = this.#calls.get(manager)
    if (running !== undefined) return running
    const { clock, known, onTrouble } = this.#parts
    const now = clock.atMost()
    const ids = leases.filter(({ id, terms }) => this.#dueAt(id) <= now + terms.leaseSeconds * 100).map(({ id }) => id)
    const link = known.link(manager)
    const call = (link === undefined ? Promise.resolve(this.#fail(ids)) : this.#renewAll(link, ids))
      .catch((error: unknown) => {
        this.#fail(ids)
        onTrouble('leases could not be renewed', error)
      })
      .finally(() => this.#calls.delete(manager))
    this.#calls.set(manager, call)
    return call
  }

  async #renewAll(link: ManagerLink, ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += mostRenewals)
      await this.#call(link, ids.slice(from, from + mostRenewals))
  }

  /** A call that fails is halved: one lease that a manager can't answer for must not cost the others (R21). */
  async #call(link: ManagerLink, ids: readonly string[]): Promise<void> {
    const sentAt = this.#parts.clock.atMost()
    const reply = await link.renew(ids, { timeout: callTimeout })
    if (reply.kind === 'answered') {
      await this.#take(link.id, ids, reply.answer, sentAt)
      return
    }
    const isReached = reply.kind === 'refused' || (reply.step === 'answer' && !reply.unsent)
    if (!isReached || ids.length === 1) {
      this.#fail(ids)
      return
    }
    const half = Math.ceil(ids.length / 2)
    await this.#call(link, ids.slice(0, half))
    await this.#call(link, ids.slice(half))
  }

  async #take(
    manager: string,
    ids: readonly string[],
    { results, roots, news }: RenewalsAnswer,
    sentAt: Elapsed,
  ): Promise<void> {
    const { leases, clock, onNews } = this.#parts
    const asked = new Set(ids)
    const renewed: RenewedLease[] = []
    const ended: { id: string; reason: string }[] = []
    const unknown: string[] = []
    for (const result of results) {
      // What was not asked for, or twice, is nothing that an honest manager says.
      if (!asked.delete(result.id)) continue
      switch (result.outcome) {
        case 'renewed': {
          const { id, seats, expiresIn, root, leases: links } = result
          const proof = root === undefined ? undefined : [...(roots[root] ?? []), ...(links ?? [])]
          renewed.push({ id, seats, expiresIn, sentAt, ...(proof === undefined ? {} : { proof }) })
          break
        }
        case 'ended':
          ended.push({ id: result.id, reason: result.reason })
          break
        case 'unknown':
          unknown.push(result.id)
          break
        case 'later':
          this.#due.set(result.id, { at: clock.atMost() + Math.max(1, result.retryIn) * 1000, failures: 0 })
      }
    }
    this.#fail([...asked])
    if (renewed.length > 0) await leases.renewed(renewed)
    for (const { id, expiresIn } of renewed) this.note(id, expiresIn)
    if (ended.length > 0) await leases.ended(ended)
    if (unknown.length > 0) await leases.gone(unknown, 'unknown')
    for (const event of news) onNews(manager, event)
  }

  #fail(ids: readonly string[]): void {
    const now = this.#parts.clock.atMost()
    for (const id of ids) {
      const failures = (this.#due.get(id)?.failures ?? 0) + 1
      this.#due.set(id, { at: now + Math.min(longestPause, shortestPause * failures), failures })
    }
  }

  #dueNow(id: string): void {
    this.#due.set(id, { at: this.#parts.clock.atMost(), failures: this.#due.get(id)?.failures ?? 0 })
  }

  /** What was never renewed by this process is due. */
  #dueAt(id: string): Elapsed {
    return this.#due.get(id)?.at ?? 0
  }

  /** A third of what was promised, a tenth of it more or less, at least 5 s, in ms (R21). */
  #pauseOf(expiresIn: number): number {
    const third = (expiresIn * 1000) / 3
    return Math.max(shortestPause, third * (0.9 + 0.2 * this.#parts.random()))
  }
}
