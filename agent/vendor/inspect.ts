/**
 * Says what is in a text: every document in it, whether its signature is right, and what it means. Pure.
 */
import { spellTime } from '../domain/documents/armor.ts'
import { openBlock, readBlocks } from '../domain/documents/armor-reader.ts'
import { type AnyOpened, documentNames } from '../domain/documents/document.ts'
import { keyId, shortGroups, type VerifyingKey, verifyingKey } from '../domain/documents/keys.ts'
import type { License } from '../domain/documents/license.ts'
import type { DocumentRefusal } from '../domain/documents/refusal.ts'

export type Finding = AnyOpened | DocumentRefusal

export interface Inspection {
  readonly kind: 'inspected'
  readonly findings: readonly Finding[]
  /** Blocks, by what their BEGIN line says, of which no document is left. */
  readonly damaged: readonly string[]
}

/**
 * @param known keys that are trusted; the keys that the documents of the text name one another are used too, so that a license
 * and its activation in one text can be read together
 */
export function inspectText(text: string, known: readonly VerifyingKey[]): Inspection | DocumentRefusal {
  const reading = readBlocks(text)
  if (reading.kind === 'refused') return reading
  const keys = new Map(known.map((key) => [key.id, key]))
  const findings = new Map<string, Finding>()
  for (let learned = -1; learned < keys.size; ) {
    learned = keys.size
    for (const block of reading.blocks) {
      const finding = openBlock(block, (signer) => keys.get(signer))
      findings.set(block.text, finding)
      for (const key of finding.kind === 'opened' ? keysIn(finding) : []) keys.set(key.id, key)
    }
  }
  return { kind: 'inspected', findings: [...findings.values()], damaged: reading.damaged }
}

function keysIn({ payload }: AnyOpened): VerifyingKey[] {
  if (payload.typ === 'leasehold-license') return [verifyingKey(payload.vendor.key)]
  return 'next' in payload ? [verifyingKey(payload.next)] : []
}

export type Line = readonly [label: string, value: string]

/** What a document says, for people. */
export function describeDocument(document: AnyOpened): Line[] {
  const { payload } = document
  const common: Line[] = [
    ['Kind', documentNames[document.typ]],
    ['Signature', `good, by ${shortGroups(document.signer)}`],
    ['Id', payload.id],
    ['Signed', spellTime(payload.iat)],
  ]
  if (payload.typ === 'leasehold-license') return [...common, ...describeLicense(payload)]
  return [...common, ...Object.entries(payload).flatMap(([name, value]) => describeField(name, value))]
}

const common = new Set(['typ', 'v', 'id', 'iat'])
const times = new Set(['nbf', 'exp'])
const agents = new Set(['agent', 'instance'])

function describeField(name: string, value: unknown): Line[] {
  if (common.has(name) || value === undefined) return []
  if (times.has(name) && typeof value === 'number') return [[name === 'nbf' ? 'Begins' : 'Ends', spellTime(value)]]
  if (agents.has(name) && typeof value === 'string') return [[capital(name), shortGroups(value)]]
  if (name === 'next' || name === 'parts') return []
  return [[capital(name), typeof value === 'object' ? JSON.stringify(value) : String(value)]]
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function describeLicense(license: License): Line[] {
  const lines: Line[] = [
    ['Vendor', `${license.vendor.name}, key ${shortGroups(keyId(license.vendor.key))}`],
    ['License', `${license.kind === 'network' ? 'network' : 'stand-alone'}, counted per ${license.count}`],
  ]
  for (const entry of license.products) {
    if ('any' in entry) lines.push(['Product', `any product of the vendor: ${entry.seats} seats`])
    else {
      lines.push(['Product', `${entry.name}${entry.title ? ` (${entry.title})` : ''}: ${entry.seats} seats`])
      for (const feature of entry.features ?? [])
        lines.push([
          'Feature',
          `${entry.name} ${feature.name}${feature.seats ? `: at most ${feature.seats} seats` : ''}`,
        ])
    }
  }
  lines.push(['Begins', license.nbf === undefined ? 'at once' : spellTime(license.nbf)])
  lines.push(['Ends', license.exp === undefined ? 'never' : spellTime(license.exp)])
  lines.push(['Lease time', `${license.leaseSeconds} seconds`])
  lines.push(['Detaching', license.detach === undefined ? 'not allowed' : `at most ${license.detach.maxDays} days`])
  lines.push([
    'Activation',
    license.activation.needed ? (license.activation.url ?? 'by exchanging blocks') : 'not needed',
  ])
  if (license.customer !== undefined) lines.push(['Customer', license.customer])
  if (license.owner !== undefined) lines.push(['Owner', license.owner])
  if (license.replaces !== undefined) lines.push(['Replaces', license.replaces.join(', ')])
  return lines
}
