/**
 * Activation by exchange of documents: the agent's request, the vendor's answer, the receipt that undoes it. Pure builders and
 * checkers (R25); ids, nonces and the date come from outside. The vendor's ledger decides who may have an activation.
 */

import type { HardwareHashes } from '../hardware.ts'
import type { Activation } from './activation.ts'
import { addMonths } from './calendar.ts'
import { type Opened, sealDocument } from './document.ts'
import type { SigningKey } from './keys.ts'
import type { License } from './license.ts'
import { type DocumentRefusal, refuseDocument } from './refusal.ts'

/** An activation lasts at most so long; it is renewed by the same exchange. */
export const activationMonths = 13

interface Stamp {
  /** Fresh id of the document. */
  readonly id: string
  /** Seconds since 1970. */
  readonly now: number
}

export interface RequestFacts extends Stamp {
  readonly license: Opened<'leasehold-license'>
  /** From `recordParts` with the license's id. */
  readonly parts: HardwareHashes
  /** Fresh random text, kept until its answer is applied. */
  readonly nonce: string
  /** Of the last activation of this license here, 0 when there was none. */
  readonly number: number
}

export function buildActivationRequest(facts: RequestFacts, agent: SigningKey): string {
  const { license, parts, nonce, number } = facts
  return sealDocument(
    'leasehold-activation-request',
    {
      id: facts.id,
      iat: facts.now,
      license: license.payload.id,
      licenseHash: license.hash,
      agent: agent.id,
      key: agent.jwk,
      parts,
      nonce,
      number,
    },
    agent,
  )
}

export type Check = { readonly kind: 'good' } | DocumentRefusal
const good: Check = { kind: 'good' }

/** The vendor's look at a request: is it about exactly this license, which still runs? */
export function checkActivationRequest(
  request: Opened<'leasehold-activation-request'>,
  license: Opened<'leasehold-license'>,
  now: number,
): Check {
  if (request.payload.license !== license.payload.id)
    return refuseDocument('wrong_recipient', `The request is for license ${request.payload.license}.`)
  if (request.payload.licenseHash !== license.hash)
    return refuseDocument('document_altered', 'The license installed there is not the text that was issued.')
  if (license.payload.exp !== undefined && now >= license.payload.exp)
    return refuseDocument('license_expired', 'The license is past its end.', { endedAt: license.payload.exp })
  return good
}

/** Until when an activation made now lasts; undefined = as long as a perpetual license. */
export function activationEnd(license: License, now: number): number | undefined {
  return license.exp === undefined ? undefined : Math.min(license.exp, addMonths(now, activationMonths))
}

export interface ActivationFacts extends Stamp {
  readonly request: Opened<'leasehold-activation-request'>
  readonly license: Opened<'leasehold-license'>
  /** Higher than that of every activation of this license before. */
  readonly number: number
}

export function buildActivation(facts: ActivationFacts, vendor: SigningKey): string {
  const { request, license } = facts
  const exp = activationEnd(license.payload, facts.now)
  return sealDocument(
    'leasehold-activation',
    {
      id: facts.id,
      iat: facts.now,
      license: license.payload.id,
      agent: request.payload.agent,
      parts: request.payload.parts,
      nonce: request.payload.nonce,
      number: facts.number,
      instance: request.payload.agent,
      parent: license.hash,
      next: request.payload.key,
      ...(exp !== undefined && { exp }),
    },
    vendor,
  )
}

export interface ActivationExpectation {
  readonly license: Opened<'leasehold-license'>
  /** Id of this agent. */
  readonly agent: string
  /** Nonces of the requests made here that are not answered yet. */
  readonly nonces: readonly string[]
  /** Number of the last activation of this license that was applied here, 0 when there was none. */
  readonly number: number
  readonly now: number
}

/** The agent's look at an answer (R25). The license's vendor must have signed it; `openDocument` has checked that it was its signer. */
export function checkActivation(answer: Opened<'leasehold-activation'>, expected: ActivationExpectation): Check {
  const { payload } = answer
  const { license } = expected
  if (payload.license !== license.payload.id)
    return refuseDocument('wrong_recipient', `The activation is for license ${payload.license}.`)
  if (answer.signer !== license.signer)
    return refuseDocument('bad_signature', 'The activation is not signed by the vendor of the license.')
  if (payload.agent !== expected.agent)
    return refuseDocument('wrong_recipient', 'The activation is made for another agent.', { agent: payload.agent })
  if (payload.parent !== license.hash)
    return refuseDocument('document_altered', 'The activation is made for another text of this license.')
  if (payload.number === expected.number)
    return refuseDocument('already_applied', 'This activation is applied already.')
  if (payload.number < expected.number)
    return refuseDocument('document_superseded', 'A later activation was applied before.', {
      number: payload.number,
      applied: expected.number,
    })
  if (!expected.nonces.includes(payload.nonce))
    return refuseDocument('unknown_request', 'The activation answers a request that this agent does not remember.')
  if (payload.exp !== undefined && expected.now >= payload.exp)
    return refuseDocument('document_expired', 'The activation is past its end.', { endedAt: payload.exp })
  return good
}

export interface DeactivationFacts extends Stamp {
  readonly license: Opened<'leasehold-license'>
  readonly activation: Activation
  /** What an administrator confirmed to be still out. */
  readonly overlap?: { readonly seats: number; readonly until: number }
}

export function buildDeactivation(facts: DeactivationFacts, agent: SigningKey): string {
  const { license, activation, overlap } = facts
  return sealDocument(
    'leasehold-deactivation',
    {
      id: facts.id,
      iat: facts.now,
      license: license.payload.id,
      licenseHash: license.hash,
      agent: agent.id,
      key: agent.jwk,
      number: activation.number,
      ...(overlap && { overlap: { ...overlap } }),
    },
    agent,
  )
}

/** The vendor's look at a receipt: does it undo exactly this activation? */
export function checkDeactivation(
  receipt: Opened<'leasehold-deactivation'>,
  activation: Pick<Activation, 'license' | 'agent' | 'number'>,
): Check {
  const { payload } = receipt
  if (payload.license !== activation.license)
    return refuseDocument('wrong_recipient', `The receipt is for license ${payload.license}.`)
  if (payload.agent !== activation.agent)
    return refuseDocument('wrong_recipient', 'The receipt is of another agent than the one that has the activation.')
  if (payload.number !== activation.number)
    return refuseDocument('document_superseded', 'The receipt is for another activation than the latest.', {
      number: payload.number,
      latest: activation.number,
    })
  return good
}
