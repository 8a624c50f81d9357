/**
 * Why a seat was refused, as it is at this moment: seats, who holds them, when one is due (X1, S2).
 * Owns only what it saw of the holders within the last second, since many are refused at once and there may be many holders.
 */
import { z } from 'zod'
import type { Clock } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import { openSupplies, roomIn } from './domain/placement.ts'
import type { ProductName } from './domain/product-name.ts'
import { featureLimit, type Supply } from './domain/supply.ts'
import { featureUnit } from './domain/usage.ts'
import type { Asked, ManagerRefusal } from './lease-search.ts'
import type { Lessor } from './lessor.ts'
import type { KnownManagers, Offering } from './peers/manager-link.ts'
import type { AgentName } from './session-view.ts'

export interface HolderView {
  user?: string
  host?: string
  application?: string
  seats: number
  startedAt: string
}

export interface ManagerView {
  id: string
  name: string
  product: string
  seats: number
  used: number
  detached: number
  notDetachable: number
  nextReturnAt?: string
  holders?: HolderView[]
}

export interface ExplanationView {
  managers: ManagerView[]
  asked: Asked[]
  rule?: string
}

export type HolderPrivacy = 'names' | 'initials' | 'none'

export interface ExplanationOptions {
  readonly lessor: Pick<Lessor, 'view' | 'promiseOf'>
  readonly clock: Clock
  readonly self: () => AgentName
  readonly settings: () => {
    readonly privacy: HolderPrivacy
    /** After how much time without reported activity a session ends, in ms. */
    readonly idleLimit: number
  }
  /** How many seats of a product could be detached now; absent: none. */
  readonly detachable?: ((product: ProductName) => number) | undefined
  /** Other managers; absent: there are none. */
  readonly known?: Pick<KnownManagers, 'offering'>
}

/** What other managers said to a request. */
export interface Said {
  readonly asked: readonly Asked[]
  readonly refusals: readonly ManagerRefusal[]
}

/** What looking at the holders gave. Times are readings of `atLeast`. */
interface Look {
  readonly at: number
  readonly holders: HolderView[]
  readonly detached: number
  readonly nextReturn: number | undefined
}

const nothingSaid: Said = { asked: [], refusals: [] }
const mostManagers = 100
const mostHolders = 100
const mostLooked = 10_000
const lookLasts = 1_000

export class Explanations {
  readonly #options: ExplanationOptions
  readonly #looks = new Map<string, Look>()

  constructor(options: ExplanationOptions) {
    this.#options = options
  }

  explain(product: ProductName, feature: string | undefined, said: Said = nothingSaid): ExplanationView {
    const own = this.#own(product, feature)
    const others = this.#others(product, feature, said.refusals)
    return { managers: own ? [own, ...others] : others, asked: [...said.asked] }
  }

  /** Seats of other managers, as they offer them, with the holders that they name. */
  #others(product: ProductName, feature: string | undefined, refusals: readonly ManagerRefusal[]): ManagerView[] {
    const { known, settings } = this.#options
    const isPrivate = settings().privacy === 'none'
    return (known?.offering(product) ?? []).slice(0, mostManagers).map((offering) => {
      const refusal = refusals.findLast(({ manager }) => manager.id === offering.link.id)
      const told = refusal?.problem.explanation
      const holders = isPrivate ? undefined : toldHolders.safeParse(told).data?.holders
      // What it says with its refusal is newer than what it last offered.
      const { nextReturnAt, ...counts } = toldCounts.safeParse(told).data ?? {}
      return {
        ...offerView(offering, product, feature, holders?.map(holderAsTold)),
        ...counts,
        ...(nextReturnAt === undefined ? {} : { nextReturnAt }),
      }
    })
  }

  /** Seats of this agent's own licenses. */
  #own(product: ProductName, feature: string | undefined): ManagerView | undefined {
    const { lessor, clock, self, settings, detachable } = this.#options
    const wanted = { product, ...(feature === undefined ? {} : { feature }) }
    // What is leased is a part of what its manager offers.
    const supplies = openSupplies(lessor.view, wanted, clock.boot().at).filter((one) => one.kind !== 'lease')
    if (supplies.length === 0) return undefined
    const { privacy, idleLimit } = settings()
    const look = this.#look(product, feature, supplies, privacy, idleLimit)
    const seats = sum(supplies, (one) => seatsFor(one, feature))
    return {
      ...self(),
      product,
      seats,
      used: sum(supplies, (one) => this.#used(one, feature)),
      detached: look.detached,
      notDetachable: Math.max(0, seats - look.detached - (detachable?.(product) ?? 0)),
      ...(look.nextReturn === undefined
        ? {}
        : {
            nextReturnAt: iso(clock.wall() + Math.max(0, Math.ceil(look.nextReturn - clock.atLeast()))),
          }),
      ...(privacy === 'none' ? {} : { holders: look.holders }),
    }
  }

  /** Of a feature: all of its seats that nobody can get now, be it that its limit or the product's seats are used up. */
  #used(supply: Supply, feature: string | undefined): number {
    const { view } = this.#options.lessor
    if (feature === undefined) return view.used(supply.id)
    const seats = seatsFor(supply, feature)
    return seats - Math.min(seats, roomIn(view, supply, feature, undefined))
  }

  #look(
    product: ProductName,
    feature: string | undefined,
    supplies: readonly Supply[],
    privacy: HolderPrivacy,
    idleLimit: number,
  ): Look {
    const name = `${product} ${privacy} ${feature ?? ''}`
    const now = this.#options.clock.atLeast()
    const known = this.#looks.get(name)
    if (known && now - known.at < lookLasts) return known
    for (const [other, { at }] of this.#looks) if (now - at >= lookLasts) this.#looks.delete(other)
    const look = this.#lookAnew(feature, supplies, { privacy, idleLimit, now })
    this.#looks.set(name, look)
    return look
  }

  #lookAnew(
    feature: string | undefined,
    supplies: readonly Supply[],
    { privacy, idleLimit, now }: { readonly privacy: HolderPrivacy; readonly idleLimit: number; readonly now: number },
  ): Look {
    const { lessor } = this.#options
    const holders = new Map<string, Grant>()
    const returns = new Map<string, number>()
    let looked = 0
    let detached = 0
    for (const supply of supplies) {
      const limit = featureLimit(supply, feature)
      const limited = limit !== undefined && lessor.view.used(featureUnit(supply.id, feature ?? '')) >= limit
      for (const grant of lessor.view.grantsOf(supply.id)) {
        if (looked++ >= mostLooked) break
        if (limited && grant.feature !== feature) continue
        if (holders.size < mostHolders) holders.set(grant.id, grant)
        const part = grant.parts.find((one) => one.supply === supply.id)
        if (grant.kind === 'detachment') detached += part?.seats ?? 0
        // A key gives its seats back with the last of its grants.
        const place = `${supply.id} ${part?.key ?? grant.id}`
        returns.set(place, Math.max(returns.get(place) ?? 0, this.#returnOf(grant, now, idleLimit)))
      }
    }
    let next = Number.POSITIVE_INFINITY
    for (const at of returns.values()) if (at < next) next = at
    return {
      at: now,
      holders: Array.from(holders.values(), (grant) => holderView(grant, privacy)),
      detached,
      nextReturn: Number.isFinite(next) ? next : undefined,
    }
  }

  /**
   * When the seat must come back without its holder doing anything: an end that was ordered, a renewal that is late, an idle
   * end. Infinite while the holder renews.
   */
  #returnOf(grant: Grant, now: number, idleLimit: number): number {
    const promise = this.#options.lessor.promiseOf(grant.id)
    if (!promise) return Number.POSITIVE_INFINITY
    if (grant.kind === 'detachment') return promise.freeAt
    // Renewals are due after a third of what was promised; half of it is late.
    const late = now - promise.heardAt > (promise.promisedUntil - promise.heardAt) / 2
    const free = grant.ending !== undefined || late ? promise.freeAt : Number.POSITIVE_INFINITY
    return grant.activity === 'reported' ? Math.min(free, promise.activeAt + idleLimit) : free
  }
}

const toldCounts = z.object({
  seats: z.int().min(0),
  used: z.int().min(0),
  detached: z.int().min(0),
  notDetachable: z.int().min(0),
  nextReturnAt: z.iso.datetime().optional(),
})

/** What a manager tells of who holds its seats; another machine says it, so what does not fit is left out. */
const toldText = z.string().max(255)
const toldHolders = z.object({
  holders: z
    .array(
      z.object({
        user: toldText.optional(),
        host: toldText.optional(),
        application: toldText.optional(),
        seats: z.int().min(0),
        startedAt: toldText,
      }),
    )
    .max(mostHolders),
})

function holderAsTold({
  user,
  host,
  application,
  seats,
  startedAt,
}: z.output<typeof toldHolders>['holders'][number]): HolderView {
  return {
    ...(user === undefined ? {} : { user }),
    ...(host === undefined ? {} : { host }),
    ...(application === undefined ? {} : { application }),
    seats,
    startedAt,
  }
}

function offerView(
  { link, offer }: Offering,
  product: ProductName,
  feature: string | undefined,
  holders: HolderView[] | undefined,
): ManagerView {
  const limit = offer.features.find((one) => one.name === feature)?.seats ?? undefined
  const seats = offer.seats + offer.anySeats
  return {
    id: link.id,
    name: link.name,
    product,
    seats: limit === undefined ? seats : Math.min(seats, limit),
    used: limit === undefined ? offer.used + offer.anyUsed : Math.min(offer.used + offer.anyUsed, limit),
    detached: offer.detached,
    notDetachable: offer.notDetachable,
    ...(offer.nextReturnAt === undefined ? {} : { nextReturnAt: offer.nextReturnAt }),
    ...(holders === undefined ? {} : { holders }),
  }
}

function seatsFor(supply: Supply, feature: string | undefined): number {
  return Math.min(supply.seats, featureLimit(supply, feature) ?? supply.seats)
}

function holderView(grant: Grant, privacy: HolderPrivacy): HolderView {
  const { displayName, email, account, host, application } = grant.who
  const user = displayName ?? email ?? account
  return {
    ...(user === undefined ? {} : { user: privacy === 'initials' ? initials(user) : user }),
    ...(host === undefined ? {} : { host }),
    ...(application === undefined ? {} : { application }),
    seats: grant.seats,
    startedAt: iso(grant.startedAt),
  }
}

/** Of a name, an e-mail address or an account with its domain: the letters that its words begin with. */
function initials(name: string): string {
  const own = name.slice(name.lastIndexOf('\\') + 1).split('@')[0] ?? ''
  const words = own.split(/[\s._-]+/).filter((word) => word !== '')
  return words.map((word) => `${[...word][0]?.toUpperCase() ?? ''}.`).join('')
}

function sum(supplies: readonly Supply[], of: (supply: Supply) => number): number {
  return supplies.reduce((total, one) => total + of(one), 0)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
