/**
 * Seats that this machine keeps in advance.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { isRefusal } from '../problem.ts'
import { created, noContent, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { type List, list, pageQuery } from './shapes.ts'
import { dropReserveExample, listReservesExample, putReserveExample, readReserveExample } from './site-examples.ts'
import { placeId, type Reserve, reserve, reserveWish } from './site-shapes.ts'

export interface ReservesParts {
  list(query: z.infer<typeof pageQuery>): List<Reserve>
  get(id: string): Reserve | undefined
  put(
    id: string,
    wish: z.infer<typeof reserveWish>,
  ): Promise<{ readonly kind: 'put'; readonly isNew: boolean } | Refusal>
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
}

const named = z.strictObject({ id: placeId })

export function reserveRoutes(parts: ReservesParts): Route[] {
  const find = (id: string) => parts.get(id) ?? refuse('unknown_reserve', `There is no reserve ${id}.`)
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/reserves',
      guard: 'read',
      operation: 'listReserves',
      summary: 'Seats that this machine keeps in advance',
      example: listReservesExample,
      query: pageQuery,
      answers: { 200: { description: 'Reserves', schema: list(reserve) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/reserves/{id}',
      guard: 'read',
      operation: 'readReserve',
      summary: 'One reserve',
      example: readReserveExample,
      params: named,
      answers: { 200: { description: 'The reserve', schema: reserve } },
      errors: ['unknown_reserve'],
      handle: ({ params }) => {
        const found = find(params.id)
        return isRefusal(found) ? found : ok(found)
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/reserves/{id}',
      guard: 'administrator',
      operation: 'putReserve',
      summary: 'Keep seats of a product in advance',
      description:
        'Takes as many as there are, of the licenses of this machine first, then of other managers, and goes on trying for the rest. With fewer seats than before the others go back, those in use when their sessions end. Applications of this machine use them; seats that came from another manager also serve agents that lease from this one.',
      example: putReserveExample,
      params: named,
      body: reserveWish,
      answers: {
        200: { description: 'The reserve as it is then', schema: reserve },
        201: { description: 'The reserve, new', schema: reserve },
      },
      errors: ['store_unavailable', 'unknown_reserve'],
      handle: async ({ params, body }) => {
        const outcome = await parts.put(params.id, body)
        if (isRefusal(outcome)) return outcome
        const found = find(params.id)
        if (isRefusal(found)) return found
        return outcome.isNew ? created(found) : ok(found)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/reserves/{id}',
      guard: 'administrator',
      operation: 'dropReserve',
      summary: 'Keep nothing in advance any more',
      description: 'Seats that are not in use go back now, the others when their sessions end.',
      example: dropReserveExample,
      params: named,
      answers: { 204: { description: 'It is gone' } },
      errors: ['store_unavailable', 'unknown_reserve'],
      handle: async ({ params }) => {
        const outcome = await parts.remove(params.id)
        return isRefusal(outcome) ? outcome : noContent
      },
    }),
  ]
}
