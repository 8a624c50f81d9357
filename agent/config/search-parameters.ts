/**
 * The lines of “Specify Search Parameters”: addresses, names, ranges and URLs of agents, each read or refused with a reason.
 * Owns nothing, looks nothing up. Imports the domain's place and fields only.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { bytes32 } from '../domain/documents/fields.ts'
import { addressNumber, addressOf, type Place, usualPort } from '../domain/place.ts'

export type SearchParameter =
  /** One agent; with `id` no other one is taken for it. */
  | { readonly kind: 'place'; readonly text: string; readonly place: Place; readonly id?: string }
  /** Every address from `first` on, as numbers of 32 bits. */
  | {
      readonly kind: 'range'
      readonly text: string
      readonly first: number
      readonly count: number
      readonly port: number
    }

export interface WrongLine {
  /** From 1. */
  readonly line: number
  readonly text: string
  /** What is wrong with it, to follow a colon; without a full stop. */
  readonly reason: string
}

export type ParsedParameters =
  | { readonly kind: 'good'; readonly parameters: readonly SearchParameter[] }
  | { readonly kind: 'wrong'; readonly problems: readonly WrongLine[] }

export type ParsedParameter = SearchParameter | { readonly kind: 'wrong'; readonly reason: string }

const widestRange = 16
/** Addresses of all ranges together: what 64 connections at a time reach in a little more than an hour. */
const mostAddresses = 4 * 2 ** (32 - widestRange)

/** Every wrong line is named. Empty lines are left out, and say nothing. */
export function parseSearchParameters(lines: readonly string[]): ParsedParameters {
  const parameters: SearchParameter[] = []
  const problems: WrongLine[] = []
  let addresses = 0
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue
    const parsed = parseSearchParameter(text)
    const problem = (reason: string) => problems.push({ line: index + 1, text: text.trim(), reason })
    if (parsed.kind === 'wrong') problem(parsed.reason)
    else {
      if (parsed.kind === 'range') addresses += parsed.count
      if (addresses > mostAddresses)
        problem(`with this range more than ${mostAddresses} addresses would have to be searched`)
      else parameters.push(parsed)
    }
  }
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'good', parameters }
}

export function findWrongLines(lines: readonly string[]): readonly WrongLine[] {
  const parsed = parseSearchParameters(lines)
  return parsed.kind === 'wrong' ? parsed.problems : []
}

export function parseSearchParameter(line: string): ParsedParameter {
  const text = line.trim()
  if (text === '') return wrong('an address, a host name, a range or a URL is wanted')
  if (text.length > 255) return wrong('it is longer than 255 characters')
  if (/[\s\p{Cc}]/u.test(text)) return wrong('one parameter per line is wanted, without spaces')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return readUrl(text)
  const at = text.lastIndexOf('@')
  if (at >= 0) return readNamed(text, text.slice(0, at), text.slice(at + 1))
  if (text.includes('/')) return readRange(text)
  const place = readPlace(text)
  if ('reason' in place) return place
  const ends = /^(\d+\.\d+\.\d+)\.255$/.exec(place.host)
  if (ends !== null && isIPv4(place.host)) {
    const first = addressNumber(`${ends[1]}.0`)
    if (first !== undefined) return checkRange({ kind: 'range', text, first, count: 256, port: place.port })
  }
  return { kind: 'place', text, place }
}

function wrong(reason: string): { readonly kind: 'wrong'; readonly reason: string } {
  return { kind: 'wrong', reason }
}

type ReadPlace = Place | ReturnType<typeof wrong>

/** An address or name, with or without a port; IPv6 with a port in brackets. */
export function readPlace(text: string): ReadPlace {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (bracketed !== null) {
    const host = readIpv6(bracketed[1] ?? '')
    return typeof host === 'string' ? withPort(host, bracketed[2]) : host
  }
  if (text.split(':').length > 2) {
    const host = readIpv6(text)
    return typeof host === 'string' ? withPort(host, undefined) : host
  }
  const [name = '', port] = text.split(':')
  const host = readHost(name)
  return typeof host === 'string' ? withPort(host, port) : host
}

function withPort(host: string, port: string | undefined): ReadPlace {
  if (port === undefined) return { host, port: usualPort }
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65_535) return wrong('a port is a number from 1 to 65535')
  return { host, port: number }
}

function readIpv6(text: string): string | ReturnType<typeof wrong> {
  const [address = '', zone, ...more] = text.split('%')
  if (!isIPv6(address) || more.length > 0) return wrong('this is no IPv6 address; with a port it is [address]:port')
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  if (plain === '::' || plain.startsWith('ff')) return wrong('no agent has this address')
  const isLocal = /^fe[89ab]/.test(plain)
  if (zone === undefined)
    return isLocal ? wrong(`a link-local address needs its network adapter, as in ${plain}%eth0`) : plain
  if (!isLocal) return wrong('only link-local addresses (fe80…) have a network adapter after %')
  return /^[0-9A-Za-z._-]{1,32}$/.test(zone)
    ? `${plain}%${zone}`
    : wrong('the name of the network adapter is not right')
}

function readHost(text: string): string | ReturnType<typeof wrong> {
  if (text === '') return wrong('an address or host name is missing')
  if (/^[\d.]+$/.test(text)) {
    const number = addressNumber(text)
    if (number === undefined) return wrong('an IPv4 address has four numbers from 0 to 255, without zeros in front')
    return isUsable(number) ? text : wrong('no agent has this address')
  }
  const ascii = domainToASCII(text.replace(/\.$/, ''))
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
  const labels = ascii.split('.')
  if (ascii.length > 253 || !labels.every((one) => label.test(one))) return wrong('this is no host name')
  // numbers in other notations, such as 0x7f000001
  if (addressNumber(ascii) !== undefined) return wrong('this is no host name')
  return ascii
}

/** Not “this network”, and below multicast. */
function isUsable(number: number): boolean {
  return number >= 2 ** 24 && number < 224 * 2 ** 24
}

function readNamed(text: string, id: string, rest: string): ParsedParameter {
  if (!bytes32.safeParse(id).success) return wrong('before @ stands the id of an agent: 43 letters, digits, - or _')
  const place = readPlace(rest)
  return 'reason' in place ? place : { kind: 'place', text, place, id }
}

function readRange(text: string): ParsedParameter {
  const [address = '', length = '', ...more] = text.split('/')
  if (address.includes(':')) return wrong('ranges of IPv6 addresses are too large to be searched')
  const number = addressNumber(address)
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : 33
  if (number === undefined || prefix > 32 || more.length > 0) return wrong('a range is written as in 10.0.0.0/24')
  if (prefix < widestRange)
    return wrong(`a range is at most a /${widestRange}, which is ${2 ** (32 - widestRange)} addresses`)
  const count = 2 ** (32 - prefix)
  return checkRange({ kind: 'range', text, first: Math.floor(number / count) * count, count, port: usualPort })
}

function checkRange(range: SearchParameter & { kind: 'range' }): ParsedParameter {
  const last = range.first + range.count - 1
  return isUsable(range.first) && isUsable(last) ? range : wrong('no agent has an address of this range')
}

function readUrl(text: string): ParsedParameter {
  if (!/^https:\/\//i.test(text)) return wrong('only https addresses are asked')
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return wrong('this is no URL')
  }
  if (url.username !== '' || url.password !== '') return wrong('a URL must have no user and no password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return wrong('a URL ends with the host or its port; there is nothing to follow')
  const host = url.hostname.startsWith('[') ? readIpv6(url.hostname.slice(1, -1)) : readHost(url.hostname)
  return typeof host === 'string'
    ? { kind: 'place', text, place: { host, port: url.port === '' ? 443 : Number(url.port) } }
    : host
}

/** The addresses of a range, one after another. */
export function* addressesOf({ first, count, port }: SearchParameter & { kind: 'range' }): Generator<Place> {
  for (let number = first; number < first + count; number++) yield { host: addressOf(number), port }
}
