/**
 * Looks at the owners and says what is wrong: licenses, password, store, permissions. Part of the composition root; owns nothing.
 */
import type { Configuration } from './config/configuration.ts'
import type { Health } from './health.ts'
import { findLoosePermissions } from './identity.ts'
import { titleOf } from './license-record.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { Paths } from './paths.ts'
import type { Administrator } from './people/administrator.ts'
import { StoreError } from './store/store.ts'
import type { WriterState } from './writer.ts'

export interface HealthSources {
  readonly health: Health
  readonly shelf: LicenseShelf
  readonly administrator: Administrator
  readonly configuration: Configuration
  readonly folder: string
  readonly paths: Paths
}

export interface HealthWatch {
  look(): void
  noteStore(state: WriterState): void
}

export function watchHealth({ health, shelf, administrator, folder, paths }: HealthSources): HealthWatch {
  const lookAtLicenses = (): void => {
    const standing = new Map<string, string[]>()
    const note = (code: string, id: string): void => {
      standing.set(code, [...(standing.get(code) ?? []), id])
    }
    for (const installed of shelf.list()) {
      const license = installed.license.payload.id
      const name = titleOf(installed)
      const { state, daysLeft } = shelf.standing(installed)
      if (state === 'expiring') {
        note('license_expiring', license)
        health.set('license_expiring', { license, name, days: daysLeft ?? 0 }, license)
      } else if (state === 'expired') {
        note('license_expired', license)
        health.set('license_expired', { license, name }, license)
      } else if (state === 'not_activated') {
        note('license_not_activated', license)
        health.set('license_not_activated', { license, name }, license)
      } else if (state === 'blocked_hardware') {
        note('license_blocked', license)
        const reason = `these parts differ: ${(installed.hardware?.differing ?? []).join(', ')}`
        health.set('license_blocked', { license, name, reason }, license)
      }
    }
    for (const code of ['license_expiring', 'license_expired', 'license_not_activated', 'license_blocked'] as const)
      health.keepOnly(code, standing.get(code) ?? [])
  }
  const lookAtPermissions = async (): Promise<void> => {
    const files = await findLoosePermissions(paths)
    if (files.length > 0) health.set('loose_permissions', { files })
    else health.clear('loose_permissions')
  }
  return {
    look: () => {
      lookAtLicenses()
      if (administrator.hasPassword()) health.clear('no_password')
      else health.set('no_password', {})
      lookAtPermissions().catch(() => undefined)
    },
    noteStore: (state) => {
      if (state.kind === 'tight') health.set('disk_full', { folder })
      else if (state.kind === 'open') health.clear('disk_full')
      if (state.kind !== 'recovering') {
        health.clear('store_unavailable')
        health.clear('store_damaged')
        return
      }
      const { cause } = state
      if (cause instanceof StoreError && cause.code === 'damaged') health.set('store_damaged', { what: cause.message })
      else health.set('store_unavailable', { reason: cause instanceof Error ? cause.message : 'unknown' })
    },
  }
}
