/**
 * What the pages need of the network: agents that are known, searching and testing, leases, who may come in, what this agent
 * gives out, and where it can be reached. In the shapes of the interface where it has them.
 * Types, and the words of one of them; must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { ConnectionReport, Manager, SearchState } from '../api/manager-shapes.ts'
import type { Serving, ServingChange } from '../api/serving.ts'

export interface KnownAgent extends Manager {
  /** It runs twice with one key, or stands behind what it has signed (R24). */
  readonly trouble?: 'forked' | 'rolled_back' | undefined
}

export interface ManagersPart {
  /** Those first that offer something. */
  list(): readonly KnownAgent[]
  /** Refused: unknown_peer, store_unavailable. */
  judge(id: string, approval: 'approved' | 'denied'): Promise<{ readonly kind: 'judged' } | Refusal>
  forget(id: string): Promise<{ readonly kind: 'forgotten' } | Refusal>
  /** Refused: invalid_request when it is no search parameter. */
  test(address: string): Promise<({ readonly kind: 'tested' } & ConnectionReport) | Refusal>
  /** This agent is a copy of an earlier state and gives out nothing new until it is confirmed (R24). */
  isRestored(): boolean
  confirmRestored(): Promise<void>
}

export interface SearchPart {
  /** Access to remote licenses is switched off: nothing is searched. */
  isOff(): boolean
  last(): SearchState | undefined
  /** Starts one, unless one runs; undefined where this agent can't search. */
  start(): SearchState | undefined
}

/** Seats that this agent has from a manager. */
export interface HeldLease {
  readonly id: string
  readonly product: string
  readonly manager: { readonly id: string; readonly name: string }
  /** The manager answers at the moment. */
  readonly reachable: boolean
  /** Until when it works with no manager. */
  readonly aloneUntil: string
}

export interface LeasesPart {
  /** Those that something lives on. */
  inUse(): readonly HeldLease[]
  /** The lease that a session lives on; undefined: a license of this machine. */
  behind(session: string): HeldLease | undefined
}

export interface ServingPart {
  view(): Omit<Serving, 'access'>
  /** Refused: read_only_setting, store_unavailable. */
  change(order: ServingChange): Promise<{ readonly kind: 'changed' } | Refusal>
}

export interface LogLine {
  readonly at: string
  readonly level: string
  readonly event: string
  /** What it says besides, as JSON; empty when nothing. */
  readonly facts: string
}

/** Who comes in at a place. */
export const audiences = ['machine', 'agents', 'people', 'proxy'] as const
export type Audience = (typeof audiences)[number]

/** A place that this agent listens on. */
export interface Listening {
  readonly address: string
  readonly audiences: readonly Audience[]
}

export interface ServicePart {
  view(): {
    readonly startedAt: string
    readonly process: number
    /** It was started by the system and comes back after a reboot; undefined: not known. */
    readonly installed?: boolean | undefined
    readonly listening: readonly Listening[]
    /** What is used besides TCP, such as `mDNS 5353/udp`. */
    readonly others: readonly string[]
  }
  /** The last lines of the log, the newest first. */
  log(limit: number): readonly LogLine[]
}

export type RuleList = 'machines' | 'users'

/** Who asked for seats lately. */
export interface RecentClient {
  readonly id: string
  /** This agent for applications of this machine. */
  readonly agent: { readonly id: string; readonly name: string }
  readonly address?: string | undefined
  readonly user: { readonly account?: string | undefined; readonly email?: string | undefined }
  readonly host?: string | undefined
  readonly product: string
  /** `granted`, else the code of the refusal. */
  readonly outcome: string
  readonly at: string
  /** Rules about just this one. */
  readonly rules: readonly {
    readonly setting: 'serving.rules' | 'users.rules'
    readonly about: 'machine' | 'address' | 'user'
    readonly action: 'allow' | 'deny'
    readonly text: string
  }[]
}

/** Rules that are tried out, not saved, on somebody or on what was asked before. */
export interface RuleWish {
  readonly rules: { readonly [List in RuleList]?: string[] }
  readonly subject?: {
    readonly user?: { readonly account?: string; readonly email?: string }
    readonly host?: string
    readonly address?: string
    readonly product?: string
    readonly license?: string
  }
  readonly dryRun: boolean
}

interface Decided {
  /** The rule that decides, as it is written; absent where none fits. */
  readonly rule?: string | undefined
  readonly line?: number | undefined
}

export interface Verdict extends Decided {
  readonly list: RuleList
  readonly outcome: 'allowed' | 'denied'
  readonly detail?: string | undefined
}

export interface DryRunCase extends Decided {
  readonly product: string
  readonly user: { readonly account?: string | undefined; readonly email?: string | undefined }
  readonly host?: string | undefined
  readonly address?: string | undefined
  readonly times: number
  readonly lastAt: string
}

export interface DryRunSide {
  readonly count: number
  readonly examples: readonly DryRunCase[]
}

export interface DryRun {
  readonly from: string
  /** Requests that were looked at. */
  readonly requests: number
  /** They got a seat, and would have been refused. */
  readonly refused: DryRunSide
  /** A rule refused them, and none would have. */
  readonly allowed: DryRunSide
}

export interface RuleAnswer {
  readonly outcome?: 'allowed' | 'denied' | undefined
  /** In the order that they are asked, up to the first denial. */
  readonly verdicts?: readonly Verdict[] | undefined
  readonly dryRun?: DryRun | undefined
}

export interface AccessPart {
  /** The newest first. */
  recent(): readonly RecentClient[]
  /** Refused: invalid_request with `fields` (`rules.machines`, `rules.users`) for rules that can't be read. */
  check(wish: RuleWish): Promise<{ readonly kind: 'checked'; readonly answer: RuleAnswer } | Refusal>
}

/** What can be reached from other machines. */
export interface Reach {
  readonly who: 'approved' | 'rules' | 'people' | 'proxy'
  /** Addresses with their ports. */
  readonly places: readonly string[]
}

export interface ProxyTest {
  /** `straight`: past the proxy. */
  readonly way: 'straight' | 'proxy'
  readonly good: boolean
  readonly steps: readonly { readonly step: string; readonly outcome: 'good' | 'failed'; readonly detail: string }[]
}

export interface NetworkPart {
  /** Empty: nothing but this machine. */
  reach(): readonly Reach[]
  adapters(): readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** Undefined while none was needed yet. */
  certificate():
    | { readonly fingerprint: string; readonly source: 'own' | 'administrator'; readonly endsAt: string }
    | undefined
  /** Without an address only as far as the login of the proxy. Refused: proxy_not_configured, invalid_request. */
  testProxy(address?: string): Promise<{ readonly kind: 'tested'; readonly test: ProxyTest } | Refusal>
}
