/**
 * The Host header: a strict parser, and the names that loopback answers to. This is the only defense against DNS rebinding,
 * so it stands before everything, static files and 404s included.
 * Pure; must not import anything of ours but the error table and the request view.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { type Refusal, refuse } from '../errors.ts'
import type { RequestView } from './request-view.ts'

export interface HostName {
  readonly kind: 'name' | 'ipv4' | 'ipv6'
  /** Lower case, without trailing dot or brackets. */
  readonly name: string
  readonly port: number | undefined
}

const shape =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?)(\.?))(?::([0-9]{1,5}))?$/

/** `undefined` for anything that is not exactly host or host:port. */
export function parseHost(raw: string): HostName | undefined {
  const match = shape.exec(raw)
  if (match === null) return undefined
  const [, bracketed, plain, dot, digits] = match
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && port > 65_535) return undefined
  if (bracketed !== undefined)
    return isIPv6(bracketed) ? { kind: 'ipv6', name: bracketed.toLowerCase(), port } : undefined
  if (plain === undefined || plain.includes('..')) return undefined
  if (isIPv4(plain)) return dot === '' ? { kind: 'ipv4', name: plain, port } : undefined
  // A name whose last part is a number is an address in some other notation (0x7f.1, 2130706433); nobody needs those.
  const last = plain.slice(plain.lastIndexOf('.') + 1)
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(last)) return undefined
  return { kind: 'name', name: plain.toLowerCase(), port }
}

const loopback6 = /^(?:::|(?:0{1,4}:){7})0{0,3}1$/

function isLoopbackName(host: HostName): boolean {
  if (host.kind === 'name') return host.name === 'localhost'
  if (host.kind === 'ipv4') return host.name.startsWith('127.')
  return loopback6.test(host.name)
}

/** The one Host header of the request, as it was sent. */
function readHost(view: RequestView): string | Refusal {
  let raw: string | undefined
  const headers = view.rawHeaders
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]
    if (name === undefined || name.length !== 4 || name.toLowerCase() !== 'host') continue
    if (raw !== undefined) return refuse('malformed_request', 'The request has more than one Host header.')
    raw = headers[index + 1]
  }
  return raw ?? refuse('malformed_request', 'The request has no Host header.')
}

/** For requests that came in on loopback: only loopback's own names, any port. */
export function checkHost(view: RequestView): Refusal | undefined {
  const raw = readHost(view)
  if (typeof raw !== 'string') return raw
  const host = parseHost(raw)
  if (host !== undefined && isLoopbackName(host)) return undefined
  return refuse('host_not_allowed', 'The Host header of the request is not localhost, 127.0.0.1 or [::1].')
}

/** Whether a host is an address, or one of the names that people know this machine by. @param names in lower case */
export function isOwnHost(host: HostName, names: ReadonlySet<string>): boolean {
  return host.kind !== 'name' || host.name === 'localhost' || names.has(host.name)
}

/** For requests from elsewhere: addresses, which nobody can rebind, and the own names of this machine. */
export function checkOwnHost(view: RequestView, names: ReadonlySet<string>): Refusal | undefined {
  const raw = readHost(view)
  if (typeof raw !== 'string') return raw
  const host = parseHost(raw)
  if (host !== undefined && isOwnHost(host, names)) return undefined
  return refuse(
    'host_not_allowed',
    'The Host header of the request is no address and no name of this machine. Its names are set under network.names.',
  )
}
