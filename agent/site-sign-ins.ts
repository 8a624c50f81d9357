/**
 * Who is signed in at web sites: a sign-in takes a seat of the site's own reserve and nothing else, keeps it while the site reports
 * activity, and takes one again after it was recycled (P2 to P7). The seats are sessions of the lessor; the records are in the
 * site's book, what is promised of the seats is in `site-promises.ts`. Must not import http.
 */
import { licensesOf, permitOf } from './access-rules.ts'
import type { Asker, Verdict } from './broker.ts'
import type { Cancel, Clock, Timers } from './clock.ts'
import type { Grant } from './domain/grant.ts'
import type { SessionCommand } from './domain/seats.ts'
import { type EndReason, type Refusal, refuse } from './errors.ts'
import type { Lessor, OpenAnswer } from './lessor.ts'
import type { AgentName } from './session-view.ts'
import type { SignIn, SiteBook, SiteRecord, SiteUser } from './site-book.ts'
import { SitePromises } from './site-promises.ts'
import { seatUnheard, siteNotStarted } from './site-refusals.ts'
import type { Transaction, Writes } from './writes.ts'

/** What a site may show to who is signed in. `none`: nothing, until there is a seat. */
export type SiteAccess = 'full' | 'administration' | 'none'

export interface SignedIn {
  readonly kind: 'signed-in'
  readonly created: boolean
  readonly signIn: SignInState
}

export interface SignInState {
  readonly record: SignIn
  readonly access: SiteAccess
  /** Public id of the session that is its seat. */
  readonly session?: string
  /** Wall time in ms at which the seat goes back where no activity is reported. */
  readonly idleEndsAt?: number
  /** Wall time in ms until which the site may rely on the seat with no word of the agent; only where the site asked. */
  readonly expiresAt?: number
}

/** Of one sign-in, after activity was reported for it. */
export type Activity =
  | { readonly kind: 'active'; readonly signIn: SignInState }
  | { readonly kind: 'unknown'; readonly id: string }
  | { readonly kind: 'no-seat'; readonly id: string; readonly refusal: Refusal }

export interface SiteSignInsOptions {
  readonly book: SiteBook
  readonly lessor: Lessor
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => AgentName
  readonly randomId: () => string
  /** The user rules; absent: everybody may. */
  readonly rules?: (asker: Asker) => Verdict
  /** Whether the manager must be heard before the seat is kept (R9, R20). */
  readonly isInDoubt: (session: string) => boolean
  /** Why the site has no seat for one more. */
  readonly whyEmpty: (site: SiteRecord) => Refusal
  readonly onTrouble: (what: string, error: unknown) => void
}

export interface SignInRequest {
  readonly id: string
  readonly user: SiteUser
  readonly isAdministrator: boolean
  readonly address: string
}

type Taken = { readonly kind: 'taken'; readonly created: boolean; readonly signIn: SignIn } | Refusal

/** In ms. */
const lookEvery = 5_000
/** A sign-in without a seat is forgotten when it was without one for so long. */
const forgottenAfter = 7 * 86_400_000
/** Of one site; the oldest without a seat make room. */
const mostSignIns = 10_000
const mostForgotten = 500

export class SiteSignIns {
  readonly #options: SiteSignInsOptions
  readonly #promises: SitePromises
  #ticking: Cancel | undefined

  constructor(options: SiteSignInsOptions) {
    this.#options = options
    this.#promises = new SitePromises(options)
  }

  /** After the store is open. */
  start(): void {
    this.#promises.start()
    this.#ticking = this.#options.timers.every(lookEvery, () => this.look())
    this.look()
  }

  stop(): void {
    this.#ticking?.()
    this.#ticking = undefined
  }

  /** The same id again is the same sign-in. */
  async signIn(site: SiteRecord, request: SignInRequest): Promise<SignedIn | Refusal> {
    const denied = this.#checkUser(site, request)
    if (denied) return denied
    const before = this.#options.book.signIn(site.id, request.id)
    const held = before && (await this.#ask(before))
    if (held?.kind === 'refused') return held
    if (held) return { kind: 'signed-in', created: false, signIn: held.signIn }
    const taken = await this.#options.writes.submit((transaction) => this.#take(transaction, site, request), {
      growing: true,
    })
    const asked = taken.kind === 'refused' ? taken : ((await this.#ask(taken.signIn)) ?? this.#options.whyEmpty(site))
    await this.#promises.confirm(before?.session)
    if (taken.kind === 'refused') return taken
    return asked.kind === 'refused' ? asked : { kind: 'signed-in', created: taken.created, signIn: asked.signIn }
  }

  /** Also right where nobody of that id is signed in. */
  async signOut(site: string, id: string): Promise<void> {
    await this.#drop(site, [id], 'released')
  }

  /** Everybody loses the seat and the sign-in. @param reason `released`: the site says so; else it may not know yet */
  async signOutAll(site: string, reason: 'released' | 'disconnected'): Promise<void> {
    await this.#drop(
      site,
      Array.from(this.#options.book.signIns(site), ({ id }) => id),
      reason,
    )
  }

  /** Somebody does something: the seat stays, or one is taken again without a new sign-in (P5). */
  async noteActivity(site: SiteRecord, ids: readonly string[]): Promise<Activity[]> {
    return await Promise.all(ids.map((id) => this.#noteActivity(site, id)))
  }

  /** Everybody stays signed in and loses the seat (P5). @returns how many had one */
  async recycle(site: string): Promise<number> {
    const seated = [...this.#options.book.signIns(site)].flatMap((one) => this.#grantOf(one) ?? [])
    await Promise.all(seated.map((one) => this.#promises.takeAway(one, 'recycled')))
    return seated.length
  }

  /** Everybody who is signed in at a site, those first that came last. */
  list(site: string): SignInState[] {
    return Array.from(this.#options.book.signIns(site), (one) => this.stateOf(one)).sort(
      (a, b) => b.record.signedInAt - a.record.signedInAt || (a.record.id < b.record.id ? -1 : 1),
    )
  }

  stateOf(record: SignIn): SignInState {
    const { clock } = this.#options
    if (record.isAdministrator) return { record, access: 'administration' }
    const grant = this.#grantOf(record)
    if (!grant) return { record, access: 'none' }
    const idleEndsAt = clock.wall() + Math.max(0, this.#promises.idleEndOf(grant) - clock.atLeast())
    return { record, access: 'full', session: grant.id, idleEndsAt }
  }

  /** Renews what is due and forgets who has been without a seat for long. */
  look(): void {
    const { book, clock, lessor, onTrouble } = this.#options
    if (!lessor.isReady) return
    const live = new Map<string, Grant>()
    for (const site of book.sites()) {
      const late: string[] = []
      for (const one of book.signIns(site.id)) {
        const session = one.session === undefined ? undefined : lessor.view.grant(one.session)
        if (session) live.set(session.id, session)
        else if (clock.wall() - one.seatAt > forgottenAfter) late.push(one.id)
      }
      if (late.length > 0)
        this.#drop(site.id, late.slice(0, mostForgotten), 'idle').catch((error: unknown) =>
          onTrouble('a sign-in could not be forgotten', error),
        )
    }
    this.#promises.look(live)
  }

  async #noteActivity(site: SiteRecord, id: string): Promise<Activity> {
    const { book, lessor, clock, writes, whyEmpty } = this.#options
    const record = book.signIn(site.id, id)
    if (!record) return { kind: 'unknown', id }
    const grant = this.#grantOf(record)
    if (grant) lessor.noteActivity(grant.id, clock.atLeast())
    const held = await this.#ask(record)
    if (held?.kind === 'refused') return { kind: 'no-seat', id, refusal: held }
    if (held) return held
    const { user, isAdministrator } = record
    const again = { id, user, isAdministrator, address: '' }
    const denied = this.#checkUser(site, again)
    if (denied) {
      await this.#promises.confirm(record.session)
      return { kind: 'no-seat', id, refusal: denied }
    }
    const taken = await writes.submit<Taken | undefined>(
      // Signed out meanwhile.
      (transaction) => book.findSignIn(transaction, site.id, id) && this.#take(transaction, site, again),
      { growing: true },
    )
    const asked = taken?.kind === 'taken' ? ((await this.#ask(taken.signIn)) ?? whyEmpty(site)) : taken
    await this.#promises.confirm(record.session)
    if (asked === undefined) return { kind: 'unknown', id }
    return asked.kind === 'refused' ? { kind: 'no-seat', id, refusal: asked } : asked
  }

  /** What the site is answered of a seat. Undefined: there is none any more. */
  async #ask(record: SignIn): Promise<Extract<Activity, { kind: 'active' }> | Refusal | undefined> {
    const { session } = record
    if (record.isAdministrator) return { kind: 'active', signIn: this.stateOf(record) }
    if (session === undefined) return undefined
    const promised = await this.#promises.promise(session)
    if (promised.kind === 'ended') return undefined
    if (promised.kind === 'unheard') return seatUnheard
    const expiresAt = this.#options.clock.wall() + promised.left
    return { kind: 'active', signIn: { ...this.stateOf(record), expiresAt } }
  }

  #take(transaction: Transaction, { id: siteId }: SiteRecord, request: SignInRequest): Taken {
    const { book, clock, whyEmpty } = this.#options
    const site = book.findSite(transaction, siteId)
    if (!site?.isStarted) return siteNotStarted(siteId)
    const before = book.findSignIn(transaction, site.id, request.id)
    const wall = clock.wall()
    const signedInAt = before?.signedInAt ?? wall
    const { id, user, isAdministrator } = request
    if (before && (before.isAdministrator || this.#grantOf(before)))
      return { kind: 'taken', created: false, signIn: before }
    const signIn: SignIn = { site: site.id, id, user, isAdministrator, signedInAt, seatAt: wall }
    if (isAdministrator) {
      book.putSignIn(transaction, signIn)
      return { kind: 'taken', created: before === undefined, signIn }
    }
    const answer = this.#openSession(transaction, site, request, before?.session)
    if (answer.kind !== 'granted' && answer.kind !== 'repeated') return whyEmpty(site)
    const { grant, expiresIn } = answer
    const seated = { ...signIn, session: grant.id }
    book.putSignIn(transaction, seated)
    if (!before) this.#makeRoom(transaction, site.id)
    transaction.after(() => this.#promises.noteRenewed(grant, expiresIn))
    return { kind: 'taken', created: before === undefined, signIn: seated }
  }

  /** The session that it had may have been opened by a job before in this very batch. */
  #openSession(
    transaction: Transaction,
    site: SiteRecord,
    request: SignInRequest,
    session: string | undefined,
  ): OpenAnswer {
    const { lessor, randomId } = this.#options
    if (session !== undefined) {
      const answer = lessor.openIn(transaction, this.#command(session, site, request))
      if (answer.kind !== 'ended') return answer
    }
    // Ids stand in signed documents, where they begin with a letter or digit.
    return lessor.openIn(transaction, this.#command(`w${randomId()}`, site, request))
  }

  #command(id: string, site: SiteRecord, { user, address }: SignInRequest): SessionCommand {
    const { self } = this.#options
    return {
      id,
      instance: self().id,
      holder: self().id,
      product: site.clientProduct,
      seats: 1,
      onlyFor: clientKeep(site.id),
      idleSeconds: site.inactivityMinutes * 60,
      who: { ...user, application: site.id, host: self().name, ...(address === '' ? {} : { address }) },
      body: site.id,
      activity: 'reported',
      waited: false,
    }
  }

  /** The user rules hold for the users of a site as for everybody (S14). */
  #checkUser(site: SiteRecord, { user, isAdministrator }: SignInRequest): Refusal | undefined {
    const { rules, lessor, self } = this.#options
    if (isAdministrator) return undefined
    const product = site.clientProduct
    const verdict = rules?.({ product, who: { ...user, host: self().name } }) ?? { kind: 'allowed' as const }
    if (verdict.kind === 'denied') {
      const { code, detail, rule } = verdict
      return refuse(code, detail, rule === undefined ? {} : { explanation: { managers: [], asked: [], rule } })
    }
    const permit = permitOf(verdict, licensesOf(lessor.view.suppliesFor(product)))
    return permit.kind === 'refused' ? permit : undefined
  }

  /** The seat that it has; undefined where it has none any more. */
  #grantOf({ session }: SignIn): Grant | undefined {
    const grant = session === undefined ? undefined : this.#options.lessor.view.grant(session)
    return grant?.ending === undefined ? grant : undefined
  }

  #makeRoom(transaction: Transaction, site: string): void {
    const { book } = this.#options
    if (book.countSignIns(site) < mostSignIns) return
    const oldest = [...book.signIns(site)].filter((one) => !this.#grantOf(one)).sort((a, b) => a.seatAt - b.seatAt)[0]
    if (oldest) book.dropSignIn(transaction, site, oldest.id)
  }

  async #drop(site: string, ids: readonly string[], reason: EndReason): Promise<void> {
    const { book, lessor, writes } = this.#options
    const sessions = await writes.submit((transaction) =>
      ids.flatMap((id) => {
        const found = book.findSignIn(transaction, site, id)
        if (found) book.dropSignIn(transaction, site, id)
        return found?.session ?? []
      }),
    )
    // A crash in between leaves a session that nobody renews, so its seat is free when its time is over.
    await Promise.all(
      sessions
        .flatMap((id) => lessor.view.grant(id) ?? [])
        .map((grant) =>
          reason === 'released' ? lessor.end(grant.id, reason) : this.#promises.takeAway(grant, reason),
        ),
    )
  }
}

/** Name of the seats that are kept for the clients of a site. */
export function clientKeep(site: string): string {
  return `site:${site}`
}

/** Name of the one seat of its server. */
export function serverKeep(site: string): string {
  return `site-server:${site}`
}
