/**
 * Blocks come back from whatever mail programs and people do to them.
 */
import test from 'ava'
import fc from 'fast-check'
import { type Mailed, writeBlock } from '../../agent/domain/documents/armor.ts'
import { claimedName, openBlock, readBlocks } from '../../agent/domain/documents/armor-reader.ts'
import { hashText } from '../../agent/domain/documents/base64url.ts'
import { openDocument, sealDocument } from '../../agent/domain/documents/document.ts'
import { verifyingKey } from '../../agent/domain/documents/keys.ts'
import {
  laptop,
  manager,
  now,
  open,
  sampleLicense,
  sampleParts,
  sealActivation,
  sealDetachment,
  sealLicense,
  stranger,
  vendor,
} from './documents/samples.ts'

const licenseText = sealLicense({ customer: 'Example Ltd -- the "best" <b>' })
const license = open(licenseText, 'leasehold-license')
const block = writeBlock(license)
const keys = [vendor, manager].map((key) => verifyingKey(key.jwk))
const keyOf = (signer: string) => keys.find((key) => key.id === signer)

const speaker = { iat: now, agent: laptop.id, key: laptop.jwk }
const bound = { license: sampleLicense.id, licenseHash: hashText(licenseText), number: 1 }
const mailed: Mailed[] = [
  license,
  open(
    sealDocument(
      'leasehold-activation-request',
      { id: 'request-1', ...speaker, ...bound, parts: sampleParts, nonce: 'nonce-of-the-request' },
      laptop,
    ),
    'leasehold-activation-request',
  ),
  open(sealActivation(licenseText), 'leasehold-activation', vendor),
  open(
    sealDocument('leasehold-deactivation', { id: 'receipt-1', ...speaker, ...bound }, laptop),
    'leasehold-deactivation',
  ),
  open(
    sealDocument('leasehold-recipient', { id: 'recipient-1', ...speaker, name: 'Ana: laptop' }, laptop),
    'leasehold-recipient',
  ),
  open(sealDetachment(licenseText), 'leasehold-detachment', manager),
  open(
    sealDocument('leasehold-return', { id: 'receipt-2', ...speaker, detachment: 'detachment-1', version: 2 }, laptop),
    'leasehold-return',
  ),
]

function textsIn(pasted: string): string[] {
  const reading = readBlocks(pasted)
  return reading.kind === 'blocks' ? reading.blocks.map((found) => found.text) : []
}

test('a block tells a person what it is, in lines of at most 64 characters of payload', (t) => {
  const lines = block.split('\n')
  t.is(lines[0], '-----BEGIN LEASEHOLD LICENSE-----')
  t.is(lines[1], 'Vendor: acme')
  t.is(lines[2], 'Product: cad (10), cam (3), any product (2)')
  t.is(lines[3], 'Customer: Example Ltd - the best b')
  t.is(lines.at(-2), '-----END LEASEHOLD LICENSE-----')
  const payload = lines.slice(lines.indexOf('') + 1, -2)
  t.true(payload.every((line) => line.length <= 64))
  t.is(payload.join(''), licenseText)
})

test('every kind of block is written, found and recognized', (t) => {
  for (const document of mailed) {
    const reading = readBlocks(writeBlock(document))
    if (reading.kind === 'refused') return t.fail(reading.detail)
    t.is(reading.blocks.length, 1)
    const [found] = reading.blocks
    if (found === undefined) return t.fail()
    t.deepEqual(found, { text: document.text, checksum: 'fits' })
    t.deepEqual(openBlock(found, keyOf), document)
    t.true(claimedName(found)?.includes(document.typ.split('-')[1] ?? '?'))
  }
})

test('several blocks in one mail are all returned, each once', (t) => {
  const mail = `Hello,\n\n${mailed.map(writeBlock).join('\nand\n')}\nOn Monday you wrote:\n${writeBlock(license).replace(/^/gm, '> ')}`
  t.deepEqual(
    textsIn(mail),
    mailed.map((document) => document.text),
  )
})

type Mangle = (text: string) => string

function onLines(change: (line: string) => string): Mangle {
  return (text) => text.split('\n').map(change).join('\n')
}

function wrapAt(width: number): Mangle {
  return (text) =>
    text
      .split('\n')
      .flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'g')) ?? [''])
      .join('\n')
}

/** Puts `noise` between characters, as often as there are places. */
function sprinkle(noise: string, places: readonly number[]): Mangle {
  return (text) => {
    const characters = [...text]
    for (const place of places) characters.splice(place % characters.length, 0, noise)
    return characters.join('')
  }
}

const escapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '\u00a0': '&nbsp;',
  '\u00ad': '&shy;',
}

const mangles: fc.Arbitrary<[string, Mangle]> = fc.oneof(
  fc
    .constantFrom('> ', '>> ', '> > ', '>', '| ', '  ', '\t')
    .map((mark): [string, Mangle] => [`before each line: ${JSON.stringify(mark)}`, onLines((line) => mark + line)]),
  fc
    .constantFrom(' ', '   ', '\u00a0', '\t')
    .map((space): [string, Mangle] => ['spaces at line ends', onLines((line) => line + space)]),
  fc.constant<[string, Mangle]>(['CRLF', (text) => text.replaceAll('\n', '\r\n')]),
  fc.constant<[string, Mangle]>(['line separators', (text) => text.replaceAll('\n', '\u2028')]),
  fc.constant<[string, Mangle]>(['empty lines between', (text) => text.replaceAll('\n', '\n\n')]),
  fc.constant<[string, Mangle]>(['no line breaks', (text) => text.replace(/\r?\n/g, ' ')]),
  fc.constant<[string, Mangle]>(['no-break spaces', (text) => text.replaceAll(' ', '\u00a0')]),
  fc.integer({ min: 5, max: 200 }).map((width): [string, Mangle] => [`wrapped at ${width}`, wrapAt(width)]),
  fc
    .tuple(
      fc.constantFrom('\u00ad', '\u200b', '\u200c', '\u2060', '\ufeff', '\u200e'),
      fc.array(fc.nat(5000), { maxLength: 20 }),
    )
    .map(([noise, places]): [string, Mangle] => ['invisible characters', sprinkle(noise, places)]),
  fc
    .constantFrom('\u2014\u2014-', '\u2013\u2013\u2013\u2013\u2013', '\u2014\u2014', '- - - - -', '\u2010\u2010\u2010')
    .map((dashes): [string, Mangle] => [`markers with ${dashes}`, (text) => text.replaceAll('-----', dashes)]),
  fc.constant<[string, Mangle]>(['quoted-printable', (text) => text.replace(/(.{70})(?=.)/g, '$1=\r\n')]),
  fc.constant<[string, Mangle]>([
    'HTML',
    (text) =>
      text
        .replace(/[<>&\u00a0\u00ad]/g, (character) => escapes[character] ?? character)
        .split('\n')
        .map((line) => `<p class="x">${line}</p><br>`)
        .join('\n'),
  ]),
  fc.constant<[string, Mangle]>([
    'without the lines above the payload',
    (text) => text.replace(/^\W*(Vendor|Product|Customer|Ends|License|Checksum):.*\n/gm, ''),
  ]),
  fc.constant<[string, Mangle]>([
    'within a mail',
    (text) => `Dear Ana <ana@example.com>,\nhere is your code:\n\n${text}\n\nBest -- Ben. 1 > 0`,
  ]),
  fc.constant<[string, Mangle]>(['END is missing', (text) => text.replace(/\n[^\nA-Za-z]*END\s+LEASEHOLD[^\n]*/, '')]),
)

test('a block reads back after any mangling by mail programs, one after another', (t) => {
  fc.assert(
    fc.property(fc.array(mangles, { minLength: 1, maxLength: 4 }), (steps) => {
      // Lines can be taken out only while they are lines; a mail program makes HTML once, and encodes for transport last.
      const rank = (name: string) =>
        ['without the lines above the payload', '', 'HTML', 'quoted-printable'].indexOf(name) + 1 || 2
      const ordered = steps
        .filter(([name], at) => rank(name) < 3 || steps.findIndex(([other]) => other === name) === at)
        .toSorted(([a], [b]) => rank(a) - rank(b))
      const pasted = ordered.reduce((text, [, mangle]) => mangle(text), block)
      const found = textsIn(pasted)
      return found.length === 1 && found[0] === licenseText
    }),
    { numRuns: 1500 },
  )
  t.pass()
})

test('dashes of the payload that became en or em dashes are read by the checksum', (t) => {
  // Keys are tried until the text holds two dashes in a row.
  const texts = Array.from({ length: 200 }, (_, at) =>
    sealLicense({ id: `license-${at}`, customer: `Customer ${'\u00fe\u00fb'.repeat(at % 7)}` }),
  )
  const dashed = texts.filter((text) => text.includes('--'))
  t.true(dashed.length > 0)
  for (const text of dashed) {
    const written = writeBlock(open(text, 'leasehold-license'))
    t.deepEqual(textsIn(written.replaceAll('--', '\u2014')), [text])
    t.deepEqual(textsIn(written.replaceAll('--', '\u2013')), [text])
    t.deepEqual(textsIn(written.replaceAll('-', '\u2013')), [text])
  }
})

test('the bare compact text is found too, broken over lines and within words', (t) => {
  t.deepEqual(textsIn(licenseText), [licenseText])
  t.deepEqual(textsIn(`your code:${licenseText}\nregards`), [licenseText])
  t.deepEqual(textsIn(`> ${licenseText.replace(/(.{50})/g, '$1\n> ')}`), [licenseText])
  t.deepEqual(textsIn(`heyJoe ${licenseText} and ${mailed[2]?.text ?? ''}`), [licenseText, mailed[2]?.text])
})

test('talk about a block is no block', (t) => {
  const talk = 'Copy from -----BEGIN LEASEHOLD LICENSE----- to -----END LEASEHOLD LICENSE----- please.'
  const reading = readBlocks(talk)
  t.is(reading.kind === 'refused' && reading.code, 'not_a_document')
  t.deepEqual(readBlocks(`${talk}\n${block}`), {
    kind: 'blocks',
    blocks: [{ text: licenseText, checksum: 'fits' }],
    damaged: [],
  })
})

function codeOf(pasted: string): string {
  const reading = readBlocks(pasted)
  if (reading.kind === 'refused') return reading.code
  const [found] = reading.blocks
  if (found === undefined) return `damaged ${reading.damaged.join()}`
  const opened = openBlock(found, keyOf)
  return opened.kind === 'refused' ? opened.code : opened.typ
}

test('damage on the way is told from a signature that never fitted', (t) => {
  const lines = block.split('\n')
  const middle = lines.indexOf('') + 5
  const line = lines[middle] ?? ''
  const swapped = (line.startsWith('A') ? 'B' : 'A') + line.slice(1)
  t.is(codeOf(lines.with(middle, swapped).join('\n')), 'document_altered', 'one character changed')
  t.is(codeOf(lines.toSpliced(middle, 1).join('\n')), 'document_altered', 'a line lost')
  t.is(codeOf(lines.slice(0, -4).join('\n')), 'damaged LEASEHOLD LICENSE', 'the end lost')
  t.is(codeOf(lines.slice(lines.indexOf('') + 2).join('\n')), 'document_altered', 'the beginning lost')
  t.is(codeOf(lines.with(middle, `${line}*`).join('\n')), 'damaged LEASEHOLD LICENSE', 'a foreign character')

  const [header = '', , signature = ''] = licenseText.split('.')
  const richer = Buffer.from(JSON.stringify({ ...sampleLicense, products: [{ name: 'cad', seats: 999 }] })).toString(
    'base64url',
  )
  const forged = `${header}.${richer}.${signature}`
  t.is(openDocument(forged, 'leasehold-license').kind, 'refused')
  t.is(codeOf(writeBlock({ ...license, text: forged })), 'bad_signature', 'forged with a fitting checksum')
  t.is(codeOf(forged), 'bad_signature', 'forged, bare')
  t.is(
    codeOf(writeBlock(open(sealActivation(licenseText, {}, stranger), 'leasehold-activation', stranger))),
    'wrong_recipient',
  )
})

test('a damaged checksum line does not matter while the signature fits', (t) => {
  t.is(codeOf(block.replace(/Checksum: ..../, 'Checksum: 0000')), 'leasehold-license')
})

test('only the signed payload counts, not the lines above it', (t) => {
  const lying = block.replaceAll('LICENSE', 'ACTIVATION').replace('Vendor: acme', 'Vendor: somebody')
  t.is(codeOf(lying), 'leasehold-license')
})

test('what is no block is refused, and quickly', (t) => {
  t.is(codeOf(''), 'not_a_document')
  t.is(codeOf('Dear Ana, where is the code? See eyJ.eyJ.eyJ'), 'not_a_document')
  t.is(codeOf('x'.repeat(300_000)), 'body_too_large')
  const hostile = [
    '-',
    'eyJ',
    'eyJ.',
    '.',
    'BEGIN LEASEHOLD ',
    '-BEGIN LEASEHOLD LICENSE-',
    '<a',
    '&#',
    '&a',
    '=\n',
    ' ',
    '\u2014',
    'Checksum:',
    'A.',
  ]
  for (const piece of hostile) {
    const text = piece.repeat(Math.floor(250_000 / piece.length))
    const start = process.hrtime.bigint()
    readBlocks(text)
    readBlocks(`-----BEGIN LEASEHOLD LICENSE-----${text.slice(100)}`)
    t.true(process.hrtime.bigint() - start < 2_000_000_000n, JSON.stringify(piece))
  }
})
