/**
 * What this process has promised: for each live grant until when its holder may believe in it, and when the seat may be used
 * again. Memory only; the records hold durations (R3). Times are readings of `atLeast` in ms where nothing else is said.
 * Owned by the lessor.
 */
import { DueIndex } from './domain/due-index.ts'
import { type Grant, graceOf } from './domain/grant.ts'

export interface LivePromise {
  /** The holder may believe until then. */
  promisedUntil: number
  /** The seat may be used again from then on; never earlier than a promise plus its grace. */
  freeAt: number
  /**
   * As far as the stored record reaches, on the boot clock in ms: whoever reads it after a restart counts by that clock, which
   * runs on in sleep while `atLeast` stands still.
   */
  storedUntil: number
  /** Whether this process wrote the record; others' records are rewritten before they are promised from. */
  own: boolean
  /** When the application was last active; only kept by what it reports. */
  activeAt: number
  /** When the holder was last heard. */
  heardAt: number
  /** Whether this process has heard the holder, or only read of it. */
  heard: boolean
}

/** In ms. */
const confirmationDelay = 2_000
/** So many outdated entries are always fine. */
const fewEntries = 1_000

export class Promises {
  readonly #promises = new Map<string, LivePromise>()
  readonly #due = new DueIndex()
  readonly #idleLimit: () => number

  /** @param idleLimit after how many ms without reported activity a session ends */
  constructor(idleLimit: () => number) {
    this.#idleLimit = idleLimit
  }

  get(id: string): LivePromise | undefined {
    return this.#promises.get(id)
  }

  get size(): number {
    return this.#promises.size
  }

  /** A grant whose record this process has just written; what was promised before stays. @param seconds what the holder was told */
  make(grant: Grant, now: number, seconds: number): void {
    const before = this.#promises.get(grant.id)
    if (before) {
      this.stored(grant)
      this.extend(before, grant, now, seconds)
      return
    }
    const promisedUntil = now + seconds * 1000
    const promise: LivePromise = {
      promisedUntil,
      freeAt: promisedUntil + graceOf(grant.leaseSeconds),
      storedUntil: reachOf(grant),
      own: true,
      activeAt: now,
      heardAt: now,
      heard: true,
    }
    this.#promises.set(grant.id, promise)
    this.#due.add(grant.id, this.#deadlineOf(grant, promise))
  }

  /** A detachment, whose record this process has just written: it ends by its date and not by elapsed time (R11). */
  makeDated(grant: Grant, now: number): void {
    const freeAt = now + grant.freeIn
    const times = { promisedUntil: freeAt, freeAt, storedUntil: reachOf(grant), own: true, heardAt: now, heard: true }
    this.#promises.set(grant.id, { ...times, activeAt: now })
  }

  /** When a detachment is free by its date, as far as is known now. */
  date(id: string, freeAt: number): void {
    const promise = this.#promises.get(id)
    if (promise) promise.freeAt = freeAt
  }

  /** A grant that was read: what was promised is not known, so all that is stored counts. @param left ms */
  adopt(grant: Grant, now: number, left: number): void {
    const freeAt = now + left
    const promise: LivePromise = {
      promisedUntil: freeAt - graceOf(grant.leaseSeconds),
      freeAt,
      storedUntil: reachOf(grant),
      own: false,
      activeAt: now - grant.idleFor,
      heardAt: now,
      heard: false,
    }
    this.#promises.set(grant.id, promise)
    if (grant.kind !== 'detachment') this.#due.add(grant.id, this.#deadlineOf(grant, promise))
  }

  /** Whether a promise of so many seconds fits in what is stored (R3). @param bootAt now on the boot clock, in ms */
  fits(promise: LivePromise, grant: Grant, bootAt: number, seconds: number): boolean {
    return promise.own && bootAt + seconds * 1000 + graceOf(grant.leaseSeconds) <= promise.storedUntil
  }

  /** It is active after a long pause, and a restart would not know that. */
  isActiveAgain(promise: LivePromise, grant: Grant, now: number): boolean {
    return grant.activity === 'reported' && grant.idleFor - (now - promise.activeAt) > grant.leaseSeconds * 1000
  }

  /** Promises anew; nothing that was promised before is taken back. */
  extend(promise: LivePromise, grant: Grant, now: number, seconds: number): void {
    promise.promisedUntil = Math.max(promise.promisedUntil, now + seconds * 1000)
    promise.freeAt = Math.max(promise.freeAt, promise.promisedUntil + graceOf(grant.leaseSeconds))
    promise.heardAt = now
    promise.heard = true
  }

  /** Its record was written by this process. */
  stored(grant: Grant): void {
    const promise = this.#promises.get(grant.id)
    if (!promise) return
    promise.own = true
    promise.storedUntil = reachOf(grant)
  }

  /**
   * The holder was answered that it has ended, so it uses the seat no longer than that answer takes to reach it; a moment is
   * left for that, since a crash before the answer is out must find the record (R5).
   */
  confirm(id: string, now: number): void {
    const promise = this.#promises.get(id)
    if (!promise || promise.freeAt <= now + confirmationDelay) return
    promise.freeAt = now + confirmationDelay
    this.#due.add(id, promise.freeAt)
  }

  /** The holder gave it back, but may still prove it until the promise is over (R28). */
  giveBack(grant: Grant, now: number): void {
    const promise = this.#promises.get(grant.id)
    if (!promise) return
    promise.freeAt = Math.max(now, Math.min(promise.freeAt, promise.promisedUntil))
    this.#due.add(grant.id, promise.freeAt)
  }

  noteActivity(id: string, at: number): void {
    const promise = this.#promises.get(id)
    if (promise && at > promise.activeAt) promise.activeAt = at
  }

  drop(id: string): void {
    this.#promises.delete(id)
    // A session that ends early leaves its entry behind, with its id, for as long as it might have lived.
    if (this.#due.size > 2 * this.#promises.size + fewEntries) this.#due.keep((one) => this.#promises.has(one))
  }

  clear(): void {
    this.#promises.clear()
    this.#due.clear()
  }

  /** When this grant is to be looked at: its seat is free, or it has been idle for too long. Undefined = it is gone. */
  deadline(grant: Grant | undefined): number | undefined {
    const promise = grant && this.#promises.get(grant.id)
    return promise && this.#deadlineOf(grant, promise)
  }

  /** After the idle limit was changed deadlines may be earlier than the index has them. */
  lookAtAll(grants: Iterable<Grant>): void {
    this.#due.clear()
    for (const grant of grants) {
      const at = this.deadline(grant)
      if (at !== undefined && Number.isFinite(at)) this.#due.add(grant.id, at)
    }
  }

  #deadlineOf(grant: Grant, promise: LivePromise): number {
    if (grant.kind === 'detachment') return Number.POSITIVE_INFINITY
    if (grant.activity !== 'reported' || grant.ending !== undefined) return promise.freeAt
    return Math.min(promise.freeAt, promise.activeAt + this.#idleLimitOf(grant))
  }

  #idleLimitOf({ idleSeconds }: Grant): number {
    return idleSeconds === undefined ? this.#idleLimit() : idleSeconds * 1000
  }

  /** When to look next, as far as the index knows. */
  get next(): number | undefined {
    return this.#due.next
  }

  /**
   * Ids whose deadline has passed. Ids that were renewed since are put back with their right time, so this costs what is due,
   * not what lives. What is due stays in the index until it is dropped.
   */
  due(now: number, most: number, grantOf: (id: string) => Grant | undefined): string[] {
    const due = new Set<string>()
    for (let entry = this.#due.takeDue(now); entry; entry = this.#due.takeDue(now)) {
      const at = this.deadline(grantOf(entry.id))
      if (at === undefined || due.has(entry.id)) continue
      if (at > now) this.#due.add(entry.id, at)
      else due.add(entry.id)
      if (due.size >= most) break
    }
    for (const id of due) this.#due.add(id, now)
    return [...due]
  }
}

/** Until when the record of this process speaks, on the boot clock in ms. */
function reachOf(grant: Grant): number {
  return grant.written.at + grant.freeIn
}
