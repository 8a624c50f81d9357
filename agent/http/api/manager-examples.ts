/**
 * Examples of the calls about other agents.
 * Must not import anything of ours but shapes.
 */
import type { ConnectionReport, Manager, SearchState } from './manager-shapes.ts'
import type { List } from './shapes.ts'

const id = 'q2J0rLx8cV5nT1yWb7eZ3Aq2J0rLx8cV5nT1yWb7eZ0'
const agent = { id, name: 'LIC-1' }

const manager: Manager = {
  ...agent,
  state: 'reachable',
  detail: '',
  approval: 'known',
  addresses: [
    { address: '10.0.0.5:1947', foundBy: ['broadcast', 'configured'], answeredAt: '2026-11-24T08:00:00.000Z' },
  ],
  foundBy: ['broadcast', 'configured'],
  page: 'https://10.0.0.5:1947/',
  version: '0.1.0',
  latency: 2.4,
  clockDifference: -0.3,
  firstSeenAt: '2026-11-20T08:00:00.000Z',
  lastSeenAt: '2026-11-24T08:00:00.000Z',
  offers: [
    {
      product: 'acme/cad',
      title: 'Acme CAD',
      seats: 5,
      used: 2,
      free: 3,
      anyProductFree: 0,
      waiting: 0,
      features: [{ name: 'rendering', seats: 2 }],
      licenses: [{ id: 'lic-7f3a9c21' }],
      over: [],
    },
  ],
  actions: ['approve', 'forget'],
}

const search: SearchState = {
  id: 'Xb1c9Q2nTt6L0yWv5eZ3Ag',
  state: 'running',
  startedAt: '2026-11-24T08:00:00.000Z',
  tried: 2,
  found: 1,
  steps: [
    {
      number: 1,
      address: '10.0.0.5:1947',
      foundBy: 'broadcast',
      step: 'answer',
      result: 'found',
      detail: '',
      ms: 2.4,
      addresses: 1,
      agent,
    },
    {
      number: 2,
      address: 'license.example.com:1947',
      foundBy: 'configured',
      step: 'connect',
      result: 'running',
      detail: '',
      addresses: 1,
    },
  ],
  notes: ['Broadcast asks on eth0 (10.0.0.9).'],
}

const report: ConnectionReport = {
  address: 'license.example.com',
  reached: false,
  steps: [
    { step: 'name', outcome: 'passed', detail: 'The name stands for 10.0.0.5.', ms: 3 },
    {
      step: 'tcp',
      outcome: 'failed',
      detail: '10.0.0.5:1947: no answer within 2 s.',
      help: 'Ask the network administrator to let TCP port 1947 through from this machine (10.0.0.9) to license.example.com, and see whether that machine is on.',
      ms: 2000,
    },
    { step: 'tls', outcome: 'skipped', detail: '' },
    { step: 'identity', outcome: 'skipped', detail: '' },
    { step: 'version', outcome: 'skipped', detail: '' },
    { step: 'latency', outcome: 'skipped', detail: '' },
    { step: 'clock', outcome: 'skipped', detail: '' },
    { step: 'licenses', outcome: 'skipped', detail: '' },
  ],
}

export const listManagersExample = {
  query: { product: 'acme/cad', limit: 20 },
  answers: { 200: { items: [manager], total: 1 } satisfies List<Manager> },
}
export const approveManagerExample = {
  params: { id },
  answers: { 200: { ...manager, approval: 'approved', actions: ['forget'] } satisfies Manager },
}
export const forgetManagerExample = { params: { id }, answers: { 204: undefined } }
export const testManagerExample = { body: { address: 'license.example.com' }, answers: { 200: report } }
export const startSearchExample = { answers: { 202: search } }
export const readSearchExample = { answers: { 200: { search } } }
