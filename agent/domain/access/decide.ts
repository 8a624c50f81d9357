/**
 * Decides by rules: from the top, the first that fits; where none does, it is allowed. A rule about a license can't be decided
 * before it is known which license a seat comes from, so what is allowed may be limited to some licenses. Pure.
 */
import { type Address, parseAddress } from './address.ts'
import { isFrom, type Origin } from './machine.ts'
import { fits, fold } from './pattern.ts'
import type { LicensePermit } from './permit.ts'
import type { Machine, Parts, Person, Rule, Subject } from './rule.ts'

/** Licenses that seats may come from, with the rule that says so. */
export interface LicenseLimit extends LicensePermit {
  readonly rule: Rule
}

export interface Decision {
  readonly action: 'allow' | 'deny'
  /** The rule that fits; absent where none does. */
  readonly rule?: Rule
  readonly licenses?: LicenseLimit
}

export function decide(rules: readonly Rule[], subject: Subject): Decision {
  if (rules.length === 0) return { action: 'allow' }
  const facts = factsOf(subject)
  /** Licenses that a rule has decided, by what it says. */
  const decided = new Map<string, Rule>()
  for (const rule of rules) {
    if (!isMeant(rule, facts)) continue
    const { license } = rule.parts
    if (license === undefined || license === subject.license) return conclude(rule.action, rule, decided)
    if (subject.license === undefined && !decided.has(license)) decided.set(license, rule)
  }
  return conclude('allow', undefined, decided)
}

/** What the rules that name licenses leave of an outcome that names none. */
function conclude(action: Decision['action'], rule: Rule | undefined, decided: ReadonlyMap<string, Rule>): Decision {
  const named = rule === undefined ? {} : { rule }
  const others = [...decided].filter(([, one]) => one.action !== action)
  const first = others[0]?.[1]
  if (first === undefined) return { action, ...named }
  const licenses = others.map(([license]) => license)
  if (action === 'allow') return { action, ...named, licenses: { kind: 'except', licenses, rule: first } }
  return { action: 'allow', rule: first, licenses: { kind: 'only', licenses, rule: rule ?? first } }
}

/** A subject made ready for many rules. */
interface Facts extends Origin {
  /** Account with and without its domain, e-mail address. */
  readonly users: readonly string[]
  readonly emails: readonly { readonly local: string; readonly domain: string }[]
  readonly vendor: string
  readonly product: string | undefined
  readonly feature: string | undefined
}

function factsOf(subject: Subject): Facts {
  const { account, email, host, address, agent, product, feature } = subject
  const names = [account, email].filter((name) => name !== undefined && name !== '').map((name) => fold(name ?? ''))
  const users = new Set(names)
  if (account !== undefined) users.add(fold(account.slice(account.lastIndexOf('\\') + 1)))
  const slash = product?.indexOf('/') ?? -1
  const known: Address | undefined = address === undefined ? undefined : parseAddress(address)
  return {
    users: [...users],
    emails: names.filter((name) => name.includes('@')).map(splitEmail),
    host: host === undefined || host === '' ? undefined : fold(host).replace(/\.$/, ''),
    address: known,
    agent,
    vendor: product?.slice(0, Math.max(0, slash)) ?? '',
    product: product?.slice(slash + 1),
    feature: feature?.toLowerCase(),
  }
}

function splitEmail(email: string): Facts['emails'][number] {
  const at = email.lastIndexOf('@')
  return { local: email.slice(0, at), domain: email.slice(at + 1) }
}

function isMeant({ who, parts }: Rule, facts: Facts): boolean {
  if (!areMeant(parts, facts)) return false
  return who.kind === 'machine' ? isFrom(who.machine, facts) : isPerson(who, facts)
}

/** All but the license. */
function areMeant({ product, feature }: Parts, facts: Facts): boolean {
  if (product !== undefined) {
    if (facts.product === undefined || !fits(product.name, facts.product)) return false
    if (product.vendor !== undefined && !fits(product.vendor, facts.vendor)) return false
  }
  return feature === undefined || (facts.feature !== undefined && fits(feature, facts.feature))
}

/** `ana@ws-17` is Ana at that machine, `ana@example.com` also who has that e-mail address. */
function isPerson({ user, place }: Person, facts: Facts): boolean {
  const isUser = user === undefined || facts.users.some((name) => fits(user, name))
  if (place === undefined) return isUser
  if (isUser && isFrom(place, facts)) return true
  return place.kind === 'host' && facts.emails.some((email) => isMail(email, user, place))
}

function isMail(
  { local, domain }: Facts['emails'][number],
  user: Person['user'],
  place: Extract<Machine, { kind: 'host' }>,
): boolean {
  return fits(place.name, domain) && (user === undefined || fits(user, local))
}
