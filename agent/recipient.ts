/**
 * The recipient block: names this machine to a manager that is to make something for it alone. Owns nothing.
 */
import { sealDocument } from './domain/documents/document.ts'
import type { SigningKey } from './domain/documents/keys.ts'

export interface RecipientFacts {
  readonly agent: SigningKey
  /** Name of the machine, for people. */
  readonly name: string
  /** Fresh id of the document. */
  readonly id: string
  /** What this machine's clock says, in ms: a manager compares it with its own (R12). */
  readonly wall: number
  /** The zone that its calendar days are in. */
  readonly zone?: string
}

/** @returns the compact text, signed by the agent */
export function makeRecipient({ agent, name, id, wall, zone }: RecipientFacts): string {
  const facts = { id, iat: Math.floor(wall / 1000), agent: agent.id, key: agent.jwk, name: name.slice(0, 255) }
  return sealDocument('leasehold-recipient', zone === undefined ? facts : { ...facts, zone }, agent)
}
