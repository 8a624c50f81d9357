/**
 * The last refusals of seats: who got none, and why.
 * Must not import owners.
 */
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listRefusalsExample } from './insight-examples.ts'
import { type RefusalQuery, type RefusedSeat, refusalQuery, refusedSeat } from './insight-shapes.ts'
import { type List, list } from './shapes.ts'

export interface RefusalsParts {
  list(query: RefusalQuery): List<RefusedSeat>
}

export function refusalRoutes(parts: RefusalsParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/refusals',
      guard: 'read',
      operation: 'listRefusals',
      summary: 'Who got no seat, and why',
      description:
        'The last hundred, the newest first. Who asks again for the same is one refusal. What was said then is kept in memory; of those before a restart only the code is known, and the rule if one refused.',
      example: listRefusalsExample,
      query: refusalQuery,
      answers: { 200: { description: 'Refusals', schema: list(refusedSeat) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
  ]
}
