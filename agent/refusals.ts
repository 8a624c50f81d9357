/**
 * The last refusals of seats with what was said of each (X1). Owns them, in memory; after a restart the journal says who was
 * refused and why in short. Must not import who refuses.
 */
import type { Who } from './domain/grant.ts'
import type { JournalEntry } from './domain/journal.ts'
import { type ErrorCode, errorTable, type Refusal } from './errors.ts'
import type { Journal } from './journal.ts'

export interface RefusedSeat {
  /** For addresses of pages; stays the same while the refusal is kept. */
  readonly id: string
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly who: Who
  readonly code: ErrorCode
  /** Who asks again is one refusal: how often it was, when it was first and last, as wall time in ms. */
  readonly times: number
  readonly firstAt: number
  readonly lastAt: number
  /** What exactly was said at the last time, with its facts; absent where only the journal knows of it. */
  readonly refusal?: Refusal
  /** The rule that refused, as it is written. */
  readonly rule?: string
}

/** Who asked for what, and was refused. */
export interface RefusedRequest {
  readonly product: string
  readonly feature?: string | undefined
  readonly seats: number
  readonly who: Who
}

export interface RefusalsOptions {
  readonly journal: Pick<Journal, 'read'>
  /** Wall time in ms. */
  readonly wall: () => number
  /** A refusal was added or repeated. */
  readonly onChange?: (product: string) => void
}

/** This many are kept, and so many entries of the journal are read for them after a restart. */
export const mostKept = 100
const mostRead = 20_000

export class Refusals {
  readonly #options: RefusalsOptions
  /** By who asked for what. */
  readonly #kept = new Map<string, RefusedSeat>()
  #count = 0

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** The newest first. */
  list(): readonly RefusedSeat[] {
    return [...this.#kept.values()].sort((one, other) => other.lastAt - one.lastAt)
  }

  note(request: RefusedRequest, refusal: Refusal): void {
    const at = this.#options.wall()
    const rule = (refusal.facts?.explanation as { rule?: unknown } | undefined)?.rule
    this.#keep(request, refusal.code, at, refusal, typeof rule === 'string' ? rule : undefined)
    this.#options.onChange?.(request.product)
  }

  /**
   * Takes in what the journal knew before the first request; requests may come meanwhile.
   * @param newest sequence number of the newest entry then
   */
  async load(newest: number): Promise<void> {
    if (newest === 0) return
    let found = 0
    for await (const entry of this.#options.journal.read({ to: newest, order: 'newest-first' }, mostRead)) {
      if (entry.type !== 'session.refused') continue
      this.#restore(entry)
      found += 1
      if (found >= mostKept) return
    }
  }

  #restore({ at, facts, personal }: JournalEntry): void {
    const { product, feature, seats, code, rule } = facts
    if (typeof product !== 'string' || typeof code !== 'string' || !Object.hasOwn(errorTable, code)) return
    const request = {
      product,
      ...(typeof feature === 'string' ? { feature } : {}),
      seats: typeof seats === 'number' ? seats : 1,
      who: { ...personal?.texts },
    }
    const text = typeof rule === 'string' ? rule : undefined
    this.#keep(request, code as ErrorCode, at, undefined, text)
  }

  #keep(
    { product, feature, seats, who }: RefusedRequest,
    code: ErrorCode,
    at: number,
    refusal: Refusal | undefined,
    rule: string | undefined,
  ): void {
    const name = JSON.stringify([product, feature, seats, code, who.account, who.email, who.host, who.application])
    const known = this.#kept.get(name)
    const told = refusal ?? known?.refusal
    this.#count += 1
    this.#kept.set(name, {
      id: known?.id ?? `refusal-${this.#count}`,
      product,
      ...(feature === undefined ? {} : { feature }),
      seats,
      who,
      code,
      times: (known?.times ?? 0) + 1,
      firstAt: Math.min(known?.firstAt ?? at, at),
      lastAt: Math.max(known?.lastAt ?? at, at),
      ...(told === undefined ? {} : { refusal: told }),
      ...(rule === undefined ? {} : { rule }),
    })
    if (this.#kept.size <= mostKept) return
    let oldest: [string, RefusedSeat] | undefined
    for (const one of this.#kept) if (oldest === undefined || one[1].lastAt < oldest[1].lastAt) oldest = one
    if (oldest !== undefined) this.#kept.delete(oldest[0])
  }
}
