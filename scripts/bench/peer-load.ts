/**
 * The load of a manager: a program that is many agents. Takes orders over its channel, one after another, and answers each with a
 * report. Imports simulated-agent only.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ProductName } from '../../agent/domain/product-name.ts'
import { SimulatedAgent } from './simulated-agent.ts'

export type PeerOrder =
  /** Makes agents, numbered from `first`, each of which obtains so many leases. */
  | {
      readonly kind: 'obtain'
      /** `host:port` of the manager. */
      readonly address: string
      readonly product: ProductName
      readonly first: number
      readonly agents: number
      readonly leases: number
    }
  /** Each agent renews all that it holds every so many seconds, at moments of its own; without `every` as often as it can be. */
  | { readonly kind: 'renew'; readonly seconds: number; readonly every?: number }

export interface PeerReport {
  /** Of each call, in ms. */
  readonly times: readonly number[]
  readonly seconds: number
  /** What was obtained or renewed. */
  readonly leases: number
  /** TLS connections that were opened meanwhile. */
  readonly connections: number
  /** What went wrong, with how often. */
  readonly wrong: Readonly<Record<string, number>>
}

/** Agents that speak at the same moment, when they do so as fast as they can. */
const together = 16

const agents: SimulatedAgent[] = []

class Account {
  readonly times: number[] = []
  readonly wrong: Record<string, number> = {}
  leases = 0

  async time(call: () => Promise<readonly string[]>, leases: number): Promise<void> {
    const before = performance.now()
    const troubles = await call()
    this.times.push(performance.now() - before)
    this.leases += Math.max(0, leases - troubles.length)
    for (const one of troubles) this.wrong[one] = (this.wrong[one] ?? 0) + 1
  }

  renew(agent: SimulatedAgent): Promise<void> {
    return this.time(() => agent.renew(), agent.leases.length)
  }
}

async function obtain(order: Extract<PeerOrder, { kind: 'obtain' }>, account: Account): Promise<void> {
  const { address, product, first } = order
  for (let at = 0; at < order.agents; at += 1) agents.push(new SimulatedAgent(first + at))
  const manager = await agents[0]?.find(address)
  if (manager === undefined) return
  await inRows(async (row) => {
    for (const agent of row) {
      await agent.join(manager)
      for (let at = 0; at < order.leases; at += 1)
        await account.time(async () => {
          await agent.obtain(product)
          return []
        }, 1)
    }
  })
}

async function renew({ seconds, every }: Extract<PeerOrder, { kind: 'renew' }>, account: Account): Promise<void> {
  const end = performance.now() + seconds * 1000
  if (every === undefined) {
    await inRows(async (row) => {
      while (performance.now() < end) for (const agent of row) if (performance.now() < end) await account.renew(agent)
    })
    return
  }
  const keep = async (agent: SimulatedAgent): Promise<void> => {
    for (let due = performance.now() + Math.random() * every * 1000; due < end; due += every * 1000) {
      await pause(due - performance.now())
      await account.renew(agent)
    }
  }
  await Promise.all([...agents.map(keep), pause(seconds * 1000)])
}

/** As many rows as agents may speak at the same moment; each agent is in one of them, since none has two calls under way. */
async function inRows(work: (row: readonly SimulatedAgent[]) => Promise<void>): Promise<void> {
  const rows = Array.from({ length: Math.min(together, agents.length) }, (_, row) =>
    agents.filter((_agent, at) => at % together === row),
  )
  await Promise.all(rows.map(work))
}

function countConnections(): number {
  return agents.reduce((sum, { connections }) => sum + connections, 0)
}

async function follow(order: PeerOrder): Promise<PeerReport> {
  const account = new Account()
  const connections = countConnections()
  const start = performance.now()
  await (order.kind === 'obtain' ? obtain(order, account) : renew(order, account))
  const { times, leases, wrong } = account
  const seconds = (performance.now() - start) / 1000
  return { times, seconds, leases, connections: countConnections() - connections, wrong }
}

process.on('message', (order: PeerOrder) => {
  follow(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error)
      process.exit(1)
    },
  )
})
// The agents keep the process alive; whoever started it ends it.
process.once('disconnect', () => process.exit(0))
