/**
 * Grants and tombstones as records. What comes back was checked by the store (checksum, schema version), so it is what this
 * code wrote; reading does not validate again, since a start reads a hundred thousand of them.
 */
import type { Grant, Tombstone } from './domain/grant.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'

export function grantValue(grant: Grant): JsonValue {
  const { id: _, ...value } = grant
  return value as unknown as JsonValue
}

export function restoreGrant(record: StoredRecord): Grant {
  return { id: record.key, ...(record.value as unknown as Omit<Grant, 'id'>) }
}

export function tombstoneValue(tombstone: Tombstone): JsonValue {
  const { id: _, instance: _instance, ...value } = tombstone
  return value as unknown as JsonValue
}

export function restoreTombstone(record: StoredRecord): Tombstone {
  const { key: id, instance, value } = record
  return { id, instance, ...(value as unknown as Omit<Tombstone, 'id' | 'instance'>) }
}
