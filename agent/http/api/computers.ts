/**
 * Machines with their users, what they use, and ending all of it.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { disconnectComputerExample, listComputersExample } from './insight-examples.ts'
import { type Computer, type ComputerQuery, computer, computerQuery } from './insight-shapes.ts'
import { type Disconnect, type Disconnected, disconnect, disconnected, type List, list, opaqueId } from './shapes.ts'

export interface ComputersParts {
  list(query: ComputerQuery): List<Computer>
  /** All of its sessions; the outcome is that of the last one to be free. */
  disconnect(
    id: string,
    order: Disconnect,
  ): Promise<{ readonly kind: 'disconnected'; readonly outcome: Disconnected } | Refusal>
}

export function computerRoutes(parts: ComputersParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/computers',
      guard: 'read',
      operation: 'listComputers',
      summary: 'Machines with their users, and what they use',
      description:
        'The sessions put together by machine and user, those first that came last; machines included whose agents hold seats of this one.',
      example: listComputersExample,
      query: computerQuery,
      answers: { 200: { description: 'Machines with their users', schema: list(computer) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/computers/{id}/disconnect',
      guard: 'administrator',
      operation: 'disconnectComputer',
      summary: 'End all sessions of a user at a machine',
      description:
        'As for each of its sessions. `ended` is “confirmed” when all seats are free; `freeAt` is when the last one is.',
      example: disconnectComputerExample,
      params: z.strictObject({ id: opaqueId }),
      body: disconnect,
      answers: { 200: { description: 'They have ended, or end at the time shown', schema: disconnected } },
      errors: ['unknown_session', 'overlap_forbidden', 'store_unavailable'],
      async handle({ params: { id }, body }) {
        const outcome = await parts.disconnect(id, body)
        return outcome.kind === 'refused' ? outcome : ok(outcome.outcome)
      },
    }),
  ]
}
