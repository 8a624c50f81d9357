/**
 * Connects the history to the owners that know what lives now. Part of the composition root; only `agent.ts` imports it.
 */
import type { Clock, Timers } from './clock.ts'
import type { CountRule } from './domain/count-key.ts'
import { type Grant, isOwnLease } from './domain/grant.ts'
import { parseProductName, productName } from './domain/product-name.ts'
import { History } from './history.ts'
import type { Journal } from './journal.ts'
import type { Lessor } from './lessor.ts'
import type { Writer } from './writer.ts'

export interface HistorySources {
  readonly journal: Journal
  readonly writer: Writer
  readonly lessor: Lessor
  readonly clock: Clock
  readonly timers: Timers
  readonly pause: () => Promise<void>
  /** Id of this agent. */
  readonly agent: string
}

export function connectHistory({ journal, writer, lessor, clock, timers, pause, agent }: HistorySources): History {
  return new History({
    journal,
    // Within a job the committed state and the head of the journal are of the same moment.
    snapshot: () =>
      writer.submit(() => ({
        sequence: writer.head.sequence,
        live: [...lessor.view.grants()].filter(isNotKept).map(({ id, product, seats, who, facts }) => ({
          id,
          product,
          seats,
          agent: facts?.agent,
          account: who.account,
          email: who.email,
        })),
      })),
    ruleOf: (product) => ruleOf(lessor, product),
    agent,
    wall: () => clock.wall(),
    timers,
    pause,
  })
}

function isNotKept(grant: Grant): boolean {
  return !isOwnLease(grant)
}

/** By which its seats are counted; undefined where its licenses count differently, or none is left. */
function ruleOf(lessor: Lessor, product: string): CountRule | undefined {
  const parts = parseProductName(product)
  if (parts?.vendor === undefined) return undefined
  const rules = new Set(lessor.view.suppliesFor(productName(parts.vendor, parts.product)).map(({ rule }) => rule))
  const [rule, ...others] = rules
  return others.length === 0 ? rule : undefined
}
