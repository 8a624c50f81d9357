/**
 * Where a request comes from, when a browser sends it: keeps pages of others from changing anything here.
 * Pure; must not import anything of ours but the error table, the host parser and the request view.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { type Refusal, refuse } from '../errors.ts'
import { parseHost } from './host.ts'
import type { RequestView } from './request-view.ts'

/** Sec-Fetch-Mode alone does not count: Node's `fetch` sends it. */
export function isBrowser(headers: IncomingHttpHeaders): boolean {
  return (
    headers['sec-fetch-site'] !== undefined ||
    headers['sec-fetch-dest'] !== undefined ||
    headers.origin !== undefined ||
    headers.referer !== undefined ||
    headers.cookie !== undefined
  )
}

/** GET and HEAD change nothing. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Pages that come over TLS, and those behind a reverse proxy, have an https address. */
function isOwnOrigin(origin: string, { channel, headers: { host = '' } }: RequestView): boolean {
  const scheme = channel === 'loopback' ? 'http://' : 'https://'
  if (!origin.startsWith(scheme)) return false
  const theirs = parseHost(origin.slice(scheme.length))
  const ours = parseHost(host)
  return theirs !== undefined && ours !== undefined && theirs.name === ours.name && theirs.port === ours.port
}

/**
 * For requests that change something: `Sec-Fetch-Site: same-origin`, or where it is absent `Origin` equal to our own, or no
 * browser at all. `same-site` is not enough, since another port of localhost is the same site.
 */
export function checkOrigin(view: RequestView): Refusal | undefined {
  const { headers } = view
  if (!isBrowser(headers)) return undefined
  const site = headers['sec-fetch-site']
  if (site !== undefined) {
    if (site === 'same-origin') return undefined
  } else if (headers.origin !== undefined && isOwnOrigin(headers.origin, view)) return undefined
  return refuse('cross_origin', 'The request does not come from a page of this agent.')
}

/** For streams, which a page of another site could open to use up connections; opening one by its address is fine. */
export function checkStreamOrigin(view: RequestView): Refusal | undefined {
  const { headers } = view
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return undefined
  if (site === undefined && (headers.origin === undefined || isOwnOrigin(headers.origin, view))) return undefined
  return refuse('cross_origin', 'Events are not for pages of others.')
}

/** For what only programs do, such as opening a session: a web page must not eat seats, not even one of our own. */
export function checkProgram(view: RequestView): Refusal | undefined {
  return isBrowser(view.headers)
    ? refuse('cross_origin', 'Sessions are opened and kept by programs, not by web pages.')
    : undefined
}
