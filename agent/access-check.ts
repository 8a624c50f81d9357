/**
 * Rules tried out on demand, as the interface tells it: on somebody who might ask, and on the requests of the last days. Owns
 * nothing. Must not import who asks: broker, peers, http.
 */
import type { DryRun, DryRunCase, DryRunReport, DryRunSide } from './access-dry-run.ts'
import type { AccessJudge, AccessRules, ChangedRules, Verdict } from './access-rules.ts'
import { isLoopback, parseAddress } from './domain/access/address.ts'
import type { RuleList } from './domain/access/rule.ts'
import type { Refusal } from './errors.ts'

export interface RuleWish {
  readonly subject?:
    | {
        readonly user?: { readonly account?: string | undefined; readonly email?: string | undefined } | undefined
        readonly host?: string | undefined
        readonly address?: string | undefined
        readonly agent?: string | undefined
        readonly product?: string | undefined
        readonly feature?: string | undefined
        readonly license?: string | undefined
      }
    | undefined
  readonly rules?: ChangedRules | undefined
  readonly dryRun: boolean
  readonly days: number
}

export interface RuleVerdictView {
  list: RuleList
  outcome: 'allowed' | 'denied'
  rule?: string
  line?: number
  detail?: string
  licenses?: { kind: 'only' | 'except'; licenses: string[]; rule: string }
}

interface DryRunCaseView {
  product: string
  feature?: string
  user: { account?: string; email?: string }
  host?: string
  address?: string
  agent?: string
  times: number
  lastAt: string
  rule?: string
  line?: number
}

interface DryRunSideView {
  count: number
  examples: DryRunCaseView[]
}

export interface DryRunView {
  from: string
  until: string
  requests: number
  complete: boolean
  forgotten: number
  refused: DryRunSideView
  allowed: DryRunSideView
}

export interface RuleCheckView {
  outcome?: 'allowed' | 'denied'
  verdicts?: RuleVerdictView[]
  dryRun?: DryRunView
}

export interface RuleCheckOptions {
  readonly rules: Pick<AccessRules, 'tryOut'>
  readonly dryRun: Pick<DryRun, 'run'>
  readonly self: () => { readonly id: string; readonly name: string }
}

const day = 86_400_000

export class RuleCheck {
  readonly #options: RuleCheckOptions

  constructor(options: RuleCheckOptions) {
    this.#options = options
  }

  /** @param closed aborts when whoever asked is gone */
  async check(
    { subject, rules, dryRun, days }: RuleWish,
    closed: () => AbortSignal,
  ): Promise<{ readonly kind: 'checked'; readonly answer: RuleCheckView } | Refusal> {
    const tried = this.#options.rules.tryOut(rules ?? {})
    if (tried.kind === 'refused') return tried
    const answer: RuleCheckView = {}
    if (subject !== undefined) {
      answer.verdicts = this.#judge(tried.judge, subject)
      answer.outcome = answer.verdicts.some(({ outcome }) => outcome === 'denied') ? 'denied' : 'allowed'
    }
    if (dryRun) answer.dryRun = reportView(await this.#options.dryRun.run(tried.judge, days * day, closed()))
    return { kind: 'checked', answer }
  }

  /** In the order of a request, up to the first that denies. */
  #judge(judge: AccessJudge, subject: NonNullable<RuleWish['subject']>): RuleVerdictView[] {
    const { user: { account, email } = {}, agent, product, feature, license } = subject
    const { id, name } = this.#options.self()
    const here = parseAddress(subject.address ?? '127.0.0.1')
    const host = subject.host ?? (agent === undefined || agent === id ? name : undefined)
    const isRemote =
      (agent !== undefined && agent !== id) ||
      (here !== undefined && !isLoopback(here)) ||
      host?.toLowerCase() !== name.toLowerCase()
    const address = subject.address ?? (isRemote ? undefined : '127.0.0.1')
    const place = {
      ...(agent === undefined ? {} : { agent }),
      ...(address === undefined ? {} : { address }),
    }
    const verdicts: RuleVerdictView[] = []
    if (isRemote) {
      const verdict = judge.machine({ ...place, ...(host === undefined ? {} : { name: host }) })
      verdicts.push(verdictView('machines', verdict))
      if (verdict.kind === 'denied') return verdicts
    }
    const verdict = judge.user({
      ...place,
      ...(host === undefined ? {} : { host }),
      ...(account === undefined ? {} : { account }),
      ...(email === undefined ? {} : { email }),
      ...(product === undefined ? {} : { product }),
      ...(feature === undefined ? {} : { feature }),
      ...(license === undefined ? {} : { license }),
    })
    return [...verdicts, verdictView('users', verdict)]
  }
}

function verdictView(list: RuleList, verdict: Verdict): RuleVerdictView {
  const { kind, rule, line } = verdict
  const named = { ...(rule === undefined ? {} : { rule }), ...(line === undefined ? {} : { line }) }
  if (kind === 'denied') return { list, outcome: kind, ...named, detail: verdict.detail }
  const { licenses } = verdict
  if (licenses === undefined) return { list, outcome: kind, ...named }
  const limit = { kind: licenses.kind, licenses: [...licenses.licenses], rule: licenses.rule.text }
  return { list, outcome: kind, ...named, licenses: limit }
}

function reportView({ from, until, requests, complete, forgotten, refused, allowed }: DryRunReport): DryRunView {
  return {
    from: iso(from),
    until: iso(until),
    requests,
    complete,
    forgotten,
    refused: sideView(refused),
    allowed: sideView(allowed),
  }
}

function sideView({ count, examples }: DryRunSide): DryRunSideView {
  return { count, examples: examples.map(caseView) }
}

function caseView({ account, email, lastAt, ...rest }: DryRunCase): DryRunCaseView {
  const user = { ...(account === undefined ? {} : { account }), ...(email === undefined ? {} : { email }) }
  return { ...rest, user, lastAt: iso(lastAt) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
