/**
 * Any text block: what it is, what applying it would do, and applying it.
 * Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, documentBody, type Route } from '../route.ts'
import { recognizeExample } from './license-examples.ts'
import { type ApplyDocuments, applyDocuments, type RecognizedDocument, recognizedDocuments } from './license-shapes.ts'

export interface DocumentsParts {
  /** Each block is told about on its own; refused only when nothing is found, or a single block can't be applied. */
  process(
    request: ApplyDocuments,
  ): Promise<{ readonly kind: 'recognized'; readonly documents: readonly RecognizedDocument[] } | Refusal>
}

export function documentRoutes(parts: DocumentsParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/documents',
      guard: 'administrator',
      operation: 'recognizeDocuments',
      summary: 'Recognize text blocks, say what they would do, do it',
      description:
        'Finds every block in a text, such as a whole mail: licenses, activations, receipts. Without `apply` nothing is changed. Each block is told about on its own, so one that can not be used does not stop the others; only where it is the only one, the call is refused for it.',
      example: recognizeExample,
      body: applyDocuments,
      bodyLimit: documentBody,
      answers: { 200: { description: 'The blocks that were found', schema: recognizedDocuments } },
      errors: [
        'not_a_document',
        'bad_signature',
        'document_altered',
        'document_invalid',
        'document_too_new',
        'document_superseded',
        'unknown_request',
        'wrong_recipient',
        'document_expired',
        'already_applied',
        'already_returned',
        'untrusted_vendor',
        'vendor_name_taken',
        'seats_detached',
        'unknown_license',
        'store_unavailable',
      ],
      async handle({ body }) {
        const outcome = await parts.process(body)
        return outcome.kind === 'refused' ? outcome : ok({ documents: outcome.documents })
      },
    }),
  ]
}
