/**
 * Checksums of the records that are stored, so that a write need not look up what it replaces (R8). Memory only; owned by the
 * store. The text of a key is shared with whoever has it, so a record takes some 50 bytes here.
 */
import type { RecordKind } from './store.ts'

interface Address {
  readonly kind: RecordKind
  readonly instance: string
  readonly key: string
}

export class Checksums {
  /** By kind and instance, of which there are few, then by key. Sums are kept as signed numbers, which take no room of their own. */
  readonly #groups = new Map<string, Map<string, Map<string, number>>>()

  get(address: Address): number | undefined {
    const sum = this.#groupOf(address).get(address.key)
    return sum === undefined ? undefined : sum >>> 0
  }

  /** @param checksum undefined = the record is gone */
  set(address: Address, checksum: number | undefined): void {
    if (checksum === undefined) this.#groupOf(address).delete(address.key)
    else this.#groupOf(address).set(address.key, checksum | 0)
  }

  #groupOf({ kind, instance }: Address): Map<string, number> {
    const ofKind = this.#groups.get(kind) ?? new Map<string, Map<string, number>>()
    if (ofKind.size === 0) this.#groups.set(kind, ofKind)
    const group = ofKind.get(instance) ?? new Map<string, number>()
    if (group.size === 0) ofKind.set(instance, group)
    return group
  }
}
