/**
 * Examples of what agents ask of each other about seats that are taken along. A test holds them against the schemas.
 */
import type { DetachAsk, DetachmentTold, HeldAnswer, HeldAsk } from '../../peers/detachment-wire.ts'

const workstation = 'x1YzD2bW8mPq3Lr9TnVfKc5HsJ7GaE0uQoIiXwBv4dM'
const id = 'd4h2k9Qw7v0X3mT5pR8yB1n'
const time = 1_795_507_200_000
const until = 1_796_165_999_000

const ask: DetachAsk = {
  product: 'acme/cad',
  seats: 1,
  until,
  earliest: 1_796_079_601_000,
  zone: 'Europe/Berlin',
  version: 0,
  time,
  who: { account: 'ana', host: 'WS-17' },
  machine: 'WS-17',
  chain: [workstation],
}
const told: DetachmentTold = {
  id,
  version: 1,
  until,
  freeIn: 659_399,
  zone: 'Europe/Berlin',
  time,
  texts: ['eyJhbGciOiJFZERTQSIs…', 'eyJhbGciOiJFZERTQSIs…', 'eyJhbGciOiJFZERTQSIs…'],
}
const held: HeldAsk = { held: [{ id, version: 1, text: 'eyJhbGciOiJFZERTQSIs…', state: 'attached' }], time }
const stand: HeldAnswer = { results: [{ id, outcome: 'current' }], ready: [] }

export const detachExample = {
  params: { id },
  body: ask,
  answers: { 201: { detachment: told }, 200: { detachment: told } },
}
export const takeExample = { params: { id }, answers: { 200: told } }
export const releaseExample = { params: { id }, answers: { 204: undefined } }
export const reportExample = { body: held, answers: { 200: stand } }
