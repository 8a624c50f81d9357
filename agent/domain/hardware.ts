/**
 * The hardware that a license is bound to: names of parts, their salted hashes, and whether a machine is still the same.
 * Pure; `agent/hardware-parts.ts` reads the parts of a machine.
 */
import { createHash } from 'node:crypto'
import { type DocumentRefusal, refuseDocument } from './documents/refusal.ts'

/** Machine id of the system, board or system UUID, processor model, first physical network address, system disk id. */
export const hardwarePartNames = ['machine', 'board', 'processor', 'network', 'disk'] as const
export type HardwarePartName = (typeof hardwarePartNames)[number]

/** What could be read, in the clear; never leaves the machine. */
export type HardwareParts = Readonly<Partial<Record<HardwarePartName, string>>>
/** The same as salted hashes; what documents hold. */
export type HardwareHashes = Readonly<Partial<Record<HardwarePartName, string>>>

/** Percentage of the recorded parts that may differ where the license says nothing. */
export const defaultTolerance = 40

/** What makers write into fields that they did not fill: the same on many machines, so it says nothing. */
const placeholders =
  /^(?:none|n\/?a|null|unknown|default string|default|not (?:specified|applicable|available|present)|to be filled.*|system (?:serial|product|manufacturer).*|o\.?e\.?m\.?|empty|invalid|undefined|[0-]+|[f-]+|[x-]+|0?1234567890?|03000200-0400-0500-0006-000700080009|(?:(?:00|ff):){5}(?:00|ff)|uninitialized)$/

/** @returns the value as it is hashed, or undefined where it says nothing about this machine */
export function normalizePart(value: string): string | undefined {
  const plain = value.replace(/\0/g, '').trim().replace(/\s+/g, ' ').toLowerCase()
  return plain.length < 2 || plain.length > 512 || placeholders.test(plain) ? undefined : plain
}

/**
 * base64url SHA-256 over license id, name of the part and its value as a JSON array. The license id is the salt: the hashes of
 * one machine differ from license to license. It hides a value from a glance, not from somebody who tries all models.
 */
export function hashParts(license: string, parts: HardwareParts): HardwareHashes {
  const hashes: Partial<Record<HardwarePartName, string>> = {}
  for (const name of hardwarePartNames) {
    const value = normalizePart(parts[name] ?? '')
    if (value === undefined) continue
    hashes[name] = createHash('sha256')
      .update(JSON.stringify(['leasehold-part', license, name, value]))
      .digest('base64url')
  }
  return hashes
}

/** The hashes to record at activation; refused where too little of the machine can be read to know it again. */
export function recordParts(
  license: string,
  parts: HardwareParts,
): { kind: 'recorded'; parts: HardwareHashes } | DocumentRefusal {
  const hashes = hashParts(license, parts)
  const names = Object.keys(hashes)
  if (names.length < 2)
    return refuseDocument('hardware_unreadable', 'At least two hardware parts are needed to know the machine again.', {
      readable: names,
    })
  if (hashes.machine === undefined && hashes.board === undefined)
    return refuseDocument('hardware_unreadable', 'Neither a machine id nor a board id can be read.', {
      readable: names,
    })
  return { kind: 'recorded', parts: hashes }
}

export interface HardwareMatch {
  readonly kind: 'same' | 'other'
  readonly agreeing: readonly HardwarePartName[]
  /** Recorded and now different or unreadable. */
  readonly differing: readonly HardwarePartName[]
  /** Why it counts as another machine: too few parts agree, or neither machine id nor board does. */
  readonly reason?: 'too_few' | 'no_anchor'
}

/**
 * Whether this is the machine that was recorded: enough of the recorded parts agree, machine id or board among them.
 * What is unreadable now counts as changed; what was unreadable then does not count.
 * @param tolerance percentage of the recorded parts that may differ
 */
export function matchHardware(
  recorded: HardwareHashes,
  current: HardwareHashes,
  tolerance = defaultTolerance,
): HardwareMatch {
  const known = hardwarePartNames.filter((name) => recorded[name] !== undefined)
  const agreeing = known.filter((name) => recorded[name] === current[name])
  const differing = known.filter((name) => recorded[name] !== current[name])
  if (known.length === 0 || agreeing.length * 100 < known.length * (100 - tolerance))
    return { kind: 'other', agreeing, differing, reason: 'too_few' }
  if (!agreeing.includes('machine') && !agreeing.includes('board'))
    return { kind: 'other', agreeing, differing, reason: 'no_anchor' }
  return { kind: 'same', agreeing, differing }
}
