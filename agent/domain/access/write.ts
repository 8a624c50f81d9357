/**
 * Writes rules about somebody who asked, for people to take over with one click. What is written is read again as meaning just
 * that one. Pure.
 */
import { parseAddress } from './address.ts'
import { agentId } from './machine.ts'
import { fold } from './pattern.ts'
import type { Action, Subject } from './rule.ts'

/** Of a line in a setting. */
const longestRule = 255

/**
 * A rule about the agent by its id, which can't be made up; the name is a comment for people.
 * @returns undefined where the id is none
 */
export function writeAgentRule(action: Action, agent: string, name: string): string | undefined {
  if (!agentId.test(agent)) return undefined
  const comment = name.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').trim()
  return comment === '' ? `${action}=agent:${agent}` : `${action}=agent:${agent} # ${comment}`
}

/** @returns undefined where the address can't be read */
export function writeAddressRule(action: Action, address: string): string | undefined {
  const bare = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  return parseAddress(bare) === undefined ? undefined : `${action}=${bare}`
}

/**
 * A rule about a user: by the e-mail address where there is one, else by the account at the machine.
 * @returns undefined where the user is not known, or has a name that no rule can hold
 */
export function writeUserRule(action: Action, { account, email, host }: Subject): string | undefined {
  const at = email?.lastIndexOf('@') ?? -1
  const mail = at > 0 && email !== undefined ? { user: email.slice(0, at), place: email.slice(at + 1) } : undefined
  const user = mail?.user ?? account
  if (user === undefined || user === '' || fold(user) === 'all' || /["*\p{Cc}\p{Zl}\p{Zp}]/u.test(user))
    return undefined
  const place = mail?.place ?? (host === undefined || host === '' ? 'all' : host)
  if (!/^[\p{L}\p{M}\p{N}_.-]+$/u.test(place)) return undefined
  const rule = `${action}=${quoteUser(user)}@${place}`
  return rule.length > longestRule ? undefined : rule
}

/** Quoted where a mark in it would mean something. */
function quoteUser(user: string): string {
  return /[\s=,:@#]/u.test(user) ? `"${user}"` : user
}
