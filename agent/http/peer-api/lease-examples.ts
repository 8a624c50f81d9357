/**
 * Examples of what agents ask of each other about leases. A test holds them against the schemas.
 */
import type { LeaseAsk, LeaseGrant, Offers, RenewalsAnswer } from '../../peers/wire.ts'

const manager = 'kOa7vjmGIfE-7z7c9eW4e1Qk3pVqS7vQ2mXn2cVwq0A'
const workstation = 'x1YzD2bW8mPq3Lr9TnVfKc5HsJ7GaE0uQoIiXwBv4dM'
const vendorKey = 'mD8pQ2rS5tV9wX3yZ7aB1cE4fG6hJ0kL2nN8oP5qR3U'
const id = 'kQ7w2v9X3mT5pR8yB1nC4d'

const offers: Offers = {
  instance: manager,
  serving: 'open',
  offers: [
    {
      product: 'acme/cad',
      title: 'Acme CAD',
      vendorKey,
      features: [{ name: 'rendering', seats: 2 }],
      seats: 5,
      used: 3,
      detached: 0,
      notDetachable: 5,
      detachable: 0,
      maxDetachDays: 0,
      anySeats: 0,
      anyUsed: 0,
      rule: 'user',
      waiting: 0,
      licenses: [{ id: 'lic-7f3a9c21', model: 'subscription', endsAt: '2027-11-24T00:00:00.000Z', seats: 5 }],
      chain: [],
    },
  ],
}

const ask: LeaseAsk = {
  product: 'acme/cad',
  seats: 1,
  purpose: 'session',
  agent: workstation,
  who: { account: 'ana', host: 'WS-17', application: 'Acme CAD 7.2' },
  machine: 'WS-17',
  chain: [workstation],
  wait: 60,
}

const lease: LeaseGrant = {
  id,
  product: 'acme/cad',
  title: 'Acme CAD',
  seats: 1,
  license: 'lic-7f3a9c21',
  rule: 'user',
  key: { rule: 'user', parts: ['account', 'ana', workstation] },
  leaseSeconds: 600,
  expiresIn: 600,
  freeIn: 615,
  renewIn: 200,
  depth: 3,
  chain: [manager],
  overlap: true,
  proof: ['eyJhbGciOiJFZERTQSIs…', 'eyJhbGciOiJFZERTQSIs…', 'eyJhbGciOiJFZERTQSIs…'],
}

const renewals: RenewalsAnswer = {
  roots: { 'lic-7f3a9c21': ['eyJhbGciOiJFZERTQSIs…', 'eyJhbGciOiJFZERTQSIs…'] },
  results: [
    {
      id,
      outcome: 'renewed',
      seats: 1,
      expiresIn: 600,
      freeIn: 615,
      renewIn: 200,
      root: 'lic-7f3a9c21',
      leases: ['eyJhbGciOiJFZERTQSIs…'],
    },
  ],
  news: [{ kind: 'counts', product: 'acme/cad', wanted: true }],
}

export const offersExample = { answers: { 200: offers } }
export const askExample = {
  params: { id },
  body: ask,
  answers: { 201: lease, 200: lease, 202: { position: 2, waiting: 3, retryIn: 5 } },
}
export const releaseExample = { params: { id }, answers: { 204: undefined } }
export const renewExample = { body: { leases: [id] }, answers: { 200: renewals } }
export const eventsExample = {
  answers: {},
  texts: { 'text/event-stream': `event: ended\ndata: {"lease":"${id}","reason":"disconnected"}\n\n` },
}
