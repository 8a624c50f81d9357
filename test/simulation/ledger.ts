/**
 * What is on the simulated disk, counted again by the simulator's own means, batch by batch: how many seats each supply may
 * have in use, which ids were granted and ended, whether the journal is one good chain. Shares no code with the book of seats.
 */
import { checkEntry, emptyHead, type JournalEntry, type JournalHead } from '../../agent/domain/journal.ts'
import type { Batch, JsonValue, StoreState } from '../../agent/store/store.ts'
import type { DiskWatcher } from './disk.ts'
import { type License, supplyIdOf } from './licenses.ts'
import { Violation } from './violation.ts'

export interface RecordedPart {
  readonly supply: string
  readonly seats: number
  readonly key?: string
}

export interface RecordedGrant {
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly parts: readonly RecordedPart[]
  readonly ending?: string
}

/** For how long an ended session's id is known, in ms (R15). */
const idKept = 24 * 3_600_000

export class Ledger implements DiskWatcher {
  readonly grants = new Map<string, RecordedGrant>()
  readonly licenses = new Map<string, License>()
  /** Where a session's seats were when it was last recorded. */
  readonly lastGrant = new Map<string, RecordedGrant>()
  /** Sessions that may go on although their seat is free, until a true time. */
  readonly overlaps = new Map<string, number>()
  /** True time at which a license's end was set to what it is. */
  readonly endSetAt = new Map<string, number>()
  /** Revision with which a session began to end from the lessor's side. */
  readonly endingSince = new Map<string, number>()
  /** True time since when a session has its seats where they are. */
  readonly placedAt = new Map<string, number>()
  revision = 0
  head: JournalHead = emptyHead
  readonly #endedAt = new Map<string, number>()
  readonly #openInJournal = new Set<string>()
  readonly #allowed = new Map<string, number>()
  readonly #now: () => number
  readonly #onWritten: () => void

  constructor(now: () => number, onWritten: () => void) {
    this.#now = now
    this.#onWritten = onWritten
  }

  opened(state: StoreState): void {
    if (state.revision !== this.revision)
      throw new Violation(`the store opens at revision ${state.revision}, but ${this.revision} was written`)
    if (state.head.hash !== this.head.hash) throw new Violation('the store opens with another journal head')
  }

  written(batch: Batch, revision: number, decidedAt: number): void {
    if (revision !== this.revision + 1) throw new Violation(`revision ${revision} came after ${this.revision}`)
    this.revision = revision
    const before = new Map(this.licenses)
    for (const { kind, key, value } of batch.changes) {
      if (kind === 'grant') this.#grantChanged(key, value)
      else if (kind === 'license') this.#licenseChanged(key, value)
    }
    for (const entry of batch.entries) this.#journaled(entry, decidedAt)
    if (batch.head.hash !== this.head.hash) throw new Violation('the head of the batch is not its last journal entry')
    this.#checkJournalAgainstGrants()
    this.#checkNewGrants(batch, before)
    for (const license of new Set([...before.values(), ...this.licenses.values()])) this.#allow(supplyIdOf(license))
    this.#onWritten()
  }

  /** Seats that may be in use of a supply: its seats, and what was out beyond them when they became fewer (R6). */
  allowed(supply: string): number {
    return this.#allowed.get(supply) ?? 0
  }

  licenseOf(supply: string): License | undefined {
    return this.licenses.get(supply.slice(0, supply.indexOf('/')))
  }

  /** Seats in use by the records: the largest per key, and those without a key. */
  used(supply: string, feature?: string): number {
    let sum = 0
    const keys = new Map<string, number>()
    for (const grant of this.grants.values()) {
      if (feature !== undefined && grant.feature !== feature) continue
      for (const part of grant.parts) {
        if (part.supply !== supply) continue
        if (part.key === undefined) sum += part.seats
        else keys.set(part.key, Math.max(keys.get(part.key) ?? 0, part.seats))
      }
    }
    for (const seats of keys.values()) sum += seats
    return sum
  }

  /** Whether one supply alone has the seats free, however they are counted. */
  hasRoom(product: string, feature: string | undefined, seats: number): boolean {
    const [vendor, name] = product.split('/')
    for (const license of this.licenses.values()) {
      if (license.vendor !== vendor || (license.product !== undefined && license.product !== name)) continue
      if (license.takes.kind !== 'sessions' || license.end !== undefined) continue
      if (feature !== undefined && license.product !== undefined && !Object.hasOwn(license.features, feature)) continue
      const supply = supplyIdOf(license)
      if (license.seats - this.used(supply) < seats) continue
      const limit = feature === undefined ? null : (license.features[feature] ?? null)
      if (limit === null || limit - this.used(supply, feature) >= seats) return true
    }
    return false
  }

  #grantChanged(id: string, value: JsonValue | undefined): void {
    if (value === undefined || (value !== null && typeof value === 'object' && 'ended' in value)) {
      if (this.grants.delete(id)) this.#endedAt.set(id, this.#now())
      return
    }
    const ended = this.#endedAt.get(id)
    if (ended !== undefined && !this.grants.has(id) && this.#now() - ended < idKept)
      throw new Violation(`R2, R15: session ${id} is granted again after its end`)
    const grant = value as unknown as RecordedGrant
    if (this.grants.get(id)?.ending !== undefined && grant.ending === undefined)
      throw new Violation(`R5: session ${id} was ending and is not any more`)
    if (JSON.stringify(this.grants.get(id)?.parts) !== JSON.stringify(grant.parts)) this.placedAt.set(id, this.#now())
    if (grant.ending !== undefined && !this.endingSince.has(id)) this.endingSince.set(id, this.revision)
    this.grants.set(id, grant)
    this.lastGrant.set(id, grant)
  }

  #licenseChanged(id: string, value: JsonValue | undefined): void {
    const end = this.licenses.get(id)?.end
    if (value === undefined) this.licenses.delete(id)
    else this.licenses.set(id, value as unknown as License)
    if (this.licenses.get(id)?.end !== end) this.endSetAt.set(id, this.#now())
  }

  #journaled(entry: JournalEntry, decidedAt: number): void {
    const check = checkEntry(this.head, entry)
    if (check.kind === 'broken') throw new Violation(`R34: the journal is broken at ${check.sequence}: ${check.reason}`)
    this.head = check.head
    const session = String(entry.facts.session)
    if (entry.type === 'session.opened') {
      if (this.#openInJournal.has(session)) throw new Violation(`the journal opens session ${session} twice`)
      this.#openInJournal.add(session)
    } else if (entry.type === 'session.ended') {
      if (!this.#openInJournal.delete(session))
        throw new Violation(`the journal ends session ${session} which is not open`)
    } else if (entry.type === 'seat.overlap') {
      this.overlaps.set(session, decidedAt + Date.parse(String(entry.facts.until)) - entry.at)
    }
  }

  #checkJournalAgainstGrants(): void {
    if (this.#openInJournal.size !== this.grants.size)
      throw new Violation(`the journal has ${this.#openInJournal.size} sessions open, the records ${this.grants.size}`)
    for (const id of this.grants.keys())
      if (!this.#openInJournal.has(id)) throw new Violation(`session ${id} has a record and is not open in the journal`)
  }

  /** Who was not there before must have its seats from supplies that took sessions. */
  #checkNewGrants(batch: Batch, before: ReadonlyMap<string, License>): void {
    for (const entry of batch.entries) {
      if (entry.type !== 'session.opened') continue
      for (const part of this.grants.get(String(entry.facts.session))?.parts ?? []) {
        const license = this.licenseOf(part.supply)
        const earlier = before.get(part.supply.slice(0, part.supply.indexOf('/')))
        if (license?.takes.kind !== 'sessions' && earlier?.takes.kind !== 'sessions')
          throw new Violation(`session ${entry.facts.session} was opened from ${part.supply}, which takes none`)
      }
    }
  }

  #allow(supply: string): void {
    const seats = this.licenseOf(supply)?.seats ?? 0
    const used = this.used(supply)
    this.#allowed.set(supply, Math.max(seats, Math.min(Math.max(this.allowed(supply), seats), used)))
    if (used > this.allowed(supply))
      throw new Violation(`the records have ${used} seats of ${supply} in use, ${this.allowed(supply)} are allowed`)
  }
}
