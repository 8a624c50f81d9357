/**
 * Products and features over all installed licenses, with what is in use. Owns nothing.
 */
import type { CountRule } from './domain/count-key.ts'
import type { LicenseState } from './domain/license-state.ts'
import { type ProductName, productName } from './domain/product-name.ts'
import { featureLimit, licenseSupplyId, type Supply } from './domain/supply.ts'
import { featureUnit } from './domain/usage.ts'
import type { Installed } from './license-record.ts'
import { type LicenseViewContext, type OverlapView, overlapOf } from './license-view.ts'
import type { AgentName } from './session-view.ts'

export interface ProductView {
  id: string
  vendor: string
  name: string
  title: string
  seats: number
  used: number
  free: number
  anyProductFree: number
  waiting: number
  count?: CountRule
  features: string[]
  licenses: { license: string; state: LicenseState; any: boolean; seats: number; used: number }[]
  manager: AgentName
  local: boolean
  overlap?: OverlapView
}

export interface FeatureView {
  product: string
  name: string
  title?: string
  limit?: number
  used: number
  peak?: number
  count?: CountRule
  access: 'standalone' | 'network'
  detached: number
  manager: AgentName
  local: boolean
}

export interface ProductViewContext extends LicenseViewContext {
  waiting(product: ProductName): number
}

interface Entry {
  readonly installed: Installed
  readonly state: LicenseState
  readonly any: boolean
  readonly seats: number
  readonly used: number
  readonly supply: Supply | undefined
}

/** By name; a product of which only any-product seats exist has no row of its own. */
export function productViews(context: ProductViewContext): ProductView[] {
  const names = new Map<ProductName, { title: string; features: Set<string> }>()
  for (const { license } of context.shelf.list()) {
    for (const entry of license.payload.products) {
      if ('any' in entry) continue
      const name = productName(license.payload.vendor.name, entry.name)
      const known = names.get(name) ?? { title: entry.title ?? entry.name, features: new Set<string>() }
      for (const feature of entry.features ?? []) known.features.add(feature.name)
      names.set(name, known)
    }
  }
  return [...names]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { title, features }]) => {
      const entries = entriesOf(name, context)
      const own = entries.filter((one) => !one.any && isOpen(one))
      const anyFree = entries.filter((one) => one.any && isOpen(one)).reduce((sum, one) => sum + free(one), 0)
      const [vendor = '', product = ''] = name.split('/')
      const rules = new Set(own.map((one) => one.installed.license.payload.count))
      const [rule] = rules
      const overlap = overlapOf((supply) => entries.some((one) => one.supply?.id === supply), context)
      return {
        id: name,
        vendor,
        name: product,
        title,
        seats: own.reduce((sum, one) => sum + one.seats, 0),
        used: entries.filter((one) => !one.any).reduce((sum, one) => sum + one.used, 0),
        free: own.reduce((sum, one) => sum + free(one), 0),
        anyProductFree: anyFree,
        waiting: context.waiting(name),
        ...(rules.size === 1 && rule !== undefined ? { count: rule } : {}),
        features: [...features].sort(),
        licenses: entries.map((one) => ({
          license: one.installed.license.payload.id,
          state: one.state,
          any: one.any,
          seats: one.seats,
          used: one.used,
        })),
        manager: context.self,
        local: true,
        ...(overlap === undefined ? {} : { overlap }),
      }
    })
}

export function featureViews(context: ProductViewContext): FeatureView[] {
  const found = new Map<string, FeatureView>()
  for (const installed of context.shelf.list()) {
    const { payload } = installed.license
    for (const entry of payload.products) {
      if ('any' in entry) continue
      const supply = context.lessor.view.supply(licenseSupplyId(payload.id, entry.name))
      for (const feature of entry.features ?? []) {
        const product = productName(payload.vendor.name, entry.name)
        const key = `${product} ${feature.name}`
        const limit =
          supply === undefined || supply.takes.kind === 'nothing'
            ? 0
            : (featureLimit(supply, feature.name) ?? entry.seats)
        const used = supply === undefined ? 0 : context.lessor.view.used(featureUnit(supply.id, feature.name))
        const known = found.get(key)
        const network = payload.kind === 'network' || known?.access === 'network'
        found.set(key, {
          product,
          name: feature.name,
          ...(feature.title === undefined ? {} : { title: feature.title }),
          limit: (known?.limit ?? 0) + limit,
          used: (known?.used ?? 0) + used,
          ...(known === undefined || known.count === payload.count ? { count: payload.count } : {}),
          access: network ? 'network' : 'standalone',
          detached: 0,
          manager: context.self,
          local: true,
        })
      }
    }
  }
  return [...found.values()].sort((a, b) => (`${a.product} ${a.name}` < `${b.product} ${b.name}` ? -1 : 1))
}

function entriesOf(name: ProductName, context: ProductViewContext): Entry[] {
  return context.shelf.list().flatMap((installed) => {
    const { payload } = installed.license
    const state = context.shelf.standing(installed).state
    return payload.products
      .filter(
        (entry) => payload.vendor.name === name.split('/')[0] && ('any' in entry || entry.name === name.split('/')[1]),
      )
      .map((entry) => {
        const isAny = 'any' in entry
        const supply = context.lessor.view.supply(licenseSupplyId(payload.id, isAny ? undefined : entry.name))
        const used = context.lessor.view.used(licenseSupplyId(payload.id, isAny ? undefined : entry.name))
        return { installed, state, any: isAny, seats: entry.seats, used, supply }
      })
  })
}

function isOpen({ supply }: Entry): boolean {
  return supply !== undefined && supply.takes.kind === 'sessions'
}

function free({ seats, used }: Entry): number {
  return Math.max(0, seats - used)
}
