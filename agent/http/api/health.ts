/**
 * How the agent is, for people, monitors and service managers; and which agent it is.
 * Must not import owners.
 */
import { z } from 'zod'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { type Health, health, type Status, status, type Version, version } from './agent-shapes.ts'

export interface HealthParts {
  health(): Health
  /** The store works and the first search is done. */
  ready(): boolean
  version(): Version
  status(): Status
}

const live = z.strictObject({ live: z.literal(true) })
const readiness = z.strictObject({ ready: z.boolean() })

export function healthRoutes(parts: HealthParts): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/health',
      guard: 'open',
      summary: 'State and problems',
      answers: { 200: { description: 'State and problems, whatever they are', schema: health } },
      handle: () => ok(parts.health()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/live',
      guard: 'open',
      summary: 'Whether the agent answers',
      answers: { 200: { description: 'It does', schema: live } },
      handle: () => ok({ live: true }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/ready',
      guard: 'open',
      summary: 'Whether the agent can give seats: the store works and the first search is done',
      answers: {
        200: { description: 'It can', schema: readiness },
        503: { description: 'Not yet, or not at the moment', schema: readiness },
      },
      handle() {
        const ready = parts.ready()
        return { ...ok({ ready }), status: ready ? 200 : 503 }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/version',
      guard: 'open',
      summary: 'Program, version and agent',
      answers: { 200: { description: 'Program, version and agent', schema: version } },
      handle: () => ok(parts.version()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/status',
      guard: 'read',
      summary: 'The running program: process, port, data folder',
      answers: { 200: { description: 'The running program', schema: status } },
      handle: () => ok(parts.status()),
    }),
  ]
}
