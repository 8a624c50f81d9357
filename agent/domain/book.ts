/**
 * The book of seats: committed supplies, grants and tombstones with their counts, and drafts of it (R4).
 * A draft is decided on and then either becomes the book's state or is dropped; the book itself changes in no other way.
 * Pure; the lessor owns the one book.
 */
import { EndedIds } from './ended-ids.ts'
import type { Grant, Part, Tombstone } from './grant.ts'
import { type ProductName, productName, vendorOf } from './product-name.ts'
import { fitsProduct, type Supply } from './supply.ts'
import { addHolding, featureUnit, type Holdings, keyInUnit, occupiedBy, removeHolding } from './usage.ts'

/** What deciding and explaining may read. */
export interface SeatView {
  supply(id: string): Supply | undefined
  /** Every supply of a vendor, closed ones included. */
  suppliesOf(vendor: string): readonly Supply[]
  /** Those of them that fit the product. */
  suppliesFor(name: ProductName): readonly Supply[]
  grant(id: string): Grant | undefined
  tombstone(id: string): Tombstone | undefined
  /** Seats in use in a unit (a supply, or `featureUnit`). */
  used(unit: string): number
  /** Seats that a count key occupies in a unit. */
  occupied(unit: string, key: string): number
  /** Grants with seats out of a supply, the longest there first; of one product where it is given. */
  grantsOf(supply: string, product?: ProductName): Iterable<Grant>
}

export class Book implements SeatView {
  readonly #supplies = new Map<string, Supply>()
  readonly #suppliesOfVendor = new Map<string, Supply[]>()
  readonly #grants = new Map<string, Grant>()
  readonly #tombstones = new EndedIds()
  readonly #used = new Map<string, number>()
  readonly #holdings = new Map<string, Holdings>()
  /** Supply > product > ids of grants. */
  readonly #members = new Map<string, Map<ProductName, Set<string>>>()

  supply(id: string): Supply | undefined {
    return this.#supplies.get(id)
  }

  supplies(): Iterable<Supply> {
    return this.#supplies.values()
  }

  suppliesOf(vendor: string): readonly Supply[] {
    return this.#suppliesOfVendor.get(vendor) ?? []
  }

  suppliesFor(name: ProductName): readonly Supply[] {
    return this.suppliesOf(vendorOf(name)).filter((supply) => fitsProduct(supply, name))
  }

  grant(id: string): Grant | undefined {
    return this.#grants.get(id)
  }

  grants(): Iterable<Grant> {
    return this.#grants.values()
  }

  get grantCount(): number {
    return this.#grants.size
  }

  tombstone(id: string): Tombstone | undefined {
    return this.#tombstones.get(id)
  }

  tombstones(): Iterable<Tombstone> {
    return this.#tombstones.values()
  }

  used(unit: string): number {
    return this.#used.get(unit) ?? 0
  }

  occupied(unit: string, key: string): number {
    return occupiedBy(this.#holdings.get(keyInUnit(unit, key)))
  }

  *grantsOf(supply: string, product?: ProductName): Iterable<Grant> {
    const members = this.#members.get(supply)
    if (!members) return
    for (const [name, ids] of members) {
      if (product !== undefined && name !== product) continue
      for (const id of ids) {
        const grant = this.#grants.get(id)
        if (grant) yield grant
      }
    }
  }

  holdings(id: string): Holdings | undefined {
    return this.#holdings.get(id)
  }

  /** Vendors that have this product by name, for bare product names. */
  vendorsOf(product: string): ProductName[] {
    const found = new Set<ProductName>()
    for (const supply of this.#supplies.values())
      if (supply.product === product) found.add(productName(supply.vendor, product))
    return [...found]
  }

  /** Vendors with seats that fit any of their products. */
  vendorsOfAny(): string[] {
    return [
      ...new Set([...this.#supplies.values()].filter((one) => one.product === undefined).map((one) => one.vendor)),
    ]
  }

  draft(): Draft {
    return new Draft(this)
  }

  /** Makes a draft the state. Only the lessor calls it, after the batch is on disk. */
  apply(draft: Draft): void {
    for (const [id, supply] of draft.supplyChanges) setOrDelete(this.#supplies, id, supply)
    if (draft.supplyChanges.size > 0) this.#indexVendors()
    for (const [id, grant] of draft.grantChanges) {
      const before = this.#grants.get(id)
      setOrDelete(this.#grants, id, grant)
      if (before?.parts === grant?.parts) continue
      if (before) for (const part of before.parts) this.#leave(part, before)
      if (grant) for (const part of grant.parts) this.#join(part, grant)
    }
    for (const [id, tombstone] of draft.tombstoneChanges) this.#tombstones.set(id, tombstone)
    for (const [unit, used] of draft.usedChanges) setOrDelete(this.#used, unit, used === 0 ? undefined : used)
    for (const [key, holdings] of draft.holdingChanges) setOrDelete(this.#holdings, key, holdings)
  }

  #indexVendors(): void {
    this.#suppliesOfVendor.clear()
    for (const supply of this.#supplies.values()) {
      const list = this.#suppliesOfVendor.get(supply.vendor)
      if (list) list.push(supply)
      else this.#suppliesOfVendor.set(supply.vendor, [supply])
    }
  }

  #join(part: Part, { id, product }: Grant): void {
    const members = this.#members.get(part.supply)
    const ids = members?.get(product)
    if (ids) ids.add(id)
    else if (members) members.set(product, new Set([id]))
    else this.#members.set(part.supply, new Map([[product, new Set([id])]]))
  }

  #leave(part: Part, { id, product }: Grant): void {
    const members = this.#members.get(part.supply)
    const ids = members?.get(product)
    if (!members || !ids?.delete(id) || ids.size > 0) return
    members.delete(product)
    if (members.size === 0) this.#members.delete(part.supply)
  }
}

export class Draft implements SeatView {
  readonly #book: Book
  readonly supplyChanges = new Map<string, Supply | undefined>()
  readonly grantChanges = new Map<string, Grant | undefined>()
  readonly tombstoneChanges = new Map<string, Tombstone | undefined>()
  readonly usedChanges = new Map<string, number>()
  readonly holdingChanges = new Map<string, Holdings | undefined>()

  constructor(book: Book) {
    this.#book = book
  }

  supply(id: string): Supply | undefined {
    return this.supplyChanges.has(id) ? this.supplyChanges.get(id) : this.#book.supply(id)
  }

  suppliesOf(vendor: string): readonly Supply[] {
    const committed = this.#book.suppliesOf(vendor)
    if (this.supplyChanges.size === 0) return committed
    const changed = [...this.supplyChanges.values()].filter((one) => one?.vendor === vendor)
    return [...committed.filter((one) => !this.supplyChanges.has(one.id)), ...(changed as Supply[])]
  }

  suppliesFor(name: ProductName): readonly Supply[] {
    return this.suppliesOf(vendorOf(name)).filter((supply) => fitsProduct(supply, name))
  }

  grant(id: string): Grant | undefined {
    return this.grantChanges.has(id) ? this.grantChanges.get(id) : this.#book.grant(id)
  }

  tombstone(id: string): Tombstone | undefined {
    return this.tombstoneChanges.has(id) ? this.tombstoneChanges.get(id) : this.#book.tombstone(id)
  }

  used(unit: string): number {
    return this.usedChanges.get(unit) ?? this.#book.used(unit)
  }

  occupied(unit: string, key: string): number {
    return occupiedBy(this.#holdings(keyInUnit(unit, key)))
  }

  *grantsOf(supply: string, product?: ProductName): Iterable<Grant> {
    // In the order that the book will have: who was there stays in place, who comes is at the end.
    for (const committed of this.#book.grantsOf(supply, product)) {
      const grant = this.grant(committed.id)
      if (grant?.parts === committed.parts) yield grant
    }
    for (const grant of this.grantChanges.values()) {
      if (!grant || (product !== undefined && grant.product !== product)) continue
      if (grant.parts === this.#book.grant(grant.id)?.parts) continue
      if (grant.parts.some((part) => part.supply === supply)) yield grant
    }
  }

  /** What `look` sees when the grant is not counted. */
  without<T>(grant: Grant, look: () => T): T {
    this.#count(grant, -1)
    const seen = look()
    this.#count(grant, 1)
    return seen
  }

  putSupply(supply: Supply): void {
    this.supplyChanges.set(supply.id, supply)
  }

  dropSupply(id: string): void {
    this.supplyChanges.set(id, undefined)
  }

  putGrant(grant: Grant): void {
    const before = this.grant(grant.id)
    if (before?.parts !== grant.parts) {
      if (before) this.#count(before, -1)
      this.#count(grant, 1)
    }
    // Put back as it is committed: that is no change, so that a move taken back leaves no trace.
    if (grant === this.#book.grant(grant.id)) this.grantChanges.delete(grant.id)
    else this.grantChanges.set(grant.id, grant)
  }

  dropGrant(id: string): void {
    const before = this.grant(id)
    if (before) this.#count(before, -1)
    this.grantChanges.set(id, undefined)
  }

  putTombstone(tombstone: Tombstone): void {
    this.tombstoneChanges.set(tombstone.id, tombstone)
  }

  dropTombstone(id: string): void {
    this.tombstoneChanges.set(id, undefined)
  }

  #count(grant: Grant, sign: 1 | -1): void {
    for (const part of grant.parts) {
      this.#countIn(part.supply, part, sign)
      if (grant.feature !== undefined) this.#countIn(featureUnit(part.supply, grant.feature), part, sign)
    }
  }

  #countIn(unit: string, part: Part, sign: 1 | -1): void {
    if (part.key === undefined) {
      this.usedChanges.set(unit, this.used(unit) + sign * part.seats)
      return
    }
    const id = keyInUnit(unit, part.key)
    const before = this.#holdings(id)
    const after = sign === 1 ? addHolding(before, part.seats) : removeHolding(before ?? [], part.seats)
    this.holdingChanges.set(id, after)
    this.usedChanges.set(unit, this.used(unit) + occupiedBy(after) - occupiedBy(before))
  }

  #holdings(id: string): Holdings | undefined {
    return this.holdingChanges.has(id) ? this.holdingChanges.get(id) : this.#book.holdings(id)
  }
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
