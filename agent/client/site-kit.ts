/**
 * The site kit (`leasehold/client/site`): lets a web site take its seats from the agent of its machine, hand them to signed-in users,
 * and decide before each request whether its user has one. Owns what is being asked and what was answered last. Talks to loopback
 * only, and imports nothing of the agent.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { JoinedClock, systemSources } from '../system-clock.ts'
import { type AgentReply, type CallAgent, connectAgent } from './call-agent.ts'
import { type Answered, activityAnswer, signedIn, siteStart } from './site-answers.ts'
import type { SiteDecider, SiteDecision, SiteRefusal, SiteRefused } from './site-decision.ts'
import { type ExpressRequest, type ExpressResponse, expressSite } from './site-express.ts'
import { type KoaContext, koaSite } from './site-koa.ts'
import { isBelow, isPlain, type SitePaths, sitePaths } from './site-paths.ts'

export type { SiteDecision, SiteRefusal, SiteRefused } from './site-decision.ts'
export type { ExpressNext, ExpressRequest, ExpressResponse } from './site-express.ts'
export type { KoaContext } from './site-koa.ts'
export type { SitePaths } from './site-paths.ts'

export interface SiteKitOptions extends Partial<SitePaths> {
  /** Id of the site, as it was defined. */
  readonly site: string
  /** The token that was shown when the site was defined. */
  readonly token: string
  /** Port of the agent; 1947 when left out. */
  readonly port?: number
  /** Address of loopback; 127.0.0.1 when left out. No other is taken. */
  readonly address?: string
}

export interface SiteUser {
  readonly account?: string
  readonly email?: string
  readonly displayName?: string
}

export interface SiteSignedIn {
  readonly kind: 'signed-in'
  /** Goes into the cookie or session of the user; whoever knows it uses the seat. */
  readonly id: string
  /** `administration`: takes no seat and sees the pages for administrators only. */
  readonly access: 'full' | 'administration'
}

/** What comes in from outside, for tests. */
export interface SiteSurroundings {
  readonly clock: Pick<Clock, 'atMost'>
  readonly call: CallAgent
}

interface Waiting {
  readonly id: string
  readonly done: (answered: Answered | SiteRefused) => void
}

/** A seat that was confirmed. */
interface Known {
  readonly access: 'full' | 'administration'
  /** On `atMost`: until then it may be relied on with no word of the agent. */
  readonly until: number
}

const usualPort = 1947
/** In one call to the agent. */
const mostIds = 500
/** So many of the last confirmed seats are kept for when the agent does not answer. */
const mostKnown = 10_000
/** ms for which an administrator, who has no seat, is let in with no word of the agent. */
const administratorTime = 60_000
const patience = 10_000

export class SiteKit implements SiteDecider {
  readonly paths: SitePaths
  readonly #path: string
  readonly #surroundings: SiteSurroundings
  readonly #known = new Map<string, Known>()
  #waiting: Waiting[] = []
  #isAsking = false

  /** @throws TypeError when the address is not one of loopback */
  constructor(options: SiteKitOptions, surroundings?: SiteSurroundings) {
    const { site, token, port = usualPort, address } = options
    this.paths = sitePaths(options)
    this.#path = `/api/v1/sites/${encodeURIComponent(site)}`
    this.#surroundings = surroundings ?? {
      clock: new JoinedClock(systemSources()),
      call: connectAgent({ port, tokens: [token], ...(address === undefined ? {} : { address }) }),
    }
  }

  /**
   * Takes the seat of the server and those of the users. To be called when the site starts; without the server license it must not
   * serve. Calling it again is harmless.
   */
  async start(): Promise<{ readonly kind: 'started'; readonly asked: number; readonly taken: number } | SiteRefused> {
    const reply = await this.#call('POST', '/start', {})
    if (reply.kind !== 'answered') return refusedOf(reply)
    const read = siteStart.safeParse(reply.value)
    return read.success ? { kind: 'started', ...read.data } : strange()
  }

  /** Signs everybody out and gives everything back. To be called when the site ends for good, not at a restart. */
  async stop(): Promise<{ readonly kind: 'stopped' } | SiteRefused> {
    const reply = await this.#call('POST', '/stop', {})
    if (reply.kind !== 'answered') return refusedOf(reply)
    this.#known.clear()
    return { kind: 'stopped' }
  }

  /** A user has proved to the site who he is: takes a seat, but for administrators. */
  async signIn(
    user: SiteUser,
    { administrator = false, id = randomUUID() }: { readonly administrator?: boolean; readonly id?: string } = {},
  ): Promise<SiteSignedIn | SiteRefused> {
    const sentAt = this.#surroundings.clock.atMost()
    const reply = await this.#call('POST', '/sign-ins', { id, user, administrator })
    if (reply.kind !== 'answered') return refusedOf(reply)
    const read = signedIn.safeParse(reply.value)
    if (!read.success || read.data.access === 'none') return strange()
    this.#note(read.data, sentAt)
    return { kind: 'signed-in', id, access: read.data.access }
  }

  /** Gives the seat back to the site. Also right where nobody of that id is signed in. */
  async signOut(id: string): Promise<void> {
    this.#known.delete(id)
    await this.#call('DELETE', `/sign-ins/${encodeURIComponent(id)}`)
  }

  /**
   * Says what is to be done with a request, and reports to the agent that its user did something. Nothing is shown without asking, so
   * a seat that was taken away is not used any more.
   * @param path of the request, without the query @param signIn what `signIn` gave; undefined: nobody is signed in
   */
  async decide(path: string, signIn: string | undefined): Promise<SiteDecision> {
    const { open, api, administration, signInPage } = this.paths
    // An address that a server may read as another one is judged as one that needs everything.
    const plain = isPlain(path)
    if (plain && (isBelow(path, [signInPage]) || isBelow(path, open))) return { kind: 'pass', access: 'open' }
    const isApi = isBelow(path, api)
    const answered = signIn === undefined ? undefined : await this.#ask(signIn)
    if (answered === undefined || (answered.kind === 'answered' && answered.code === 'unknown_sign_in'))
      return isApi ? unauthorized('sign_in_needed', 'Sign in to use this.') : { kind: 'redirect', to: signInPage }
    if (answered.kind === 'refused') return { ...answered, kind: 'refuse', status: 503, isApi }
    if (answered.access === 'full') return { kind: 'pass', access: 'full' }
    if (answered.access === 'administration') {
      if (plain && isBelow(path, administration)) return { kind: 'pass', access: 'administration' }
      return isApi
        ? unauthorized('administration_only', 'Administrators have no seat, so they see their own pages only.')
        : { kind: 'redirect', to: administration[0] ?? signInPage }
    }
    const { code = 'site_reserve_empty', detail = 'There is no free seat.', retryIn } = answered
    const later = retryIn === undefined ? {} : { retryIn }
    return { kind: 'refuse', status: code === 'site_reserve_empty' ? 503 : 403, code, detail, isApi, ...later }
  }

  /**
   * Middleware for Koa: lets a request on if its user may see the page, with `ctx.state.siteAccess` `full`, `administration` or `open`.
   * @param signInOf the id that `signIn` gave, from the cookie or session of the request
   * @param refused shows a page that says why there is no seat; plain text when left out
   */
  koa<Context extends KoaContext>(
    signInOf: (context: Context) => string | undefined,
    refused?: (context: Context, refusal: SiteRefusal) => Promise<void> | void,
  ): (context: Context, next: () => Promise<unknown>) => Promise<void> {
    return koaSite(this, signInOf, refused)
  }

  /** The same for Express, with `response.locals.siteAccess`. To be used before everything that asks for a seat. */
  express<Request extends ExpressRequest, Response extends ExpressResponse>(
    signInOf: (request: Request) => string | undefined,
    refused?: (request: Request, response: Response, refusal: SiteRefusal) => void,
  ): ReturnType<typeof expressSite<Request, Response>> {
    return expressSite(this, signInOf, refused)
  }

  /** Requests of the same moment are asked for together. */
  #ask(id: string): Promise<Answered | SiteRefused> {
    return new Promise((resolve) => {
      this.#waiting.push({ id, done: resolve })
      if (!this.#isAsking) void this.#askAll()
    })
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true
    // What else comes at this very moment goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const ids = [...new Set(this.#waiting.map((one) => one.id))].slice(0, mostIds)
      const asked = this.#waiting.filter((one) => ids.includes(one.id))
      this.#waiting = this.#waiting.filter((one) => !ids.includes(one.id))
      const answers = await this.#activity(ids)
      for (const { id, done } of asked) done(answers(id))
    }
    this.#isAsking = false
  }

  async #activity(ids: readonly string[]): Promise<(id: string) => Answered | SiteRefused> {
    const sentAt = this.#surroundings.clock.atMost()
    const reply = await this.#call('POST', '/activity', { ids })
    if (reply.kind !== 'answered') return (id) => this.#withoutWord(id, reply)
    const read = activityAnswer.safeParse(reply.value)
    if (!read.success) return () => strange()
    const found = new Map(read.data.items.map((one) => [one.id, one]))
    for (const one of found.values()) this.#note(one, sentAt)
    return (id) => found.get(id) ?? strange()
  }

  /** The agent does not answer: a seat that it confirmed is good for as long as it said. */
  #withoutWord(id: string, reply: Exclude<AgentReply, { kind: 'answered' }>): Answered | SiteRefused {
    const known = this.#known.get(id)
    const isSilent = reply.kind !== 'refused' || reply.problem.code === 'store_unavailable'
    if (isSilent && known && known.until > this.#surroundings.clock.atMost())
      return { kind: 'answered', id, access: known.access }
    return refusedOf(reply)
  }

  /** @param sentAt before the question was sent */
  #note({ id, access, expiresIn = 0 }: Answered, sentAt: number): void {
    this.#known.delete(id)
    if (access === 'none') return
    const time = access === 'full' ? expiresIn * 1000 : administratorTime
    this.#known.set(id, { access, until: sentAt + time })
    const [oldest] = this.#known.keys()
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest)
  }

  #call(method: 'POST' | 'DELETE', what: string, body?: object): Promise<AgentReply> {
    const { call } = this.#surroundings
    return call({ method, path: this.#path + what, patience, ...(body === undefined ? {} : { body }) })
  }
}

function unauthorized(code: string, detail: string): SiteDecision {
  return { kind: 'refuse', status: 401, code, detail, isApi: true }
}

function refusedOf(reply: Exclude<AgentReply, { kind: 'answered' }>): SiteRefused {
  switch (reply.kind) {
    case 'refused': {
      const { code, detail, retryIn } = reply.problem
      return { kind: 'refused', code, detail, ...(retryIn === undefined ? {} : { retryIn }) }
    }
    case 'no-agent':
      return { kind: 'refused', code: 'agent_not_running', detail: 'The license agent of this machine does not run.' }
    case 'stopped':
    case 'no-answer':
      return { kind: 'refused', code: 'no_answer', detail: 'The license agent of this machine did not answer.' }
    case 'foreign':
      return { kind: 'refused', code: 'not_an_agent', detail: `What answers is no license agent: ${reply.detail}.` }
  }
}

function strange(): SiteRefused {
  return {
    kind: 'refused',
    code: 'not_an_agent',
    detail: 'The license agent answered something that is not understood.',
  }
}
