/**
 * What the guards see of a request, and who can have sent it, by the connection that it came in on.
 * Pure; must not import anything of ours.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** How a request comes in: plain HTTP on loopback, TLS, or plain HTTP from a reverse proxy of this machine. */
export type Channel = 'loopback' | 'tls' | 'proxy'

/** Who stands at the other end: people and applications of this machine, remote people and scripts, or agents. */
export type Audience = 'loopback' | 'remote' | 'peer'

export interface RequestView {
  readonly channel: Channel
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
  readonly localAddress: string
  /** Of the sender; behind a reverse proxy that is trusted, of whoever asked that one. */
  readonly remoteAddress: string
}

export function viewRequest(incoming: IncomingMessage, channel: Channel = 'loopback'): RequestView {
  const socket = incoming.socket
  return {
    channel,
    url: incoming.url ?? '',
    method: incoming.method ?? '',
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    httpVersion: incoming.httpVersion,
    localAddress: socket.localAddress ?? '',
    remoteAddress: socket.remoteAddress ?? '',
  }
}

const mapped = '::ffff:'

/** The address as people know it: an IPv4 address without the frame that a dual-stack socket puts around it. */
export function plainAddress(address: string): string {
  return address.startsWith(mapped) ? address.slice(mapped.length) : address
}

/** `address` comes from the socket, so it has its regular form. */
export function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address)
  return plain.startsWith('127.') || plain === '::1'
}

/** Loopback's rights need both: the listener of loopback, and addresses that are. */
export function audienceOf({ channel, url, localAddress, remoteAddress }: RequestView): Audience {
  if (channel === 'loopback')
    return isLoopbackAddress(localAddress) && isLoopbackAddress(remoteAddress) ? 'loopback' : 'remote'
  return channel === 'tls' && url.startsWith('/peer/') ? 'peer' : 'remote'
}
