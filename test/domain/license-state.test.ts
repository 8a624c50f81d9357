/**
 * States, warnings, hardware and the activation exchange of licenses.
 */
import test from 'ava'
import fc from 'fast-check'
import { hashText } from '../../agent/domain/documents/base64url.ts'
import { addMonths } from '../../agent/domain/documents/calendar.ts'
import {
  activationEnd,
  buildActivation,
  buildActivationRequest,
  buildDeactivation,
  type Check,
  checkActivation,
  checkActivationRequest,
  checkDeactivation,
} from '../../agent/domain/documents/exchange.ts'
import type { DocumentCode } from '../../agent/domain/documents/refusal.ts'
import { hardwarePartNames, hashParts, matchHardware, normalizePart, recordParts } from '../../agent/domain/hardware.ts'
import {
  daysUntil,
  dueWarning,
  grantsSeats,
  type LicenseFacts,
  licenseStanding,
} from '../../agent/domain/license-state.ts'
import { errorTable } from '../../agent/errors.ts'
import {
  laptop,
  manager,
  now,
  open,
  sampleKey,
  sampleLicense,
  sampleParts,
  sealActivation,
  sealLicense,
  stranger,
  vendor,
} from './documents/samples.ts'

const day = 86_400
const facts: LicenseFacts = {
  license: { activation: { needed: true }, nbf: now - day, exp: now + 300 * day },
  activation: { exp: now + 300 * day },
  sameHardware: true,
  replaced: false,
  deactivated: false,
}
const state = (changes: Partial<LicenseFacts>, at = now) => licenseStanding({ ...facts, ...changes }, at).state

test('a license has the state that its facts and the date give it', (t) => {
  const { activation: _, ...notActivated } = facts
  t.is(state({}), 'active')
  t.is(licenseStanding(notActivated, now).state, 'not_activated')
  t.is(state({ license: { activation: { needed: false } }, sameHardware: false }), 'active')
  t.is(state({ sameHardware: false }), 'blocked_hardware')
  t.is(state({ replaced: true, sameHardware: false }), 'replaced')
  t.is(state({ deactivated: true, replaced: true }), 'deactivated')
  t.is(state({}, now - day - 1), 'not_yet_valid')
  t.is(state({}, now - day), 'active')
  t.is(state({}, now + 270 * day - 1), 'active')
  t.is(state({}, now + 270 * day), 'expiring')
  t.is(state({}, now + 300 * day - 1), 'expiring')
  t.is(state({}, now + 300 * day), 'expired')
  t.is(state({ license: { activation: { needed: true } }, activation: {} }), 'active')
})

test('an activation that ends before its license is told apart, and needs a new one when it is over', (t) => {
  const short = { ...facts, activation: { exp: now + 20 * day } }
  t.deepEqual(licenseStanding(short, now), {
    state: 'expiring',
    endsAt: now + 20 * day,
    endsBy: 'activation',
    daysLeft: 20,
  })
  t.is(licenseStanding(short, now + 20 * day).state, 'not_activated')
  t.deepEqual(licenseStanding(facts, now + 299 * day + 5), {
    state: 'expiring',
    endsAt: now + 300 * day,
    endsBy: 'license',
    daysLeft: 1,
  })
  t.deepEqual(licenseStanding({ ...facts, license: { activation: { needed: true } }, activation: {} }, now), {
    state: 'active',
  })
})

test('only active and expiring licenses grant seats', (t) => {
  t.true(grantsSeats('active') && grantsSeats('expiring'))
  t.false(grantsSeats('expired') || grantsSeats('blocked_hardware') || grantsSeats('not_activated'))
})

test('warnings are due 30, 14, 7, 3 and 1 days before the end, the tightest one', (t) => {
  const due = [31, 30, 29.5, 15, 14, 13.2, 7, 6.9, 3, 2.5, 1, 0.1].map((left) => dueWarning(now + left * day, now))
  t.deepEqual(due, [undefined, 30, 30, 30, 14, 14, 7, 7, 3, 3, 1, 1])
  t.is(dueWarning(now, now), undefined)
  t.is(dueWarning(now - 5, now), undefined)
  t.is(daysUntil(now - 5, now), 0)
})

const parts = {
  machine: '3d1219c7c4c5404aaa1f6d2a48adfda4',
  board: '4c4c4544-0042-3510',
  processor: 'Example Processor 9000',
  network: '3c:52:82:aa:bb:cc',
  disk: 'S4EWNX0R123456',
}

test('a machine is the same while 60 % of the recorded parts agree, machine id or board among them', (t) => {
  const recorded = hashParts('license-1', parts)
  const match = (changes: Partial<typeof parts>) =>
    matchHardware(recorded, hashParts('license-1', { ...parts, ...changes }))
  t.is(match({}).kind, 'same')
  t.is(match({ disk: 'other', network: 'other' }).kind, 'same')
  t.is(match({ disk: 'other', network: '' }).kind, 'same')
  t.deepEqual(match({ disk: 'other', network: 'other', processor: 'other' }), {
    kind: 'other',
    agreeing: ['machine', 'board'],
    differing: ['processor', 'network', 'disk'],
    reason: 'too_few',
  })
  t.is(match({ machine: 'other' }).kind, 'same')
  t.is(match({ board: 'other', disk: 'other' }).kind, 'same')
  t.is(match({ machine: 'other', board: '' }).reason, 'no_anchor')
  t.is(matchHardware({}, recorded).kind, 'other')
})

test('a license may allow more or fewer changed parts', (t) => {
  const recorded = hashParts('license-1', parts)
  const current = hashParts('license-1', { ...parts, disk: 'other' })
  t.is(matchHardware(recorded, current, 0).kind, 'other')
  t.is(matchHardware(recorded, current, 20).kind, 'same')
  t.is(matchHardware(recorded, hashParts('license-1', { machine: parts.machine }), 80).kind, 'same')
})

test('no part that is unreadable or another counts as agreeing', (t) => {
  const subset = fc.subarray([...hardwarePartNames])
  fc.assert(
    fc.property(subset, subset, subset, (known, lost, swapped) => {
      const pick = (names: readonly string[]) =>
        Object.fromEntries(Object.entries(parts).filter(([name]) => names.includes(name)))
      const recorded = hashParts('license-1', pick(known))
      const still = hardwarePartNames.filter((name) => !lost.includes(name))
      const current = hashParts('license-1', {
        ...pick(still),
        ...Object.fromEntries(swapped.map((name) => [name, 'another one'])),
      })
      const match = matchHardware(recorded, current)
      const agreeing = known.filter((name) => !lost.includes(name) && !swapped.includes(name))
      const anchored = agreeing.includes('machine') || agreeing.includes('board')
      t.deepEqual(new Set(match.agreeing), new Set(agreeing))
      t.is(match.kind === 'same', known.length > 0 && agreeing.length / known.length >= 0.6 && anchored)
    }),
  )
})

test('hashes of one machine differ from license to license and from part to part', (t) => {
  const one = hashParts('license-1', { machine: 'same', board: 'same' })
  const other = hashParts('license-2', { machine: 'same', board: 'same' })
  t.is(new Set([one.machine, one.board, other.machine, other.board]).size, 4)
  t.deepEqual(hashParts('license-1', { machine: ' SAME\n' }), { machine: one.machine })
})

test('what makers leave unfilled says nothing about a machine', (t) => {
  for (const value of [
    '',
    ' ',
    'To Be Filled By O.E.M.',
    'Default string',
    '00000000-0000-0000-0000-000000000000',
    'None',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '00:00:00:00:00:00',
    'System Serial Number',
    'x'.repeat(600),
  ])
    t.is(normalizePart(value), undefined, value)
  t.is(normalizePart(' 4C4C4544\0 '), '4c4c4544')
})

test('a machine that can not be known again is not recorded', (t) => {
  t.is(recordParts('license-1', parts).kind, 'recorded')
  t.is(recordParts('license-1', { machine: 'm1', processor: 'p1' }).kind, 'recorded')
  t.is(recordParts('license-1', { machine: 'm1' }).kind, 'refused')
  t.is(recordParts('license-1', { processor: 'p1', network: 'n1', disk: 'd1' }).kind, 'refused')
})

const license = open(sealLicense(), 'leasehold-license')
const request = open(
  buildActivationRequest(
    { license, parts: sampleParts, nonce: 'nonce-of-the-request', number: 4, id: 'request-1', now },
    manager,
  ),
  'leasehold-activation-request',
)
const answer = open(
  buildActivation({ request, license, number: 5, id: 'activation-5', now }, vendor),
  'leasehold-activation',
  vendor,
)
const expected = { license, agent: manager.id, nonces: ['nonce-of-the-request'], number: 4, now }

function codeOf(check: Check): DocumentCode | 'good' {
  return check.kind === 'refused' ? check.code : 'good'
}

test('R25: an answer is bound to the license text, the agent key and the nonce of the request', (t) => {
  t.is(codeOf(checkActivationRequest(request, license, now)), 'good')
  t.is(codeOf(checkActivation(answer, expected)), 'good')
  t.is(answer.payload.parent, hashText(license.text))
  t.deepEqual(answer.payload.next, manager.jwk)
  t.deepEqual(answer.payload.parts, request.payload.parts)
  t.is(codeOf(checkActivation(answer, { ...expected, agent: laptop.id })), 'wrong_recipient')
  t.is(codeOf(checkActivation(answer, { ...expected, nonces: [] })), 'unknown_request')
  t.is(
    codeOf(checkActivation(answer, { ...expected, nonces: ['nonce-of-another-request', 'nonce-of-the-request'] })),
    'good',
  )
  const edited = open(sealLicense({ customer: 'Other' }), 'leasehold-license')
  t.is(codeOf(checkActivation(answer, { ...expected, license: edited })), 'document_altered')
  t.is(codeOf(checkActivationRequest(request, edited, now)), 'document_altered')
  const other = open(sealLicense({ id: 'other-license' }), 'leasehold-license')
  t.is(codeOf(checkActivation(answer, { ...expected, license: other })), 'wrong_recipient')
  t.is(codeOf(checkActivationRequest(request, other, now)), 'wrong_recipient')
  const forged = open(
    sealActivation(license.text, { number: 9, nonce: 'nonce-of-the-request' }, stranger),
    'leasehold-activation',
    stranger,
  )
  t.is(codeOf(checkActivation(forged, expected)), 'bad_signature')
})

test('R25: a lower number is refused, and the same one is applied already', (t) => {
  t.is(codeOf(checkActivation(answer, { ...expected, number: 5 })), 'already_applied')
  t.is(codeOf(checkActivation(answer, { ...expected, number: 6 })), 'document_superseded')
})

test('an activation lasts 13 months, no longer than its license, and for ever where the license does', (t) => {
  t.is(activationEnd(sampleLicense, now), sampleLicense.exp)
  t.is(activationEnd({ ...sampleLicense, exp: now + 3000 * day }, now), addMonths(now, 13))
  t.is(answer.payload.exp, sampleLicense.exp)
  const { exp: _, nbf: __, ...endless } = sampleLicense
  t.is(activationEnd({ ...endless, model: 'perpetual' }, now), undefined)
  t.is(codeOf(checkActivation(answer, { ...expected, now: now + 300 * day })), 'document_expired')
  t.is(codeOf(checkActivationRequest(request, license, now + 300 * day)), 'license_expired')
})

test('R25: a receipt undoes the activation it names and no other', (t) => {
  const receipt = open(
    buildDeactivation(
      { license, activation: answer.payload, id: 'receipt-1', now, overlap: { seats: 2, until: now + day } },
      manager,
    ),
    'leasehold-deactivation',
  )
  t.is(codeOf(checkDeactivation(receipt, answer.payload)), 'good')
  t.deepEqual(receipt.payload.overlap, { seats: 2, until: now + day })
  t.is(codeOf(checkDeactivation(receipt, { ...answer.payload, number: 6 })), 'document_superseded')
  t.is(codeOf(checkDeactivation(receipt, { ...answer.payload, agent: laptop.id })), 'wrong_recipient')
  t.is(codeOf(checkDeactivation(receipt, { ...answer.payload, license: 'other-license' })), 'wrong_recipient')
})

test('every code that documents refuse with is in the error table', (t) => {
  const codes: Record<DocumentCode, true> = {
    not_a_document: true,
    body_too_large: true,
    bad_signature: true,
    document_altered: true,
    document_invalid: true,
    document_too_new: true,
    document_expired: true,
    document_superseded: true,
    unknown_request: true,
    wrong_recipient: true,
    already_applied: true,
    license_expired: true,
    hardware_unreadable: true,
  }
  for (const code of Object.keys(codes)) t.true(Object.hasOwn(errorTable, code), code)
})

test('an agent whose id begins with - or _ is activated like any other', (t) => {
  for (const beginning of ['-', '_']) {
    const names = Array.from({ length: 1000 }, (_, at) => `agent ${at}`)
    const name = names.find((one) => sampleKey(one).id.startsWith(beginning))
    if (name === undefined) return t.fail('one key in 64 begins so')
    const facts = { license, parts: sampleParts, nonce: 'nonce-of-the-request', number: 0, id: 'request-1', now }
    const asked = open(buildActivationRequest(facts, sampleKey(name)), 'leasehold-activation-request')
    const given = buildActivation({ request: asked, license, number: 1, id: 'activation-1', now }, vendor)
    t.is(open(given, 'leasehold-activation', vendor).payload.instance, sampleKey(name).id)
  }
})
