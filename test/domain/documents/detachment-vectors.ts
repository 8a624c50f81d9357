/**
 * Detachments, recipients and return receipts, good and bad, with the outcome they must have. `make-vectors.ts` writes them to
 * test/vectors.
 */
import { buildDetachment, buildReturn, type DetachmentFacts } from '../../../agent/domain/documents/detachment.ts'
import { sealDocument } from '../../../agent/domain/documents/document.ts'
import type { SigningKey } from '../../../agent/domain/documents/keys.ts'
import { laptop, manager, now, sealActivation, sealLicense, stranger } from './samples.ts'

export interface DetachmentVector {
  readonly name: string
  readonly type: 'detachment' | 'recipient' | 'return'
  /** From the license down; of the other types the one text. */
  readonly texts: readonly string[]
  /** `good`, or the code of the refusal. */
  readonly outcome: string
}

const license = sealLicense()
const activation = sealActivation(license)
const above = [license, activation]
const day = 86_400

function seal(changes: Partial<DetachmentFacts> = {}): string[] {
  const facts: DetachmentFacts = {
    id: 'detachment-1',
    version: 1,
    now,
    exp: now + 7 * day,
    above,
    recipient: laptop.jwk,
    product: 'acme/cad',
    seats: 2,
    rule: 'user',
    depth: 3,
    manager: { key: manager, name: 'SERVER' },
    ...changes,
  }
  return [...facts.above, buildDetachment(facts)]
}

function recipient(changes: Record<string, unknown> = {}, key: SigningKey = laptop): string {
  const facts = {
    id: 'recipient-1',
    iat: now,
    agent: laptop.id,
    key: laptop.jwk,
    name: 'LAPTOP',
    zone: 'Europe/Berlin',
  }
  return sealDocument('leasehold-recipient', { ...facts, ...changes }, key)
}

function alter(text: string): string {
  const at = text.indexOf('.') + 40
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}

export function makeDetachmentVectors(): DetachmentVector[] {
  const good = seal()
  const [, , link = ''] = good
  const open = sealLicense({ activation: { needed: false } })
  const receipt = buildReturn({ id: 'receipt-1', now, detachment: 'detachment-1', version: 1 }, laptop)
  const [head = '', payload = ''] = receipt.split('.')
  const signed = recipient().split('.').slice(2).join('.')
  const first = seal({ above: [license, activation], recipient: laptop.jwk })
  const cascade = seal({ above: first, recipient: stranger.jwk, depth: 2, manager: { key: laptop, name: 'LAPTOP' } })
  const bound = sealLicense({ detach: { maxDays: 14 } })
  const boundLinks = [bound, sealActivation(bound)]
  const one = (name: string, outcome: string, texts: readonly string[]): DetachmentVector => ({
    name,
    type: 'detachment',
    texts,
    outcome,
  })
  return [
    one('a detachment', 'good', good),
    one('a later version of it', 'good', seal({ version: 2, exp: now + 9 * day })),
    one('of a feature', 'good', seal({ feature: 'render' })),
    one('of any-product seats', 'good', seal({ any: true, product: 'acme/viewer' })),
    one('of a license that needs no activation', 'good', seal({ above: [open] })),
    one('as long as the license allows', 'good', seal({ exp: now + 14 * day })),
    one('passed on by a branch, where the license allows it', 'good', cascade),
    one('passed on by a branch, where the license does not', 'document_invalid', [
      ...seal({
        above: seal({ above: boundLinks }),
        depth: 2,
        recipient: stranger.jwk,
        manager: { key: laptop, name: 'L' },
      }),
    ]),
    one('alone', 'document_altered', [link]),
    one('without its activation', 'document_altered', [license, link]),
    one('without the detachment', 'document_altered', above),
    one('without anything', 'document_altered', []),
    one('below the activation of another license', 'document_altered', [
      ...[sealLicense({ id: 'another-license' })].flatMap((text) => [
        text,
        sealActivation(text, { license: 'another-license' }),
      ]),
      link,
    ]),
    one(
      'signed by an agent that the activation does not name',
      'bad_signature',
      seal({ manager: { key: stranger, name: 'X' } }),
    ),
    one('with one letter changed', 'bad_signature', [...above, alter(link)]),
    one('with one letter of the license changed', 'bad_signature', [alter(license), activation, link]),
    one('with an activation of another vendor', 'bad_signature', [
      license,
      sealActivation(license, {}, stranger),
      link,
    ]),
    one('longer than the license allows', 'document_invalid', seal({ exp: now + 14 * day + 1 })),
    one('past the end of the license', 'document_invalid', seal({ now: now + 290 * day, exp: now + 301 * day })),
    one('of more seats than there are', 'document_invalid', seal({ seats: 11 })),
    one('of another product', 'document_invalid', seal({ product: 'acme/other' })),
    one('of another vendor', 'document_invalid', seal({ product: 'other/cad' })),
    one('of a feature that there is not', 'document_invalid', seal({ feature: 'none' })),
    one('counted otherwise', 'document_invalid', seal({ rule: 'session' })),
    one('that hands on more than it got', 'document_invalid', seal({ depth: 4 })),
    one('of a license that has none', 'document_invalid', [
      ...[sealLicense({ detach: undefined })].flatMap((text) => seal({ above: [text, sealActivation(text)] })),
    ]),
    { name: 'a recipient', type: 'recipient', texts: [recipient()], outcome: 'good' },
    { name: 'a recipient without a zone', type: 'recipient', texts: [recipient({ zone: undefined })], outcome: 'good' },
    {
      name: 'a recipient signed by another',
      type: 'recipient',
      texts: [recipient({}, stranger)],
      outcome: 'bad_signature',
    },
    {
      name: 'a recipient with the signature of another text',
      type: 'recipient',
      texts: [`${recipient({ name: 'OTHER' }).split('.').slice(0, 2).join('.')}.${signed}`],
      outcome: 'bad_signature',
    },
    { name: 'a return receipt', type: 'return', texts: [receipt], outcome: 'good' },
    {
      name: 'a receipt whose version was changed',
      type: 'return',
      texts: [
        `${head}.${Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"version":1', '"version":2')).toString('base64url')}.${receipt.split('.')[2]}`,
      ],
      outcome: 'bad_signature',
    },
    { name: 'a recipient given as a receipt', type: 'return', texts: [recipient()], outcome: 'not_a_document' },
    { name: 'a receipt given as a recipient', type: 'recipient', texts: [receipt], outcome: 'not_a_document' },
    { name: 'a detachment given as a receipt', type: 'return', texts: [link], outcome: 'not_a_document' },
  ]
}
