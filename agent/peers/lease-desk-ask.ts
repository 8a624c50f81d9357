/**
 * What another agent asks for, as a command for the lessor; and what is wrong with it before anybody is asked. Owns nothing.
 * Must not import transport or http.
 */
import { hash } from 'node:crypto'
import { peerGrantId, type Who } from '../domain/grant.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { LeaseCommand } from '../domain/seats.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { LeaseAsk } from './wire.ts'

/** The agent that asks, as its signature proves it. */
export interface PeerCaller {
  readonly id: string
  readonly name: string
  /** That the request came from, for people and for rules. */
  readonly address: string
}

/** @param self id of this agent */
export function checkAsk(ask: LeaseAsk, peer: PeerCaller, self: string): Refusal | undefined {
  const { chain, agent, instance } = ask
  if (instance !== undefined && instance !== self)
    return refuse('unknown_instance', `There is no license server ${instance} at this agent.`)
  // What it came through is counted by; an agent that names another as the last one speaks for somebody else.
  if (chain.at(-1) !== peer.id || chain[0] !== agent)
    return refuse(
      'invalid_request',
      'The chain must begin with the agent of the application and end with the one that asks.',
    )
  if (chain.includes(self) || new Set(chain).size < chain.length)
    return refuse('loop_detected', 'The request has come through this agent, or through another one twice.')
  return undefined
}

/** @param self id of this agent, whose license server is meant */
export function leaseCommand(ask: LeaseAsk, id: string, peer: PeerCaller, self: string): LeaseCommand {
  const { feature, process, who, vendorKey } = ask
  return {
    kind: 'lease',
    id: peerGrantId(peer.id, id),
    instance: self,
    holder: peer.id,
    product: ask.product as ProductName,
    ...(feature === undefined ? {} : { feature }),
    seats: ask.seats,
    who: whoOf(ask, peer),
    body: bodyOf(ask),
    activity: 'heartbeat',
    waited: false,
    ...(vendorKey === undefined ? {} : { vendorKey }),
    lease: {
      purpose: ask.purpose,
      facts: { agent: ask.agent, process, account: who.account, email: who.email },
      chain: ask.chain,
    },
  }
}

/** Who uses the seat, for people: what the agent says of its application, and what is seen of the agent (M7). */
export function whoOf({ who, machine }: LeaseAsk, peer: PeerCaller): Who {
  const { account, email, displayName, host, processId, processName, application } = who
  return {
    ...(account ? { account } : {}),
    ...(email ? { email } : {}),
    ...(displayName ? { displayName } : {}),
    host: host || machine || peer.name,
    ...(processId === undefined ? {} : { processId }),
    ...(processName ? { processName } : {}),
    ...(application ? { application } : {}),
    address: peer.address,
  }
}

/** What makes a request the same request: everything but how long it waits and what the machine is called (R15). */
function bodyOf({ product, feature, seats, purpose, agent, process, who, chain, vendorKey }: LeaseAsk): string {
  const { account, email, displayName, host, processId, processName, application } = who
  const body = [
    product,
    feature ?? null,
    seats,
    purpose,
    agent,
    process === undefined ? null : [process.boot, process.id, process.startedAt],
    [account, email, displayName, host, processId, processName, application].map((one) => one ?? null),
    chain,
    vendorKey ?? null,
  ]
  return hash('sha256', JSON.stringify(body), 'base64url').slice(0, 22)
}
