/**
 * Products and their features: what there is, and how much of it is in use.
 * Must not import owners.
 */
import { z } from 'zod'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listFeaturesExample, listProductsExample } from './license-examples.ts'
import { type Feature, feature, type Product, product } from './license-shapes.ts'
import { type List, list, pageQuery, text } from './shapes.ts'

const featureQuery = z.strictObject({ ...pageQuery.shape, product: text().optional().describe('only of this product') })
export type FeatureQuery = z.infer<typeof featureQuery>

export interface ProductsParts {
  products(query: z.infer<typeof pageQuery>): List<Product>
  features(query: FeatureQuery): List<Feature>
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
  ]
}
