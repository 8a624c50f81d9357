/**
 * What a batch must be before any store takes it. A batch that is not is a mistake of the writer, found before it is on
 * disk. Shared by the stores; no I/O.
 */
import { type RecordAddress, recordKey } from './keys.ts'
import { type Batch, type Change, StoreError, type StoreState } from './store.ts'

const hashForm = /^[\w-]{43}$/

/** Throws StoreError 'failed'; nothing has been written then. */
export function checkBatch(batch: Batch, revision: number, state: StoreState): void {
  if (revision !== state.revision)
    throw new StoreError('failed', `A batch decided on revision ${revision} can't follow revision ${state.revision}.`)
  if (batch.head.sequence > 0 && !hashForm.test(batch.head.hash))
    throw new StoreError('failed', 'The hash of the journal head must be a SHA-256 as base64url.')
  let { sequence, hash } = state.head
  for (const entry of batch.entries) {
    sequence += 1
    hash = entry.hash
    if (entry.sequence !== sequence)
      throw new StoreError('failed', `Journal entry ${entry.sequence} came where ${sequence} should.`)
  }
  if (batch.head.sequence !== sequence || batch.head.hash !== hash)
    throw new StoreError('failed', `The journal head of the batch is not its last entry, ${sequence}.`)
}

/** The last change of each key, by the key as stored. */
export function lastChanges(changes: readonly Change[]): Map<string, Change> {
  const last = new Map<string, Change>()
  for (const change of changes) last.set(keyOf(change), change)
  return last
}

function keyOf(address: RecordAddress): string {
  try {
    return recordKey(address)
  } catch (error) {
    throw new StoreError('failed', error instanceof Error ? error.message : String(error), error)
  }
}
