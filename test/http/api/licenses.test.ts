import test from 'ava'
import { refuse } from '../../../agent/errors.ts'
import type { License, LicenseDetails, RecognizedDocument } from '../../../agent/http/api/license-shapes.ts'
import { call, withAgent } from './api-call.ts'

const license: License = {
  id: 'lic-1',
  state: 'active',
  kind: 'network',
  vendor: { name: 'acme', fingerprint: 'ABCD-EFGH', trusted: true },
  products: [{ product: 'acme/cad', title: 'CAD', any: false, seats: 5, used: 1, features: [] }],
  model: 'perpetual',
  manager: { id: 'agent-1', name: 'WS-17' },
  local: true,
  actions: ['deactivate', 'remove'],
}
const details: LicenseDetails = {
  ...license,
  issuedAt: '2027-01-01T00:00:00.000Z',
  count: 'session',
  leaseSeconds: 600,
  overlapAllowed: true,
  depth: 4,
  links: {},
  replaces: [],
  activation: { needed: true, parts: [] },
  text: '-----BEGIN LEASEHOLD LICENSE-----',
}

test('licenses are added, asked for, activated, deactivated and removed', async (t) => {
  const asked: unknown[] = []
  const licenses = {
    list: () => ({ items: [license], total: 1 }),
    get: (id: string) => (id === 'lic-1' ? details : undefined),
    add: async (request: { text: string; trust: boolean }) => {
      asked.push(request)
      if (!request.trust)
        return refuse('untrusted_vendor', 'acme is new here.', { vendor: 'acme', fingerprint: 'ABCD-EFGH' })
      return { kind: 'added' as const, license: details }
    },
    remove: async (id: string) => (id === 'lic-1' ? { kind: 'removed' as const } : refuse('unknown_license', 'None.')),
    requestActivation: async () => ({ kind: 'requested' as const, request: 'block' }),
    deactivate: async (_id: string, confirmOverlap: boolean) =>
      confirmOverlap
        ? { kind: 'deactivated' as const, receipt: 'block' }
        : { kind: 'deactivating' as const, freeAt: '2027-01-01T00:00:00.000Z' },
    addSample: async () => ({ kind: 'added' as const, license: details }),
  }
  await withAgent({ api: { licenses } }, async (agent) => {
    const at = '/api/v1/licenses'
    t.deepEqual((await call(agent, 'GET', at)).body, { items: [license], total: 1 })
    t.deepEqual((await call(agent, 'GET', `${at}/lic-1`)).body, details)
    t.is((await call(agent, 'GET', `${at}/lic-2`)).status, 404)
    const untrusted = await call(agent, 'POST', at, { text: 'block' })
    t.is(untrusted.status, 409)
    t.like(untrusted.body, { code: 'untrusted_vendor', fingerprint: 'ABCD-EFGH', vendor: 'acme' })
    const added = await call(agent, 'POST', at, { text: 'block', trust: true })
    t.is(added.status, 201)
    t.is(added.headers.get('location'), `${at}/lic-1`)
    t.deepEqual(asked, [
      { text: 'block', trust: false },
      { text: 'block', trust: true },
    ])
    t.deepEqual((await call(agent, 'POST', `${at}/lic-1/activation-request`)).body, { request: 'block' })
    const later = await call(agent, 'POST', `${at}/lic-1/deactivate`)
    t.is(later.status, 202)
    t.deepEqual(later.body, { state: 'deactivating', freeAt: '2027-01-01T00:00:00.000Z' })
    const receipt = await call(agent, 'POST', `${at}/lic-1/deactivate`, { confirmOverlap: true })
    t.is(receipt.status, 200)
    t.deepEqual(receipt.body, { receipt: 'block' })
    t.is((await call(agent, 'DELETE', `${at}/lic-1`)).status, 204)
    t.is((await call(agent, 'DELETE', `${at}/lic-2`)).status, 404)
    t.is((await call(agent, 'POST', '/api/v1/sample')).status, 201)
  })
})

test('documents, products, features and the line are passed on', async (t) => {
  const found: RecognizedDocument = { type: 'license', summary: 'A license.', effect: 'Installs it.', applied: false }
  const queries: unknown[] = []
  const note = (query: unknown) => {
    queries.push(query)
    return { items: [], total: 0 }
  }
  const api = {
    documents: {
      process: async (request: unknown) => {
        queries.push(request)
        return { kind: 'recognized' as const, documents: [found] }
      },
    },
    products: {
      products: note,
      features: note,
      recount: async (id: string) => {
        queries.push(id)
        return { kind: 'recounted' as const, licenses: [{ license: 'l', any: false, kept: 3, counted: 2 }] }
      },
    },
    queue: { list: note },
  }
  await withAgent({ api }, async (agent) => {
    t.deepEqual((await call(agent, 'POST', '/api/v1/documents', { text: 'x' })).body, { documents: [found] })
    for (const path of ['products?cursor=c', 'features?product=acme/cad', 'queue?limit=7'])
      t.deepEqual((await call(agent, 'GET', `/api/v1/${path}`)).body, { items: [], total: 0 })
    t.deepEqual((await call(agent, 'POST', '/api/v1/products/acme%2Fcad/recount', {})).body, {
      licenses: [{ license: 'l', any: false, kept: 3, counted: 2 }],
    })
    t.deepEqual(queries, [
      { text: 'x', apply: false, trust: false },
      { limit: 100, cursor: 'c' },
      { limit: 100, product: 'acme/cad' },
      { limit: 7 },
      'acme/cad',
    ])
  })
})
