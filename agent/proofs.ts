/**
 * Proofs of sessions: below license and activation the agent signs what it granted, bound to the session's nonces (R27).
 * Keeps what is the same for all sessions of a license, since this is on the hot path. Owns nothing that is stored.
 * Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import { type CountKey, countKey } from './domain/count-key.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { Grant, Part } from './domain/grant.ts'
import { type ProofSigner, type ProofUnavailable, prepareLicenseProof } from './domain/proof-signer.ts'
import { factsOfGrant } from './domain/seats.ts'
import { promiseSeconds, type Supply } from './domain/supply.ts'
import type { Lessor } from './lessor.ts'
import type { Installed } from './license-record.ts'
import type { LicenseShelf } from './license-shelf.ts'

export interface ProofsOptions {
  readonly shelf: LicenseShelf
  readonly lessor: Lessor
  readonly clock: Clock
  readonly agent: SigningKey
  /** An Ed25519 signature with the key of `agent`. */
  readonly sign: (text: string) => Promise<Buffer>
  readonly randomId: () => string
}

/** A part of a session that can be proved. */
interface Provable {
  readonly part: Part
  readonly supply: Supply
  readonly installed: Installed
  readonly signer: ProofSigner
}

export class Proofs {
  readonly #options: ProofsOptions
  /** By the license as it is installed at the moment: with any change it is another object. */
  readonly #signers = new WeakMap<Installed, ProofSigner | ProofUnavailable>()

  constructor(options: ProofsOptions) {
    this.#options = options
  }

  vendorKeyOf(license: string): string | undefined {
    return this.#options.shelf.get(license)?.license.signer
  }

  /**
   * The chain for a session and a nonce. A chain has one license, so a session with parts in several supplies is proved by its
   * largest part that can be, and the proof says that part's seats.
   */
  async prove(grant: Grant, nonce: string): Promise<{ proof: string[] } | { proofUnavailable: 'not_activated' }> {
    const { lessor, clock, shelf, randomId, sign } = this.#options
    const provable = this.#provable(grant)
    if (!provable) return { proofUnavailable: 'not_activated' }
    const { part, supply, installed, signer } = provable
    const key: CountKey | undefined = countKey(supply.rule, factsOfGrant(grant))
    const left = (lessor.promiseOf(grant.id)?.promisedUntil ?? 0) - clock.atLeast()
    // What was promised before a restart is not known exactly, so the license and its end are the limit, too.
    const validFor = Math.min(Math.floor(left / 1000), promiseSeconds(supply, clock.boot().at))
    const { unsigned, complete } = signer.prove({
      id: `a${randomId()}`,
      now: Math.floor(shelf.date(installed) / 1000),
      session: grant.id,
      product: grant.product,
      ...(grant.feature === undefined ? {} : { feature: grant.feature }),
      ...(supply.product === undefined ? { any: true } : {}),
      seats: part.seats,
      rule: supply.rule,
      ...(key === undefined ? {} : { key }),
      binding: grant.binding ?? nonce,
      nonce,
      validFor: Math.max(1, validFor),
    })
    return { proof: complete(await sign(unsigned)) }
  }

  #provable(grant: Grant): Provable | undefined {
    const { lessor, shelf } = this.#options
    let largest: Provable | undefined
    for (const part of grant.parts) {
      const supply = lessor.view.supply(part.supply)
      const installed = supply && shelf.get(supply.license)
      const signer = installed && this.#signerOf(installed)
      if (supply === undefined || installed === undefined || signer?.kind !== 'ready') continue
      if (largest === undefined || part.seats > largest.part.seats) largest = { part, supply, installed, signer }
    }
    return largest
  }

  #signerOf(installed: Installed): ProofSigner | ProofUnavailable {
    const known = this.#signers.get(installed)
    if (known) return known
    const signer = prepareLicenseProof(installed.license, installed.activation, this.#options.agent)
    this.#signers.set(installed, signer)
    return signer
  }
}
