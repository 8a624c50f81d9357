/** A vendor of the tests: signs licenses and answers activation requests, as a vendor with a ledger would. */
import { type Mailed, writeBlock } from '../../agent/domain/documents/armor.ts'
import { openBlock, readBlocks } from '../../agent/domain/documents/armor-reader.ts'
import { type Opened, openDocument, sealDocument } from '../../agent/domain/documents/document.ts'
import { buildActivation, checkActivationRequest } from '../../agent/domain/documents/exchange.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { type LicensePayload, sampleKey } from '../domain/documents/samples.ts'

export type TestLicense = Opened<'leasehold-license'>
export type LicenseTerms = Partial<Omit<LicensePayload, 'typ' | 'v' | 'vendor'>>

let count = 0

/** Opens the one block in a text; for a kind that does not carry its key, with `vendor`'s. */
export function openText(text: string, vendor?: SigningKey) {
  const reading = readBlocks(text)
  if (reading.kind === 'refused') throw new Error(reading.detail)
  const [block] = reading.blocks
  const opened = block && openBlock(block, () => vendor)
  if (opened?.kind !== 'opened') throw new Error(opened?.detail ?? 'no block')
  return opened
}

export class TestVendor {
  readonly name: string
  readonly key: SigningKey
  /** Number of the last activation by license. */
  readonly numbers = new Map<string, number>()

  constructor(name = 'acme', key = sampleKey(`vendor ${name}`)) {
    this.name = name
    this.key = key
  }

  /** A license; without other terms: 5 seats of `cad` for ever, no activation. */
  license(terms: LicenseTerms = {}, now = Date.UTC(2027, 0, 4)): TestLicense {
    const text = sealDocument(
      'leasehold-license',
      {
        id: `license-${++count}`,
        iat: Math.floor(now / 1000),
        vendor: { name: this.name, key: this.key.jwk },
        kind: 'network',
        products: [{ name: 'cad', title: 'Acme CAD', seats: 5 }],
        count: 'session',
        leaseSeconds: 600,
        overlap: true,
        depth: 4,
        model: terms.exp === undefined ? 'perpetual' : 'subscription',
        activation: { needed: false },
        ...terms,
      },
      this.key,
    )
    const opened = openDocument(text, 'leasehold-license')
    if (opened.kind === 'refused') throw new Error(opened.detail)
    return opened
  }

  /** The block that answers a request block. @param change lets a test answer wrongly */
  answer(
    requestBlock: string,
    license: TestLicense,
    change: { readonly number?: number; readonly key?: SigningKey; readonly now?: number } = {},
  ): string {
    const request = openText(requestBlock)
    if (request.typ !== 'leasehold-activation-request') throw new Error(`no request but a ${request.typ}`)
    const now = Math.floor((change.now ?? Date.UTC(2027, 0, 4, 8)) / 1000)
    const checked = checkActivationRequest(request, license, now)
    if (checked.kind === 'refused') throw new Error(checked.detail)
    const { id } = license.payload
    const number = change.number ?? (this.numbers.get(id) ?? 0) + 1
    this.numbers.set(id, Math.max(number, this.numbers.get(id) ?? 0))
    const key = change.key ?? this.key
    const text = buildActivation({ id: `activation-${++count}`, now, request, license, number }, key)
    const opened = openDocument(text, 'leasehold-activation', key)
    if (opened.kind === 'refused') throw new Error(opened.detail)
    return blockOf(opened)
  }
}

export function blockOf(document: Mailed): string {
  return writeBlock(document)
}

/** The block with one letter of its document changed. */
export function damage(block: string): string {
  const at = Math.floor(block.length * 0.6)
  return `${block.slice(0, at)}${block.charAt(at) === 'A' ? 'B' : 'A'}${block.slice(at + 1)}`
}

export function days(count: number): number {
  return count * 86_400_000
}
