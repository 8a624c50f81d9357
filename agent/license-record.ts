/**
 * An installed license as it is stored and as it is held in memory: its text, its activation, and what happened to it here.
 * Owns nothing; the owner is `license-shelf.ts`.
 */
import { z } from 'zod'
import { type Opened, openDocument } from './domain/documents/document.ts'
import { type VerifyingKey, verifyingKey } from './domain/documents/keys.ts'
import { type HardwareMatch, type HardwareParts, hashParts, matchHardware } from './domain/hardware.ts'
import type { Happening } from './domain/journal.ts'
import { grantsSeats, type LicenseStanding, licenseStanding } from './domain/license-state.ts'
import { type StoredRecord, StoreError } from './store/store.ts'

export const licenseRecord = z.strictObject({
  /** The exact compact text; its hash is what other documents name. */
  text: z.string(),
  /** Wall time in ms. */
  installedAt: z.number(),
  /** Compact text of the activation in force. */
  activation: z.string().optional(),
  activatedAt: z.number().optional(),
  /** Number of the last activation that was applied, 0 = none (R25). */
  number: z.int(),
  /** Nonces of requests that are not answered yet, newest last. */
  nonces: z.array(z.string()),
  /** Date in ms at which the hardware was first found to differ. */
  blockedAt: z.number().optional(),
  /** Date in ms at which it was first found to be past its end, or past that of its activation. */
  expiredAt: z.number().optional(),
  /** It is being moved away: no more sessions; the receipt comes when no seat is in use (R6). */
  deactivating: z.boolean().optional(),
  /** Compact text of the deactivation receipt. */
  receipt: z.string().optional(),
  replacedBy: z.string().optional(),
})
export type LicenseRecord = z.infer<typeof licenseRecord>

export interface Installed {
  readonly record: LicenseRecord
  readonly license: Opened<'leasehold-license'>
  readonly activation: Opened<'leasehold-activation'> | undefined
  /** Undefined while there is no activation. */
  readonly hardware: HardwareMatch | undefined
}

/** @throws StoreError `damaged`: what was stored was opened before, so it must open again */
export function restoreLicense(stored: StoredRecord, parts: HardwareParts): Installed {
  const installed = readInstalled(licenseRecord.parse(stored.value), parts)
  if (!installed) throw new StoreError('damaged', `The license ${stored.key} in the store does not open any more.`)
  return installed
}

export function readInstalled(record: LicenseRecord, parts: HardwareParts): Installed | undefined {
  const license = openDocument(record.text, 'leasehold-license')
  if (license.kind === 'refused') return undefined
  if (record.activation === undefined) return { record, license, activation: undefined, hardware: undefined }
  const activation = openDocument(record.activation, 'leasehold-activation', keyOfLicense(license))
  if (activation.kind === 'refused') return undefined
  const current = hashParts(license.payload.id, parts)
  const hardware = matchHardware(activation.payload.parts, current, license.payload.activation.tolerance)
  return { record, license, activation, hardware }
}

/** The state on a date. @param date in ms, from the date floor */
export function standingOf(installed: Installed, date: number): LicenseStanding {
  const { record, license, activation, hardware } = installed
  return licenseStanding(
    {
      license: license.payload,
      ...(activation === undefined ? {} : { activation: activation.payload }),
      sameHardware: hardware?.kind !== 'other',
      replaced: record.replacedBy !== undefined,
      deactivated: record.receipt !== undefined || record.deactivating === true,
    },
    Math.floor(date / 1000),
  )
}

/** It never gives out seats again, whatever the date. */
export function isOver({ record }: Installed): boolean {
  return record.receipt !== undefined || record.replacedBy !== undefined
}

/**
 * Whether it gives out seats or once did, so that the licenses that it replaces are over. One that was past its end when it was
 * installed and names no agent takes nothing away. @param date in ms
 */
export function tookEffect(installed: Installed, date: number): boolean {
  const { nbf } = installed.license.payload
  const hasBegun = nbf === undefined || date >= nbf * 1000
  if (installed.record.replacedBy !== undefined || (installed.activation !== undefined && hasBegun)) return true
  return grantsSeats(standingOf(installed, date).state)
}

export interface NotedStanding {
  readonly record: LicenseRecord
  readonly happenings: readonly Omit<Happening, 'instance'>[]
}

/** What came to pass with the date or the hardware and is not in the record yet. @param date in ms */
export function noteStanding(installed: Installed, date: number): NotedStanding {
  const { record, license, activation, hardware } = installed
  const { state, endsBy = 'license' } = standingOf(installed, date)
  const { blockedAt, expiredAt, ...rest } = record
  if (isOver(installed)) return { record, happenings: [] }
  const { id } = license.payload
  const happenings: Omit<Happening, 'instance'>[] = []

  const blocked = state === 'blocked_hardware' || (blockedAt !== undefined && hardware?.kind === 'other')
  if (blocked && blockedAt === undefined)
    happenings.push({ type: 'license.blocked', facts: { license: id, differing: hardware?.differing ?? [] } })
  if (!blocked && blockedAt !== undefined) happenings.push({ type: 'license.unblocked', facts: { license: id } })

  const expired = state === 'expired' || (state === 'not_activated' && activation !== undefined)
  if (expired && expiredAt === undefined)
    happenings.push({ type: 'license.expired', facts: { license: id, ended: endsBy } })

  if (blocked === (blockedAt !== undefined) && expired === (expiredAt !== undefined)) return { record, happenings }
  return {
    record: {
      ...rest,
      ...(blocked ? { blockedAt: blockedAt ?? date } : {}),
      ...(expired ? { expiredAt: expiredAt ?? date } : {}),
    },
    happenings,
  }
}

export function titleOf(installed: Installed): string {
  const { payload } = installed.license
  const names = payload.products.map((entry) => ('any' in entry ? 'any product' : (entry.title ?? entry.name)))
  return `${payload.vendor.name}: ${names.join(', ')}`
}

export function keyOfLicense(license: Opened<'leasehold-license'>): VerifyingKey {
  return verifyingKey(license.payload.vendor.key)
}
