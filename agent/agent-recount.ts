/**
 * Connects Recount to the owners. Part of the composition root; only what connects the API and the pages imports it.
 */
import { productName } from './domain/product-name.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import { type RecountedSupply, recount } from './recount.ts'
import type { Writer } from './writer.ts'

export interface RecountSources {
  readonly writer: Writer
  readonly lessor: Lessor
}

/** Every batch frees what is overdue, so an entry in the journal does both: it frees, and says that there was a recount. */
export async function recountProduct(
  { writer, lessor }: RecountSources,
  id: string,
): Promise<{ readonly kind: 'recounted'; readonly licenses: RecountedSupply[] } | Refusal> {
  const [vendor = '', product = ''] = id.split('/')
  const supplies = [...lessor.view.supplies()].filter(
    (supply) => supply.vendor === vendor && (product === '*' ? supply.product === undefined : true),
  )
  const found = supplies.some((supply) => (supply.product ?? '*') === product)
  if (!found) return refuse('unknown_product', `No license for ${id} is installed here.`)
  await writer.submit((transaction) => transaction.journal({ type: 'health.recounted', facts: { product: id } }))
  const licenses = recount(lessor.view, productName(vendor, product))
  return { kind: 'recounted', licenses }
}
