/**
 * A license as the pages show it. Pure; must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import type { License, LicenseState } from '../api/license-shapes.ts'
import type { PageWords } from './page.ts'
import type { ShownTime } from './time.ts'
import type { Place, Whereabouts } from './whereabouts.ts'

const marks: Readonly<Record<LicenseState, { readonly kind: string; readonly icon: string }>> = {
  not_activated: { kind: 'warning', icon: 'pause' },
  not_yet_valid: { kind: 'quiet', icon: 'clock' },
  active: { kind: 'good', icon: 'check' },
  expiring: { kind: 'warning', icon: 'clock' },
  expired: { kind: 'error', icon: 'error' },
  blocked_hardware: { kind: 'error', icon: 'lock' },
  replaced: { kind: 'quiet', icon: 'swap' },
  deactivated: { kind: 'quiet', icon: 'power' },
  detached: { kind: 'notice', icon: 'away' },
}

export interface LicenseRow {
  readonly id: string
  /** Of its row in the document. */
  readonly domId: string
  readonly address: string
  /** Where its name leads: its details, of a license on another machine the page there; undefined where no address is known. */
  readonly opens: string | undefined
  readonly local: boolean
  /** Titles of the products, for headings and buttons. */
  readonly name: string
  readonly state: { readonly kind: string; readonly icon: string; readonly text: string }
  readonly kind: string
  readonly vendor: string
  readonly fingerprint: string
  readonly location: Place
  readonly products: readonly {
    readonly title: string
    readonly product: string
    readonly marks: { readonly used: number; readonly seats: number; readonly text: string }
    readonly features: readonly { readonly title: string; readonly text: string }[]
  }[]
  readonly ends: ShownTime | undefined
  readonly overlap: string | undefined
  /** It gives out nothing until it is activated. */
  readonly waits: boolean
  readonly can: { readonly activate: boolean; readonly deactivate: boolean; readonly remove: boolean }
}

/** Word, icon and color of a state. */
export function writeState(state: LicenseState, t: Language['t']) {
  return { ...marks[state], text: t(`license_state.${state}`) }
}

export function writeLicenseRow(license: License, { language, time }: PageWords, where: Whereabouts): LicenseRow {
  const { t } = language
  const { actions, products } = license
  const titles = products.map((product) => (product.any ? t('licenses.any_product') : product.title))
  const seats = products.reduce((sum, product) => sum + product.seats, 0)
  const address = `/licenses/${encodeURIComponent(license.id)}`
  const location = license.local ? where.here : where.at(license.manager, address)
  return {
    id: license.id,
    domId: license.local ? license.id : `${license.id}-${license.manager.id}`,
    local: license.local,
    address,
    opens: license.local ? address : location.address,
    name: titles.join(', '),
    state: writeState(license.state, t),
    kind: license.kind === 'network' ? t('licenses.network', { count: seats }) : t('licenses.standalone'),
    vendor: license.vendor.name,
    fingerprint: license.vendor.fingerprint,
    location,
    products: products.map((product, place) => ({
      title: titles[place] ?? product.title,
      product: product.product,
      marks: {
        used: product.used,
        seats: product.seats,
        text: t('seats.used', { used: product.used, seats: product.seats }),
      },
      features: product.features.map((feature) => ({
        title: feature.title ?? feature.name,
        text:
          feature.seats === undefined
            ? t('seats.feature_used', { count: feature.used })
            : t('seats.used', { used: feature.used, seats: feature.seats }),
      })),
    })),
    ends: license.endsAt === undefined ? undefined : time.show(license.endsAt),
    overlap:
      license.overlap === undefined
        ? undefined
        : t('licenses.overlap', { count: license.overlap.seats, time: time.show(license.overlap.until).exact }),
    waits: license.state === 'not_activated' || license.state === 'blocked_hardware',
    can: {
      activate: actions.includes('activate') || actions.includes('activation-request'),
      deactivate: actions.includes('deactivate'),
      remove: actions.includes('remove'),
    },
  }
}
