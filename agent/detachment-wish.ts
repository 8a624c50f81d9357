/**
 * Reads what people and programs order when seats are to be taken along: which product, for whom, until when. Owns nothing.
 * Must not import http.
 */
import type { Clock } from './clock.ts'
import type { DetachRecipient } from './detachment-record.ts'
import { dayIn, isZone, type WantedEnd } from './domain/detach-days.ts'
import { openBlock, readBlocks } from './domain/documents/armor-reader.ts'
import type { Who } from './domain/grant.ts'
import { type ProductName, parseProductName, productName } from './domain/product-name.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'

export interface WishParts {
  readonly lessor: Pick<Lessor, 'view'>
  readonly clock: Clock
  /** The time zone of this machine. */
  readonly zone: () => string
  /** Products of that bare name at managers that are known. */
  readonly productsNamed: (product: string) => readonly ProductName[]
  /** An agent that is known, by its id or name, and by how many ms its clock is ahead as far as that is known. */
  readonly agentOf: (named: string) => (DetachRecipient & { readonly ahead?: number }) | undefined
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
  /** The same again is the same detachment. */
  readonly order?: string | undefined
}

/** What is known of who takes the seats along. */
export interface ForWhom {
  readonly recipient: DetachRecipient
  readonly zone: string
  readonly time?: number
  readonly way: 'kept' | 'block'
}

export interface ReadWish {
  readonly kind: 'read'
  readonly product: ProductName
  readonly end: WantedEnd | undefined
  readonly zone: string
  readonly forWhom: ForWhom | undefined
}

const day = 86_400_000
/** Two clocks may differ by so much, so that so many days are cut off by it rather than refused. */
const slack = 11 * 60_000

export function readWish(wish: DetachWish, parts: WishParts): ReadWish | Refusal {
  const product = readProduct(wish.product, parts)
  if (typeof product !== 'string') return product
  const forWhom = wish.recipient === undefined ? undefined : readRecipient(wish.recipient, parts)
  if (forWhom !== undefined && 'code' in forWhom) return forWhom
  const zone = wish.zone ?? forWhom?.zone ?? parts.zone()
  if (wish.soft && (wish.until ?? wish.days) !== undefined)
    return refuseField('until', 'A soft detachment has no date; it is renewed every hour.')
  if (wish.soft) return { kind: 'read', product, end: undefined, zone, forWhom }
  const end = readEnd(wish, zone, parts)
  return end.kind === 'refused' ? end : { kind: 'read', product, end: end.end, zone, forWhom }
}

export function readEnd(
  { until, days }: EndWish,
  zone: string,
  { clock }: Pick<WishParts, 'clock'>,
): { readonly kind: 'end'; readonly end: WantedEnd } | Refusal {
  if ((until === undefined) === (days === undefined))
    return refuseField('until', 'Either until or days says when it ends.')
  if (!isZone(zone)) return refuseField('zone', 'is not a time zone, such as Europe/Berlin')
  if (days !== undefined) {
    const at = clock.wall() + days * day
    return { kind: 'end', end: { until: at, earliest: at - slack } }
  }
  if (until === undefined || until.includes('T')) return { kind: 'end', end: { until: Date.parse(until ?? '') } }
  const named = dayIn(zone, until)
  if (named === undefined) return refuseField('until', `${until} is not a day of the calendar`)
  return { kind: 'end', end: { until: named.end, earliest: Math.min(named.end, named.start + 1000) } }
}

function readRecipient(text: string, { agentOf, zone, clock }: WishParts): ForWhom | Refusal {
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
  const [label] = reading.damaged
  if (label !== undefined) return refuse('document_altered', `The block “${label}” was damaged on its way.`)
  return refuse('not_a_document', 'There is no recipient block in this text.')
}

function readProduct(text: string, { lessor, productsNamed }: WishParts): ProductName | Refusal {
  const named = parseProductName(text)
  if (!named) return refuse('unknown_product', `“${text}” is not the name of a product.`)
  if (named.vendor !== undefined) return productName(named.vendor, named.product)
  const all = new Set<ProductName>()
  for (const { vendor, product } of lessor.view.supplies())
    if (product === named.product) all.add(productName(vendor, product))
  for (const one of productsNamed(named.product)) all.add(one)
  const [only] = all
  if (only === undefined) return refuse('unknown_product', `No license for “${text}” is known.`)
  if (all.size === 1) return only
  return refuse('ambiguous_product', `“${text}” may be ${[...all].join(' or ')}.`, { products: [...all] })
}

function refuseField(field: string, message: string): Refusal {
  return refuse('invalid_request', message.endsWith('.') ? message : `${field} ${message}.`, {
    fields: [{ field, message }],
  })
}
