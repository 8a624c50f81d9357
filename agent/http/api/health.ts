/**
 * How the agent is, for people, monitors and service managers; and which agent it is.
 * Must not import owners.
 */
import { z } from 'zod'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { healthExample, liveExample, readyExample, statusExample, versionExample } from './agent-examples.ts'
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
      operation: 'readHealth',
      summary: 'State and problems',
      description: 'What the Overview page shows as warnings: each problem in words, and the page that fixes it.',
      example: healthExample,
      answers: { 200: { description: 'State and problems, whatever they are', schema: health } },
      handle: () => ok(parts.health()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/live',
      guard: 'open',
      operation: 'checkLive',
      summary: 'Whether the agent answers',
      description: 'For monitors: the process runs and answers.',
      example: liveExample,
      answers: { 200: { description: 'It does', schema: live } },
      handle: () => ok({ live: true }),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/ready',
      guard: 'open',
      operation: 'checkReady',
      summary: 'Whether the agent can give seats: the store works and the first search is done',
      description: 'For monitors and service managers.',
      example: readyExample,
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
      operation: 'readVersion',
      summary: 'Program, version and agent',
      example: versionExample,
      answers: { 200: { description: 'Program, version and agent', schema: version } },
      handle: () => ok(parts.version()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/status',
      guard: 'read',
      operation: 'readStatus',
      summary: 'The running program: process, port, data folder',
      example: statusExample,
      answers: { 200: { description: 'The running program', schema: status } },
      handle: () => ok(parts.status()),
    }),
  ]
}
