/**
 * What reading, checking and exchanging documents may answer when it says no. The codes are those of the one error table;
 * the shape is that table's refusal, spelled out here because domain imports nothing of ours outside domain.
 */

export type DocumentCode =
  | 'not_a_document'
  | 'body_too_large'
  | 'bad_signature'
  | 'document_altered'
  | 'document_invalid'
  | 'document_too_new'
  | 'document_expired'
  | 'document_superseded'
  | 'unknown_request'
  | 'wrong_recipient'
  | 'already_applied'
  | 'license_expired'
  | 'hardware_unreadable'

export interface DocumentRefusal {
  readonly kind: 'refused'
  readonly code: DocumentCode
  /** What exactly; a sentence. */
  readonly detail: string
  readonly facts?: Readonly<Record<string, unknown>>
}

export function refuseDocument(
  code: DocumentCode,
  detail: string,
  facts?: Readonly<Record<string, unknown>>,
): DocumentRefusal {
  return facts === undefined ? { kind: 'refused', code, detail } : { kind: 'refused', code, detail, facts }
}
