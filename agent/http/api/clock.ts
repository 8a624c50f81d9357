/**
 * The clock that dates go by: how it stands, and the administrator's word that it is right (R11).
 * Must not import owners.
 */
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { clockExample, confirmClockExample } from './detachment-examples.ts'
import { type ClockState, clock } from './detachment-shapes.ts'

export interface ClockParts {
  read(): ClockState
  confirm(): Promise<void>
}

export function clockRoutes(parts: ClockParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/clock',
      guard: 'read',
      operation: 'readClock',
      summary: 'The date that things begin and end by, beside what the clock says',
      description:
        'A clock that jumps ahead is not believed at once: nothing ends or begins by it for an hour of running, or a day where it jumped while the agent ran.',
      example: clockExample,
      answers: { 200: { description: 'The clock', schema: clock } },
      handle: () => ok(parts.read()),
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/clock/confirm',
      guard: 'administrator',
      operation: 'confirmClock',
      summary: 'The clock that jumped ahead is right: it is believed at once',
      description:
        'What ends by the later date ends now. A clock that is behind is not believed by this: set it right.',
      example: confirmClockExample,
      answers: { 200: { description: 'The clock, believed', schema: clock } },
      errors: ['store_unavailable'],
      async handle() {
        await parts.confirm()
        return ok(parts.read())
      },
    }),
  ]
}
