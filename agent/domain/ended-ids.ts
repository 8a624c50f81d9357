/**
 * Ids of grants that have ended, with what stays of them. There are far more of them than grants, a day's worth, and nearly all
 * are alike but for the id: so what is alike is kept once. Pure; owned by the book.
 */
import type { Tombstone } from './grant.ts'

type Ending = Omit<Tombstone, 'id'>

export class EndedIds {
  readonly #endings = new Map<string, Ending>()
  /** By instance, then by reason: those without an overlap. */
  readonly #usual = new Map<string, Map<string, Ending>>()

  get(id: string): Tombstone | undefined {
    const ending = this.#endings.get(id)
    return ending && { id, ...ending }
  }

  /** @param tombstone undefined = the id is forgotten */
  set(id: string, tombstone: Tombstone | undefined): void {
    if (tombstone) this.#endings.set(id, this.#endingOf(tombstone))
    else this.#endings.delete(id)
  }

  *values(): Iterable<Tombstone> {
    for (const [id, ending] of this.#endings) yield { id, ...ending }
  }

  #endingOf({ instance, reason, overlap }: Tombstone): Ending {
    if (overlap !== undefined) return { instance, reason, overlap }
    let ofInstance = this.#usual.get(instance)
    if (!ofInstance) {
      ofInstance = new Map()
      this.#usual.set(instance, ofInstance)
    }
    let ending = ofInstance.get(reason)
    if (!ending) {
      ending = { instance, reason }
      ofInstance.set(reason, ending)
    }
    return ending
  }
}
