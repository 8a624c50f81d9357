/**
 * Examples of the calls about licenses, blocks, products and features.
 * Must not import anything of ours but shapes, and the agent that all examples are of.
 */
import type { Feature, License, LicenseDetails, Product, RecognizedDocument, Recount } from './license-shapes.ts'
import { exampleAgent } from './session-examples.ts'
import type { List } from './shapes.ts'

function block(kind: string, ...lines: readonly string[]): string {
  return [
    `-----BEGIN LEASEHOLD ${kind}-----`,
    ...lines,
    '',
    'eyJhbGciOiJFZERTQSIs…',
    `-----END LEASEHOLD ${kind}-----`,
    '',
  ].join('\n')
}
const text = block('LICENSE', 'Vendor: acme', 'Product: cad (5)', 'License: lic-7f3a9c21')

const license: License = {
  id: 'lic-7f3a9c21',
  state: 'active',
  kind: 'network',
  vendor: { name: 'acme', fingerprint: '8FTRJ-TQ6A5-EQAPQ-Z839J', trusted: true },
  products: [
    {
      product: 'acme/cad',
      title: 'Acme CAD',
      any: false,
      seats: 5,
      used: 1,
      features: [{ name: 'rendering', title: 'Rendering', seats: 2, used: 1 }],
    },
  ],
  model: 'subscription',
  endsAt: '2027-11-30T23:59:59.000Z',
  daysLeft: 371,
  customer: 'Ruiz Architects',
  manager: exampleAgent,
  local: true,
  actions: ['deactivate', 'remove'],
}

const details: LicenseDetails = {
  ...license,
  issuedAt: '2026-11-20T09:00:00.000Z',
  installedAt: '2026-11-23T15:04:00.000Z',
  count: 'session',
  months: 12,
  leaseSeconds: 600,
  detach: { maxDays: 14 },
  overlapAllowed: true,
  depth: 4,
  links: { support: 'https://acme.example/support' },
  replaces: [],
  activation: {
    needed: true,
    number: 1,
    activatedAt: '2026-11-23T15:20:00.000Z',
    parts: [
      { name: 'machine', agrees: true },
      { name: 'disk', agrees: true },
    ],
  },
  text,
}
const fresh: LicenseDetails = {
  ...details,
  state: 'not_activated',
  actions: ['activation-request', 'activate', 'remove'],
  activation: { needed: true, parts: [] },
}

const recognized: RecognizedDocument = {
  type: 'license',
  id: 'lic-7f3a9c21',
  license: 'lic-7f3a9c21',
  summary: 'A license of acme: 5 × Acme CAD, for Ruiz Architects.',
  effect: 'Installs it; it gives out seats once it is activated.',
  fingerprint: '8FTRJ-TQ6A5-EQAPQ-Z839J',
  applied: false,
}

const product: Product = {
  id: 'acme/cad',
  vendor: 'acme',
  name: 'cad',
  title: 'Acme CAD',
  seats: 5,
  used: 1,
  free: 4,
  anyProductFree: 0,
  waiting: 0,
  count: 'session',
  features: ['rendering'],
  licenses: [{ license: 'lic-7f3a9c21', state: 'active', any: false, seats: 5, used: 1 }],
  manager: exampleAgent,
  local: true,
}

const feature: Feature = {
  product: 'acme/cad',
  name: 'rendering',
  title: 'Rendering',
  limit: 2,
  used: 1,
  count: 'session',
  access: 'network',
  detached: 0,
  manager: exampleAgent,
  local: true,
}

const params = { id: license.id }

export const listLicensesExample = {
  query: { limit: 20 },
  answers: { 200: { items: [license], total: 1 } satisfies List<License> },
}
export const readLicenseExample = { params, answers: { 200: details } }
export const addLicenseExample = { body: { text, trust: true }, answers: { 201: fresh } }
export const removeLicenseExample = { params, answers: { 204: undefined } }
export const requestActivationExample = {
  params,
  answers: { 200: { request: block('ACTIVATION REQUEST', 'License: lic-7f3a9c21', 'Agent: 8FTRJ-TQ6A5') } },
}
export const deactivateExample = {
  params,
  body: { confirmOverlap: false },
  answers: {
    200: { receipt: block('DEACTIVATION', 'License: lic-7f3a9c21') },
    202: { state: 'deactivating', freeAt: '2026-11-24T08:10:15.000Z' },
  },
}
export const addSampleExample = { answers: { 201: { ...details, id: 'sample-5F8gIucVgiD8nB7lYTyIxg' } } }
export const recognizeExample = { body: { text }, answers: { 200: { documents: [recognized] } } }
export const listProductsExample = {
  query: { limit: 20 },
  answers: { 200: { items: [product], total: 1 } satisfies List<Product> },
}
export const recountProductExample = {
  params: { id: 'acme/cad' },
  answers: { 200: { licenses: [{ license: 'lic-7f3a9c21', any: false, kept: 3, counted: 3 }] } satisfies Recount },
}
export const listFeaturesExample = {
  query: { product: 'acme/cad' },
  answers: { 200: { items: [feature], total: 1 } satisfies List<Feature> },
}
