/**
 * Whom a request proves to be: the sign-in cookie, the key of the command line, and what the protection setting asks for.
 * Must not import owners but the administrator.
 */
import { refuse } from '../errors.ts'
import { type Administrator, isSameSecret } from '../people/administrator.ts'
import type { Access } from './guards.ts'
import type { Channel } from './request-view.ts'

export type Protection = 'none' | 'configuration' | 'all'

export interface AccessParts {
  readonly administrator: Pick<Administrator, 'hasPassword' | 'isSignedIn'>
  /** Names the cookie: browsers send one port's cookies to every port of localhost, so agents must not share a name. */
  readonly agentId: string
  /** Text of `<data>/cli.key`. */
  readonly cliKey: () => string | undefined
  readonly protection: () => Protection
  /** The agent has a name on other networks: then a proxy of this machine may lead strangers to its loopback. */
  readonly hasPublicName?: () => boolean
}

export class CookieAccess implements Access {
  readonly #parts: AccessParts
  readonly cookieName: string

  constructor(parts: AccessParts) {
    this.#parts = parts
    this.cookieName = `leasehold-${parts.agentId.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, 16)}`
  }

  identify({ headers, channel }: Parameters<Access['identify']>[0]): ReturnType<Access['identify']> {
    const { authorization, cookie } = headers
    if (authorization !== undefined) {
      const expected = this.#parts.cliKey()
      const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1]
      // it proves that its sender reads files of this machine, which is nothing to send from elsewhere
      if (channel !== 'loopback') return refuse('sign_in_needed', 'Tokens are not known here; sign in.')
      if (given !== undefined && expected !== undefined && expected !== '' && isSameSecret(given, expected))
        return 'cli'
      return refuse('sign_in_needed', 'The token in the Authorization header is not known here.')
    }
    const token = cookie === undefined ? undefined : this.readToken(cookie)
    return token !== undefined && this.#parts.administrator.isSignedIn(token) ? 'signed-in' : 'nobody'
  }

  asks(purpose: 'read' | 'change'): boolean {
    if (!this.#parts.administrator.hasPassword()) return false
    if (this.#parts.hasPublicName?.() === true) return true
    const protection = this.#parts.protection()
    return protection === 'all' || (protection === 'configuration' && purpose === 'change')
  }

  /** The sign-in token in a Cookie header. */
  readToken(cookies: string): string | undefined {
    for (const pair of cookies.split(';')) {
      const at = pair.indexOf('=')
      if (at < 0 || pair.slice(0, at).trim() !== this.cookieName) continue
      const value = pair.slice(at + 1).trim()
      if (/^[A-Za-z0-9_-]{43}$/.test(value)) return value
    }
    return undefined
  }

  /**
   * Value of a Set-Cookie header; without a token it takes the cookie away. No age: it goes with the browser.
   * @param channel how the request came in: what came encrypted stays encrypted
   */
  writeCookie(token: string | undefined, channel: Channel = 'loopback'): string {
    const attributes = `Path=/; HttpOnly; SameSite=Strict${channel === 'loopback' ? '' : '; Secure'}`
    return token === undefined
      ? `${this.cookieName}=; ${attributes}; Max-Age=0`
      : `${this.cookieName}=${token}; ${attributes}`
  }
}
