/**
 * The seats in use as lists: sessions of this agent and seats that other agents hold for theirs (M7); filtered, in pages, one by
 * one, and by computer (I6). Owns nothing.
 * A page costs one look at every grant and the sorting of what is on the page, so that a hundred thousand are still cheap.
 */
import { hash } from 'node:crypto'
import { type Grant, isOwnLease, type Who } from './domain/grant.ts'
import { productOf } from './domain/product-name.ts'
import type { Lessor } from './lessor.ts'
import { grantIdOf } from './session-id.ts'
import { type AgentName, agentOf, type SessionView, sessionView, userOf, type ViewContext } from './session-view.ts'

export interface PageRequest {
  readonly limit: number
  /** `next` of the page before; one that can't be read is as good as none. */
  readonly cursor?: string | undefined
}

export interface SessionFilter extends PageRequest {
  /** `vendor/product`, or the product alone. */
  readonly product?: string | undefined
  /** What account, e-mail or name contain, in any case. */
  readonly user?: string | undefined
  /** What the host's name contains, in any case. */
  readonly host?: string | undefined
  /** Sessions that have ended are in the journal; there are none of them here. */
  readonly state?: 'active' | 'ending' | 'ended' | undefined
}

export interface Page<Item> {
  items: Item[]
  total: number
  next?: string
}

/** A user at a machine: what is used there and since when (I6). */
export interface ComputerView {
  id: string
  host?: string
  user: SessionView['user']
  /** Another agent that holds the seats. */
  agent?: AgentName
  addresses: string[]
  sessions: number
  seats: number
  since: string
  uses: { product: string; feature?: string; seats: number; since: string }[]
}

export class SessionList {
  readonly #lessor: Pick<Lessor, 'view' | 'promiseOf'>
  readonly #context: () => ViewContext

  constructor(lessor: Pick<Lessor, 'view' | 'promiseOf'>, context: () => ViewContext) {
    this.#lessor = lessor
    this.#context = context
  }

  /** Every session, in no order that means something. */
  *all(): Iterable<SessionView> {
    const context = this.#context()
    for (const grant of this.#lessor.view.grants()) if (isSession(grant)) yield this.#view(grant, context)
  }

  /** @param id as it is shown */
  get(id: string): SessionView | undefined {
    const { view } = this.#lessor
    const grant = view.grant(grantIdOf(id, view))
    return grant && isSession(grant) ? this.#view(grant, this.#context()) : undefined
  }

  /** The newest first. */
  list(filter: SessionFilter): Page<SessionView> {
    const fits = matcher(filter)
    const page = new PageOf<Grant>(filter)
    for (const grant of this.#lessor.view.grants()) if (isSession(grant) && fits(grant)) page.offer(grant)
    const context = this.#context()
    return page.finish((grant) => this.#view(grant, context))
  }

  /** Machines with their users, those first that came last. */
  computers(filter: Omit<SessionFilter, 'state'>): Page<ComputerView> {
    const fits = matcher(filter)
    const groups = new Map<string, Computer>()
    for (const grant of this.#lessor.view.grants()) {
      if (!isSession(grant) || !fits(grant)) continue
      const key = computerKey(grant)
      const known = groups.get(key)
      if (!known) groups.set(key, { key, id: grant.id, startedAt: grant.startedAt, grants: [grant] })
      else {
        known.grants.push(grant)
        if (isOlder(known, grant)) continue
        known.id = grant.id
        known.startedAt = grant.startedAt
      }
    }
    const page = new PageOf<Computer>(filter)
    for (const group of groups.values()) page.offer(group)
    const context = this.#context()
    return page.finish((computer) => computerView(computer, context))
  }

  /** What one user at one machine uses. @param id of `ComputerView` */
  grantsOf(id: string): Grant[] {
    const known = new Map<string, boolean>()
    const found: Grant[] = []
    for (const grant of this.#lessor.view.grants()) {
      if (!isSession(grant)) continue
      const key = computerKey(grant)
      const fits = known.get(key) ?? computerId(key) === id
      known.set(key, fits)
      if (fits) found.push(grant)
    }
    return found
  }

  #view(grant: Grant, context: ViewContext): SessionView {
    return sessionView(grant, this.#lessor.promiseOf(grant.id), context)
  }
}

interface Computer {
  readonly key: string
  /** Of its oldest session, as is `startedAt`. */
  id: string
  startedAt: number
  readonly grants: Grant[]
}

interface Dated {
  readonly id: string
  readonly startedAt: number
}

/** Whether it comes after the other in lists, which begin with the newest. */
function isOlder(one: Dated, other: Dated): boolean {
  return one.startedAt < other.startedAt || (one.startedAt === other.startedAt && one.id < other.id)
}

/** Picks one page out of everything that is offered, newest first: keeps no more than two pages, sorts only those. */
class PageOf<Item extends Dated> {
  readonly #limit: number
  readonly #from: Dated | undefined
  #kept: Item[] = []
  /** Once a page is full: the last on it, and what comes after that needs no look. */
  #last: Item | undefined
  #total = 0
  #more = false

  constructor({ limit, cursor }: PageRequest) {
    this.#limit = limit
    this.#from = readCursor(cursor)
  }

  offer(item: Item): void {
    this.#total++
    if (this.#from && !isOlder(item, this.#from)) return
    if (this.#last && isOlder(item, this.#last)) {
      this.#more = true
      return
    }
    this.#kept.push(item)
    if (this.#kept.length >= 2 * this.#limit) this.#cut()
  }

  finish<View>(view: (item: Item) => View): Page<View> {
    this.#cut()
    const last = this.#kept.at(-1)
    return {
      items: this.#kept.map(view),
      total: this.#total,
      ...(this.#more && last ? { next: `${last.startedAt}.${last.id}` } : {}),
    }
  }

  #cut(): void {
    this.#kept.sort((one, other) => (isOlder(one, other) ? 1 : -1))
    if (this.#kept.length <= this.#limit) return
    this.#kept.length = this.#limit
    this.#last = this.#kept.at(-1)
    this.#more = true
  }
}

function readCursor(cursor: string | undefined): Dated | undefined {
  const [, startedAt, id] = /^(-?\d{1,16})\.(.+)$/.exec(cursor ?? '') ?? []
  return startedAt === undefined || id === undefined ? undefined : { startedAt: Number(startedAt), id }
}

/** Detachments and seats that are kept here are no use of a seat by somebody; they have lists of their own. */
function isSession(grant: Grant): boolean {
  return grant.kind !== 'detachment' && !isOwnLease(grant)
}

function matcher({ product, user, host, state }: Omit<SessionFilter, 'limit'>): (grant: Grant) => boolean {
  const whole = product?.includes('/') ?? false
  const userPart = user?.toLowerCase()
  const hostPart = host?.toLowerCase()
  return (grant) => {
    if (product !== undefined && (whole ? grant.product : productOf(grant.product)) !== product) return false
    if (state !== undefined && state !== (grant.ending === undefined ? 'active' : 'ending')) return false
    if (hostPart !== undefined && !contains(grant.who.host, hostPart)) return false
    return userPart === undefined || fitsUser(grant.who, userPart)
  }
}

/** @param part of an account, an e-mail address or a name, in lower case */
export function fitsUser({ account, email, displayName }: Who, part: string): boolean {
  return contains(account, part) || contains(email, part) || contains(displayName, part)
}

function contains(text: string | undefined, part: string): boolean {
  return text?.toLowerCase().includes(part) ?? false
}

/** Machines of one name that ask through different agents are different ones. */
function computerKey({ kind, holder, who }: Grant): string {
  const agent = kind === 'session' ? '' : `\0${holder}`
  return `${who.host ?? who.address ?? ''}\0${who.email ?? who.account ?? ''}`.toLowerCase() + agent
}

function computerId(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, 22)
}

function computerView({ key, grants, startedAt }: Computer, context: ViewContext): ComputerView {
  const [first] = grants
  const host = first?.who.host
  const uses = new Map<string, { product: string; feature?: string; seats: number; since: number }>()
  for (const grant of grants) {
    const name = `${grant.product} ${grant.feature ?? ''}`
    const known = uses.get(name)
    uses.set(name, {
      product: grant.product,
      ...(grant.feature === undefined ? {} : { feature: grant.feature }),
      seats: (known?.seats ?? 0) + grant.seats,
      since: Math.min(known?.since ?? grant.startedAt, grant.startedAt),
    })
  }
  return {
    id: computerId(key),
    ...(host === undefined ? {} : { host }),
    user: first ? userOf(first.who) : {},
    ...(first === undefined || first.kind === 'session' ? {} : { agent: agentOf(first, context) }),
    addresses: [...new Set(grants.flatMap(({ who }) => who.address ?? []))],
    sessions: grants.length,
    seats: grants.reduce((sum, one) => sum + one.seats, 0),
    since: new Date(startedAt).toISOString(),
    uses: [...uses.values()].map((use) => ({ ...use, since: new Date(use.since).toISOString() })),
  }
}
