/**
 * What is wrong at the moment: every problem that can be is declared here once, with its words and what to do about it.
 * Owns which of them stand. Others set and clear; pages and API list. Imports the clock's types only.
 */
import type { Cancel, Clock } from './clock.ts'

export type Severity = 'error' | 'warning' | 'notice'

/** The button that fixes it. `href` is a page of ours. */
export interface ProblemAction {
  readonly label: string
  readonly href: string
}

interface Declaration<Args> {
  readonly severity: Severity
  /** A sentence without a full stop. */
  readonly title: string
  readonly text: (args: Args) => string
  readonly action?: ProblemAction
  /** Shown only when it has stood for this long, so that what passes by itself alarms nobody. */
  readonly visibleAfterMs?: number
}

function declare<Args extends object>(declaration: Declaration<Args>): Declaration<Args> {
  return declaration
}

type Named = { readonly license: string; readonly name: string }

const toLicenses: ProblemAction = { label: 'Show licenses', href: '/licenses' }

export const problems = {
  store_unavailable: declare<{ reason: string }>({
    severity: 'error',
    title: 'The store can not be written',
    text: ({ reason }) => `No new seats are given out until it can: ${reason}. The agent goes on by itself then.`,
    visibleAfterMs: 1000,
  }),
  store_damaged: declare<{ what: string }>({
    severity: 'error',
    title: 'The store is damaged',
    text: ({ what }) => `${what}. Restore the data folder from a backup.`,
  }),
  disk_full: declare<{ folder: string }>({
    severity: 'error',
    title: 'The disk is full',
    text: ({ folder }) => `No new seats are given out until there is room again in ${folder}.`,
  }),
  clock_back: declare<{ by: number }>({
    severity: 'warning',
    title: 'The clock of this machine is behind',
    text: ({ by }) =>
      `It is ${formatDuration(by)} behind the latest date that was seen here. Set it right: dates go by the later one.`,
  }),
  clock_forward_pending: declare<{ by: number; wait: number }>({
    severity: 'warning',
    title: 'The clock of this machine jumped ahead',
    text: ({ by, wait }) =>
      `It is ${formatDuration(by)} ahead of the time that passed here. Unless it goes back it is believed after ${formatDuration(wait)} more of running; until then nothing ends or begins by it.`,
    visibleAfterMs: 2 * 60_000,
  }),
  no_password: declare<object>({
    severity: 'warning',
    title: 'There is no administrator password',
    text: () => 'Anyone at this computer can change settings and licenses.',
    action: { label: 'Set a password', href: '/configuration/basic#password' },
  }),
  loose_permissions: declare<{ files: readonly string[] }>({
    severity: 'error',
    title: 'Others can read or change the files of the agent',
    text: ({ files }) =>
      `Other users of this machine have access to ${files.join(', ')}. Take it away with chmod go= and start the agent anew.`,
  }),
  license_expiring: declare<Named & { days: number }>({
    severity: 'warning',
    title: 'A license ends soon',
    text: ({ name, days }) => `${name} ends ${days < 1 ? 'today' : days === 1 ? 'in 1 day' : `in ${days} days`}.`,
    action: toLicenses,
  }),
  license_expired: declare<Named>({
    severity: 'error',
    title: 'A license has expired',
    text: ({ name }) => `${name} gives out no more seats. Ask the vendor for a renewal, or remove it.`,
    action: toLicenses,
  }),
  license_not_activated: declare<Named>({
    severity: 'warning',
    title: 'A license is not activated',
    text: ({ name }) => `${name} gives out seats once it is activated.`,
    action: { label: 'Activate', href: '/licenses' },
  }),
  license_blocked: declare<Named & { reason: string }>({
    severity: 'error',
    title: 'A license is blocked because the hardware differs',
    text: ({ name, reason }) => `${name} gives out no new seats: ${reason}. Activate it anew.`,
    action: { label: 'Activate', href: '/licenses' },
  }),
  detachment_ends: declare<{ product: string; within: string; until: number; soft: boolean }>({
    severity: 'warning',
    title: 'A detached seat ends soon',
    text: ({ product, within, until, soft }) =>
      `The seat of ${product} ends within ${within}, at ${new Date(until).toISOString().slice(0, 16).replace('T', ' ')} UTC. ${
        soft ? 'It is renewed as soon as its manager can be reached.' : 'Extend it, or give it back when you are done.'
      }`,
    action: { label: 'Detached', href: '/detached' },
  }),
  detachments_differ: declare<{ count: number }>({
    severity: 'error',
    title: 'Detached seats are counted wrongly',
    text: ({ count }) =>
      `${count} ${count === 1 ? 'detachment differs' : 'detachments differ'} from what is counted. The access log says which; please report it.`,
    action: { label: 'Show the access log', href: '/journal' },
  }),
  remote_reach: declare<{ addresses: readonly string[] }>({
    severity: 'notice',
    title: 'This agent can be reached from other machines',
    text: ({ addresses }) => `It answers at ${addresses.join(', ')}.`,
    action: { label: 'Access from Remote Clients', href: '/configuration/remote-clients' },
  }),
  license_served_twice: declare<{ license: string; agents: readonly string[] }>({
    severity: 'warning',
    title: 'Two agents serve the same license',
    text: ({ license, agents }) =>
      `${agents.join(' and ')} give out seats of license ${license}. Only one may: deactivate it on the other, or ask the vendor.`,
    action: { label: 'Show managers', href: '/managers' },
  }),
  broadcast_off: declare<{ reason: string }>({
    severity: 'notice',
    title: 'The local network can not be searched by broadcast',
    text: ({ reason }) => `${reason}. Agents are found by search parameters and known addresses only.`,
    action: { label: 'Specify search parameters', href: '/configuration/remote-managers' },
    visibleAfterMs: 60_000,
  }),
  not_listening: declare<{ addresses: readonly string[] }>({
    severity: 'error',
    title: 'Another program has the port on an address of this machine',
    text: ({ addresses }) => `Other machines can not reach this agent at ${addresses.join(', ')}.`,
    action: { label: 'Network', href: '/configuration/network' },
    visibleAfterMs: 30_000,
  }),
  certificate_unusable: declare<{ reason: string }>({
    severity: 'error',
    title: 'The certificate can not be used',
    text: ({ reason }) => `${reason}. Other machines get the one before it, or one that the agent made itself.`,
    action: { label: 'Network', href: '/configuration/network' },
  }),
  peer_key_changed: declare<{ name: string; known: string; now: string }>({
    severity: 'warning',
    title: 'A machine came with another key',
    text: ({ name, known, now }) =>
      `${name} is known with the key ${known}, and one of that name came with ${now}. It is refused until the old one is forgotten.`,
    action: { label: 'Managers', href: '/managers' },
  }),
  peer_rolled_back: declare<{ name: string }>({
    severity: 'warning',
    title: 'A manager was set back to an earlier state',
    text: ({ name }) => `${name} stands behind what it has signed before: it was restored from a copy, or runs twice.`,
    action: { label: 'Managers', href: '/managers' },
  }),
  peer_forked: declare<{ name: string }>({
    severity: 'error',
    title: 'Two copies of one machine ask for seats',
    text: ({ name }) => `${name} runs twice with the same key. Neither is renewed until one of them is approved.`,
    action: { label: 'Managers', href: '/managers' },
  }),
  restored: declare<object>({
    severity: 'error',
    title: 'This agent was set back to an earlier state',
    text: () =>
      'Other agents have shown what it signed later. It gives out nothing new until an administrator confirms that this copy goes on.',
    action: { label: 'Managers', href: '/managers' },
  }),
} as const

export type ProblemCode = keyof typeof problems
export type ProblemArgs<Code extends ProblemCode> = Parameters<(typeof problems)[Code]['text']>[0]

/** A problem that stands, as pages and API show it. */
export interface Problem {
  readonly code: ProblemCode
  /** Tells problems of the same code apart: the license's id and so on. */
  readonly subject: string
  readonly severity: Severity
  readonly title: string
  readonly text: string
  readonly action?: ProblemAction
  /** Wall time in ms at which it was first set. */
  readonly since: number
}

interface Standing {
  readonly code: ProblemCode
  readonly subject: string
  args: object
  readonly since: number
  readonly elapsed: number
}

const rank: Record<Severity, number> = { error: 0, warning: 1, notice: 2 }

export class Health {
  readonly #clock: Clock
  readonly #standing = new Map<string, Standing>()
  readonly #listeners = new Set<(code: ProblemCode) => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sets a problem or renews its words. Setting it again with the same words tells nobody. */
  set<Code extends ProblemCode>(code: Code, args: ProblemArgs<Code>, subject = ''): void {
    const key = `${code}\n${subject}`
    const known = this.#standing.get(key)
    if (known) {
      if (JSON.stringify(known.args) === JSON.stringify(args)) return
      known.args = args
    } else {
      this.#standing.set(key, { code, subject, args, since: this.#clock.wall(), elapsed: this.#clock.atMost() })
    }
    this.#tell(code)
  }

  clear(code: ProblemCode, subject = ''): void {
    if (this.#standing.delete(`${code}\n${subject}`)) this.#tell(code)
  }

  /** Clears every problem of `code` whose subject is not in `subjects`. */
  keepOnly(code: ProblemCode, subjects: readonly string[]): void {
    for (const standing of [...this.#standing.values()])
      if (standing.code === code && !subjects.includes(standing.subject)) this.clear(code, standing.subject)
  }

  /** What stands and has stood for long enough, worst first, then oldest first. */
  list(): readonly Problem[] {
    const now = this.#clock.atMost()
    return [...this.#standing.values()]
      .filter((standing) => now - standing.elapsed >= (declarationOf(standing.code).visibleAfterMs ?? 0))
      .map(describe)
      .sort((a, b) => rank[a.severity] - rank[b.severity] || a.since - b.since)
  }

  worst(): Severity | 'good' {
    return this.list()[0]?.severity ?? 'good'
  }

  /** Calls `listener` when a problem was set, changed or cleared. Listeners must not throw. */
  onChange(listener: (code: ProblemCode) => void): Cancel {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #tell(code: ProblemCode): void {
    for (const listener of this.#listeners) listener(code)
  }
}

function declarationOf(code: ProblemCode): Declaration<object> {
  // each code is stored with the arguments of its own declaration: `set` sees to that
  return problems[code] as Declaration<object>
}

function describe({ code, subject, args, since }: Standing): Problem {
  const { severity, title, text, action } = declarationOf(code)
  const problem = { code, subject, severity, title, text: text(args), since }
  return action === undefined ? problem : { ...problem, action }
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

/** At most two units, rounded: "3 hours 20 minutes". */
export function formatDuration(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size)
  if (first === -1) return '0 seconds'
  const parts: string[] = []
  const [, smallest] = units[Math.min(first + 1, units.length - 1)] ?? units[3]
  let rest = Math.round(ms / smallest) * smallest
  for (const [name, size] of units.slice(Math.max(0, first - 1))) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`)
    rest -= count * size
  }
  return parts.slice(0, 2).join(' ')
}
