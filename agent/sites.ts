/**
 * Web sites that serve their own signed-in users: each takes one seat of its server product and a number of seats of its client
 * product in advance, and hands only those on (P1 to P8). Owns the definitions, tokens and states of sites; seats are the keeper's,
 * sign-ins are in `site-sign-ins.ts`. Must not import http or jobs.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Refusal, refuse } from './errors.ts'
import type { Log } from './log.ts'
import type { Keep } from './reserve-keep.ts'
import type { ReserveKeeper } from './reserve-keeper.ts'
import { type KeptState, type KeptStateParts, keptState } from './reserves.ts'
import type { SiteBook, SiteDefinition, SiteRecord } from './site-book.ts'
import { emptyReserve, noServerLicense, siteNotStarted, unknownSite } from './site-refusals.ts'
import { type Calendar, SiteSchedules } from './site-schedules.ts'
import {
  type Activity,
  clientKeep,
  type SignedIn,
  type SignInRequest,
  type SignInState,
  type SiteSignIns,
  serverKeep,
} from './site-sign-ins.ts'
import type { Transaction, Writes } from './writes.ts'

export interface SitesOptions {
  readonly book: SiteBook
  readonly signIns: SiteSignIns
  readonly keeper: () => ReserveKeeper
  readonly kept: Omit<KeptStateParts, 'keeper'>
  readonly writes: Writes
  readonly calendar: Calendar
  /** A fresh token. */
  readonly newToken: () => string
  readonly log: Pick<Log, 'warn' | 'error'>
  /** Told when what a site has or does was changed. */
  readonly onChange?: (site: string) => void
}

export interface SiteState {
  readonly site: SiteRecord
  readonly clients: KeptState
  /** Whether it has the seat of its server. */
  readonly hasServer: boolean
  readonly isRecycling: boolean
  /** Wall time in ms. */
  readonly recyclesAt?: number
  readonly signIns: readonly SignInState[]
}

export interface Started {
  readonly kind: 'started'
  readonly asked: number
  readonly taken: number
}

/** ms that seats get to come back before they are taken anew. */
const drainTime = 15_000

export class Sites {
  readonly #options: SitesOptions
  /** Sites that take the seat of their server and are not started yet. */
  readonly #starting = new Set<string>()
  readonly #recycling = new Map<string, Promise<void>>()
  readonly #schedules: SiteSchedules
  /** How many seats the journal was told of last. */
  readonly #told = new Map<string, number>()
  #isRunning = false

  constructor(options: SitesOptions) {
    this.#options = options
    this.#schedules = new SiteSchedules(options.calendar, (id) => {
      this.recycle(id, 'schedule').catch((error: unknown) =>
        options.log.error('a site could not be recycled', { site: id, error }),
      )
    })
  }

  /** After the store is open. */
  start(): void {
    this.#isRunning = true
    this.#options.signIns.start()
    this.#schedule()
  }

  stop(): void {
    this.#isRunning = false
    this.#options.signIns.stop()
    this.#schedules.stop()
  }

  list(): SiteRecord[] {
    return this.#options.book.sites()
  }

  get(id: string): SiteState | undefined {
    const { book, signIns, kept, keeper, calendar } = this.#options
    const site = book.site(id)
    if (!site) return undefined
    const recyclesAt = site.isStarted ? calendar.next(site.recycle) : undefined
    return {
      site,
      clients: keptState(clientKeep(id), site.isStarted ? site.seats : 0, { ...kept, keeper: keeper() }),
      hasServer: this.#hasServer(id),
      isRecycling: this.#recycling.has(id),
      ...(recyclesAt === undefined ? {} : { recyclesAt }),
      signIns: signIns.list(id),
    }
  }

  /** What sites want to be kept. */
  *keeps(): Iterable<Keep> {
    for (const { id, isStarted, serverProduct, clientProduct, seats } of this.#options.book.sites()) {
      if (isStarted || this.#starting.has(id))
        yield { name: serverKeep(id), product: serverProduct, seats: 1, exclusive: true }
      if (isStarted) yield { name: clientKeep(id), product: clientProduct, seats, exclusive: true }
    }
  }

  // ---- definitions

  /** @returns the token where the site is new; it is stored nowhere and can not be shown again */
  async define(
    id: string,
    definition: SiteDefinition,
    by: string,
  ): Promise<{ readonly kind: 'defined'; readonly token?: string } | Refusal> {
    const { book, calendar } = this.#options
    const flaw = calendar.check(definition.recycle)
    if (flaw)
      return refuse('invalid_request', `recycle.${flaw.field} ${flaw.message}`, {
        fields: [{ field: `recycle.${flaw.field}`, message: flaw.message }],
      })
    const token = this.#options.newToken()
    const isNew = await this.#write((transaction) => {
      const before = book.findSite(transaction, id)
      const site = before ?? { id, tokenHash: hashOf(token), isStarted: false }
      book.putSite(transaction, { ...site, ...definition })
      const { serverProduct, clientProduct, seats } = definition
      transaction.journal({ type: 'site.defined', facts: { site: id, serverProduct, clientProduct, seats, by } })
      return before === undefined
    })
    return { kind: 'defined', ...(isNew ? { token } : {}) }
  }

  /** The one before is good for nothing from now on. */
  async renewToken(id: string, by: string): Promise<{ readonly kind: 'renewed'; readonly token: string } | Refusal> {
    const { book, newToken } = this.#options
    const token = newToken()
    const isKnown = await this.#write((transaction) => {
      const site = book.findSite(transaction, id)
      if (!site) return false
      book.putSite(transaction, { ...site, tokenHash: hashOf(token) })
      transaction.journal({ type: 'site.token_renewed', facts: { site: id, by } })
      return true
    })
    return isKnown ? { kind: 'renewed', token } : unknownSite(id)
  }

  async remove(id: string, by: string): Promise<{ readonly kind: 'removed' } | Refusal> {
    const { book, signIns } = this.#options
    if (!book.site(id)) return unknownSite(id)
    await this.#stop(id, by)
    // Of this the site knows nothing.
    await signIns.signOutAll(id, 'disconnected')
    await this.#write((transaction) => {
      book.dropSite(transaction, id)
      transaction.journal({ type: 'site.removed', facts: { site: id, by } })
    })
    return { kind: 'removed' }
  }

  isToken(id: string, token: string): boolean {
    const site = this.#options.book.site(id)
    if (!site) return false
    return timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(site.tokenHash))
  }

  // ---- running

  /** Takes the seat of the server, without which it does not start, then those of the clients as far as there are (P1, P6). */
  async startSite(id: string, by: string): Promise<Started | Refusal> {
    const { book, keeper } = this.#options
    const site = book.site(id)
    if (!site) return unknownSite(id)
    if (!site.isStarted) {
      const refusal = await this.#begin(id, by)
      if (refusal) return refusal
    }
    const taken = await keeper().fill(clientKeep(id))
    return { kind: 'started', asked: book.site(id)?.seats ?? site.seats, taken }
  }

  /** The site itself says so: it shows nothing any more. */
  async stopSite(id: string, by: string): Promise<{ readonly kind: 'stopped' } | Refusal> {
    const { book, signIns } = this.#options
    const site = book.site(id)
    if (!site) return unknownSite(id)
    if (!site.isStarted) return { kind: 'stopped' }
    await this.#stop(id, by)
    await signIns.signOutAll(id, 'released')
    return { kind: 'stopped' }
  }

  async signIn(id: string, request: SignInRequest): Promise<SignedIn | Refusal> {
    const site = this.#options.book.site(id)
    if (!site) return unknownSite(id)
    if (!site.isStarted) return siteNotStarted(id)
    if (!request.isAdministrator && !this.#hasServer(id)) return this.#noServer(site)
    const outcome = await this.#options.signIns.signIn(site, request)
    if (outcome.kind === 'signed-in') this.#tell(id)
    return outcome
  }

  async signOut(id: string, signIn: string): Promise<{ readonly kind: 'signed-out' } | Refusal> {
    if (!this.#options.book.site(id)) return unknownSite(id)
    await this.#options.signIns.signOut(id, signIn)
    this.#tell(id)
    return { kind: 'signed-out' }
  }

  async noteActivity(
    id: string,
    ids: readonly string[],
  ): Promise<{ readonly kind: 'noted'; readonly activities: readonly Activity[] } | Refusal> {
    const site = this.#options.book.site(id)
    if (!site) return unknownSite(id)
    return { kind: 'noted', activities: await this.#options.signIns.noteActivity(site, ids) }
  }

  /** All client seats go back and are taken anew; who is signed in stays so and has no seat until it does something (P5). */
  async recycle(id: string, by: string): Promise<{ readonly kind: 'recycled' } | Refusal> {
    const site = this.#options.book.site(id)
    if (!site) return unknownSite(id)
    if (!site.isStarted) return siteNotStarted(id)
    const run =
      this.#recycling.get(id) ??
      this.#recycle(id, by).finally(() => {
        this.#recycling.delete(id)
        this.#tell(id)
      })
    this.#recycling.set(id, run)
    await run
    return { kind: 'recycled' }
  }

  /** To be called after every try to take seats: the journal and the log say when there are fewer than asked for (P6). */
  noteTried(name: string, taken: number): void {
    const site = this.#options.book.sites().find((one) => clientKeep(one.id) === name)
    if (!site?.isStarted || this.#recycling.has(site.id) || taken === (this.#told.get(site.id) ?? site.seats)) return
    this.#told.set(site.id, taken)
    this.#noteFilled(site, taken).catch((error: unknown) => {
      this.#told.delete(site.id)
      this.#options.log.error('the seats of a site could not be journaled', { site: site.id, error })
    })
    this.#tell(site.id)
  }

  /** Why the site has no seat for one more, with when there may be one. */
  whyEmpty(site: SiteRecord): Refusal {
    const { signIns, kept, keeper } = this.#options
    const wall = kept.wall()
    const ends = signIns.list(site.id).flatMap(({ idleEndsAt }) => idleEndsAt ?? [])
    return emptyReserve(site, {
      kept: keptState(clientKeep(site.id), site.seats, { ...kept, keeper: keeper() }),
      isRecycling: this.#recycling.has(site.id),
      nextIn: ends.length === 0 ? undefined : Math.min(...ends) - wall,
      wall,
    })
  }

  async #stop(id: string, by: string): Promise<void> {
    const { book } = this.#options
    await this.#write((transaction) => {
      const found = book.findSite(transaction, id)
      if (!found?.isStarted) return
      const { startedAt: _, ...rest } = found
      book.putSite(transaction, { ...rest, isStarted: false })
      transaction.journal({ type: 'site.stopped', facts: { site: id, by } })
    })
    this.#told.delete(id)
  }

  async #begin(id: string, by: string): Promise<Refusal | undefined> {
    const { book, keeper, kept } = this.#options
    this.#starting.add(id)
    try {
      const held = await keeper().fill(serverKeep(id))
      const site = book.site(id)
      if (!site) return unknownSite(id)
      if (held === 0) return this.#noServer(site)
      await this.#write((transaction) => {
        const found = book.findSite(transaction, id)
        if (!found || found.isStarted) return
        book.putSite(transaction, { ...found, isStarted: true, startedAt: kept.wall() })
        transaction.journal({ type: 'site.started', facts: { site: id, by } })
      })
      return undefined
    } finally {
      this.#starting.delete(id)
      keeper().look()
    }
  }

  #noServer(site: SiteRecord): Refusal {
    return noServerLicense(site, this.#options.keeper().trouble(serverKeep(site.id)))
  }

  #hasServer(id: string): boolean {
    return this.#options.keeper().held(serverKeep(id)).length > 0
  }

  async #recycle(id: string, by: string): Promise<void> {
    const { book, keeper, signIns, writes, kept } = this.#options
    this.#tell(id)
    let signedIn = 0
    const returned = await keeper().drain(clientKeep(id), drainTime, async () => {
      signedIn = await signIns.recycle(id)
    })
    const taken = await keeper().fill(clientKeep(id))
    this.#told.set(id, taken)
    const seats = book.site(id)?.seats ?? 0
    if (taken < seats) this.#warnOfFew(id, seats, taken)
    await writes.submit((transaction) => {
      const site = book.findSite(transaction, id)
      if (!site) return
      book.putSite(transaction, { ...site, recycledAt: kept.wall() })
      const facts = { site: id, returned, asked: site.seats, taken, signedIn, by }
      transaction.journal({ type: 'site.recycled', facts })
    })
  }

  #warnOfFew(site: string, seats: number, taken: number): void {
    this.#options.log.warn('a site has fewer seats than it asks for', { site, seats, taken })
  }

  async #noteFilled({ id, seats }: SiteRecord, taken: number): Promise<void> {
    if (taken < seats) this.#warnOfFew(id, seats, taken)
    await this.#options.writes.submit((transaction) =>
      transaction.journal({ type: 'site.filled', facts: { site: id, asked: seats, taken } }),
    )
  }

  async #write<T>(job: (transaction: Transaction) => T): Promise<T> {
    const answer = await this.#options.writes.submit(job)
    this.#schedule()
    this.#options.keeper().look()
    return answer
  }

  /** Arms what is due by the calendar, as the definitions say now. */
  #schedule(): void {
    if (this.#isRunning) this.#schedules.arm(this.list())
  }

  #tell(id: string): void {
    this.#options.onChange?.(id)
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
