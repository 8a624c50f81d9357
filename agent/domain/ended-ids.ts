/**
 * Ids of grants that have ended, with what stays of them. There are far more of them than grants, a day's worth, and nearly all
 * are alike but for the id: so what is alike is kept once. Pure; owned by the book.
 */
import type { Tombstone } from './grant.ts'

type Ending = Omit<Tombstone, 'id'>

export class EndedIds {
  readonly #endings = new Map<string, Ending>()
  /** By instance, then by reason: those of sessions without an overlap. */
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

  #endingOf({ id: _, ...ending }: Tombstone): Ending {
    const { instance, reason, overlap, peer } = ending
    if (overlap !== undefined || peer !== undefined) return ending
    let ofInstance = this.#usual.get(instance)
    if (!ofInstance) {
      ofInstance = new Map()
      this.#usual.set(instance, ofInstance)
    }
    const known = ofInstance.get(reason)
    if (!known) ofInstance.set(reason, ending)
    return known ?? ending
  }
}
