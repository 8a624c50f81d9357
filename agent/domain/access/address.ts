/**
 * Addresses of machines as numbers, and networks as ranges of them: single addresses, CIDR, ranges, and IPv4 with stars. An
 * IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address; the zone of a link-local one does not count.
 * Pure; imports nothing of ours.
 */
import { isIP } from 'node:net'

export interface Address {
  readonly family: 4 | 6
  readonly value: bigint
}

/** All addresses from one to another, both inclusive. */
export interface Network {
  readonly family: 4 | 6
  readonly from: bigint
  readonly to: bigint
}

export type NetworkReading =
  | { readonly kind: 'network'; readonly network: Network }
  /** It is meant as an address and is none; `expected` follows "expected". */
  | { readonly kind: 'wrong'; readonly expected: string }
  /** It is something else, such as a name. */
  | { readonly kind: 'other' }

const mapped = 0xffffn << 32n

/** @returns undefined when the text is no address */
export function parseAddress(text: string): Address | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  switch (isIP(bare)) {
    case 4:
      return { family: 4, value: readDotted(bare) }
    case 6: {
      const value = readGroups(bare)
      return value >> 32n === 0xffffn ? { family: 4, value: value - mapped } : { family: 6, value }
    }
    default:
      return undefined
  }
}

/** Loopback: an application of this machine, or an agent that is reached over a tunnel that ends here. */
export function isLoopback({ family, value }: Address): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n
}

export function contains(network: Network, address: Address): boolean {
  return network.family === address.family && network.from <= address.value && address.value <= network.to
}

export function readNetwork(text: string): NetworkReading {
  const single = parseAddress(text)
  if (single !== undefined)
    return { kind: 'network', network: { family: single.family, from: single.value, to: single.value } }
  if (text.includes('/') && /^[\d.:a-f[\]%*]+\//i.test(text)) return readCidr(text)
  if (/^[\d.]+\.\*(\.\*)*$/.test(text)) return readStars(text)
  const [first = '', last, ...more] = text.split('-')
  if (last !== undefined && more.length === 0 && parseAddress(first) !== undefined) return readRange(first, last)
  // A name has a letter that is no hexadecimal digit, or no colon.
  if (/^[\d.*]+$/.test(text) || /^\[?[\da-f.]*:[\da-f:.]*\]?$/i.test(text))
    return wrong('an IPv4 or IPv6 address, such as 192.168.1.17')
  return { kind: 'other' }
}

function readCidr(text: string): NetworkReading {
  const slash = text.indexOf('/')
  const address = parseAddress(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (address === undefined) return wrong('an address before the “/”, such as 192.168.1.0/24')
  const isMapped = address.family === 4 && text.includes(':')
  const bits = address.family === 4 ? 32 : 128
  const length = /^\d{1,3}$/.test(digits) ? Number(digits) - (isMapped ? 96 : 0) : -1
  if (length < 0 || length > bits)
    return wrong(`a number from ${isMapped ? 96 : 0} to ${isMapped ? 128 : bits} after the “/”`)
  const rest = (1n << BigInt(bits - length)) - 1n
  const from = (address.value | rest) - rest
  return { kind: 'network', network: { family: address.family, from, to: from + rest } }
}

/** `10.1.*` and `10.1.*.*` are the same. */
function readStars(text: string): NetworkReading {
  const given = text.split('.').filter((part) => part !== '*')
  const stars = text.split('.').length - given.length
  const zeros = [...given, ...Array<string>(Math.max(0, 4 - given.length)).fill('0')].join('.')
  const address = parseAddress(zeros)
  if (address === undefined || given.length + stars > 4)
    return wrong('at most four parts with stars at the end, such as 10.1.*')
  const rest = (1n << BigInt(8 * (4 - given.length))) - 1n
  return { kind: 'network', network: { family: 4, from: address.value, to: address.value + rest } }
}

/** `10.1.2.10-10.1.2.50`, for IPv4 also `10.1.2.10-50`. */
function readRange(first: string, last: string): NetworkReading {
  const from = parseAddress(first)
  const whole = /^\d{1,3}$/.test(last) && first.includes('.') ? first.replace(/\d+$/, last) : last
  const to = parseAddress(whole)
  if (from === undefined || to === undefined || from.family !== to.family)
    return wrong('an address of the same kind after the “-”, such as 10.1.2.10-10.1.2.50')
  if (to.value < from.value) return wrong('a range from the lower address to the higher one')
  return { kind: 'network', network: { family: from.family, from: from.value, to: to.value } }
}

function wrong(expected: string): NetworkReading {
  return { kind: 'wrong', expected }
}

/** Of an address that `isIP` has found good. */
function readDotted(text: string): bigint {
  return BigInt(text.split('.').reduce((value, part) => value * 256 + Number(part), 0))
}

/** Of an address that `isIP` has found good. */
function readGroups(text: string): bigint {
  const dotted = /\d+\.\d+\.\d+\.\d+$/.exec(text)?.[0]
  const four = dotted === undefined ? 0n : readDotted(dotted)
  const plain =
    dotted === undefined
      ? text
      : `${text.slice(0, -dotted.length)}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`
  const [head = '', tail] = plain.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}
