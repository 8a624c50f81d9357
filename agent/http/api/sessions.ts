/**
 * Sessions: opened, kept and ended by applications; seen and disconnected by people.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { created, noContent, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  type Disconnect,
  type Disconnected,
  disconnect,
  disconnected,
  type Heartbeat,
  heartbeat,
  type KeptSession,
  keptSession,
  type List,
  list,
  type OpenedSession,
  type OpenSession,
  opaqueId,
  openedSession,
  openSession,
  type Session,
  type SessionQuery,
  session,
  sessionQuery,
} from './shapes.ts'

export interface SessionsParts {
  /** `created` is false when the same key had opened it before. `closed` aborts when the asker is gone (R30). */
  open(
    request: OpenSession & { readonly idempotencyKey: string; readonly address: string },
    closed: () => AbortSignal,
  ): Promise<{ readonly kind: 'opened'; readonly created: boolean; readonly session: OpenedSession } | Refusal>
  heartbeat(
    id: string,
    key: string,
    beat: Heartbeat,
  ): Promise<{ readonly kind: 'kept'; readonly session: KeptSession } | Refusal>
  /** Closing what is already closed is fine. */
  close(id: string, key: string): Promise<{ readonly kind: 'closed' } | Refusal>
  list(query: SessionQuery): List<Session>
  get(id: string): Session | undefined
  disconnect(
    id: string,
    order: Disconnect,
  ): Promise<{ readonly kind: 'disconnected'; readonly outcome: Disconnected } | Refusal>
}

const params = z.strictObject({ id: opaqueId })
const keyHeader = { 'Session-Key': { description: 'the key that the answer to opening gave', required: true } }

function readKey(headers: { readonly [name: string]: string | string[] | undefined }): string | Refusal {
  const key = headers['session-key']
  if (typeof key === 'string' && key.length >= 1 && key.length <= 128) return key
  return refuse('wrong_key', 'The Session-Key header is missing or has another form than a key.')
}

export function sessionRoutes(parts: SessionsParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/sessions',
      guard: 'application',
      summary: 'Get a seat',
      headers: {
        'Idempotency-Key': { description: '16 to 128 characters; the same again is the same seat', required: true },
      },
      body: openSession,
      answers: {
        201: { description: 'The seat is given', schema: openedSession },
        200: { description: 'The same key had got this seat before', schema: openedSession },
      },
      errors: [
        'idempotency_key_needed',
        'unknown_product',
        'unknown_feature',
        'ambiguous_product',
        'id_conflict',
        'no_seats',
        'queue_full',
        'clock_set_back',
        'license_not_active',
        'license_not_yet_valid',
        'license_blocked',
        'license_expired',
        'denied_by_rule',
        'user_not_listed',
        'user_disabled',
        'product_not_allowed',
        'approval_pending',
        'serving_stopped',
        'handing_out_disabled',
        'remote_access_off',
        'manager_unreachable',
        'store_unavailable',
        'session_ended',
        'lease_too_short',
      ],
      async handle({ body, headers, address, closed }) {
        const idempotencyKey = headers['idempotency-key']
        if (typeof idempotencyKey !== 'string' || !/^[\x21-\x7e]{16,128}$/.test(idempotencyKey))
          return refuse(
            'idempotency_key_needed',
            'The header is missing, too short, too long, or has characters beyond ASCII.',
          )
        const outcome = await parts.open({ ...body, idempotencyKey, address }, closed)
        if (outcome.kind === 'refused') return outcome
        return outcome.created ? created(outcome.session) : ok(outcome.session)
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/sessions/{id}',
      guard: 'application',
      summary: 'Keep a seat: the heartbeat',
      headers: keyHeader,
      params,
      body: heartbeat,
      answers: { 200: { description: 'The seat is kept', schema: keptSession } },
      errors: ['wrong_key', 'unknown_session', 'session_ended', 'store_unavailable'],
      async handle({ params: { id }, body, headers }) {
        const key = readKey(headers)
        if (typeof key !== 'string') return key
        const outcome = await parts.heartbeat(id, key, body)
        return outcome.kind === 'refused' ? outcome : ok(outcome.session)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/sessions/{id}',
      guard: 'application',
      summary: 'Give a seat back',
      headers: keyHeader,
      params,
      answers: { 204: { description: 'The seat is back, or was already' } },
      errors: ['wrong_key', 'unknown_session', 'store_unavailable'],
      async handle({ params: { id }, headers }) {
        const key = readKey(headers)
        if (typeof key !== 'string') return key
        const outcome = await parts.close(id, key)
        return outcome.kind === 'refused' ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/sessions',
      guard: 'read',
      summary: 'Who has what',
      query: sessionQuery,
      answers: { 200: { description: 'Sessions', schema: list(session) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/sessions/{id}',
      guard: 'read',
      summary: 'One session',
      params,
      answers: { 200: { description: 'The session', schema: session } },
      errors: ['unknown_session'],
      handle({ params: { id } }) {
        const found = parts.get(id)
        return found === undefined ? refuse('unknown_session', 'There is no session of this id.') : ok(found)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sessions/{id}/disconnect',
      guard: 'administrator',
      summary: 'End a session; with freeNow also where the application may still run',
      params,
      body: disconnect,
      answers: { 200: { description: 'It has ended, or ends at the time shown', schema: disconnected } },
      errors: ['unknown_session', 'session_ended', 'overlap_forbidden', 'store_unavailable'],
      async handle({ params: { id }, body }) {
        const outcome = await parts.disconnect(id, body)
        return outcome.kind === 'refused' ? outcome : ok(outcome.outcome)
      },
    }),
  ]
}
