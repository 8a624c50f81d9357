/**
 * Products and their features: what there is, how much of it is in use, and whether that is counted right.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { recountExample } from './insight-examples.ts'
import { type RecountedLicense, recount, recountedProduct } from './insight-shapes.ts'
import { listFeaturesExample, listProductsExample } from './license-examples.ts'
import { type Feature, feature, type Product, product } from './license-shapes.ts'
import { type List, list, pageQuery, text } from './shapes.ts'

const featureQuery = z.strictObject({ ...pageQuery.shape, product: text().optional().describe('only of this product') })
export type FeatureQuery = z.infer<typeof featureQuery>

export interface ProductsParts {
  products(query: z.infer<typeof pageQuery>): List<Product>
  features(query: FeatureQuery): List<Feature>
  /** @param id `vendor/product`, or `vendor/*` for the seats that fit any product */
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
