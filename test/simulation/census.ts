/**
 * The checks of what is believed, over the whole network (invariant 3): what applications may believe in, counted by license,
 * against the seats that there are and the overlaps that were recorded; and each belief against the records of every agent
 * between the application and the license. Knows nothing of the agents' memory.
 */
import { isBelieved } from './application.ts'
import { type License, supplyIdOf } from './licenses.ts'
import type { Site } from './site.ts'
import { type Believer, type Hop, keyOf, type Source, sourcesOf } from './sources.ts'
import { Violation } from './violation.ts'

export interface CensusOptions {
  /** Whether a belief must also have its records; off to see what the counts alone find. */
  readonly checksBacking: boolean
}

interface Held {
  readonly key: string | undefined
  readonly feature: string | undefined
  readonly seats: number
}

/** Seats of one supply of one machine that are believed in. */
interface Unit {
  readonly hop: Hop
  readonly held: Held[]
}

/** A believer whose seats no recorded overlap explains. */
interface Counted extends Believer {
  readonly sources: readonly Source[]
}

/** In ms: how far an application's clock may be behind after the longest promise, and rounding. */
const longestLag = 1_500

export class Census {
  readonly #sites: readonly Site[]
  readonly #now: () => number
  readonly #options: CensusOptions
  readonly seen = { believers: 0, full: 0, remote: 0, cascade: 0, kept: 0, visitors: 0 }

  constructor(sites: readonly Site[], now: () => number, options: CensusOptions) {
    this.#sites = sites
    this.#now = now
    this.#options = options
  }

  check(): void {
    const believers = this.#sites.flatMap((site) => [...believersAt(site), ...site.visitors.believers()])
    this.seen.believers = Math.max(this.seen.believers, believers.length)
    const units = new Map<string, Unit>()
    const counted: Counted[] = []
    for (const believer of believers) {
      const sources = sourcesOf(believer.site, believer.id)
      if (!this.#checkRecords(believer, sources, units)) continue
      counted.push({ ...believer, sources })
      this.#checkEnd(believer, sources)
    }
    for (const unit of units.values()) this.#checkUnit(unit)
    const vendors = new Set(
      this.#sites.flatMap(({ ledger }) => [...ledger.licenses.values()].map((license) => license.vendor)),
    )
    for (const vendor of vendors) this.#countVendor(vendor, counted)
  }

  /** @returns false where a recorded overlap explains it */
  #checkRecords(believer: Believer, sources: readonly Source[], units: Map<string, Unit>): boolean {
    let counts = true
    for (const { seats, hops } of sources) {
      const [first] = hops
      if (!first) continue
      this.seen.remote = Math.max(this.seen.remote, hops.length > 1 ? 1 : 0)
      this.seen.cascade = Math.max(this.seen.cascade, hops.length - 1)
      if (first.site.ledger.lastLease.get(first.supply)?.kept) this.seen.kept += 1
      const rule = first.site.ledger.ruleOf(first.supply)
      this.#checkOwner(believer, first)
      const known = rule && believer.keyBy(rule)
      const { product, feature } = believer.wish
      const key = known === undefined ? undefined : `${product} ${known}`
      for (const hop of hops) {
        if (this.#isOverlap(believer, hop)) {
          counts = false
          break
        }
        if (this.#options.checksBacking && !hop.site.ledger.grants.has(hop.grant))
          throw new Violation(`${told(believer)}, whose seat counts as free at ${hop.site.name} (${hop.grant})`)
        const unit = units.get(`${hop.site.name} ${hop.supply}`) ?? { hop, held: [] }
        unit.held.push({ key, feature, seats })
        units.set(`${hop.site.name} ${hop.supply}`, unit)
      }
    }
    return counts
  }

  /** P2: a web site hands on its own seats and no others, and nobody else has those. */
  #checkOwner(believer: Believer, { site, supply }: Hop): void {
    const lease = site.ledger.lastLease.get(supply)
    const owner = lease?.for.startsWith('site') ? lease.for : undefined
    if (owner !== believer.kept)
      throw new Violation(`P2: ${told(believer)}, a seat that is kept for ${owner ?? 'nobody'} (${supply})`)
    if (owner !== undefined) this.seen.visitors += 1
  }

  #isOverlap(believer: Believer, { site, grant }: Hop): boolean {
    const overlap = site.ledger.overlaps.get(grant)
    if (overlap === undefined) return false
    if (this.#now() > overlap) throw new Violation(`${told(believer)} past the recorded overlap at ${site.name}`)
    return true
  }

  /** Distinct live count keys with their largest seats, and sessions without a key, of a license or a lease. */
  #checkUnit({ hop: { site, supply }, held }: Unit): void {
    const allowed = site.ledger.seatsFrom(supply) ?? site.ledger.allowed(supply)
    const seats = countSeats(held)
    if (seats > allowed)
      throw new Violation(`${seats} seats of ${supply} of ${site.name} are believed in, ${allowed} are allowed`)
    if (seats === allowed) this.seen.full += 1
    for (const [feature, limit] of Object.entries(site.ledger.licenseOf(supply)?.features ?? {})) {
      const used = countSeats(held.filter((one) => one.feature === feature))
      if (limit !== null && used > limit)
        throw new Violation(`${used} seats of ${supply} with ${feature} are believed in, it has ${limit}`)
    }
  }

  /**
   * Invariant 2: a belief that was given, or a seat that was moved, when the end of the license was known does not go past it.
   * Of seats of this machine only; a lease may have been granted before the end was known.
   */
  #checkEnd({ site, name, believedSince, id }: Believer, sources: readonly Source[]): void {
    for (const { hops } of sources) {
      const [first] = hops
      const license = first && site.ledger.licenseOf(first.supply)
      if (license?.end === undefined || this.#now() <= license.end + longestLag) continue
      const known = site.ledger.endSetAt.get(license.id)
      if (known === undefined) continue
      if (Math.max(believedSince, site.ledger.placedAt.get(id) ?? 0) > known)
        throw new Violation(`${name} may believe in ${id} after the end of ${license.id}`)
    }
  }

  /**
   * The same without asking where a seat comes from: however sessions are spread, every set of products needs its seats from
   * those of the products and those for any product, wherever they are. Only where one rule counts them all.
   */
  #countVendor(vendor: string, counted: readonly Counted[]): void {
    const licenses = this.#sites.flatMap((site) =>
      [...site.ledger.licenses.values()].filter((one) => one.vendor === vendor).map((license) => ({ site, license })),
    )
    const rules = new Set(licenses.map(({ license }) => license.rule))
    const [rule] = rules
    if (rule === undefined || rules.size > 1) return
    const mine = counted.filter(({ wish }) => wish.product.startsWith(`${vendor}/`))
    // Seats out of a license that is removed are in no sum of those that are installed.
    if (mine.some(({ sources }) => sources.some(({ hops }) => isRemoved(hops.at(-1))))) return
    const products = [...new Set(mine.map(({ wish }) => wish.product))]
    for (let set = 1; set < 1 << products.length; set++) {
      const chosen = products.filter((_, index) => (set >> index) & 1)
      const needed = countSeats(
        mine
          .filter(({ wish }) => chosen.includes(wish.product))
          .map(({ wish: { product, seats }, keyBy }) => {
            const key = keyBy(rule)
            return { key: key === undefined ? undefined : `${product} ${key}`, feature: undefined, seats }
          }),
      )
      const allowed = licenses
        .filter(({ license }) => license.product === undefined || chosen.includes(`${vendor}/${license.product}`))
        .reduce((sum, { site, license }) => sum + site.ledger.allowed(supplyIdOf(license)), 0)
      if (needed > allowed)
        throw new Violation(`${needed} seats of ${chosen.join(', ')} are believed in, ${allowed} are allowed`)
    }
  }
}

function believersAt(site: Site): Believer[] {
  return site.applications.flatMap((application) => {
    const { attempt } = application
    if (!attempt?.session || !isBelieved(attempt, application.clock())) return []
    const { wish, believedSince, session } = attempt
    return [
      {
        site,
        name: application.name,
        wish,
        believedSince,
        id: session.id,
        keyBy: (rule: License['rule']) => keyOf(site, rule, attempt),
      },
    ]
  })
}

function isRemoved(root: Hop | undefined): boolean {
  return !root?.site.ledger.licenseOf(root.supply)
}

function told({ name, id }: Believer): string {
  return `${name} may believe in ${id}`
}

function countSeats(held: readonly Held[]): number {
  const keys = new Map<string, number>()
  let sum = 0
  for (const { key, seats } of held) {
    if (key === undefined) sum += seats
    else keys.set(key, Math.max(keys.get(key) ?? 0, seats))
  }
  for (const seats of keys.values()) sum += seats
  return sum
}
