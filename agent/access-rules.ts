/**
 * Whether machines and users may have seats, by the rules that are in force (S6, S14). Owns the rules as they were read, anew
 * after every change of the configuration. Must not import who asks: broker, peers, http.
 */
import type { Configuration } from './config/configuration.ts'
import { decide, type LicenseLimit } from './domain/access/decide.ts'
import { describeProblem, mostProblems, readRules } from './domain/access/parse.ts'
import { type LicensePermit, permits } from './domain/access/permit.ts'
import type { Rule, RuleList, Subject } from './domain/access/rule.ts'
import type { Who } from './domain/grant.ts'
import { type ErrorCode, type Refusal, refuse } from './errors.ts'

export const ruleSettings = { machines: 'serving.rules', users: 'users.rules' } as const satisfies Record<
  RuleList,
  string
>

/** Another agent, as far as it is known; the address is the one it came from. */
export interface MachineSubject {
  readonly agent?: string
  /** What it calls itself. */
  readonly name?: string
  readonly address?: string
}

export type UserSubject = Subject

export type Verdict =
  | {
      readonly kind: 'allowed'
      /** The rule that allows it, as it is written; absent where no rule fits. */
      readonly rule?: string
      readonly line?: number
      /** The seat must come from one of these licenses, or from none of them. */
      readonly licenses?: LicenseLimit
    }
  | {
      readonly kind: 'denied'
      readonly code: ErrorCode
      readonly rule?: string
      readonly line?: number
      /** A sentence. */
      readonly detail: string
    }

export interface AccessRulesOptions {
  readonly configuration: Pick<Configuration, 'get' | 'onChange'>
}

/** Decides about machines and users; by the rules in force, or by others that are tried out. */
export interface AccessJudge {
  /** Whether another agent may have seats from here. Who is let in at all, and approvals, are asked before. */
  machine(subject: MachineSubject): Verdict
  /** Whether a user may have a seat, wherever the application runs. */
  user(subject: UserSubject): Verdict
}

/** Lines of the lists that are to be tried out; a list that is absent is the one in force. */
export type ChangedRules = { readonly [List in RuleList]?: readonly string[] | undefined }

/** Rules that can not be read allow nobody: they may have come from a later version, and were meant to keep somebody out. */
type Read =
  | { readonly kind: 'rules'; readonly rules: readonly Rule[] }
  | { readonly kind: 'unreadable'; readonly why: string }

export class AccessRules implements AccessJudge {
  readonly #configuration: AccessRulesOptions['configuration']
  readonly #read = new Map<RuleList, Read>()

  constructor({ configuration }: AccessRulesOptions) {
    this.#configuration = configuration
    for (const list of lists) configuration.onChange(ruleSettings[list], () => void this.#read.delete(list))
  }

  machine(subject: MachineSubject): Verdict {
    return judgeMachine(this.#inForce('machines'), subject)
  }

  user(subject: UserSubject): Verdict {
    return judge('users', this.#inForce('users'), subject)
  }

  /** Refused: `invalid_request` with `fields`, where changed lines can not be read. */
  tryOut(changed: ChangedRules): { readonly kind: 'judge'; readonly judge: AccessJudge } | Refusal {
    const fields: { field: string; message: string }[] = []
    const reads = { machines: this.#inForce('machines'), users: this.#inForce('users') }
    for (const list of lists) {
      const lines = changed[list]
      if (lines === undefined) continue
      const { rules, problems } = readRules(list, lines)
      reads[list] = { kind: 'rules', rules }
      for (const problem of problems.slice(0, mostProblems))
        fields.push({ field: `rules.${list}`, message: describeProblem(problem) })
    }
    if (fields.length > 0)
      return refuse('invalid_request', fields.map(({ field, message }) => `${field}, ${message}`).join('; '), {
        fields,
      })
    const machine = (subject: MachineSubject): Verdict => judgeMachine(reads.machines, subject)
    return { kind: 'judge', judge: { machine, user: (subject) => judge('users', reads.users, subject) } }
  }

  #inForce(list: RuleList): Read {
    const known = this.#read.get(list)
    if (known !== undefined) return known
    const setting = ruleSettings[list]
    const { rules, problems } = readRules(list, this.#configuration.get(setting))
    const [problem] = problems
    const read: Read =
      problem === undefined
        ? { kind: 'rules', rules }
        : { kind: 'unreadable', why: `${setting}, ${describeProblem(problem)}` }
    this.#read.set(list, read)
    return read
  }
}

const lists = ['machines', 'users'] as const

function judgeMachine(read: Read, { agent, name, address }: MachineSubject): Verdict {
  return judge('machines', read, {
    ...(agent === undefined ? {} : { agent }),
    ...(name === undefined ? {} : { host: name }),
    ...(address === undefined ? {} : { address }),
  })
}

function judge(list: RuleList, read: Read, subject: Subject): Verdict {
  if (read.kind === 'unreadable')
    return { kind: 'denied', code: 'denied_by_rule', detail: `Nobody may until the rules are put right: ${read.why}.` }
  return verdictOf(list, read.rules, subject)
}

function verdictOf(list: RuleList, rules: readonly Rule[], subject: Subject): Verdict {
  const { action, rule, licenses } = decide(rules, subject)
  const named = rule === undefined ? {} : { rule: rule.text, line: rule.line }
  if (action === 'allow') return { kind: 'allowed', ...named, ...(licenses === undefined ? {} : { licenses }) }
  const where = list === 'machines' ? 'Access from Remote Clients' : 'User Restrictions'
  const detail = `The rule “${rule?.text ?? ''}” (line ${rule?.line ?? 0} of ${where}) refuses this.`
  return { kind: 'denied', code: 'denied_by_rule', ...named, detail }
}

/** The refusal that a denial becomes; who holds the seats is never told with it. */
export function refuseDenied({ code, rule, detail }: Extract<Verdict, { kind: 'denied' }>): Refusal {
  const explanation = { managers: [], asked: [], ...(rule === undefined ? {} : { rule }) }
  return refuse(code, detail, { explanation })
}

/**
 * What a command for seats is given of a verdict.
 * @param licenses of all seats that there are for it; where none of them is permitted it is refused
 */
export function permitOf(
  { licenses: limit }: Extract<Verdict, { kind: 'allowed' }>,
  licenses: Iterable<string>,
): { readonly kind: 'permitted'; readonly licenses?: LicensePermit } | Refusal {
  if (limit === undefined) return { kind: 'permitted' }
  const known = [...licenses]
  if (known.length > 0 && !known.some((one) => permits(limit, one))) return refuseLicenses(limit)
  return { kind: 'permitted', licenses: { kind: limit.kind, licenses: limit.licenses } }
}

export function licensesOf(supplies: Iterable<{ readonly license: string }>): Set<string> {
  return new Set([...supplies].map(({ license }) => license))
}

/** Where all licenses that there are seats of are forbidden by a limit. */
function refuseLicenses({ rule }: LicenseLimit): Refusal {
  const detail = `The rule “${rule.text}” (line ${rule.line} of User Restrictions) refuses the licenses that there are.`
  return refuse('denied_by_rule', detail, { explanation: { managers: [], asked: [], rule: rule.text } })
}

/**
 * Who an application says it is for, as the rules see it.
 * @param machine name of the machine that the application runs at, where it names none
 */
export function subjectOf(
  who: Pick<Who, 'account' | 'email' | 'host' | 'address'>,
  wanted: { readonly product: string; readonly feature?: string | undefined },
  { machine, agent }: { readonly machine?: string; readonly agent?: string } = {},
): UserSubject {
  const { account, email, address, host = machine } = who
  return {
    product: wanted.product,
    ...(wanted.feature === undefined ? {} : { feature: wanted.feature }),
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(host === undefined ? {} : { host }),
    ...(address === undefined ? {} : { address }),
    ...(agent === undefined ? {} : { agent }),
  }
}
