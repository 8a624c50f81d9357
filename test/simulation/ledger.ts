/**
 * What is on one simulated disk, counted again by the simulator's own means, batch by batch: how many seats each supply may
 * have in use, which ids were granted and ended, what is leased from others, whether the journal is one good chain. Shares no
 * code with the book of seats.
 */
import { checkEntry, emptyHead, type JournalEntry, type JournalHead } from '../../agent/domain/journal.ts'
import type { Batch, JsonValue, StoreState } from '../../agent/store/store.ts'
import { DetachmentLedger } from './detachment-ledger.ts'
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

/** A lease from another manager, as its holder stores it. */
export interface RecordedLease {
  readonly state: 'asking' | 'held' | 'returning' | 'cancelling'
  readonly manager: { readonly id: string }
  /** Of whoever it was taken for. */
  readonly for: string
  /** In advance. */
  readonly kept?: true
  readonly terms?: { readonly license: string; readonly seats: number; readonly rule: License['rule'] }
}

/** For how long an ended session's id is known, and one that another agent made, in ms (R15); clocks may run a little fast. */
const idKept = { session: 24 * 3_600_000 * 0.998, lease: 10 * 60_000 * 0.998 }

/** What the journal calls it when seats are given out, and when they are free again. */
const opening = new Set(['session.opened', 'lease.granted', 'detachment.made'])
const closing = new Set(['session.ended', 'lease.ended', 'detachment.ended'])

export interface LedgerWatcher {
  /** Seats of this session or lease are given out now. */
  opened(id: string): void
  /** A batch is on the disk. @param isMixed seats were given out and came free, in an order that does not show */
  written(isMixed: boolean): void
}

export class Ledger implements DiskWatcher {
  readonly grants = new Map<string, RecordedGrant>()
  readonly licenses = new Map<string, License>()
  /** Licenses that were ever installed. */
  readonly #everInstalled = new Map<string, License>()
  /** What is leased from others, by the id that this agent gave it. */
  readonly leases = new Map<string, RecordedLease>()
  /** What a lease was when it was last recorded. */
  readonly lastLease = new Map<string, RecordedLease>()
  /** The most seats that a web site was ever to have. */
  readonly mostKept = new Map<string, number>()
  readonly detachments = new DetachmentLedger()
  /** Where a session's seats were when it was last recorded. */
  readonly lastGrant = new Map<string, RecordedGrant>()
  /** Sessions that may go on although their seat is free, until a true time. */
  readonly overlaps = new Map<string, number>()
  /** True time at which the agent knew that a license's end is what it is; absent: written, and not acknowledged yet (R4). */
  readonly endSetAt = new Map<string, number>()
  /** Revision with which a session began to end from the lessor's side. */
  readonly endingSince = new Map<string, number>()
  /** True time since when a session has its seats where they are. */
  readonly placedAt = new Map<string, number>()
  revision = 0
  head: JournalHead = emptyHead
  readonly #endedAt = new Map<string, number>()
  /** Licenses whose end was written and not acknowledged. */
  readonly #untold = new Set<string>()
  readonly #openInJournal = new Set<string>()
  readonly #allowed = new Map<string, number>()
  readonly #now: () => number
  readonly #watcher: LedgerWatcher

  constructor(now: () => number, watcher: LedgerWatcher) {
    this.#now = now
    this.#watcher = watcher
  }

  opened(state: StoreState): void {
    if (state.revision !== this.revision)
      throw new Violation(`the store opens at revision ${state.revision}, but ${this.revision} was written`)
    if (state.head.hash !== this.head.hash) throw new Violation('the store opens with another journal head')
    this.acknowledged()
  }

  acknowledged(): void {
    for (const license of this.#untold) this.endSetAt.set(license, this.#now())
    this.#untold.clear()
  }

  written(batch: Batch, revision: number, decidedAt: number): void {
    if (revision !== this.revision + 1) throw new Violation(`revision ${revision} came after ${this.revision}`)
    this.revision = revision
    const attached = new Set(this.detachments.ins.keys())
    const before = { licenses: new Map(this.licenses), leases: new Map(this.leases), attached }
    for (const { kind, key, value } of batch.changes) {
      if (kind === 'grant') this.#grantChanged(key, value)
      else if (kind === 'license') this.#licenseChanged(key, value)
      else if (kind === 'lease') this.#leaseChanged(key, value)
      else if (kind === 'site') this.#siteChanged(key, value)
      else if (kind === 'detachment') this.detachments.changed(key, value)
    }
    for (const entry of batch.entries) this.#journaled(entry, decidedAt)
    if (batch.head.hash !== this.head.hash) throw new Violation('the head of the batch is not its last journal entry')
    this.#checkJournalAgainstGrants()
    this.#checkNewGrants(batch, before)
    for (const license of new Set([...before.licenses.values(), ...this.licenses.values()]))
      this.#allow(supplyIdOf(license))
    for (const { kind, key } of batch.changes) if (kind === 'lease' || kind === 'grant') this.#checkLeased(key)
    const has = (types: ReadonlySet<string>): boolean => batch.entries.some(({ type }) => types.has(type))
    this.#watcher.written(has(opening) && has(closing))
  }

  /** Seats that may be in use of a supply: its seats, and what was out beyond them when they became fewer (R6). */
  allowed(supply: string): number {
    return this.#allowed.get(supply) ?? 0
  }

  licenseOf(supply: string): License | undefined {
    return this.licenses.get(licenseIn(supply))
  }

  /** By which rule a supply counts, be its license removed or its lease over; undefined when it was never here. */
  ruleOf(supply: string): License['rule'] | undefined {
    const leased = this.lastLease.get(supply) ?? this.detachments.lastIns.get(supply)
    return (this.#everInstalled.get(licenseIn(supply)) ?? leased?.terms)?.rule
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
    const kept = id.includes('/') ? idKept.lease : idKept.session
    if (ended !== undefined && !this.grants.has(id) && this.#now() - ended < kept)
      throw new Violation(`R2, R15: ${id} is granted again after its end`)
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
    const installed = this.licenses.get(id)
    if (installed) this.#everInstalled.set(id, installed)
    if (this.licenses.get(id)?.end === end) return
    this.endSetAt.delete(id)
    this.#untold.add(id)
  }

  #siteChanged(key: string, value: JsonValue | undefined): void {
    if (!key.startsWith('site/') || value === undefined) return
    const { seats } = value as unknown as { readonly seats: number }
    const name = `site:${key.slice('site/'.length)}`
    this.mostKept.set(name, Math.max(seats, this.mostKept.get(name) ?? 0))
  }

  #leaseChanged(id: string, value: JsonValue | undefined): void {
    if (value === undefined) {
      this.leases.delete(id)
      return
    }
    const lease = value as unknown as RecordedLease
    const before = this.leases.get(id)
    if (!before && (lease.state !== 'asking' || this.lastLease.has(id)))
      throw new Violation(`R7: lease ${id} is ${lease.state}, and was never asked for or is over`)
    if (before && before.state !== lease.state && (lease.state === 'asking' || before.state === 'cancelling'))
      throw new Violation(`R7: lease ${id} was ${before.state} and is ${lease.state}`)
    if (before?.state === 'returning' && lease.state === 'held')
      throw new Violation(`R16: lease ${id} was being given back and is held again`)
    this.leases.set(id, lease)
    this.lastLease.set(id, lease)
    if (lease.state === 'held') this.#checkKept(lease.for)
  }

  /** P2: what is taken for the users of a web site is never more than the site was to have. */
  #checkKept(name: string): void {
    const most = this.mostKept.get(name)
    if (most === undefined) return
    const taken = [...this.leases.values()].filter((one) => one.for === name && one.state === 'held').length
    if (taken > most) throw new Violation(`P2: ${taken} seats are taken for ${name}, which is to have ${most}`)
  }

  /** What this agent has given out of a lease, be it over at its manager or not, is no more than it ever had. */
  #checkLeased(grantOrLease: string): void {
    const parts = this.grants.get(grantOrLease)?.parts ?? [{ supply: grantOrLease }]
    for (const { supply } of parts) {
      const seats = this.seatsFrom(supply)
      const used = this.used(supply)
      if (seats !== undefined && used > seats)
        throw new Violation(`the records have ${used} seats of ${supply} in use, which has ${seats}`)
    }
  }

  /** Seats of a lease or a detachment; undefined: it is neither. */
  seatsFrom(supply: string): number | undefined {
    const detached = this.detachments.lastIns.get(supply)
    if (detached) return detached.version > 0 ? detached.seats : 0
    const lease = this.lastLease.get(supply)
    return lease && (lease.terms?.seats ?? 0)
  }

  #journaled(entry: JournalEntry, decidedAt: number): void {
    const check = checkEntry(this.head, entry)
    if (check.kind === 'broken') throw new Violation(`R34: the journal is broken at ${check.sequence}: ${check.reason}`)
    this.head = check.head
    const id = idIn(entry)
    if (opening.has(entry.type)) {
      if (this.#openInJournal.has(id)) throw new Violation(`the journal opens ${id} twice`)
      this.#openInJournal.add(id)
    } else if (closing.has(entry.type) && entry.facts.side !== 'in') {
      if (!this.#openInJournal.delete(id)) throw new Violation(`the journal ends ${id} which is not open`)
    } else if (entry.type === 'seat.overlap') {
      this.overlaps.set(id, decidedAt + Date.parse(String(entry.facts.until)) - entry.at)
    }
  }

  #checkJournalAgainstGrants(): void {
    if (this.#openInJournal.size !== this.grants.size)
      throw new Violation(`the journal has ${this.#openInJournal.size} grants open, the records ${this.grants.size}`)
    for (const id of this.grants.keys())
      if (!this.#openInJournal.has(id)) throw new Violation(`${id} has a record and is not open in the journal`)
  }

  /** Who was not there before must have its seats from supplies that gave some out. */
  #checkNewGrants(
    { entries }: Batch,
    before: {
      readonly licenses: ReadonlyMap<string, License>
      readonly leases: ReadonlyMap<string, RecordedLease>
      readonly attached: ReadonlySet<string>
    },
  ): void {
    for (const entry of entries) {
      if (!opening.has(entry.type)) continue
      const id = idIn(entry)
      if (entry.type !== 'detachment.made') this.#watcher.opened(id)
      for (const { supply } of this.grants.get(id)?.parts ?? []) {
        // Within one batch it may be taken, granted out of, and ended again.
        const [was, is] = [before.leases.get(supply)?.state, this.leases.get(supply)?.state]
        const isDetached = this.detachments.isHeld(supply) || before.attached.has(supply)
        const isHeld = is === 'held' || was === 'held' || was === 'asking' || isDetached
        const isOpen = [this.licenseOf(supply), before.licenses.get(licenseIn(supply))].some(
          (license) => license?.takes.kind === 'sessions',
        )
        if (!isHeld && !isOpen) throw new Violation(`${id} was opened from ${supply}, which gives out none`)
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

/** Which session, lease or detachment an entry is about. */
function idIn({ facts }: JournalEntry): string {
  return String(facts.session ?? facts.lease ?? facts.detachment)
}

/** The license that a supply belongs to; of a lease from another agent nothing. */
function licenseIn(supply: string): string {
  return supply.slice(0, Math.max(0, supply.indexOf('/')))
}
