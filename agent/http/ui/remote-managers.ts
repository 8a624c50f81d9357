/**
 * Configuration > Access to Remote License Managers: whether and where this agent looks for seats elsewhere, a test for each
 * search parameter, and what is in use from there. Must not import owners.
 */
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { changeSettings, type SettingsPage, settingsOf, showSettings, tabAddresses } from './settings-page.ts'

const own: SettingsPage = {
  tab: 'remote-managers',
  section: 'remote-managers',
  address: tabAddresses['remote-managers'],
  view: 'pages/configuration-remote-managers',
  has: ({ name }) => name.startsWith('remote.'),
  more: (page, parts) => {
    const entries = settingsOf(own, parts)
    const parameters = entries.find(({ name }) => name === 'remote.search')?.value
    const allowed = entries.find(({ name }) => name === 'remote.allow')?.value === true
    const leases = parts.leases.inUse()
    return {
      parameters: Array.isArray(parameters) ? parameters : [],
      ending: !allowed && leases.length > 0 ? tellLeases(page, parts) : undefined,
      known: parts.managers.list().length,
    }
  },
  tell: (told, changes, parts, page) => {
    const off = changes.some(({ name, after }) => name === 'remote.allow' && after === false)
    const count = parts.leases.inUse().length
    if (!off || count === 0) return told
    return { kind: 'warning', key: 'said.saved_leases', args: { ...told.args, ...leaseFacts(page, parts) } }
  },
}

function leaseFacts({ time }: Page, parts: Parts) {
  const leases = parts.leases.inUse()
  const last = leases
    .map(({ aloneUntil }) => aloneUntil)
    .sort()
    .at(-1)
  return { count: leases.length, time: last === undefined ? '' : time.show(last).exact }
}

function tellLeases(page: Page, parts: Parts): string {
  return page.language.t('remote_managers.leases_end', leaseFacts(page, parts))
}

export async function showRemoteManagers(page: Page, parts: Parts): Promise<void> {
  await showSettings(own, page, parts)
}

export async function changeRemoteManagers(page: Page, parts: Parts): Promise<void> {
  await changeSettings(own, page, parts)
}
