/**
 * Products, features and computers as the pages show them. Pure; must not import owners or koa.
 */
import type { Language } from '../../language.ts'
import type { Feature, Product } from '../api/license-shapes.ts'
import { writeState } from './license-rows.ts'
import type { PageWords } from './page.ts'
import type { Computer, LicenseMode } from './product-parts.ts'
import type { ShownTime, TimeWords } from './time.ts'
import type { Place, Whereabouts } from './whereabouts.ts'

/** `/products/vendor/product`. */
export function productAddress(id: string): string {
  return `/products/${id.split('/').map(encodeURIComponent).join('/')}`
}

export interface ProductRow {
  readonly id: string
  /** Of its row in the document: several machines may have the product. */
  readonly domId: string
  readonly address: string
  readonly title: string
  readonly marks: { readonly used: number; readonly seats: number; readonly text: string }
  readonly free: number
  readonly anyText: string
  readonly waiting: number
  readonly mode: string
  readonly count: string
  readonly location: Place
  readonly overlap: string | undefined
  /** Where seats of it are taken along; undefined where this machine does not offer that. */
  readonly detach: { readonly address: string; readonly label: string } | undefined
  readonly features: readonly string[]
  readonly licenses: readonly {
    readonly id: string
    readonly address: string | undefined
    readonly any: boolean
    readonly state: { readonly kind: string; readonly icon: string; readonly text: string }
    readonly marks: { readonly used: number; readonly seats: number; readonly text: string }
  }[]
}

export function writeProductRow(
  product: Product,
  mode: LicenseMode,
  { language, time }: PageWords,
  where: Whereabouts,
  canDetach = false,
): ProductRow {
  const { t } = language
  const isAny = product.name === '*'
  return {
    id: product.id,
    domId: product.local ? product.id : `${product.id}-${product.manager.id}`,
    address: productAddress(product.id),
    title: isAny ? t('licenses.any_product') : product.title,
    marks: marksOf(product, t),
    free: product.free,
    anyText: product.anyProductFree > 0 ? t('seats.any_free', { count: product.anyProductFree }) : '',
    waiting: product.waiting,
    mode: isAny ? '' : t(`mode.${mode}`),
    count: product.count === undefined ? '' : t(`count_rule.${product.count}`),
    location: product.local ? where.here : where.at(product.manager),
    overlap:
      product.overlap === undefined
        ? undefined
        : t('licenses.overlap', { count: product.overlap.seats, time: time.show(product.overlap.until).exact }),
    detach: canDetach
      ? { address: `${productAddress(product.id)}/detach`, label: t('detach.title', { product: product.title }) }
      : undefined,
    features: product.features,
    licenses: product.licenses.map((one) => ({
      id: one.license,
      address: product.local
        ? `/licenses/${encodeURIComponent(one.license)}`
        : where.at(product.manager, `/licenses/${encodeURIComponent(one.license)}`).address,
      any: one.any,
      state: writeState(one.state, t),
      marks: marksOf(one, t),
    })),
  }
}

function marksOf({ used, seats }: { readonly used: number; readonly seats: number }, t: Language['t']) {
  return { used, seats, text: t('seats.used', { used, seats }) }
}

export interface FeatureRow {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly product: string
  readonly address: string
  readonly access: string
  readonly count: string
  readonly used: string
  readonly peak: string
  readonly limit: string
  readonly detached: string
  readonly restrictions: string
  readonly location: Place
}

export function writeFeatureRow(
  feature: Feature,
  { t, number }: Pick<Language, 't' | 'number'>,
  where: Whereabouts,
): FeatureRow {
  return {
    id: `${feature.product}/${feature.name}${feature.local ? '' : `-${feature.manager.id}`}`,
    name: feature.name,
    title: feature.title ?? feature.name,
    product: feature.product,
    address: productAddress(feature.product),
    access: t(`access.${feature.access}`),
    count: feature.count === undefined ? t('features.count_differs') : t(`count_rule.${feature.count}`),
    used: number(feature.used),
    peak: number(Math.max(feature.peak ?? 0, feature.used)),
    limit: feature.limit === undefined ? t('features.no_limit') : number(feature.limit),
    detached: number(feature.detached),
    restrictions: t('features.no_restrictions'),
    location: feature.local ? where.here : where.at(feature.manager),
  }
}

export interface ComputerRow {
  readonly id: string
  readonly machine: string
  readonly user: string
  readonly account: string
  readonly addresses: string
  readonly uses: readonly { readonly product: string; readonly address: string; readonly text: string }[]
  readonly since: ShownTime
  /** The agent that holds the seats, where it is another one. */
  readonly agent: string
  readonly disconnect: { readonly address: string; readonly label: string }
  readonly sessions: { readonly text: string; readonly address: string; readonly label: string }
}

export function writeComputerRow(
  computer: Computer,
  titles: ReadonlyMap<string, string>,
  { t }: Pick<Language, 't'>,
  time: TimeWords,
): ComputerRow {
  const user = nameComputerUser(computer)
  const machine = computer.host ?? ''
  const words = [computer.host, user].filter((word) => word !== undefined && word !== '').join(' ')
  const { account, email } = computer.user
  return {
    id: computer.id,
    machine: machine === '' ? t('sessions.unknown_machine') : machine,
    user: user === '' ? t('sessions.unknown_user') : user,
    account: [email, account].find((name) => name !== undefined && name !== user) ?? '',
    addresses: computer.addresses.join(', '),
    uses: computer.uses.map(({ product, feature, seats }) => ({
      product: [titles.get(product) ?? product, feature].filter((part) => part !== undefined).join(' · '),
      address: productAddress(product),
      text: t('seats.count', { count: seats }),
    })),
    since: time.show(computer.since),
    agent: computer.agent === undefined || computer.agent.name === computer.host ? '' : computer.agent.name,
    disconnect: {
      address: `/computers/${encodeURIComponent(computer.id)}/disconnect`,
      label: t('computers.disconnect_label', { machine: words || computer.addresses.join(' ') }),
    },
    sessions: {
      text: t('computers.sessions', { count: computer.sessions }),
      address: `/sessions?${new URLSearchParams({ q: words || computer.addresses.join(' ') })}`,
      label: t('computers.sessions_label', { count: computer.sessions, machine: words }),
    },
  }
}

export function nameComputerUser({ user }: Computer): string {
  return user.displayName ?? user.email ?? user.account ?? ''
}
