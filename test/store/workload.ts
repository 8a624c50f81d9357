/**
 * What the writing child writes: the changes of each revision follow from its number, so that whoever opens the store
 * afterwards knows from the revision alone what must be in it.
 */
import type { Change, JsonValue } from '../../agent/store/store.ts'
import { put, remove } from './hand.ts'

const keyCount = 400

/** One to nine changes: puts, rewrites and deletes. */
export function changesOf(revision: number, noteBytes: number): Change[] {
  const changes: Change[] = []
  for (let index = 0; index <= revision % 9; index += 1) {
    const key = `grant-${(revision * 31 + index * 101) % keyCount}`
    const note = String.fromCharCode(97 + (revision % 26)).repeat(noteBytes)
    changes.push((revision + index) % 5 === 0 ? remove(key) : put(key, { revision, index, note }))
  }
  return changes
}

/** Value by key after all batches up to `revision`. */
export function contentAt(revision: number, noteBytes: number): Record<string, JsonValue> {
  const content = new Map<string, JsonValue>()
  for (let number = 1; number <= revision; number += 1)
    for (const { key, value } of changesOf(number, noteBytes)) {
      if (value === undefined) content.delete(key)
      else content.set(key, value)
    }
  return Object.fromEntries(content)
}
