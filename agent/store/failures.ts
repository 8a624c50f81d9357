/**
 * From whatever LevelDB or the file system throws to a StoreError with a code. Leaf but for the port.
 */
import { StoreError, type StoreErrorCode } from './store.ts'

/** From the inside out: LevelDB's own code is in the cause. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    if ('code' in inner && typeof inner.code === 'string') codes.unshift(inner.code)
  }
  return codes
}

function messageOf(error: unknown): string {
  let message = String(error)
  for (let inner = error; inner instanceof Error; inner = inner.cause) message = inner.message
  return message
}

const byCode: Readonly<Record<string, StoreErrorCode>> = {
  LEVEL_LOCKED: 'locked',
  LEVEL_CORRUPTION: 'damaged',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EACCES: 'not_permitted',
  EPERM: 'not_permitted',
  EROFS: 'not_permitted',
}

/** LevelDB reports what the system said as text only. */
const byText: readonly (readonly [RegExp, StoreErrorCode])[] = [
  [/no space left|disk quota exceeded|not enough space|disk is full/i, 'disk_full'],
  [/permission denied|read-only file system|operation not permitted|access is denied/i, 'not_permitted'],
  [/no such file|truncated|invalid argument|does not exist|cannot find the/i, 'damaged'],
]

/** @param doing what was being done, as the beginning of the message */
export function toStoreError(error: unknown, doing: string): StoreError {
  if (error instanceof StoreError) return error
  const codes = codesOf(error)
  const message = messageOf(error)
  const known = codes.map((code) => byCode[code]).find((code) => code !== undefined)
  if (known === 'locked')
    return new StoreError('locked', `${doing}: another Leasehold agent has this store open (${message})`, error)
  if (known !== undefined) return new StoreError(known, `${doing}: ${message}`, error)
  const fromLevel = codes.some((code) => code.startsWith('LEVEL_'))
  const read = fromLevel ? byText.find(([pattern]) => pattern.test(message)) : undefined
  return new StoreError(read === undefined ? 'failed' : read[1], `${doing}: ${message}`, error)
}
