/**
 * Agents that lease seats to each other without a network: their real lessors, and between them what the wire would carry, as
 * plain calls. Each has a clock of its own; `pass` moves all of them.
 */
import { peerGrantId, type Who } from '../../agent/domain/grant.ts'
import type { LeaseTerms } from '../../agent/domain/leasing.ts'
import type { LeaseCommand } from '../../agent/domain/seats.ts'
import { isAnyProduct, type Supply, type Takes } from '../../agent/domain/supply.ts'
import type { EndAnswer, OpenAnswer, Renewal, SeatEvent } from '../../agent/lessor.ts'
import type { JsonValue } from '../../agent/store/store.ts'
import { Core } from './core.ts'

export interface Wish {
  readonly who?: Who
  readonly seats?: number
  readonly feature?: string
  readonly purpose?: 'session' | 'reserve'
  readonly facts?: Partial<LeaseTerms['facts']>
  readonly chain?: readonly string[]
  readonly waited?: boolean
  readonly sharedOnly?: true
  readonly body?: string
}

export const mail = (name: string): Who => ({ email: `${name}@x.example` })

/** What an agent asks a manager for. */
export function leaseCommand(holder: string, manager: string, id: string, wish: Wish = {}): LeaseCommand {
  const { who = {}, seats = 1, feature, purpose = 'session', chain = [holder], sharedOnly } = wish
  return {
    kind: 'lease',
    id: peerGrantId(holder, id),
    instance: manager,
    holder,
    product: 'acme/cad',
    ...(feature === undefined ? {} : { feature }),
    seats,
    who,
    body: wish.body ?? 'body',
    activity: 'heartbeat',
    waited: wish.waited ?? false,
    ...(sharedOnly === undefined ? {} : { sharedOnly }),
    lease: {
      purpose,
      facts: { agent: chain[0] ?? holder, account: who.account, email: who.email, ...wish.facts },
      chain,
    },
  }
}

export class Agent {
  readonly id: string
  readonly core: Core

  private constructor(core: Core) {
    this.core = core
    this.id = core.agent
  }

  static async start(id: string, supplies: readonly Supply[] = []): Promise<Agent> {
    const agent = new Agent(await Core.start(supplies, { agent: id }))
    agent.core.lessor.start()
    return agent
  }

  get lessor() {
    return this.core.lessor
  }

  get bootAt(): number {
    return this.core.clock.boot().at
  }

  supply(id: string): Supply {
    const found = this.lessor.view.supply(id)
    if (!found) throw new Error(`${this.id} has no supply ${id}.`)
    return found
  }

  /** Asks a manager for a lease and does nothing with it. */
  ask(manager: Agent, id: string, wish: Wish = {}): Promise<OpenAnswer> {
    return manager.lessor.open(leaseCommand(this.id, manager.id, id, wish))
  }

  /** The supply that follows from a manager's answer. @param askedAt before it was asked, on this agent's boot clock */
  supplyFrom(manager: Agent, id: string, answer: OpenAnswer, askedAt: number): Supply {
    if (answer.kind !== 'granted' && answer.kind !== 'repeated') throw new Error(`no lease: ${answer.kind}`)
    const { grant, expiresIn } = answer
    const [part] = grant.parts
    const source = manager.supply(part?.supply ?? '')
    return {
      id,
      instance: this.id,
      kind: 'lease',
      license: source.license,
      vendor: source.vendor,
      product: 'cad',
      ...(isAnyProduct(source) ? { any: true as const } : {}),
      seats: grant.seats,
      features: {},
      rule: source.rule,
      leaseSeconds: source.leaseSeconds,
      until: askedAt + expiresIn * 1000,
      takes: { kind: 'sessions' },
      overlap: source.overlap,
      depth: source.depth - 1,
      chain: [...source.chain, manager.id],
      ...(part?.key === undefined ? {} : { onlyKey: part.key }),
      onlyFeature: grant.feature ?? null,
      manager: { id: manager.id, name: manager.id },
    }
  }

  /** Takes a lease and opens a session on it in one batch, as it must be (R7). @returns the manager's no, or what opening gave */
  async fetch(manager: Agent, lease: string, session: string, wish: Wish = {}): Promise<OpenAnswer> {
    const askedAt = this.bootAt
    const answer = await this.ask(manager, lease, wish)
    if (answer.kind !== 'granted' && answer.kind !== 'repeated') return answer
    const supply = this.supplyFrom(manager, lease, answer, askedAt)
    const { who = {}, seats = 1, feature } = wish
    const command = this.core.command(session, { who, seats, ...(feature === undefined ? {} : { feature }) })
    return await this.core.writer.submit((transaction) => {
      transaction.put('lease', lease, supply.id as JsonValue)
      this.lessor.putSupply(transaction, supply, 'lease_lost')
      transaction.after(() => this.core.keep(supply))
      return this.lessor.openIn(transaction, command)
    })
  }

  /** Takes a lease for later. */
  async stock(manager: Agent, lease: string, wish: Wish = {}): Promise<Supply> {
    const askedAt = this.bootAt
    const supply = this.supplyFrom(manager, lease, await this.ask(manager, lease, wish), askedAt)
    await this.core.putSupply(supply)
    return supply
  }

  /** Has one lease renewed, and its supply last longer. */
  async renew(manager: Agent, lease: string): Promise<Renewal> {
    const askedAt = this.bootAt
    const answer = await manager.lessor.renew(peerGrantId(this.id, lease))
    if (answer.kind === 'renewed') {
      const until = Math.max(this.supply(lease).until ?? 0, askedAt + answer.expiresIn * 1000)
      await this.put(lease, { until })
    }
    return answer
  }

  put(lease: string, changes: Partial<Supply>): Promise<void> {
    return this.core.putSupply({ ...this.supply(lease), ...changes }, 'lease_lost')
  }

  takes(lease: string, takes: Takes): Promise<void> {
    return this.put(lease, { takes })
  }

  /** Gives a lease back on which nothing lives any more (R16). */
  async giveBack(manager: Agent, lease: string): Promise<EndAnswer> {
    await this.takes(lease, { kind: 'renewals', why: 'lease_returning' })
    if (!this.lessor.isEmpty(lease)) throw new Error(`Somebody still uses ${lease}.`)
    const answer = await manager.lessor.end(peerGrantId(this.id, lease), 'released')
    await this.core.dropSupply(lease)
    return answer
  }

  async restart(): Promise<void> {
    await this.core.restart()
    this.core.lessor.start()
  }
}

/** The same time passes for everybody. */
export async function pass(ms: number, ...agents: readonly Agent[]): Promise<void> {
  for (const { core } of agents) await core.clock.run(ms)
}

/** Events of grants, as text. */
export function told(events: readonly SeatEvent[]): string[] {
  return events.flatMap((event) => ('grant' in event ? [`${event.kind} ${event.grant.id}`] : []))
}
