/**
 * Finds and recognizes documents in whatever was pasted: mail with quote marks, lines broken anew or not at all, invisible
 * characters, smart dashes, bits of HTML, several blocks, or the bare compact text.
 *
 * Line breaks, spaces and quote marks mean nothing in a block, so they are all dropped before anything is looked for; a compact
 * JWS still has one reading then, because its last part is 86 characters long. Every step is linear in the length of the text:
 * it comes from strangers.
 */
import { blockChecksum, blockLabels } from './armor.ts'
import { decodeBase64url } from './base64url.ts'
import { type AnyOpened, documentNames, isDocumentType, openAnyDocument } from './document.ts'
import { maxDocumentLength, splitJws } from './jws.ts'
import type { VerifyingKey } from './keys.ts'
import { type DocumentRefusal, refuseDocument } from './refusal.ts'
import { readStrictJson } from './strict-json.ts'

export const maxBlocks = 32
const signatureLength = 86
/** Algorithm, kind and a key id of 43 characters do not fit into less. */
const shortestHeader = 90

/** A document as found, not opened yet. */
export interface FoundBlock {
  readonly text: string
  /** Whether the block's checksum line fits; `absent` also for a bare compact text. */
  readonly checksum: 'fits' | 'differs' | 'absent'
}

export interface BlockReading {
  readonly kind: 'blocks'
  readonly blocks: readonly FoundBlock[]
  /** Blocks, by what their BEGIN line says, of which no document is left. */
  readonly damaged: readonly string[]
}

const entities: Readonly<Record<string, string>> = {
  nbsp: ' ',
  ensp: ' ',
  emsp: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  zerowidthspace: '',
  gt: '>',
  lt: '<',
  amp: '&',
  quot: '"',
  ndash: '\u2013',
  mdash: '\u2014',
  minus: '\u2212',
  hyphen: '-',
  dash: '-',
}

function decodeEntity(whole: string, name: string): string {
  const code = /^#x[0-9a-f]+$/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10)
  if (name.startsWith('#')) return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  return entities[name.toLowerCase()] ?? whole
}

/** Everything that is neither meant nor seen goes; what remains has no white space at all. */
function squeeze(pasted: string): string {
  return pasted
    .replace(/\p{Cf}/gu, '')
    .replace(/=(?:3D|20)?[ \t]*\r?\n/g, '') // soft line breaks of quoted-printable mail
    .replace(/<\/?[a-z][^<>]{0,300}>/gi, '') // bits of HTML
    .replace(/&(#x[0-9a-f]{1,6}|#[0-9]{1,7}|[a-z]{1,16});/gi, decodeEntity)
    .replace(/[\p{Cf}\p{Cc}\p{Zs}\p{Zl}\p{Zp}>|\u2502\u00a6]/gu, '')
    .replace(/\u034f|[\ufe00-\ufe0f]/g, '')
    .replace(/[\u2010\u2011\u2012\u2015\u2212\ufe58\ufe63\uff0d\u2043]/g, '-')
}

/** En and em dashes stand for one, two or three dashes; the checksum tells which. */
const dashReadings = [
  ['-', '--'],
  ['--', '--'],
  ['-', '---'],
  ['--', '---'],
  ['-', '-'],
] as const

const isCompactCharacter = /[A-Za-z0-9_.-]/

/** Compact texts in a squeezed stretch: `header.payload.signature`, whatever stands around them. */
function findCompact(stretch: string): string[] {
  const found: string[] = []
  for (const run of stretch.split(/[^A-Za-z0-9_.-]+/)) {
    const segments = run.split('.')
    for (let at = 0; at + 2 < segments.length; at++) {
      const [before = '', payload = '', rest = ''] = segments.slice(at, at + 3)
      if (payload === '' || rest.length < signatureLength) continue
      const header = headerAtEnd(before)
      if (header !== undefined) found.push(`${header}.${payload}.${rest.slice(0, signatureLength)}`)
    }
  }
  return found
}

/** The header begins with `{"`; words that were squeezed against it are cut off. */
function headerAtEnd(text: string): string | undefined {
  let from = Math.max(0, text.length - 512)
  for (let tries = 0; tries < 8; tries++) {
    const start = text.indexOf('eyJ', from)
    if (start < 0) return undefined
    const header = text.slice(start)
    if (header.length < shortestHeader) return undefined
    if (readStrictJson(decodeBase64url(header)?.toString('utf8') ?? '').kind === 'value') return header
    from = start + 1
  }
  return undefined
}

interface Marker {
  readonly kind: 'begin' | 'end'
  readonly label: string
  readonly from: number
  readonly to: number
}

const squeezedLabels = new Map(Object.values(blockLabels).map((label) => [label.replaceAll(' ', ''), label]))
const isDash = /[-\u2013\u2014]/

function findMarkers(squeezed: string): Marker[] {
  const markers: Marker[] = []
  const pattern =
    /(BEGIN|END)(LEASEHOLD(?:LICENSE|ACTIVATIONREQUEST|ACTIVATION|RECIPIENT|DETACHMENT|RETURNRECEIPT|DEACTIVATION))/gi
  for (const match of squeezed.matchAll(pattern)) {
    const [whole, word = '', label = ''] = match
    const to = match.index + whole.length
    // Without dashes around it, it is talk about a block.
    if (!isDash.test(squeezed.charAt(match.index - 1)) || !isDash.test(squeezed.charAt(to))) continue
    const kind = word.toUpperCase() === 'BEGIN' ? 'begin' : 'end'
    markers.push({ kind, label: squeezedLabels.get(label.toUpperCase()) ?? label, from: match.index, to })
  }
  return markers
}

/** The document in a block's inside: the reading of its dashes that the checksum confirms, else the first that has the form. */
function readInside(inside: string): FoundBlock | undefined {
  const line = /Checksum:([0-9a-f]{16})/i.exec(inside)
  const wanted = line?.[1]?.toLowerCase()
  const stretch = line === null ? inside : inside.slice(line.index + line[0].length)
  let first: string | undefined
  const readings = isDash.test(stretch.replaceAll('-', '')) ? dashReadings : dashReadings.slice(0, 1)
  for (const [en, em] of readings) {
    for (const text of findCompact(stretch.replaceAll('\u2013', en).replaceAll('\u2014', em))) {
      if (wanted === undefined || blockChecksum(text) === wanted)
        return { text, checksum: wanted === undefined ? 'absent' : 'fits' }
      first ??= text
    }
  }
  return first === undefined ? undefined : { text: first, checksum: 'differs' }
}

/** Shorter insides are talk about a block ("from BEGIN … to END …"). */
const shortestInside = 100

/** Finds the documents in `pasted`; refuses where there is none. Equal ones are returned once. */
export function readBlocks(pasted: string): BlockReading | DocumentRefusal {
  if (pasted.length > maxDocumentLength)
    return refuseDocument('body_too_large', `A text has at most ${maxDocumentLength / 1024} KB.`)
  const squeezed = squeeze(pasted)
  const blocks = new Map<string, FoundBlock>()
  const damaged: string[] = []
  const beheaded: string[] = []
  const markers = findMarkers(squeezed)
  markers.forEach((marker, at) => {
    if (blocks.size >= maxBlocks) return
    if (marker.kind === 'end') {
      const isBegun = markers[at - 1]?.kind === 'begin'
      if (!isBegun && isPayload(squeezed.slice(0, marker.from))) beheaded.push(marker.label)
      return
    }
    const inside = squeezed.slice(marker.to, markers[at + 1]?.from)
    const found = readInside(inside)
    if (found !== undefined) blocks.set(found.text, found)
    else if (inside.length >= shortestInside) damaged.push(marker.label)
  })
  // Beside others it must not go unseen; alone it may be whole but for its BEGIN.
  if (blocks.size > 0 || damaged.length > 0) damaged.push(...beheaded)
  else for (const text of findCompact(squeezed).slice(0, maxBlocks)) blocks.set(text, { text, checksum: 'absent' })
  if (blocks.size > 0 || damaged.length > 0) return { kind: 'blocks', blocks: [...blocks.values()], damaged }
  return hasRemains(squeezed)
    ? refuseDocument('document_altered', 'Only a part of a block was found.')
    : refuseDocument('not_a_document', 'There is no block in this text.')
}

/** Half a line of a payload; nobody writes as much without a space or a comma. */
const shortestRest = 32

/** Whether a payload stands at the end, as before an END of which the BEGIN was cut off. */
function isPayload(before: string): boolean {
  const end = before.replace(/[-\u2013\u2014]+$/, '').slice(-shortestRest)
  return end.length === shortestRest && [...end].every((c) => isCompactCharacter.test(c)) && /\d/.test(end)
}

/** The beginning of a compact text, or an END without its BEGIN after a long stretch that could be a payload. */
function hasRemains(squeezed: string): boolean {
  if (findMarkers(squeezed).some((marker) => marker.kind === 'end' && marker.from >= shortestInside)) return true
  const start = squeezed.indexOf('eyJhbGciOiJFZERTQSI')
  return start >= 0 && [...squeezed.slice(start, start + shortestInside)].every((c) => isCompactCharacter.test(c))
}

/** Opens what was found; a block whose checksum differs is `document_altered` where its signature does not fit. */
export function openBlock(
  block: FoundBlock,
  keyOf: (signer: string) => VerifyingKey | undefined,
): AnyOpened | DocumentRefusal {
  const opened = openAnyDocument(block.text, keyOf)
  if (opened.kind === 'opened' || block.checksum !== 'differs') return opened
  // A key that is not known, too, may be one that was damaged.
  if (!['bad_signature', 'not_a_document', 'document_altered', 'wrong_recipient'].includes(opened.code)) return opened
  return refuseDocument(
    'document_altered',
    'The block is not what its checksum says: it was damaged or changed on its way.',
  )
}

/** What a found block claims to be, for messages before it can be opened. */
export function claimedName(block: FoundBlock): string | undefined {
  const parts = splitJws(block.text)
  return parts.kind === 'parts' && isDocumentType(parts.header.typ) ? documentNames[parts.header.typ] : undefined
}
