/**
 * Which leases each other agent holds from here. Owns an index over the lessor's grants, nothing that counts: it is made anew when
 * the lessor has read everything anew.
 */
import type { Grant } from '../domain/grant.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { Lessor, SeatEvent } from '../lessor.ts'

export class HeldLeases {
  readonly #lessor: Pick<Lessor, 'view'>
  /** Agent > ids of grants. */
  #held = new Map<string, Set<string>>()
  /** What the index was made from. */
  #view: Lessor['view'] | undefined

  constructor(lessor: Pick<Lessor, 'view'>) {
    this.#lessor = lessor
  }

  /** To be called with everything the lessor tells. */
  note(event: SeatEvent): void {
    if (event.kind === 'supplies' || event.grant.kind !== 'lease' || this.#view !== this.#lessor.view) return
    const { grant } = event
    if (event.kind !== 'ended') add(this.#held, grant)
    else {
      const ids = this.#held.get(grant.holder)
      ids?.delete(grant.id)
      if (ids?.size === 0) this.#held.delete(grant.holder)
    }
  }

  *of(holder: string): Iterable<Grant> {
    for (const id of this.#all().get(holder) ?? []) {
      const grant = this.#lessor.view.grant(id)
      if (grant) yield grant
    }
  }

  /** Seats of a product that an agent holds. */
  seats(holder: string, product: ProductName): number {
    let seats = 0
    for (const grant of this.of(holder)) if (grant.product === product) seats += grant.seats
    return seats
  }

  #all(): Map<string, Set<string>> {
    const { view } = this.#lessor
    if (this.#view === view) return this.#held
    this.#held = new Map()
    for (const grant of view.grants()) if (grant.kind === 'lease') add(this.#held, grant)
    this.#view = view
    return this.#held
  }
}

function add(held: Map<string, Set<string>>, { holder, id }: Grant): void {
  const ids = held.get(holder)
  if (ids) ids.add(id)
  else held.set(holder, new Set([id]))
}
