/**
 * The checks from outside: what applications believe and what they were answered, against the seats that there are. Knows
 * nothing of the agent's memory; where the seats of a session come from it takes from the disk.
 */
import { type Application, type Attempt, type Exchange, isBelieved, type Wish } from './application.ts'
import type { Ledger } from './ledger.ts'
import { type License, supplyIdOf } from './licenses.ts'
import { Violation } from './violation.ts'

interface Believer {
  readonly application: Application
  readonly attempt: Attempt
  readonly id: string
}

export interface AuditorOptions {
  /** The agent's id, the key of rule `host`. */
  readonly agent: string
  /** In ms. */
  readonly idleLimit: number
  /** Whether the agent can see processes, so that they are counted by rule `process`. */
  readonly seesProcesses: boolean
  /** Whether a belief must also have its record; off to see what the counts alone find. */
  readonly checksBacking: boolean
}

type Held = readonly [key: string | undefined, feature: string | undefined, seats: number]

/** In ms: how far an application's clock may be behind after the longest promise, and rounding. */
const longestLag = 1_500
/** In ms. */
const longestUnserved = 5_000

export class Auditor {
  readonly #ledger: Ledger
  readonly #now: () => number
  readonly #options: AuditorOptions
  readonly #disconnected = new Set<string>()
  #unserved = new Map<string, number>()
  readonly #closing = new Set<string>()
  /** When the session of an id began, as whoever was told that it was created was told. */
  readonly #created = new Map<string, string>()
  readonly seen = { believers: 0, granted: 0, repeated: 0, refused: 0, ended: 0, full: 0 }

  constructor(ledger: Ledger, now: () => number, options: AuditorOptions) {
    this.#ledger = ledger
    this.#now = now
    this.#options = options
  }

  /** An administrator orders the end of a session. */
  disconnecting(id: string): void {
    this.#disconnected.add(id)
  }

  /** Somebody orders that a supply takes nothing any more. */
  closing(supply: string): void {
    this.#closing.add(supply)
  }

  /** After every step. */
  check(applications: readonly Application[]): void {
    const believers: Believer[] = []
    for (const application of applications) {
      const { attempt } = application
      if (!attempt?.session || !isBelieved(attempt, application.clock())) continue
      const { id } = attempt.session
      const overlap = this.#ledger.overlaps.get(id)
      if (overlap !== undefined && this.#now() <= overlap) continue
      if (overlap !== undefined) throw new Violation(`${application.name} goes on with ${id} past its recorded overlap`)
      if (this.#options.checksBacking && !this.#ledger.grants.has(id))
        throw new Violation(`${application.name} may believe in ${id}, whose seat counts as free`)
      believers.push({ application, attempt, id })
      this.#checkEnd(application, attempt, id)
    }
    this.seen.believers = Math.max(this.seen.believers, believers.length)
    this.#countSupplies(believers)
    for (const vendor of new Set([...this.#ledger.licenses.values()].map((license) => license.vendor)))
      this.#countVendor(vendor, believers)
  }

  /**
   * Whoever is at the head of a line while its seats are free must be served. To be called after every step.
   * @param heads ids and wishes of who is first in line
   * @param isBusy the agent can't write now
   * @param running for how long the machine has been running, in ms; nobody is served in its sleep
   */
  checkLine(
    heads: readonly { readonly id: string; readonly wish: Pick<Wish, 'product' | 'feature' | 'seats'> }[],
    isBusy: boolean,
    running: number,
  ): void {
    const served = new Map<string, number>()
    for (const { id, wish } of heads) {
      if (isBusy || !this.#ledger.hasRoom(wish.product, wish.feature, wish.seats)) continue
      const since = this.#unserved.get(id) ?? running
      if (running - since > longestUnserved)
        throw new Violation(`${id} is first in line for ${wish.product}, seats are free, and it is not served`)
      served.set(id, since)
    }
    this.#unserved = served
  }

  /** An opening was answered with a seat. */
  opened(exchange: Exchange, created: boolean, session: { readonly id: string; readonly startedAt: string }): void {
    const known = exchange.attempt.session
    const before = this.#created.get(session.id)
    if (before !== undefined && before !== session.startedAt)
      throw new Violation(`R15: session ${session.id} is created twice`)
    if (created) this.#created.set(session.id, session.startedAt)
    if (created) this.seen.granted += 1
    else this.seen.repeated += 1
    if (known && (known.id !== session.id || known.startedAt !== session.startedAt))
      throw new Violation(`R14: ${exchange.attempt.idempotencyKey} was ${known.id} and is ${session.id} now`)
    if (exchange.number >= (exchange.attempt.knownEndedFrom ?? Number.POSITIVE_INFINITY))
      throw new Violation(`R2: session ${session.id} lives again after its end`)
  }

  /** A heartbeat was answered with more time. */
  kept(exchange: Exchange): void {
    const { id } = exchange.attempt.session ?? { id: '' }
    const ending = this.#ledger.endingSince.get(id)
    if (ending !== undefined && (exchange.revision ?? 0) >= ending)
      throw new Violation(`R5: ${exchange.application.name} is given more time for ${id}, which is ending`)
  }

  /** An opening was refused for want of seats. */
  refused(exchange: Exchange): void {
    this.seen.refused += 1
    if (exchange.roomAllTheTime === true)
      throw new Violation(
        `${exchange.application.name} was refused ${exchange.attempt.wish.product} while seats were free`,
      )
  }

  /** A heartbeat was answered with no. @param at the application's clock */
  lost(exchange: Exchange, code: string, reason: string | undefined): void {
    this.seen.ended += 1
    const { application, attempt } = exchange
    if (attempt.sentClose || !attempt.session || !isBelieved(attempt, application.clock())) return
    const { id } = attempt.session
    const lost = `${application.name} beat in time and lost ${id}: ${code} ${reason ?? ''}`
    if (code !== 'session_ended') throw new Violation(lost)
    const isJust =
      (reason === 'disconnected' && this.#disconnected.has(id)) ||
      (reason === 'idle' && attempt.wish.activity === 'reported' && this.#wasIdle(attempt)) ||
      ((reason === 'license_removed' || reason === 'expired') && this.#supplyClosed(id))
    if (!isJust) throw new Violation(lost)
  }

  /** Idle for as long as the limit, less what may be forgotten by a crash: one lease time (120 s at most here). */
  #wasIdle(attempt: Attempt): boolean {
    return this.#now() - attempt.activeAt >= this.#options.idleLimit - 130_000
  }

  #supplyClosed(id: string): boolean {
    const parts = this.#ledger.lastGrant.get(id)?.parts ?? []
    return parts.some(({ supply }) => {
      const end = this.#ledger.licenseOf(supply)?.end
      return this.#closing.has(supply) || (end !== undefined && end - this.#now() < 2_000)
    })
  }

  /** Invariant 2: a belief that was given, or a seat that was moved, when the end was known does not go past it. */
  #checkEnd(application: Application, attempt: Attempt, id: string): void {
    for (const { supply } of this.#ledger.lastGrant.get(id)?.parts ?? []) {
      const license = this.#ledger.licenseOf(supply)
      if (license?.end === undefined || this.#now() <= license.end + longestLag) continue
      const known = this.#ledger.endSetAt.get(license.id) ?? 0
      if (Math.max(attempt.believedSince, this.#ledger.placedAt.get(id) ?? 0) > known)
        throw new Violation(`${application.name} may believe in ${id} after the end of ${supply}`)
    }
  }

  /** Distinct live count keys with their largest seats, and sessions without a key, of each supply and of its features. */
  #countSupplies(believers: readonly Believer[]): void {
    const bySupply = new Map<string, Held[]>()
    for (const { attempt, id } of believers) {
      for (const part of this.#ledger.lastGrant.get(id)?.parts ?? []) {
        const rule = this.#ledger.licenseOf(part.supply)?.rule
        // A removed license: its rule can't be seen any more, so the record's key is what is left.
        const key = rule === undefined ? part.key : this.#keyOf(rule, attempt)
        const list = bySupply.get(part.supply) ?? []
        list.push([key === undefined ? undefined : `${attempt.wish.product} ${key}`, attempt.wish.feature, part.seats])
        bySupply.set(part.supply, list)
      }
    }
    for (const [supply, held] of bySupply) {
      const allowed = this.#ledger.allowed(supply)
      const seats = countSeats(held.map(([key, , count]) => [key, count]))
      if (seats > allowed) throw new Violation(`${seats} seats of ${supply} are believed in, ${allowed} are allowed`)
      if (seats === allowed) this.seen.full += 1
      this.#countFeatures(supply, held)
    }
  }

  #countFeatures(supply: string, held: readonly Held[]): void {
    for (const [feature, limit] of Object.entries(this.#ledger.licenseOf(supply)?.features ?? {})) {
      if (limit === null) continue
      const seats = countSeats(held.filter(([, one]) => one === feature).map(([key, , count]) => [key, count]))
      if (seats > limit)
        throw new Violation(`${seats} seats of ${supply} with ${feature} are believed in, it has ${limit}`)
    }
  }

  /**
   * The same without asking where a seat comes from: however sessions are spread, every set of products needs its seats from
   * those of the products and those for any product. Only where one rule counts them all.
   */
  #countVendor(vendor: string, believers: readonly Believer[]): void {
    const licenses = [...this.#ledger.licenses.values()].filter((license) => license.vendor === vendor)
    const rules = new Set(licenses.map((license) => license.rule))
    const [rule] = rules
    if (rule === undefined || rules.size > 1) return
    const mine = believers.filter(({ attempt }) => attempt.wish.product.startsWith(`${vendor}/`))
    // Seats out of a license that is removed are in no sum of those that are installed.
    if (
      mine.some(({ id }) => this.#ledger.lastGrant.get(id)?.parts.some((part) => !this.#ledger.licenseOf(part.supply)))
    )
      return
    const products = [...new Set(mine.map(({ attempt }) => attempt.wish.product))]
    for (let set = 1; set < 1 << products.length; set++) {
      const chosen = products.filter((_, index) => (set >> index) & 1)
      const needed = countSeats(
        mine
          .filter(({ attempt }) => chosen.includes(attempt.wish.product))
          .map(({ attempt }) => {
            const key = this.#keyOf(rule, attempt)
            return [key === undefined ? undefined : `${attempt.wish.product} ${key}`, attempt.wish.seats]
          }),
      )
      const allowed = licenses
        .filter((license) => license.product === undefined || chosen.includes(`${vendor}/${license.product}`))
        .reduce((sum, license) => sum + this.#ledger.allowed(supplyIdOf(license)), 0)
      if (needed > allowed)
        throw new Violation(`${needed} seats of ${chosen.join(', ')} are believed in, ${allowed} are allowed`)
    }
  }

  #keyOf(rule: License['rule'], { wish, process }: Attempt): string | undefined {
    if (rule === 'host') return this.#options.agent
    if (rule === 'process')
      return wish.tellsProcess && this.#options.seesProcesses ? `${process.id} ${process.startedAt}` : undefined
    if (rule === 'user') return wish.user?.email?.toLowerCase() ?? wish.user?.account?.toLowerCase()
    return undefined
  }
}

function countSeats(held: readonly (readonly [key: string | undefined, seats: number])[]): number {
  const keys = new Map<string, number>()
  let sum = 0
  for (const [key, seats] of held) {
    if (key === undefined) sum += seats
    else keys.set(key, Math.max(keys.get(key) ?? 0, seats))
  }
  for (const seats of keys.values()) sum += seats
  return sum
}
