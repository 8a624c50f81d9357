/**
 * What is wanted of other managers, how it is asked for, and whether what they grant is that. Pure; owns nothing.
 */
import { countKey } from './domain/count-key.ts'
import type { ProductName } from './domain/product-name.ts'
import { factsOfCommand, type OpenCommand } from './domain/seats.ts'
import { shortestLease } from './domain/supply.ts'
import type { LeaseRecord } from './lease-record.ts'
import type { Offer } from './peers/wire.ts'
import { type LeaseAsk, type LeaseGrant, peerWhoSchema } from './peers/wire.ts'

/** A lease that is looked for. */
export interface Want {
  /** Id of the session or lease that it is for. */
  readonly for: string
  /** Its seats are to serve only sessions of who goes by this name. */
  readonly onlyFor?: string
  /** In advance: it is not to be given back for being idle. */
  readonly kept?: true
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** So many of them are missing beside the free seats of this agent; where the seats are shared by a key, all are asked for. */
  readonly missing: number
  /** All seats must come in one lease. */
  readonly inOne: boolean
  readonly purpose: 'session' | 'reserve'
  /** The agent that the application runs at, and what it saw of its process (R18). */
  readonly agent: string
  readonly process?: LeaseAsk['process']
  readonly account?: string
  readonly email?: string
  readonly who: LeaseAsk['who']
  /** Agents that the request came through, this one last (R21). */
  readonly chain: readonly string[]
  /** Only seats of this vendor's key. */
  readonly vendorKey?: string
  /** Not from this manager. */
  readonly except?: string
}

/** @param self this agent's id @param missing how many seats this agent has too few */
export function wantOf(command: OpenCommand, self: string, missing: number): Want {
  const { feature, lease, vendorKey } = command
  const facts = lease?.facts ?? factsOfCommand(command)
  return {
    for: command.id,
    product: command.product,
    ...(feature === undefined ? {} : { feature }),
    seats: command.seats,
    missing: lease === undefined ? missing : command.seats,
    inOne: lease !== undefined,
    purpose: lease?.purpose ?? 'session',
    agent: facts.agent,
    ...(facts.process === undefined ? {} : { process: facts.process }),
    ...(facts.account === undefined ? {} : { account: facts.account }),
    ...(facts.email === undefined ? {} : { email: facts.email }),
    who: peerWhoSchema.parse(command.who),
    chain: [...(lease?.chain ?? []), self],
    ...(vendorKey === undefined ? {} : { vendorKey }),
  }
}

/** The same again, for who still needs what an earlier lease was asked for. */
export function wantAgain({ id, ask, manager }: LeaseRecord): Want {
  const { feature, process, vendorKey, who } = ask
  return {
    for: id,
    product: ask.product as ProductName,
    ...(feature === undefined ? {} : { feature }),
    seats: ask.seats,
    missing: ask.seats,
    inOne: true,
    purpose: ask.purpose,
    agent: ask.agent,
    ...(process === undefined ? {} : { process }),
    ...(who.account === undefined ? {} : { account: who.account }),
    ...(who.email === undefined ? {} : { email: who.email }),
    who,
    chain: ask.chain,
    ...(vendorKey === undefined ? {} : { vendorKey }),
    except: manager.id,
  }
}

/** @param machine name of this machine */
export function askFor(want: Want, seats: number, machine: string): LeaseAsk {
  const { product, feature, purpose, agent, process, who, vendorKey } = want
  return {
    product,
    ...(feature === undefined ? {} : { feature }),
    seats,
    purpose,
    agent,
    ...(process === undefined ? {} : { process }),
    who,
    machine: machine.slice(0, 64),
    chain: [...want.chain],
    ...(vendorKey === undefined ? {} : { vendorKey }),
  }
}

/** Whether a request that was begun before asks for the same. */
export function isSameAsk(a: LeaseAsk, b: LeaseAsk): boolean {
  const told = ({ product, feature, seats, purpose, agent, process, chain, vendorKey }: LeaseAsk) =>
    JSON.stringify([
      product,
      feature,
      seats,
      purpose,
      agent,
      process && [process.boot, process.id, process.startedAt],
      chain,
      vendorKey,
    ])
  return told(a) === told(b)
}

/** Whether the manager may be asked: not one that the request came through, nor one whose seats come over such a one (R21). */
export function mayAsk(want: Want, manager: string, offer: Offer): boolean {
  if (manager === want.except || want.chain.length > 8) return false
  if (want.vendorKey !== undefined && offer.vendorKey !== want.vendorKey) return false
  if (want.feature !== undefined && offer.features.length > 0 && offer.anySeats === 0) {
    if (!offer.features.some((one) => one.name === want.feature)) return false
  }
  return ![manager, ...offer.chain].some((agent) => want.chain.includes(agent))
}

/** Whether seats of a license with this rule are counted by a key for who wants them, so that they are shared. */
export function isKeyed(want: Want, offer: Offer): boolean {
  if (want.purpose === 'reserve') return false
  const { agent, process, account, email } = want
  return countKey(offer.rule, { agent, process, account, email }) !== undefined
}

/** What is wrong with what a manager granted, or undefined. */
export function flawOf(want: Want, ask: LeaseAsk, manager: string, lease: LeaseGrant): string | undefined {
  if (lease.product !== ask.product || lease.feature !== ask.feature) return 'It granted another product or feature.'
  if (lease.seats > ask.seats || (ask.purpose === 'session' && lease.seats < ask.seats))
    return 'It granted another number of seats.'
  const chain = [...lease.chain, ...want.chain.slice().reverse()]
  if (lease.chain.at(-1) !== manager || new Set(chain).size < chain.length)
    return 'The seats come over an agent that asks for them.'
  if (lease.offered !== true && lease.expiresIn < shortestLease) return 'It could not promise it for long enough.'
  return undefined
}
