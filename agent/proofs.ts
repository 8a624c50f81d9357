/**
 * Proofs of sessions, and the texts of leases: below license and activation, or below what another agent signed for it, the agent
 * signs what it granted (R26, R27). Keeps what is the same for all grants of a supply, since this is on the hot path. Owns nothing
 * that is stored. Must not import broker or http.
 */
import type { Clock } from './clock.ts'
import { countKey } from './domain/count-key.ts'
import type { PublicJwk, SigningKey } from './domain/documents/keys.ts'
import { type Grant, type Part, peerGrantId } from './domain/grant.ts'
import { type ProofSigner, prepareLicenseProof, prepareProof, readLastLink } from './domain/proof-signer.ts'
import { factsOfGrant } from './domain/seats.ts'
import { isAnyProduct, leasableSeconds, promiseSeconds, type Supply } from './domain/supply.ts'
import type { Lessor } from './lessor.ts'
import type { Installed } from './license-record.ts'
import type { LicenseShelf } from './license-shelf.ts'

/** From license and activation to the link whose `next` is this agent, as it came with the supply. */
export interface SupplyLinks {
  readonly links: readonly string[]
}

export interface ProofsOptions {
  readonly shelf: LicenseShelf
  readonly lessor: Lessor
  readonly clock: Clock
  readonly agent: SigningKey
  /** An Ed25519 signature with the key of `agent`. */
  readonly sign: (text: string) => Promise<Buffer>
  readonly randomId: () => string
  /** Of a leased or detached supply; the same object as long as they are the same. Absent: there are no such supplies. */
  readonly linksOf?: (supply: string) => SupplyLinks | undefined
  /** The key of an agent that holds leases; undefined: not known. */
  readonly keyOf?: (agent: string) => PublicJwk | undefined
}

export interface LeaseLinks {
  /** License and activation. */
  readonly root: readonly string[]
  /** The texts of the leases from there down to this one. */
  readonly leases: readonly string[]
}

/** What a supply's seats are proved with. */
interface Base {
  readonly signer: ProofSigner
  /** Seconds since 1970 by the clock that the last link was signed by. */
  readonly now: number
}

/** A part of a grant that can be proved. */
interface Provable extends Base {
  readonly part: Part
  readonly supply: Supply
}

/** Prepared for the links of a leased or detached supply; `end` of the last one, in seconds since 1970. */
interface Prepared {
  readonly signer: ProofSigner
  readonly end: number
}

export class Proofs {
  readonly #options: ProofsOptions
  /** By the license as it is installed at the moment: with any change it is another object. */
  readonly #ofLicenses = new WeakMap<Installed, { readonly signer: ProofSigner | undefined }>()
  readonly #ofLinks = new WeakMap<SupplyLinks, { readonly prepared: Prepared | undefined }>()

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
    const { clock, randomId, sign } = this.#options
    const provable = this.#provable(grant)
    if (!provable) return { proofUnavailable: 'not_activated' }
    const { part, supply, signer, now } = provable
    const key = countKey(supply.rule, factsOfGrant(grant))
    // What was promised before a restart is not known exactly, so the supply and its end are the limit, too.
    const validFor = Math.min(this.#secondsLeft(grant), promiseSeconds(supply, clock.boot().at))
    const { unsigned, complete } = signer.prove({
      id: `a${randomId()}`,
      now,
      session: grant.id,
      product: grant.product,
      ...(grant.feature === undefined ? {} : { feature: grant.feature }),
      ...(isAnyProduct(supply) ? { any: true } : {}),
      seats: part.seats,
      rule: supply.rule,
      ...(key === undefined ? {} : { key }),
      binding: grant.binding ?? nonce,
      nonce,
      validFor: Math.max(1, validFor),
    })
    return { proof: complete(await sign(unsigned)) }
  }

  /** The proof that its holder signs below: signed anew, for as long as the lease is promised now. Undefined: there is none. */
  async leaseLinks(grant: Grant): Promise<LeaseLinks | undefined> {
    const { clock, randomId, keyOf, sign } = this.#options
    const next = keyOf?.(grant.holder)
    const provable = next && grant.kind === 'lease' ? this.#provable(grant) : undefined
    if (!next || !provable) return undefined
    const { part, supply, signer, now } = provable
    const validFor = Math.min(this.#secondsLeft(grant), leasableSeconds(supply, clock.boot().at))
    if (validFor < 1) return undefined
    const key = part.key === undefined ? undefined : countKey(supply.rule, factsOfGrant(grant))
    const { unsigned, complete } = signer.lease({
      id: `l${randomId()}`,
      now,
      next,
      product: grant.product,
      ...(grant.feature === undefined ? {} : { feature: grant.feature }),
      ...(isAnyProduct(supply) ? { any: true } : {}),
      seats: part.seats,
      rule: supply.rule,
      ...(key === undefined ? {} : { key }),
      depth: supply.depth - 1,
      validFor,
    })
    const text = complete(await sign(unsigned))
    return { root: signer.links.slice(0, 2), leases: [...signer.links.slice(2), text] }
  }

  #secondsLeft(grant: Grant): number {
    const { lessor, clock } = this.#options
    return Math.floor(((lessor.promiseOf(grant.id)?.promisedUntil ?? 0) - clock.atLeast()) / 1000)
  }

  #provable(grant: Grant): Provable | undefined {
    let largest: Provable | undefined
    for (const part of grant.parts) {
      const supply = this.#options.lessor.view.supply(part.supply)
      const base = supply && this.#baseOf(supply)
      if (supply === undefined || base === undefined) continue
      if (largest === undefined || part.seats > largest.part.seats) largest = { part, supply, ...base }
    }
    return largest
  }

  #baseOf(supply: Supply): Base | undefined {
    const { shelf, linksOf, clock, lessor } = this.#options
    if (supply.manager?.id === supply.instance) {
      // Kept in advance by this very agent: no other one signed anything, so the proof is that of where it came from.
      const own = lessor.view.grant(peerGrantId(supply.instance, supply.id))
      const origin = lessor.view.supply(own?.parts[0]?.supply ?? '')
      return origin && this.#baseOf(origin)
    }
    if (supply.kind === 'license') {
      const installed = shelf.get(supply.license)
      const signer = installed && this.#signerOf(installed)
      return signer && { signer, now: Math.floor(shelf.date(installed) / 1000) }
    }
    const found = linksOf?.(supply.id)
    const prepared = found && this.#prepare(found)
    if (!prepared || supply.until === undefined) return undefined
    // The end of a lease is told by its manager's clock, which may differ from ours: so is what follows from it (R13).
    const left = Math.ceil(Math.max(0, supply.until - clock.boot().at) / 1000)
    return { signer: prepared.signer, now: prepared.end - left }
  }

  #signerOf(installed: Installed): ProofSigner | undefined {
    const known = this.#ofLicenses.get(installed)
    if (known) return known.signer
    const made = prepareLicenseProof(installed.license, installed.activation, this.#options.agent)
    const signer = made.kind === 'ready' ? made : undefined
    this.#ofLicenses.set(installed, { signer })
    return signer
  }

  #prepare(found: SupplyLinks): Prepared | undefined {
    const known = this.#ofLinks.get(found)
    if (known) return known.prepared
    const last = found.links.length > 2 ? readLastLink(found.links) : undefined
    const prepared = last && { signer: prepareProof(found.links, this.#options.agent), end: last.exp }
    this.#ofLinks.set(found, { prepared })
    return prepared
  }
}
