/**
 * The two switches of the license server, and who uses it now.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { count } from './shapes.ts'

export const servingStates = ['open', 'handing_out_disabled', 'serving_stopped'] as const

export const serving = z
  .strictObject({
    state: z.enum(servingStates).describe('open, or the code of the refusal that new requests get'),
    handingOut: z.boolean().describe('false: no new seats; those in use go on. The setting serving.handingOut'),
    running: z.boolean().describe('false: no new seats, and those in use end; a restart serves again'),
    access: z
      .enum(['none', 'approved', 'rules'])
      .describe('which other agents get seats from here; the setting serving.access'),
    agents: count.describe('other agents that hold seats of this one'),
    users: count.describe('people that use a seat, at this machine or another'),
    sessions: count,
    seats: count.describe('seats in use'),
    ending: count.describe('those of them that were told to end and are not free yet'),
  })
  .meta({ id: 'Serving', description: 'Whether the agent gives out seats, and to how many' })
export type Serving = z.infer<typeof serving>

const servingChange = z
  .strictObject({
    handingOut: z.boolean().optional().describe('Enabled and Disabled; kept'),
    running: z.boolean().optional().describe('Started and Stopped; not kept over a restart'),
  })
  .meta({ id: 'ServingChange' })
export type ServingChange = z.infer<typeof servingChange>

export interface ServingParts {
  view(): Serving
  change(change: ServingChange): Promise<{ readonly kind: 'changed' } | Refusal>
}

const example: Serving = {
  state: 'open',
  handingOut: true,
  running: true,
  access: 'approved',
  agents: 2,
  users: 3,
  sessions: 4,
  seats: 4,
  ending: 0,
}

export function servingRoutes(parts: ServingParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/serving',
      guard: 'read',
      operation: 'readServing',
      summary: 'Whether seats are given out, and who uses them',
      example: { answers: { 200: example } },
      answers: { 200: { description: 'The state', schema: serving } },
      handle: () => ok(parts.view()),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/serving',
      guard: 'administrator',
      operation: 'changeServing',
      summary: 'Enable or disable giving out seats, start or stop serving',
      description:
        'With `handingOut: false` nothing new is given out; what is in use goes on and is renewed. With `running: false` whatever is in use is told to end as well: each seat is free when its holder confirms, at the latest when its lease time is over. Seats that are detached are touched by neither.',
      example: { body: { running: false }, answers: { 200: { ...example, state: 'serving_stopped', running: false } } },
      body: servingChange,
      answers: { 200: { description: 'The state after the change', schema: serving } },
      errors: ['read_only_setting', 'store_unavailable'],
      async handle({ body }) {
        if (body.handingOut === undefined && body.running === undefined)
          return refuse('invalid_request', 'Nothing is to be changed: handingOut or running is wanted.')
        const outcome = await parts.change(body)
        return outcome.kind === 'refused' ? outcome : ok(parts.view())
      },
    }),
  ]
}
