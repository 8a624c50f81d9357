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
}

const entries: readonly Entry[] = [
  { id: 'overview', address: '/', icon: 'overview' },
  { id: 'licenses', address: '/licenses', icon: 'license', second: 'navigation.licenses_second' },
  { id: 'sessions', address: '/sessions', icon: 'session' },
  {
    id: 'configuration',
    address: '/configuration/basic',
    icon: 'configuration',
    pages: [{ id: 'basic', address: '/configuration/basic' }],
  },
  { id: 'help', address: '/help/api', icon: 'info', pages: [{ id: 'interface', address: '/help/api' }] },
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
    const own = pages.length > 0 ? {} : mark(path, entry.address)
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

function mark(path: string, address: string): { readonly current?: 'page' | 'true' } {
  if (path === address) return { current: 'page' }
  return address !== '/' && path.startsWith(`${address}/`) ? { current: 'true' } : {}
}

/** Pages of other systems of this kind that people have bookmarked lead to the page that took their place. */
export const oldAddresses: Readonly<Record<string, string>> = {
  '/_int_': '/',
  '/_int_/': '/',
  '/_int_/index.html': '/',
  '/_int_/devices.html': '/licenses',
  '/_int_/sessions.html': '/sessions',
  '/_int_/config.html': '/configuration/basic',
}
