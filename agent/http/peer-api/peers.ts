/**
 * Which other agents this one knows: aggressive search goes on from there. Must not import owners.
 */
import { type Peers, peersSchema } from '../../peers/wire.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { peersExample } from './examples.ts'

export interface PeersParts {
  /** Agents that this one has reached lately; at most 1000. */
  peers(): Peers['peers']
}

export function peersRoutes(parts: PeersParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/peer/v1/peers',
      guard: 'peer',
      operation: 'listPeers',
      summary: 'Agents that this one knows and has reached',
      example: peersExample,
      answers: { 200: { description: 'Agents with their addresses', schema: peersSchema } },
      handle: () => ok({ peers: parts.peers() } satisfies Peers),
    }),
  ]
}
