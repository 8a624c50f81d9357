/**
 * The shelf holds the installed licenses: their records, and the supplies that follow from them on a date and on this hardware.
 * It is the only writer of `license` records and of license supplies; what may be installed and activated is decided by
 * `licenses.ts`. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import type { Dates } from './domain/floor.ts'
import type { HardwareParts } from './domain/hardware.ts'
import { grantsSeats, type LicenseStanding } from './domain/license-state.ts'
import { licenseSupplyId } from './domain/supply.ts'
import type { EndReason } from './errors.ts'
import type { Lessor } from './lessor.ts'
import { type Installed, type LicenseRecord, readInstalled, restoreLicense, standingOf } from './license-record.ts'
import { isSameSupply, type LicenseSupply, suppliesOf } from './license-supplies.ts'
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
  readonly onChange?: (id: string) => void
}

export class LicenseShelf implements RecordOwner {
  readonly kinds = ['license'] as const
  readonly #options: LicenseShelfOptions
  #installed = new Map<string, Installed>()

  constructor(options: LicenseShelfOptions) {
    this.#options = options
  }

  list(): Installed[] {
    return [...this.#installed.values()]
  }

  get(id: string): Installed | undefined {
    return this.#installed.get(id)
  }

  standing(installed: Installed): LicenseStanding {
    return standingOf(installed, this.#dates(installed).date)
  }

  /** The date that counts for this license, in seconds since 1970. */
  seconds(installed: Installed): number {
    return Math.floor(this.#dates(installed).date / 1000)
  }

  /** Seats of the license that are in use, and until when at the latest, as wall time in ms. */
  seatsOut(id: string): { readonly seats: number; readonly until: number } {
    const { lessor, clock } = this.#options
    let seats = 0
    let until = clock.wall()
    for (const supply of [...lessor.view.supplies()].filter((one) => one.license === id)) {
      seats += lessor.view.used(supply.id)
      for (const grant of lessor.view.grantsOf(supply.id)) {
        const left = (lessor.promiseOf(grant.id)?.freeAt ?? clock.atLeast()) - clock.atLeast()
        until = Math.max(until, clock.wall() + Math.ceil(left))
      }
    }
    return { seats, until }
  }

  /** Within a job: stores the record, and brings its supplies up to date. */
  put(transaction: Transaction, record: LicenseRecord): void {
    const installed = readInstalled(record, this.#options.hardware())
    if (!installed) throw new Error('A license that was opened a moment ago does not open any more.')
    const { id } = installed.license.payload
    transaction.put('license', id, record as unknown as JsonValue)
    this.#replace(transaction, installed)
    this.#putSupplies(transaction, installed)
    transaction.after(() => {
      this.#installed.set(id, installed)
      this.#options.onChange?.(id)
    })
  }

  /** A license that gives out seats ends the ones that it replaces: what is out of them is out of it from now on (I13). */
  #replace(transaction: Transaction, by: Installed): void {
    const { lessor } = this.#options
    if (!grantsSeats(this.standing(by).state)) return
    for (const id of by.license.payload.replaces ?? []) {
      const old = this.#installed.get(id)
      if (!old || old.license.signer !== by.license.signer || old.record.replacedBy !== undefined) continue
      for (const { supply } of this.#suppliesOf(by)) {
        const excess = lessor.transferSupply(transaction, licenseSupplyId(id, supply.product), supply)
        if (excess > 0)
          transaction.journal({
            type: 'seat.overlap',
            facts: { license: supply.license, seats: excess, reason: 'replaced' },
          })
      }
      const record = { ...old.record, replacedBy: by.license.payload.id }
      transaction.put('license', id, record as unknown as JsonValue)
      transaction.journal({ type: 'license.replaced', facts: { license: id, by: by.license.payload.id } })
      const replaced = { ...old, record }
      this.#putSupplies(transaction, replaced)
      transaction.after(() => {
        this.#installed.set(id, replaced)
        this.#options.onChange?.(id)
      })
    }
  }

  /** Within a job: takes the license away; its supplies end, its grants count until they are free (R6). */
  drop(transaction: Transaction, id: string): void {
    const installed = this.#installed.get(id)
    if (!installed) return
    transaction.delete('license', id)
    for (const { supply } of this.#suppliesOf(installed))
      this.#options.lessor.dropSupply(transaction, supply.id, 'license_removed')
    transaction.after(() => {
      this.#installed.delete(id)
      this.#options.onChange?.(id)
    })
  }

  /** Within a job: brings records and supplies up to date with the date and the hardware. */
  refresh(transaction: Transaction): void {
    for (const installed of this.#installed.values()) {
      const { record } = installed
      const blocked = this.standing(installed).state === 'blocked_hardware'
      if (blocked && record.blockedAt === undefined) {
        transaction.journal({
          type: 'license.blocked',
          facts: { license: installed.license.payload.id, differing: installed.hardware?.differing ?? [] },
        })
        this.put(transaction, { ...record, blockedAt: this.#dates(installed).date })
      } else if (!blocked && record.blockedAt !== undefined) {
        const { blockedAt: _, ...rest } = record
        this.put(transaction, rest)
      } else {
        this.#putSupplies(transaction, installed)
      }
    }
  }

  reset(): void {
    this.#installed = new Map()
  }

  restore(record: StoredRecord): void {
    this.#installed.set(record.key, restoreLicense(record, this.#options.hardware()))
  }

  ready(): void {
    const open = this.list().filter((one) => !isOver(one))
    this.#options.lessor.setSupplies(
      open.flatMap((installed) => this.#suppliesOf(installed).map(({ supply }) => supply)),
    )
  }

  #putSupplies(transaction: Transaction, installed: Installed): void {
    const { lessor } = this.#options
    for (const { supply, endReason } of this.#suppliesOf(installed)) {
      const before = lessor.view.supply(supply.id)
      if (isOver(installed)) {
        if (before) lessor.dropSupply(transaction, supply.id, endReason)
      } else if (!before || !isSameSupply(before, supply)) {
        lessor.putSupply(transaction, supply, endReason)
        this.#noteExpiry(transaction, installed, before !== undefined, endReason)
      }
    }
  }

  #noteExpiry(transaction: Transaction, installed: Installed, known: boolean, endReason: EndReason): void {
    const { state } = this.standing(installed)
    if (known && state === 'expired' && endReason === 'expired')
      transaction.journal({ type: 'license.expired', facts: { license: installed.license.payload.id } })
  }

  #suppliesOf(installed: Installed): LicenseSupply[] {
    const { clock, instance } = this.#options
    return suppliesOf(installed, { dates: this.#dates(installed), atMost: clock.atMost(), instance })
  }

  #dates(installed: Installed): Dates {
    return this.#options.dates([installed.license.signer])
  }
}

/** It never gives out seats again, whatever the date. */
function isOver({ record }: Installed): boolean {
  return record.receipt !== undefined || record.replacedBy !== undefined
}
