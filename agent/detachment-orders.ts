/**
 * Orders under a key: the same key again is the same detachment, whatever became of the first answer (X3). Owns which orders are
 * being carried out; what came of one stands in the records. Must not import http.
 */
import type { DetachmentBook } from './detachment-book.ts'
import type { InRecord, OutRecord } from './detachment-record.ts'

export class DetachmentOrders<Outcome> {
  readonly #book: Pick<DetachmentBook, 'ins' | 'outs'>
  readonly #running = new Map<string, Promise<Outcome>>()

  constructor(book: Pick<DetachmentBook, 'ins' | 'outs'>) {
    this.#book = book
  }

  /** What was made under this key before. */
  find(order: string): InRecord | OutRecord | undefined {
    for (const record of this.#book.ins()) if (record.order === order) return record
    for (const record of this.#book.outs()) if (record.order === order) return record
    return undefined
  }

  /** One at a time under a key: who comes while it is carried out, gets what comes of it. */
  once(order: string, carryOut: () => Promise<Outcome>): Promise<Outcome> {
    const running = this.#running.get(order)
    if (running !== undefined) return running
    const begun = carryOut().finally(() => this.#running.delete(order))
    this.#running.set(order, begun)
    return begun
  }
}
