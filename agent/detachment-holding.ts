/**
 * Seats of other agents that are attached here until a date: the supplies that follow from the records, the end by date and by
 * duration (R12), and giving back. Decides within the one queue; talks to nobody. Must not import transport or http.
 */
import type { Clock } from './clock.ts'
import type { DetachmentBook } from './detachment-book.ts'
import { type DetachTerms, detachedSupply, type InRecord, isIn, termsOf } from './detachment-record.ts'
import { detachDisabled, detachmentOver, unknownDetachment } from './detachment-refusals.ts'
import { buildReturn, type CheckedDetachment } from './domain/documents/detachment.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import { behindTolerance, type Dates, endOf, isSetBack } from './domain/floor.ts'
import type { Who } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Supply, Takes } from './domain/supply.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Leases } from './leases.ts'
import type { Lessor } from './lessor.ts'
import { isSameSupply } from './license-supplies.ts'
import type { AgentName } from './session-view.ts'
import type { VendorTrust } from './vendor-trust.ts'
import type { Transaction, Writes } from './writes.ts'

export interface DetachmentHoldingOptions {
  readonly book: DetachmentBook
  readonly lessor: Pick<Lessor, 'view' | 'departures' | 'putSupply' | 'dropSupply' | 'setSupplies' | 'isEmpty'>
  readonly leases?: Pick<Leases, 'convertedIn'>
  readonly writes: Writes
  readonly clock: Clock
  readonly dates: (signers: readonly string[]) => Dates
  readonly hearTime: (signer: string, time: number, fresh: boolean) => Promise<void>
  readonly vendors: Pick<VendorTrust, 'check'>
  readonly agent: SigningKey
  readonly self: () => AgentName
  /** “Enable Detaching of Licenses” of this machine. */
  readonly isEnabled: (product: ProductName) => boolean
  readonly randomId: () => string
}

export interface AttachFacts {
  readonly who?: Who
  readonly zone?: string
  readonly soft?: boolean
  /** The agent that is asked about it, where that is not the manager. */
  readonly via?: { readonly id: string; readonly name: string }
  /** Leases that have become it. */
  readonly replaces?: readonly string[]
  /** The date at the manager, as it has just answered to a question of this agent; absent: it is only known when it signed. */
  readonly now?: number
}

export type Attached = { readonly kind: 'attached'; readonly record: InRecord } | Refusal
type Held = InRecord & { readonly terms: DetachTerms }

const day = 86_400_000

export class DetachmentHolding {
  readonly #options: DetachmentHoldingOptions
  /** What the lessor was told last. */
  readonly #told = new Map<string, Supply>()

  constructor(options: DetachmentHoldingOptions) {
    this.#options = options
    options.book.onReady(() => this.#ready())
  }

  // ---- attaching

  /** Undefined when it could be attached (R23). */
  check(checked: CheckedDetachment, transaction?: Transaction): Refusal | undefined {
    const { book, agent, vendors, isEnabled, self, dates } = this.#options
    const { payload, license } = checked
    if (payload.next.x !== agent.jwk.x)
      return refuse('wrong_recipient', `It is made for another machine than ${self().name}.`)
    const before = book.in(payload.id, transaction)
    if (before?.state === 'returned')
      return refuse('already_returned', 'It was given back by this machine.', { version: before.version })
    if (before?.state === 'ended') return refuse('document_expired', 'It has ended here.')
    if (before !== undefined && payload.version === before.version)
      return refuse('already_applied', 'It is attached already.')
    if (before !== undefined && payload.version < before.version)
      return refuse('document_superseded', `Version ${before.version} of it is attached; this is ${payload.version}.`)
    if (payload.exp * 1000 <= dates(signersOf(checked.signer, checked.vendorKey)).date)
      return refuse('document_expired', `It ended at ${new Date(payload.exp * 1000).toISOString()}.`)
    if (!isEnabled(payload.product as ProductName)) return detachDisabled(self().name)
    const taken = vendors.check(license.vendor.name, checked.vendorKey, true, transaction)
    return taken?.code === 'vendor_name_taken' ? taken : undefined
  }

  /** Supply, record and what became it are one batch. */
  async attach(checked: CheckedDetachment, facts: AttachFacts): Promise<Attached> {
    const { writes, hearTime } = this.#options
    // The manager's clock counts for what it signed: it is heard before the date is looked at (R11).
    const { now } = facts
    if (checked.payload.next.x === this.#options.agent.jwk.x)
      await hearTime(checked.signer, now ?? checked.payload.iat * 1000, now !== undefined).catch(() => undefined)
    return await writes.submit((transaction) => this.#attach(transaction, checked, facts), { growing: true })
  }

  #attach(transaction: Transaction, checked: CheckedDetachment, facts: AttachFacts): Attached {
    const { book, clock, leases } = this.#options
    const refused = this.check(checked, transaction)
    if (refused) return refused
    const { payload } = checked
    const before = book.in(payload.id, transaction)
    const until = payload.exp * 1000
    const { via = before?.via, zone = before?.zone } = facts
    const soft = facts.soft ?? before?.soft === true
    const record: Held = {
      side: 'in',
      id: payload.id,
      // What is being given back stays so; the receipt then names this version.
      state: before?.state === 'returning' || before?.state === 'cancelling' ? before.state : 'attached',
      manager: { id: checked.signer, name: payload.manager?.name ?? facts.via?.name ?? checked.signer },
      ...(via === undefined ? {} : { via }),
      ...(before?.ask === undefined ? {} : { ask: before.ask }),
      ...(before?.order === undefined ? {} : { order: before.order }),
      product: payload.product as ProductName,
      ...(payload.feature === undefined ? {} : { feature: payload.feature }),
      seats: payload.seats,
      version: payload.version,
      texts: checked.texts,
      terms: termsOf(checked),
      until,
      ...(zone === undefined ? {} : { zone }),
      ...(soft ? { soft: true as const } : {}),
      duration: until - payload.iat * 1000,
      attachedTick: book.tick,
      attachedAt: before === undefined || before.version === 0 ? clock.wall() : before.attachedAt,
      latest: Math.max(until, before?.latest ?? 0),
      who: facts.who ?? before?.who ?? {},
      ...(facts.now === undefined ? {} : { contactAt: clock.wall() }),
    }
    book.put(transaction, record)
    if (record.state !== 'cancelling') {
      const supply = this.#putSupply(transaction, record)
      leases?.convertedIn(transaction, facts.replaces ?? [], supply)
    }
    book.writeTick(transaction)
    const isNew = before === undefined || before.version === 0
    if (isNew || !soft)
      transaction.journal({
        type: isNew ? 'detachment.attached' : 'detachment.extended',
        facts: { ...inFacts(record), until: new Date(until).toISOString() },
      })
    return { kind: 'attached', record }
  }

  // ---- giving back

  /** Takes nothing new from now on, for good (R16). */
  giveBack(id: string): Promise<Attached> {
    const { book, writes } = this.#options
    return writes.submit((transaction): Attached => {
      const record = book.in(id, transaction)
      if (!isIn(record)) return record === undefined ? unknownDetachment(id) : over(record)
      if (record.terms.earlyReturn === 'atDate') return forbidden(record)
      if (record.state === 'returning') return { kind: 'attached', record }
      const returning: Held = { ...record, state: 'returning' }
      book.put(transaction, returning)
      this.#putSupply(transaction, returning)
      return { kind: 'attached', record: returning }
    })
  }

  /** The manager has heard it. */
  async returned(id: string): Promise<void> {
    const { book, writes } = this.#options
    await writes.submit((transaction) => {
      const record = book.in(id, transaction)
      if (!isIn(record)) return
      this.#close(transaction, record, 'returned', {})
      transaction.journal({ type: 'detachment.returned', facts: { ...inFacts(record), how: 'online' } })
    })
  }

  /** Gives it back for good, with a receipt for a manager that is not met: one batch (R23). Asked again it is the same. */
  makeReceipt(
    id: string,
  ): Promise<{ readonly kind: 'made'; readonly record: InRecord; readonly text: string } | Refusal> {
    const { book, writes, lessor, agent, randomId, clock } = this.#options
    return writes.submit((transaction) => {
      const record = book.in(id, transaction)
      if (record === undefined || record.version === 0) return unknownDetachment(id)
      if (record.state === 'ended') return over(record)
      if (record.terms?.earlyReturn !== 'offline') return forbidden(record)
      if (record.receipt !== undefined) return { kind: 'made' as const, record, text: record.receipt }
      for (const _ of lessor.departures.view.grantsOf(id))
        return refuse('detachment_in_use', 'Applications of this machine use its seats now.')
      const now = Math.floor(clock.wall() / 1000)
      const text = buildReturn({ id: `r${randomId()}`, now, detachment: id, version: record.version }, agent)
      if (isIn(record)) {
        this.#close(transaction, record, 'returned', { receipt: text })
        transaction.journal({ type: 'detachment.returned', facts: { ...inFacts(record), how: 'receipt' } })
      } else book.put(transaction, { ...record, receipt: text })
      return { kind: 'made' as const, record: book.in(id, transaction) ?? record, text }
    })
  }

  /** A later version of what was given back is shown: the receipt must name that one (R23). */
  noteLaterVersion(checked: CheckedDetachment): Promise<string | undefined> {
    const { book, writes, agent, randomId, clock } = this.#options
    return writes.submit((transaction) => {
      const { payload, texts } = checked
      const record = book.in(payload.id, transaction)
      if (record?.state !== 'returned' || payload.next.x !== agent.jwk.x) return undefined
      if (payload.version < record.version) return undefined
      if (payload.version === record.version && record.receipt !== undefined) return record.receipt
      const now = Math.floor(clock.wall() / 1000)
      const version = payload.version
      const receipt = buildReturn({ id: `r${randomId()}`, now, detachment: payload.id, version }, agent)
      const latest = Math.max(record.latest, payload.exp * 1000)
      book.put(transaction, { ...record, version, texts, receipt, latest })
      return receipt
    })
  }

  /** The manager says that it is over: it was given back, has ended or is not known any more by either side. */
  async over(id: string, reason: string): Promise<void> {
    const { book, writes } = this.#options
    await writes.submit((transaction) => {
      const record = book.in(id, transaction)
      if (!isIn(record)) return
      this.#close(transaction, record, 'ended', {})
      transaction.journal({ type: 'detachment.ended', facts: { ...inFacts(record), reason } })
    })
  }

  /** What lives on it moves to other seats or ends; the record stays so that no old document brings it back. */
  #close(
    transaction: Transaction,
    record: Held,
    state: 'returned' | 'ended',
    more: { readonly receipt?: string },
  ): void {
    const { book, lessor, clock } = this.#options
    book.put(transaction, { ...record, ...more, state, endedAt: clock.wall() })
    lessor.dropSupply(transaction, record.id, 'detachment_ended')
    transaction.after(() => this.#told.delete(record.id))
  }

  // ---- time

  /** Ends what is over and tells the lessor what is another now; every second. */
  async look(): Promise<void> {
    const { book, writes } = this.#options
    const changed = [...book.ins()].filter((record) => isIn(record) && this.#isOther(record))
    if (changed.length === 0) return
    await writes.submit((transaction) => {
      for (const { id } of changed) {
        const record = book.in(id, transaction)
        if (!isIn(record)) continue
        const left = this.left(record)
        if (left > 0) {
          this.#putSupply(transaction, record)
          continue
        }
        const reason = this.#dates(record).date >= record.until ? 'date' : 'duration'
        this.#close(transaction, record, 'ended', {})
        transaction.journal({ type: 'detachment.ended', facts: { ...inFacts(record), reason } })
      }
    })
  }

  /** ms that it may still be used: until its date or its duration is over, whichever is first (R12). */
  left(record: InRecord): number {
    const used = this.#options.book.tick - record.attachedTick
    return Math.min(record.until - this.#dates(record).date, record.duration - used)
  }

  /** When that is, as ms since 1970. */
  endsAt(record: InRecord): number {
    const { date } = this.#dates(record)
    const left = this.left(record)
    return date + left < record.until - 1000 ? date + left : record.until
  }

  /** Whether something still has seats of it, be it over. */
  isInUse(id: string): boolean {
    return !this.#options.lessor.isEmpty(id)
  }

  /** Whether only a clock that jumped ahead would end it. */
  isHeld(record: InRecord): boolean {
    return endOf(this.#dates(record), record.until) === 'held'
  }

  /** Forgets tombstones of which every document is past its date. */
  async prune(): Promise<void> {
    const { book, writes } = this.#options
    const isOld = (record: InRecord): boolean =>
      (record.state === 'returned' || record.state === 'ended') && this.#dates(record).date > record.latest + day
    if (![...book.ins()].some(isOld)) return
    await writes.submit((transaction) => {
      for (const record of [...book.ins(transaction)]) if (isOld(record)) book.drop(transaction, record)
    })
  }

  /** License and activation, then the links down to this agent; undefined where the license gives no proof. */
  linksOf(supply: string): { readonly links: readonly string[] } | undefined {
    const record = this.#options.book.in(supply)
    if (!isIn(record) || !record.terms.proves) return undefined
    const known = this.#links.get(record)
    if (known) return known
    const links = { links: record.texts }
    this.#links.set(record, links)
    return links
  }
  readonly #links = new WeakMap<InRecord, { readonly links: readonly string[] }>()

  #ready(): void {
    const { book, lessor } = this.#options
    this.#told.clear()
    for (const record of book.ins()) if (isIn(record)) this.#told.set(record.id, this.#supplyOf(record))
    lessor.setSupplies(this.#told.values(), 'detachment')
  }

  #isOther(record: Held): boolean {
    const told = this.#told.get(record.id)
    return told === undefined || this.left(record) <= 0 || !isSameSupply(told, this.#supplyOf(record))
  }

  #putSupply(transaction: Transaction, record: Held): Supply {
    const supply = this.#supplyOf(record)
    this.#options.lessor.putSupply(transaction, supply, 'detachment_ended')
    transaction.after(() => this.#told.set(record.id, supply))
    return supply
  }

  #supplyOf(record: Held): Supply {
    const { clock, agent } = this.#options
    const until = clock.boot().at + this.left(record)
    return detachedSupply(record, agent.id, until, this.#takesOf(record))
  }

  #takesOf(record: Held): Takes {
    if (this.left(record) <= 0) return { kind: 'nothing', why: 'license_expired' }
    if (record.state === 'returning') return { kind: 'renewals', why: 'lease_returning' }
    const dates = this.#dates(record)
    const { clock } = this.#options
    // By the manager's time the clock may be right, whatever was believed here before.
    const isBehind = dates.date - clock.wall() > behindTolerance
    if (isBehind && isSetBack(dates)) return { kind: 'renewals', why: 'clock_set_back' }
    return endOf(dates, record.until) === 'held' ? { kind: 'renewals', why: 'license_expired' } : { kind: 'sessions' }
  }

  #dates({ manager, terms }: InRecord): Dates {
    return this.#options.dates(signersOf(manager.id, terms?.vendorKey))
  }
}

function signersOf(manager: string, vendorKey: string | undefined): string[] {
  return vendorKey === undefined ? [manager] : [manager, vendorKey]
}

export function inFacts({ id, product, seats, manager, version, terms }: InRecord) {
  return {
    side: 'in',
    detachment: id,
    product,
    seats,
    manager: manager.id,
    managerName: manager.name,
    version,
    ...(terms === undefined ? {} : { license: terms.license }),
  }
}

function over({ state }: InRecord): Refusal {
  if (state === 'returned') return refuse('already_returned', 'It was given back already.')
  return detachmentOver(state)
}

function forbidden({ terms, until }: InRecord): Refusal {
  const way =
    terms?.earlyReturn === 'online' ? 'It comes back online only' : 'The license does not let it come back early'
  const at = new Date(until).toISOString()
  return refuse('early_return_forbidden', `${way}; it ends at ${at}.`, { until: at })
}
