/**
 * What is done with licenses: install, request and apply an activation, move away, remove. Decides what may be done and makes
 * the documents; records and supplies are the shelf's. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import type { Opened } from './domain/documents/document.ts'
import { buildActivationRequest, buildDeactivation, checkActivation } from './domain/documents/exchange.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import { aheadTolerance } from './domain/floor.ts'
import { type HardwareParts, recordParts } from './domain/hardware.ts'
import { type Refusal, refuse } from './errors.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { VendorTrust } from './vendor-trust.ts'
import type { Transaction, Writes } from './writes.ts'

export interface LicensesOptions {
  readonly writes: Writes
  readonly shelf: LicenseShelf
  readonly vendors: VendorTrust
  readonly clock: Clock
  readonly agent: SigningKey
  /** Hardware parts of this machine, as read at start. */
  readonly hardware: () => HardwareParts
  /** Fresh random text of 22 base64url characters. */
  readonly randomId: () => string
  /** A vendor signed this time (ms since 1970) here; it counts for the date of what its key signed (R11). */
  readonly hearTime: (signer: string, time: number) => Promise<void>
}

type OpenedLicense = Opened<'leasehold-license'>
type OpenedActivation = Opened<'leasehold-activation'>

export type Deactivation =
  | { readonly kind: 'deactivated'; readonly receipt: string }
  /** @property freeAt wall time in ms at which the last seat is free */
  | { readonly kind: 'deactivating'; readonly freeAt: number }

const mostNonces = 10

export class Licenses {
  readonly #options: LicensesOptions

  constructor(options: LicensesOptions) {
    this.#options = options
  }

  /** Whether this text could be installed; undefined when it could. */
  checkInstall(license: OpenedLicense, trust: boolean, transaction?: Transaction): Refusal | undefined {
    const { id, vendor } = license.payload
    const untrusted = this.#options.vendors.check(vendor.name, license.signer, trust, transaction)
    if (untrusted) return untrusted
    const before = this.#options.shelf.get(id, transaction)
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
    const { shelf, vendors, clock, writes } = this.#options
    const outcome = await writes.submit(
      (transaction) => {
        const refused = this.checkInstall(license, trust, transaction)
        if (refused) return refused
        const { payload, text } = license
        const at = clock.wall()
        vendors.trust(transaction, payload.vendor.name, payload.vendor.key, at)
        transaction.journal({ type: 'license.installed', facts: { license: payload.id, vendor: payload.vendor.name } })
        shelf.put(transaction, { text, installedAt: at, number: 0, nonces: [] })
        return { kind: 'installed' as const, id: payload.id }
      },
      { growing: true },
    )
    if (outcome.kind === 'installed') await this.#heed(license)
    return outcome
  }

  /** Whether this machine can be known again, so that a license can be activated for it. */
  canBind(): boolean {
    return recordParts('', this.#options.hardware()).kind === 'recorded'
  }

  /** The block for the vendor. Its nonce is stored before it is shown. */
  async requestActivation(id: string): Promise<{ readonly kind: 'requested'; readonly text: string } | Refusal> {
    const { writes, shelf, agent, randomId, hardware } = this.#options
    return await writes.submit((transaction) => {
      const installed = shelf.get(id, transaction)
      if (!installed) return unknownLicense(id)
      const recorded = recordParts(id, hardware())
      if (recorded.kind === 'refused') return recorded
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
      shelf.put(transaction, { ...record, nonces: [...record.nonces, nonce].slice(-mostNonces) })
      return { kind: 'requested' as const, text: buildActivationRequest(facts, agent) }
    })
  }

  /** Whether this answer of the vendor could be applied; undefined when it could. */
  checkActivation(answer: OpenedActivation, transaction?: Transaction): Refusal | undefined {
    const installed = this.#options.shelf.get(answer.payload.license, transaction)
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

  /** Applies the vendor's answer to the license that it names. */
  async activate(answer: OpenedActivation): Promise<{ readonly kind: 'activated'; readonly id: string } | Refusal> {
    const { writes, shelf, clock } = this.#options
    const { license: id, number, nonce } = answer.payload
    const outcome = await writes.submit(
      (transaction) => {
        const refused = this.checkActivation(answer, transaction)
        if (refused) return refused
        const installed = shelf.get(id, transaction)
        if (!installed) return unknownLicense(id)
        const { blockedAt: _b, deactivating: _d, receipt: _r, ...record } = installed.record
        transaction.journal({ type: 'license.activated', facts: { license: id, number } })
        shelf.put(transaction, {
          ...record,
          activation: answer.text,
          activatedAt: clock.wall(),
          number,
          nonces: record.nonces.filter((one) => one !== nonce),
        })
        return { kind: 'activated' as const, id }
      },
      { growing: true },
    )
    if (outcome.kind === 'activated') await this.#heed(answer)
    return outcome
  }

  /**
   * Moves the license away: it serves no more; the signed receipt is made when none of its seats is in use (R6, I14).
   * @param confirmOverlap make the receipt now although seats may still be in use
   */
  async deactivate(id: string, confirmOverlap: boolean): Promise<Deactivation | Refusal> {
    const { writes } = this.#options
    // Closed first, and counted after that is durable: a seat that is given out in the same moment is out, not overlooked.
    const closed = await writes.submit((transaction) => this.#close(transaction, id, confirmOverlap))
    if (closed.kind !== 'closed') return closed
    return await writes.submit((transaction) => this.#sendAway(transaction, id, confirmOverlap))
  }

  async remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal> {
    const { writes, shelf } = this.#options
    return await writes.submit((transaction) => {
      if (!shelf.get(id, transaction)) return unknownLicense(id)
      transaction.journal({ type: 'license.removed', facts: { license: id } })
      shelf.drop(transaction, id)
      return { kind: 'removed' as const }
    })
  }

  /** Brings everything up to date with the date and the hardware; to be called every minute. */
  async refresh(): Promise<void> {
    await this.#options.writes.submit((transaction) => this.#options.shelf.refresh(transaction))
  }

  #close(
    transaction: Transaction,
    id: string,
    confirmOverlap: boolean,
  ): Deactivation | Refusal | { readonly kind: 'closed' } {
    const { shelf } = this.#options
    const installed = shelf.get(id, transaction)
    if (!installed) return unknownLicense(id)
    const { record, license, activation } = installed
    if (record.receipt !== undefined) return { kind: 'deactivated', receipt: record.receipt }
    if (record.replacedBy !== undefined)
      return refuse('document_superseded', `License ${record.replacedBy} took its place. Deactivate that one.`, {
        license: record.replacedBy,
      })
    if (!activation) return refuse('license_not_active', 'It is not activated, so there is nothing to move away.')
    if (confirmOverlap && !license.payload.overlap && shelf.seatsOut(installed).seats > 0)
      return refuse('overlap_forbidden', 'The license does not allow seats to be freed while they may be in use.')
    const detached = shelf.detachedSeats(installed)
    if (detached > 0 && !confirmOverlap)
      return refuse('seats_detached', `${detached} ${detached === 1 ? 'seat is' : 'seats are'} detached.`, {
        seats: detached,
        freeAt: new Date(shelf.seatsOut(installed).until).toISOString(),
      })
    if (record.deactivating !== true) shelf.put(transaction, { ...record, deactivating: true })
    return { kind: 'closed' }
  }

  #sendAway(transaction: Transaction, id: string, confirmOverlap: boolean): Deactivation | Refusal {
    const { shelf, agent, randomId } = this.#options
    const installed = shelf.get(id, transaction)
    if (!installed) return unknownLicense(id)
    const { record, license, activation } = installed
    if (record.receipt !== undefined) return { kind: 'deactivated', receipt: record.receipt }
    if (!activation || record.deactivating !== true)
      return refuse('document_superseded', 'It was activated anew in the meantime.', { license: id })
    const out = shelf.seatsOut(installed)
    if (out.seats > 0 && !(confirmOverlap && license.payload.overlap))
      return { kind: 'deactivating', freeAt: out.until }
    const overlap = { seats: out.seats, until: Math.ceil(out.until / 1000) }
    const stamp = { id: `d${randomId()}`, now: this.#seconds(installed) }
    const receipt = buildDeactivation(
      { ...stamp, license, activation: activation.payload, ...(out.seats === 0 ? {} : { overlap }) },
      agent,
    )
    if (out.seats > 0) {
      const until = new Date(out.until).toISOString()
      transaction.journal({
        type: 'seat.overlap',
        facts: { license: id, seats: out.seats, until, reason: 'license_deactivated' },
      })
    }
    transaction.journal({ type: 'license.deactivated', facts: { license: id, number: activation.payload.number } })
    shelf.put(transaction, { ...record, receipt })
    return { kind: 'deactivated', receipt }
  }

  #seconds(installed: Parameters<LicenseShelf['date']>[0]): number {
    return Math.floor(this.#options.shelf.date(installed) / 1000)
  }

  /**
   * Its vendor's clock when it was signed confirms a date that this machine does not know yet (R11). It only raises: a block may
   * have been in the mail for long. A store that can't be written now costs the hint, not the answer.
   */
  async #heed({ signer, payload }: OpenedLicense | OpenedActivation): Promise<void> {
    const { shelf, hearTime } = this.#options
    const installed = shelf.get(payload.typ === 'leasehold-license' ? payload.id : payload.license)
    const time = payload.iat * 1000
    if (!installed || time <= shelf.date(installed) + aheadTolerance) return
    await hearTime(signer, time)
      .then(() => this.refresh())
      .catch(() => undefined)
  }
}

function unknownLicense(id: string): Refusal {
  return refuse('unknown_license', `No license ${id} is installed here.`)
}
