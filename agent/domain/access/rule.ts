/**
 * Rules as they are understood: who is meant, for what, and whether that is allowed. Made by `parse.ts`, decided by `decide.ts`.
 * Pure; types only.
 */
import type { Network } from './address.ts'
import type { Pattern } from './pattern.ts'

/**
 * - `machines`: which agents get seats from here (`serving.rules`)
 * - `users`: who may use seats (`users.rules`)
 */
export type RuleList = 'machines' | 'users'

export type Machine =
  | { readonly kind: 'all' }
  /** This very machine, by its loopback addresses. */
  | { readonly kind: 'localhost' }
  | { readonly kind: 'network'; readonly network: Network }
  | { readonly kind: 'agent'; readonly id: string }
  | { readonly kind: 'host'; readonly name: Pattern }

export interface Person {
  readonly kind: 'person'
  /** Account or e-mail address; absent = everyone. */
  readonly user?: Pattern
  /** Where, or the domain of the e-mail address; absent = anywhere. */
  readonly place?: Machine
}

/** Who is meant. A later word such as a group is one more kind here. */
export type Who = { readonly kind: 'machine'; readonly machine: Machine } | Person

/** For what it holds; absent = for all. */
export interface Parts {
  /** `vendor/product`, or a product of any vendor. */
  readonly product?: { readonly vendor?: Pattern; readonly name: Pattern }
  readonly feature?: Pattern
  /** Id of a license; exact. */
  readonly license?: string
}

/** What the rule does. Later words such as `reserve n for` are further kinds here. */
export type Action = 'allow' | 'deny'

export interface Rule {
  readonly action: Action
  readonly who: Who
  readonly parts: Parts
  /** As it is written, without the comment. */
  readonly text: string
  /** Its line in the list, from 1. */
  readonly line: number
}

export interface RuleProblem {
  readonly line: number
  /** Of the character where it goes wrong, from 1. */
  readonly column: number
  /** What is there, such as “group:”; "the end of the line". */
  readonly found: string
  /** What may stand there, to follow "expected". */
  readonly expected: string
}

/** Who asks, as far as it is known; what is not known fits no rule that names it. */
export interface Subject {
  readonly account?: string
  readonly email?: string
  /** Name of the machine. */
  readonly host?: string
  readonly address?: string
  /** Id of the agent that asks for the user. */
  readonly agent?: string
  /** `vendor/product` */
  readonly product?: string
  readonly feature?: string
  readonly license?: string
}
