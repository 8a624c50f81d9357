/**
 * Writes documents as text blocks that a person can mail. The lines above the payload tell what it is; only the signed payload
 * counts. `armor-reader.ts` reads them back, however they were mangled.
 */
import { createHash } from 'node:crypto'
import type { AnyOpened } from './document.ts'
import { keyId, shortGroups } from './keys.ts'
import type { License } from './license.ts'

/** What stands after BEGIN and END. Kinds that are never mailed have none. */
export const blockLabels = {
  'leasehold-license': 'LEASEHOLD LICENSE',
  'leasehold-activation-request': 'LEASEHOLD ACTIVATION REQUEST',
  'leasehold-activation': 'LEASEHOLD ACTIVATION',
  'leasehold-recipient': 'LEASEHOLD RECIPIENT',
  'leasehold-detachment': 'LEASEHOLD DETACHMENT',
  'leasehold-return': 'LEASEHOLD RETURN RECEIPT',
  'leasehold-deactivation': 'LEASEHOLD DEACTIVATION',
} as const

export type MailedType = keyof typeof blockLabels
export type Mailed = Extract<AnyOpened, { typ: MailedType }>

export function isMailed(document: AnyOpened): document is Mailed {
  return Object.hasOwn(blockLabels, document.typ)
}

const lineLength = 64

/** Tells damage on the way from a signature that never fitted: the first 16 hexadecimal digits of the text's SHA-256. */
export function blockChecksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

type Line = readonly [name: string, value: string]

/** The block, with a line break at its end. */
export function writeBlock(document: Mailed): string {
  const label = blockLabels[document.typ]
  const lines = describe(document).map(([name, value]) => `${name}: ${plainValue(value)}`)
  const payload: string[] = []
  for (let at = 0; at < document.text.length; at += lineLength) payload.push(document.text.slice(at, at + lineLength))
  return [
    `-----BEGIN ${label}-----`,
    ...lines,
    // The reader takes what follows this line, so it stays the last one.
    `Checksum: ${blockChecksum(document.text)}`,
    '',
    ...payload,
    `-----END ${label}-----`,
    '',
  ].join('\n')
}

/** Nothing in a value may look like a marker, another line, or the beginning of a payload. */
function plainValue(value: string): string {
  const plain = value
    .replace(/[^\p{L}\p{N} .,&'()/@+-]/gu, ' ')
    .replace(/-{2,}/g, '-')
    .replace(/\s+/g, ' ')
    .trim()
  return plain.length > 120 ? `${plain.slice(0, 117)}...` : plain
}

/** A second since 1970 as `2026-11-24 20:23 UTC`. */
export function spellTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function spellProducts(license: License): string {
  return license.products
    .map((entry) => ('any' in entry ? `any product (${entry.seats})` : `${entry.name} (${entry.seats})`))
    .join(', ')
}

function describe(document: Mailed): Line[] {
  const lines: Line[] = []
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined) lines.push([name, value])
  }
  switch (document.typ) {
    case 'leasehold-license': {
      const license = document.payload
      add('Vendor', license.vendor.name)
      add('Product', spellProducts(license))
      add('Customer', license.customer)
      add('Ends', license.exp === undefined ? undefined : spellDay(license.exp))
      add('License', license.id)
      break
    }
    case 'leasehold-activation-request':
    case 'leasehold-activation':
    case 'leasehold-deactivation':
      add('License', document.payload.license)
      add('Agent', shortGroups(document.payload.agent))
      add('Number', document.typ === 'leasehold-activation-request' ? undefined : String(document.payload.number))
      break
    case 'leasehold-recipient':
      add('Machine', document.payload.name)
      add('Agent', shortGroups(document.payload.agent))
      break
    case 'leasehold-detachment':
      add('Product', document.payload.product)
      add('Seats', String(document.payload.seats))
      add('Manager', document.payload.manager?.name)
      add('For', shortGroups(keyId(document.payload.next)))
      add('Until', spellDay(document.payload.exp))
      break
    case 'leasehold-return':
      add('Detachment', document.payload.detachment)
      add('Agent', shortGroups(document.payload.agent))
      break
  }
  return lines
}

/** The colon of a time would look like another line once breaks are lost, so blocks name the day. */
function spellDay(seconds: number): string {
  return spellTime(seconds).slice(0, 10)
}
