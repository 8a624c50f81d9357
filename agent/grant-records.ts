/**
 * Grants and tombstones as records. A tombstone takes the place of its grant's record, so that an end costs one write. What
 * comes back was checked by the store (checksum, schema version), so it is what this code wrote; reading does not validate
 * again, since a start reads a hundred thousand of them.
 */
import type { Grant, Tombstone } from './domain/grant.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'

type EndedValue = Omit<Tombstone, 'id' | 'instance' | 'reason'> & { readonly ended: string }

/** The grant as it is, id included: leaving it out would cost a copy of each. */
export function grantValue(grant: Grant): JsonValue {
  return grant as unknown as JsonValue
}

export function tombstoneValue({ id: _, instance: _instance, reason, ...rest }: Tombstone): JsonValue {
  const value: EndedValue = { ended: reason, ...rest }
  return value as unknown as JsonValue
}

export type GrantRecord =
  | { readonly kind: 'grant'; readonly grant: Grant }
  | { readonly kind: 'tombstone'; readonly tombstone: Tombstone }

export function readGrantRecord({ key: id, instance, value }: StoredRecord): GrantRecord {
  const read = value as unknown as Omit<Grant, 'id'> | EndedValue
  if (!('ended' in read)) return { kind: 'grant', grant: { ...read, id } }
  const { ended: reason, ...rest } = read
  return { kind: 'tombstone', tombstone: { id, instance, reason, ...rest } }
}
