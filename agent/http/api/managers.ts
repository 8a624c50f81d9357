/**
 * Other agents: which there are, searching for them, testing the way to one, approving and forgetting them.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import { isRefusal } from '../problem.ts'
import { noContent, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  approveManagerExample,
  forgetManagerExample,
  listManagersExample,
  readSearchExample,
  startSearchExample,
  testManagerExample,
} from './manager-examples.ts'
import {
  type ConnectionReport,
  connectionReport,
  lastSearch,
  type Manager,
  type ManagerQuery,
  manager,
  managerQuery,
  type SearchState,
  search,
  testAddress,
} from './manager-shapes.ts'
import { type List, list, opaqueId } from './shapes.ts'

export interface ManagersParts {
  list(query: ManagerQuery): List<Manager>
  /** @returns the agent as it is then */
  approve(id: string): Promise<{ readonly kind: 'approved'; readonly manager: Manager } | Refusal>
  forget(id: string): Promise<{ readonly kind: 'forgotten' } | Refusal>
  test(address: string, closed: AbortSignal): Promise<({ readonly kind: 'tested' } & ConnectionReport) | Refusal>
  /** Starts a search, unless one runs. */
  search(): SearchState
  lastSearch(): SearchState | undefined
}

const named = z.strictObject({ id: opaqueId })

export function managerRoutes(parts: ManagersParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/managers',
      guard: 'read',
      operation: 'listManagers',
      summary: 'Other agents that are known, and what they offer',
      description:
        'Agents that were found in the network or typed, and those that asked for seats here where approvals are asked for. Those that offer something come first.',
      example: listManagersExample,
      query: managerQuery,
      answers: { 200: { description: 'Known agents', schema: list(manager) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/managers/{id}/approve',
      guard: 'administrator',
      operation: 'approveManager',
      summary: 'Let an agent have seats from here',
      description: 'Where the setting `serving.access` is `approved`, only agents that were approved get seats.',
      example: approveManagerExample,
      params: named,
      answers: { 200: { description: 'The agent, approved', schema: manager } },
      errors: ['unknown_peer', 'store_unavailable'],
      handle: async ({ params }) => {
        const outcome = await parts.approve(params.id)
        return isRefusal(outcome) ? outcome : ok(outcome.manager)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/managers/{id}/forget',
      guard: 'administrator',
      operation: 'forgetManager',
      summary: 'Forget an agent, with its key and its approval',
      description: 'If it is still there it is found again, as one that is new here.',
      example: forgetManagerExample,
      params: named,
      answers: { 204: { description: 'It is forgotten' } },
      errors: ['unknown_peer', 'store_unavailable'],
      handle: async ({ params }) => {
        const outcome = await parts.forget(params.id)
        return isRefusal(outcome) ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/managers/test',
      guard: 'administrator',
      operation: 'testManager',
      summary: 'Test the way to an agent, step by step',
      description:
        'Name, TCP, TLS, identity, version, latency, clock difference, licenses offered. A step that fails says what can be done about it. Takes up to 20 seconds where something is silent.',
      example: testManagerExample,
      body: testAddress,
      answers: { 200: { description: 'What was found, also where a step failed', schema: connectionReport } },
      handle: async ({ body, closed }) => {
        const outcome = await parts.test(body.address, closed())
        if (isRefusal(outcome)) return outcome
        const { kind: _, ...report } = outcome
        return ok(report)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/search',
      guard: 'administrator',
      operation: 'startSearch',
      summary: 'Search for other agents now',
      description:
        'Searches by all that the settings allow and answers at once; a search that runs already is told instead. Each step comes as an event `search.step`, its end as `search.changed`.',
      example: startSearchExample,
      answers: { 202: { description: 'The search', schema: search } },
      handle: () => ({ ...ok(parts.search()), status: 202 }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/search',
      guard: 'read',
      operation: 'readSearch',
      summary: 'The last search for other agents, step by step',
      example: readSearchExample,
      answers: { 200: { description: 'The search', schema: lastSearch } },
      handle: () => {
        const last = parts.lastSearch()
        return ok(last === undefined ? {} : { search: last })
      },
    }),
  ]
}
