/**
 * Count keys: what a seat is counted for, by the rule of its license (R18). Pure.
 */
import { hash } from 'node:crypto'
import type { ProductName } from './product-name.ts'

export const countRules = ['session', 'process', 'host', 'user'] as const
export type CountRule = (typeof countRules)[number]

/** What is known about who asks, as far as counting needs it. */
export interface CountFacts {
  /** Id of the agent that the application runs at; the host of rule `host`. */
  readonly agent: string
  /** Only where the agent itself saw the process (R29). */
  readonly process?: { readonly boot: string; readonly id: number; readonly startedAt: string } | undefined
  readonly account?: string | undefined
  readonly email?: string | undefined
}

export interface CountKey {
  readonly rule: CountRule
  readonly parts: readonly string[]
}

/**
 * The parts a session is counted by, or undefined when each session counts for itself: rule `session`, or a part is missing.
 * A bare account on two machines is two people, so it is joined with the agent; an account with a domain is one.
 */
export function countKey(rule: CountRule, facts: CountFacts): CountKey | undefined {
  switch (rule) {
    case 'session':
      return undefined
    case 'host':
      return { rule, parts: [facts.agent] }
    case 'process': {
      const process = facts.process
      return process && { rule, parts: [facts.agent, process.boot, String(process.id), process.startedAt] }
    }
    case 'user': {
      const email = fold(facts.email)
      if (email !== '') return { rule, parts: ['email', email] }
      const account = bare(fold(facts.account))
      if (account === '') return undefined
      return hasDomain(account)
        ? { rule, parts: ['account', account] }
        : { rule, parts: ['account', account, facts.agent] }
    }
  }
}

/** The same for every way of writing the same name: case, composed letters, the two small sigmas, blanks around it. */
function fold(text: string | undefined): string {
  if (text === undefined) return ''
  return text.trim().normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

/** Windows writes `.\ana` for the account of this very machine: a dot is no domain. */
function bare(account: string): string {
  return account.startsWith('.\\') ? account.slice(2) : account
}

function hasDomain(account: string): boolean {
  return /^[^\\@]+[\\@][^\\@]+$/.test(account)
}

/** The key as kept in records: a hash over the typed tuple with the length of every part, so that no two tuples are alike. */
export function hashCountKey(license: string, product: ProductName, key: CountKey): string {
  const parts = [product, license, key.rule, ...key.parts]
  return hash('sha256', parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''), 'base64url').slice(0, 27)
}
