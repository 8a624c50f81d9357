/**
 * Seats that an administrator wants this machine to have in advance: how many of which product. Owns these wishes; taking and
 * giving back is the keeper's. Must not import http.
 */
import type { ProductName } from './domain/product-name.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Leases } from './leases.ts'
import type { Lessor } from './lessor.ts'
import type { Keep, KeepTrouble } from './reserve-keep.ts'
import type { ReserveKeeper } from './reserve-keeper.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction, Writes } from './writes.ts'

export interface Reserve {
  readonly id: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
}

/** Seats of one manager that are kept. */
export interface KeptSeats {
  readonly manager: { readonly id: string; readonly name: string }
  readonly seats: number
  readonly used: number
  /** Wall time in ms until which the first of them lasts with no word of its manager. */
  readonly until: number
}

export interface KeptState {
  readonly taken: number
  readonly used: number
  readonly from: readonly KeptSeats[]
  /** Why seats are missing; absent where none is. */
  readonly trouble?: KeepTrouble
}

export interface ReserveState extends Reserve, KeptState {}

export interface ReservesOptions {
  readonly writes: Writes
  readonly keeper: () => ReserveKeeper
}

/** In all; each seat is a lease of its own. */
export const mostReserved = 1_000
const prefix = 'reserve:'

export class Reserves implements RecordOwner {
  readonly kinds = ['reserve'] as const
  readonly #options: ReservesOptions
  readonly #reserves = new Map<string, Reserve>()
  /** What was told of each in the journal. */
  readonly #told = new Map<string, number>()

  constructor(options: ReservesOptions) {
    this.#options = options
  }

  list(): Reserve[] {
    return [...this.#reserves.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  get(id: string): Reserve | undefined {
    return this.#reserves.get(id)
  }

  *keeps(): Iterable<Keep> {
    for (const { id, product, feature, seats } of this.#reserves.values())
      yield {
        name: keepName(id),
        product,
        ...(feature === undefined ? {} : { feature }),
        seats,
        exclusive: false,
      }
  }

  /** Sets what is wanted; what is missing is taken now as far as it is there. @param by for the journal */
  async put(reserve: Reserve, by: string): Promise<{ readonly kind: 'put'; readonly isNew: boolean } | Refusal> {
    const others = this.list().reduce((sum, one) => (one.id === reserve.id ? sum : sum + one.seats), 0)
    if (others + reserve.seats > mostReserved)
      return refuse('invalid_request', `This machine keeps at most ${mostReserved} seats in advance.`, {
        fields: [{ field: 'seats', message: `must be at most ${Math.max(0, mostReserved - others)}` }],
      })
    const isNew = !this.#reserves.has(reserve.id)
    await this.#write((transaction) => {
      transaction.put('reserve', reserve.id, reserve as unknown as JsonValue)
      transaction.journal({ type: 'reserve.set', facts: { ...factsOf(reserve), by } })
      transaction.after(() => this.#reserves.set(reserve.id, reserve))
    })
    this.#told.delete(reserve.id)
    await this.#options.keeper().fill(keepName(reserve.id))
    return { kind: 'put', isNew }
  }

  async remove(id: string, by: string): Promise<{ readonly kind: 'removed' } | Refusal> {
    const reserve = this.#reserves.get(id)
    if (!reserve) return refuse('unknown_reserve', `There is no reserve ${id}.`)
    await this.#write((transaction) => {
      transaction.delete('reserve', id)
      transaction.journal({ type: 'reserve.removed', facts: { ...factsOf(reserve), by } })
      transaction.after(() => this.#reserves.delete(id))
    })
    this.#told.delete(id)
    return { kind: 'removed' }
  }

  /** To be called after every try: the journal says when a reserve has another number of seats than before. */
  noteTried(name: string, taken: number): void {
    const reserve = name.startsWith(prefix) ? this.#reserves.get(name.slice(prefix.length)) : undefined
    if (!reserve || taken === (this.#told.get(reserve.id) ?? reserve.seats)) return
    this.#told.set(reserve.id, taken)
    this.#options.writes
      .submit((transaction) => {
        transaction.journal({ type: 'reserve.filled', facts: { ...factsOf(reserve), asked: reserve.seats, taken } })
      })
      // The next try tells it.
      .catch(() => this.#told.delete(reserve.id))
  }

  reset(): void {
    this.#reserves.clear()
  }

  restore({ key, value }: StoredRecord): void {
    this.#reserves.set(key, value as unknown as Reserve)
  }

  async #write(job: (transaction: Transaction) => void): Promise<void> {
    await this.#options.writes.submit(job)
    this.#options.keeper().look()
  }
}

export function keepName(reserve: string): string {
  return `${prefix}${reserve}`
}

function factsOf({ id, product, feature, seats }: Reserve) {
  return { reserve: id, product, seats, ...(feature === undefined ? {} : { feature }) }
}

export interface KeptStateParts {
  readonly keeper: ReserveKeeper
  readonly leases: Pick<Leases, 'left'>
  readonly lessor: Pick<Lessor, 'view'>
  /** Wall time in ms. */
  readonly wall: () => number
}

/** What is kept for a name, as people see it. */
export function keptState(name: string, seats: number, { keeper, leases, lessor, wall }: KeptStateParts): KeptState {
  const from = new Map<string, KeptSeats>()
  for (const { id, manager, terms } of keeper.held(name)) {
    const before = from.get(manager.id) ?? { manager, seats: 0, used: 0, until: Number.POSITIVE_INFINITY }
    from.set(manager.id, {
      manager,
      seats: before.seats + terms.seats,
      used: before.used + lessor.view.used(id),
      until: Math.min(before.until, wall() + leases.left(id)),
    })
  }
  const all = [...from.values()]
  const taken = all.reduce((sum, one) => sum + one.seats, 0)
  const trouble = taken < seats ? keeper.trouble(name) : undefined
  return {
    taken,
    used: all.reduce((sum, one) => sum + one.used, 0),
    from: all,
    ...(trouble === undefined ? {} : { trouble }),
  }
}
