/**
 * The vendor's side of an activation: answers requests, takes in deactivation receipts, and keeps to one agent per license (I15).
 * The ledger is what it decides on and what it writes before it answers.
 */
import { type Opened, openDocument } from '../domain/documents/document.ts'
import { buildActivation, checkActivationRequest, checkDeactivation } from '../domain/documents/exchange.ts'
import { type SigningKey, shortGroups } from '../domain/documents/keys.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Decision, Ledger, LicenseHistory } from './ledger.ts'

export interface ActivationDesk {
  readonly ledger: Ledger
  readonly key: SigningKey
  /** Seconds since 1970. */
  readonly now: number
  /** Fresh id of a document. */
  readonly newId: () => string
}

export interface Answered {
  readonly kind: 'answered'
  readonly answer: Opened<'leasehold-activation'>
  readonly license: Opened<'leasehold-license'>
  /** The request was answered before; this is the same answer. */
  readonly repeated: boolean
  /** Agents that were passed over without a receipt. */
  readonly forced: readonly string[]
}

export interface ReceiptTaken {
  readonly kind: 'taken'
  readonly license: string
  readonly agent: string
}

function activeAgents(history: LicenseHistory): string[] {
  return [...history.agents].filter(([, activation]) => activation.state === 'active').map(([agent]) => agent)
}

/** @param force answers although another agent has the license and gave no receipt; recorded */
export async function answerRequest(
  desk: ActivationDesk,
  request: Opened<'leasehold-activation-request'>,
  force = false,
): Promise<Answered | Refusal> {
  return desk.ledger.record<Answered | Refusal>(desk.now, () => decideAnswer(desk, request, force))
}

function decideAnswer(
  desk: ActivationDesk,
  request: Opened<'leasehold-activation-request'>,
  force: boolean,
): Decision<Answered | Refusal> {
  const { ledger, key, now } = desk
  const { payload } = request
  const history = ledger.find(payload.license)
  if (history?.text === undefined)
    return no(refuse('unknown_license', `License ${payload.license} was not issued from this vendor folder.`))
  const license = openDocument(history.text, 'leasehold-license', key)
  if (license.kind === 'refused') return no(license)

  const before = history.answers.get(payload.nonce)
  if (before !== undefined) {
    const current = history.agents.get(before.agent)
    if (before.agent !== payload.agent || current?.state !== 'active' || current.number !== before.number)
      return no(refuse('document_superseded', 'This request was answered before, and that activation is over.'))
    const answer = openDocument(before.answer, 'leasehold-activation', key)
    if (answer.kind === 'refused') return no(answer)
    return { answer: { kind: 'answered', answer, license, repeated: true, forced: [] } }
  }

  const check = checkActivationRequest(request, license, now)
  if (check.kind === 'refused') return no(check)
  const others = activeAgents(history).filter((agent) => agent !== payload.agent)
  if (others.length > 0 && !force) {
    const named = others.map(shortGroups).join(', ')
    const detail = `License ${payload.license} is activated for agent ${named}; this request is of agent ${shortGroups(payload.agent)}.`
    return no(refuse('activated_elsewhere', detail, { agents: others }))
  }
  // The agent may know a higher number than a ledger that was restored from a backup.
  const number = Math.max(history.lastNumber, payload.number) + 1
  const text = buildActivation({ request, license, number, id: desk.newId(), now }, key)
  const answer = openDocument(text, 'leasehold-activation', key)
  if (answer.kind === 'refused') return no(answer)
  return {
    event: {
      kind: 'activated',
      license: payload.license,
      agent: payload.agent,
      number,
      nonce: payload.nonce,
      answer: text,
      ...(others.length > 0 && { forced: others }),
    },
    answer: { kind: 'answered', answer, license, repeated: false, forced: others },
  }
}

/** Takes in a receipt: the license is free for another agent then. */
export async function takeReceipt(
  desk: ActivationDesk,
  receipt: Opened<'leasehold-deactivation'>,
): Promise<ReceiptTaken | Refusal> {
  return desk.ledger.record<ReceiptTaken | Refusal>(desk.now, () => decideReceipt(desk.ledger, receipt))
}

function decideReceipt(ledger: Ledger, receipt: Opened<'leasehold-deactivation'>): Decision<ReceiptTaken | Refusal> {
  const { license, agent, number } = receipt.payload
  const history = ledger.find(license)
  if (history === undefined)
    return no(refuse('unknown_license', `License ${license} was not issued from this vendor folder.`))
  const activation = history.agents.get(agent)
  if (activation === undefined)
    return no(refuse('wrong_recipient', `Agent ${shortGroups(agent)} never had an activation of license ${license}.`))
  const check = checkDeactivation(receipt, { license, agent, number: activation.number })
  if (check.kind === 'refused') return no(check)
  if (activation.state === 'returned') return no(refuse('already_returned', 'This receipt was taken in before.'))
  return {
    event: { kind: 'deactivated', license, agent, number, receipt: receipt.text },
    answer: { kind: 'taken', license, agent },
  }
}

function no(refusal: Refusal): Decision<Refusal> {
  return { answer: refusal }
}
