/**
 * A sample to try things out: a vendor made on the spot signs a license for this agent and activates it; its key is forgotten.
 * Owns nothing; what it makes goes the way of every license.
 */
import { generateKeyPairSync } from 'node:crypto'
import { openDocument, sealDocument } from './domain/documents/document.ts'
import { buildActivation } from './domain/documents/exchange.ts'
import { signingKey } from './domain/documents/keys.ts'
import { LeaseholdError, type Refusal } from './errors.ts'
import type { Licenses } from './licenses.ts'

export interface SampleOptions {
  readonly licenses: Licenses
  /** Wall time in ms. */
  readonly wall: () => number
  readonly randomId: () => string
}

/** Vendors have one key each, so every sample has a vendor of its own. */
export async function addSample({
  licenses,
  wall,
  randomId,
}: SampleOptions): Promise<{ readonly kind: 'added'; readonly id: string } | Refusal> {
  const key = signingKey(generateKeyPairSync('ed25519').privateKey)
  const now = Math.floor(wall() / 1000)
  const binds = licenses.canBind()
  const name = `sample-${key.id.replaceAll(/[^a-z0-9]/g, '').slice(0, 4)}`
  const sealed = sealDocument(
    'leasehold-license',
    {
      id: `sample-${randomId()}`,
      iat: now,
      vendor: { name, key: key.jwk },
      kind: 'network',
      products: [
        {
          name: 'cad',
          title: 'Sample CAD',
          seats: 5,
          features: [
            { name: 'render', title: 'Rendering', seats: 2 },
            { name: 'export', title: 'Export' },
          ],
        },
        { name: 'viewer', title: 'Sample Viewer', seats: 20 },
        { any: true, seats: 1 },
      ],
      count: 'session',
      leaseSeconds: 600,
      detach: { maxDays: 14, cascade: true },
      overlap: true,
      depth: 4,
      model: 'perpetual',
      // Without a proof on a machine that shows too little of its hardware (a container), rather than no sample there.
      activation: { needed: binds },
      customer: 'Somebody who tries Leasehold',
    },
    key,
  )
  const license = openDocument(sealed, 'leasehold-license')
  if (license.kind === 'refused')
    throw new LeaseholdError('internal_error', 'The sample license does not open.', {}, license)
  const installed = await licenses.install(license, true)
  if (installed.kind === 'refused') return installed
  if (!binds) return { kind: 'added', id: installed.id }
  const requested = await licenses.requestActivation(installed.id)
  if (requested.kind === 'refused') return requested
  const request = openDocument(requested.text, 'leasehold-activation-request')
  if (request.kind === 'refused') return request
  const text = buildActivation({ id: `a${randomId()}`, now, request, license, number: 1 }, key)
  const answer = openDocument(text, 'leasehold-activation', key)
  if (answer.kind === 'refused') return answer
  const activated = await licenses.activate(answer)
  return activated.kind === 'refused' ? activated : { kind: 'added', id: installed.id }
}
