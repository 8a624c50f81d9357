/**
 * Products and their features: what there is, and how much of it is in use.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listFeaturesExample, listProductsExample, recountProductExample } from './license-examples.ts'
import { type Feature, feature, type Product, product, type Recount, recount } from './license-shapes.ts'
import { type List, list, name, pageQuery, text } from './shapes.ts'

const featureQuery = z.strictObject({ ...pageQuery.shape, product: text().optional().describe('only of this product') })
export type FeatureQuery = z.infer<typeof featureQuery>

export interface ProductsParts {
  products(query: z.infer<typeof pageQuery>): List<Product>
  features(query: FeatureQuery): List<Feature>
  /** Frees what is overdue, then counts anew. */
  recount(id: string): Promise<({ readonly kind: 'recounted' } & Recount) | Refusal>
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
      method: 'POST',
      path: '/api/v1/products/{id}/recount',
      guard: 'administrator',
      operation: 'recountProduct',
      summary: 'Count the seats of a product anew',
      description:
        'Frees what is overdue, counts the seats from what is given out, and answers both numbers for each license. The id is `vendor/product` with its slash as `%2F`.',
      example: recountProductExample,
      params: z.strictObject({ id: name(129) }),
      answers: { 200: { description: 'As it was kept, and as it was counted', schema: recount } },
      errors: ['unknown_product', 'store_unavailable'],
      async handle({ params: { id } }) {
        const outcome = await parts.recount(id)
        return outcome.kind === 'refused' ? outcome : ok({ licenses: outcome.licenses })
      },
    }),
  ]
}
