/**
 * Moving what is out of licenses to the license that takes their place: which of its supplies takes what (R6, I13). Owns
 * nothing; the owner is `license-shelf.ts`.
 */
import type { License } from './domain/documents/license.ts'
import { licenseSupplyId, type Supply } from './domain/supply.ts'
import type { Lessor } from './lessor.ts'
import { productIn } from './license-supplies.ts'
import type { Transaction } from './writes.ts'

/**
 * Within a job: nobody is thrown out while the new license has the product and feature, whether it has room or not; by how many
 * seats more than it has are out then is an overlap, and nothing new is granted until fewer are.
 * @param targets all supplies of the new license
 */
export function moveOut(
  transaction: Transaction,
  lessor: Pick<Lessor, 'transferSupply'>,
  olds: readonly Pick<License, 'id' | 'products'>[],
  targets: readonly Supply[],
): void {
  const excess = new Map<string, number>()
  for (const { id, products } of olds) {
    for (const product of products.map(productIn)) {
      for (const target of candidates(product, targets))
        excess.set(target.id, lessor.transferSupply(transaction, licenseSupplyId(id, product), target))
    }
  }
  for (const [supply, seats] of excess) {
    const license = targets.find((target) => target.id === supply)?.license ?? ''
    if (seats > 0)
      transaction.journal({ type: 'seat.overlap', facts: { license, supply, seats, reason: 'license_replaced' } })
  }
}

/** Where seats of a product may be from now on, best first: the product's own, else any-product seats. */
function candidates(product: string | undefined, targets: readonly Supply[]): readonly Supply[] {
  const fitting = targets.filter((target) => target.product === undefined)
  if (product !== undefined) return [...targets.filter((target) => target.product === product), ...fitting]
  return fitting.length > 0 ? fitting : targets
}
