/**
 * Random histories of a manager and two agents that lease from it: whatever is lost, restarted, disconnected or late, the three
 * invariants hold.
 */
import test from 'ava'
import fc from 'fast-check'
import type { Grant } from '../../agent/domain/grant.ts'

import { recount } from '../domain/world.ts'
import { supply } from './core.ts'
import { Agent, mail, pass } from './net.ts'

type Person = 'ana' | 'bob' | 'cid' | 'nobody'

type Step =
  | { readonly kind: 'use'; readonly at: 0 | 1 | 2; readonly person: Person }
  /** The manager's answer is lost: its lease is out, and nothing is made of it. */
  | { readonly kind: 'lost reply'; readonly at: 1 | 2; readonly person: Person }
  | { readonly kind: 'reserve'; readonly at: 1 | 2; readonly seats: number }
  | { readonly kind: 'stop' | 'beat' | 'disconnect session'; readonly which: number }
  | { readonly kind: 'renew leases' | 'give back' | 'restart'; readonly at: 0 | 1 | 2 }
  | { readonly kind: 'disconnect lease'; readonly which: number }
  | { readonly kind: 'shrink'; readonly at: 1 | 2 }
  | { readonly kind: 'license'; readonly seats: number }
  | { readonly kind: 'pass'; readonly ms: number }

const holders = fc.constantFrom<1 | 2>(1, 2)
const anybody = fc.constantFrom<0 | 1 | 2>(0, 1, 1, 2, 2)
const persons = fc.constantFrom<Person>('ana', 'ana', 'bob', 'cid', 'nobody')
const which = fc.nat({ max: 9 })

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('use' as const), at: anybody, person: persons }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lost reply' as const), at: holders, person: persons }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reserve' as const), at: holders, seats: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stop' as const), which }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('beat' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect session' as const), which }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('renew leases' as const), at: holders }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('give back' as const), at: holders }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), at: anybody }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disconnect lease' as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('shrink' as const), at: holders }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('license' as const), seats: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(700, 9_000, 60_000, 250_000) }),
  },
)

/** An application as it sees itself: it believes in its seat until then, and no longer once it was told of the end. */
interface Application {
  readonly id: string
  readonly agent: Agent
  readonly person: Person
  believesUntil: number
}

/** What the license of the manager counts by. */
type Rule = 'user' | 'session'

class Play {
  readonly #rule: Rule
  readonly #agents: readonly [Agent, Agent, Agent]
  readonly #applications: Application[] = []
  /** Leases that each agent has a supply of. */
  readonly #leases = new Map<Agent, Set<string>>()
  #license: number
  /** The most seats that were ever licensed while what lives now was granted. */
  #allowed: number
  #time = 0
  #ids = 0

  private constructor(rule: Rule, seats: number, agents: readonly [Agent, Agent, Agent]) {
    this.#rule = rule
    this.#license = seats
    this.#allowed = seats
    this.#agents = agents
    for (const agent of agents) this.#leases.set(agent, new Set())
  }

  static async start(rule: Rule, seats: number): Promise<Play> {
    const manager = await Agent.start('manager', [supply(seats, { rule })])
    return new Play(rule, seats, [manager, await Agent.start('agent-1'), await Agent.start('agent-2')])
  }

  get #manager(): Agent {
    return this.#agents[0]
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'use':
        return await this.#use(this.#agents[step.at], step.person)
      case 'lost reply':
        await this.#agents[step.at].ask(this.#manager, this.#fresh('lost'), this.#wishOf(step.person))
        return
      case 'reserve':
        return await this.#reserve(this.#agents[step.at], step.seats)
      case 'stop':
        return await this.#with(step.which, async (one) => {
          one.believesUntil = 0
          await one.agent.lessor.end(one.id, 'released')
        })
      case 'beat':
        return await this.#with(step.which, (one) => this.#beat(one))
      case 'disconnect session':
        return await this.#with(step.which, async (one) => {
          await one.agent.lessor.disconnect(one.id, 'disconnected')
        })
      case 'renew leases':
        return await this.#renewLeases(this.#agents[step.at])
      case 'give back':
        return await this.#giveBack(this.#agents[step.at])
      case 'restart':
        return await this.#agents[step.at].restart()
      case 'disconnect lease': {
        const leases = [...this.#manager.lessor.view.grants()].filter(({ kind }) => kind === 'lease')
        const lease = leases[step.which % Math.max(1, leases.length)]
        if (lease) await this.#manager.lessor.disconnect(lease.id, 'disconnected')
        return
      }
      case 'shrink':
        return await this.#shrink(this.#agents[step.at])
      case 'license':
        this.#license = step.seats
        this.#allowed = Math.max(this.#allowed, step.seats)
        return await this.#manager.core.putSupply(supply(step.seats, { rule: this.#rule }))
      case 'pass':
        this.#time += step.ms
        return await pass(step.ms, ...this.#agents)
    }
  }

  /** Local seats first, then a lease from the manager: as a broker does. */
  async #use(agent: Agent, person: Person): Promise<void> {
    const id = this.#fresh('session')
    const askedAt = this.#time
    const wish = this.#wishOf(person)
    let answer = await agent.core.open(id, { who: wish.who })
    if (answer.kind !== 'granted' && agent !== this.#manager) {
      const lease = this.#fresh('lease')
      const own = agent.lessor.view.grantCount
      answer = await agent.fetch(this.#manager, lease, id, wish)
      if (agent.lessor.view.supply(lease)) this.#leases.get(agent)?.add(lease)
      if (answer.kind !== 'granted' && agent.lessor.view.grantCount !== own) throw new Error('A refusal left a grant.')
    }
    if (answer.kind !== 'granted') return
    this.#checkPromise(agent, answer.grant, answer.expiresIn)
    this.#applications.push({ id, agent, person, believesUntil: askedAt + answer.expiresIn * 1000 })
  }

  async #beat(one: Application): Promise<void> {
    // Who does not believe in its seat any more asks for another one, and does not beat.
    if (one.believesUntil <= this.#time) return
    const renewal = await one.agent.lessor.renew(one.id)
    if (renewal.kind === 'renewed') {
      this.#checkPromise(one.agent, renewal.grant, renewal.expiresIn)
      one.believesUntil = Math.max(one.believesUntil, this.#time + renewal.expiresIn * 1000)
    } else if (renewal.kind !== 'later') one.believesUntil = 0
  }

  async #reserve(agent: Agent, seats: number): Promise<void> {
    const lease = this.#fresh('reserve')
    const askedAt = agent.bootAt
    const answer = await agent.ask(this.#manager, lease, { seats, purpose: 'reserve' })
    if (answer.kind !== 'granted') return
    await agent.core.putSupply(agent.supplyFrom(this.#manager, lease, answer, askedAt))
    this.#leases.get(agent)?.add(lease)
  }

  async #renewLeases(agent: Agent): Promise<void> {
    for (const lease of this.#leases.get(agent) ?? []) {
      const answer = await agent.renew(this.#manager, lease)
      if (answer.kind === 'renewed' || answer.kind === 'later') continue
      await agent.takes(lease, { kind: 'nothing', why: 'lease_returning' })
    }
  }

  async #giveBack(agent: Agent): Promise<void> {
    for (const lease of [...(this.#leases.get(agent) ?? [])]) {
      if (!agent.lessor.isEmpty(lease)) continue
      await agent.giveBack(this.#manager, lease)
      this.#leases.get(agent)?.delete(lease)
    }
  }

  /** The manager renews a reserve with fewer seats; ours never does, so the lessor is told what would follow (R19). */
  async #shrink(agent: Agent): Promise<void> {
    for (const lease of this.#leases.get(agent) ?? []) {
      const { seats, until = 0, before } = agent.supply(lease)
      if (seats < 2 || before || until < agent.bootAt) continue
      await agent.put(lease, { seats: seats - 1, before: { seats, until } })
      return
    }
  }

  #wishOf(person: Person) {
    return person === 'nobody' ? { who: {} } : { who: mail(person) }
  }

  #fresh(kind: string): string {
    return `${kind}-${++this.#ids}`
  }

  async #with(index: number, act: (one: Application) => Promise<void>): Promise<void> {
    const live = this.#applications.filter(({ believesUntil }) => believesUntil > this.#time)
    const one = live[index % Math.max(1, live.length)]
    if (one) await act(one)
  }

  /** Invariant 2, where it is said: what an application is promised is within what every supply of its seat has left. */
  #checkPromise({ lessor, bootAt, id: name }: Agent, grant: Grant, expiresIn: number): void {
    for (const { supply: id } of grant.parts) {
      const until = lessor.view.supply(id)?.until
      if (until !== undefined && bootAt + expiresIn * 1000 > until)
        throw new Error(`invariant 2: ${name} promises ${grant.id} past the end of ${id}`)
    }
  }

  check(): void {
    for (const agent of this.#agents) this.#checkAgent(agent)
    const counted = new Set<string>()
    for (const { id, person, believesUntil } of this.#applications)
      if (believesUntil > this.#time) counted.add(this.#rule === 'session' || person === 'nobody' ? id : person)
    if (counted.size > this.#allowed)
      throw new Error(`invariant 3: ${[...counted].join(', ')} have ${counted.size} of ${this.#allowed} seats`)
    if (this.#manager.lessor.view.used('L1/cad') <= this.#license) this.#allowed = this.#license
  }

  #checkAgent({ id: name, lessor: { view } }: Agent): void {
    const counted = recount(view.grants())
    for (const { id, kind, seats, before } of view.supplies()) {
      const used = view.used(id)
      if (used !== (counted.get(id) ?? 0)) throw new Error(`${name} counts ${used} in ${id}, not ${counted.get(id)}`)
      const allowed = kind === 'license' ? this.#allowed : Math.max(seats, before?.seats ?? 0)
      if (used > allowed) throw new Error(`invariant 1: ${name} has ${used} of ${allowed} in ${id}`)
    }
  }
}

for (const rule of ['user', 'session'] as const) {
  test(`invariants 1, 2 and 3: in every history of a manager and two agents, counted by ${rule}`, async (t) => {
    const history = fc.array(steps, { minLength: 5, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), history, async (seats, all) => {
        const play = await Play.start(rule, seats)
        for (const step of all) {
          await play.run(step)
          play.check()
        }
      }),
      { numRuns: 120 },
    )
    t.pass()
  })
}
