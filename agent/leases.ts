/**
 * Owns what this agent has leased from other managers: the records (R7, R16), how long each lease is promised, and the supplies
 * that the lessor is given for them. Every change is a job, so that nothing is told to a manager before it is on disk.
 * Talks to nobody; must not import broker, peers' transport or http.
 */
import type { Clock, Elapsed } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import type { ClosedBy, Supply, Takes } from './domain/supply.ts'
import { type EndReason, endReasons } from './errors.ts'
import { LeaseBook, type LeaseTimes, unknownTimes } from './lease-book.ts'
import { type GrantedLease, isGranted, type LeaseRecord, leaseSupply } from './lease-record.ts'
import type { Lessor } from './lessor.ts'
import type { LeaseGrant } from './peers/wire.ts'
import type { StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction, Writes } from './writes.ts'

export interface LeasesOptions {
  readonly lessor: Pick<
    Lessor,
    'view' | 'departures' | 'putSupply' | 'dropSupply' | 'setSupplies' | 'transferSupply' | 'isEmpty' | 'isReady'
  >
  readonly writes: Writes
  readonly clock: Clock
  /** The license server that the supplies belong to. */
  readonly instance: string
}

/** What a manager answered to a renewal. */
export interface RenewedLease {
  readonly id: string
  readonly seats: number
  readonly expiresIn: number
  /** The reading of `atMost` before the request was sent. */
  readonly sentAt: Elapsed
  /** Absent: as it was. */
  readonly proof?: readonly string[]
}

/** For so long a manager is asked before a jump of elapsed time counts, in ms (R9). */
const jumpDoubt = 5_000

export class Leases implements RecordOwner {
  readonly kinds = ['lease'] as const
  readonly #options: LeasesOptions
  readonly #book: LeaseBook
  /** Ids that are being asked for by this process. */
  readonly #busy = new Set<string>()
  /** Ids that are kept though nothing lives on them. */
  readonly #reserved = new Set<string>()
  /** Ids that are being made into a detachment: that their manager ends them then is no loss (R16). */
  readonly #converting = new Set<string>()

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#book = new LeaseBook(options.clock)
  }

  // ---- what there is

  list(): Iterable<LeaseRecord> {
    return this.#book.list()
  }

  get size(): number {
    return this.#book.size
  }

  get(id: string): LeaseRecord | undefined {
    return this.#book.get(id)
  }

  /** ms for which it is still promised; 0 = not any more, or not known. */
  left(id: string): number {
    const times = this.#book.timesOf(id)
    return times?.confirmed ? Math.max(0, times.until - this.#options.clock.atMost()) : 0
  }

  isConfirmed(id: string): boolean {
    return this.#book.timesOf(id)?.confirmed ?? false
  }

  /**
   * Whether the manager must be asked before anything that lives on this supply may be kept: its time has passed while the machine
   * slept, or it was read after a boot (R9, R20). Whoever renews asks this first, and answers "later".
   */
  isInDoubt(supply: string): boolean {
    const times = this.#book.timesOf(supply)
    if (!times || !isGranted(this.#book.get(supply))) return false
    return !times.confirmed || times.until <= this.#options.clock.atMost()
  }

  /**
   * Whether nothing lives on it, and it is neither kept in advance nor for what lives on another one. While all is read again nobody
   * knows (R1).
   */
  isIdle(id: string): boolean {
    const { state, kept } = this.#book.get(id) ?? {}
    if (this.#reserved.has(id) || (kept && state === 'held')) return false
    const { lessor } = this.#options
    return lessor.isReady && lessor.isEmpty(id)
  }

  /** Keeps it although nothing lives on it, or no longer. */
  reserve(id: string, isReserved: boolean): void {
    if (isReserved) this.#reserved.add(id)
    else this.#reserved.delete(id)
  }

  /** They are about to become a detachment, or no longer. */
  convert(ids: readonly string[], isConverting: boolean): void {
    for (const id of ids) {
      this.reserve(id, isConverting)
      if (isConverting) this.#converting.add(id)
      else this.#converting.delete(id)
    }
  }

  isConverting(id: string): boolean {
    return this.#converting.has(id)
  }

  /** The same after everything was read. */
  convertAgain(ids: readonly string[]): void {
    this.convert(ids, true)
    this.#tellSupplies()
  }

  /**
   * Within a job: nothing of what is being converted is lent to other agents any more, and what was not converted is again.
   * @returns those of which nothing is lent: what another agent has of it could not go on (R21)
   */
  showConverting(transaction: Transaction, ids: readonly string[]): string[] {
    const { view } = this.#options.lessor.departures
    return ids.filter((id) => {
      const isLent = [...view.grantsOf(id)].some(({ kind }) => kind !== 'session')
      if (isLent) this.convert([id], false)
      const record = this.#book.find(transaction, id)
      const times = this.#book.timesOf(id)
      if (isGranted(record) && times) this.#putSupply(transaction, record, times)
      return !isLent
    })
  }

  /**
   * Within a job: they have become a detachment. Its seats are theirs, so all that lives on them counts there from now on, also what
   * could not go on anywhere (R16). Those of another license than it is of go on as they were.
   */
  convertedIn(transaction: Transaction, ids: readonly string[], detachment: Supply): void {
    for (const id of ids) {
      const record = this.#book.find(transaction, id)
      if (!isGranted(record)) continue
      if (record.terms.license !== detachment.license || (record.terms.any ?? false) !== (detachment.any ?? false)) {
        this.convert([id], false)
        this.showConverting(transaction, [id])
        continue
      }
      this.#book.drop(transaction, id)
      this.#options.lessor.transferSupply(transaction, id, detachment, 'lease_lost')
      transaction.journal({ type: 'lease.returned', facts: { ...factsOf(record), reason: 'detached' } })
    }
  }

  /** License and activation, then the leases down to this agent; empty where the license gives no proof. */
  linksOf(supply: string): { readonly links: readonly string[] } | undefined {
    const record = this.#book.get(supply)
    return isGranted(record) ? { links: record.terms.proof } : undefined
  }

  /** Told after every change that is on disk. */
  onChange(listener: () => void): void {
    this.#book.onChange(listener)
  }

  // ---- asking

  /** Stores the id before it is sent (R7). It is this process's until `release`. */
  async prepare(record: LeaseRecord): Promise<void> {
    this.#busy.add(record.id)
    if (this.#book.get(record.id)?.state === 'asking') return
    await this.#options.writes.submit((transaction) => this.#book.put(transaction, record), { growing: true })
  }

  release(id: string): void {
    this.#busy.delete(id)
  }

  /** The asker has begun this one before and was interrupted, so it is the same request (R7). */
  interrupted(asker: string, manager: string, isSame: (record: LeaseRecord) => boolean): LeaseRecord | undefined {
    return this.orphans().find((one) => one.for === asker && one.manager.id === manager && isSame(one))
  }

  /** Requests whose outcome nobody waits for any more. */
  orphans(): LeaseRecord[] {
    return [...this.#book.list()].filter((one) => one.state === 'asking' && !this.#busy.has(one.id))
  }

  /** It was refused, or never left this machine: nothing is out. */
  async refused(ids: readonly string[]): Promise<void> {
    await this.#options.writes.submit((transaction) => {
      for (const id of ids) if (this.#book.find(transaction, id)?.state === 'asking') this.#book.drop(transaction, id)
    })
  }

  /** The manager may have granted it, and it is not wanted: it is told so until it has heard (R7). */
  async cancel(ids: readonly string[]): Promise<void> {
    await this.#options.writes.submit((transaction) => this.cancelIn(transaction, ids))
  }

  cancelIn(transaction: Transaction, ids: readonly string[]): void {
    for (const id of ids) {
      const record = this.#book.find(transaction, id)
      if (record?.state === 'asking') this.#book.put(transaction, { ...record, state: 'cancelling' })
    }
  }

  /**
   * The manager granted it: it becomes a supply within this job, so that what it was fetched for is granted in the same batch (R7).
   * @param sentAt the reading of `atMost` before the request was sent
   * @returns false when it is not wanted any more
   */
  take(transaction: Transaction, { id, lease, sentAt }: { id: string; lease: LeaseGrant; sentAt: Elapsed }): boolean {
    const record = this.#book.find(transaction, id)
    if (record?.state !== 'asking') return false
    const { clock } = this.#options
    const { id: _id, expiresIn: _e, freeIn: _f, renewIn: _r, offered: _o, ...terms } = lease
    const times = { until: untilOf(sentAt, lease.expiresIn, lease.leaseSeconds), doubtedUntil: 0, confirmed: true }
    const held = this.#book.written({ ...record, state: 'held', terms, startedAt: clock.wall() }, times.until)
    this.#book.put(transaction, held)
    this.#putSupply(transaction, held as GrantedLease, times)
    transaction.after(() => this.#book.setTimes(id, times))
    transaction.journal({ type: 'lease.obtained', facts: factsOf(held) })
    return true
  }

  /** What `take` did in this job serves nobody after all: the manager is told. */
  giveUp(transaction: Transaction, id: string): void {
    const record = this.#book.find(transaction, id)
    if (record?.state !== 'held') return
    this.#book.put(transaction, { ...record, state: 'cancelling' })
    this.#options.lessor.dropSupply(transaction, id, 'lease_lost')
    transaction.after(() => this.#book.setTimes(id, undefined))
  }

  // ---- keeping

  async renewed(answers: readonly RenewedLease[]): Promise<void> {
    await this.#options.writes.submit((transaction) => {
      for (const { id, seats, expiresIn, sentAt, proof } of answers) {
        const record = this.#book.find(transaction, id)
        // A late answer says nothing about what the manager has ended since.
        if (!isGranted(record) || record.ended !== undefined) continue
        const until = Math.max(
          untilOf(sentAt, expiresIn, record.terms.leaseSeconds),
          this.#book.timesOf(id)?.until ?? 0,
        )
        const times = { until, doubtedUntil: 0, confirmed: true }
        const terms = { ...record.terms, seats, ...(proof === undefined ? {} : { proof: [...proof] }) }
        const kept = this.#book.written({ ...record, terms }, until) as GrantedLease
        this.#book.put(transaction, kept)
        this.#putSupply(transaction, kept, times)
        transaction.after(() => this.#book.setTimes(id, times))
      }
    })
  }

  /**
   * Elapsed time has jumped: what it ended is asked for before that counts (R9), and what it shortened is told to the lessor.
   * @param before the last reading of `atMost`, before the jump
   */
  async jumped(before: Elapsed): Promise<void> {
    const { clock, writes } = this.#options
    const now = clock.atMost()
    const doubtedUntil = clock.atLeast() + jumpDoubt
    for (const [id, times] of [...this.#book.times()])
      if (times.until > before && times.until <= now && times.doubtedUntil < doubtedUntil)
        this.#book.setTimes(id, { ...times, doubtedUntil })
    await writes.submit((transaction) => {
      for (const [id, times] of this.#book.times()) {
        const record = this.#book.find(transaction, id)
        if (isGranted(record)) this.#putSupply(transaction, record, times)
      }
    })
  }

  /** Granted leases whose time is over and that were not ended yet. */
  overdue(): string[] {
    const { clock } = this.#options
    const [atMost, atLeast] = [clock.atMost(), clock.atLeast()]
    return [...this.#book.times()].flatMap(([id, one]) => {
      const isOver = (one.until <= atMost || !one.confirmed) && one.doubtedUntil <= atLeast
      const record = this.#book.get(id)
      return isOver && isGranted(record) && record.ended === undefined ? [id] : []
    })
  }

  // ---- giving back

  /** Takes nothing new from now on, for good; the manager is told once nothing lives on it (R16). */
  async giveBack(ids: readonly string[]): Promise<void> {
    await this.#options.writes.submit((transaction) => this.giveBackIn(transaction, ids))
  }

  giveBackIn(transaction: Transaction, ids: readonly string[]): void {
    for (const id of ids) {
      const record = this.#book.find(transaction, id)
      if (record?.state !== 'held' || !isGranted(record)) continue
      const returning = { ...record, state: 'returning' as const }
      this.#book.put(transaction, returning)
      const times = this.#book.timesOf(id)
      if (times) this.#putSupply(transaction, returning, times)
    }
  }

  /**
   * The manager has ended it, or its time is over (`lease_lost`): what lives on it moves or begins to end, and the manager is told
   * after that (R5, R31).
   */
  async ended(ids: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
    await this.#options.writes.submit((transaction) => {
      for (const { id, reason } of ids) {
        if (this.#converting.has(id) && reason !== 'lease_lost') continue
        const record = this.#book.find(transaction, id)
        if (record?.state === 'asking') this.#book.put(transaction, { ...record, state: 'cancelling' })
        if (!isGranted(record) || record.ended !== undefined) continue
        const ending = { ...record, state: 'returning' as const, ended: reason }
        this.#book.put(transaction, ending)
        this.#putSupply(transaction, ending, this.#book.timesOf(id) ?? unknownTimes)
        transaction.journal({ type: 'lease.lost', facts: { ...factsOf(record), reason } })
      }
    })
  }

  /** It is over for both sides. What still lives on it moves or ends. */
  async gone(ids: readonly string[], reason: 'returned' | 'cancelled' | 'expired' | 'unknown'): Promise<void> {
    await this.#options.writes.submit((transaction) => {
      for (const id of ids) {
        const record = this.#book.find(transaction, id)
        if (!record || (reason === 'unknown' && this.#converting.has(id))) continue
        this.#book.drop(transaction, id)
        if (record.state === 'asking' || record.state === 'cancelling') continue
        this.#options.lessor.dropSupply(transaction, id, endReasonOf(record.ended))
        if (record.ended !== undefined) continue
        const type = reason === 'returned' ? 'lease.returned' : 'lease.lost'
        transaction.journal({ type, facts: { ...factsOf(record), reason } })
      }
    })
  }

  // ---- records

  reset(): void {
    this.#book.reset()
  }

  restore(stored: StoredRecord): void {
    this.#book.restore(stored)
  }

  ready(): void {
    this.#book.ready()
    this.#tellSupplies()
  }

  #tellSupplies(): void {
    const supplies: Supply[] = []
    for (const [id, times] of this.#book.times()) {
      const record = this.#book.get(id)
      if (isGranted(record)) supplies.push(this.#supplyOf(record, times))
    }
    this.#options.lessor.setSupplies(supplies, 'lease')
  }

  #putSupply(transaction: Transaction, record: GrantedLease, times: LeaseTimes): void {
    this.#options.lessor.putSupply(transaction, this.#supplyOf(record, times), endReasonOf(record.ended))
  }

  #supplyOf(record: GrantedLease, times: LeaseTimes): Supply {
    const { clock, instance } = this.#options
    const until = clock.boot().at + (times.until - clock.atMost())
    const isSure = times.confirmed && times.until > clock.atMost()
    const supply = leaseSupply(record, instance, until, takesOf(record, isSure))
    return this.#converting.has(record.id) ? { ...supply, depth: 0 } : supply
  }
}

/** @returns until when it is promised, on `atMost`; never more than a lease can last, whatever the manager says */
function untilOf(sentAt: Elapsed, expiresIn: number, leaseSeconds: number): Elapsed {
  return sentAt + Math.min(expiresIn, leaseSeconds) * 1000
}

function takesOf(record: GrantedLease, isSure: boolean): Takes {
  const renewals = (why: ClosedBy): Takes => ({ kind: 'renewals', why })
  if (record.ended !== undefined) return { kind: 'nothing', why: 'lease_returning' }
  if (record.state === 'returning') return renewals('lease_returning')
  return isSure ? { kind: 'sessions' } : renewals('manager_unreachable')
}

/** What applications are told: the manager's word where it is one that they know. */
function endReasonOf(reason: string | undefined): EndReason {
  return endReasons.find((one) => one === reason) ?? 'lease_lost'
}

function factsOf({ id, manager, ask, terms }: LeaseRecord) {
  return {
    lease: id,
    product: terms?.product ?? (ask.product as ProductName),
    seats: terms?.seats ?? ask.seats,
    manager: manager.id,
    managerName: manager.name,
    ...(terms === undefined ? {} : { license: terms.license }),
  }
}
