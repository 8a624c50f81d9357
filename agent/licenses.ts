/**
 * What is done with licenses: install, request and apply an activation, move away, remove. Decides what may be done and makes
 * the documents; records and supplies are the shelf's. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import { type Opened, openDocument } from './domain/documents/document.ts'
import { buildActivationRequest, buildDeactivation, checkActivation } from './domain/documents/exchange.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import { type HardwareParts, recordParts } from './domain/hardware.ts'
import { type Refusal, refuse } from './errors.ts'
import { keyOfLicense } from './license-record.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { VendorTrust } from './vendor-trust.ts'
import type { Writes } from './writes.ts'

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
}

type OpenedLicense = Opened<'leasehold-license'>

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
  checkInstall(license: OpenedLicense, trust: boolean): Refusal | undefined {
    const { id, vendor } = license.payload
    const untrusted = this.#options.vendors.check(vendor.name, license.signer, trust)
    if (untrusted) return untrusted
    const before = this.#options.shelf.get(id)
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
        this.#options.shelf.put(transaction, { text, installedAt: at, number: 0, nonces: [] })
        return { kind: 'installed' as const, id: payload.id }
      },
      { growing: true },
    )
  }

  /** The block for the vendor. Its nonce is stored before it is shown. */
  async requestActivation(id: string): Promise<{ readonly kind: 'requested'; readonly text: string } | Refusal> {
    return await this.#options.writes.submit((transaction) => {
      const installed = this.#options.shelf.get(id)
      if (!installed) return unknownLicense(id)
      const recorded = recordParts(id, this.#options.hardware())
      if (recorded.kind === 'refused') return recorded
      const { agent, randomId } = this.#options
      const nonce = randomId()
      const { record, license } = installed
      const facts = {
        id: `r${randomId()}`,
        now: this.#options.shelf.seconds(installed),
        license,
        parts: recorded.parts,
        nonce,
        number: record.number,
      }
      this.#options.shelf.put(transaction, { ...record, nonces: [...record.nonces, nonce].slice(-mostNonces) })
      return { kind: 'requested' as const, text: buildActivationRequest(facts, agent) }
    })
  }

  /** Whether this answer of the vendor could be applied; undefined when it could. */
  checkActivation(answer: Opened<'leasehold-activation'>): Refusal | undefined {
    const installed = this.#options.shelf.get(answer.payload.license)
    if (!installed) return unknownLicense(answer.payload.license)
    const checked = checkActivation(answer, {
      license: installed.license,
      agent: this.#options.agent.id,
      nonces: installed.record.nonces,
      number: installed.record.number,
      now: this.#options.shelf.seconds(installed),
    })
    return checked.kind === 'refused' ? checked : undefined
  }

  async activate(text: string, id: string): Promise<{ readonly kind: 'activated'; readonly id: string } | Refusal> {
    return await this.#options.writes.submit(
      (transaction) => {
        const installed = this.#options.shelf.get(id)
        if (!installed) return unknownLicense(id)
        const answer = openDocument(text, 'leasehold-activation', keyOfLicense(installed.license))
        if (answer.kind === 'refused') return answer
        const refused = this.checkActivation(answer)
        if (refused) return refused
        const { number } = answer.payload
        const { blockedAt: _b, deactivating: _d, receipt: _r, ...record } = installed.record
        transaction.journal({ type: 'license.activated', facts: { license: id, number } })
        this.#options.shelf.put(transaction, {
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
      const installed = this.#options.shelf.get(id)
      if (!installed) return unknownLicense(id)
      const { record, license, activation } = installed
      if (record.receipt !== undefined) return { kind: 'deactivated' as const, receipt: record.receipt }
      if (!activation) return refuse('license_not_active', 'It is not activated, so there is nothing to move away.')
      if (confirmOverlap && !license.payload.overlap)
        return refuse('overlap_forbidden', 'The license does not allow seats to be freed while they may be in use.')
      const out = this.#options.shelf.seatsOut(id)
      if (out.seats > 0 && !confirmOverlap) {
        this.#options.shelf.put(transaction, { ...record, deactivating: true })
        return { kind: 'deactivating' as const, freeAt: out.until }
      }
      const { agent, randomId } = this.#options
      const receipt = buildDeactivation(
        {
          id: `d${randomId()}`,
          now: this.#options.shelf.seconds(installed),
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
      this.#options.shelf.put(transaction, { ...record, deactivating: true, receipt })
      return { kind: 'deactivated' as const, receipt }
    })
  }

  async remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal> {
    return await this.#options.writes.submit((transaction) => {
      const installed = this.#options.shelf.get(id)
      if (!installed) return unknownLicense(id)
      transaction.journal({ type: 'license.removed', facts: { license: id } })
      this.#options.shelf.drop(transaction, id)
      return { kind: 'removed' as const }
    })
  }

  /** Brings everything up to date with the date and the hardware; to be called every minute. */
  async refresh(): Promise<void> {
    await this.#options.writes.submit((transaction) => this.#options.shelf.refresh(transaction))
  }
}

function unknownLicense(id: string): Refusal {
  return refuse('unknown_license', `No license ${id} is installed here.`)
}
