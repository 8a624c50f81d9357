/**
 * The waiting line: who waits for a seat, and at which place.
 * Must not import owners.
 */
import { z } from 'zod'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listQueueExample } from './session-examples.ts'
import { type List, list, pageQuery, type QueuePosition, queuePosition, text } from './shapes.ts'

const queueQuery = z.strictObject({ ...pageQuery.shape, product: text().optional().describe('only for this product') })
export type QueueQuery = z.infer<typeof queueQuery>

export interface QueueParts {
  list(query: QueueQuery): List<QueuePosition>
}

export function queueRoutes(parts: QueueParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/queue',
      guard: 'read',
      operation: 'listQueue',
      summary: 'Who waits for a seat',
      example: listQueueExample,
      query: queueQuery,
      answers: { 200: { description: 'Those who wait, first come first', schema: list(queuePosition) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
  ]
}
