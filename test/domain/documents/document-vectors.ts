/**
 * Single documents, good and bad, with the outcome they must have. `make-vectors.ts` writes them to test/vectors.
 */
import { sign } from 'node:crypto'
import type { DocumentType } from '../../../agent/domain/documents/document.ts'
import type { PublicJwk, SigningKey } from '../../../agent/domain/documents/keys.ts'
import {
  changed,
  laptop,
  manager,
  now,
  sampleLicense,
  sealActivation,
  sealAssertion,
  sealDetachment,
  sealLease,
  sealLicense,
  stranger,
  vendor,
} from './samples.ts'

export interface DocumentVector {
  readonly name: string
  readonly type: DocumentType
  /** The only key it may be signed with; absent: the key that the document carries. */
  readonly key?: PublicJwk
  readonly text: string
  /** Stands for the text so many times: a quarter of a megabyte of one letter says no more than its length. */
  readonly repeat?: number
  /** `opened`, or the code of the refusal. */
  readonly outcome: string
}

function encode(text: string | Buffer): string {
  return Buffer.from(text).toString('base64url')
}

/** Signs whatever is given, sense or nonsense. */
function signRaw(header: string, payload: string | Buffer, key: SigningKey): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`
}

function header(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ alg: 'EdDSA', typ: 'leasehold-license', kid: vendor.id, ...changes })
}

function license(changes: Record<string, unknown>, head = header(), key = vendor): string {
  return signRaw(head, JSON.stringify(changed<object>(sampleLicense, changes)), key)
}

function reSpell(text: string, change: (segments: string[]) => void): string {
  const segments = text.split('.')
  change(segments)
  return segments.join('.')
}

/** The last character of base64url of 64 bytes has bits to spare; this sets one. */
function withSpareBit(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}

export function makeDocumentVectors(): DocumentVector[] {
  const good = sealLicense()
  const json = JSON.stringify(sampleLicense)
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`
  const one = (
    name: string,
    text: string,
    outcome: string,
    type: DocumentType = 'leasehold-license',
    key?: PublicJwk,
  ) => (key === undefined ? { name, type, text, outcome } : { name, type, key, text, outcome })
  const cad = (fields: Record<string, unknown>) => [{ name: 'cad', seats: 2, ...fields }]
  return [
    one('a license', good, 'opened'),
    one('a license checked with the vendor key', good, 'opened', 'leasehold-license', vendor.jwk),
    one(
      'header members in another order',
      license({}, JSON.stringify({ kid: vendor.id, typ: 'leasehold-license', alg: 'EdDSA' })),
      'opened',
    ),
    one('a perpetual license without dates', license({ nbf: undefined, exp: undefined, model: 'perpetual' }), 'opened'),
    one('the key of another vendor', good, 'bad_signature', 'leasehold-license', stranger.jwk),
    one(
      'one byte of the payload changed',
      reSpell(good, (s) => {
        s[1] = encode(json.replace('"seats":10', '"seats":99'))
      }),
      'bad_signature',
    ),
    one(
      'the signature of another document',
      reSpell(good, (s) => {
        s[2] = sealLicense({ customer: 'Other' }).split('.')[2] ?? ''
      }),
      'bad_signature',
    ),
    one(
      'signed by a key that the license does not carry',
      license({}, header({ kid: stranger.id }), stranger),
      'bad_signature',
    ),
    one('kid of the vendor, signed by somebody else', license({}, header(), stranger), 'bad_signature'),
    one(
      'algorithm none',
      reSpell(license({}, header({ alg: 'none' })), (s) => {
        s[2] = ''
      }),
      'document_altered',
    ),
    one('algorithm none with a signature', license({}, header({ alg: 'none' })), 'not_a_document'),
    one('algorithm HS256', license({}, header({ alg: 'HS256' })), 'not_a_document'),
    one('algorithm in lower case', license({}, header({ alg: 'eddsa' })), 'not_a_document'),
    one('algorithm Ed25519', license({}, header({ alg: 'Ed25519' })), 'not_a_document'),
    one('a jwk in the header', license({}, header({ jwk: vendor.jwk })), 'not_a_document'),
    one('an x5c in the header', license({}, header({ x5c: [] })), 'not_a_document'),
    one('a crit in the header', license({}, header({ crit: ['exp'], exp: 1 })), 'not_a_document'),
    one('no kid', license({}, JSON.stringify({ alg: 'EdDSA', typ: 'leasehold-license' })), 'not_a_document'),
    one('the same name twice in the header', license({}, header().replace('{', '{"alg":"none",')), 'not_a_document'),
    one('an unknown typ', license({}, header({ typ: 'leasehold-token' })), 'not_a_document'),
    one('typ JWT', license({}, header({ typ: 'JWT' })), 'not_a_document'),
    one(
      'a typ in the header that the payload does not repeat',
      license({}, header({ typ: 'leasehold-activation' })),
      'document_invalid',
      'leasehold-activation',
      vendor.jwk,
    ),
    one('an activation used as a license', sealActivation(good), 'not_a_document'),
    one('a lease used as a detachment', sealLease(good), 'not_a_document', 'leasehold-detachment', manager.jwk),
    one('a lease', sealLease(good), 'opened', 'leasehold-lease', manager.jwk),
    one('a detachment', sealDetachment(good), 'opened', 'leasehold-detachment', manager.jwk),
    one('an activation', sealActivation(good), 'opened', 'leasehold-activation', vendor.jwk),
    one(
      'an activation whose agent is not its next key',
      signRaw(
        header({ typ: 'leasehold-activation' }),
        encodeless(sealActivation(good)).replace(manager.id, laptop.id),
        vendor,
      ),
      'document_invalid',
      'leasehold-activation',
      vendor.jwk,
    ),
    one('an assertion', sealAssertion(good), 'opened', 'leasehold-assertion', manager.jwk),
    one(
      'padding',
      reSpell(good, (s) => {
        s[2] += '=='
      }),
      'document_altered',
    ),
    one(
      'standard base64 instead of base64url',
      reSpell(good, (s) => {
        s[2] = (s[2] ?? '').replaceAll('-', '+').replaceAll('_', '/')
      }),
      'document_altered',
    ),
    one(
      'stray bits at the end',
      reSpell(good, (s) => {
        s[2] = withSpareBit(s[2] ?? '')
      }),
      'document_altered',
    ),
    one(
      'a space within',
      reSpell(good, (s) => {
        s[1] = ` ${s[1]}`
      }),
      'document_altered',
    ),
    one('a fourth part', `${good}.AAAA`, 'not_a_document'),
    one('two parts', good.slice(0, good.lastIndexOf('.')), 'not_a_document'),
    one('nothing', '', 'not_a_document'),
    one('an extra field', license({ discount: 5 }), 'document_invalid'),
    one('an extra field deep inside', license({ products: cad({ color: 'red' }) }), 'document_invalid'),
    one('version 2', license({ v: 2 }), 'document_too_new'),
    one('version 0', license({ v: 0 }), 'document_invalid'),
    one('version as text', license({ v: '1' }), 'document_invalid'),
    one('the same name twice', signRaw(header(), json.replace('{', '{"count":"host",'), vendor), 'document_invalid'),
    one(
      'the same name twice, once escaped',
      signRaw(header(), json.replace('{', '{"c\\u006funt":"host",'), vendor),
      'document_invalid',
    ),
    one(
      'the same name twice deep inside',
      signRaw(header(), json.replace('"seats":3', '"seats":3,"seats":3000'), vendor),
      'document_invalid',
    ),
    one(
      'a name called __proto__',
      signRaw(header(), json.replace('{', '{"__proto__":{"a":1},'), vendor),
      'document_invalid',
    ),
    one('nested too deep', signRaw(header(), json.replace('{', `{"deep":${deep},`), vendor), 'document_invalid'),
    one('no JSON', signRaw(header(), 'seats: 10', vendor), 'document_invalid', 'leasehold-license', vendor.jwk),
    one(
      'bytes that are no UTF-8',
      signRaw(header(), Buffer.from([0x7b, 0xff, 0x7d]), vendor),
      'document_invalid',
      'leasehold-license',
      vendor.jwk,
    ),
    one('a list', signRaw(header(), '[]', vendor), 'document_invalid', 'leasehold-license', vendor.jwk),
    { ...one('huge', 'A', 'body_too_large'), repeat: 262_145 },
    one(
      'a feature with more seats than its product',
      license({ products: cad({ features: [{ name: 'render', seats: 3 }] }) }),
      'document_invalid',
    ),
    one(
      'the same feature twice',
      license({ products: cad({ features: [{ name: 'a' }, { name: 'a' }] }) }),
      'document_invalid',
    ),
    one('the same product twice', license({ products: [...cad({}), ...cad({ seats: 5 })] }), 'document_invalid'),
    one(
      'any-product seats twice',
      license({
        products: [
          { any: true, seats: 1 },
          { any: true, seats: 2 },
        ],
      }),
      'document_invalid',
    ),
    one('no products', license({ products: [] }), 'document_invalid'),
    one('no seats', license({ products: cad({ seats: 0 }) }), 'document_invalid'),
    one('half a seat', license({ products: cad({ seats: 1.5 }) }), 'document_invalid'),
    one('a million seats', license({ products: cad({ seats: 1_000_000 }) }), 'opened'),
    one('more than a million seats', license({ products: cad({ seats: 1_000_001 }) }), 'document_invalid'),
    one('a product name with a capital', license({ products: [{ name: 'Cad', seats: 1 }] }), 'document_invalid'),
    one('a product name of dots', license({ products: [{ name: '..', seats: 1 }] }), 'document_invalid'),
    one(
      'a product name of 65 characters',
      license({ products: [{ name: 'c'.repeat(65), seats: 1 }] }),
      'document_invalid',
    ),
    one('a title with a line break', license({ products: cad({ title: 'Acme\nCAD' }) }), 'document_invalid'),
    one(
      'a title that turns the direction of writing',
      license({ products: cad({ title: 'Acme \u202eDAC' }) }),
      'document_invalid',
    ),
    one('a title of 256 characters', license({ products: cad({ title: 'x'.repeat(256) }) }), 'document_invalid'),
    one(
      'half a surrogate pair',
      signRaw(header(), json.replace('Acme CAD', 'Acme \\ud800'), vendor),
      'document_invalid',
    ),
    one('a lease time of 19 seconds', license({ leaseSeconds: 19 }), 'document_invalid'),
    one('a lease time of more than a day', license({ leaseSeconds: 86_401 }), 'document_invalid'),
    one('an end before the beginning', license({ nbf: now, exp: now }), 'document_invalid'),
    one('a perpetual license with an end', license({ model: 'perpetual' }), 'document_invalid'),
    one('a subscription without an end', license({ exp: undefined }), 'document_invalid'),
    one('a stand-alone license that can be detached', license({ kind: 'standalone' }), 'document_invalid'),
    one(
      'a link that is not https',
      license({ vendor: { ...sampleLicense.vendor, links: { home: 'http://example.com' } } }),
      'document_invalid',
    ),
    one(
      'a link that is a script',
      license({ vendor: { ...sampleLicense.vendor, links: { home: 'javascript:alert(1)' } } }),
      'document_invalid',
    ),
    one('a license that replaces itself', license({ replaces: [sampleLicense.id] }), 'document_invalid'),
  ]
}

/** The payload of a document as JSON. */
function encodeless(text: string): string {
  return Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()
}
