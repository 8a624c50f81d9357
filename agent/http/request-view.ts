/**
 * What the guards see of a request, and who can have sent it, by the connection that it came in on.
 * Pure; must not import anything of ours.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/**
 * Who stands at the other end: people and applications of this machine, remote people and scripts, or agents.
 * This version listens on loopback only; the other two are refused by the guards.
 */
export type Audience = 'loopback' | 'remote' | 'peer'

export interface RequestView {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
  readonly localAddress: string
  readonly remoteAddress: string
}

export function viewRequest(incoming: IncomingMessage): RequestView {
  const socket = incoming.socket
  return {
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

export function audienceOf(view: RequestView): Audience {
  return isLoopbackAddress(view.localAddress) && isLoopbackAddress(view.remoteAddress) ? 'loopback' : 'remote'
}
