/**
 * Tells other agents, a moment later and together, that seats have changed; and those whose leases may be idle that somebody wants
 * them (R32). Owns what is to be told and its timer.
 */
import type { Cancel, Clock, Timers } from '../clock.ts'
import { isOwnLease } from '../domain/grant.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { Supply } from '../domain/supply.ts'
import type { Lessor } from '../lessor.ts'
import type { PeerNews } from './lease-desk-news.ts'

export interface LeaseCountsOptions {
  readonly lessor: Pick<Lessor, 'view'>
  readonly news: PeerNews
  readonly clock: Clock
  readonly timers: Timers
  readonly waiting: (product: ProductName) => number
}

/** In ms: how long changes are gathered, and how seldom at most the holders of one product are asked for what is idle. */
const gatherFor = 1_000
const wantedApart = 5_000

export class LeaseCounts {
  readonly #options: LeaseCountsOptions
  readonly #changed = new Set<ProductName>()
  readonly #wanted = new Set<ProductName>()
  readonly #wantedAt = new Map<ProductName, number>()
  /** Whether there were free seats when agents were last told. */
  readonly #free = new Map<ProductName, boolean>()
  /** As agents were last told; undefined = what they asked for is not known. */
  #pools: string | undefined
  #isPolicyChanged = false
  #timer: Cancel | undefined

  constructor(options: LeaseCountsOptions) {
    this.#options = options
  }

  /** Seats of the product have changed. */
  note(product: ProductName): void {
    this.#changed.add(product)
    this.#arm(gatherFor)
  }

  /** Somebody was refused a seat of the product, or waits for one. */
  want(product: ProductName): void {
    this.#wanted.add(product)
    this.#arm(gatherFor)
  }

  /** The same of seats that come from this manager: along the way that they came, so that it ends. */
  passOn(manager: string, product: ProductName): void {
    this.#tellHolders(product, (supply) => supply.manager?.id === manager)
  }

  /** There may be other pools. */
  noteSupplies(): void {
    this.#arm(gatherFor)
  }

  /** What is permitted here has changed. */
  notePolicy(): void {
    this.#isPolicyChanged = true
    this.#arm(gatherFor)
  }

  stop(): void {
    this.#timer?.()
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer ??= this.#options.timers.after(ms, () => {
      this.#timer = undefined
      this.#tell()
    })
  }

  #tell(): void {
    const { news, clock } = this.#options
    const pools = this.#describePools()
    if (this.#isPolicyChanged || (this.#pools !== undefined && pools !== this.#pools)) news.tell({ kind: 'policy' })
    this.#isPolicyChanged = false
    this.#pools = pools
    for (const product of this.#changed) this.#tellFree(product)
    this.#changed.clear()
    const now = clock.atLeast()
    for (const [product, at] of this.#wantedAt) if (now - at >= wantedApart) this.#wantedAt.delete(product)
    for (const product of this.#wanted) {
      if (this.#wantedAt.has(product)) continue
      // Who holds one may come to have it idle while somebody still waits.
      if (this.#options.waiting(product) === 0) this.#wanted.delete(product)
      this.#wantedAt.set(product, now)
      this.#tellHolders(product)
    }
    if (this.#wanted.size > 0) this.#arm(wantedApart)
  }

  /** Every agent that is told asks for the offers, so that is only worth it where the answer is another. */
  #tellFree(product: ProductName): void {
    const { lessor, news, waiting } = this.#options
    const isFree = lessor.view
      .suppliesFor(product)
      .some(({ id, seats, onlyFor }) => onlyFor === undefined && lessor.view.used(id) < seats)
    if (this.#free.get(product) === isFree) return
    this.#free.set(product, isFree)
    news.tell({ kind: 'counts', product, wanted: waiting(product) > 0 })
  }

  /** A supply that was leased is put anew with every renewal; that changes no pool. */
  #describePools(): string {
    const pools: string[] = []
    for (const { id, seats, takes, onlyKey, onlyFor } of this.#options.lessor.view.supplies())
      if (onlyKey === undefined && onlyFor === undefined) pools.push(`${id} ${seats} ${takes.kind}`)
    return pools.join('\n')
  }

  /** Whoever holds seats that would do, be it of another product: seats for any product are lent for one. */
  #tellHolders(product: ProductName, isMeant: (supply: Supply) => boolean = () => true): void {
    const { lessor, news } = this.#options
    const told = new Set<string>()
    for (const supply of lessor.view.suppliesFor(product).filter(isMeant))
      for (const grant of lessor.view.grantsOf(supply.id)) {
        if (grant.kind !== 'lease' || grant.ending !== undefined || isOwnLease(grant)) continue
        const topic = `${grant.holder} ${grant.product}`
        if (told.has(topic)) continue
        told.add(topic)
        news.send(grant.holder, { kind: 'counts', product: grant.product, wanted: true })
      }
  }
}
