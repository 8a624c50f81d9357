/**
 * Who asked for seats lately.
 * Must not import owners.
 */
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { listRecentClientsExample } from './access-examples.ts'
import { type RecentClient, recentClient } from './access-shapes.ts'
import { type List, list, pageQuery } from './shapes.ts'

export interface RecentClientsParts {
  list(query: { readonly limit: number; readonly cursor?: string | undefined }): List<RecentClient>
}

export function recentClientRoutes(parts: RecentClientsParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/recent-clients',
      guard: 'read',
      operation: 'listRecentClients',
      summary: 'Who asked for seats lately, and what came of it',
      description:
        'The last hundred of thirty days, the newest first; each user at each machine once. With each come rules about it that can be put into the lists as they are.',
      example: listRecentClientsExample,
      query: pageQuery,
      answers: { 200: { description: 'Clients', schema: list(recentClient) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
  ]
}
