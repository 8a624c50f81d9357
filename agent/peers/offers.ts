/**
 * What one may say of offers: whether there are free seats, and which of two is the better. Pure; owns nothing.
 */
import type { Offer } from './wire.ts'

export function hasFree({
  seats,
  used,
  anySeats,
  anyUsed,
}: Pick<Offer, 'seats' | 'used' | 'anySeats' | 'anyUsed'>): boolean {
  return seats > used || anySeats > anyUsed
}

/** Below 0: the first is better. It has free seats, then it comes the shorter way. */
export function compareOffers(a: Offer, b: Offer): number {
  return Number(hasFree(b)) - Number(hasFree(a)) || a.chain.length - b.chain.length
}
