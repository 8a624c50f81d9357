/**
 * Whether this agent is a copy of an earlier state: others have shown what it signed later (R24). Its record is kept among those
 * of the peers, and the book of peers hands it over. Must not import owners.
 */
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { AnswerFacts } from '../domain/peer-signature.ts'
import type { Health } from '../health.ts'
import type { JsonValue } from '../store/store.ts'
import type { Writes } from '../writes.ts'
import { isBehind } from './peer-record.ts'

export interface RestoredParts {
  readonly writes: Writes
  readonly clock: Pick<Clock, 'wall'>
  readonly health: Pick<Health, 'set' | 'clear'>
  readonly onTrouble: (error: unknown) => void
}

/** Key of the record, no agent's id. */
export const selfKey = 'self'

const reached = { count: z.number(), revision: z.number() }
const selfRecord = z.strictObject({
  /** What others have shown that is ahead of this agent, who was the first to, and when. */
  restored: z.strictObject({ ...reached, at: z.number(), by: z.string() }).optional(),
  /** Up to here an administrator has confirmed that this copy is the one that goes on. */
  confirmed: z.strictObject(reached).optional(),
})
type SelfRecord = Readonly<z.output<typeof selfRecord>>

function write({ restored, confirmed }: SelfRecord): JsonValue {
  return { ...(restored === undefined ? {} : { restored }), ...(confirmed === undefined ? {} : { confirmed }) }
}

export class Restored {
  readonly #parts: RestoredParts
  #self: SelfRecord = {}

  constructor(parts: RestoredParts) {
    this.#parts = parts
  }

  reset(): void {
    this.#self = {}
  }

  restore(value: unknown): void {
    this.#self = selfRecord.parse(value)
  }

  /** Shows what is known; once all records are there, and after each change. */
  show(): void {
    if (this.is()) this.#parts.health.set('restored', {})
    else this.#parts.health.clear('restored')
  }

  /** While it is, nothing new is given out; renewals go on. */
  is(): boolean {
    return this.#self.restored !== undefined
  }

  /**
   * Another agent presents what this one signed.
   * @param now where this agent stands
   * @param by id of who presents it
   */
  heed(evidence: AnswerFacts, now: AnswerFacts, by: string): void {
    const { restored, confirmed } = this.#self
    const isKnown = [restored, confirmed].some(
      (one) => one !== undefined && evidence.count <= one.count && evidence.revision <= one.revision,
    )
    if (isKnown || !isBehind(now, evidence, Number.POSITIVE_INFINITY)) return
    const { writes, clock, onTrouble } = this.#parts
    const count = Math.max(evidence.count, restored?.count ?? 0)
    const revision = Math.max(evidence.revision, restored?.revision ?? 0)
    this.#self = {
      ...this.#self,
      restored: { at: restored?.at ?? clock.wall(), count, revision, by: restored?.by ?? by },
    }
    this.show()
    const record = this.#self
    writes
      .submit((transaction) => {
        transaction.put('peer', selfKey, write(record))
        transaction.journal({ type: 'agent.rolled_back', facts: { count, revision, shown: by } })
        // a failed batch before this one made the book forget
        transaction.after(() => {
          this.#self = record
          this.show()
        })
      })
      .catch(onTrouble)
  }

  /** Another agent has shown a document that this one signed and does not know any more. @param by id of who shows it */
  report(by: string): void {
    const { restored, confirmed } = this.#self
    if (restored !== undefined) return
    const at = this.#parts.clock.wall()
    const record: SelfRecord = {
      ...this.#self,
      restored: { at, count: confirmed?.count ?? 0, revision: confirmed?.revision ?? 0, by },
    }
    this.#self = record
    this.show()
    this.#parts.writes
      .submit((transaction) => {
        transaction.put('peer', selfKey, write(record))
        transaction.journal({ type: 'agent.rolled_back', facts: { shown: by, document: true } })
        transaction.after(() => {
          this.#self = record
          this.show()
        })
      })
      .catch(this.#parts.onTrouble)
  }

  /** The administrator says that this copy is the one that goes on. */
  async confirm(by: string): Promise<void> {
    await this.#parts.writes.submit((transaction) => {
      const { restored } = this.#self
      if (restored === undefined) return
      const next: SelfRecord = { confirmed: { count: restored.count, revision: restored.revision } }
      transaction.put('peer', selfKey, write(next))
      transaction.journal({ type: 'agent.rollback_confirmed', facts: { by } })
      transaction.after(() => {
        this.#self = next
        this.show()
      })
    })
  }
}
