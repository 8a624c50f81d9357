import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { signingKey } from '../../agent/domain/documents/keys.ts'
import {
  type Component,
  contentDigest,
  readSignature,
  type SignatureParameters,
  signatureBase,
  signMessage,
  verifySignature,
  writeParameters,
} from '../../agent/domain/http-signature.ts'
import {
  type AnswerFacts,
  isRequestSigned,
  readAnswer,
  readEvidence,
  readName,
  readRequest,
  requestHeader,
  signAnswer,
  signRequest,
  writeEvidence,
  writeName,
} from '../../agent/domain/peer-signature.ts'

interface Vectors {
  readonly key: { readonly public: string; readonly private: string }
  readonly label: string
  readonly components: readonly (readonly [string, string])[]
  readonly parameters: SignatureParameters
  readonly base: string
  readonly input: string
  readonly signature: string
  readonly digests: readonly (readonly [string, string])[]
}
const file = new URL('../../../test/vectors/http-signatures.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
const components: Component[] = vectors.components.map(([identifier, value]) => ({ identifier, value }))
const der = (text: string) => Buffer.from(text, 'base64')
const publicKey = createPublicKey({ key: der(vectors.key.public), format: 'der', type: 'spki' })
const privateKey = createPrivateKey({ key: der(vectors.key.private), format: 'der', type: 'pkcs8' })

test('the Ed25519 vector of RFC 9421 is signed, read and verified as the standard says', (t) => {
  const signed = signMessage(vectors.label, components, vectors.parameters, privateKey)
  t.is(signed.base, vectors.base)
  t.is(signed.input, vectors.input)
  t.is(signed.signature, vectors.signature)
  const read = readSignature(vectors.label, vectors)
  if (read === undefined) return t.fail('not read')
  t.deepEqual(read.parameters, vectors.parameters)
  t.deepEqual(
    read.identifiers,
    components.map(({ identifier }) => identifier),
  )
  t.true(verifySignature(read, components, publicKey))
  const other = components.map((one) => (one.identifier === '"@path"' ? { ...one, value: '/bar' } : one))
  t.false(verifySignature(read, other, publicKey))
  return undefined
})

test('digests of content are those of RFC 9530', (t) => {
  for (const [content, digest] of vectors.digests) t.is(contentDigest(content), digest)
})

test('whatever can be said in a signature is read back as it was', (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019 -_.~!#$%&()*+,/:;<=>?@[]^`{|}'), maxLength: 40 })
  const identifier = fc
    .tuple(
      fc.constantFrom('@method', '@path', 'content-digest', 'signature', 'x-1'),
      fc.constantFrom('', ';req', ';req;key="a"'),
    )
    .map(([name, flags]) => `"${name}"${flags}`)
  const parameters = fc.record(
    { created: fc.integer({ min: 0, max: 2 ** 48 }), nonce: text, keyid: text, tag: text },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.uniqueArray(identifier, { maxLength: 8 }), parameters, text, (identifiers, said, value) => {
      const message = identifiers.map((one) => ({ identifier: one, value }))
      const signed = signMessage('leasehold', message, said, privateKey)
      const read = readSignature('leasehold', signed)
      t.deepEqual(read?.parameters, said)
      t.deepEqual(read?.identifiers, identifiers)
      t.is(read === undefined ? '' : signatureBase(message, read.text), signed.base)
      t.true(read !== undefined && verifySignature(read, message, publicKey))
    }),
  )
})

test('headers that are not exactly one signature of ours are not read', (t) => {
  const good = signMessage('leasehold', components, vectors.parameters, privateKey)
  const { input, signature } = good
  t.truthy(readSignature('leasehold', good))
  const inputs = [
    '',
    'leasehold',
    input.replace('leasehold', 'other'),
    `${input}, other=();created=1`,
    input.replace('("date"', '("date" "date"'),
    input.replace('"date" ', '"date"  '),
    input.replace('"date" ', '"date"'),
    input.replace('"date"', 'date'),
    input.replace('"date"', '"Date"'),
    input.replace('"@path"', '"@path";sf=1'),
    input.replace(';created=1618884473', ';created=1618884473;created=1'),
    input.replace(';created=1618884473', ';created="1618884473"'),
    input.replace(';created=1618884473', ';created=-1'),
    input.replace(';created=1618884473', ';created=1.5'),
    input.replace(';keyid', ';unknown'),
    input.replace('"test-key-ed25519"', 'test-key-ed25519'),
    input.replace('"test-key-ed25519"', '"test-\\"key"'),
    `${input};`,
    `${input} `,
    input.replace(')', ''),
    `leasehold=(${'"a" '.repeat(2000)})`,
  ]
  for (const one of inputs) t.is(readSignature('leasehold', { input: one, signature }), undefined, one)
  const signatures = [
    '',
    signature.replace('leasehold', 'other'),
    signature.slice(0, -1),
    signature.replace(':', ''),
    'leasehold=:AAAA:',
    signature.replace('==:', ':'),
    `${signature}, ${signature}`,
    signature.replace(/.==:$/, 'h==:'),
  ]
  for (const one of signatures) t.is(readSignature('leasehold', { input, signature: one }), undefined, one)
  t.throws(() => writeParameters([], { nonce: 'a"b' }), { instanceOf: TypeError })
  t.throws(() => writeParameters([], { nonce: 'a\nb' }), { instanceOf: TypeError })
})

const agent = signingKey(generateKeyPairSync('ed25519').privateKey)
const other = signingKey(generateKeyPairSync('ed25519').privateKey)
const facts = {
  to: other.id,
  start: 'start-of-other',
  key: agent.jwk.x,
  name: writeName('Anas Rechner “Köln” 🖥'),
  'from-start': 'start-of-agent',
  'from-count': 3,
  seen: 12,
}
const asked = {
  method: 'PUT',
  target: '/peer/v1/leases/a?x=1',
  digest: contentDigest('{}'),
  facts,
  created: 100,
  nonce: 'n'.repeat(22),
}

test('R13: a request binds method, path, query, digest, recipient, start, sender, time and nonce', (t) => {
  const headers = signRequest(asked, agent)
  const message = { ...asked, facts: headers[requestHeader] }
  const read = (changes: Partial<typeof message>, input = headers['signature-input']) =>
    readRequest({ ...message, ...changes }, { input, signature: headers.signature })
  const good = read({})
  if (good === undefined) return t.fail('not read')
  t.true(isRequestSigned(good, agent))
  t.is(good.sender, agent.id)
  t.is(readName(good.facts.name), 'Anas Rechner “Köln” 🖥')
  t.false(isRequestSigned(good, other))
  const { facts: text } = message
  const changed = [
    read({ method: 'DELETE' }),
    read({ target: '/peer/v1/leases/b?x=1' }),
    read({ target: '/peer/v1/leases/a?x=2' }),
    read({ target: '/peer/v1/leases/a' }),
    read({ digest: contentDigest('{"a":1}') }),
    read({ facts: text.replace(other.id, agent.id) }),
    read({ facts: text.replace('start-of-other', 'start-of-agent') }),
    read({ facts: text.replace('from-count=3', 'from-count=4') }),
    read({ facts: text.replace('seen=12', 'seen=11') }),
    read({}, headers['signature-input'].replace('created=100', 'created=101')),
    read({}, headers['signature-input'].replace('nnn', 'mmm')),
    read({}, headers['signature-input'].replace(agent.id, other.id)),
  ]
  for (const [at, claimed] of changed.entries())
    t.false(claimed !== undefined && isRequestSigned(claimed, agent), String(at))
  const odd = [
    read({ facts: '' }),
    read({ facts: `${text}, seen=12` }),
    read({ facts: `${text}, more=12` }),
    read({ facts: text.replace(', ', ',') }),
    read({}, headers['signature-input'].replace(' "@query"', '')),
    read({}, headers['signature-input'].replace('alg="ed25519"', 'alg="rsa-pss-sha512"')),
    read({}, headers['signature-input'].replace(`tag="${requestHeader}"`, 'tag="leasehold-answer"')),
  ]
  for (const [at, claimed] of odd.entries()) t.is(claimed, undefined, String(at))
  return undefined
})

const standing: AnswerFacts = { start: 'start-of-agent', count: 3, revision: 77, time: 1_800_000_000_123 }

test('R13, R24: an answer binds status, digest, the request and where the agent stands', (t) => {
  const request = signRequest(asked, other)
  const to = { signature: request.signature }
  const digest = contentDigest('{"a":1}')
  const headers = signAnswer({ status: 200, digest, to, facts: standing }, agent)
  const message = { status: 200, digest, to, facts: headers['leasehold-answer'] ?? '' }
  const signed = { input: headers['signature-input'] ?? '', signature: headers.signature ?? '' }
  t.like(readAnswer(message, signed, agent), standing)
  const another = signRequest({ ...asked, nonce: 'm'.repeat(22) }, other)
  const wrong = [
    readAnswer({ ...message, status: 201 }, signed, agent),
    readAnswer({ ...message, digest: contentDigest('{"a":2}') }, signed, agent),
    readAnswer({ ...message, digest: undefined }, signed, agent),
    readAnswer({ ...message, to: { signature: another.signature } }, signed, agent),
    readAnswer({ ...message, to: { nonce: 'n'.repeat(22) } }, signed, agent),
    readAnswer({ ...message, to: undefined }, signed, agent),
    readAnswer({ ...message, facts: message.facts.replace('revision=77', 'revision=78') }, signed, agent),
    readAnswer(message, signed, other),
    // a request's own signature is no answer
    readAnswer(message, { input: request['signature-input'], signature: request.signature }, other),
  ]
  for (const [at, one] of wrong.entries()) t.is(one, undefined, String(at))
})

test('R24: what an agent signed about where it stood can be shown to it later, and nothing else can', (t) => {
  const to = { signature: signRequest(asked, other).signature }
  for (const digest of [contentDigest('x'), undefined]) {
    const headers = signAnswer({ status: 200, digest, to, facts: standing }, agent)
    const message = { status: 200, digest, to, facts: headers['leasehold-answer'] ?? '' }
    const evidence = readAnswer(
      message,
      { input: headers['signature-input'] ?? '', signature: headers.signature ?? '' },
      agent,
    )
    if (evidence === undefined) return t.fail('not read')
    const shown = writeEvidence(evidence)
    t.like(readEvidence(shown, agent), standing)
    t.is(readEvidence(shown, other), undefined)
    const raise = { ...evidence, base: evidence.base.replace('revision=77', 'revision=99') }
    t.is(readEvidence(writeEvidence(raise), agent), undefined)
    t.is(readEvidence(writeEvidence({ ...evidence, base: `x\n${evidence.base}` }), agent), undefined)
    t.is(readEvidence(`${shown}.`, agent), undefined)
  }
  // what it signed as a request is no evidence
  const request = signRequest({ ...asked, facts: { ...facts, to: agent.id } }, agent)
  t.is(readEvidence(writeEvidence({ base: '', signature: request.signature.slice(11, -1) }), agent), undefined)
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (value) => {
      t.is(readEvidence(value, agent), undefined)
    }),
  )
  return undefined
})

test('names of machines cross the wire whole, and without what could deceive', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (name) => {
      t.regex(writeName(name), /^[\x21\x23-\x5b\x5d-\x7e]*$/)
    }),
  )
  for (const name of ['WS-17', 'büro', 'a"b\\c', '']) t.is(readName(writeName(name)), name)
  t.is(readName(writeName('a\u202eb\u0000c\nd')), 'abcd')
  t.is(readName(writeName('x'.repeat(300))), 'x'.repeat(64))
  t.is(readName(writeName('\ud800a')), 'a')
  t.is(readName('%zz'), '')
})
