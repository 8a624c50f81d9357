/**
 * Takes seats along from other managers: asks for them, for a later date, and gives them back, each stored before it is sent (R7) and
 * repeated until it is heard. Owns what is under way and when what is owed is told next; records and supplies are others'.
 * Must not import transport or http.
 */
import type { Clock } from './clock.ts'
import type { DetachmentBook } from './detachment-book.ts'
import type { AttachFacts, DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentLink, DetachmentManagers, DetachReply } from './detachment-link.ts'
import { type InRecord, isIn } from './detachment-record.ts'
import { detachDisabled, detachmentOver, unknownDetachment } from './detachment-refusals.ts'
import { type CheckedDetachment, checkDetachment } from './domain/documents/detachment.ts'
import type { Who } from './domain/grant.ts'
import type { ProductName } from './domain/product-name.ts'
import { type ErrorCode, errorTable, type Refusal, refuse } from './errors.ts'
import { isGranted } from './lease-record.ts'
import type { Leases } from './leases.ts'
import type { DetachAsk, DetachmentTold, DetachPlanTold } from './peers/detachment-wire.ts'
import type { Refused, Unreachable } from './peers/manager-link.ts'
import { peerWhoSchema } from './peers/wire.ts'
import type { AgentName } from './session-view.ts'
import type { Writes } from './writes.ts'

export interface DetachmentAskingOptions {
  readonly book: DetachmentBook
  readonly holding: DetachmentHolding
  readonly leases: Pick<
    Leases,
    'list' | 'convert' | 'convertAgain' | 'isConverting' | 'showConverting' | 'giveBackIn' | 'isIdle'
  >
  readonly managers: DetachmentManagers
  readonly writes: Writes
  readonly clock: Clock
  readonly self: () => AgentName
  readonly isEnabled: (product: ProductName) => boolean
  readonly randomId: () => string
}

export interface DetachWanted {
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** Absent: soft. */
  readonly until?: number
  readonly earliest?: number
  readonly zone?: string
  /** Id, name or address of the manager. */
  readonly manager?: string
  readonly who: Who
  /** The key under which it was ordered. */
  readonly order?: string
}

export type DetachedHere = { readonly kind: 'attached'; readonly record: InRecord } | Refusal

/** In ms. */
const callTimeout = 5_000
const attempts = 3
const soonest = 1_000
const latestPause = 60_000
/** A request whose outcome is not known is repeated for so long, then it is cancelled. */
const resumedFor = 120_000

export class DetachmentAsking {
  readonly #options: DetachmentAskingOptions
  /** Ids that a caller waits for. */
  readonly #busy = new Set<string>()
  /** When what is owed is told next, on `atLeast`. */
  readonly #owed = new Map<string, { next: number; pause: number; readonly since: number }>()
  readonly #running = new Set<string>()

  constructor(options: DetachmentAskingOptions) {
    this.#options = options
    options.book.onReady(() => this.#convertAgain())
  }

  // ---- asking

  /** What it would be at the manager that would be asked first. */
  async plan(wanted: DetachWanted): Promise<({ readonly kind: 'planned' } & DetachPlanTold) | Refusal> {
    const closed = this.#closed(wanted.product)
    if (closed) return closed
    let said: Refusal | undefined
    for (const link of this.#candidates(wanted)) {
      const ask: DetachAsk = { ...this.#askFor(wanted, this.#leasesFor(wanted, link)), preview: true }
      const reply = await link.detach(this.#newId(), ask, { timeout: callTimeout })
      if (reply.kind === 'planned') return { kind: 'planned', ...reply.plan }
      said = worst(said, refusalOf(reply, link))
    }
    return said ?? this.#nobody(wanted)
  }

  /** The managers are asked one after another; the seat is attached before this resolves. */
  async detach(wanted: DetachWanted): Promise<DetachedHere> {
    const closed = this.#closed(wanted.product)
    if (closed) return closed
    let said: Refusal | undefined
    for (const link of this.#candidates(wanted)) {
      const outcome = await this.#detachFrom(link, wanted)
      if (outcome.kind === 'attached') return outcome
      said = worst(said, outcome)
      // Whether it was made there is not known, so nobody else is asked.
      if (outcome.facts?.unknown === true) return outcome
    }
    return said ?? this.#nobody(wanted)
  }

  async #detachFrom(link: DetachmentLink, wanted: DetachWanted): Promise<DetachedHere> {
    const { writes, book, leases, clock } = this.#options
    const id = this.#newId()
    const replaces = this.#leasesFor(wanted, link)
    const recordOf = (converting: readonly string[]): InRecord => ({
      side: 'in',
      id,
      state: 'asking',
      manager: { id: link.id, name: link.name },
      ask: this.#askFor(wanted, converting),
      product: wanted.product,
      ...(wanted.feature === undefined ? {} : { feature: wanted.feature }),
      seats: wanted.seats,
      version: 0,
      texts: [],
      until: wanted.until ?? 0,
      ...(wanted.zone === undefined ? {} : { zone: wanted.zone }),
      duration: 0,
      attachedTick: book.tick,
      attachedAt: clock.wall(),
      latest: wanted.until ?? clock.wall(),
      who: wanted.who,
      ...(wanted.order === undefined ? {} : { order: wanted.order }),
    })
    this.#busy.add(id)
    leases.convert(replaces, true)
    try {
      const prepared = await writes.submit(
        (transaction) => {
          const record = recordOf(leases.showConverting(transaction, replaces))
          book.put(transaction, record)
          return record
        },
        { growing: true },
      )
      return await this.#settle(prepared, link)
    } catch (error) {
      // It was not written, so nothing is asked for.
      if (book.in(id) === undefined) leases.convert(replaces, false)
      throw error
    } finally {
      this.#busy.delete(id)
    }
  }

  /** Sends it until there is an answer, a few times; what is not known then goes on in the background. */
  async #settle(record: InRecord, link: DetachmentLink): Promise<DetachedHere> {
    let unknown: Unreachable | undefined
    for (let attempt = 0; attempt < attempts; attempt++) {
      const reply = await this.#send(record, link)
      if (reply.kind === 'detached') return await this.#attach(record, link, reply.detachment)
      if (reply.kind === 'unreachable' && (!reply.unsent || unknown)) {
        unknown = reply
        continue
      }
      await this.#forget(record)
      return refusalOf(reply, link)
    }
    await this.#cancel(record)
    const detail = unknown?.detail ?? `${link.name} did not answer.`
    return refuse('manager_unreachable', detail, { retryIn: 30, unknown: true })
  }

  #send(record: InRecord, link: DetachmentLink): Promise<DetachReply> {
    const { ask } = record
    if (ask === undefined) throw new Error('A detachment that came as a block is not asked for.')
    return link.detach(record.id, { ...ask, time: this.#options.clock.wall() }, { timeout: callTimeout })
  }

  async #attach(record: InRecord, link: DetachmentLink, told: DetachmentTold): Promise<DetachedHere> {
    const { holding, leases } = this.#options
    const checked = checkTold(told)
    const flaw = checked.kind === 'refused' ? checked : flawOf(record, checked)
    if (checked.kind === 'refused' || flaw !== undefined) {
      await this.#cancel(record)
      return refuse('manager_unreachable', `${link.name} made something else than was asked for.`)
    }
    const replaces = record.ask?.replaces ?? []
    const attached = await holding.attach(checked, factsOf(told, link, checked, { who: record.who, replaces }))
    leases.convert(replaces, false)
    if (attached.kind === 'refused') await this.#cancel(record)
    return attached
  }

  // ---- a later date

  /** For a soft one no date is named. */
  async extend(id: string, end: Pick<DetachWanted, 'until' | 'earliest' | 'zone'>): Promise<DetachedHere> {
    const { book, managers, clock, self } = this.#options
    const record = book.in(id)
    if (!isIn(record) || record.state !== 'attached') return unknownDetachment(id)
    const { manager, via, product, feature, seats, version } = record
    const link = managers.link((via ?? manager).id)
    if (link === undefined) return unreached(manager.name)
    const { until, earliest, zone } = end
    const ask: DetachAsk = {
      product,
      ...(feature === undefined ? {} : { feature }),
      seats,
      ...(until === undefined ? { soft: true as const } : { until }),
      ...(earliest === undefined ? {} : { earliest }),
      ...(zone === undefined ? {} : { zone }),
      version,
      time: clock.wall(),
      who: peerWhoSchema.parse(record.who),
      machine: self().name.slice(0, 64),
      chain: [self().id],
    }
    const reply = await link.detach(id, ask, { timeout: callTimeout })
    if (reply.kind === 'detached') return await this.take(link, reply.detachment)
    if (reply.kind === 'refused' && reply.problem.code === 'session_ended') {
      const { reason = 'ended' } = reply.problem
      await this.#options.holding.over(id, reason)
      return detachmentOver(reason)
    }
    return refusalOf(reply, link)
  }

  // ---- what the manager tells

  /** Attaches what a manager made for this agent, or a later version of what is attached. */
  async take(link: DetachmentLink, told: DetachmentTold): Promise<DetachedHere> {
    const { holding, book } = this.#options
    const checked = checkTold(told)
    if (checked.kind === 'refused') return refuse(checked.code, checked.detail)
    if (checked.payload.id !== told.id || checked.payload.version !== told.version)
      return refuse('document_invalid', `${link.name} told of another detachment than it signed.`)
    const attached = await holding.attach(checked, factsOf(told, link, checked, {}))
    const record = book.in(told.id)
    // Asked for a later date, it answers what it has.
    return attached.kind === 'refused' && attached.code === 'already_applied' && record !== undefined
      ? { kind: 'attached', record }
      : attached
  }

  // ---- what is owed

  /** Tells managers what was given back or is not wanted, and repeats what was interrupted. To be called every second. */
  look(): void {
    const { book, clock } = this.#options
    const now = clock.atLeast()
    for (const id of this.#owed.keys()) if (book.in(id) === undefined) this.#owed.delete(id)
    for (const record of book.ins()) {
      if (!this.#isOwed(record) || this.#running.has(record.id)) continue
      const known = this.#owed.get(record.id)
      const owed = known ?? { next: now, pause: soonest, since: now }
      if (known === undefined) this.#owed.set(record.id, owed)
      if (owed.next > now) continue
      owed.next = now + owed.pause
      owed.pause = Math.min(latestPause, owed.pause * 2)
      this.#running.add(record.id)
      void this.#pay(record, now - owed.since)
        .catch(() => undefined)
        .finally(() => this.#running.delete(record.id))
    }
  }

  /** The manager can be reached again. */
  hurry(manager: string): void {
    const now = this.#options.clock.atLeast()
    for (const [id, owed] of this.#owed) {
      const record = this.#options.book.in(id)
      if ((record?.via ?? record?.manager)?.id !== manager) continue
      owed.next = now
      owed.pause = soonest
    }
  }

  /** Tells it now, and waits for that; nothing where something still lives on it. */
  async pay(id: string): Promise<void> {
    const record = this.#options.book.in(id)
    if (record === undefined || !this.#isOwed(record) || this.#running.has(id)) return
    this.#running.add(id)
    try {
      await this.#pay(record, 0)
    } finally {
      this.#running.delete(id)
    }
  }

  #isOwed({ id, state, ask }: InRecord): boolean {
    const { leases } = this.#options
    if (state === 'asking') return !this.#busy.has(id)
    // Its seats may be those of leases by now, so it is given up after them (R16).
    if (state === 'cancelling') return (ask?.replaces ?? []).every((lease) => leases.isIdle(lease))
    return state === 'returning' && leases.isIdle(id)
  }

  async #pay(record: InRecord, since: number): Promise<void> {
    const { managers, holding } = this.#options
    const link = managers.link((record.via ?? record.manager).id)
    if (record.state === 'asking') {
      if (since > resumedFor) return await this.#cancel(record)
      const reply = link && (await this.#send(record, link))
      if (link === undefined || reply === undefined || reply.kind === 'unreachable') return
      if (reply.kind === 'detached') await this.#attach(record, link, reply.detachment)
      else await this.#forget(record)
      return
    }
    const isOver = record.state === 'cancelling' && this.#isLongOver(record)
    if (!isOver) {
      const reply = await link?.giveBack(record.id, { timeout: callTimeout })
      if (reply?.kind !== 'acknowledged') return
    }
    if (record.state === 'returning') await holding.returned(record.id)
    else await this.#forget(record)
  }

  /** Whatever was made there is over by itself. */
  #isLongOver({ latest }: InRecord): boolean {
    return this.#options.clock.wall() > latest + 86_400_000 * 4
  }

  async #cancel(record: InRecord): Promise<void> {
    const { writes, book, leases } = this.#options
    const converting = record.ask?.replaces ?? []
    leases.convert(converting, false)
    await writes.submit((transaction) => {
      const now = book.in(record.id, transaction)
      if (now?.state === 'asking') book.put(transaction, { ...now, state: 'cancelling' })
      // They may be gone at the manager; nothing new lives on them.
      leases.giveBackIn(transaction, converting)
    })
  }

  async #forget(record: InRecord): Promise<void> {
    const { writes, book, leases } = this.#options
    const converting = record.ask?.replaces ?? []
    leases.convert(converting, false)
    await writes.submit((transaction) => {
      const now = book.in(record.id, transaction)
      if (now?.state === 'asking' || now?.state === 'cancelling') book.drop(transaction, now)
      leases.showConverting(transaction, converting)
    })
  }

  /** After a start: what was being converted still is. */
  #convertAgain(): void {
    for (const { state, ask } of this.#options.book.ins())
      if (state === 'asking') this.#options.leases.convertAgain(ask?.replaces ?? [])
  }

  // ---- whom and what

  #closed(product: ProductName): Refusal | undefined {
    const { isEnabled, self } = this.#options
    return isEnabled(product) ? undefined : detachDisabled(self().name)
  }

  #candidates({ product, seats, manager }: DetachWanted): DetachmentLink[] {
    const { managers } = this.#options
    const offering = managers
      .offering(product)
      .filter(({ link }) => manager === undefined || managers.isMeant(link.id, manager))
    // Who says that it has enough is asked before who may know better by now.
    const ranked = [...offering].sort(
      (a, b) => Number(b.offer.detachable >= seats) - Number(a.offer.detachable >= seats),
    )
    return ranked.flatMap(({ link }) => managers.link(link.id) ?? [])
  }

  /** Leases of that manager that become the detachment: those in use first, as many as it has seats (R16). What is kept stays. */
  #leasesFor({ product, feature, seats, until }: DetachWanted, link: DetachmentLink): string[] {
    const { leases, clock } = this.#options
    // Sessions were promised as much as a lease lasts, and must not outlive what they live on.
    const lasts = until === undefined ? Number.POSITIVE_INFINITY : until - clock.wall()
    const held = [...leases.list()].filter(
      (one) =>
        one.manager.id === link.id &&
        one.state === 'held' &&
        isGranted(one) &&
        one.ended === undefined &&
        !one.kept &&
        !leases.isConverting(one.id) &&
        one.terms.product === product &&
        one.terms.feature === feature &&
        one.terms.chain.length === 1 &&
        one.terms.leaseSeconds * 1000 < lasts,
    )
    held.sort((a, b) => Number(leases.isIdle(a.id)) - Number(leases.isIdle(b.id)))
    const chosen: string[] = []
    let left = seats
    for (const { id, terms } of held) {
      if (terms === undefined || terms.seats > left) continue
      chosen.push(id)
      left -= terms.seats
    }
    return chosen
  }

  #askFor(wanted: DetachWanted, replaces: readonly string[]): DetachAsk {
    const { clock, self } = this.#options
    const { product, feature, seats, until, earliest, zone, who } = wanted
    return {
      product,
      ...(feature === undefined ? {} : { feature }),
      seats,
      ...(until === undefined ? { soft: true as const } : { until }),
      ...(earliest === undefined ? {} : { earliest }),
      ...(zone === undefined ? {} : { zone }),
      version: 0,
      time: clock.wall(),
      ...(replaces.length === 0 ? {} : { replaces: [...replaces] }),
      who: peerWhoSchema.parse(who),
      machine: self().name.slice(0, 64),
      chain: [self().id],
    }
  }

  #nobody({ product, manager }: DetachWanted): Refusal {
    if (manager !== undefined)
      return refuse('manager_unreachable', `${manager} does not offer ${product}, or can not be reached.`)
    return refuse('manager_unreachable', `No license manager that offers ${product} can be reached.`)
  }

  /** Begins with a letter, so that it is an id of documents, too. */
  #newId(): string {
    return `d${this.#options.randomId()}`
  }
}

export function checkTold(told: DetachmentTold): ReturnType<typeof checkDetachment> {
  return checkDetachment(told.texts)
}

function flawOf({ id, ask, product, feature, seats }: InRecord, { payload }: CheckedDetachment): string | undefined {
  const isOther =
    payload.id !== id || payload.product !== product || payload.feature !== feature || payload.seats !== seats
  const isLonger = ask?.until !== undefined && payload.exp * 1000 > ask.until
  return isOther || isLonger ? 'other' : undefined
}

function factsOf(
  told: DetachmentTold,
  link: DetachmentLink,
  { signer }: CheckedDetachment,
  more: Pick<AttachFacts, 'who' | 'replaces'>,
): AttachFacts {
  return {
    ...more,
    ...(told.zone === undefined ? {} : { zone: told.zone }),
    soft: told.soft === true,
    ...(link.id === signer ? { now: told.time } : { via: { id: link.id, name: link.name } }),
  }
}

/** What a manager said, as a refusal of this agent. */
export function refusalOf(
  reply: Refused | Unreachable | { readonly kind: string },
  link: { readonly name: string },
): Refusal {
  if ('problem' in reply) {
    const { code, detail, reason: _r, explanation: _e, largest: _l, ...facts } = reply.problem
    const known: ErrorCode = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'manager_unreachable'
    return refuse(known, detail ?? `${link.name} refused it.`, { ...facts, manager: link.name })
  }
  if ('step' in reply) return refuse('manager_unreachable', `${link.name} can not be reached: ${reply.detail}`)
  return unreached(link.name)
}

function unreached(name: string): Refusal {
  return refuse('manager_unreachable', `${name} can not be reached now.`)
}

/** What a person can do most about is said: that a manager can't be reached, and that it has no such seats, say the least. */
function worst(one: Refusal | undefined, other: Refusal): Refusal {
  const weight = ({ code }: Refusal): number =>
    code === 'manager_unreachable' ? 0 : code === 'unknown_product' || code === 'not_detachable' ? 1 : 2
  return one === undefined || weight(other) > weight(one) ? other : one
}
