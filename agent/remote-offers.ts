/**
 * What known managers offer, as licenses, products and features like those of this agent, so that lists show both (S5).
 * Owns nothing: it is as the managers said it last.
 */
import { shortGroups } from './domain/documents/keys.ts'
import { daysUntil, expiringDays, type LicenseState } from './domain/license-state.ts'
import { type ProductName, productOf, vendorOf } from './domain/product-name.ts'
import type { LicensedProductView, LicenseView } from './license-view.ts'
import type { KnownAgent } from './peers/known-agent.ts'
import type { Offer } from './peers/wire.ts'
import type { FeatureView, ProductView } from './product-view.ts'
import type { VendorTrust } from './vendor-trust.ts'

export interface RemoteOffersParts {
  readonly agents: () => Iterable<KnownAgent>
  readonly vendors: Pick<VendorTrust, 'isTrusted'>
  /** “Allow Access to Remote Licenses”. */
  readonly isAllowed: () => boolean
  /** Wall time in ms. */
  readonly wall: () => number
}

interface Offered {
  readonly agent: KnownAgent
  readonly offer: Offer
}

export class RemoteOffers {
  readonly #parts: RemoteOffersParts

  constructor(parts: RemoteOffersParts) {
    this.#parts = parts
  }

  products(): ProductView[] {
    return this.#offered().map(({ agent, offer }) => ({
      id: offer.product,
      vendor: vendorOf(offer.product as ProductName),
      name: productOf(offer.product as ProductName),
      title: offer.title ?? productOf(offer.product as ProductName),
      seats: offer.seats,
      used: offer.used,
      free: Math.max(0, offer.seats - offer.used),
      anyProductFree: Math.max(0, offer.anySeats - offer.anyUsed),
      waiting: offer.waiting,
      count: offer.rule,
      features: offer.features.map(({ name }) => name).sort(),
      licenses: offer.licenses.map(({ id, endsAt, seats }) => ({
        license: id,
        state: this.#stateOf(endsAt),
        any: false,
        seats,
        used: 0,
      })),
      manager: { id: agent.id, name: agent.name },
      local: false,
    }))
  }

  features(): FeatureView[] {
    return this.#offered().flatMap(({ agent, offer }) =>
      offer.features.map(({ name, seats }) => ({
        product: offer.product,
        name,
        limit: seats ?? offer.seats,
        used: 0,
        count: offer.rule,
        access: 'network' as const,
        detached: 0,
        manager: { id: agent.id, name: agent.name },
        local: false,
      })),
    )
  }

  /** Each license once per manager, with all that it offers of it. */
  licenses(): LicenseView[] {
    const found = new Map<string, LicenseView>()
    for (const { agent, offer } of this.#offered())
      for (const { id, model, endsAt, seats } of offer.licenses) {
        const known = found.get(`${agent.id} ${id}`)
        const product: LicensedProductView = {
          product: offer.product,
          title: offer.title ?? productOf(offer.product as ProductName),
          any: false,
          seats,
          used: offer.licenses.length === 1 ? Math.min(seats, offer.used) : 0,
          features: offer.features.map((one) => ({
            name: one.name,
            ...(one.seats === null ? {} : { seats: one.seats }),
            used: 0,
          })),
        }
        if (known) known.products.push(product)
        else found.set(`${agent.id} ${id}`, this.#licenseOf({ agent, offer }, { id, model, endsAt }, product))
      }
    return [...found.values()]
  }

  #licenseOf(
    { agent, offer }: Offered,
    { id, model, endsAt }: { readonly id: string; readonly model: string; readonly endsAt: string | undefined },
    product: LicensedProductView,
  ): LicenseView {
    const vendor = vendorOf(offer.product as ProductName)
    return {
      id,
      state: this.#stateOf(endsAt),
      kind: 'network',
      vendor: {
        name: vendor,
        fingerprint: shortGroups(offer.vendorKey),
        trusted: this.#parts.vendors.isTrusted(vendor, offer.vendorKey),
      },
      products: [product],
      model: model === 'subscription' ? 'subscription' : 'perpetual',
      ...(endsAt === undefined ? {} : { endsAt, daysLeft: this.#daysLeft(endsAt) }),
      manager: { id: agent.id, name: agent.name },
      local: false,
      actions: [],
    }
  }

  *#all(): Iterable<Offered> {
    if (!this.#parts.isAllowed()) return
    for (const agent of this.#parts.agents())
      if (agent.condition.state === 'reachable') for (const offer of agent.offers) yield { agent, offer }
  }

  /** Seats that an agent has from another one are shown where they are, if that one is known here. */
  #offered(): Offered[] {
    const all = [...this.#all()]
    const own = new Set(
      all.filter(({ offer }) => offer.chain.length === 0).map(({ agent, offer }) => `${agent.id} ${offer.product}`),
    )
    return all.filter(({ offer }) => !offer.chain.some((id) => own.has(`${id} ${offer.product}`)))
  }

  #stateOf(endsAt: string | undefined): LicenseState {
    return endsAt !== undefined && this.#daysLeft(endsAt) <= expiringDays ? 'expiring' : 'active'
  }

  #daysLeft(endsAt: string): number {
    return Math.max(0, daysUntil(Date.parse(endsAt), this.#parts.wall()))
  }
}
