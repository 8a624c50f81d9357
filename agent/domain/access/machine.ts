/**
 * Which machine a word names: everyone, this machine, an address or network, an agent by its id, or names with stars; and
 * whether one who asks comes from there. Pure.
 */
import { type Address, contains, isLoopback, readNetwork } from './address.ts'
import { fits, fold, makePattern } from './pattern.ts'
import type { Machine } from './rule.ts'

export type MachineReading =
  | { readonly kind: 'machine'; readonly machine: Machine }
  /** `expected` follows "expected". */
  | { readonly kind: 'wrong'; readonly expected: string }

export const machineForms =
  'a machine: an address, a network such as 192.168.1.0/24, a name such as ws-*, agent: and the id of an agent, localhost or all'

export const agentId = /^[A-Za-z0-9_-]{43}$/
/** Letters of any script, since machines have such names; the underscore too. */
const hostName = /^[\p{L}\p{M}\p{N}_*-]+(\.[\p{L}\p{M}\p{N}_*-]+)*\.?$/u
const longestName = 255

export function readMachine(text: string): MachineReading {
  const folded = fold(text)
  if (folded === 'all' || folded === '*') return made({ kind: 'all' })
  if (folded === 'localhost') return made({ kind: 'localhost' })
  const agent = /^agent:(.*)$/is.exec(text)?.[1] ?? (agentId.test(text) ? text : undefined)
  if (agent !== undefined)
    return agentId.test(agent)
      ? made({ kind: 'agent', id: agent })
      : { kind: 'wrong', expected: 'the whole id of an agent, 43 characters, after “agent:”' }
  const read = readNetwork(text)
  if (read.kind === 'wrong') return read
  if (read.kind === 'network') return made({ kind: 'network', network: read.network })
  if (!hostName.test(text) || text.length > longestName) return { kind: 'wrong', expected: machineForms }
  return made({ kind: 'host', name: makePattern(text.replace(/\.$/, '')) })
}

function made(machine: Machine): MachineReading {
  return { kind: 'machine', machine }
}

export interface Origin {
  /** Folded, without the dot at the end. */
  readonly host?: string | undefined
  readonly address?: Address | undefined
  readonly agent?: string | undefined
}

export function isFrom(machine: Machine, { host, address, agent }: Origin): boolean {
  switch (machine.kind) {
    case 'all':
      return true
    case 'localhost':
      return address !== undefined && isLoopback(address)
    case 'network':
      return address !== undefined && contains(machine.network, address)
    case 'agent':
      return agent === machine.id
    case 'host':
      if (host === undefined) return false
      // A name without a dot is also the machine of that name in any domain.
      return fits(machine.name, host) || (!machine.name.text.includes('.') && fits(machine.name, firstLabel(host)))
  }
}

function firstLabel(host: string): string {
  const dot = host.indexOf('.')
  return dot < 0 ? host : host.slice(0, dot)
}
