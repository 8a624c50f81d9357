/**
 * Makes detachments of this agent's seats, and lets them last longer. Decides within the one queue; the grants are the lessor's, the
 * records the book's. Talks to nobody; must not import http.
 */
import type { Clock } from './clock.ts'
import { departureId } from './departures.ts'
import type { DetachmentBook } from './detachment-book.ts'
import { type DetachRecipient, isOut, type OutRecord, outFacts } from './detachment-record.ts'
import {
  alreadyOver,
  clocksDiffer,
  detachDisabled,
  endRefusal,
  mostClockDifference,
  placeRefusal,
} from './detachment-refusals.ts'
import { type DetachmentTexts, signersOf } from './detachment-texts.ts'
import { judgeEnd, latestEnd, softDays, type WantedEnd } from './domain/detach-days.ts'
import { type DetachWish, detachable, detachableSupplies, poolFor } from './domain/detaching.ts'
import type { Dates } from './domain/floor.ts'
import { peerGrantId, type Who } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import { fitsFeature, type Supply } from './domain/supply.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import type { AgentName } from './session-view.ts'
import type { Transaction, Writes } from './writes.ts'

export interface DetachSettings {
  readonly enabled: boolean
  readonly reservedSeats: number
  readonly reservedPercent: number
  readonly maxDays: number
}

export interface DetachmentMakingOptions {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'departures'>
  readonly writes: Writes
  readonly clock: Clock
  /** What counts for things whose chain has these signers, nearest first. */
  readonly dates: (signers: readonly string[]) => Dates
  readonly texts: DetachmentTexts
  readonly self: () => AgentName
  readonly settings: (product: ProductName) => DetachSettings
  readonly graceSeconds: () => number
}

export interface DetachRequest {
  readonly id: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** Absent: soft. */
  readonly end?: WantedEnd
  readonly zone?: string
  readonly recipient: DetachRecipient
  readonly via?: string
  /** What the recipient's clock said just now, in ms; absent: it was not asked. */
  readonly time?: number
  /** The version that the recipient has; 0 = none. */
  readonly version: number
  /** Leases of the recipient that become it, by its ids. */
  readonly replaces?: readonly string[]
  readonly who: Who
  readonly chain: readonly string[]
  readonly vendorKey?: string
  /** The key under which it was ordered here. */
  readonly order?: string
  /** `kept`: nobody has its document before it is asked for. `block`: it goes by hand. Absent: the recipient asks itself. */
  readonly way?: 'kept' | 'block'
}

export interface MadeOut {
  readonly kind: 'made'
  readonly created: boolean
  readonly record: OutRecord
}

export interface PlannedOut {
  readonly kind: 'planned'
  readonly until: number
  readonly cut: boolean
  readonly latest: number
  readonly freeDate: number
  /** The date that counts here, in ms. */
  readonly now: number
  readonly detachable: number
  readonly earlyReturn: OutRecord['earlyReturn']
}

/** What is decided on before seats are looked for. */
interface Judged {
  readonly kind: 'judged'
  readonly until: number
  readonly cut: boolean
  readonly latest: number
  readonly wish: DetachWish
  readonly now: number
  readonly behind: number
}

const day = 86_400_000

export class DetachmentMaking {
  readonly #options: DetachmentMakingOptions

  constructor(options: DetachmentMakingOptions) {
    this.#options = options
  }

  /** Asks for seats until a date, or for a later date of what the recipient has. The same again is answered the same. */
  make(request: DetachRequest): Promise<MadeOut | Refusal> {
    return this.#options.writes.submit((transaction) => this.#make(transaction, request), { growing: true })
  }

  /** What it would be, now. */
  async plan(request: DetachRequest): Promise<PlannedOut | Refusal> {
    // Looked at within the queue, like the thing itself, and nothing is written.
    return await this.#options.writes.submit((transaction) => {
      const before = this.#options.book.out(request.id, transaction)
      const judged = this.#judge(request, isOut(before) ? before : undefined)
      if (judged.kind === 'refused') return judged
      const { departures } = this.#options.lessor
      const [first] = detachableSupplies(departures.view, judged.wish)
      const { until, cut, latest, behind, now } = judged
      return {
        kind: 'planned' as const,
        until,
        cut,
        latest,
        now,
        freeDate: until + this.#grace() + behind,
        detachable: departures.detachable(judged.wish),
        earlyReturn: this.#options.texts.earlyReturnOf(first),
      }
    })
  }

  #make(transaction: Transaction, request: DetachRequest): MadeOut | Refusal {
    const { book, lessor, self, texts } = this.#options
    const before = book.out(request.id, transaction)
    if (before !== undefined) return this.#again(transaction, before, request)
    const grantId = departureId(request.recipient.id, request.id)
    const gone = lessor.departures.gone(grantId)
    if (gone !== undefined) return alreadyOver(gone)
    const judged = this.#judge(request, undefined)
    if (judged.kind === 'refused') return judged
    const { until, wish, now, behind } = judged
    const grace = this.#grace()
    const departed = lessor.departures.depart(transaction, {
      id: grantId,
      instance: self().id,
      holder: request.recipient.id,
      wish,
      until,
      freeIn: until + grace + behind - now,
      who: request.who,
    })
    if (departed.kind !== 'departed') return placeRefusal(departed, request, now, this.#options.clock.boot().at)
    const { supply } = departed
    const { feature, zone, via, way } = request
    const signed = texts.sign(supply, request, { version: 1, until, now })
    if (signed === undefined) throw new Error('Seats were detached of a supply that has no license.')
    const record: OutRecord = {
      side: 'out',
      id: request.id,
      state: 'out',
      grant: grantId,
      version: 1,
      recipient: request.recipient,
      ...(via === undefined ? {} : { via }),
      product: request.product,
      ...(feature === undefined ? {} : { feature }),
      seats: request.seats,
      license: supply.license,
      signers: signersOf(supply),
      until,
      ...(zone === undefined ? {} : { zone }),
      behind,
      grace,
      ...(request.end === undefined ? { soft: true as const } : {}),
      cascade: texts.rulesOf(supply.license)?.cascade ?? false,
      earlyReturn: this.#options.texts.earlyReturnOf(supply),
      delivered: way !== 'kept',
      texts: signed,
      latest: until,
      who: request.who,
      madeAt: now,
      ...(request.order === undefined ? {} : { order: request.order }),
      ...(way === undefined ? { contactAt: this.#options.clock.wall() } : {}),
    }
    book.put(transaction, record)
    return { kind: 'made', created: true, record }
  }

  /** The same id again: the same document, or one of a later date. */
  #again(transaction: Transaction, before: OutRecord, request: DetachRequest): MadeOut | Refusal {
    const { book } = this.#options
    const isSame =
      before.recipient.id === request.recipient.id &&
      before.product === request.product &&
      before.feature === request.feature &&
      before.seats === request.seats
    if (!isSame) return refuse('id_conflict', 'This id was used for another detachment.')
    if (!isOut(before)) return alreadyOver(before.state)
    const contact = request.way === undefined ? { contactAt: this.#options.clock.wall(), delivered: true } : {}
    if (request.version < before.version) {
      const heard = { ...before, ...contact }
      book.put(transaction, heard)
      return { kind: 'made', created: false, record: heard }
    }
    if (request.version > before.version)
      return refuse('id_conflict', 'The machine has a later version than this agent knows of.')
    return this.#extend(transaction, { ...before, ...contact }, request)
  }

  /** Growth is durable here before the recipient hears of it (R16). */
  #extend(transaction: Transaction, before: OutRecord, request: DetachRequest): MadeOut | Refusal {
    const { book, lessor, texts } = this.#options
    if (before.lost !== undefined)
      return refuse('not_detachable', 'It was declared lost, so it is not extended. Give it back instead.')
    const judged = this.#judge(request, before)
    if (judged.kind === 'refused') return judged
    const { until, now, behind } = judged
    // The same end again: an answer may have been lost.
    if (until === before.until && (request.end === undefined) === (before.soft === true)) {
      book.put(transaction, before)
      return { kind: 'made', created: false, record: before }
    }
    const supply = lessor.departures.view.supply(lessor.departures.view.grant(before.grant)?.parts[0]?.supply ?? '')
    const refused = refuseLonger(supply, judged, this.#options.clock.boot().at)
    if (refused) return refused
    const version = before.version + 1
    const signed = supply && texts.sign(supply, request, { version, until, now })
    if (signed === undefined) return refuse('not_detachable', 'Its license is not there any more.')
    const grace = this.#grace()
    lessor.departures.prolong(transaction, before.grant, { until, freeIn: until + grace + behind - now })
    const { soft: _, zone: _zone, ...rest } = before
    const record: OutRecord = {
      ...rest,
      version,
      texts: signed,
      until,
      ...(request.zone === undefined ? {} : { zone: request.zone }),
      ...(request.end === undefined ? { soft: true as const } : {}),
      // The earlier document may still be what the recipient goes by.
      behind: Math.max(behind, before.behind + before.until - until),
      grace,
      latest: Math.max(before.latest, until),
    }
    book.put(transaction, record)
    const facts = { ...outFacts(record), before: iso(before.until), until: iso(until) }
    // A soft one is renewed every hour.
    if (request.end !== undefined) transaction.journal({ type: 'detachment.extended', facts })
    return { kind: 'made', created: false, record }
  }

  /** Whether it may last until then, by settings, clocks, license and date; not yet whether there are seats. */
  #judge(request: DetachRequest, before: OutRecord | undefined): Judged | Refusal {
    const { lessor, settings, self, clock, dates } = this.#options
    const { product, feature, seats, end, time, vendorKey } = request
    const rules = settings(product)
    if (!rules.enabled) return detachDisabled(self().name)
    if (request.recipient.id === self().id)
      return refuse('wrong_recipient', `${self().name} has these seats itself; they work there with no network.`)
    const { view } = lessor.departures
    const own = before && view.supply(view.grant(before.grant)?.parts[0]?.supply ?? '')
    const sought = { product, chain: request.chain, ...(feature === undefined ? {} : { feature }) }
    const supplies = own
      ? [own]
      : detachableSupplies(view, { ...sought, ...(vendorKey === undefined ? {} : { vendorKey }) })
    const [first] = supplies
    if (first === undefined) return this.#refuseNone(request)
    const now = Math.floor(dates(signersOf(first)).date)
    const ahead = time === undefined ? 0 : time - now
    if (Math.abs(ahead) > mostClockDifference) return clocksDiffer(request.recipient.name, time ?? 0, self().name, now)
    const bootAt = clock.boot().at
    const ends = supplies.map((one) => (one.until === undefined ? undefined : now + one.until - bootAt))
    const licenseEnd = ends.includes(undefined) ? undefined : Math.max(...ends.map((one) => one ?? 0))
    const limits = {
      now,
      maxDays: Math.min(rules.maxDays, Math.max(...supplies.map((one) => one.maxDetachDays ?? 0))),
      ...(licenseEnd === undefined ? {} : { licenseEnd }),
      ...(before === undefined ? {} : { atLeast: before.until }),
    }
    const latest = latestEnd(limits)
    const wanted = end ?? { until: Math.min(now + softDays * day, latest) }
    // A soft one is never made shorter by asking again.
    const judgedEnd = judgeEnd(
      end === undefined && before !== undefined ? { until: Math.max(wanted.until, before.until) } : wanted,
      limits,
    )
    if (judgedEnd.kind !== 'good') return endRefusal(judgedEnd, rules.maxDays)
    const { until, cut, days } = judgedEnd
    const converting = (request.replaces ?? []).flatMap((lease) => {
      const grant = view.grant(peerGrantId(request.recipient.id, lease))
      return grant?.kind === 'lease' && grant.product === product ? [grant] : []
    })
    return {
      kind: 'judged',
      until,
      cut,
      latest,
      now,
      behind: Math.max(0, -ahead),
      wish: {
        ...sought,
        seats,
        until: bootAt + (until - now),
        days,
        reserved: { seats: rules.reservedSeats, percent: rules.reservedPercent },
        converting,
        ...(vendorKey === undefined ? {} : { vendorKey }),
      },
    }
  }

  #refuseNone({ product, feature }: DetachRequest): Refusal {
    const { lessor, self } = this.#options
    const own = lessor.departures.view.suppliesFor(product).filter((one) => one.kind !== 'lease')
    if (feature !== undefined && own.length > 0 && !own.some((one) => fitsFeature(one, feature)))
      return refuse('unknown_feature', `No license of ${self().name} for ${product} has the feature “${feature}”.`)
    const any = own.length > 0
    return any
      ? refuse('not_detachable', `No license of ${self().name} allows seats of ${product} to be detached.`)
      : refuse('unknown_product', `${self().name} has no license of its own for ${product}.`)
  }

  /** How much of a product could be detached now, and for how long; nothing where it is switched off. */
  figures(product: ProductName): { readonly detachable: number; readonly detached: number; readonly maxDays: number } {
    const { lessor, settings } = this.#options
    const { enabled, reservedSeats, reservedPercent, maxDays } = settings(product)
    const pool = poolFor(lessor.view, product)
    const supplies = detachableSupplies(lessor.view, { product })
    const licensed = Math.max(0, ...supplies.map((one) => one.maxDetachDays ?? 0))
    if (!enabled || licensed === 0) return { detachable: 0, detached: pool.detached, maxDays: 0 }
    const room = supplies.reduce((sum, one) => sum + Math.max(0, one.seats - lessor.view.used(one.id)), 0)
    const most = detachable(pool, { seats: reservedSeats, percent: reservedPercent })
    return { detachable: Math.min(most, room), detached: pool.detached, maxDays: Math.min(maxDays, licensed) }
  }

  #grace(): number {
    return this.#options.graceSeconds() * 1000
  }
}

/** Whether its own supply lasts as long (R22). */
function refuseLonger(supply: Supply | undefined, { wish, now }: Judged, bootAt: number): Refusal | undefined {
  if (supply === undefined || supply.takes.kind !== 'sessions' || supply.maxDetachDays === undefined)
    return refuse('not_detachable', 'Its license takes no longer detachments now.')
  if (supply.until !== undefined && supply.until < wish.until)
    return endRefusal({ kind: 'beyond_license_end', latest: now + supply.until - bootAt }, 0)
  return undefined
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
