/**
 * Proofs of sessions: below license and activation the agent signs what it granted, bound to the session's nonces (R27).
 * Keeps what is the same for all sessions of a license, since this is on the hot path. Owns nothing that is stored.
 */
import type { Clock } from './clock.ts'
import { type CountKey, countKey } from './domain/count-key.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { Grant } from './domain/grant.ts'
import { type ProofSigner, type ProofUnavailable, prepareLicenseProof } from './domain/proof-signer.ts'
import { factsOfGrant } from './domain/seats.ts'
import type { Lessor } from './lessor.ts'
import type { LicenseShelf } from './license-shelf.ts'

export interface ProofsOptions {
  readonly shelf: LicenseShelf
  readonly lessor: Lessor
  readonly clock: Clock
  readonly agent: SigningKey
  readonly randomId: () => string
}

export class Proofs {
  readonly #options: ProofsOptions
  readonly #signers = new Map<string, ProofSigner | ProofUnavailable>()

  constructor(options: ProofsOptions) {
    this.#options = options
  }

  /** To be called when a license was changed. */
  forget(license: string): void {
    this.#signers.delete(license)
  }

  vendorKeyOf(license: string): string | undefined {
    return this.#options.shelf.get(license)?.license.signer
  }

  /**
   * The chain for a session and a nonce. A session with parts in several supplies is proved by the part that comes first:
   * a chain has one license.
   */
  prove(grant: Grant, nonce: string): { proof: string[] } | { proofUnavailable: 'not_activated' } {
    const { lessor, clock, randomId } = this.#options
    const [part] = grant.parts
    const supply = part && lessor.view.supply(part.supply)
    const signer = supply && this.#signerOf(supply.license)
    if (!part || !supply || !signer || signer.kind === 'unavailable') return { proofUnavailable: 'not_activated' }
    const left = (lessor.promiseOf(grant.id)?.promisedUntil ?? 0) - clock.atLeast()
    const key: CountKey | undefined = countKey(supply.rule, factsOfGrant(grant))
    const proof = signer.prove({
      id: `a${randomId()}`,
      now: Math.floor(clock.wall() / 1000),
      session: grant.id,
      product: grant.product,
      ...(grant.feature === undefined ? {} : { feature: grant.feature }),
      ...(supply.product === undefined ? { any: true } : {}),
      seats: part.seats,
      rule: supply.rule,
      ...(key === undefined ? {} : { key }),
      binding: grant.binding ?? nonce,
      nonce,
      validFor: Math.max(1, Math.floor(left / 1000)),
    })
    return { proof: [...proof] }
  }

  #signerOf(license: string): ProofSigner | ProofUnavailable | undefined {
    const known = this.#signers.get(license)
    if (known) return known
    const installed = this.#options.shelf.get(license)
    if (!installed) return undefined
    const signer = prepareLicenseProof(installed.license, installed.activation, this.#options.agent)
    this.#signers.set(license, signer)
    return signer
  }
}
