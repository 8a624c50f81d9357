/**
 * The signed texts of the simulator's licenses, for what needs a text: documents that travel with people. Each license has one text,
 * with the most seats that it may ever have here.
 */
import { type Opened, openDocument, type Payload, sealDocument } from '../../agent/domain/documents/document.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import type { License } from './licenses.ts'

/** What a license of the simulator has at most. */
const mostSeats = 5
const keys = new Map<string, SigningKey>()
const texts = new Map<string, Opened<'leasehold-license'>>()

export function vendorKey(vendor: string): SigningKey {
  const known = keys.get(vendor) ?? sampleKey(`vendor ${vendor}`)
  keys.set(vendor, known)
  return known
}

/** The text of a license, as it is installed. */
export function licenseText(license: License): Opened<'leasehold-license'> {
  const { id, vendor, product, features, rule, leaseSeconds, detach } = license
  const named = Object.entries(features).map(([name, seats]) => (seats === null ? { name } : { name, seats }))
  const payload: Payload<'leasehold-license'> = {
    typ: 'leasehold-license',
    v: 1,
    id,
    iat: Date.UTC(2027, 0, 1) / 1000,
    vendor: { name: vendor, key: vendorKey(vendor).jwk },
    kind: 'network',
    products:
      product === undefined
        ? [{ any: true, seats: mostSeats }]
        : [{ name: product, seats: mostSeats, ...(named.length > 0 ? { features: named } : {}) }],
    count: rule,
    leaseSeconds,
    ...(detach === undefined ? {} : { detach }),
    overlap: true,
    depth: 4,
    model: 'perpetual',
    activation: { needed: false },
  }
  const name = JSON.stringify(payload)
  const known = texts.get(name)
  if (known) return known
  const opened = openDocument(sealDocument('leasehold-license', payload, vendorKey(vendor)), 'leasehold-license')
  if (opened.kind === 'refused') throw new Error(`${opened.code}: ${opened.detail}`)
  texts.set(name, opened)
  return opened
}
