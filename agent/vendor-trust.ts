/**
 * Which vendors are trusted here: a short name bound to one key, from the first license that an administrator accepted.
 * Owns the `vendor` records. Must not import http.
 */
import { z } from 'zod'
import { type PublicJwk, publicJwk, shortGroups, type VerifyingKey, verifyingKey } from './domain/documents/keys.ts'
import { type Refusal, refuse } from './errors.ts'
import type { StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction } from './writes.ts'

const vendorRecord = z.strictObject({ key: publicJwk, trustedAt: z.number() })

export interface TrustedVendor {
  readonly name: string
  readonly key: VerifyingKey
  /** Wall time in ms. */
  readonly trustedAt: number
}

export class VendorTrust implements RecordOwner {
  readonly kinds = ['vendor'] as const
  #vendors = new Map<string, TrustedVendor>()
  /** Who is trusted by a batch that is being decided; later jobs of the same batch see it. */
  readonly #drafts = new WeakMap<Transaction, Map<string, TrustedVendor>>()

  reset(): void {
    this.#vendors = new Map()
  }

  restore(record: StoredRecord): void {
    const { key, trustedAt } = vendorRecord.parse(record.value)
    this.#vendors.set(record.key, { name: record.key, key: verifyingKey(key), trustedAt })
  }

  list(): TrustedVendor[] {
    return [...this.#vendors.values()]
  }

  /** The key of a signer, for documents that do not carry it. */
  keyOf(signer: string): VerifyingKey | undefined {
    return this.list().find((vendor) => vendor.key.id === signer)?.key
  }

  isTrusted(name: string, signer: string): boolean {
    return this.#vendors.get(name)?.key.id === signer
  }

  /**
   * Undefined when the vendor is trusted, or would be with `trust`.
   * @param transaction within a job: with what the jobs before it in the same batch trust
   */
  check(name: string, signer: string, trust: boolean, transaction?: Transaction): Refusal | undefined {
    const known = this.#find(name, transaction)
    if (known && known.key.id !== signer) {
      return refuse('vendor_name_taken', `A vendor “${name}” with another key is trusted here already.`, {
        vendor: name,
        fingerprint: shortGroups(signer),
        trusted: shortGroups(known.key.id),
      })
    }
    if (known || trust) return undefined
    return refuse(
      'untrusted_vendor',
      `The vendor “${name}” is new here. Its key has the fingerprint ${shortGroups(signer)}.`,
      {
        vendor: name,
        fingerprint: shortGroups(signer),
        key: signer,
      },
    )
  }

  /** Within a job: binds the name to the key, if it is not yet. @param at wall time in ms */
  trust(transaction: Transaction, name: string, key: PublicJwk, at: number): void {
    if (this.#find(name, transaction)) return
    const vendor = { name, key: verifyingKey(key), trustedAt: at }
    transaction.put('vendor', name, { key: { ...key }, trustedAt: at })
    transaction.journal({ type: 'vendor.trusted', facts: { vendor: name, key: vendor.key.id } })
    const draft = this.#drafts.get(transaction) ?? new Map<string, TrustedVendor>()
    this.#drafts.set(transaction, draft.set(name, vendor))
    transaction.after(() => this.#vendors.set(name, vendor))
  }

  #find(name: string, transaction?: Transaction): TrustedVendor | undefined {
    return (transaction && this.#drafts.get(transaction)?.get(name)) ?? this.#vendors.get(name)
  }
}
