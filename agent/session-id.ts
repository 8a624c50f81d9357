/**
 * Ids of sessions as everybody sees them. A seat of another agent is known as holder/id (R15), which does not fit into one part
 * of an address, so it is shown with an underscore between them. Owns nothing.
 */
import type { SeatView } from './domain/book.ts'

export function publicId(grantId: string): string {
  return grantId.replace('/', '_')
}

/** @returns the id of the grant, or of what stayed of one; an id that is not known comes back as it is */
export function grantIdOf(shown: string, view: Pick<SeatView, 'grant' | 'tombstone'>): string {
  const isKnown = (id: string): boolean => view.grant(id) !== undefined || view.tombstone(id) !== undefined
  if (isKnown(shown)) return shown
  for (let at = shown.indexOf('_'); at >= 0; at = shown.indexOf('_', at + 1)) {
    const id = `${shown.slice(0, at)}/${shown.slice(at + 1)}`
    if (isKnown(id)) return id
  }
  return shown
}
