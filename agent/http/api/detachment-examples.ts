/**
 * Examples of the calls about seats that are taken along, and about the clock that dates go by.
 * Must not import anything of ours but shapes, and the agent that all examples are of.
 */
import type { ClockState, DetachableProduct, Detachment, DetachPlan, Recipient } from './detachment-shapes.ts'
import { exampleAgent } from './session-examples.ts'

const id = 'd4h2k9Qw7v0X3mT5pR8yB1n'
const server = { id: 'q2J0rLx8cV5nT1yWb7eZ3Aq2J0rLx8cV5nT1yWb7eZ0', name: 'LIC-1' }
const fingerprint = '0D1RR-7X3AB-9KZQ2-MN45T'
const block = '-----BEGIN LEASEHOLD DETACHMENT-----\nProduct: acme/cad\n…\n-----END LEASEHOLD DETACHMENT-----\n'
const recipientBlock = '-----BEGIN LEASEHOLD RECIPIENT-----\nMachine: LAPTOP-3\n…\n-----END LEASEHOLD RECIPIENT-----\n'
const receipt = '-----BEGIN LEASEHOLD RETURN RECEIPT-----\n…\n-----END LEASEHOLD RETURN RECEIPT-----\n'

const attached: Detachment = {
  id,
  direction: 'in',
  state: 'active',
  product: 'acme/cad',
  title: 'Acme CAD',
  seats: 1,
  used: 1,
  license: 'lic-7f3a9c21',
  manager: server,
  recipient: { ...exampleAgent, fingerprint },
  user: { account: 'ana' },
  version: 1,
  soft: false,
  cascade: false,
  earlyReturn: 'offline',
  startedAt: '2026-11-24T08:00:00.000Z',
  until: '2026-12-01T22:59:59.000Z',
  zone: 'Europe/Berlin',
  endsIn: 658_799,
  lastContactAt: '2026-11-24T08:00:00.000Z',
  actions: ['return', 'extend'],
  unavailable: [
    { action: 'receipt', code: 'detachment_in_use', detail: 'Applications of this machine use its seats now.' },
  ],
}
const { used: _, ...shared } = attached
const away: Detachment = {
  ...shared,
  direction: 'out',
  manager: exampleAgent,
  recipient: { id: server.id, name: 'LAPTOP-3', fingerprint },
  freeAt: '2026-12-01T23:09:59.000Z',
  freeIn: 659_399,
  latest: '2026-12-08T08:00:00.000Z',
  actions: ['block', 'extend', 'lost'],
  unavailable: [{ action: 'return', code: 'wrong_recipient', detail: 'It is given back on LAPTOP-3.' }],
}
const plan: DetachPlan = {
  product: 'acme/cad',
  title: 'Acme CAD',
  seats: 1,
  manager: server,
  recipient: { ...exampleAgent, fingerprint },
  soft: false,
  until: '2026-12-01T22:59:59.000Z',
  zone: 'Europe/Berlin',
  cut: false,
  latest: '2026-12-08T08:00:00.000Z',
  freeAt: '2026-12-01T23:09:59.000Z',
  detachable: 3,
  earlyReturn: 'offline',
}
const product: DetachableProduct = {
  product: 'acme/cad',
  title: 'Acme CAD',
  features: ['rendering'],
  manager: server,
  local: false,
  seats: 5,
  used: 2,
  detached: 1,
  detachable: 2,
  maxDays: 14,
  latest: '2026-12-08T08:00:00.000Z',
}
const own: Recipient = {
  recipient: recipientBlock,
  ...exampleAgent,
  fingerprint,
  time: '2026-11-24T08:00:00.000Z',
  zone: 'Europe/Berlin',
}
const clock: ClockState = {
  time: '2026-11-24T08:00:00.000Z',
  date: '2026-11-24T07:00:00.000Z',
  zone: 'Europe/Berlin',
  ahead: { seconds: 3600, waitIn: 2400 },
}
const page = { limit: 100 }
const named = { id }

export const listDetachmentsExample = {
  query: { ...page, direction: 'in' as const },
  answers: { 200: { items: [attached], total: 1 } },
}
export const readDetachmentExample = { params: named, answers: { 200: attached } }
export const detachExample = {
  body: { product: 'acme/cad', until: '2026-12-01' },
  answers: { 200: plan, 201: { detachment: attached } },
}
export const extendExample = {
  params: named,
  body: { until: '2026-12-05' },
  answers: { 200: { detachment: { ...attached, version: 2 } } },
}
export const returnExample = {
  params: named,
  answers: { 200: { state: 'returned', detachment: { ...shared, state: 'returned' as const, actions: [] } } },
}
export const declareLostExample = {
  params: named,
  body: { note: 'left on a train' },
  answers: {
    200: { ...away, state: 'lost' as const, lost: { declaredAt: '2026-11-25T08:00:00.000Z', early: false } },
  },
}
export const readBlockExample = { params: named, answers: { 200: { block } } }
export const makeReturnExample = {
  body: { detachment: id },
  answers: { 200: { receipt, fingerprint, detachment: { ...shared, state: 'returned' as const, actions: [] } } },
}
export const recipientExample = { answers: { 200: own } }
export const detachableExample = { query: page, answers: { 200: { items: [product], total: 1 } } }
export const clockExample = { answers: { 200: clock } }
export const confirmClockExample = {
  answers: { 200: { time: clock.time, date: clock.time, zone: clock.zone } },
}
