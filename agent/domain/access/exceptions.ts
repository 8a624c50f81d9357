/**
 * Which targets are reached without the outgoing proxy: hosts, domains, addresses and networks of the configuration, and always
 * this machine and the subnets that it is in. Pure.
 */
import { type Address, contains, isLoopback, parseAddress, readNetwork } from './address.ts'
import { readMachine } from './machine.ts'
import { fits, fold } from './pattern.ts'
import type { Machine } from './rule.ts'

/** `example.com`, `.example.com` and `*.example.com` all mean that domain with all that is below it. */
function readException(line: string): Machine | undefined {
  const domain = line.trim().replace(/^\*?\.(?=[^.])/, '')
  const read = readMachine(domain)
  return read.kind === 'machine' && read.machine.kind !== 'agent' ? read.machine : undefined
}

/** What is wrong with a list of exceptions; for the check of a setting. */
export function checkExceptions(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line, index) =>
    readException(line) === undefined
      ? [`line ${index + 1}: “${line}” is no host, domain, address or network such as 192.168.0.0/16`]
      : [],
  )
}

/** Whether the name of a target alone says that it is reached straight. */
export function isExceptedName(lines: readonly string[], host: string): boolean {
  const name = fold(host).replace(/\.$/, '')
  // Names of the local network are known there only.
  if (name === 'localhost' || name.endsWith('.localhost') || name.endsWith('.local')) return true
  return lines.some((line) => {
    const exception = readException(line)
    if (exception?.kind === 'all') return true
    if (exception?.kind !== 'host') return false
    return fits(exception.name, name) || fits({ ...exception.name, ...below(exception.name.text) }, name)
  })
}

function below(domain: string) {
  return { text: `*.${domain}`, pieces: `*.${domain}`.split(/\*+/) }
}

/** Whether an address of a target is reached straight. @param subnets of the adapters of this machine, as CIDR */
export function isExceptedAddress(lines: readonly string[], subnets: readonly string[], text: string): boolean {
  const address = parseAddress(text)
  if (address === undefined) return false
  if (isLoopback(address) || isLinkLocal(address)) return true
  if (subnets.some((subnet) => holds(subnet, address))) return true
  return lines.some((line) => {
    const exception = readException(line)
    return exception?.kind === 'all' || (exception?.kind === 'network' && contains(exception.network, address))
  })
}

function holds(subnet: string, address: Address): boolean {
  const read = readNetwork(subnet)
  return read.kind === 'network' && contains(read.network, address)
}

function isLinkLocal({ family, value }: Address): boolean {
  return family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan
}
