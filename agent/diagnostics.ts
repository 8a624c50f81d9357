/**
 * What the agent knows of itself, for people who look for the cause of a trouble: as sections of facts, and as a text to send on.
 * No secrets, no names of people. Owns nothing.
 */
export interface DiagnosticFact {
  readonly name: string
  readonly value: string
}

export interface DiagnosticSection {
  readonly name: 'agent' | 'clock' | 'store' | 'paths' | 'network' | 'counters' | 'health'
  readonly facts: readonly DiagnosticFact[]
}

export interface DiagnosticSources {
  readonly agent: { readonly id: string; readonly name: string; readonly version: string; readonly startedAt: string }
  readonly system: { readonly node: string; readonly platform: string; readonly pid: number; readonly zone: string }
  /** Times in ms: what the wall says, the date that dates go by (R11), the boot clock, and elapsed time since the start. */
  readonly clock: {
    readonly wall: number
    readonly floor: number
    readonly boot: { readonly id: string; readonly at: number }
    readonly running: number
  }
  readonly store: {
    readonly state: string
    readonly revision: number
    readonly starts: number
    readonly entries: number
  }
  readonly paths: Readonly<Record<string, string>>
  readonly port: number
  readonly counters: Readonly<Record<string, number>>
  readonly problems: readonly { readonly code: string; readonly severity: string; readonly title: string }[]
}

export function listDiagnostics(sources: DiagnosticSources): readonly DiagnosticSection[] {
  const { agent, system, clock, store, paths, port, counters, problems } = sources
  return [
    section('agent', {
      version: agent.version,
      id: agent.id,
      name: agent.name,
      started: agent.startedAt,
      process: String(system.pid),
      node: system.node,
      platform: system.platform,
    }),
    section('clock', {
      wall: iso(clock.wall),
      floor: iso(clock.floor),
      skew: seconds(clock.wall - clock.floor),
      boot: clock.boot.id,
      sinceBoot: seconds(clock.boot.at),
      running: seconds(clock.running),
      zone: system.zone,
    }),
    section('store', {
      state: store.state,
      revision: String(store.revision),
      starts: String(store.starts),
      entries: String(store.entries),
    }),
    section('paths', paths),
    section('network', { port: String(port), addresses: 'loopback' }),
    section('counters', Object.fromEntries(Object.entries(counters).map(([name, value]) => [name, String(value)]))),
    {
      name: 'health',
      facts: problems.map(({ code, severity, title }) => ({ name: code, value: `${severity}: ${title}` })),
    },
  ]
}

/** As a text to copy and send on. */
export function writeDiagnostics(sections: readonly DiagnosticSection[]): string {
  const lines = ['Leasehold diagnostics', '']
  for (const { name, facts } of sections) {
    lines.push(`[${name}]`)
    for (const fact of facts) lines.push(`${fact.name}: ${fact.value}`)
    if (facts.length === 0) lines.push('nothing')
    lines.push('')
  }
  return lines.join('\n')
}

function section(name: DiagnosticSection['name'], facts: Readonly<Record<string, string>>): DiagnosticSection {
  return { name, facts: Object.entries(facts).map(([fact, value]) => ({ name: fact, value })) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
