/**
 * Takes single seats in advance: of the own licenses, or of another manager. Owns nothing; when and how many is the keeper's. Must
 * not import broker or http.
 */
import type { ProductName } from './domain/product-name.ts'
import type { Asked } from './lease-search.ts'
import type { LeaseSeats } from './lease-seats.ts'
import type { Want } from './lease-want.ts'
import type { Keep, KeepTrouble } from './reserve-keep.ts'
import type { OwnSeats } from './reserve-own.ts'

export interface SeatTakerOptions {
  readonly remote: LeaseSeats
  readonly own: OwnSeats
  readonly self: () => { readonly id: string; readonly name: string }
  /** Whether one more is wanted when it comes; else it goes back. */
  readonly isWanted: (name: string) => boolean
}

/** What came of asking other managers for one seat. */
export interface TakenElsewhere {
  readonly isTaken: boolean
  readonly asked: readonly Asked[]
  /** Why not, where it is known. */
  readonly said: Pick<KeepTrouble, 'code' | 'detail'> | undefined
}

/** In ms. */
const askTimeout = 5_000

export class SeatTaker {
  readonly #options: SeatTakerOptions

  constructor(options: SeatTakerOptions) {
    this.#options = options
  }

  /** Free seats of other managers, as far as is known. */
  freeElsewhere(product: ProductName): number {
    const free = (all: number, used: number): number => Math.max(0, all - used)
    return this.#options.remote.known
      .offering(product)
      .reduce((sum, { offer }) => sum + free(offer.seats, offer.used) + free(offer.anySeats, offer.anyUsed), 0)
  }

  /** @param offer as `OwnSeats` tells that there is a free seat @returns whether one was taken */
  async takeOwn(keep: Keep, offer: { readonly vendorKey: string }): Promise<boolean> {
    const { own, remote } = this.#options
    const { asking } = remote
    // Asking looks at nothing but the key; the other fields are for people.
    const offering = { link: own, offer: { ...nothingOffered, ...offer, product: keep.product } }
    const ticket = await asking.begin(offering, this.#wantOf(keep, []), 1)
    const reply = await asking.send(ticket, { timeout: askTimeout })
    if (reply.kind === 'granted') return (await asking.take([reply.piece], () => this.#placed(keep.name))).isPlaced
    if (reply.kind === 'refused') asking.refused(ticket)
    else await asking.drop([ticket])
    return false
  }

  async takeElsewhere(keep: Keep): Promise<TakenElsewhere> {
    const { remote, self } = this.#options
    const want = this.#wantOf(keep, [self().id])
    const { placed, asked, refusals, unreachable } = await remote.search.obtain(want, () => this.#placed(keep.name))
    const refusal = refusals.find(({ problem }) => problem.code !== 'no_seats') ?? refusals[0]
    const said = refusal
      ? { code: refusal.problem.code, detail: `${refusal.manager.name}: ${refusal.problem.detail ?? 'no reason.'}` }
      : unreachable > 0
        ? { code: 'manager_unreachable', detail: 'No license manager that has it can be reached.' }
        : undefined
    return { isTaken: placed === true, asked, said }
  }

  #placed(name: string) {
    const isPlaced = this.#options.isWanted(name)
    return { isPlaced, isOver: true, answer: isPlaced }
  }

  #wantOf({ name, product, feature, exclusive }: Keep, chain: readonly string[]): Want {
    const { id, name: host } = this.#options.self()
    return {
      for: name,
      kept: true,
      ...(exclusive ? { onlyFor: name } : {}),
      product,
      ...(feature === undefined ? {} : { feature }),
      seats: 1,
      missing: 1,
      inOne: true,
      purpose: 'reserve',
      agent: id,
      who: { application: name, host },
      chain,
    }
  }
}

const nothingOffered = {
  features: [],
  seats: 0,
  used: 0,
  detached: 0,
  notDetachable: 0,
  detachable: 0,
  maxDetachDays: 0,
  anySeats: 0,
  anyUsed: 0,
  rule: 'session' as const,
  waiting: 0,
  licenses: [],
  chain: [],
}
