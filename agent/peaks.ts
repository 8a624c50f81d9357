/**
 * The most seats of each feature that were in use at one time since the agent started (S17). Owns them, in memory.
 */
import type { Grant } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Supply } from './domain/supply.ts'
import { featureUnit } from './domain/usage.ts'

interface CountedFeatures {
  suppliesFor(name: ProductName): readonly Supply[]
  used(unit: string): number
}

const mostKept = 10_000

export class Peaks {
  readonly #most = new Map<string, number>()

  /** To be called with every session that was opened, after it counts. */
  note({ product, feature }: Pick<Grant, 'product' | 'feature'>, state: CountedFeatures): void {
    if (feature === undefined) return
    let used = 0
    for (const supply of state.suppliesFor(product))
      if (supply.product !== undefined) used += state.used(featureUnit(supply.id, feature))
    const name = nameOf(product, feature)
    const before = this.#most.get(name)
    if (before === undefined && this.#most.size >= mostKept) return
    if (used > (before ?? 0)) this.#most.set(name, used)
  }

  of(product: string, feature: string): number {
    return this.#most.get(nameOf(product, feature)) ?? 0
  }
}

function nameOf(product: string, feature: string): string {
  return `${product}\0${feature}`
}
