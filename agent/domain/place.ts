/**
 * A place in the network where an agent may answer: a host and a port, and how both are written. Pure.
 */

/** The one port of an agent, unless it was given another. */
export const usualPort = 1947

export interface Place {
  /** An IPv4 or IPv6 address (a link-local one with its zone), or a host name in lower case; without brackets. */
  readonly host: string
  readonly port: number
}

/** `10.0.0.5:1947`, `[fe80::1%eth0]:1947`: the same text for the same place. */
export function showPlace({ host, port }: Place): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** @returns undefined when the text has no four numbers from 0 to 255 */
export function addressNumber(address: string): number | undefined {
  const parts = address.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined
  return parts.reduce((number, part) => number * 256 + Number(part), 0)
}

export function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
