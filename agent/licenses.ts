/**
 * Installed licenses: install, activate, replace, move away, remove; and the supplies that follow from them. Owns the
 * `license` records. Dates come from the date floor, hardware from the machine. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import { type Opened, openDocument } from './domain/documents/document.ts'
import { buildActivationRequest, buildDeactivation, checkActivation } from './domain/documents/exchange.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { Dates } from './domain/floor.ts'
import { type HardwareParts, recordParts } from './domain/hardware.ts'
import { grantsSeats, type LicenseStanding } from './domain/license-state.ts'
import { licenseSupplyId } from './domain/supply.ts'
import { type EndReason, type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import {
  type Installed,
  keyOfLicense,
  type LicenseRecord,
  readInstalled,
  restoreLicense,
  standingOf,
} from './license-record.ts'
import { isSameSupply, type LicenseSupply, suppliesOf } from './license-supplies.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'
import type { VendorTrust } from './vendor-trust.ts'
import type { RecordOwner, Transaction, Writes } from './writes.ts'

export interface LicensesOptions {
  readonly writes: Writes
  readonly lessor: Lessor
  readonly vendors: VendorTrust
  readonly clock: Clock
  readonly dates: (signers: readonly string[]) => Dates
  readonly agent: SigningKey
  /** Hardware parts of this machine, as read at start. */
  readonly hardware: () => HardwareParts
  /** Fresh random text of 22 base64url characters. */
  readonly randomId: () => string
  readonly onChange?: (id: string) => void
}

type OpenedLicense = Opened<'leasehold-license'>

export type Deactivation =
  | { readonly kind: 'deactivated'; readonly receipt: string }
  /** @property freeAt wall time in ms at which the last seat is free */
  | { readonly kind: 'deactivating'; readonly freeAt: number }

const mostNonces = 10

export class Licenses implements RecordOwner {
  readonly kinds = ['license'] as const
  readonly #options: LicensesOptions
  #installed = new Map<string, Installed>()

  constructor(options: LicensesOptions) {
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

  /** Whether this text could be installed; undefined when it could. */
  checkInstall(license: OpenedLicense, trust: boolean): Refusal | undefined {
    const { id, vendor } = license.payload
    const untrusted = this.#options.vendors.check(vendor.name, license.signer, trust)
    if (untrusted) return untrusted
    const before = this.#installed.get(id)
    if (!before) return undefined
    if (before.license.hash === license.hash)
      return refuse('already_applied', 'This license is installed already.', { license: id })
    return refuse(
      'document_superseded',
      'A license with this id and another text is installed. Remove that one first.',
      { license: id },
    )
  }

  async install(
    license: OpenedLicense,
    trust: boolean,
  ): Promise<{ readonly kind: 'installed'; readonly id: string } | Refusal> {
    return await this.#options.writes.submit(
      (transaction) => {
        const refused = this.checkInstall(license, trust)
        if (refused) return refused
        const { payload, text } = license
        const at = this.#options.clock.wall()
        this.#options.vendors.trust(transaction, payload.vendor.name, payload.vendor.key, at)
        transaction.journal({ type: 'license.installed', facts: { license: payload.id, vendor: payload.vendor.name } })
        this.#put(transaction, { text, installedAt: at, number: 0, nonces: [] })
        return { kind: 'installed' as const, id: payload.id }
      },
      { growing: true },
    )
  }

  /** The block for the vendor. Its nonce is stored before it is shown. */
  async requestActivation(id: string): Promise<{ readonly kind: 'requested'; readonly text: string } | Refusal> {
    return await this.#options.writes.submit((transaction) => {
      const installed = this.#installed.get(id)
      if (!installed) return unknownLicense(id)
      const recorded = recordParts(id, this.#options.hardware())
      if (recorded.kind === 'refused') return recorded
      const { agent, randomId } = this.#options
      const nonce = randomId()
      const { record, license } = installed
      const facts = {
        id: `r${randomId()}`,
        now: this.#seconds(installed),
        license,
        parts: recorded.parts,
        nonce,
        number: record.number,
      }
      this.#put(transaction, { ...record, nonces: [...record.nonces, nonce].slice(-mostNonces) })
      return { kind: 'requested' as const, text: buildActivationRequest(facts, agent) }
    })
  }

  /** Whether this answer of the vendor could be applied; undefined when it could. */
  checkActivation(answer: Opened<'leasehold-activation'>): Refusal | undefined {
    const installed = this.#installed.get(answer.payload.license)
    if (!installed) return unknownLicense(answer.payload.license)
    const checked = checkActivation(answer, {
      license: installed.license,
      agent: this.#options.agent.id,
      nonces: installed.record.nonces,
      number: installed.record.number,
      now: this.#seconds(installed),
    })
    return checked.kind === 'refused' ? checked : undefined
  }

  async activate(text: string, id: string): Promise<{ readonly kind: 'activated'; readonly id: string } | Refusal> {
    return await this.#options.writes.submit(
      (transaction) => {
        const installed = this.#installed.get(id)
        if (!installed) return unknownLicense(id)
        const answer = openDocument(text, 'leasehold-activation', keyOfLicense(installed.license))
        if (answer.kind === 'refused') return answer
        const refused = this.checkActivation(answer)
        if (refused) return refused
        const { number } = answer.payload
        const { blockedAt: _b, deactivating: _d, receipt: _r, ...record } = installed.record
        transaction.journal({ type: 'license.activated', facts: { license: id, number } })
        this.#put(transaction, {
          ...record,
          activation: text,
          activatedAt: this.#options.clock.wall(),
          number,
          nonces: record.nonces.filter((nonce) => nonce !== answer.payload.nonce),
        })
        return { kind: 'activated' as const, id }
      },
      { growing: true },
    )
  }

  /**
   * Moves the license away: it serves no more; the signed receipt is made when none of its seats is in use (R6, I14).
   * @param confirmOverlap make the receipt now although seats may still be in use
   */
  async deactivate(id: string, confirmOverlap: boolean): Promise<Deactivation | Refusal> {
    return await this.#options.writes.submit((transaction) => {
      const installed = this.#installed.get(id)
      if (!installed) return unknownLicense(id)
      const { record, license, activation } = installed
      if (record.receipt !== undefined) return { kind: 'deactivated' as const, receipt: record.receipt }
      if (!activation) return refuse('license_not_active', 'It is not activated, so there is nothing to move away.')
      if (confirmOverlap && !license.payload.overlap)
        return refuse('overlap_forbidden', 'The license does not allow seats to be freed while they may be in use.')
      const out = this.#seatsOut(id)
      if (out.seats > 0 && !confirmOverlap) {
        this.#put(transaction, { ...record, deactivating: true })
        return { kind: 'deactivating' as const, freeAt: out.until }
      }
      const { agent, randomId } = this.#options
      const receipt = buildDeactivation(
        {
          id: `d${randomId()}`,
          now: this.#seconds(installed),
          license,
          activation: activation.payload,
          ...(out.seats === 0 ? {} : { overlap: { seats: out.seats, until: Math.ceil(out.until / 1000) } }),
        },
        agent,
      )
      if (out.seats > 0) {
        const until = new Date(out.until).toISOString()
        transaction.journal({
          type: 'seat.overlap',
          facts: { license: id, seats: out.seats, until, reason: 'deactivated' },
        })
      }
      transaction.journal({ type: 'license.deactivated', facts: { license: id, number: activation.payload.number } })
      this.#put(transaction, { ...record, deactivating: true, receipt })
      return { kind: 'deactivated' as const, receipt }
    })
  }

  async remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal> {
    return await this.#options.writes.submit((transaction) => {
      const installed = this.#installed.get(id)
      if (!installed) return unknownLicense(id)
      transaction.delete('license', id)
      transaction.journal({ type: 'license.removed', facts: { license: id } })
      for (const { supply } of this.#suppliesOf(installed))
        this.#options.lessor.dropSupply(transaction, supply.id, 'license_removed')
      transaction.after(() => {
        this.#installed.delete(id)
        this.#options.onChange?.(id)
      })
      return { kind: 'removed' as const }
    })
  }

  /** Brings supplies up to date with the date and the hardware; to be called every minute and when the date was changed. */
  async refresh(): Promise<void> {
    await this.#options.writes.submit((transaction) => {
      for (const installed of this.#installed.values()) {
        const { record } = installed
        const blocked = this.standing(installed).state === 'blocked_hardware'
        if (blocked && record.blockedAt === undefined) {
          transaction.journal({
            type: 'license.blocked',
            facts: { license: installed.license.payload.id, differing: installed.hardware?.differing ?? [] },
          })
          this.#put(transaction, { ...record, blockedAt: this.#dates(installed).date })
        } else if (!blocked && record.blockedAt !== undefined) {
          const { blockedAt: _, ...rest } = record
          this.#put(transaction, rest)
        } else {
          this.#putSupplies(transaction, installed)
        }
      }
    })
  }

  reset(): void {
    this.#installed = new Map()
  }

  restore(record: StoredRecord): void {
    this.#installed.set(record.key, restoreLicense(record, this.#options.hardware()))
  }

  ready(): void {
    const supplies = this.list()
      .filter((one) => !this.#isOver(one))
      .flatMap((installed) => this.#suppliesOf(installed))
    this.#options.lessor.setSupplies(supplies.map(({ supply }) => supply))
  }

  /** Within a job: stores the record, and brings its supplies up to date. */
  #put(transaction: Transaction, record: LicenseRecord): void {
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

  #putSupplies(transaction: Transaction, installed: Installed): void {
    const { lessor } = this.#options
    for (const { supply, endReason } of this.#suppliesOf(installed)) {
      const before = lessor.view.supply(supply.id)
      if (this.#isOver(installed)) {
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

  /** It never gives out seats again, whatever the date. */
  #isOver({ record }: Installed): boolean {
    return record.receipt !== undefined || record.replacedBy !== undefined
  }

  #suppliesOf(installed: Installed): LicenseSupply[] {
    const { clock, agent } = this.#options
    return suppliesOf(installed, { dates: this.#dates(installed), atMost: clock.atMost(), instance: agent.id })
  }

  #dates(installed: Installed): Dates {
    return this.#options.dates([installed.license.signer])
  }

  #seconds(installed: Installed): number {
    return Math.floor(this.#dates(installed).date / 1000)
  }

  /** Seats of the license that are in use, and until when at the latest, as wall time in ms. */
  #seatsOut(id: string): { readonly seats: number; readonly until: number } {
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
}

function unknownLicense(id: string): Refusal {
  return refuse('unknown_license', `No license ${id} is installed here.`)
}
