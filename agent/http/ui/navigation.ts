/**
 * The entries on the left under “Options”, in their order. Only pages that exist are listed; a test opens each.
 * Pure; must not import anything of ours but the type of a language.
 */
import type { Language } from '../../language.ts'

interface Entry {
  readonly id: string
  readonly address: string
  readonly icon: string
  /** Key of a smaller, second word: what people of other systems look for. */
  readonly second?: string
  readonly pages?: readonly { readonly id: string; readonly address: string }[]
  /** Start of the addresses that belong to it, where its own is one of them. */
  readonly below?: string
}

const entries: readonly Entry[] = [
  { id: 'overview', address: '/', icon: 'overview' },
  { id: 'licenses', address: '/licenses', icon: 'license', second: 'navigation.licenses_second' },
  { id: 'products', address: '/products', icon: 'product' },
  { id: 'features', address: '/features', icon: 'feature' },
  { id: 'sessions', address: '/sessions', icon: 'session', pages: [{ id: 'computers', address: '/computers' }] },
  { id: 'detached', address: '/detached', icon: 'away' },
  { id: 'update', address: '/update', icon: 'update' },
  {
    id: 'managers',
    address: '/managers',
    icon: 'server',
    pages: [
      { id: 'search', address: '/managers/search' },
      { id: 'test', address: '/managers/test' },
    ],
  },
  {
    id: 'journal',
    address: '/journal',
    icon: 'journal',
    pages: [
      { id: 'history', address: '/history' },
      { id: 'refused', address: '/refused' },
    ],
  },
  { id: 'configuration', address: '/configuration/basic', icon: 'configuration', below: '/configuration' },
  { id: 'service', address: '/service', icon: 'power' },
  { id: 'diagnostics', address: '/diagnostics', icon: 'diagnostics' },
  { id: 'help', address: '/help', icon: 'info', pages: [{ id: 'interface', address: '/help/api' }] },
]

export interface NavigationEntry {
  readonly text: string
  readonly second?: string
  readonly address: string
  readonly icon: string
  /** Value of `aria-current`: this very page, or a page below it. */
  readonly current?: 'page' | 'true'
  readonly pages: readonly { readonly text: string; readonly address: string; readonly current?: 'page' | 'true' }[]
}

export function listNavigation(path: string, { t }: Pick<Language, 't'>): readonly NavigationEntry[] {
  return entries.map((entry) => {
    const pages = (entry.pages ?? []).map((page) => ({
      text: t(`navigation.${page.id}`),
      address: page.address,
      ...mark(path, page.address),
    }))
    // One mark is enough: a page of its own below the entry has it, or the entry.
    const own = pages.some(({ current }) => current !== undefined) ? {} : mark(path, entry.address, entry.below)
    return {
      text: t(`navigation.${entry.id}`),
      address: entry.address,
      icon: entry.icon,
      ...own,
      ...(entry.second === undefined ? {} : { second: t(entry.second) }),
      pages,
    }
  })
}

function mark(path: string, address: string, below = address): { readonly current?: 'page' | 'true' } {
  if (path === address) return { current: 'page' }
  return address !== '/' && path.startsWith(`${below}/`) ? { current: 'true' } : {}
}

/** Pages of other systems of this kind that people have bookmarked lead to the page that took their place. */
export const oldAddresses: Readonly<Record<string, string>> = {
  '/_int_': '/',
  '/_int_/': '/',
  '/_int_/index.html': '/',
  '/_int_/devices.html': '/licenses',
  '/_int_/products.html': '/products',
  '/_int_/features.html': '/features',
  '/_int_/sessions.html': '/sessions',
  '/_int_/detached.html': '/detached',
  '/_int_/checkin_file.html': '/update',
  '/_int_/checkin.html': '/update',
  '/_int_/accesslog.html': '/journal',
  '/_int_/log.html': '/journal',
  '/_int_/config.html': '/configuration/basic',
  '/_int_/config_basic.html': '/configuration/basic',
  '/_int_/config_users.html': '/configuration/user-restrictions',
  '/_int_/config_to.html': '/configuration/remote-managers',
  '/_int_/config_from.html': '/configuration/remote-clients',
  '/_int_/config_detach.html': '/configuration/detachable',
  '/_int_/config_network.html': '/configuration/network',
  '/_int_/conf_to.html': '/configuration/remote-managers',
  '/_int_/conf_from.html': '/configuration/remote-clients',
  '/_int_/diagnostics.html': '/diagnostics',
  '/_int_/help.html': '/help',
}
