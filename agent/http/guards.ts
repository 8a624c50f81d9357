/**
 * What a request must fulfil before anything looks at its content: the checks that hold for every request, and the one guard
 * that each route declares. Pure decisions on the request view; must not import owners.
 */
import { type Refusal, refuse } from '../errors.ts'
import { checkHost, checkOwnHost } from './host.ts'
import { checkOrigin, checkProgram, checkStreamOrigin, isSafe } from './origin.ts'
import { audienceOf, type RequestView } from './request-view.ts'

/**
 * - `open`: anyone of this machine
 * - `entry`: anyone, also from elsewhere: signing in
 * - `application`: programs only, never a web page; the session's key is the right to do it
 * - `read`: shows something; asks for a sign-in under protection "all"
 * - `stream`: as `read`, and not for pages of others
 * - `administrator`: changes something; asks for a sign-in once a password is set, unless the protection is "none"
 * - `site`: programs only; the token of a web site, which the call checks, or the command line of the service's user
 * - `peer`: agents only, by a signed request over TLS
 * - `greeting`: agents only, over TLS, before they know each other
 *
 * From elsewhere all but `entry`, `site`, `peer` and `greeting` ask for a sign-in, whatever the protection is.
 */
export const guards = [
  'open',
  'entry',
  'application',
  'read',
  'stream',
  'administrator',
  'site',
  'peer',
  'greeting',
] as const
export type Guard = (typeof guards)[number]

/** Whom the request proves to be: nobody in particular, a signed-in person, or the command line of the service's user. */
export type Authority = 'nobody' | 'signed-in' | 'cli'

export interface Access {
  /** A token that is not known is a refusal, not nobody: whoever sends one expects it to count. */
  identify(view: Pick<RequestView, 'headers' | 'channel'>): Authority | Refusal
  /** Whether reading or changing asks for a sign-in now. */
  asks(purpose: 'read' | 'change'): boolean
}

/** Node hands headers over in lower case. */
function cameThroughProxy(view: RequestView): boolean {
  for (const name in view.headers)
    if (
      name === 'via' ||
      name === 'forwarded' ||
      name === 'x-real-ip' ||
      (name.charCodeAt(0) === 120 && name.startsWith('x-forwarded'))
    )
      return true
  return false
}

/** What holds for requests from elsewhere, as it is at the moment. */
export interface Outside {
  /** Remote administration is on, and there is a password to sign in with. */
  readonly remote: boolean
  /** Own names of this machine, in lower case. */
  readonly names: ReadonlySet<string>
}

const nothingOutside: Outside = { remote: false, names: new Set() }

/** Holds for every request, whatever it asks for. */
export function checkConnection(view: RequestView, outside: Outside = nothingOutside): Refusal | undefined {
  const audience = audienceOf(view)
  if (audience === 'loopback') {
    if (view.httpVersion !== '1.1') return refuse('proxy_refused', 'Requests are HTTP/1.1 here.')
    if (cameThroughProxy(view)) return refuse('proxy_refused', 'The request has a header that proxies set.')
    return checkHost(view)
  }
  // only what the listeners for it hand over; plain HTTP from elsewhere never comes this far
  if (view.channel === 'loopback')
    return refuse('remote_access_off', 'This agent answers to programs and people of its own machine only.')
  const host = checkOwnHost(view, outside.names)
  if (host !== undefined || audience === 'peer') return host
  if (outside.remote) return undefined
  return refuse('remote_access_off', 'Remote administration is switched off.')
}

/** Who may pass, by the guard that the route declares. */
export function checkGuard(guard: Guard, view: RequestView, access: Access): Authority | Refusal {
  if (guard === 'peer' || guard === 'greeting')
    return refuse('tls_needed', 'This is for agents, which connect with TLS.')
  if (guard === 'site') return checkSite(view, access)
  if (view.channel !== 'loopback') return checkRemote(guard, view, access)
  if (guard === 'application') return checkProgram(view) ?? 'nobody'
  const foreign = checkSource(guard, view)
  if (foreign !== undefined) return foreign
  const authority = access.identify(view)
  if (authority !== 'nobody' || guard === 'open' || guard === 'entry') return authority
  if (access.asks(guard === 'administrator' ? 'change' : 'read'))
    return refuse('sign_in_needed', 'This asks for the administrator.')
  return authority
}

/** A token that is none of the command line may be that of the site; only the call knows which site is meant. */
function checkSite(view: RequestView, access: Access): Authority | Refusal {
  const foreign = checkProgram(view)
  if (foreign !== undefined) return foreign
  const authority = access.identify(view)
  return authority === 'cli' ? authority : 'nobody'
}

function checkSource(guard: Guard, view: RequestView): Refusal | undefined {
  if (guard === 'stream') return checkStreamOrigin(view)
  return isSafe(view.method) ? undefined : checkOrigin(view)
}

/** From elsewhere nobody is trusted for where they are: all but signing in asks for a sign-in. */
export function checkRemote(guard: Guard | 'page', view: RequestView, access: Access): Authority | Refusal {
  if (guard === 'application')
    return (
      checkProgram(view) ?? refuse('sign_in_needed', 'Programs of other machines ask the agent of their own machine.')
    )
  const foreign = guard === 'page' ? undefined : checkSource(guard, view)
  if (foreign !== undefined) return foreign
  const authority = access.identify(view)
  if (authority !== 'nobody' || guard === 'entry') return authority
  return refuse('sign_in_needed', 'From other machines this asks for the administrator.')
}

/** The API takes JSON only. Without a type there must be no body: browsers always name the type of a form. */
export function checkJsonType(view: RequestView): Refusal | undefined {
  const type = view.headers['content-type']
  if (type === 'application/json') return undefined
  if (type === undefined) {
    const length = view.headers['content-length']
    if (view.headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) return undefined
    return refuse('unsupported_media_type', 'The body has no Content-Type; application/json is wanted.')
  }
  if (/^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i.test(type)) return undefined
  return refuse('unsupported_media_type', 'The Content-Type is not application/json in UTF-8.')
}
