/**
 * Machines with their users, and what they use.
 * Must not import owners.
 */
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listComputersExample } from './insight-examples.ts'
import { type Computer, type ComputerQuery, computer, computerQuery } from './insight-shapes.ts'
import { type List, list } from './shapes.ts'

export interface ComputersParts {
  list(query: ComputerQuery): List<Computer>
}

export function computerRoutes(parts: ComputersParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/computers',
      guard: 'read',
      operation: 'listComputers',
      summary: 'Machines with their users, and what they use',
      description: 'The sessions put together by machine and user, those first that came last.',
      example: listComputersExample,
      query: computerQuery,
      answers: { 200: { description: 'Machines with their users', schema: list(computer) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
  ]
}
