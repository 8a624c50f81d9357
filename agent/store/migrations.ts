/**
 * How records of an older schema become those of this version. Schema 1 is the first release's; each step of the list makes
 * the next one, so the list only ever grows at its end. Steps are pure; the store applies all of them in one batch at start.
 * Journal entries are never changed. Imports types of the port only.
 */
import type { JsonValue, StoredRecord } from './store.ts'

export interface Migration {
  /** What it does, for the log and for whoever reads the list. */
  readonly does: string
  /** The record in the next schema; `undefined` leaves it out. No two records may become one. */
  change(record: StoredRecord): StoredRecord | undefined
}

export const migrations: readonly Migration[] = [
  {
    does: 'puts what stays of an ended grant in the place of the grant; from here on journal entries share records',
    change(record) {
      if (record.kind !== 'tombstone') return record
      const { reason, ...rest } = record.value as { readonly reason: JsonValue; readonly overlap?: JsonValue }
      return { ...record, kind: 'grant', value: { ended: reason, ...rest } }
    },
  },
]

/** The schema that a program with these steps writes. */
export function schemaAfter(steps: readonly Migration[]): number {
  return 1 + steps.length
}

/** @param schema the one that the record is in */
export function migrateRecord(
  record: StoredRecord,
  schema: number,
  steps: readonly Migration[],
): StoredRecord | undefined {
  let migrated: StoredRecord | undefined = record
  for (const step of steps.slice(schema - 1)) {
    if (migrated === undefined) return undefined
    migrated = step.change(migrated)
  }
  return migrated
}
