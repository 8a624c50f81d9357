/**
 * How many seats are in use, counted by key: a key occupies the largest seats of its live grants (R18). Pure.
 * A unit is a supply, or a feature within a supply.
 */

/** How many live grants of one key have how many seats. Immutable; most keys have one grant of one seat. */
export type Holdings = readonly (readonly [seats: number, grants: number])[]

const single: Holdings = [[1, 1]]

export function addHolding(holdings: Holdings | undefined, seats: number): Holdings {
  if (holdings === undefined) return seats === 1 ? single : [[seats, 1]]
  const at = holdings.findIndex(([size]) => size === seats)
  if (at < 0) return [...holdings, [seats, 1]]
  return holdings.map((entry, index) => (index === at ? [seats, entry[1] + 1] : entry))
}

/** @returns undefined when none is left */
export function removeHolding(holdings: Holdings, seats: number): Holdings | undefined {
  const left = holdings
    .map(([size, grants]) => [size, size === seats ? grants - 1 : grants] as const)
    .filter(([, grants]) => grants > 0)
  if (left.length === 0) return undefined
  const [first] = left
  return left.length === 1 && first?.[0] === 1 && first[1] === 1 ? single : left
}

/** Seats that the key occupies. */
export function occupiedBy(holdings: Holdings | undefined): number {
  let largest = 0
  for (const [seats] of holdings ?? []) if (seats > largest) largest = seats
  return largest
}

/** Names of units and of keys within them; a NUL is in no supply id, feature or hash. */
export function featureUnit(supply: string, feature: string): string {
  return `${supply}\0${feature}`
}

export function keyInUnit(unit: string, key: string): string {
  return `${unit}\0\0${key}`
}
