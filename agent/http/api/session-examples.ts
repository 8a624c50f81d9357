/**
 * Examples of the calls about sessions and the waiting line.
 * Must not import anything of ours but shapes.
 */
import type { Disconnected, Explanation, KeptSession, List, OpenedSession, QueuePosition, Session } from './shapes.ts'

export const exampleAgent = { id: 'rPa8f0tIdhkZnA9LEmo3Tptm51mkOLOzW9fMOjp6SG4', name: 'WS-17' }

const kept: KeptSession = {
  id: '3tHk2wq7S1yB0nVJr9cXzA',
  product: 'acme/cad',
  feature: 'rendering',
  seats: 1,
  state: 'active',
  source: { kind: 'license', manager: exampleAgent },
  startedAt: '2026-11-24T08:00:00.000Z',
  expiresAt: '2026-11-24T08:10:00.000Z',
  expiresIn: 600,
  renewIn: 200,
}
const key = 'm0Qe5yV8uKc2JxT1rWnZ4g'
const opened: OpenedSession = { ...kept, key }

const listed: Session = {
  id: kept.id,
  product: kept.product,
  title: 'Acme CAD',
  feature: 'rendering',
  seats: 1,
  state: 'active',
  user: { account: 'ana', displayName: 'Ana Ruiz' },
  host: 'WS-17',
  process: { id: 4711, name: 'acme-cad' },
  application: 'Acme CAD 7.2',
  address: '127.0.0.1',
  license: 'lic-7f3a9c21',
  source: kept.source,
  startedAt: kept.startedAt,
  expiresAt: kept.expiresAt,
  expiresIn: 600,
  actions: ['disconnect'],
}

const waiting: QueuePosition = {
  position: 1,
  product: 'acme/cad',
  seats: 1,
  user: { account: 'bo' },
  host: 'WS-17',
  since: '2026-11-24T08:02:00.000Z',
  until: '2026-11-24T08:07:00.000Z',
}

/** Of a refusal for want of seats. */
export const exampleExplanation: Explanation = {
  managers: [
    {
      ...exampleAgent,
      product: 'acme/cad',
      seats: 5,
      used: 5,
      detached: 0,
      notDetachable: 0,
      holders: [{ user: 'Ana Ruiz', host: 'WS-17', seats: 5, startedAt: '2026-11-24T08:00:00.000Z' }],
    },
  ],
  asked: [],
}

const params = { id: kept.id }
const headers = { 'Session-Key': key }

export const openExample = {
  headers: { 'Idempotency-Key': '6f1c2d34-9b8a-4e57-a0c3-5d2e7f8091ab' },
  body: {
    product: 'acme/cad',
    feature: 'rendering',
    user: { account: 'ana', displayName: 'Ana Ruiz' },
    host: 'WS-17',
    process: { id: 4711, name: 'acme-cad' },
    application: 'Acme CAD 7.2',
  },
  answers: { 201: opened, 200: opened },
}
export const keepExample = { params, headers, body: {}, answers: { 200: kept } }
export const closeExample = { params, headers, answers: { 204: undefined } }
export const listSessionsExample = {
  query: { product: 'acme/cad', limit: 20 },
  answers: { 200: { items: [listed], total: 1 } satisfies List<Session> },
}
export const readSessionExample = { params, answers: { 200: listed } }
export const disconnectExample = {
  params,
  body: { reason: 'The machine is locked up' },
  answers: { 200: { ended: 'ending', freeAt: kept.expiresAt } satisfies Disconnected },
}
export const listQueueExample = {
  query: { product: 'acme/cad' },
  answers: { 200: { items: [waiting], total: 1 } satisfies List<QueuePosition> },
}
