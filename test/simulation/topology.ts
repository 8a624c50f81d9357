/**
 * Which machines there are and which of them know each other: managers, a branch between them and some clients, or all on one
 * floor.
 */
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import type { Random } from './random.ts'

export interface SitePlan {
  readonly name: string
  readonly key: SigningKey
  readonly hasLicenses: boolean
  /** Indices of the machines whose agents it may ask for seats. */
  readonly knows: readonly number[]
  /** For how long it keeps a lease for its next use, in seconds. */
  readonly lingerSeconds: number
}

/** Each agent has a key of its own. */
function keyOf(index: number): SigningKey {
  return sampleKey(`agent ${index}`)
}

/** Each knows the one before it only: a manager, and behind it one branch after another. */
export function inventRow(random: Random, agents: number): SitePlan[] {
  return Array.from({ length: agents }, (_, index) => ({
    name: index === 0 ? 'M1' : index === agents - 1 ? `C${index + 1}` : `B${index + 1}`,
    key: keyOf(index),
    hasLicenses: index === 0,
    knows: index === 0 ? [] : [index - 1],
    lingerSeconds: random.pick([1, 10, 60, 300]),
  }))
}

export function inventNetwork(random: Random, agents: number): SitePlan[] {
  if (agents === 1) return [{ name: 'the agent', key: keyOf(0), hasLicenses: true, knows: [], lingerSeconds: 0 }]
  const managers = agents > 2 && random.chance(0.5) ? 2 : 1
  const hasBranch = agents > managers + 1 && random.chance(0.5)
  const isFloor = random.chance(0.3)
  const branch = hasBranch ? managers : undefined
  return Array.from({ length: agents }, (_, index): SitePlan => {
    const isManager = index < managers
    const name = isManager ? `M${index + 1}` : index === branch ? 'B' : `C${index + 1}`
    return {
      name,
      key: keyOf(index),
      hasLicenses: isManager,
      knows: knownTo(index),
      lingerSeconds: random.pick([1, 10, 60, 300]),
    }
  })

  function knownTo(index: number): number[] {
    const others = Array.from({ length: agents }, (_, other) => other).filter((other) => other !== index)
    const all = others.filter((other) => other < managers)
    if (isFloor || index < managers) return isFloor || random.chance(0.5) ? others : all
    if (branch === undefined || index === branch) return all
    // Behind the branch; some know a manager besides.
    return random.chance(0.3) ? [branch, ...all] : [branch]
  }
}
