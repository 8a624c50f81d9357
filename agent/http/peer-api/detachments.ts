/**
 * What other agents ask about seats that are taken along. Must not import owners but the desk's shapes.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import {
  type DetachAnswer,
  type DetachAsk,
  type DetachmentTold,
  detachAnswerSchema,
  detachAskSchema,
  detachmentSchema,
  type HeldAnswer,
  type HeldAsk,
  heldAnswerSchema,
  heldAskSchema,
} from '../../peers/detachment-wire.ts'
import { peerId } from '../../peers/wire.ts'
import { created, noContent, ok } from '../reply.ts'
import { type Call, defineRoute, documentBody, type Route } from '../route.ts'
import { detachExample, releaseExample, reportExample, takeExample } from './detachment-examples.ts'

/** The agent that asks. */
type Peer = NonNullable<Call['peer']>

export interface PeerDetachmentsParts {
  ask(
    peer: Peer,
    id: string,
    ask: DetachAsk,
  ): Promise<{ readonly kind: 'answered'; readonly created: boolean; readonly answer: DetachAnswer } | Refusal>
  take(peer: Peer, id: string): Promise<{ readonly kind: 'answered'; readonly detachment: DetachmentTold } | Refusal>
  release(peer: Peer, id: string): Promise<{ readonly kind: 'acknowledged' } | Refusal>
  report(peer: Peer, ask: HeldAsk): Promise<({ readonly kind: 'answered' } & HeldAnswer) | Refusal>
}

const params = z.strictObject({ id: peerId })

export function peerDetachmentRoutes(parts: PeerDetachmentsParts): Route[] {
  return [
    defineRoute({
      method: 'PUT',
      path: '/peer/v1/detachments/{id}',
      guard: 'peer',
      operation: 'askForDetachment',
      summary: 'Take seats along until a date, or until a later one; the same again gets the same document',
      example: detachExample,
      params,
      body: detachAskSchema,
      answers: {
        201: { description: 'A new detachment', schema: detachAnswerSchema },
        200: { description: 'The detachment of this id, or what it would be', schema: detachAnswerSchema },
      },
      errors: [
        'detach_disabled',
        'not_detachable',
        'too_many_seats',
        'date_in_past',
        'beyond_maximum',
        'beyond_license_end',
        'clocks_differ',
        'unknown_product',
        'id_conflict',
        'session_ended',
        'unknown_instance',
        'loop_detected',
        'remote_access_off',
        'approval_pending',
        'denied_by_rule',
        'handing_out_disabled',
        'serving_stopped',
        'store_unavailable',
      ],
      async handle({ peer, params: { id }, body }) {
        if (!peer) return unknownSender()
        const outcome = await parts.ask(peer, id, body)
        if (outcome.kind === 'refused') return outcome
        return outcome.created ? created(outcome.answer) : ok(outcome.answer)
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/peer/v1/detachments/{id}',
      guard: 'peer',
      operation: 'takeDetachment',
      summary: 'What was made for the asking agent by an administrator',
      example: takeExample,
      params,
      answers: { 200: { description: 'The detachment', schema: detachmentSchema } },
      errors: ['unknown_detachment', 'remote_access_off', 'store_unavailable'],
      async handle({ peer, params: { id } }) {
        if (!peer) return unknownSender()
        const outcome = await parts.take(peer, id)
        return outcome.kind === 'refused' ? outcome : ok(outcome.detachment)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/peer/v1/detachments/{id}',
      guard: 'peer',
      operation: 'giveDetachmentBack',
      summary: 'Give it back, or cancel the request; the id never gets seats again',
      example: releaseExample,
      params,
      answers: { 204: { description: 'It is over' } },
      errors: ['early_return_forbidden', 'store_unavailable'],
      async handle({ peer, params: { id } }) {
        if (!peer) return unknownSender()
        const outcome = await parts.release(peer, id)
        return outcome.kind === 'refused' ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/peer/v1/detachments',
      guard: 'peer',
      operation: 'reportDetachments',
      summary: 'Show what is attached, and hear how it stands and what is ready to be taken',
      example: reportExample,
      body: heldAskSchema,
      bodyLimit: documentBody,
      answers: { 200: { description: 'An answer for each', schema: heldAnswerSchema } },
      errors: ['remote_access_off', 'store_unavailable'],
      async handle({ peer, body }) {
        if (!peer) return unknownSender()
        const outcome = await parts.report(peer, body)
        if (outcome.kind === 'refused') return outcome
        const { results, ready } = outcome
        return ok({ results, ready } satisfies HeldAnswer)
      },
    }),
  ]
}

/** The guard lets nobody in who is not known; this is for the type. */
function unknownSender(): Refusal {
  return refuse('peer_signature_wrong', 'Nobody has signed this request.')
}
