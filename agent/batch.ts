/**
 * One batch while it is decided: the changes, happenings and effects that jobs add to it. Owned by the writer.
 */
import { chainEntry, type Happening, type JournalHead } from './domain/journal.ts'
import type { Batch, Change, JsonValue, RecordKind } from './store/store.ts'
import type { Transaction } from './writes.ts'

export class BatchDraft implements Transaction {
  readonly #instance: string
  readonly #changes = new Map<string, Change>()
  readonly #happenings: Happening[] = []
  readonly #effects: (() => void)[] = []

  constructor(instance: string) {
    this.#instance = instance
  }

  put(kind: RecordKind, key: string, value: JsonValue, instance = this.#instance): void {
    this.#changes.set(`${kind}\0${instance}\0${key}`, { kind, instance, key, value })
  }

  delete(kind: RecordKind, key: string, instance = this.#instance): void {
    this.#changes.set(`${kind}\0${instance}\0${key}`, { kind, instance, key, value: undefined })
  }

  journal(happening: Omit<Happening, 'instance'> & { readonly instance?: string }): void {
    this.#happenings.push({ ...happening, instance: happening.instance ?? this.#instance })
  }

  after(effect: () => void): void {
    this.#effects.push(effect)
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0 && this.#happenings.length === 0
  }

  /** What the store is given. @param at wall time of its journal entries, in ms */
  seal(head: JournalHead, at: number, salt: () => string): Batch {
    let last = head
    const entries = this.#happenings.map((happening) => {
      const entry = chainEntry(last, happening, at, salt)
      last = { sequence: entry.sequence, hash: entry.hash }
      return entry
    })
    return { changes: [...this.#changes.values()], entries, head: last }
  }

  runEffects(): void {
    for (const effect of this.#effects) effect()
  }
}
