/**
 * Random histories of an agent between two managers, over a network that loses, delays and doubles, through crashes, boots and sleep.
 */
import test from 'ava'
import fc from 'fast-check'
import type { OpenedSessionView } from '../../agent/broker.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { FakeManager, type Fate } from './fake-manager.ts'
import { Place, second, turn } from './place.ts'

type Step =
  | { readonly kind: 'open'; readonly person: string; readonly seats: number; readonly wait: number }
  | { readonly kind: 'close' | 'beat' | 'stop beating' | 'repeat'; readonly which: number }
  | { readonly kind: 'pass' | 'sleep'; readonly seconds: number }
  | { readonly kind: 'fates'; readonly manager: 0 | 1; readonly fates: readonly Fate[] }
  | { readonly kind: 'cut' | 'heal' | 'take' | 'free' | 'disconnect' | 'wanted'; readonly manager: 0 | 1 }
  | { readonly kind: 'crash' | 'reboot' | 'fail store' }

const managers = fc.constantFrom<0 | 1>(0, 1)
const which = fc.nat({ max: 7 })
const fates = fc.constantFrom<Fate>('works', 'unsent', 'lost', 'reply lost', 'late', 'doubled')
const kinds = <K extends string>(...names: K[]) => fc.constantFrom(...names)

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      person: fc.constantFrom('ana', 'ana', 'bob', 'cid'),
      seats: fc.constantFrom(1, 1, 1, 2),
      wait: fc.constantFrom(0, 0, 20),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: kinds('close', 'beat', 'beat', 'stop beating', 'repeat'), which }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.constantFrom(3, 20, 90, 250, 700) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sleep' as const), seconds: fc.constantFrom(60, 900) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('fates' as const),
      manager: managers,
      fates: fc.array(fates, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kinds('cut', 'heal', 'heal', 'take', 'free', 'disconnect', 'wanted'),
      manager: managers,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kinds('crash', 'crash', 'reboot', 'fail store') }) },
)

/** An application as it sees itself: it believes in its seat until then, as the client library counts. */
interface Application {
  readonly key: string
  readonly person: string
  readonly seats: number
  session: OpenedSessionView | undefined
  believesUntil: number
  isBeating: boolean
}

class History {
  readonly clock = new ManualClock()
  readonly managers: readonly [FakeManager, FakeManager]
  readonly applications: Application[] = []
  place!: Place

  constructor(rule: 'session' | 'user') {
    const first = new FakeManager(this.clock, { id: 'manager-1', seats: 2, rule, license: 'license-1' })
    const second = new FakeManager(this.clock, { id: 'manager-2', seats: 2, rule, license: 'license-2' })
    this.managers = [first, second]
  }

  /** Waits for an answer while time goes on. */
  async #answer<T>(asked: Promise<T>): Promise<T | undefined> {
    const state: { answer?: T; isOver: boolean } = { isOver: false }
    asked.then(
      (answer) => {
        state.answer = answer
        state.isOver = true
      },
      () => {
        state.isOver = true
      },
    )
    await turn()
    for (let tries = 0; !state.isOver && tries < 120; tries++) {
      await this.clock.run(500)
      this.check()
    }
    if (!state.isOver) throw new Error('there is no answer')
    return state.answer
  }

  async open(application: Application, wait: number): Promise<void> {
    const { key, person, seats } = application
    const askedAt = this.clock.wall()
    const user = { email: `${person}@x.example` }
    const outcome = await this.#answer(this.place.open(key, { user, seats, wait }))
    if (outcome?.kind === 'opened') {
      application.session = outcome.session
      application.believesUntil = Math.max(application.believesUntil, askedAt + outcome.session.expiresIn * second)
    } else if (outcome?.code === 'session_ended') await this.close(application)
  }

  async beat(application: Application): Promise<void> {
    if (!application.session) return
    const askedAt = this.clock.wall()
    const outcome = await this.#answer(this.place.beat(application.session))
    if (outcome?.kind === 'kept') application.believesUntil = askedAt + outcome.session.expiresIn * second
    else if (outcome?.code === 'session_ended' || outcome?.code === 'unknown_session') this.#lose(application)
  }

  async close(application: Application): Promise<void> {
    const { session } = application
    if (!session) return
    application.believesUntil = 0
    // It says so until it is heard.
    for (let tries = 0; tries < 20; tries++) {
      const outcome = await this.#answer(this.place.broker.close(session.id, session.key))
      if (outcome !== undefined) break
      await this.clock.run(second)
    }
    this.#lose(application)
  }

  #lose(application: Application): void {
    application.session = undefined
    application.believesUntil = 0
    application.isBeating = false
  }

  async pass(seconds: number): Promise<void> {
    for (let left = seconds; left > 0; left -= 20) {
      await this.clock.run(Math.min(20, left) * second)
      for (const one of this.applications)
        if (one.isBeating && one.session && one.believesUntil - this.clock.wall() < 420 * second) await this.beat(one)
      this.check()
    }
  }

  /** No application believes in a seat that its manager does not count, and no lease is used by more than it has. */
  check(): void {
    const now = this.clock.wall()
    const uses = new Map<string, Map<string, number>>()
    for (const { session, believesUntil, person } of this.applications) {
      const grant = session && this.place.lessor.view.grant(session.id)
      if (!session || believesUntil <= now || !this.place.lessor.isReady) continue
      if (!grant) throw new Error(`${session.id} is believed in and not there`)
      for (const { supply, seats, key } of grant.parts) {
        const lease = this.managers.map((one) => one.leases.get(supply)).find((one) => one !== undefined)
        if (!lease) throw new Error(`${session.id} of ${person} uses ${supply}, which its manager does not count`)
        if (lease.freeAt <= now) throw new Error(`${session.id} of ${person} uses ${supply}, which is free again`)
        const keys = uses.get(supply) ?? new Map<string, number>()
        const counted = key ?? session.id
        keys.set(counted, Math.max(keys.get(counted) ?? 0, seats))
        uses.set(supply, keys)
        const used = [...keys.values()].reduce((sum, one) => sum + one, 0)
        if (used > lease.seats) throw new Error(`${used} seats of ${supply} are used, which has ${lease.seats}`)
      }
    }
    this.#checkKeys(now)
    for (const one of this.managers)
      if (one.used > one.seats) throw new Error(`${one.id} has given out ${one.used} of ${one.seats}`)
  }

  /** What a person uses of one license is what the manager counts for that person (R18). */
  #checkKeys(now: number): void {
    for (const manager of this.managers) {
      const used = new Map<string, number>()
      for (const { session, believesUntil, person } of this.applications) {
        const grant = session && this.place.lessor.view.grant(session.id)
        if (!grant || believesUntil <= now) continue
        const seats = grant.parts.reduce((sum, one) => sum + (manager.leases.has(one.supply) ? one.seats : 0), 0)
        const isKeyed = grant.parts.some(({ key }) => key !== undefined)
        const name = isKeyed ? person : grant.id
        used.set(name, Math.max(used.get(name) ?? 0, seats))
      }
      const sum = [...used.values()].reduce((total, one) => total + one, 0)
      if (sum > manager.used - manager.others) throw new Error(`${manager.id} counts fewer than the ${sum} seats used`)
    }
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'open': {
        const { person, seats, wait } = step
        const key = `key-${this.applications.length}`
        const application = { key, person, seats, session: undefined, believesUntil: 0, isBeating: true }
        this.applications.push(application)
        return await this.open(application, wait)
      }
      case 'close':
      case 'beat':
      case 'repeat':
      case 'stop beating': {
        const application = this.applications[step.which]
        if (!application) return
        if (step.kind === 'close') return await this.close(application)
        if (step.kind === 'beat') return await this.beat(application)
        if (step.kind === 'repeat') return application.session && (await this.open(application, 0))
        application.isBeating = false
        return
      }
      case 'pass':
        return await this.pass(step.seconds)
      case 'sleep':
        this.clock.sleepMachine(step.seconds * second)
        return
      case 'fates':
        this.managers[step.manager].fates.push(...step.fates)
        return
      case 'crash':
      case 'reboot':
        await turn(50)
        return await this.place.restart(step.kind)
      case 'fail store':
        this.place.store.failCommits('before')
        return
      default:
        return this.#happen(step.kind, this.managers[step.manager])
    }
  }

  #happen(what: 'cut' | 'heal' | 'take' | 'free' | 'disconnect' | 'wanted', manager: FakeManager): void {
    if (what === 'cut') manager.isUp = false
    else if (what === 'heal') manager.comeBack()
    else if (what === 'take' && manager.used < manager.seats) manager.occupy(1)
    else if (what === 'free' && manager.others > 0) manager.occupy(-1)
    else if (what === 'wanted') manager.say({ kind: 'counts', product: 'acme/cad', wanted: true })
    else if (what === 'disconnect') {
      const [id] = manager.leases.keys()
      if (id !== undefined) manager.disconnect(id)
    }
  }

  /** Everybody stops, and the network is whole again: every seat comes back. */
  async end(): Promise<void> {
    for (const manager of this.managers) {
      manager.fates.length = 0
      manager.comeBack()
    }
    await this.clock.run(12 * second)
    for (const application of this.applications) await this.close(application)
    // Before what was not given back would end by itself. Whoever crashed before an end was confirmed waits for its time.
    await this.clock.run(400 * second)
    for (const manager of this.managers)
      for (const id of manager.leases.keys())
        if (this.place.lessor.isEmpty(id)) throw new Error(`${manager.id} did not get back ${id}`)
    await this.clock.run(1300 * second)
    for (const manager of this.managers)
      if (manager.used > manager.others || manager.leases.size > 0 || manager.line.length > 0)
        throw new Error(`${manager.id} did not get back all`)
    const states = this.place.states()
    if (states.length > 0) throw new Error(`there are records left: ${states}`)
  }
}

for (const rule of ['session', 'user'] as const)
  test(`R7, R9, R15 to R17, R20, R30: whatever the network does, no seat is used that its manager does not count, and all come back (${rule})`, async (t) => {
    t.timeout(120_000)
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 25 }), async (taken) => {
        const history = new History(rule)
        history.place = await Place.start(history.clock, history.managers)
        for (const step of taken) {
          await history.take(step)
          await turn()
          history.check()
        }
        await history.end()
      }),
      {
        numRuns: Number(process.env.LEASE_RUNS ?? 25),
        ...(process.env.LEASE_SEED === undefined ? {} : { seed: Number(process.env.LEASE_SEED) }),
      },
    )
    t.pass()
  })
