/**
 * Detaching as people and programs order it, for both sides: to this machine from whoever has seats, for another machine from here,
 * longer, back, lost, and by blocks. Owns nothing; the parts decide. Must not import http.
 */
import type { DetachmentAsking, DetachWanted } from './detachment-asking.ts'
import { blockOf } from './detachment-blocks.ts'
import type { DetachmentBook } from './detachment-book.ts'
import type { DetachmentEnding } from './detachment-ending.ts'
import type { DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentManagers } from './detachment-link.ts'
import type { DetachmentMaking, DetachRequest, DetachSettings } from './detachment-making.ts'
import { DetachmentOrders } from './detachment-orders.ts'
import { isIn, isOut, type OutRecord } from './detachment-record.ts'
import { detachmentOver, unknownDetachment } from './detachment-refusals.ts'
import type { DetachmentReturning } from './detachment-returning.ts'
import { type DetachmentView, type DetachmentViewParts, detachmentViews, inView, outView } from './detachment-view.ts'
import {
  type DetachWish,
  type EndWish,
  type ForWhom,
  type ReadWish,
  readEnd,
  readWish,
  type WishParts,
} from './detachment-wish.ts'
import type { WantedEnd } from './domain/detach-days.ts'
import { type SigningKey, shortGroups } from './domain/documents/keys.ts'
import type { ProductName } from './domain/product-name.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import { makeRecipient } from './recipient.ts'
import type { AgentName } from './session-view.ts'

export interface DetachmentsOptions extends WishParts {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'isEmpty'>
  readonly making: DetachmentMaking
  readonly returning: DetachmentReturning
  readonly ending: DetachmentEnding
  readonly holding: DetachmentHolding
  readonly asking: DetachmentAsking
  readonly managers: DetachmentManagers
  readonly agent: SigningKey
  readonly self: () => AgentName
  readonly settings: (product: ProductName) => DetachSettings
  readonly randomId: () => string
  /** Whether nothing is made now, by what the license server is set to. */
  readonly refuseNew: () => Refusal | undefined
  /** Something was made or is longer for an agent: it is told when it listens. */
  readonly tell: (agent: string, id: string) => void
}

export interface DetachPlanView {
  product: string
  feature?: string
  seats: number
  manager: AgentName
  recipient: { id: string; name: string; fingerprint: string }
  soft: boolean
  until: string
  zone: string
  cut: boolean
  latest?: string
  freeAt?: string
  detachable?: number
  earlyReturn?: 'online' | 'offline' | 'atDate'
}

type Made = { readonly kind: 'made'; readonly detachment: DetachmentView; readonly block?: string }

export class Detachments {
  readonly #options: DetachmentsOptions
  readonly #orders: DetachmentOrders<Made | Refusal>

  constructor(options: DetachmentsOptions) {
    this.#options = options
    this.#orders = new DetachmentOrders(options.book)
  }

  // ---- what there is

  list(): DetachmentView[] {
    return detachmentViews(this.#view)
  }

  get(id: string): DetachmentView | undefined {
    const { book } = this.#options
    const [out, into] = [book.out(id), book.in(id)]
    if (into !== undefined) return inView(into, this.#view)
    return out && outView(out, this.#view)
  }

  /** The block for the other machine: whoever has it, can use it. */
  async block(id: string): Promise<{ readonly kind: 'made'; readonly block: string } | Refusal> {
    const record = await this.#options.returning.noteDelivered(id, false)
    return record === undefined ? unknownDetachment(id) : { kind: 'made', block: blockOf(record.texts) }
  }

  /** The block that names this machine. */
  recipient() {
    const { agent, self, clock, zone, randomId } = this.#options
    const { name } = self()
    const wall = clock.wall()
    const text = makeRecipient({ agent, name, id: `p${randomId()}`, wall, zone: zone() })
    return {
      recipient: blockOf([text]),
      id: agent.id,
      name,
      fingerprint: shortGroups(agent.id),
      time: iso(wall),
      zone: zone(),
    }
  }

  // ---- detaching

  async plan(wish: DetachWish): Promise<{ readonly kind: 'planned'; readonly plan: DetachPlanView } | Refusal> {
    const found = readWish(wish, this.#options)
    if (found.kind === 'refused') return found
    const { product, end, zone, forWhom } = found
    const base = {
      product,
      ...(wish.feature === undefined ? {} : { feature: wish.feature }),
      seats: wish.seats,
      soft: wish.soft,
      zone,
    }
    if (forWhom !== undefined) {
      const plan = await this.#options.making.plan(this.#requestOf(wish, product, end, zone, forWhom))
      if (plan.kind === 'refused') return plan
      const { until, cut, latest, freeDate, detachable, earlyReturn } = plan
      const recipient = named(forWhom.recipient)
      const times = { until: iso(until), latest: iso(latest), freeAt: iso(freeDate) }
      return {
        kind: 'planned',
        plan: { ...base, manager: this.#options.self(), recipient, ...times, cut, detachable, earlyReturn },
      }
    }
    const plan = await this.#options.asking.plan(wantedOf(wish, product, end, zone))
    if (plan.kind === 'refused') return this.#orOwn(plan, product)
    const { until, cut, latest, freeIn, detachable, earlyReturn, manager } = plan
    const times = { until: iso(until), latest: iso(latest), freeAt: iso(this.#options.clock.wall() + freeIn * 1000) }
    return {
      kind: 'planned',
      plan: { ...base, manager, recipient: named(this.#options.self()), ...times, cut, detachable, earlyReturn },
    }
  }

  async detach(wish: DetachWish): Promise<Made | Refusal> {
    const found = readWish(wish, this.#options)
    if (found.kind === 'refused') return found
    const { order } = wish
    if (order === undefined) return await this.#detach(wish, found)
    return await this.#orders.once(
      order,
      async () => this.#again(order, wish, found) ?? (await this.#detach(wish, found)),
    )
  }

  /** What came of the same order before. */
  #again(order: string, { seats }: DetachWish, { product, forWhom }: ReadWish): Made | Refusal | undefined {
    const known = this.#orders.find(order)
    if (known === undefined) return undefined
    if (known.product !== product || known.seats !== seats || (known.side === 'in') !== (forWhom === undefined))
      return refuse('id_conflict', 'This key was used for another detachment.')
    if (known.side === 'out') return this.#made(known, forWhom?.way === 'block')
    if (known.state === 'asking' || known.state === 'cancelling')
      return refuse('manager_unreachable', `${known.manager.name} was asked, and has not answered yet.`, {
        retryIn: 10,
      })
    return { kind: 'made', detachment: inView(known, this.#view) }
  }

  async #detach(wish: DetachWish, { product, end, zone, forWhom }: ReadWish): Promise<Made | Refusal> {
    if (forWhom === undefined) {
      const attached = await this.#options.asking.detach(wantedOf(wish, product, end, zone))
      return attached.kind === 'refused'
        ? this.#orOwn(attached, product)
        : { kind: 'made', detachment: inView(attached.record, this.#view) }
    }
    const refused = this.#options.refuseNew()
    if (refused) return refused
    const made = await this.#options.making.make(this.#requestOf(wish, product, end, zone, forWhom))
    return made.kind === 'refused' ? made : this.#made(made.record, forWhom.way === 'block')
  }

  /** Longer, from whichever side. */
  async extend(id: string, wish: EndWish): Promise<Made | Refusal> {
    const { book, asking, making, refuseNew } = this.#options
    const into = book.in(id)
    const out = book.out(id)
    const known = into ?? out
    if (known === undefined) return unknownDetachment(id)
    const zone = wish.zone ?? known.zone ?? this.#options.zone()
    const end =
      known.soft && wish.until === undefined && wish.days === undefined ? undefined : readEnd(wish, zone, this.#options)
    if (end?.kind === 'refused') return end
    if (into !== undefined) {
      if (!isIn(into)) return detachmentOver(into.state)
      const extended = await asking.extend(id, { ...end?.end, ...zoneOf(wish, zone) })
      return extended.kind === 'refused' ? extended : { kind: 'made', detachment: inView(extended.record, this.#view) }
    }
    if (!isOut(out)) return detachmentOver(out?.state ?? 'ended')
    const refused = refuseNew()
    if (refused?.code === 'serving_stopped') return refused
    const made = await making.make({
      id,
      product: out.product,
      ...(out.feature === undefined ? {} : { feature: out.feature }),
      seats: out.seats,
      ...(end === undefined ? {} : { end: end.end }),
      ...zoneOf(wish, zone),
      recipient: out.recipient,
      version: out.version,
      who: out.who,
      chain: [out.recipient.id],
      way: out.delivered ? 'block' : 'kept',
    })
    return made.kind === 'refused' ? made : this.#made(made.record, true)
  }

  // ---- coming back

  async giveBack(id: string): Promise<
    | {
        readonly kind: 'returned'
        readonly state: 'returned' | 'returning' | 'withdrawn' | 'ended'
        readonly detachment: DetachmentView
      }
    | Refusal
  > {
    const { book, holding, asking, returning } = this.#options
    if (book.in(id) === undefined) {
      const out = book.out(id)
      if (out === undefined) return unknownDetachment(id)
      if (out.state !== 'out') return { kind: 'returned', state: out.state, detachment: outView(out, this.#view) }
      const withdrawn = await returning.withdraw(id)
      if (withdrawn.kind === 'refused') return withdrawn
      return { kind: 'returned', state: 'withdrawn', detachment: outView(book.out(id) ?? out, this.#view) }
    }
    const known = book.in(id)
    // Nothing is left to be done, so it is no mistake to ask for it.
    if (known?.state === 'returned' || known?.state === 'ended')
      return { kind: 'returned', state: known.state, detachment: inView(known, this.#view) }
    const begun = await holding.giveBack(id)
    if (begun.kind === 'refused') return begun
    await asking.pay(id)
    const record = book.in(id) ?? begun.record
    const state = record.state === 'returned' ? 'returned' : 'returning'
    return { kind: 'returned', state, detachment: inView(record, this.#view) }
  }

  async makeReceipt(id: string): Promise<
    | {
        readonly kind: 'made'
        readonly receipt: string
        readonly fingerprint: string
        readonly detachment: DetachmentView
      }
    | Refusal
  > {
    const { holding, agent } = this.#options
    const made = await holding.makeReceipt(id)
    if (made.kind === 'refused') return made
    return {
      kind: 'made',
      receipt: blockOf([made.text]),
      fingerprint: shortGroups(agent.id),
      detachment: inView(made.record, this.#view),
    }
  }

  async declareLost(
    id: string,
    order: { readonly by: string; readonly note?: string },
  ): Promise<{ readonly kind: 'declared'; readonly detachment: DetachmentView } | Refusal> {
    const declared = await this.#options.returning.declareLost(id, order)
    if (declared.kind === 'refused') return declared
    return { kind: 'declared', detachment: outView(declared.record, this.#view) }
  }

  /** Who has the license here needs no seat of others. */
  #orOwn(refused: Refusal, product: ProductName): Refusal {
    const { lessor, self } = this.#options
    const isOwn = lessor.view.suppliesFor(product).some(({ kind }) => kind === 'license')
    if (!isOwn || (refused.code !== 'manager_unreachable' && refused.code !== 'unknown_product')) return refused
    return refuse(
      'not_detachable',
      `${self().name} has a license of its own for ${product}, which works here with no network. Name the machine that takes a seat along.`,
    )
  }

  #requestOf(
    { feature, seats, who, order }: DetachWish,
    product: ProductName,
    end: WantedEnd | undefined,
    zone: string,
    { recipient, time, way }: ForWhom,
  ): DetachRequest {
    return {
      id: `d${this.#options.randomId()}`,
      product,
      ...(feature === undefined ? {} : { feature }),
      seats,
      ...(end === undefined ? {} : { end }),
      zone,
      recipient,
      ...(time === undefined ? {} : { time }),
      version: 0,
      who: { host: recipient.name, ...who },
      chain: [recipient.id],
      way,
      ...(order === undefined ? {} : { order }),
    }
  }

  #made(record: OutRecord, withBlock: boolean): Made {
    this.#options.tell(record.recipient.id, record.id)
    const detachment = outView(record, this.#view)
    return { kind: 'made', detachment, ...(withBlock ? { block: blockOf(record.texts) } : {}) }
  }

  get #view(): DetachmentViewParts {
    return this.#options
  }
}

function wantedOf(wish: DetachWish, product: ProductName, end: WantedEnd | undefined, zone: string): DetachWanted {
  return {
    product,
    ...(wish.feature === undefined ? {} : { feature: wish.feature }),
    seats: wish.seats,
    ...end,
    zone,
    ...(wish.manager === undefined ? {} : { manager: wish.manager }),
    who: wish.who,
    ...(wish.order === undefined ? {} : { order: wish.order }),
  }
}

/** The zone is kept with a calendar day only. */
function zoneOf({ until }: EndWish, zone: string): { readonly zone?: string } {
  return until === undefined || until.includes('T') ? {} : { zone }
}

function named({ id, name }: { readonly id: string; readonly name: string }) {
  return { id, name, fingerprint: shortGroups(id) }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
