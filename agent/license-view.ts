/**
 * Licenses, products and features as people and programs see them: what is installed joined with what is in use. Owns nothing.
 */
import { writeBlock } from './domain/documents/armor.ts'
import { openDocument } from './domain/documents/document.ts'
import { shortGroups } from './domain/documents/keys.ts'
import type { ProductEntry } from './domain/documents/license.ts'
import { hardwarePartNames } from './domain/hardware.ts'
import type { LicenseState } from './domain/license-state.ts'
import { licenseSupplyId } from './domain/supply.ts'
import { featureUnit } from './domain/usage.ts'
import type { Lessor } from './lessor.ts'
import type { Installed } from './license-record.ts'
import type { LicenseShelf } from './license-shelf.ts'
import { productIn } from './license-supplies.ts'
import type { AgentName } from './session-view.ts'
import type { VendorTrust } from './vendor-trust.ts'

export interface LicenseViewContext {
  readonly shelf: LicenseShelf
  readonly lessor: Lessor
  readonly vendors: VendorTrust
  readonly self: AgentName
  /** Wall time in ms. */
  readonly wall: number
}

export interface OverlapView {
  seats: number
  until: string
}

export interface LicenseView {
  id: string
  state: LicenseState
  kind: 'standalone' | 'network'
  vendor: { name: string; fingerprint: string; trusted: boolean }
  products: LicensedProductView[]
  model: 'perpetual' | 'subscription'
  beginsAt?: string
  endsAt?: string
  daysLeft?: number
  customer?: string
  manager: AgentName
  local: boolean
  overlap?: OverlapView
  actions: ('activation-request' | 'activate' | 'deactivate' | 'remove')[]
}

export interface LicensedProductView {
  product: string
  title: string
  any: boolean
  seats: number
  used: number
  features: { name: string; title?: string; seats?: number; used: number }[]
}

export interface LicenseDetailsView extends LicenseView {
  issuedAt: string
  installedAt: string
  count: 'session' | 'process' | 'host' | 'user'
  months?: number
  leaseSeconds: number
  detach?: { maxDays: number; cascade?: boolean; earlyReturn?: 'online' | 'offline' | 'atDate'; lost?: string }
  claims?: string
  overlapAllowed: boolean
  depth: number
  owner?: string
  links: Record<string, string>
  replaces: string[]
  replacedBy?: string
  activation: {
    needed: boolean
    url?: string
    number?: number
    activatedAt?: string
    endsAt?: string
    parts: { name: string; agrees: boolean }[]
  }
  text: string
}

export function licenseView(installed: Installed, context: LicenseViewContext): LicenseView {
  const { license } = installed
  const { payload } = license
  const standing = context.shelf.standing(installed)
  const own = new Set(payload.products.map((entry) => licenseSupplyId(payload.id, productIn(entry))))
  const overlap = overlapOf((supply) => own.has(supply), context, overlapOfReceipt(installed))
  return {
    id: payload.id,
    state: standing.state,
    kind: payload.kind,
    vendor: {
      name: payload.vendor.name,
      fingerprint: shortGroups(license.signer),
      trusted: context.vendors.isTrusted(payload.vendor.name, license.signer),
    },
    products: payload.products.map((entry) => licensedProduct(payload.id, payload.vendor.name, entry, context.lessor)),
    model: payload.model,
    ...(payload.nbf === undefined ? {} : { beginsAt: iso(payload.nbf * 1000) }),
    ...(standing.endsAt === undefined ? {} : { endsAt: iso(standing.endsAt * 1000) }),
    ...(standing.daysLeft === undefined ? {} : { daysLeft: standing.daysLeft }),
    ...(payload.customer === undefined ? {} : { customer: payload.customer }),
    manager: context.self,
    local: true,
    ...(overlap === undefined ? {} : { overlap }),
    actions: actionsOf(installed, standing.state),
  }
}

export function licenseDetails(installed: Installed, context: LicenseViewContext): LicenseDetailsView {
  const { license, record, activation, hardware } = installed
  const { payload } = license
  const { detach } = payload
  return {
    ...licenseView(installed, context),
    issuedAt: iso(payload.iat * 1000),
    installedAt: iso(record.installedAt),
    count: payload.count,
    ...(payload.months === undefined ? {} : { months: payload.months }),
    leaseSeconds: payload.leaseSeconds,
    ...(detach === undefined
      ? {}
      : {
          detach: {
            maxDays: detach.maxDays,
            ...(detach.cascade === undefined ? {} : { cascade: detach.cascade }),
            ...(detach.earlyReturn === undefined ? {} : { earlyReturn: detach.earlyReturn }),
            ...(detach.lost === undefined
              ? {}
              : {
                  lost: `free ${detach.lost.afterDays} days after the declaration, ${detach.lost.perYear} times a year`,
                }),
          },
        }),
    ...(payload.claims === undefined ? {} : { claims: payload.claims ? 'allowed' : 'not allowed' }),
    overlapAllowed: payload.overlap,
    depth: payload.depth,
    ...(payload.owner === undefined ? {} : { owner: payload.owner }),
    links: { ...payload.vendor.links } as Record<string, string>,
    replaces: payload.replaces ?? [],
    ...(record.replacedBy === undefined ? {} : { replacedBy: record.replacedBy }),
    activation: {
      needed: payload.activation.needed,
      ...(payload.activation.url === undefined ? {} : { url: payload.activation.url }),
      ...(record.number === 0 ? {} : { number: record.number }),
      ...(record.activatedAt === undefined ? {} : { activatedAt: iso(record.activatedAt) }),
      ...(activation?.payload.exp === undefined ? {} : { endsAt: iso(activation.payload.exp * 1000) }),
      parts: hardwarePartNames
        .filter((name) => hardware && [...hardware.agreeing, ...hardware.differing].includes(name))
        .map((name) => ({ name, agrees: hardware?.agreeing.includes(name) ?? false })),
    },
    text: writeBlock(license),
  }
}

function licensedProduct(license: string, vendor: string, entry: ProductEntry, lessor: Lessor): LicensedProductView {
  const isAny = 'any' in entry
  const supply = licenseSupplyId(license, productIn(entry))
  return {
    product: `${vendor}/${isAny ? '*' : entry.name}`,
    title: isAny ? 'Any product' : (entry.title ?? entry.name),
    any: isAny,
    seats: entry.seats,
    used: lessor.view.used(supply),
    features: isAny
      ? []
      : (entry.features ?? []).map((feature) => ({
          name: feature.name,
          ...(feature.title === undefined ? {} : { title: feature.title }),
          ...(feature.seats === undefined ? {} : { seats: feature.seats }),
          used: lessor.view.used(featureUnit(supply, feature.name)),
        })),
  }
}

function actionsOf({ license, activation }: Installed, state: LicenseState): LicenseView['actions'] {
  const over = state === 'replaced' || state === 'expired'
  const exchange = license.payload.activation.needed && !over
  return [
    ...(exchange ? (['activation-request', 'activate'] as const) : []),
    // Asked again after it was moved away it gives the same receipt, since a receipt can get lost.
    ...(activation !== undefined && state !== 'replaced' ? (['deactivate'] as const) : []),
    'remove',
  ]
}

interface Overlap {
  readonly seats: number
  /** Wall time in ms. */
  readonly until: number
}

/** Seats that were in use when it was moved away; they may be used elsewhere, too, from then on. */
function overlapOfReceipt({ record }: Installed): Overlap[] {
  if (record.receipt === undefined) return []
  const receipt = openDocument(record.receipt, 'leasehold-deactivation')
  if (receipt.kind === 'refused' || receipt.payload.overlap === undefined) return []
  const { seats, until } = receipt.payload.overlap
  return [{ seats, until: until * 1000 }]
}

/** Seats that were freed by order and may still be in use: how many, and until when at the latest. */
export function overlapOf(
  concerns: (supply: string) => boolean,
  { lessor, wall }: Pick<LicenseViewContext, 'lessor' | 'wall'>,
  others: readonly Overlap[] = [],
): OverlapView | undefined {
  const overlaps = [...others]
  for (const { overlap } of lessor.view.tombstones()) if (overlap?.supplies.some(concerns)) overlaps.push(overlap)
  const running = overlaps.filter((one) => one.until > wall)
  if (running.length === 0) return undefined
  return {
    seats: running.reduce((sum, one) => sum + one.seats, 0),
    until: iso(Math.max(...running.map((one) => one.until))),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
