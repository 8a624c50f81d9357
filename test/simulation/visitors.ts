/**
 * Who is signed in at the web sites of one machine, and what each of them believes, as the site does that serves them: a seat from
 * an answer with access `full` until it is told otherwise, or until the promise of that answer is over. They sign in, do something,
 * sign out, or close the browser and say nothing.
 */
import { activityView, signInView } from '../../agent/agent-sites.ts'
import type { SignIn as SignInView } from '../../agent/http/api/site-shapes.ts'
import { clientKeep, type SignInState } from '../../agent/site-sign-ins.ts'
import type { Random } from './random.ts'
import type { Site } from './site.ts'
import type { Believer } from './sources.ts'
import { Violation } from './violation.ts'
import { mostSeats, sitesAt, webSiteIds } from './web-sites.ts'

type Kind = 'sign-in' | 'activity' | 'sign-out'

interface Visitor {
  readonly id: string
  readonly web: string
  readonly account: string
  readonly isAdministrator: boolean
  /** On the machine's clock that counts sleep. */
  believedUntil?: number
  /** True time of the question that the belief rests on. */
  believedSince: number
  product: string
  session: string
  /** Answered, and not told since that nobody of this id is signed in. */
  isSignedIn: boolean
  isOver: boolean
  isAsking: boolean
  /** True time at which it acts next. */
  nextAt: number
}

interface Told {
  /** Undefined: it was refused. */
  readonly view?: SignInView | undefined
  readonly session?: string | undefined
  readonly code?: string | undefined
}

/** A question on the way to the agent, or its answer on the way back. */
export interface Errand {
  readonly visitor: Visitor
  readonly kind: Kind
  /** On the machine's clock that counts sleep, before it was asked. */
  readonly sentAt: number
  readonly trulySentAt: number
  /** Undefined: it is on its way to the agent. */
  readonly answer?: Told | 'failed'
  /** On the machine's monotonic clock. */
  readonly deadline: number
}

const longestDelay = 1_000
/** Seats of a site's own are counted one by one. */
const most = { visitors: 2 * mostSeats + 1, left: 20 }

export class Visitors {
  readonly #site: Site
  readonly #random: Random
  errands: Errand[] = []
  /** Questions that the agent has. */
  readonly #open = new Set<Errand>()
  #visitors: Visitor[] = []
  /** Those who have left and may still be believed to have a seat, by the site. */
  #left: Visitor[] = []
  #isQuiet = false

  constructor(site: Site) {
    this.#site = site
    this.#random = site.world.random
  }

  get unanswered(): number {
    return this.#open.size
  }

  /** True time at which somebody acts next. */
  get nextAt(): number {
    if (this.#isQuiet || !this.#site.world.options.sites) return Number.POSITIVE_INFINITY
    if (this.#visitors.length < most.visitors) return this.#site.machine.now
    return Math.min(...this.#visitors.map(({ nextAt }) => nextAt))
  }

  /** One of those whose time has come does something. */
  act(): void {
    const { machine } = this.#site
    while (this.#visitors.length < most.visitors) this.#visitors.push(this.#invent())
    const [visitor] = [...this.#visitors].sort((a, b) => a.nextAt - b.nextAt)
    if (!visitor || visitor.nextAt > machine.now + 1) return
    visitor.nextAt = machine.now + this.#random.integer(500, 30_000)
    if (visitor.isOver) this.#leave(visitor)
    else if (visitor.isAsking) return
    else if (!visitor.isSignedIn) {
      const isServing = sitesAt(this.#site)?.get(visitor.web)?.site.isStarted
      if (this.#random.chance(isServing ? 0.7 : 0.1)) this.#send(visitor, 'sign-in')
      else this.#leave(visitor)
    } else this.#browse(visitor)
  }

  /** Everybody closes the browser. */
  quiet(isQuiet: boolean): void {
    this.#isQuiet = isQuiet
    if (isQuiet) for (const visitor of [...this.#visitors]) this.#leave(visitor)
  }

  /** Its people have stopped it, so it shows nothing any more. */
  stopped(web: string): void {
    for (const visitor of [...this.#visitors, ...this.#left]) if (visitor.web === web) delete visitor.believedUntil
  }

  deliver(errand: Errand): void {
    this.errands = this.errands.filter((one) => one !== errand)
    if (errand.answer === undefined) this.#toAgent(errand)
    else this.#toVisitor(errand, errand.answer)
  }

  /** What was not answered fails, and answers under way arrive or not. */
  agentCrashed(): void {
    for (const errand of this.#open) this.#post({ ...errand, answer: 'failed' })
    this.#open.clear()
    this.errands = this.errands.map((one) =>
      one.answer !== undefined && this.#random.chance(0.5) ? { ...one, answer: 'failed' } : one,
    )
  }

  /** The machine is off, and the web server with it. */
  rebooted(): void {
    this.errands = []
    this.#open.clear()
    this.#left = []
    // Their cookies are good for the next start of the server.
    for (const visitor of this.#visitors) {
      delete visitor.believedUntil
      visitor.isAsking = false
    }
  }

  believers(): Believer[] {
    const { sinceBoot } = this.#site.machine
    const isBelieved = ({ believedUntil }: Visitor): boolean =>
      believedUntil !== undefined && sinceBoot <= believedUntil
    this.#left = this.#left.filter(isBelieved)
    return [...this.#visitors.filter(isBelieved), ...this.#left].map(
      ({ id, web, product, session, believedSince }) => ({
        site: this.#site,
        name: `${this.#site.name} ${web} ${id}`,
        wish: { product, seats: 1 },
        believedSince,
        id: session,
        kept: clientKeep(web),
        // Whatever the rule, each sign-in is a seat of its own.
        keyBy: () => undefined,
      }),
    )
  }

  /** Mostly one that serves. */
  #pickSite(): string {
    const started = (sitesAt(this.#site)?.list() ?? []).filter(({ isStarted }) => isStarted)
    return started.length > 0 && this.#random.chance(0.9)
      ? this.#random.pick(started).id
      : this.#random.pick(webSiteIds)
  }

  #invent(): Visitor {
    const random = this.#random
    return {
      id: random.text(12),
      web: this.#pickSite(),
      account: random.pick(['ana', 'ben', 'cleo']),
      isAdministrator: random.chance(0.1),
      believedSince: 0,
      product: '',
      session: '',
      isSignedIn: false,
      isOver: false,
      isAsking: false,
      nextAt: this.#site.machine.now + random.integer(100, 20_000),
    }
  }

  #browse(visitor: Visitor): void {
    const choice = this.#random.next()
    if (choice < 0.05) {
      visitor.isOver = true
      delete visitor.believedUntil
      this.#send(visitor, 'sign-out')
    } else if (choice < 0.12) this.#leave(visitor)
    else if (choice < 0.2) this.#send(visitor, 'sign-in')
    // It reads for long, or goes home and comes back.
    else if (choice < 0.35) visitor.nextAt = this.#site.machine.now + this.#random.integer(30_000, 900_000)
    else this.#send(visitor, 'activity')
  }

  /** Nothing is said to anybody. */
  #leave(visitor: Visitor): void {
    this.#visitors = this.#visitors.filter((one) => one !== visitor)
    if (!visitor.isOver) this.#left = [...this.#left, visitor].slice(-most.left)
  }

  #send(visitor: Visitor, kind: Kind): void {
    const { machine } = this.#site
    visitor.isAsking = true
    this.#post({ visitor, kind, sentAt: machine.sinceBoot, trulySentAt: machine.now })
  }

  #post(errand: Omit<Errand, 'deadline'>): void {
    this.errands.push({ ...errand, deadline: this.#site.machine.monotonic + longestDelay })
  }

  #toAgent(errand: Errand): void {
    if (!sitesAt(this.#site)) {
      this.#post({ ...errand, answer: 'failed' })
      return
    }
    this.#open.add(errand)
    this.#ask(errand)
      .catch((): 'failed' => 'failed')
      .then((answer) => {
        if (this.#open.delete(errand)) this.#post({ ...errand, answer })
      })
      .catch((error: unknown) => this.#site.world.report(error))
  }

  async #ask({ visitor, kind }: Errand): Promise<Told> {
    const { web, id, account, isAdministrator } = visitor
    const sites = sitesAt(this.#site)
    const clock = this.#site.process?.clock
    if (!sites || !clock) throw new Error('The agent is gone.')
    if (kind === 'sign-in') {
      const request = { id, user: { account }, isAdministrator, address: '127.0.0.1' }
      const outcome = await sites.signIn(web, request)
      if (outcome.kind === 'refused') return { code: outcome.code }
      return this.#told(outcome.signIn, signInView(outcome.signIn, clock.wall()))
    }
    if (kind === 'sign-out') {
      const outcome = await sites.signOut(web, id)
      return outcome.kind === 'refused' ? { code: outcome.code } : {}
    }
    const outcome = await sites.noteActivity(web, [id])
    if (outcome.kind === 'refused') return { code: outcome.code }
    const [activity] = outcome.activities
    if (!activity) throw new Error('Nothing is said of a sign-in.')
    if (activity.kind === 'active') return this.#told(activity.signIn, activityView(activity, clock.wall()))
    const { code } = activityView(activity, clock.wall()) as { readonly code?: string }
    return { code }
  }

  #told({ session }: SignInState, view: SignInView): Told {
    return { view, session }
  }

  #toVisitor({ visitor, kind, sentAt, trulySentAt }: Errand, answer: Told | 'failed'): void {
    const { world, ledger } = this.#site
    const { id, web, isAdministrator } = visitor
    visitor.isAsking = false
    const said = answer === 'failed' ? 'failed' : (answer.code ?? answer.view?.access ?? 'done')
    this.#site.say(
      `${web} ${id}${isAdministrator ? ' (administrator)' : ''} ${kind}: ${said} ${said === 'full' && answer !== 'failed' ? answer.view?.expiresIn : ''}`,
    )
    world.count(`${kind}: ${said}`)
    // The site serves on with what it knows.
    if (answer === 'failed' || visitor.isOver) return
    const { view, session, code } = answer
    if (isAdministrator && (view?.seat || ['site_reserve_empty', 'no_server_license'].includes(code ?? '')))
      throw new Violation(`P4: administrator ${id} of ${web} is told ${said}`)
    if (view) visitor.isSignedIn = true
    if (code === 'unknown_sign_in' || code === 'unknown_site') visitor.isSignedIn = false
    if (view?.access !== 'full') {
      delete visitor.believedUntil
      return
    }
    visitor.session = session ?? ''
    const record = ledger.lastGrant.get(visitor.session)
    if (!record) throw new Violation(`${id} of ${web} has session ${session}, which has no record`)
    visitor.product = record.product
    visitor.believedSince = trulySentAt
    visitor.believedUntil = sentAt + (view.expiresIn ?? 0) * 1000
  }
}
