/**
 * Detaching as people and programs order it, for both sides: to this machine from whoever has seats, for another machine from here,
 * longer, back, lost, and by blocks. Owns nothing; the parts decide. Must not import http.
 */
import type { Clock } from './clock.ts'
import type { DetachmentAsking, DetachWanted } from './detachment-asking.ts'
import { blockOf } from './detachment-blocks.ts'
import type { DetachmentBook } from './detachment-book.ts'
import type { DetachmentEnding } from './detachment-ending.ts'
import type { DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentManagers } from './detachment-link.ts'
import type { DetachmentMaking, DetachRequest, DetachSettings } from './detachment-making.ts'
import { type DetachRecipient, isIn, isOut, type OutRecord } from './detachment-record.ts'
import { unknownDetachment } from './detachment-refusals.ts'
import type { DetachmentReturning } from './detachment-returning.ts'
import { type DetachmentView, type DetachmentViewParts, detachmentViews, inView, outView } from './detachment-view.ts'
import { dayIn, isZone, type WantedEnd } from './domain/detach-days.ts'
import { openBlock, readBlocks } from './domain/documents/armor-reader.ts'
import { type SigningKey, shortGroups } from './domain/documents/keys.ts'
import type { Who } from './domain/grant.ts'
import { type ProductName, parseProductName, productName } from './domain/product-name.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import { makeRecipient } from './recipient.ts'
import type { AgentName } from './session-view.ts'

export interface DetachmentsOptions {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'isEmpty'>
  readonly making: DetachmentMaking
  readonly returning: DetachmentReturning
  readonly ending: DetachmentEnding
  readonly holding: DetachmentHolding
  readonly asking: DetachmentAsking
  readonly managers: DetachmentManagers
  readonly clock: Clock
  readonly agent: SigningKey
  readonly self: () => AgentName
  readonly settings: (product: ProductName) => DetachSettings
  /** The time zone of this machine. */
  readonly zone: () => string
  readonly randomId: () => string
  /** Products of that bare name at managers that are known. */
  readonly productsNamed: (product: string) => readonly ProductName[]
  /** An agent that is known, by its id or name, and by how many ms its clock is ahead as far as that is known. */
  readonly agentOf: (named: string) => (DetachRecipient & { readonly ahead?: number }) | undefined
  /** Whether nothing is made now, by what the license server is set to. */
  readonly refuseNew: () => Refusal | undefined
  /** Something was made or is longer for an agent: it is told when it listens. */
  readonly tell: (agent: string, id: string) => void
}

/** When it is to end: one of `until` and `days`; neither for a soft one. */
export interface EndWish {
  /** A calendar day or an instant, ISO 8601. */
  readonly until?: string | undefined
  readonly days?: number | undefined
  readonly zone?: string | undefined
}

export interface DetachWish extends EndWish {
  readonly product: string
  readonly feature?: string | undefined
  readonly seats: number
  readonly soft: boolean
  readonly manager?: string | undefined
  /** Id or name of an agent, or its block. */
  readonly recipient?: string | undefined
  readonly who: Who
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

/** What is known of who takes the seats along. */
interface ForWhom {
  readonly recipient: DetachRecipient
  readonly zone: string
  readonly time?: number
  readonly way: 'kept' | 'block'
}

const day = 86_400_000
/** Two clocks may differ by so much, so that so many days are cut off by it rather than refused. */
const slack = 11 * 60_000

type Made = { readonly kind: 'made'; readonly detachment: DetachmentView; readonly block?: string }

export class Detachments {
  readonly #options: DetachmentsOptions

  constructor(options: DetachmentsOptions) {
    this.#options = options
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
    const found = this.#read(wish)
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
    if (plan.kind === 'refused') return plan
    const { until, cut, latest, freeIn, detachable, earlyReturn, manager } = plan
    const times = { until: iso(until), latest: iso(latest), freeAt: iso(this.#options.clock.wall() + freeIn * 1000) }
    return {
      kind: 'planned',
      plan: { ...base, manager, recipient: named(this.#options.self()), ...times, cut, detachable, earlyReturn },
    }
  }

  async detach(wish: DetachWish): Promise<Made | Refusal> {
    const found = this.#read(wish)
    if (found.kind === 'refused') return found
    const { product, end, zone, forWhom } = found
    if (forWhom === undefined) {
      const attached = await this.#options.asking.detach(wantedOf(wish, product, end, zone))
      return attached.kind === 'refused' ? attached : { kind: 'made', detachment: inView(attached.record, this.#view) }
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
    const end = known.soft && wish.until === undefined && wish.days === undefined ? undefined : this.#endOf(wish, zone)
    if (end?.kind === 'refused') return end
    if (into !== undefined) {
      if (!isIn(into)) return refuse('session_ended', 'The detachment is over.', { reason: into.state })
      const extended = await asking.extend(id, { ...end?.end, ...zoneOf(wish, zone) })
      return extended.kind === 'refused' ? extended : { kind: 'made', detachment: inView(extended.record, this.#view) }
    }
    if (!isOut(out)) return refuse('session_ended', 'The detachment is over.', { reason: out?.state ?? 'ended' })
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
        readonly state: 'returned' | 'returning' | 'withdrawn'
        readonly detachment: DetachmentView
      }
    | Refusal
  > {
    const { book, holding, asking, returning } = this.#options
    if (book.in(id) === undefined) {
      const out = book.out(id)
      if (!isOut(out)) return unknownDetachment(id)
      const withdrawn = await returning.withdraw(id)
      if (withdrawn.kind === 'refused') return withdrawn
      return { kind: 'returned', state: 'withdrawn', detachment: outView(book.out(id) ?? out, this.#view) }
    }
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

  // ---- reading what was asked

  #read(wish: DetachWish):
    | {
        readonly kind: 'read'
        readonly product: ProductName
        readonly end: WantedEnd | undefined
        readonly zone: string
        readonly forWhom: ForWhom | undefined
      }
    | Refusal {
    const product = this.#productOf(wish.product)
    if (typeof product !== 'string') return product
    const forWhom = wish.recipient === undefined ? undefined : this.#whom(wish.recipient)
    if (forWhom !== undefined && 'code' in forWhom) return forWhom
    const zone = wish.zone ?? forWhom?.zone ?? this.#options.zone()
    if (wish.soft) return { kind: 'read', product, end: undefined, zone, forWhom }
    const end = this.#endOf(wish, zone)
    return end.kind === 'refused' ? end : { kind: 'read', product, end: end.end, zone, forWhom }
  }

  #endOf({ until, days }: EndWish, zone: string): { readonly kind: 'end'; readonly end: WantedEnd } | Refusal {
    if ((until === undefined) === (days === undefined))
      return refuseField('until', 'Either until or days says when it ends.')
    if (!isZone(zone)) return refuseField('zone', 'is not a time zone, such as Europe/Berlin')
    if (days !== undefined) {
      const at = this.#options.clock.wall() + days * day
      return { kind: 'end', end: { until: at, earliest: at - slack } }
    }
    if (until === undefined || until.includes('T')) return { kind: 'end', end: { until: Date.parse(until ?? '') } }
    const named = dayIn(zone, until)
    if (named === undefined) return refuseField('until', `${until} is not a day of the calendar`)
    return { kind: 'end', end: { until: named.end, earliest: Math.min(named.end, named.start + 1000) } }
  }

  #whom(text: string): ForWhom | Refusal {
    const { agentOf, zone, clock } = this.#options
    const known = agentOf(text.trim())
    if (known !== undefined) {
      const { ahead, ...recipient } = known
      return {
        recipient,
        zone: zone(),
        way: 'kept',
        ...(ahead === undefined ? {} : { time: Math.round(clock.wall() + ahead) }),
      }
    }
    const reading = readBlocks(text)
    if (reading.kind === 'refused')
      return text.length < 200 ? refuse('unknown_peer', `No agent ${text.slice(0, 64)} is known here.`) : reading
    for (const block of reading.blocks) {
      const opened = openBlock(block, () => undefined)
      if (opened.kind === 'refused') return opened
      if (opened.typ !== 'leasehold-recipient') continue
      const { payload } = opened
      if (payload.agent !== opened.signer)
        return refuse('bad_signature', 'The block names another agent than its signer.')
      const recipient = { id: payload.agent, key: payload.key, name: payload.name }
      const own = payload.zone !== undefined && isZone(payload.zone) ? payload.zone : zone()
      return { recipient, zone: own, time: payload.iat * 1000, way: 'block' }
    }
    return refuse('not_a_document', 'There is no recipient block in this text.')
  }

  #productOf(text: string): ProductName | Refusal {
    const { lessor, productsNamed } = this.#options
    const parts = parseProductName(text)
    if (!parts) return refuse('unknown_product', `“${text}” is not the name of a product.`)
    if (parts.vendor !== undefined) return productName(parts.vendor, parts.product)
    const named = new Set<ProductName>()
    for (const { vendor, product } of lessor.view.supplies())
      if (product === parts.product) named.add(productName(vendor, product))
    for (const one of productsNamed(parts.product)) named.add(one)
    const [only] = named
    if (only === undefined) return refuse('unknown_product', `No license for “${text}” is known.`)
    if (named.size === 1) return only
    return refuse('ambiguous_product', `“${text}” may be ${[...named].join(' or ')}.`, { products: [...named] })
  }

  #requestOf(
    { feature, seats, who }: DetachWish,
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
  }
}

/** The zone is kept with a calendar day only. */
function zoneOf({ until }: EndWish, zone: string): { readonly zone?: string } {
  return until === undefined || until.includes('T') ? {} : { zone }
}

function named({ id, name }: { readonly id: string; readonly name: string }) {
  return { id, name, fingerprint: shortGroups(id) }
}

function refuseField(field: string, message: string): Refusal {
  return refuse('invalid_request', message.endsWith('.') ? message : `${field} ${message}.`, {
    fields: [{ field, message }],
  })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
