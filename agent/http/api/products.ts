/**
 * Products and their features: what there is, how much of it is in use, and whether that is counted right.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { modeExample, recountExample } from './insight-examples.ts'
import { moded, type RecountedLicense, recount, recountedProduct } from './insight-shapes.ts'
import { listFeaturesExample, listProductsExample } from './license-examples.ts'
import { type Feature, feature, type Product, product } from './license-shapes.ts'
import { type List, list, pageQuery, text } from './shapes.ts'

const featureQuery = z.strictObject({ ...pageQuery.shape, product: text().optional().describe('only of this product') })
export type FeatureQuery = z.infer<typeof featureQuery>

const mode = z.enum(['both', 'local', 'network']).describe('licenses of this machine, of the network, or both')
const productMode = z.strictObject({
  mode,
  manager: z.string().describe('the manager to ask; empty: found automatically each time'),
})
export type ProductMode = z.infer<typeof productMode>
const modeChange = z.strictObject({
  mode: mode.optional(),
  manager: text().optional().describe('host, host:port, or id@host; empty: found automatically each time'),
})

export interface ProductsParts {
  products(query: z.infer<typeof pageQuery>): List<Product>
  features(query: FeatureQuery): List<Feature>
  /** @param id `vendor/product`, or `vendor/*` for the seats that fit any product */
  /** Where seats of the product come from (I10). */
  mode(id: string): ProductMode
  /** Refused: invalid_request with `fields`, read_only_setting. */
  changeMode(
    id: string,
    change: z.output<typeof modeChange>,
    by: string,
  ): Promise<{ readonly kind: 'changed' } | Refusal>
  recount(id: string): Promise<{ readonly kind: 'recounted'; readonly licenses: readonly RecountedLicense[] } | Refusal>
}

export function productRoutes(parts: ProductsParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/products',
      guard: 'read',
      operation: 'listProducts',
      summary: 'Products, here and on known managers',
      example: listProductsExample,
      query: pageQuery,
      answers: { 200: { description: 'Products', schema: list(product) } },
      handle: ({ query }) => ok(parts.products(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/features',
      guard: 'read',
      operation: 'listFeatures',
      summary: 'Features of the products',
      example: listFeaturesExample,
      query: featureQuery,
      answers: { 200: { description: 'Features', schema: list(feature) } },
      handle: ({ query }) => ok(parts.features(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/products/{vendor}/{product}/mode',
      guard: 'read',
      operation: 'readProductMode',
      summary: 'Where seats of a product come from',
      example: modeExample,
      params: moded,
      answers: { 200: { description: 'Mode and manager', schema: productMode } },
      handle: ({ params: { vendor, product: name } }) => ok(parts.mode(`${vendor}/${name}`)),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/products/{vendor}/{product}/mode',
      guard: 'administrator',
      operation: 'changeProductMode',
      summary: 'Say where seats of a product come from',
      description: 'Takes effect at the next request for a seat. What is left out stays as it is.',
      example: { ...modeExample, body: { mode: 'network', manager: 'licenses.example.com' } },
      params: moded,
      body: modeChange,
      answers: { 200: { description: 'Mode and manager', schema: productMode } },
      errors: ['read_only_setting', 'store_unavailable'],
      async handle({ params: { vendor, product: name }, body, authority }) {
        const by = authority === 'cli' ? 'command line' : 'administrator'
        const outcome = await parts.changeMode(`${vendor}/${name}`, body, by)
        return outcome.kind === 'refused' ? outcome : ok(parts.mode(`${vendor}/${name}`))
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/products/{vendor}/{product}/recount',
      guard: 'administrator',
      operation: 'recountProduct',
      summary: 'Count the seats of a product anew',
      description:
        'Frees what is overdue, counts the seats in use from what is given out, and shows the count beside the one that is kept. They are equal unless the agent made a mistake. With `*` as the product: the seats that fit any product of the vendor. The journal says that it was done.',
      example: recountExample,
      params: recountedProduct,
      answers: { 200: { description: 'Both counts, by license', schema: recount } },
      errors: ['unknown_product', 'store_unavailable'],
      async handle({ params: { vendor, product: name } }) {
        const outcome = await parts.recount(`${vendor}/${name}`)
        return outcome.kind === 'refused' ? outcome : ok({ licenses: outcome.licenses })
      },
    }),
  ]
}
