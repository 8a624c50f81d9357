/**
 * The lessor's upkeep: what falls due without anybody asking. Ends what is overdue by elapsed time (R2), begins idle ends, writes
 * anew the records that count from another boot (R3). Only the lessor uses it; owns its timer and nothing else.
 */
import type { Bookkeeper } from './bookkeeper.ts'
import type { Cancel, Clock, Timers } from './clock.ts'
import type { Endings } from './endings.ts'
import type { Transaction, Writes } from './writes.ts'

export interface UpkeepParts {
  readonly keeper: Bookkeeper
  readonly endings: Endings
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
}

const endsPerBatch = 1_000
const rewritesPerBatch = 500
/** In ms. */
const longestWait = 1_000
const shortestWait = 10
/** How often the records of another boot are written anew while nothing is heard of their holders. */
const rewriteInterval = 30_000

export class Upkeep {
  readonly #parts: UpkeepParts
  #ticking: Cancel | undefined
  /** A slow disk is not given the same again with every tick. */
  #isWriting = false
  #rewriteNext = 0

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  start(): void {
    this.#ticking = this.#parts.timers.after(this.#untilNext(), () => {
      this.#tick()
      this.start()
    })
  }

  stop(): void {
    this.#ticking?.()
    this.#ticking = undefined
  }

  /** Ends what is overdue in the same batch that may count it as over (R2). To be called before the first job of every batch. */
  sweep(transaction: Transaction): void {
    const { keeper, endings } = this.#parts
    const { draft, readings, promises, book } = keeper
    const now = readings.atLeast
    for (const id of promises.due(now, endsPerBatch, (one) => book.grant(one))) {
      const grant = draft.grant(id)
      if (!grant) continue
      if (keeper.freeAtOf(grant) <= now) endings.end(transaction, grant, grant.ending ?? 'expired')
      else endings.begin(transaction, grant, 'idle')
    }
  }

  #untilNext(): number {
    const { keeper, clock } = this.#parts
    if (keeper.hasOld && !this.#isWriting) return 1
    const now = clock.atLeast()
    return Math.min(longestWait, Math.max(shortestWait, Math.ceil((keeper.promises.next ?? now + longestWait) - now)))
  }

  /** What fails here fails with the store, and comes again with the next tick. */
  #tick(): void {
    const { keeper, endings, clock, writes } = this.#parts
    if (!keeper.isReady || this.#isWriting) return
    const now = clock.atLeast()
    if (now >= this.#rewriteNext) {
      keeper.rewriteUnheard()
      this.#rewriteNext = now + rewriteInterval
    }
    const isDue = keeper.promises.due(now, 1, (id) => keeper.book.grant(id)).length > 0
    if (!isDue && !keeper.hasOld && !keeper.isUntold && !keeper.hasOldTombstone(now)) return
    this.#isWriting = true
    writes
      .submit((transaction) => {
        this.#rewriteOld(transaction)
        if (keeper.isUntold) endings.noteLoaded(transaction)
      })
      .catch(() => undefined)
      .finally(() => {
        this.#isWriting = false
      })
  }

  /** Records of another boot count from the moment of reading, so they are written anew, not read so with every start (R3). */
  #rewriteOld(transaction: Transaction): void {
    const { keeper } = this.#parts
    const { draft, readings, promises } = keeper
    const ids = keeper.old.slice(0, rewritesPerBatch)
    if (ids.length === 0) return
    for (const id of ids) {
      const grant = draft.grant(id)
      const promise = promises.get(id)
      // A record that was renewed, be it in this very batch, counts from now and further.
      if (!grant || !promise || promise.heard || keeper.isPromising(id)) continue
      const rewritten = {
        ...grant,
        idleFor: Math.max(0, readings.atLeast - promise.activeAt),
        freeIn: Math.max(0, promise.freeAt - readings.atLeast),
        written: { boot: readings.boot.id, at: readings.boot.at },
      }
      draft.putGrant(rewritten)
      transaction.after(() => promises.stored(rewritten))
    }
    transaction.after(() => keeper.noteRewritten(ids.length))
  }
}
