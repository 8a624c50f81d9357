/**
 * Seats that are taken along: detach, extend, give back, declare lost, and the blocks for machines that never meet. Detaching to this
 * machine and giving back are open to its people, unless the setting says otherwise.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import type { Authority } from '../guards.ts'
import { isRefusal } from '../problem.ts'
import { created, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  declareLostExample,
  detachableExample,
  detachExample,
  extendExample,
  listDetachmentsExample,
  makeReturnExample,
  readBlockExample,
  readDetachmentExample,
  recipientExample,
  returnExample,
} from './detachment-examples.ts'
import {
  type DeclareLost,
  type Detach,
  type DetachableProduct,
  type DetachableQuery,
  type Detachment,
  type DetachmentQuery,
  type DetachPlan,
  declareLost,
  detach,
  detachableProduct,
  detachableQuery,
  detachment,
  detachmentQuery,
  detachPlan,
  type Extend,
  extend,
  type MadeDetachment,
  madeDetachment,
  makeReturn,
  type Recipient,
  type Returned,
  type ReturnReceipt,
  recipient,
  returned,
  returnReceipt,
} from './detachment-shapes.ts'
import { idempotencyKey, idempotencyKeyForm, type List, list, opaqueId } from './shapes.ts'

export interface DetachmentsParts {
  /**
   * Whether who asks may do that: to or from this machine, which is open to its people, or anything else.
   * @returns undefined: they may
   */
  refuse(authority: Authority, whose: 'own' | 'other'): Refusal | undefined
  list(query: DetachmentQuery): List<Detachment>
  get(id: string): Detachment | undefined
  /** For the machine that is to have it. */
  block(id: string): Promise<{ readonly kind: 'made'; readonly block: string } | Refusal>
  detachable(query: DetachableQuery): List<DetachableProduct>
  plan(request: Detach): Promise<{ readonly kind: 'planned'; readonly plan: DetachPlan } | Refusal>
  /** @param order a key: the same again is the same detachment */
  detach(request: Detach, order?: string): Promise<({ readonly kind: 'made' } & MadeDetachment) | Refusal>
  extend(id: string, change: Extend): Promise<({ readonly kind: 'made' } & MadeDetachment) | Refusal>
  giveBack(id: string): Promise<({ readonly kind: 'returned' } & Returned) | Refusal>
  declareLost(
    id: string,
    order: DeclareLost,
  ): Promise<{ readonly kind: 'declared'; readonly detachment: Detachment } | Refusal>
  makeReceipt(id: string): Promise<({ readonly kind: 'made' } & ReturnReceipt) | Refusal>
  recipient(): Recipient
}

const named = z.strictObject({ id: opaqueId })
const block = z.strictObject({ block: z.string().describe('the text block for the other machine') })
const endErrors = [
  'detach_disabled',
  'not_detachable',
  'date_in_past',
  'beyond_maximum',
  'beyond_license_end',
  'clocks_differ',
  'manager_unreachable',
  'denied_by_rule',
  'user_not_listed',
  'remote_access_off',
  'approval_pending',
  'serving_stopped',
  'handing_out_disabled',
  'store_unavailable',
  'sign_in_needed',
] as const

export function detachmentRoutes(parts: DetachmentsParts): Route[] {
  const whoseOf = (id: string): 'own' | 'other' => (parts.get(id)?.direction === 'in' ? 'own' : 'other')
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/detachments',
      guard: 'read',
      operation: 'listDetachments',
      summary: 'Seats that are taken along: of this agent elsewhere, and of others here',
      example: listDetachmentsExample,
      query: detachmentQuery,
      answers: { 200: { description: 'What ends next comes first', schema: list(detachment) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/detachments/{id}',
      guard: 'read',
      operation: 'readDetachment',
      summary: 'One of them',
      example: readDetachmentExample,
      params: named,
      answers: { 200: { description: 'The detachment', schema: detachment } },
      errors: ['unknown_detachment'],
      handle: ({ params }) => {
        const found = parts.get(params.id)
        return found === undefined ? unknown(params.id) : ok(found)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/detachments',
      guard: 'open',
      operation: 'detach',
      summary: 'Take seats along until a date',
      description:
        'Without `recipient` the seats are attached to this machine, from the first manager that has them; that needs no administrator, unless the setting says so. With one they are made for that machine: it takes them when it next connects, or by the block in the answer. `until` is a calendar day, with which it ends in the zone of that machine, or an instant; `days` are times 24 hours from now. A day that ends later than is allowed is cut off at the maximum. Repeat a request whose answer did not come with the same Idempotency-Key: it never takes a second seat. With `preview` nothing is done, and the answer says exactly what it would be.',
      headers: {
        'Idempotency-Key': {
          description:
            'a random value, such as a UUID, for every new detachment; the same again is the same detachment',
          required: false,
          schema: idempotencyKey,
        },
      },
      example: detachExample,
      body: detach,
      answers: {
        200: { description: 'With preview: what it would be', schema: detachPlan },
        201: { description: 'The detachment', schema: madeDetachment },
      },
      errors: [
        ...endErrors,
        'idempotency_key_needed',
        'unknown_product',
        'unknown_feature',
        'ambiguous_product',
        'too_many_seats',
        'unknown_peer',
        'not_a_document',
        'bad_signature',
        'document_altered',
        'wrong_recipient',
        'id_conflict',
      ],
      async handle({ body, headers, authority }) {
        const order = headers['idempotency-key']
        if (order !== undefined && (typeof order !== 'string' || !idempotencyKeyForm.test(order)))
          return refuse('idempotency_key_needed', 'The header is too short, too long, or has characters beyond ASCII.')
        const refused = parts.refuse(authority, body.recipient === undefined ? 'own' : 'other')
        if (refused) return refused
        if (body.preview) {
          const planned = await parts.plan(body)
          return isRefusal(planned) ? planned : ok(planned.plan)
        }
        const made = await parts.detach(body, order)
        return isRefusal(made) ? made : created(withoutKind(made))
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: '/api/v1/detachments/{id}',
      guard: 'open',
      operation: 'extendDetachment',
      summary: 'Let it last longer',
      description:
        'Within what is allowed from now on. It gets a higher version; the block of that one is in the answer where it goes by hand.',
      example: extendExample,
      params: named,
      body: extend,
      answers: { 200: { description: 'The detachment with its new date', schema: madeDetachment } },
      errors: [...endErrors, 'unknown_detachment', 'detachment_over', 'id_conflict'],
      async handle({ params, body, authority }) {
        const refused = parts.refuse(authority, whoseOf(params.id))
        if (refused) return refused
        const made = await parts.extend(params.id, body)
        return isRefusal(made) ? made : ok(withoutKind(made))
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/detachments/{id}',
      guard: 'open',
      operation: 'returnDetachment',
      summary: 'Give it back before its date',
      description:
        'On the machine that has the seats: no application gets one of them from now on, and once none is in use the manager is told, as soon as it can be reached. On the manager: withdraws what nobody has taken yet. What is over stays over: asked again, and after its end, it answers how it ended.',
      example: returnExample,
      params: named,
      answers: { 200: { description: 'How far it came', schema: returned } },
      errors: ['unknown_detachment', 'early_return_forbidden', 'store_unavailable', 'sign_in_needed'],
      async handle({ params, authority }) {
        const refused = parts.refuse(authority, whoseOf(params.id))
        if (refused) return refused
        const outcome = await parts.giveBack(params.id)
        return isRefusal(outcome) ? outcome : ok(withoutKind(outcome))
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/detachments/{id}/lost',
      guard: 'administrator',
      operation: 'declareDetachmentLost',
      summary: 'Declare that the machine that has the seats is lost',
      description:
        'The seats are free at their date, earlier only where the license says so; then they count as an overlap until their date.',
      example: declareLostExample,
      params: named,
      body: declareLost,
      answers: { 200: { description: 'The detachment, lost', schema: detachment } },
      errors: ['unknown_detachment', 'store_unavailable'],
      async handle({ params, body }) {
        const outcome = await parts.declareLost(params.id, body)
        return isRefusal(outcome) ? outcome : ok(outcome.detachment)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/detachments/{id}/block',
      guard: 'administrator',
      operation: 'writeDetachmentBlock',
      summary: 'The block for the other machine',
      description: 'Whoever has it can attach the seats to that machine, so that from then on only it gives them back.',
      example: readBlockExample,
      params: named,
      answers: { 200: { description: 'The block', schema: block } },
      errors: ['unknown_detachment', 'store_unavailable'],
      async handle({ params }) {
        const outcome = await parts.block(params.id)
        return isRefusal(outcome) ? outcome : ok({ block: outcome.block })
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/returns',
      guard: 'open',
      operation: 'makeReturn',
      summary: 'Give a detachment back by a receipt, where its manager is not met',
      description:
        'The seats end here at once and for good; they are free at the manager when the receipt is applied there, by `POST /api/v1/documents`. Asked again it is the same receipt.',
      example: makeReturnExample,
      body: makeReturn,
      answers: { 200: { description: 'The receipt', schema: returnReceipt } },
      errors: [
        'unknown_detachment',
        'early_return_forbidden',
        'detachment_in_use',
        'detachment_over',
        'store_unavailable',
        'sign_in_needed',
      ],
      async handle({ body, authority }) {
        const refused = parts.refuse(authority, 'own')
        if (refused) return refused
        const outcome = await parts.makeReceipt(body.detachment)
        return isRefusal(outcome) ? outcome : ok(withoutKind(outcome))
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/recipient',
      guard: 'read',
      operation: 'readRecipient',
      summary: 'The block that names this machine to a manager',
      description:
        'With it a manager that is never met makes a detachment for this machine. It is good for 10 minutes.',
      example: recipientExample,
      answers: { 200: { description: 'The block', schema: recipient } },
      handle: () => ok(parts.recipient()),
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/detachable',
      guard: 'read',
      operation: 'listDetachable',
      summary: 'What can be detached, from where, and for how long',
      example: detachableExample,
      query: detachableQuery,
      answers: { 200: { description: 'By product and manager', schema: list(detachableProduct) } },
      handle: ({ query }) => ok(parts.detachable(query)),
    }),
  ]
}

function withoutKind<T extends { readonly kind: string }>({ kind: _, ...rest }: T): Omit<T, 'kind'> {
  return rest
}

function unknown(id: string): Refusal {
  return { kind: 'refused', code: 'unknown_detachment', detail: `There is no detachment ${id} here.` }
}
