/**
 * Who answers here: the only thing that agents ask each other before they know each other. Must not import owners.
 */
import { type Hello, helloSchema } from '../../peers/wire.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { helloExample } from './examples.ts'

export interface HelloParts {
  hello(): Promise<Hello>
}

export function helloRoutes(parts: HelloParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/peer/v1/hello',
      guard: 'greeting',
      operation: 'greetAgent',
      summary: 'Which agent this is, and what proves it',
      headers: { 'Leasehold-Nonce': { description: 'makes the signature one for this moment', required: false } },
      example: helloExample,
      answers: { 200: { description: 'The agent, signed with its key', schema: helloSchema } },
      errors: ['too_many_requests'],
      handle: async () => ok(await parts.hello()),
    }),
  ]
}
