/**
 * Keeps seats in advance, one lease for each: of the own licenses first, then of other managers; tops up what is missing again and
 * again, gives back what is more than wanted. What is wanted is its users' (reserves, sites), who own that; the records of the
 * leases are `leases.ts`'s, taking one is `reserve-taker.ts`'s. Owns when it tries next. Must not import broker or http.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import { type GrantedLease, isGranted } from './lease-record.ts'
import type { Asked } from './lease-search.ts'
import type { LeaseSeats } from './lease-seats.ts'
import type { Lessor, SeatEvent } from './lessor.ts'
import { isOf, type Keep, type KeepTrouble } from './reserve-keep.ts'
import type { OwnSeats } from './reserve-own.ts'
import { SeatTaker } from './reserve-taker.ts'

export interface KeeperOptions {
  readonly remote: LeaseSeats
  readonly own: OwnSeats
  readonly lessor: Pick<Lessor, 'view'>
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => { readonly id: string; readonly name: string }
  /** What is wanted now. */
  readonly keeps: () => Iterable<Keep>
  /** Told after a try, with how many seats there are now. */
  readonly onTried?: (name: string, taken: number) => void
  readonly onTrouble: (what: string, error: unknown) => void
}

interface Trying {
  /** On `atLeast`. */
  next: number
  pause: number
  running?: Promise<void>
  trouble?: Omit<KeepTrouble, 'retryIn'>
}

/** Leases that go back, and who waits for that. */
interface Leaving {
  readonly ids: ReadonlySet<string>
  readonly done: () => void
}

/** In ms. */
const lookEvery = 1_000
const firstPause = 15_000
const longestPause = 120_000
/** After something came free it is tried at once, but not more often than this. */
const shortestPause = 2_000
/** So many seats are asked for at the same time. */
const mostAtOnce = 8

export class ReserveKeeper {
  readonly #options: KeeperOptions
  readonly #taker: SeatTaker
  readonly #trying = new Map<string, Trying>()
  /** Given back as a whole; not filled meanwhile. */
  readonly #draining = new Set<string>()
  readonly #leaving = new Set<Leaving>()
  /** Leases that were still in use when their time to come back was over, and for whom they were kept. */
  readonly #late = new Map<string, string>()
  #ticking: Cancel | undefined
  #isLookDue = false
  #isGivingBack = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#taker = new SeatTaker({ ...options, isWanted: (name) => this.#missing(name) !== undefined })
  }

  /** After the store is open. */
  start(): void {
    const { remote, timers } = this.#options
    this.#ticking = timers.every(lookEvery, () => this.look())
    remote.leases.onChange(() => {
      this.#noteGone()
      this.#lookSoon()
    })
    remote.known.onChange(() => this.#noteOffers())
    this.look()
  }

  stop(): void {
    this.#ticking?.()
    this.#ticking = undefined
  }

  /** Seats that are kept for a name now, the oldest first. */
  held(name: string): GrantedLease[] {
    const found: GrantedLease[] = []
    for (const one of this.#options.remote.leases.list())
      if (one.kept && one.for === name && one.state === 'held' && isGranted(one) && one.ended === undefined)
        found.push(one)
    return found.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
  }

  trouble(name: string): KeepTrouble | undefined {
    const trying = this.#trying.get(name)
    if (!trying?.trouble) return undefined
    const left = Math.max(0, trying.next - this.#options.clock.atLeast())
    return { ...trying.trouble, retryIn: Math.ceil(left / 1000) }
  }

  /** To be called with everything the lessor tells: a seat of the own licenses may be free. */
  noteSeats(event: SeatEvent): void {
    if (event.kind === 'ended' || event.kind === 'supplies')
      this.#hurry(({ product, feature }) => this.#options.own.freeSeat(product, feature) !== undefined)
  }

  /** Compares what there is with what is wanted; to be called whenever that has changed. */
  look(): void {
    if (this.#ticking === undefined) return
    const keeps = new Map(Array.from(this.#options.keeps(), (one) => [one.name, one]))
    for (const name of this.#trying.keys()) if (!keeps.has(name)) this.#trying.delete(name)
    this.#giveBack(this.#unwanted(keeps))
    const now = this.#options.clock.atLeast()
    for (const keep of keeps.values()) {
      const { next, running } = this.#tryingOf(keep.name)
      if (running || next > now || this.#draining.has(keep.name)) continue
      if (this.#missingOf(keep) > 0) void this.fill(keep.name)
      else this.#forgetTrouble(keep.name)
    }
  }

  /** Takes what is missing now, as far as it is there. @returns how many there are then */
  async fill(name: string): Promise<number> {
    const trying = this.#tryingOf(name)
    trying.running ??= this.#fill(name, trying)
      .catch((error: unknown) => this.#options.onTrouble('seats could not be taken in advance', error))
      .finally(() => {
        delete trying.running
        trying.next = this.#options.clock.atLeast() + trying.pause
        trying.pause = Math.min(longestPause, trying.pause * 2)
        this.#options.onTried?.(name, this.held(name).length)
      })
    await trying.running
    return this.held(name).length
  }

  /**
   * Gives back all that is kept for a name, whatever is wanted, and calls `meanwhile` once nothing new can live on it. Resolves with
   * how many that were when all are back, or `most` ms later; they are taken anew after that, and those that come later then.
   */
  async drain(name: string, most: number, meanwhile: () => Promise<void>): Promise<number> {
    const { leases } = this.#options.remote
    this.#draining.add(name)
    try {
      await this.#trying.get(name)?.running
      const ids = this.held(name).map(({ id }) => id)
      await leases.giveBack(ids)
      await meanwhile()
      await this.#gone(new Set(ids), most)
      for (const id of ids) if (leases.get(id)) this.#late.set(id, name)
      return ids.length
    } finally {
      this.#draining.delete(name)
    }
  }

  #gone(ids: ReadonlySet<string>, most: number): Promise<void> {
    const { timers } = this.#options
    return new Promise((resolve) => {
      const leaving: Leaving = {
        ids,
        done: () => {
          cancel()
          this.#leaving.delete(leaving)
          resolve()
        },
      }
      const cancel = timers.after(most, leaving.done)
      this.#leaving.add(leaving)
      this.#noteGone()
    })
  }

  #noteGone(): void {
    const { leases } = this.#options.remote
    for (const { ids, done } of [...this.#leaving]) if (![...ids].some((id) => leases.get(id))) done()
    for (const [id, name] of this.#late) {
      if (leases.get(id)) continue
      this.#late.delete(id)
      // It is free where it came from.
      const trying = this.#trying.get(name)
      if (trying?.trouble) trying.next = Math.min(trying.next, this.#options.clock.atLeast() + shortestPause)
    }
  }

  /** Ids of leases that nobody wants: of names that are gone, of other products, and of more than are wanted. */
  #unwanted(keeps: ReadonlyMap<string, Keep>): string[] {
    const { leases, search } = this.#options.remote
    const unwanted: string[] = []
    const names = new Set<string>()
    for (const one of leases.list()) {
      if (!one.kept || one.state !== 'held') continue
      const keep = keeps.get(one.for)
      if (!keep || !isOf(keep, one)) unwanted.push(one.id)
      else if (one.manager.id !== this.#options.self().id && !search.isOpen(keep.product) && this.#isUnused(one.id))
        unwanted.push(one.id)
      else names.add(one.for)
    }
    for (const name of names) {
      if (this.#draining.has(name)) continue
      const held = this.held(name)
        .filter(({ id }) => !unwanted.includes(id))
        .reverse()
      const excess = held.length - (keeps.get(name)?.seats ?? 0)
      if (excess <= 0) continue
      // Those that nothing lives on; of the others the youngest take nothing new and go back when they are empty.
      const order = [...held.filter(({ id }) => this.#isUnused(id)), ...held.filter(({ id }) => !this.#isUnused(id))]
      unwanted.push(...order.slice(0, excess).map(({ id }) => id))
    }
    return unwanted
  }

  #isUnused(id: string): boolean {
    for (const _ of this.#options.lessor.view.grantsOf(id)) return false
    return true
  }

  #giveBack(ids: readonly string[]): void {
    if (ids.length === 0 || this.#isGivingBack) return
    this.#isGivingBack = true
    this.#options.remote.leases
      .giveBack(ids)
      .catch((error: unknown) => this.#options.onTrouble('seats could not be given back', error))
      .finally(() => {
        this.#isGivingBack = false
      })
  }

  // ---- taking

  async #fill(name: string, trying: Trying): Promise<void> {
    const asked: Asked[] = []
    let said: Omit<KeepTrouble, 'asked' | 'retryIn'> | undefined
    for (let keep = this.#missing(name); keep; keep = this.#missing(name)) {
      const { product, feature } = keep
      const isElsewhere = this.#options.remote.settings().forProduct(product).mode === 'network'
      const offer = isElsewhere ? undefined : this.#options.own.freeSeat(product, feature)
      const missing = Math.min(mostAtOnce, this.#missingOf(keep))
      if (offer) {
        const taken = await this.#each(missing, () => this.#taker.takeOwn(keep, offer))
        if (taken > 0) continue
      }
      if (asked.length === 0) await this.#options.remote.known.settled()
      const count = Math.min(missing, Math.max(1, this.#taker.freeElsewhere(product)))
      const found = await Promise.all(Array.from({ length: count }, () => this.#taker.takeElsewhere(keep)))
      asked.push(...found.flatMap((one) => one.asked))
      said = found.find((one) => one.said)?.said ?? said
      if (!found.some(({ isTaken }) => isTaken)) break
    }
    if (!this.#missing(name)) return this.#forgetTrouble(name)
    trying.trouble = { ...(said ?? nothing), asked: asked.slice(-20) }
  }

  /** What is wanted, if there are too few of it. */
  #missing(name: string): Keep | undefined {
    for (const keep of this.#options.keeps())
      if (keep.name === name) return this.#missingOf(keep) > 0 ? keep : undefined
    return undefined
  }

  #missingOf(keep: Keep): number {
    const held = this.held(keep.name).filter((one) => isOf(keep, one))
    return Math.max(0, keep.seats - held.length)
  }

  async #each(count: number, take: () => Promise<boolean>): Promise<number> {
    const results = await Promise.all(Array.from({ length: count }, () => take()))
    return results.filter(Boolean).length
  }

  // ---- when

  #tryingOf(name: string): Trying {
    const known = this.#trying.get(name)
    if (known) return known
    const trying: Trying = { next: 0, pause: firstPause }
    this.#trying.set(name, trying)
    return trying
  }

  #forgetTrouble(name: string): void {
    const trying = this.#tryingOf(name)
    trying.pause = firstPause
    trying.next = 0
    delete trying.trouble
  }

  #noteOffers(): void {
    this.#hurry(({ product }) => this.#taker.freeElsewhere(product) > 0)
  }

  /** Tries at once where something is missing and may be there now. */
  #hurry(mayBeThere: (keep: Keep) => boolean): void {
    if (this.#trying.size === 0) return
    const soon = this.#options.clock.atLeast() + shortestPause
    for (const keep of this.#options.keeps()) {
      const trying = this.#trying.get(keep.name)
      if (trying?.trouble && trying.next > soon && mayBeThere(keep)) trying.next = soon
    }
  }

  #lookSoon(): void {
    if (this.#isLookDue || this.#ticking === undefined) return
    this.#isLookDue = true
    queueMicrotask(() => {
      this.#isLookDue = false
      this.look()
    })
  }
}

const nothing = { code: 'no_seats', detail: 'No license manager that is known has a free seat of it.' }
