/**
 * What another agent is told that it can have: the pools of this agent, and what other managers offer through it, each only as far
 * as it may be passed on (R21). Owns nothing.
 */
import { isLeasable } from '../domain/leasing.ts'
import { type ProductName, productName, vendorOf } from '../domain/product-name.ts'
import type { Supply } from '../domain/supply.ts'
import type { Lessor } from '../lessor.ts'
import { compareOffers } from './offers.ts'
import type { Offer } from './wire.ts'

/** What is known of a license beside its seats. */
export interface LicenseFacts {
  readonly model: string
  /** ISO 8601. */
  readonly endsAt?: string
  readonly links?: Readonly<Record<string, string>>
}

export interface LeaseOfferOptions {
  readonly lessor: Pick<Lessor, 'view'>
  readonly licenseFacts: (license: string) => LicenseFacts | undefined
  readonly waiting: (product: ProductName) => number
  /** ISO 8601; undefined when all holders renew. */
  readonly nextReturnAt: (product: ProductName) => string | undefined
  /** How much of a product can be taken along; absent: nothing. */
  readonly figures?: (
    product: ProductName,
  ) => { readonly detachable: number; readonly detached: number; readonly maxDays: number } | undefined
  /** What other managers offer now; nothing where this agent takes no seats of others. */
  readonly relayed: () => Iterable<{ readonly manager: string; readonly offer: Offer }>
}

/** A license may go over so many agents. */
const longestChain = 4
const mostOffers = 5_000

interface Pool {
  readonly product: ProductName
  readonly own: Supply[]
  /** Seats that fit any product of the vendor. */
  readonly fitting: readonly Supply[]
}

/** @param agent who asks */
export function leaseOffers(agent: string, self: string, options: LeaseOfferOptions): Offer[] {
  const offers = new Map<string, Offer>()
  for (const pool of poolsOf(agent, options)) {
    const offer = offerOf(pool, options)
    if (offer) offers.set(offer.product, offer)
  }
  // Who has seats of its own asks the others itself when they are used up, so one offer of a product is enough.
  const passedOn = relayedOffers(agent, self, options)
  for (const offer of passedOn.values()) {
    if (offers.size >= mostOffers) break
    if (offers.has(offer.product)) continue
    const any = productName(vendorOf(offer.product as ProductName), '*')
    offers.set(offer.product, withFitting(offer, offers.get(any) ?? passedOn.get(any)))
  }
  return [...offers.values()]
}

/** Of each product the best that other managers offer: where there are free seats, then by the shortest way. */
function relayedOffers(agent: string, self: string, { relayed }: LeaseOfferOptions): Map<string, Offer> {
  const offers = new Map<string, Offer>()
  for (const { manager, offer } of relayed()) {
    const chain = [...offer.chain, manager]
    const isLoop = manager === self || chain.includes(agent) || chain.includes(self)
    if (isLoop || chain.length >= longestChain) continue
    // Its licenses are named by who has them; here they would look like copies (I15).
    const passedOn = { ...offer, chain, licenses: [] }
    const before = offers.get(offer.product)
    const isWanted = before ? compareOffers(passedOn, before) < 0 : offers.size < mostOffers
    if (isWanted) offers.set(offer.product, passedOn)
  }
  return offers
}

/** Seats that fit any product can be had besides those of this product, be they of another agent. */
function withFitting(offer: Offer, any: Offer | undefined): Offer {
  if (!any || any.product === offer.product || any.vendorKey !== offer.vendorKey) return offer
  const { anySeats, anyUsed } = offer
  return { ...offer, anySeats: anySeats + any.seats, anyUsed: anyUsed + any.used }
}

function* poolsOf(agent: string, { lessor }: LeaseOfferOptions): Iterable<Pool> {
  const vendors = new Map<string, Supply[]>()
  for (const supply of lessor.view.supplies()) {
    if (!isOffered(supply, agent)) continue
    const list = vendors.get(supply.vendor)
    if (list) list.push(supply)
    else vendors.set(supply.vendor, [supply])
  }
  for (const [vendor, supplies] of vendors) {
    const fitting = supplies.filter((one) => one.product === undefined)
    const products = new Map<string, Supply[]>()
    for (const supply of supplies) {
      if (supply.product === undefined) continue
      const list = products.get(supply.product)
      if (list) list.push(supply)
      else products.set(supply.product, [supply])
    }
    for (const [product, own] of products) yield { product: productName(vendor, product), own, fitting }
    if (fitting.length > 0) yield { product: productName(vendor, '*'), own: fitting, fitting: [] }
  }
}

/** A lease that is there for one user or one feature is nothing to be offered. */
function isOffered(supply: Supply, agent: string): boolean {
  return (
    supply.takes.kind === 'sessions' &&
    supply.vendorKey !== undefined &&
    supply.onlyKey === undefined &&
    supply.onlyFor === undefined &&
    typeof supply.onlyFeature !== 'string' &&
    isLeasable(supply, [agent])
  )
}

function offerOf({ product, own, fitting }: Pool, options: LeaseOfferOptions): Offer | undefined {
  const [first] = own
  if (first?.vendorKey === undefined) return undefined
  const { lessor } = options
  const used = (supplies: readonly Supply[]): number => sum(supplies, ({ id }) => lessor.view.used(id))
  const seats = sum(own, (one) => one.seats)
  const next =
    used(own) + used(fitting) < seats + sum(fitting, (one) => one.seats) ? undefined : options.nextReturnAt(product)
  const title = own.find((one) => one.title !== undefined)?.title
  const facts = options.licenseFacts(first.license)
  const { detachable, detached, maxDays } = options.figures?.(product) ?? { detachable: 0, detached: 0, maxDays: 0 }
  return {
    product,
    ...(title === undefined ? {} : { title }),
    vendorKey: first.vendorKey,
    features: featuresOf(own),
    seats,
    used: used(own),
    detached,
    notDetachable: Math.max(0, seats - detachable - detached),
    detachable,
    maxDetachDays: maxDays,
    anySeats: sum(fitting, (one) => one.seats),
    anyUsed: used(fitting),
    rule: first.rule,
    waiting: options.waiting(product),
    ...(next === undefined ? {} : { nextReturnAt: next }),
    licenses: own.filter((one) => one.kind === 'license').flatMap((one) => licenseOf(one, options)),
    chain: [...own.reduce((one, other) => (other.chain.length < one.chain.length ? other : one)).chain],
    ...(facts?.links === undefined ? {} : { links: { ...facts.links } }),
  }
}

function licenseOf({ license, seats }: Supply, { licenseFacts }: LeaseOfferOptions): Offer['licenses'] {
  const facts = licenseFacts(license)
  if (!facts) return []
  const { model, endsAt } = facts
  return [{ id: license, model, ...(endsAt === undefined ? {} : { endsAt }), seats }]
}

/** A feature is limited where every license limits it. */
function featuresOf(supplies: readonly Supply[]): Offer['features'] {
  const features = new Map<string, number | null>()
  for (const { features: own, seats } of supplies)
    for (const [name, limit] of Object.entries(own)) {
      const known = features.get(name)
      const before = known === undefined ? 0 : known
      features.set(name, before === null || limit === null ? null : before + Math.min(limit, seats))
    }
  return [...features].map(([name, limit]) => ({ name, seats: limit }))
}

function sum(supplies: readonly Supply[], of: (supply: Supply) => number): number {
  return supplies.reduce((total, one) => total + of(one), 0)
}
