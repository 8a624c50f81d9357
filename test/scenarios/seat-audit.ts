/**
 * Reads the journals of all agents of a scenario and counts, from outside, what applications had at every moment: for each
 * license, distinct live count keys plus keyless sessions are at most its seats plus recorded overlaps (invariant 3). Knows
 * nothing of the agents but what they wrote down.
 */
import { z } from 'zod'
import type { RealAgent } from './real-agent.ts'

const entrySchema = z.looseObject({
  sequence: z.number(),
  at: z.iso.datetime().transform((text) => Date.parse(text)),
  instance: z.string(),
  type: z.string(),
  facts: z.record(z.string(), z.unknown()),
  personal: z.record(z.string(), z.string()).default({}),
})
export type Entry = z.output<typeof entrySchema>

/** What the license says, as its vendor wrote it. */
export interface LicenseTerms {
  readonly id: string
  readonly seats: number
  readonly count?: 'session' | 'host' | 'user'
}

export interface Audit {
  /** Each a sentence; none: all is well. */
  readonly violations: readonly string[]
  /** The most seats that were in use at one time, by license. */
  readonly most: ReadonlyMap<string, number>
  /** Sessions that were opened. */
  readonly sessions: number
}

export async function readJournal(agent: RealAgent): Promise<Entry[]> {
  const lines = await agent.text('/journal?format=ndjson&order=oldest-first')
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => entrySchema.parse(JSON.parse(line)))
}

interface Use {
  readonly license: string
  readonly seats: number
  readonly key: string
}

interface Overlap {
  readonly seats: number
  readonly until: number
}

/** Either what applications use, or what the managers have given out: both are counted alike. */
class Ledger {
  readonly #name: string
  readonly #licenses: ReadonlyMap<string, LicenseTerms>
  readonly #live = new Map<string, Use>()
  readonly #overlaps = new Map<string, Overlap[]>()
  /** Licenses that somebody has begun to use since the last count, with the entry that says so. */
  readonly #grown = new Map<string, Entry>()
  readonly most = new Map<string, number>()
  readonly violations: string[] = []
  opened = 0

  constructor(name: string, licenses: readonly LicenseTerms[]) {
    this.#name = name
    this.#licenses = new Map(licenses.map((license) => [license.id, license]))
  }

  begin(id: string, license: string, entry: Entry): void {
    const terms = this.#licenses.get(license)
    if (terms === undefined) {
      this.#complain(entry, `${id} lives on license ${license}, which nobody issued`)
      return
    }
    if (this.#live.has(id)) this.#complain(entry, `${id} begins twice`)
    this.opened += 1
    this.#live.set(id, { license, seats: Number(entry.facts.seats), key: keyOf(id, terms, entry) })
    this.#grown.set(license, entry)
  }

  end(id: string, entry: Entry): void {
    if (!this.#live.delete(id)) this.#complain(entry, `${id} ends and was not there`)
  }

  overlap(license: string, entry: Entry): void {
    const until = Date.parse(String(entry.facts.until))
    const list = this.#overlaps.get(license) ?? []
    this.#overlaps.set(license, [...list, { seats: Number(entry.facts.seats), until }])
  }

  /** Counts what has grown, once everything of a moment is in. */
  settle(): void {
    for (const [license, entry] of this.#grown) this.#count(license, entry)
    this.#grown.clear()
  }

  #count(license: string, entry: Entry): void {
    const keys = new Map<string, number>()
    for (const use of this.#live.values())
      if (use.license === license) keys.set(use.key, Math.max(use.seats, keys.get(use.key) ?? 0))
    const used = [...keys.values()].reduce((sum, seats) => sum + seats, 0)
    this.most.set(license, Math.max(used, this.most.get(license) ?? 0))
    const overlaps = (this.#overlaps.get(license) ?? []).filter(({ until }) => until > entry.at)
    const allowed = (this.#licenses.get(license)?.seats ?? 0) + overlaps.reduce((sum, { seats }) => sum + seats, 0)
    if (used > allowed)
      this.#complain(entry, `${used} seats of license ${license} are in use, and ${allowed} there are`)
  }

  #complain(entry: Entry, what: string): void {
    const at = new Date(entry.at).toISOString()
    this.violations.push(`${this.#name}, ${at}, entry ${entry.sequence} of ${entry.instance.slice(0, 8)}: ${what}`)
  }
}

/** By the rule of the license; whoever does not say what it counts by counts alone (R18). */
function keyOf(id: string, { count = 'session' }: LicenseTerms, { instance, facts, personal }: Entry): string {
  // The agent that the application runs at.
  const agent = String(facts.agent ?? instance)
  if (count === 'host') return agent
  if (count === 'session') return id
  const { email, account } = personal
  if (email !== undefined) return email.toLowerCase()
  if (account === undefined) return id
  return account.includes('\\') || account.includes('@') ? account : `${account} at ${agent}`
}

export async function audit(agents: readonly RealAgent[], licenses: readonly LicenseTerms[]): Promise<Audit> {
  return auditJournals(await Promise.all(agents.map(readJournal)), licenses)
}

export function auditJournals(journals: readonly (readonly Entry[])[], licenses: readonly LicenseTerms[]): Audit {
  // They run on one machine, so their clocks agree. Within one millisecond, order between agents is not known.
  const entries = journals
    .flat()
    .sort((a, b) => a.at - b.at || (a.instance === b.instance ? a.sequence - b.sequence : 0))
  const used = new Ledger('in use', licenses)
  const given = new Ledger('given out', licenses)
  /** Of leases that agents hold, by agent and supply. */
  const roots = new Map<string, string>()
  const rootOf = ({ instance, facts }: Entry): string => {
    const [supply = ''] = (facts.supplies ?? []) as readonly string[]
    return roots.get(`${instance} ${supply}`) ?? supply.replace(/\/[^/]*$/, '')
  }
  const isOwn = ({ instance, facts }: Entry): boolean =>
    ((facts.supplies ?? []) as readonly string[]).every((supply) => !roots.has(`${instance} ${supply}`))
  /** Licenses of what their owners have given out, by the grant. */
  const owned = new Map<string, string>()
  for (const [index, entry] of entries.entries()) {
    const { type, instance, facts } = entry
    const id = `${instance} ${facts.session ?? facts.lease}`
    const license = rootOf(entry)
    if (type === 'lease.obtained') roots.set(`${instance} ${facts.lease}`, String(facts.license))
    if (type === 'session.opened') used.begin(id, license, entry)
    if (type === 'session.ended') used.end(id, entry)
    if ((type === 'session.opened' || type === 'lease.granted') && isOwn(entry)) {
      owned.set(id, license)
      given.begin(id, license, entry)
    }
    if ((type === 'session.ended' || type === 'lease.ended') && owned.has(id)) given.end(id, entry)
    if (type === 'seat.overlap') for (const ledger of [used, given]) ledger.overlap(owned.get(id) ?? '', entry)
    if (entries[index + 1]?.at !== entry.at) for (const ledger of [used, given]) ledger.settle()
  }
  return { violations: [...used.violations, ...given.violations], most: used.most, sessions: used.opened }
}
