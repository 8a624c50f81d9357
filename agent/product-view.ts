/**
 * Products and features over all installed licenses, with what is in use. Owns nothing.
 */
import type { CountRule } from './domain/count-key.ts'
import type { ProductEntry } from './domain/documents/license.ts'
import type { LicenseState } from './domain/license-state.ts'
import { type ProductName, productName, productOf, vendorOf } from './domain/product-name.ts'
import { featureLimit, licenseSupplyId } from './domain/supply.ts'
import { featureUnit } from './domain/usage.ts'
import type { Installed } from './license-record.ts'
import { productIn } from './license-supplies.ts'
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

/** What one license has of a product, or of seats for any product. */
interface Entry {
  readonly installed: Installed
  readonly state: LicenseState
  readonly supply: string
  readonly any: boolean
  readonly title: string
  readonly features: readonly string[]
  readonly seats: number
  readonly used: number
  /** Whether it takes new sessions. */
  readonly open: boolean
}

/** By name. Seats that fit any product of a vendor are a row of their own, `vendor/*`, since no product has them. */
export function productViews(context: ProductViewContext): ProductView[] {
  const entries = new Map<ProductName, Entry[]>()
  for (const installed of context.shelf.list()) {
    const { payload } = installed.license
    const state = context.shelf.standing(installed).state
    for (const entry of payload.products) {
      const name = productName(payload.vendor.name, productIn(entry) ?? '*')
      const known = entries.get(name)
      const one = entryOf(installed, state, entry, context)
      if (known) known.push(one)
      else entries.set(name, [one])
    }
  }
  return [...entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => {
      const fitting = productOf(name) === '*' ? [] : (entries.get(productName(vendorOf(name), '*')) ?? [])
      return productView(name, own, fitting, context)
    })
}

function entryOf(
  installed: Installed,
  state: LicenseState,
  entry: ProductEntry,
  { lessor }: Pick<ProductViewContext, 'lessor'>,
): Entry {
  const supply = licenseSupplyId(installed.license.payload.id, productIn(entry))
  const isAny = 'any' in entry
  return {
    installed,
    state,
    supply,
    any: isAny,
    title: isAny ? 'Any product' : (entry.title ?? entry.name),
    features: isAny ? [] : (entry.features ?? []).map((feature) => feature.name),
    seats: entry.seats,
    used: lessor.view.used(supply),
    open: lessor.view.supply(supply)?.takes.kind === 'sessions',
  }
}

/** @param fitting seats for any product of its vendor */
function productView(
  name: ProductName,
  own: readonly Entry[],
  fitting: readonly Entry[],
  context: ProductViewContext,
): ProductView {
  const open = own.filter((one) => one.open)
  const [rule, ...rules] = new Set(open.map((one) => one.installed.license.payload.count))
  const supplies = new Set([...own, ...fitting].map((one) => one.supply))
  const overlap = overlapOf((supply) => supplies.has(supply), context)
  return {
    id: name,
    vendor: vendorOf(name),
    name: productOf(name),
    title: own[0]?.title ?? name,
    seats: open.reduce((sum, one) => sum + one.seats, 0),
    used: own.reduce((sum, one) => sum + one.used, 0),
    free: freeOf(own),
    anyProductFree: freeOf(fitting),
    waiting: context.waiting(name),
    ...(rule === undefined || rules.length > 0 ? {} : { count: rule }),
    features: [...new Set(own.flatMap((one) => one.features))].sort(),
    licenses: [...own, ...fitting].map((one) => ({
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
}

function freeOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, one) => sum + (one.open ? Math.max(0, one.seats - one.used) : 0), 0)
}

/** Seats of a feature that are detached out of a supply. */
function detachedOf({ lessor }: ProductViewContext, supply: string | undefined, feature: string): number {
  let seats = 0
  for (const grant of supply === undefined ? [] : lessor.view.grantsOf(supply))
    if (grant.kind === 'detachment' && grant.feature === feature) seats += grant.seats
  return seats
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
        const limit = supply?.takes.kind === 'sessions' ? (featureLimit(supply, feature.name) ?? entry.seats) : 0
        const used = supply === undefined ? 0 : context.lessor.view.used(featureUnit(supply.id, feature.name))
        const known = found.get(key)
        const title = feature.title ?? known?.title
        const network = payload.kind === 'network' || known?.access === 'network'
        found.set(key, {
          product,
          name: feature.name,
          ...(title === undefined ? {} : { title }),
          limit: (known?.limit ?? 0) + limit,
          used: (known?.used ?? 0) + used,
          ...(known === undefined || known.count === payload.count ? { count: payload.count } : {}),
          access: network ? 'network' : 'standalone',
          detached: (known?.detached ?? 0) + detachedOf(context, supply?.id, feature.name),
          manager: context.self,
          local: true,
        })
      }
    }
  }
  return [...found.values()].sort((a, b) => (`${a.product} ${a.name}` < `${b.product} ${b.name}` ? -1 : 1))
}
