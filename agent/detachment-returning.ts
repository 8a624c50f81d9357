/**
 * How detachments of this agent's seats come back before their date, are declared lost, and count again when this agent has forgotten
 * them (R23, R24). Decides within the one queue. Talks to nobody; must not import http.
 */
import type { Clock } from './clock.ts'
import { departureId } from './departures.ts'
import type { DetachmentBook } from './detachment-book.ts'
import { type DetachRecipient, freeDateOf, isOut, type OutRecord, outFacts } from './detachment-record.ts'
import { mostClockDifference, unknownDetachment } from './detachment-refusals.ts'
import { type DetachmentTexts, signersOf } from './detachment-texts.ts'
import type { DetachWish } from './domain/detaching.ts'
import type { Opened } from './domain/documents/document.ts'
import type { Dates } from './domain/floor.ts'
import type { Who } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import { isAnyProduct } from './domain/supply.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor } from './lessor.ts'
import type { AgentName } from './session-view.ts'
import type { Transaction, Writes } from './writes.ts'

export interface DetachmentReturningOptions {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'departures'>
  readonly writes: Writes
  readonly clock: Clock
  readonly dates: (signers: readonly string[]) => Dates
  readonly texts: DetachmentTexts
  readonly self: () => AgentName
  readonly graceSeconds: () => number
}

const year = 365 * 86_400_000
const day = 86_400_000

export class DetachmentReturning {
  readonly #options: DetachmentReturningOptions

  constructor(options: DetachmentReturningOptions) {
    this.#options = options
  }

  /** The recipient gives it back, online. @param by id of the agent that says so */
  giveBack(id: string, by: string): Promise<{ readonly kind: 'returned' } | Refusal> {
    const { book, writes, self, lessor } = this.#options
    return writes.submit((transaction): { readonly kind: 'returned' } | Refusal => {
      const record = book.out(id, transaction)
      if (record === undefined || (record.recipient.id !== by && record.via !== by)) {
        // The request that asks for it may still come (R15).
        if (record === undefined) lessor.departures.forbid(departureId(by, id), self().id)
        return { kind: 'returned' }
      }
      if (!isOut(record)) return { kind: 'returned' }
      if (record.earlyReturn === 'atDate') return forbidden(record)
      this.#takeBack(transaction, record, 'online')
      return { kind: 'returned' }
    })
  }

  /** Undefined when the receipt could be applied (R23). */
  checkReceipt(receipt: Opened<'leasehold-return'>, transaction?: Transaction): Refusal | undefined {
    const { payload } = receipt
    const record = this.#options.book.out(payload.detachment, transaction)
    if (record === undefined)
      return refuse('wrong_recipient', 'The receipt is for a detachment that another machine made, or one long over.')
    if (record.recipient.id !== payload.agent)
      return refuse('wrong_recipient', 'The receipt is of another machine than the one that has the seats.')
    if (record.state === 'returned') return refuse('already_returned', 'Its seats are back already.')
    if (record.state === 'ended')
      return refuse('document_expired', 'The detachment has ended by itself; nothing needs to be done.')
    if (record.earlyReturn !== 'offline') return forbidden(record)
    if (payload.version !== record.version)
      return refuse(
        'document_superseded',
        `The receipt names version ${payload.version} of the detachment; the latest is ${record.version}. The machine makes another receipt when it is shown that one.`,
        { version: payload.version, latest: record.version },
      )
    return undefined
  }

  applyReceipt(receipt: Opened<'leasehold-return'>): Promise<Refusal | undefined> {
    const { writes, book } = this.#options
    return writes.submit((transaction) => {
      const refused = this.checkReceipt(receipt, transaction)
      const record = book.out(receipt.payload.detachment, transaction)
      if (refused || record === undefined) return refused
      this.#takeBack(transaction, record, 'receipt')
      return undefined
    })
  }

  /** It was made for a machine, and nobody was given its document yet. */
  withdraw(id: string): Promise<{ readonly kind: 'withdrawn' } | Refusal> {
    const { book, writes } = this.#options
    return writes.submit((transaction) => {
      const record = book.out(id, transaction)
      if (!isOut(record)) return unknownDetachment(id)
      if (record.delivered)
        return refuse('early_return_forbidden', 'The machine may have it already, so only that machine gives it back.')
      this.#takeBack(transaction, record, 'withdrawn')
      return { kind: 'withdrawn' as const }
    })
  }

  #takeBack(transaction: Transaction, record: OutRecord, how: string): void {
    const { book, lessor, clock } = this.#options
    lessor.departures.end(transaction, record.grant, 'returned')
    book.put(transaction, { ...record, state: 'returned', endedAt: clock.wall() })
    transaction.journal({ type: 'detachment.returned', facts: { ...outFacts(record), how } })
  }

  /** Frees at its date, earlier only where the license says so; an overlap until then (R24). */
  declareLost(
    id: string,
    order: { readonly by: string; readonly note?: string },
  ): Promise<{ readonly kind: 'declared'; readonly record: OutRecord } | Refusal> {
    const { book, writes } = this.#options
    return writes.submit((transaction) => {
      const record = book.out(id, transaction)
      if (!isOut(record)) return unknownDetachment(id)
      if (record.lost !== undefined) return { kind: 'declared' as const, record }
      const now = this.#dateOf(record)
      const early = this.#earlyFreeDate(record, now, transaction)
      const freeAt = early ?? freeDateOf(record)
      const lost: OutRecord = { ...record, lost: { at: now, freeAt, early: early !== undefined } }
      book.put(transaction, lost)
      const facts = { ...outFacts(record), freeAt: iso(freeAt), early: early !== undefined }
      transaction.journal({ type: 'detachment.lost', facts, personal: { ...order } })
      return { kind: 'declared' as const, record: lost }
    })
  }

  /** @returns undefined when the license does not let it be free before its date */
  #earlyFreeDate(record: OutRecord, now: number, transaction: Transaction): number | undefined {
    const { book, lessor, texts } = this.#options
    const allowance = texts.rulesOf(record.license)?.lost
    if (allowance === undefined) return undefined
    let used = 0
    for (const one of book.outs(transaction))
      if (one.license === record.license && one.lost?.early && one.lost.at > now - year) used += one.seats
    const { view } = lessor.departures
    const seats = view.supply(view.grant(record.grant)?.parts[0]?.supply ?? '')?.seats ?? 0
    if (used + record.seats > allowance.perYear * seats) return undefined
    const freeAt = now + allowance.afterDays * day
    return freeAt < freeDateOf(record) ? freeAt : undefined
  }

  /**
   * The recipient was heard, or somebody has its document now.
   * @param time what the recipient's clock says: where it is behind, its seats are waited for longer (R10)
   */
  async noteDelivered(id: string, contact: boolean, time?: number): Promise<OutRecord | undefined> {
    const { book, writes, clock } = this.#options
    return await writes.submit((transaction) => {
      const record = book.out(id, transaction)
      if (!isOut(record)) return undefined
      const measured = time === undefined ? 0 : Math.min(mostClockDifference, this.#dateOf(record) - time)
      const behind = Math.max(record.behind, measured)
      const heard = { ...record, behind, delivered: true, ...(contact ? { contactAt: clock.wall() } : {}) }
      book.put(transaction, heard)
      return heard
    })
  }

  /**
   * A text that this agent signed for the one that shows it, and that it does not know: it was set back to an earlier state (R24).
   * What still runs counts again.
   * @param texts from the license down
   * @returns whether it is one
   */
  async adopt(text: string, by: DetachRecipient, who: Who): Promise<boolean> {
    const { texts, self, book, writes, lessor, clock } = this.#options
    const checked = texts.readOwn(text, lessor.view.supplies())
    if (checked === undefined || checked.payload.next.x !== by.key.x) return false
    const { payload, license } = checked
    return await writes.submit((transaction) => {
      const before = book.out(payload.id, transaction)
      if (before !== undefined && before.version >= payload.version) return false
      const product = payload.product as ProductName
      const { view } = lessor.departures
      const supply = view
        .suppliesFor(product)
        .find((one) => one.license === license.id && isAnyProduct(one) === (payload.any === true))
      const signers = supply === undefined ? [checked.vendorKey] : signersOf(supply)
      const now = this.#options.dates(signers).date
      const until = payload.exp * 1000
      const grace = this.#options.graceSeconds() * 1000
      if (supply === undefined || until + grace <= now) return true
      const grant = departureId(by.id, payload.id)
      const freeIn = until + grace - now
      if (before === undefined) {
        const wish: DetachWish = {
          product,
          seats: payload.seats,
          until: 0,
          days: 0,
          reserved: { seats: 0, percent: 0 },
        }
        const departure = { id: grant, instance: self().id, holder: by.id, wish, until, freeIn, who }
        lessor.departures.adopt(
          transaction,
          payload.feature === undefined ? departure : { ...departure, wish: { ...wish, feature: payload.feature } },
          supply.id,
        )
      } else lessor.departures.prolong(transaction, before.grant, { until, freeIn })
      const record: OutRecord = {
        side: 'out',
        id: payload.id,
        state: 'out',
        grant,
        version: payload.version,
        recipient: by,
        product,
        ...(payload.feature === undefined ? {} : { feature: payload.feature }),
        seats: payload.seats,
        license: license.id,
        signers,
        until,
        behind: 0,
        grace,
        cascade: license.detach?.cascade ?? false,
        earlyReturn: license.detach?.earlyReturn ?? 'offline',
        delivered: true,
        texts: checked.texts,
        latest: until,
        who,
        madeAt: payload.iat * 1000,
        contactAt: clock.wall(),
      }
      if (before === undefined || isOut(before)) book.put(transaction, record)
      return true
    })
  }

  #dateOf({ signers }: OutRecord): number {
    return this.#options.dates(signers).date
  }
}

function forbidden({ earlyReturn, until }: OutRecord): Refusal {
  const way = earlyReturn === 'online' ? 'It comes back online only' : 'The license does not let it come back early'
  return refuse('early_return_forbidden', `${way}; it ends at ${iso(until)}.`, { until: iso(until) })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
