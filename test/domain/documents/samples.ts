/**
 * Keys and documents that the tests share. The keys are the hashes of their names: always the same, and they protect nothing.
 */
import { createHash, createPrivateKey } from 'node:crypto'
import { hashText } from '../../../agent/domain/documents/base64url.ts'
import {
  type DocumentType,
  type Opened,
  openDocument,
  type Payload,
  sealDocument,
} from '../../../agent/domain/documents/document.ts'
import { type SigningKey, signingKey, type VerifyingKey } from '../../../agent/domain/documents/keys.ts'
import { hashParts } from '../../../agent/domain/hardware.ts'

export function sampleKey(name: string): SigningKey {
  const seed = createHash('sha256').update(name).digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return signingKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

export const vendor = sampleKey('vendor acme')
export const manager = sampleKey('agent of the server')
export const laptop = sampleKey('agent of the laptop')
export const stranger = sampleKey('somebody else')

/** 2026-11-24 12:00 UTC. */
export const now = 1_795_521_600
export const nonce = 'nonce-of-the-application-1'
export const binding = 'nonce-of-the-application-0'

export type LicensePayload = Payload<'leasehold-license'>

export const sampleLicense: LicensePayload = {
  typ: 'leasehold-license',
  v: 1,
  id: 'k3v9q2m7x1',
  iat: now - 86_400,
  vendor: { name: 'acme', key: vendor.jwk },
  kind: 'network',
  products: [
    { name: 'cad', title: 'Acme CAD', seats: 10, features: [{ name: 'render', seats: 2 }, { name: 'export' }] },
    { name: 'cam', seats: 3 },
    { any: true, seats: 2 },
  ],
  count: 'user',
  leaseSeconds: 600,
  detach: { maxDays: 14, cascade: true },
  overlap: true,
  depth: 4,
  nbf: now - 86_400,
  exp: now + 300 * 86_400,
  model: 'subscription',
  activation: { needed: true },
}

export const sampleParts = hashParts(sampleLicense.id, {
  machine: '3d1219c7c4c5404aaa1f6d2a48adfda4',
  board: '4c4c4544-0042-3510-8052-b4c04f4d4d32',
  processor: 'Example Processor 9000',
  network: '3c:52:82:aa:bb:cc',
  disk: 'S4EWNX0R123456',
})

/** The same with some fields set otherwise; `undefined` takes a field out. */
export function changed<T extends object>(value: T, changes: Partial<Record<keyof T, unknown>>): T {
  const mixed: Record<string, unknown> = { ...value, ...changes }
  for (const [name, field] of Object.entries(mixed)) if (field === undefined) delete mixed[name]
  return mixed as T
}

export function sealLicense(changes: Partial<Record<keyof LicensePayload, unknown>> = {}, key = vendor): string {
  return sealDocument('leasehold-license', changed(sampleLicense, changes), key)
}

export function open<T extends DocumentType>(text: string, typ: T, key?: VerifyingKey): Opened<T> {
  const opened = openDocument(text, typ, key)
  if (opened.kind === 'refused') throw new Error(`${opened.code}: ${opened.detail}`)
  return opened
}

export function sealActivation(license: string, changes: Partial<Record<string, unknown>> = {}, key = vendor): string {
  const activation: Payload<'leasehold-activation'> = {
    typ: 'leasehold-activation',
    v: 1,
    id: 'activation-1',
    iat: now - 3600,
    license: sampleLicense.id,
    agent: manager.id,
    parts: sampleParts,
    nonce: 'nonce-of-the-request',
    number: 1,
    instance: manager.id,
    parent: hashText(license),
    next: manager.jwk,
    exp: now + 300 * 86_400,
  }
  return sealDocument('leasehold-activation', changed(activation, changes), key)
}

export function sealLease(parent: string, changes: Partial<Record<string, unknown>> = {}, key = manager): string {
  const lease: Payload<'leasehold-lease'> = {
    typ: 'leasehold-lease',
    v: 1,
    id: 'lease-number-1',
    iat: now - 60,
    parent: hashText(parent),
    next: laptop.jwk,
    product: 'acme/cad',
    seats: 1,
    count: 'user',
    key: { rule: 'user', parts: ['email', 'ana@example.com'] },
    depth: 3,
    exp: now + 540,
  }
  return sealDocument('leasehold-lease', changed(lease, changes), key)
}

export function sealDetachment(parent: string, changes: Partial<Record<string, unknown>> = {}, key = manager): string {
  const detachment: Payload<'leasehold-detachment'> = {
    typ: 'leasehold-detachment',
    v: 1,
    id: 'detachment-1',
    iat: now - 60,
    parent: hashText(parent),
    next: laptop.jwk,
    product: 'acme/cad',
    seats: 1,
    count: 'user',
    depth: 3,
    exp: now + 10 * 86_400,
    version: 1,
  }
  return sealDocument('leasehold-detachment', changed(detachment, changes), key)
}

export function sealAssertion(parent: string, changes: Partial<Record<string, unknown>> = {}, key = manager): string {
  const assertion: Payload<'leasehold-assertion'> = {
    typ: 'leasehold-assertion',
    v: 1,
    id: 'assertion-1',
    iat: now,
    parent: hashText(parent),
    session: 'session-1',
    product: 'acme/cad',
    seats: 1,
    key: { rule: 'user', parts: ['email', 'ana@example.com'] },
    binding,
    nonce,
    validFor: 600,
  }
  return sealDocument('leasehold-assertion', changed(assertion, changes), key)
}
