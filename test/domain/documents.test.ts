/**
 * Signed documents against the vectors, and against two implementations that are not ours.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { compactVerify, importJWK } from 'jose'
import { decodeBase64url } from '../../agent/domain/documents/base64url.ts'
import { addMonths } from '../../agent/domain/documents/calendar.ts'
import { openAnyDocument, openDocument, sealDocument } from '../../agent/domain/documents/document.ts'
import { encodeHeader, signJws } from '../../agent/domain/documents/jws.ts'
import { isFingerprintOf, keyId, shortGroups, verifyingKey } from '../../agent/domain/documents/keys.ts'
import { readStrictJson } from '../../agent/domain/documents/strict-json.ts'
import { testNeeding } from '../helpers/needing.ts'
import type { DocumentVector } from './documents/document-vectors.ts'
import { makeVectors, vectorFolder } from './documents/make-vectors.ts'
import {
  laptop,
  manager,
  now,
  open,
  sampleLicense,
  sealActivation,
  sealAssertion,
  sealLicense,
  stranger,
  vendor,
} from './documents/samples.ts'

function readVectors(): DocumentVector[] {
  return JSON.parse(readFileSync(`${vectorFolder}documents.json`, 'utf8'))
}

test('every document of the vectors has its outcome', (t) => {
  const vectors = readVectors()
  t.true(vectors.length > 70)
  for (const vector of vectors) {
    const text = vector.text.repeat(vector.repeat ?? 1)
    const outcome = openDocument(text, vector.type, vector.key && verifyingKey(vector.key))
    t.is(outcome.kind === 'opened' ? 'opened' : outcome.code, vector.outcome, vector.name)
  }
})

test('the vectors are what the code makes', (t) => {
  for (const [name, text] of Object.entries(makeVectors())) t.is(readFileSync(`${vectorFolder}${name}`, 'utf8'), text)
})

test('no document opens once any of its characters is another', (t) => {
  const text = sealLicense()
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.constantFrom('A', 'b', '7', '-', '_', '.', '=', ' ', '\0'),
      (at, character) => {
        fc.pre(text[at] !== character)
        const altered = text.slice(0, at) + character + text.slice(at + 1)
        return openDocument(altered, 'leasehold-license').kind === 'refused'
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('a sealed license reads back with its defaults, and jose takes its signature', async (t) => {
  const text = sealLicense({ leaseSeconds: undefined, overlap: undefined, depth: undefined, activation: undefined })
  const opened = open(text, 'leasehold-license')
  t.is(opened.signer, vendor.id)
  t.is(opened.payload.leaseSeconds, 600)
  t.true(opened.payload.overlap)
  t.is(opened.payload.depth, 4)
  t.deepEqual(opened.payload.activation, { needed: true })
  const verified = await compactVerify(text, await importJWK({ ...vendor.jwk }, 'EdDSA'), { algorithms: ['EdDSA'] })
  t.deepEqual(JSON.parse(Buffer.from(verified.payload).toString()), JSON.parse(JSON.stringify(opened.payload)))
  t.deepEqual(verified.protectedHeader, { alg: 'EdDSA', typ: 'leasehold-license', kid: vendor.id })
  await t.throwsAsync(async () => compactVerify(text, await importJWK({ ...stranger.jwk }, 'EdDSA')))
})

const python = ['/usr/bin/python3', 'python3'].find(
  (program) =>
    (program === 'python3' || existsSync(program)) &&
    spawnSync(program, ['-c', 'import cryptography'], { timeout: 30_000 }).status === 0,
)

const pythonVerifier = `
import base64, hashlib, json, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
def decode(text): return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
for line in sys.stdin:
    text, x = line.split()
    header, payload, signature = text.split('.')
    jwk = json.dumps({'crv': 'Ed25519', 'kty': 'OKP', 'x': x}, separators=(',', ':'))
    kid = base64.urlsafe_b64encode(hashlib.sha256(jwk.encode()).digest()).decode().rstrip('=')
    try:
        Ed25519PublicKey.from_public_bytes(decode(x)).verify(decode(signature), (header + '.' + payload).encode())
        print('good' if json.loads(decode(header))['kid'] == kid else 'kid')
    except InvalidSignature:
        print('bad')
`

const testWithPython = testNeeding(
  python !== undefined,
  'Python with cryptography: apt-get install python3-cryptography',
)

testWithPython("Python's cryptography takes our signatures and key ids, and refuses other keys", (t) => {
  const license = sealLicense()
  const lines = [
    `${license} ${vendor.jwk.x}`,
    `${sealActivation(license)} ${vendor.jwk.x}`,
    `${sealAssertion(license)} ${manager.jwk.x}`,
    `${license} ${stranger.jwk.x}`,
  ]
  const said = execFileSync(python ?? 'python3', ['-c', pythonVerifier], {
    input: `${lines.join('\n')}\n`,
    encoding: 'utf8',
  })
  t.deepEqual(said.trim().split('\n'), ['good', 'good', 'good', 'bad'])
})

test('a document of any kind is opened with the key that it carries or that is known', (t) => {
  const license = sealLicense()
  const known = (signer: string) => (signer === vendor.id ? verifyingKey(vendor.jwk) : undefined)
  t.is(openAnyDocument(license, () => undefined).kind, 'opened')
  t.is(openAnyDocument(sealActivation(license), known).kind, 'opened')
  const unknown = openAnyDocument(sealActivation(license, {}, stranger), known)
  t.is(unknown.kind === 'refused' && unknown.code, 'wrong_recipient')
})

test('an agent speaks only for itself', (t) => {
  const fields = { id: 'recipient-1', iat: now, name: 'laptop' }
  const honest = sealDocument('leasehold-recipient', { ...fields, agent: laptop.id, key: laptop.jwk }, laptop)
  t.is(openDocument(honest, 'leasehold-recipient').kind, 'opened')
  const boast = sealDocument('leasehold-recipient', { ...fields, agent: manager.id, key: laptop.jwk }, laptop)
  const outcome = openDocument(boast, 'leasehold-recipient')
  t.is(outcome.kind === 'refused' && outcome.code, 'document_invalid')
})

test('what can not be is refused by the name of the field', (t) => {
  const cases: [object, string][] = [
    [
      { products: [{ name: 'cad', seats: 2, features: [{ name: 'render', seats: 3 }] }] },
      'products.0.features.0.seats',
    ],
    [{ products: [{ name: 'cad', seats: 0 }] }, 'products.0.seats'],
    [{ products: [{ any: true, seats: 1, color: 1 }] }, 'products.0.color'],
    [{ count: 'floor' }, 'count'],
    [{ owner: 'nobody' }, 'owner'],
  ]
  for (const [changes, field] of cases) {
    const text = signJws(encodeHeader('leasehold-license', vendor), { ...sampleLicense, ...changes }, vendor)
    const outcome = openDocument(text, 'leasehold-license')
    t.true(outcome.kind === 'refused' && outcome.detail.includes(` ${field}: `), field)
  }
})

test('the key id is the thumbprint of RFC 8037', (t) => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const
  t.is(keyId(jwk), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
})

test('a fingerprint is compared as people type it', (t) => {
  const id = keyId({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })
  const groups = shortGroups(id)
  t.is(groups, 'J3XCN-ZN9P5-APD62-M1XRC')
  t.true(isFingerprintOf(groups.toLowerCase().replaceAll('-', ' '), id))
  t.true(isFingerprintOf(groups.replaceAll('0', 'o').replaceAll('1', 'l'), id))
  t.true(isFingerprintOf(id, id))
  t.false(isFingerprintOf(groups.slice(0, 10), id))
  t.false(isFingerprintOf('', id))
  t.false(isFingerprintOf(shortGroups(vendor.id), id))
})

test('only canonical base64url is decoded', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64url')
      return decodeBase64url(text)?.equals(bytes) === true && (text === '' || decodeBase64url(`${text}=`) === undefined)
    }),
  )
  for (const text of ['A', 'AB', 'AAF', 'A A', '+/AA', 'AA\n']) t.is(decodeBase64url(text), undefined, text)
})

test('strict JSON reads what JSON.parse reads, unless a name stands twice', (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const reading = readStrictJson(text)
      t.deepEqual(reading, { kind: 'value', value: JSON.parse(text) })
    }),
  )
  fc.assert(
    fc.property(fc.string(), fc.nat(3), (name, depth) => {
      const inner = `{${JSON.stringify(name)}:1 , "other":{},${JSON.stringify(name)} :2}`
      const text = `${'[{"a":'.repeat(depth)}${inner}${'}]'.repeat(depth)}`
      fc.pre(name !== 'other')
      t.deepEqual(readStrictJson(text), { kind: 'unreadable', reason: 'duplicate_name' })
    }),
  )
  t.deepEqual(readStrictJson('[{"a":1},{"a":2},"a:","a"]').kind, 'value')
  t.deepEqual(readStrictJson(`${'['.repeat(17)}${']'.repeat(17)}`), { kind: 'unreadable', reason: 'too_deep' })
  t.deepEqual(readStrictJson(`${'['.repeat(16)}${']'.repeat(16)}`).kind, 'value')
  for (const text of ['', '{"a', '"a', '{a:1}', '\ufeff{}', '{"a":1}}', '01', 'NaN'])
    t.is(readStrictJson(text).kind, 'unreadable', text)
})

test('months end on the same day, or on the last one where the month is shorter', (t) => {
  const after = (day: string, months: number) =>
    new Date(addMonths(Date.parse(day) / 1000, months) * 1000).toISOString().slice(0, 16)
  t.is(after('2026-01-15T10:30:00Z', 12), '2027-01-15T10:30')
  t.is(after('2026-01-31T00:00:00Z', 1), '2026-02-28T00:00')
  t.is(after('2028-01-31T00:00:00Z', 1), '2028-02-29T00:00')
  t.is(after('2026-11-30T23:59:59Z', 3), '2027-02-28T23:59')
  t.is(after('2026-12-31T00:00:00Z', 2), '2027-02-28T00:00')
})

test('a key that is no point of the curve is refused as a value', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.constantFrom('license', 'recipient'),
      (bytes, kind) => {
        const key = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(bytes).toString('base64url') } as const
        const typ = `leasehold-${kind}`
        const claimed = { ...vendor, id: keyId(key) }
        const text = signJws(encodeHeader(typ, claimed), { typ, v: 1, key, vendor: { key }, agent: keyId(key) }, vendor)
        return openAnyDocument(text, () => undefined).kind === 'refused'
      },
    ),
  )
  t.pass()
})
