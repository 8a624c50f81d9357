/**
 * The shelf holds the installed licenses: their records, and the supplies that follow from them on a date and on this hardware.
 * It is the only writer of `license` records and of license supplies; what may be installed and activated is decided by
 * `licenses.ts`. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import type { Dates } from './domain/floor.ts'
import type { HardwareParts } from './domain/hardware.ts'
import type { LicenseState } from './domain/license-state.ts'
import { licenseSupplyId } from './domain/supply.ts'
import type { Lessor } from './lessor.ts'
import {
  type Installed,
  isOver,
  type LicenseRecord,
  noteStanding,
  readInstalled,
  restoreLicense,
  standingOf,
  tookEffect,
} from './license-record.ts'
import { moveOut } from './license-replacement.ts'
import { isSameSupply, type LicenseSupply, productIn, suppliesOf } from './license-supplies.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction } from './writes.ts'

export interface LicenseShelfOptions {
  readonly lessor: Lessor
  readonly clock: Clock
  readonly dates: (signers: readonly string[]) => Dates
  /** The license server that the supplies belong to. */
  readonly instance: string
  /** Hardware parts of this machine, as read at start. */
  readonly hardware: () => HardwareParts
  /** A license, its state or what it supplies is another now. */
  readonly onChange?: (id: string) => void
}

/** A license, its state when it was last looked at, and the supplies that the lessor was given for it. */
interface Shelved {
  readonly installed: Installed
  readonly state: LicenseState
  readonly supplies: readonly LicenseSupply[]
}

export class LicenseShelf implements RecordOwner {
  readonly kinds = ['license'] as const
  readonly #options: LicenseShelfOptions
  #shelved = new Map<string, Shelved>()
  /** What a batch that is being decided leads to; later jobs of the same batch go on from it. */
  readonly #drafts = new WeakMap<Transaction, Map<string, Shelved | undefined>>()

  constructor(options: LicenseShelfOptions) {
    this.#options = options
  }

  /** In the order in which they were installed, after a restart, too. */
  list(): Installed[] {
    return [...this.#shelved]
      .sort(
        ([idA, a], [idB, b]) => a.installed.record.installedAt - b.installed.record.installedAt || (idA < idB ? -1 : 1),
      )
      .map(([, one]) => one.installed)
  }

  /** @param transaction within a job: as the jobs before it in the same batch leave it */
  get(id: string, transaction?: Transaction): Installed | undefined {
    return (transaction ? this.#find(transaction, id) : this.#shelved.get(id))?.installed
  }

  standing(installed: Installed) {
    return standingOf(installed, this.date(installed))
  }

  /** The date that counts for this license, in ms since 1970. */
  date(installed: Installed): number {
    return this.#dates(installed).date
  }

  /**
   * Seats of the license that are in use as committed, and until when at the latest, as wall time in ms. Counts what was
   * granted before it was removed and installed again, too (R6).
   */
  seatsOut({ license }: Installed): { readonly seats: number; readonly until: number } {
    const { lessor, clock } = this.#options
    const now = clock.atLeast()
    let seats = 0
    let left = 0
    for (const entry of license.payload.products) {
      const supply = licenseSupplyId(license.payload.id, productIn(entry))
      seats += lessor.view.used(supply)
      for (const grant of lessor.view.grantsOf(supply))
        left = Math.max(left, (lessor.promiseOf(grant.id)?.freeAt ?? now + grant.freeIn) - now)
    }
    return { seats, until: clock.wall() + Math.ceil(left) }
  }

  /** Those of them that are detached: they count until their date. */
  detachedSeats({ license }: Installed): number {
    let seats = 0
    for (const entry of license.payload.products)
      for (const grant of this.#options.lessor.view.grantsOf(licenseSupplyId(license.payload.id, productIn(entry))))
        if (grant.kind === 'detachment') seats += grant.seats
    return seats
  }

  /** Within a job: stores the record, and brings supplies up to date. */
  put(transaction: Transaction, record: LicenseRecord): void {
    const installed = readInstalled(record, this.#options.hardware())
    if (!installed) throw new Error('A license that was opened a moment ago does not open any more.')
    this.#place(transaction, installed)
    this.#settle(transaction)
  }

  /** Within a job: takes the license away; its supplies end, its grants count until they are free (R6). */
  drop(transaction: Transaction, id: string): void {
    const shelved = this.#find(transaction, id)
    if (!shelved) return
    this.#draftOf(transaction).set(id, undefined)
    transaction.delete('license', id)
    this.#dropSupplies(transaction, shelved)
  }

  /** Within a job: brings records and supplies up to date with the date and the hardware. */
  refresh(transaction: Transaction): void {
    for (const { installed } of this.#all(transaction)) this.#place(transaction, installed)
    this.#settle(transaction)
  }

  reset(): void {
    this.#shelved = new Map()
  }

  restore(record: StoredRecord): void {
    const installed = restoreLicense(record, this.#options.hardware())
    this.#shelved.set(record.key, { installed, state: this.standing(installed).state, supplies: [] })
  }

  ready(): void {
    for (const [id, shelved] of this.#shelved)
      this.#shelved.set(id, { ...shelved, supplies: this.#suppliesOf(shelved.installed) })
    const supplies = [...this.#shelved.values()].flatMap((one) => one.supplies.map(({ supply }) => supply))
    this.#options.lessor.setSupplies(supplies)
  }

  /** Puts a license on its place, with what came to pass with the date or the hardware. */
  #place(transaction: Transaction, found: Installed): void {
    const { id } = found.license.payload
    const before = this.#find(transaction, id)
    const { record, happenings } = noteStanding(found, this.date(found))
    const installed = record === found.record ? found : { ...found, record }
    const { state } = this.standing(installed)
    for (const happening of happenings) transaction.journal(happening)
    if (record !== before?.installed.record) transaction.put('license', id, record as unknown as JsonValue)
    if (installed !== before?.installed || state !== before.state)
      this.#draftOf(transaction).set(id, { installed, state, supplies: before?.supplies ?? [] })
  }

  /** What follows from all licenses together: which one took the place of which, and what each supplies. */
  #settle(transaction: Transaction): void {
    for (const { installed: by } of this.#all(transaction)) {
      const olds = this.#replacedBy(transaction, by)
      if (olds.length > 0) this.#replace(transaction, by, olds)
    }
    for (const shelved of this.#all(transaction)) this.#supply(transaction, shelved)
  }

  /** The licenses that end with this one, now that it took effect (I13). */
  #replacedBy(transaction: Transaction, by: Installed): Shelved[] {
    const { replaces } = by.license.payload
    if (replaces === undefined || !tookEffect(by, this.date(by))) return []
    return replaces.flatMap((id) => {
      const old = this.#find(transaction, id)
      const ends = old?.installed.license.signer === by.license.signer && old.installed.record.replacedBy === undefined
      return ends ? [old] : []
    })
  }

  /** What is out of the old ones is out of the new one from now on; seats do not add up (R6). */
  #replace(transaction: Transaction, by: Installed, olds: readonly Shelved[]): void {
    const { id: newId } = by.license.payload
    const targets = this.#suppliesOf(this.#heirOf(transaction, by)).map(({ supply }) => supply)
    moveOut(
      transaction,
      this.#options.lessor,
      olds.map((old) => old.installed.license.payload),
      targets,
    )
    for (const { installed, supplies } of olds) {
      const { id } = installed.license.payload
      const record = { ...installed.record, replacedBy: newId }
      transaction.put('license', id, record as unknown as JsonValue)
      transaction.journal({ type: 'license.replaced', facts: { license: id, by: newId } })
      this.#draftOf(transaction).set(id, { installed: { ...installed, record }, state: 'replaced', supplies })
    }
  }

  /** The license that has taken the place of this one by now, through however many. */
  #heirOf(transaction: Transaction, { license: { payload } }: Installed): Installed {
    let heir = this.get(payload.id, transaction)
    for (let next = heir; next; next = this.get(next.record.replacedBy ?? '', transaction)) heir = next
    if (!heir) throw new Error('A license on the shelf is not there.')
    return heir
  }

  /** Tells the lessor what is another than it was told before; small differences are left, so that they do not add up. */
  #supply(transaction: Transaction, shelved: Shelved): void {
    const { lessor } = this.#options
    const { installed } = shelved
    const { id } = installed.license.payload
    const wanted = this.#suppliesOf(installed)
    if (wanted.length === 0) {
      if (shelved.supplies.length === 0) return
      this.#draftOf(transaction).set(id, { ...shelved, supplies: [] })
      this.#dropSupplies(transaction, shelved)
      return
    }
    const told = wanted.map((one, place) => {
      const before = shelved.supplies[place]
      return before && isSameSupply(before.supply, one.supply) ? before : one
    })
    const changed = told.filter((one) => !shelved.supplies.includes(one))
    if (changed.length === 0) return
    this.#draftOf(transaction).set(id, { ...shelved, supplies: told })
    for (const { supply, endReason } of changed) lessor.putSupply(transaction, supply, endReason)
  }

  #dropSupplies(transaction: Transaction, { supplies }: Shelved): void {
    for (const { supply } of supplies) this.#options.lessor.dropSupply(transaction, supply.id, 'license_removed')
  }

  /** None for a license that is over. */
  #suppliesOf(installed: Installed): LicenseSupply[] {
    if (isOver(installed)) return []
    const { clock, instance } = this.#options
    return suppliesOf(installed, { dates: this.#dates(installed), bootAt: clock.boot().at, instance })
  }

  #find(transaction: Transaction, id: string): Shelved | undefined {
    const draft = this.#drafts.get(transaction)
    return draft?.has(id) ? draft.get(id) : this.#shelved.get(id)
  }

  #all(transaction: Transaction): Shelved[] {
    const ids = new Set([...this.#shelved.keys(), ...(this.#drafts.get(transaction)?.keys() ?? [])])
    return [...ids].flatMap((id) => this.#find(transaction, id) ?? [])
  }

  #draftOf(transaction: Transaction): Map<string, Shelved | undefined> {
    const known = this.#drafts.get(transaction)
    if (known) return known
    const draft = new Map<string, Shelved | undefined>()
    this.#drafts.set(transaction, draft)
    transaction.after(() => {
      for (const [id, shelved] of draft) {
        if (shelved) this.#shelved.set(id, shelved)
        else this.#shelved.delete(id)
      }
      for (const id of draft.keys()) this.#options.onChange?.(id)
    })
    return draft
  }

  #dates(installed: Installed): Dates {
    return this.#options.dates([installed.license.signer])
  }
}
