/**
 * Sessions: opened, kept and ended by applications; seen and disconnected by people.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { created, noContent, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  closeExample,
  disconnectExample,
  keepExample,
  listSessionsExample,
  openExample,
  readSessionExample,
} from './session-examples.ts'
import {
  type Disconnect,
  type Disconnected,
  disconnect,
  disconnected,
  type Heartbeat,
  heartbeat,
  idempotencyKey,
  idempotencyKeyForm,
  type KeptSession,
  keptSession,
  type List,
  list,
  longestSessionKey,
  type OpenedSession,
  type OpenSession,
  opaqueId,
  openedSession,
  openSession,
  type Session,
  type SessionQuery,
  session,
  sessionKey,
  sessionQuery,
} from './shapes.ts'
import { takeUsualOpen } from './usual-open.ts'

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
const keyHeader = {
  'Session-Key': { description: 'the key that the answer to opening gave', required: true, schema: sessionKey },
}

function readKey(headers: { readonly [name: string]: string | string[] | undefined }): string | Refusal {
  const key = headers['session-key']
  if (typeof key === 'string' && key.length > 0 && key.length <= longestSessionKey) return key
  return refuse('wrong_key', 'The Session-Key header is missing or has another form than a key.')
}

export function sessionRoutes(parts: SessionsParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/sessions',
      guard: 'application',
      operation: 'openSession',
      summary: 'Get a seat',
      description:
        'Asks for a seat of a product. Do it when the application starts, keep the seat with heartbeats while it runs, and give it back at the end. Where no seat is free, the refusal says who has them and when it is worth asking again; `wait` waits in line instead. Repeat a request whose answer did not come with the same Idempotency-Key: it never takes a second seat.',
      example: openExample,
      headers: {
        'Idempotency-Key': {
          description: 'a fresh random value for every new seat, such as a UUID; the same again is the same seat',
          required: true,
          schema: idempotencyKey,
        },
      },
      body: openSession,
      usualBody: takeUsualOpen,
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
        const given = headers['idempotency-key']
        if (typeof given !== 'string' || !idempotencyKeyForm.test(given))
          return refuse(
            'idempotency_key_needed',
            'The header is missing, too short, too long, or has characters beyond ASCII.',
          )
        const outcome = await parts.open({ ...body, idempotencyKey: given, address }, closed)
        if (outcome.kind === 'refused') return outcome
        return outcome.created ? created(outcome.session) : ok(outcome.session)
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/sessions/{id}',
      guard: 'application',
      operation: 'keepSession',
      summary: 'Keep a seat: the heartbeat',
      description:
        'Send it every `renewIn` seconds. A session that is not kept ends at `expiresAt`. With 410 `session_ended` the seat is gone, and the application has to stop using it or to open a new session.',
      example: keepExample,
      headers: keyHeader,
      params,
      body: heartbeat,
      answers: { 200: { description: 'The seat is kept', schema: keptSession } },
      errors: ['wrong_key', 'unknown_session', 'session_ended', 'manager_unreachable', 'store_unavailable'],
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
      operation: 'closeSession',
      summary: 'Give a seat back',
      description: 'Others can have the seat at once. Doing it again is fine.',
      example: closeExample,
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
      operation: 'listSessions',
      summary: 'Who has what',
      example: listSessionsExample,
      query: sessionQuery,
      answers: { 200: { description: 'Sessions', schema: list(session) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/sessions/{id}',
      guard: 'read',
      operation: 'readSession',
      summary: 'One session',
      example: readSessionExample,
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
      operation: 'disconnectSession',
      summary: 'End a session; with freeNow also where the application may still run',
      description:
        'The application is told with its next heartbeat, and its seat is free as soon as it confirms, at the latest at `freeAt`. With `freeNow` others can have the seat before that; as long as both may use it, that is an overlap, which the journal keeps and some licenses forbid.',
      example: disconnectExample,
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
