/**
 * Builds and connects what keeps seats in advance: reserves and web sites, with their calls. Part of the composition root; only
 * `agent.ts`, `agent-api.ts` and tests import it.
 */
import { randomBytes } from 'node:crypto'
import type { Asker, Verdict } from './broker.ts'
import type { Clock, Timers } from './clock.ts'
import type { ProductName } from './domain/product-name.ts'
import type { Refusal } from './errors.ts'
import type {
  ActivityAnswer,
  Reserve as ReserveView,
  SignIn as SignInView,
  SignInWish,
  Site,
  SiteWish,
} from './http/api/site-shapes.ts'
import type { Parts } from './http/ui/parts.ts'
import { createCalendar } from './jobs/recycle.ts'
import type { LeaseSeats } from './lease-seats.ts'
import type { Lessor, SeatEvent } from './lessor.ts'
import type { Log } from './log.ts'
import type { KeepTrouble } from './reserve-keep.ts'
import { ReserveKeeper } from './reserve-keeper.ts'
import type { OwnSeats } from './reserve-own.ts'
import { type KeptState, keepName, keptState, type Reserve, Reserves } from './reserves.ts'
import type { AgentName } from './session-view.ts'
import { SiteBook, type SiteDefinition, type SiteUser } from './site-book.ts'
import type { Calendar } from './site-schedules.ts'
import { type Activity, type SignInState, SiteSignIns } from './site-sign-ins.ts'
import { type SiteState, Sites } from './sites.ts'
import type { Writes } from './writes.ts'

export interface SitesSurroundings {
  readonly lessor: Lessor
  readonly remote: LeaseSeats
  readonly own: OwnSeats
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => AgentName
  readonly randomId: () => string
  readonly rules?: (asker: Asker) => Verdict
  readonly isInDoubt: (session: string) => boolean
  readonly log: Pick<Log, 'warn' | 'error'>
  readonly onChange?: (kind: 'reserve' | 'site', id: string) => void
  readonly calendar?: Calendar
}

export interface ConnectedSites {
  readonly reserves: Reserves
  readonly sites: Sites
  readonly keeper: ReserveKeeper
  /** To be registered with the writer. */
  readonly book: SiteBook
  noteSeats(event: SeatEvent): void
  /** After the store is open and leases are looked after. */
  start(): void
  stop(): void
}

export function connectSites(parts: SitesSurroundings): ConnectedSites {
  const { lessor, remote, own, writes, clock, timers, self, randomId, log, onChange } = parts
  const onTrouble = (what: string, error: unknown): void => log.error(what, { error })
  const book = new SiteBook()
  const reserves = new Reserves({ writes, keeper: () => keeper })
  const kept = { leases: remote.leases, lessor, wall: () => clock.wall() }
  const signIns = new SiteSignIns({
    book,
    lessor,
    writes,
    clock,
    timers,
    self,
    randomId,
    ...(parts.rules === undefined ? {} : { rules: parts.rules }),
    isInDoubt: parts.isInDoubt,
    whyEmpty: (site) => sites.whyEmpty(site),
    onTrouble,
  })
  const sites: Sites = new Sites({
    book,
    signIns,
    keeper: () => keeper,
    kept,
    writes,
    calendar: parts.calendar ?? createCalendar(),
    newToken: () => `lhs_${randomBytes(32).toString('base64url')}`,
    log,
    onChange: (id) => onChange?.('site', id),
  })
  const keeper: ReserveKeeper = new ReserveKeeper({
    remote,
    own,
    lessor,
    clock,
    timers,
    self,
    keeps: function* () {
      yield* reserves.keeps()
      yield* sites.keeps()
    },
    onTried: (name, taken) => {
      reserves.noteTried(name, taken)
      sites.noteTried(name, taken)
      if (name.startsWith('reserve:')) onChange?.('reserve', name.slice('reserve:'.length))
    },
    onTrouble,
  })
  return {
    reserves,
    sites,
    keeper,
    book,
    noteSeats: (event) => {
      own.noteSeats(event)
      keeper.noteSeats(event)
    },
    start: () => {
      keeper.start()
      sites.start()
    },
    stop: () => {
      sites.stop()
      keeper.stop()
    },
  }
}

// ---- as the interface tells it

export function connectSitePages(owners: SiteOwners): Pick<Parts, 'reserves' | 'sites'> {
  const { sites, reserves } = owners
  const by = 'administrator'
  return {
    reserves: {
      list: () => reserveViews(owners),
      put: (id, wish) => putReserve(owners, id, wish),
      remove: (id) => reserves.remove(id, by),
    },
    sites: {
      list: () => siteViews(owners),
      get: (id) => siteOf(id, owners, false),
      define: (id, wish) => sites.define(id, definitionOf(wish), by),
      renewToken: (id) => sites.renewToken(id, by),
      remove: (id) => sites.remove(id, by),
      recycle: (id) => sites.recycle(id, by),
    },
  }
}

/** Every day at 4:30, where no change to or from summer time is made. */
const usualCron = '30 4 * * *'

export function definitionOf(wish: SiteWish): SiteDefinition {
  const { serverProduct, clientProduct, seats, recycle, inactivityMinutes } = wish
  return {
    serverProduct: serverProduct as ProductName,
    clientProduct: clientProduct as ProductName,
    seats,
    recycle: recycle ?? { cron: usualCron, zone: Intl.DateTimeFormat().resolvedOptions().timeZone },
    inactivityMinutes,
  }
}

export function siteUser({ account, email, displayName }: SignInWish['user']): SiteUser {
  return {
    ...(account ? { account } : {}),
    ...(email ? { email } : {}),
    ...(displayName ? { displayName } : {}),
  }
}

export type SiteOwners = Pick<ConnectedSites, 'reserves' | 'sites' | 'keeper'> & {
  readonly lessor: Pick<Lessor, 'view'>
  readonly leases: LeaseSeats['leases']
  /** Whether an agent that seats come from answers now. */
  readonly isReachable: (agent: string) => boolean
  /** Wall time in ms. */
  readonly wall: () => number
}

export function reserveViews(owners: SiteOwners): ReserveView[] {
  return owners.reserves.list().map((one) => reserveView(one, owners))
}

export function reserveView(reserve: Reserve, owners: SiteOwners): ReserveView {
  const { id, product, feature, seats } = reserve
  const kept = keptState(keepName(id), seats, owners)
  return {
    id,
    product,
    ...(feature === undefined ? {} : { feature }),
    seats,
    used: kept.used,
    ...keptView(kept, owners),
  }
}

export function putReserve(
  { reserves }: SiteOwners,
  id: string,
  { product, feature, seats }: { readonly product: string; readonly feature?: string | undefined; seats: number },
): Promise<{ readonly kind: 'put'; readonly isNew: boolean } | Refusal> {
  const reserve = { id, product: product as ProductName, ...(feature === undefined ? {} : { feature }), seats }
  return reserves.put(reserve, 'administrator')
}

export function siteViews(owners: SiteOwners): Site[] {
  return owners.sites.list().flatMap(({ id }) => siteOf(id, owners, false) ?? [])
}

/** @param isSite the ids of sign-ins are told to the site only */
export function siteOf(id: string, owners: SiteOwners, isSite: boolean): Site | undefined {
  const state = owners.sites.get(id)
  return state && siteView(state, owners, isSite)
}

function siteView(
  { site, clients, hasServer, isRecycling, recyclesAt, signIns }: SiteState,
  owners: SiteOwners,
  isSite: boolean,
): Site {
  const { id, serverProduct, clientProduct, seats, recycle, inactivityMinutes, startedAt, recycledAt } = site
  return {
    id,
    serverProduct,
    clientProduct,
    seats,
    recycle: { ...recycle },
    inactivityMinutes,
    state: isRecycling ? 'recycling' : site.isStarted ? 'started' : 'stopped',
    server: hasServer,
    occupied: clients.used,
    ...keptView(clients, owners),
    ...(startedAt === undefined ? {} : { startedAt: iso(startedAt) }),
    ...(recycledAt === undefined ? {} : { recycledAt: iso(recycledAt) }),
    ...(recyclesAt === undefined ? {} : { recyclesAt: iso(recyclesAt) }),
    signIns: signIns.map(({ record, access, session, idleEndsAt }) => ({
      ...(isSite ? { id: record.id } : {}),
      user: { ...record.user },
      access,
      signedInAt: iso(record.signedInAt),
      ...(idleEndsAt === undefined ? {} : { idleEndsAt: iso(idleEndsAt) }),
      ...(session === undefined ? {} : { session }),
    })),
  }
}

export function signInView({ record, access, idleEndsAt, expiresAt }: SignInState, wall: number): SignInView {
  return {
    id: record.id,
    seat: access === 'full',
    access,
    ...(idleEndsAt === undefined ? {} : { idleEndsAt: iso(idleEndsAt) }),
    ...(expiresAt === undefined ? {} : { expiresIn: Math.max(0, Math.floor((expiresAt - wall) / 1000)) }),
  }
}

export function activityView(activity: Activity, wall: number): ActivityAnswer['items'][number] {
  switch (activity.kind) {
    case 'active':
      return signInView(activity.signIn, wall)
    case 'unknown':
      return {
        id: activity.id,
        seat: false,
        access: 'none',
        code: 'unknown_sign_in',
        detail: 'Nobody of this id is signed in.',
      }
    case 'no-seat': {
      const { code, detail, facts } = activity.refusal
      const retryIn = facts?.retryIn
      const later = typeof retryIn === 'number' ? { retryIn } : {}
      return { id: activity.id, seat: false, access: 'none', code, detail, ...later }
    }
  }
}

function keptView(
  { taken, from, trouble }: KeptState,
  { isReachable }: SiteOwners,
): Pick<ReserveView, 'taken' | 'from' | 'missing'> {
  return {
    taken,
    from: from.map(({ manager, seats, used, until }) => ({
      manager: { ...manager },
      seats,
      used,
      reachable: isReachable(manager.id),
      until: iso(until),
    })),
    ...(trouble === undefined ? {} : { missing: missingView(trouble) }),
  }
}

function missingView({ code, detail, asked, retryIn }: KeepTrouble): NonNullable<ReserveView['missing']> {
  return { code, detail, asked: asked.map((one) => ({ ...one, manager: { ...one.manager } })), retryIn }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
