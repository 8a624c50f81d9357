/**
 * The writer owns the one serial queue to the store: it gathers jobs, lets them decide on one batch, writes the batch durably
 * with its journal entries, and only then lets effects and answers out (R4). After a failed write it trusts nothing in memory:
 * it reopens the store, loads every owner anew and writes a probe before it decides again (R1).
 * Must not know what is decided: imports no owner.
 */
import { BatchDraft } from './batch.ts'
import type { Clock, Timers } from './clock.ts'
import { emptyHead, type JournalHead } from './domain/journal.ts'
import { LeaseholdError } from './errors.ts'
import { type Batch, type RecordKind, type Store, StoreError, type StoreState } from './store/store.ts'
import type { BatchParticipant, RecordOwner, SubmitOptions, Transaction, Writes } from './writes.ts'

/** Room kept on the disk for bad times (R1). */
export interface Ballast {
  /** Gives the room back so that the store can be opened on a full disk. */
  free(): Promise<void>
  /** Takes it again once enough is free. @returns whether it is there */
  restore(): Promise<boolean>
}

export type WriterState =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open' }
  /** Written from the ballast: nothing that grows is taken. */
  | { readonly kind: 'tight' }
  | { readonly kind: 'recovering'; readonly cause: unknown }

interface Job {
  readonly decide: (transaction: Transaction) => unknown
  readonly growing: boolean
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
}

export interface WriterOptions {
  readonly store: Store
  readonly ballast: Ballast
  readonly clock: Clock
  readonly timers: Timers
  /** Default instance of records and journal entries. */
  readonly instance: string
  /** Fresh random text per personal journal fact (R34). */
  readonly salt: () => string
  readonly onState?: (state: WriterState) => void
}

const mostJobs = 512
const fewJobs = 16
/** In ms: how long to wait between attempts to reopen the store. */
const retryDelays = [100, 500, 2_000, 5_000]
const longestRetryDelay = 10_000

export class Writer implements Writes {
  readonly #options: WriterOptions
  readonly #owners: RecordOwner[] = []
  readonly #participants: BatchParticipant[] = []
  #queue: Job[] = []
  #state: WriterState = { kind: 'closed' }
  #revision = 0
  #head: JournalHead = emptyHead
  #startCounter = 0
  #running: Promise<void> | undefined
  #recovery: Promise<void> | undefined

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get state(): WriterState {
    return this.#state
  }

  get revision(): number {
    return this.#revision
  }

  get head(): JournalHead {
    return this.#head
  }

  get startCounter(): number {
    return this.#startCounter
  }

  /** Before `open()`. Owners are reset and made ready in this order. */
  register(owner: RecordOwner): void {
    this.#owners.push(owner)
  }

  participate(participant: BatchParticipant): void {
    this.#participants.push(participant)
  }

  /** Opens the store and gives every owner its records. Rejects with StoreError. */
  async open(): Promise<void> {
    const { store, ballast } = this.#options
    await this.#hasRoom()
    const state = await store.open().catch(async (error: unknown) => {
      // A full disk must not keep the agent from starting: what gives seats back still fits (R1).
      if (!isDiskFull(error)) throw error
      await ballast.free()
      return await store.open()
    })
    this.#startCounter = state.startCounter
    await this.#load(state)
    this.#become({ kind: (await this.#hasRoom()) ? 'open' : 'tight' })
  }

  /** Writes what is queued, then closes the store. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    this.#become({ kind: 'closed' })
    await this.#recovery
    for (const job of this.#queue.splice(0)) job.reject(unavailable('The agent is stopping.'))
    await this.#options.store.close()
  }

  submit<T>(decide: (transaction: Transaction) => T, options: SubmitOptions = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const growing = options.growing ?? false
      if (this.#state.kind === 'closed' || this.#state.kind === 'recovering') {
        reject(unavailable('The store is being reopened after a failed write.'))
        return
      }
      if (this.#state.kind === 'tight' && growing) {
        reject(unavailable('The disk is full.'))
        return
      }
      this.#queue.push({ decide, growing, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Takes the ballast again when the disk has room; call it now and then while the state is `tight`. */
  async relax(): Promise<void> {
    if (this.#state.kind !== 'tight' || !(await this.#hasRoom())) return
    // Meanwhile a write may have failed, and the store be closed.
    if (this.#isTight) this.#become({ kind: 'open' })
  }

  async #drain(): Promise<void> {
    // Requests of the same turn of the event loop go into the same batch.
    await Promise.resolve()
    let size = 0
    while (this.#queue.length > 0 && (this.#state.kind === 'open' || this.#state.kind === 'tight')) {
      size = sizeOfBatch(this.#queue.length, size)
      const jobs = this.#queue.splice(0, size)
      size = jobs.length
      try {
        await this.#write(jobs)
      } catch (error) {
        // A mistake in an owner: memory may be half changed, so it is trusted as little as after a failed write.
        for (const job of jobs) job.reject(unavailable('The change could not be made.', error))
        this.#recover(error)
      }
    }
    this.#running = undefined
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    const decided = this.#decide(jobs)
    if (!decided) return
    const { draft, answers } = decided
    if (!draft.isEmpty) {
      const batch = draft.seal(this.#head, this.#options.clock.wall(), this.#options.salt)
      try {
        await this.#commit(batch)
      } catch (error) {
        for (const [job] of answers) job.reject(unavailable('The store could not be written.', error))
        this.#recover(error)
        return
      }
    }
    draft.runEffects()
    for (const [job, answer] of answers) job.resolve(answer as never)
  }

  async #commit(batch: Batch): Promise<void> {
    const outcome = await this.#options.store.commit(batch, this.#revision)
    // Somebody else wrote to a shared store: what was decided is void, and what is in memory is old.
    if (outcome.kind === 'behind') throw new StoreError('failed', 'The store has changes that this agent has not seen.')
    this.#revision = outcome.revision
    this.#head = batch.head
  }

  /** Lets every job decide on one draft. A job that throws is left out and the rest decides anew, since drafts are shared. */
  #decide(jobs: readonly Job[]): { draft: BatchDraft; answers: [Job, unknown][] } | undefined {
    let left = [...jobs]
    while (left.length > 0) {
      const draft = new BatchDraft(this.#options.instance)
      const answers: [Job, unknown][] = []
      let failed: Job | undefined
      for (const participant of this.#participants) participant.begin?.(draft)
      for (const job of left) {
        try {
          answers.push([job, job.decide(draft)])
        } catch (error) {
          job.reject(error)
          failed = job
          break
        }
      }
      if (failed === undefined) {
        for (const participant of this.#participants) participant.finish?.(draft)
        if (!draft.isEmpty) for (const participant of this.#participants) participant.accompany?.(draft)
        return { draft, answers }
      }
      left = left.filter((job) => job !== failed)
    }
    return undefined
  }

  #recover(cause: unknown): void {
    this.#become({ kind: 'recovering', cause })
    for (const job of this.#queue.splice(0)) job.reject(unavailable('The store could not be written.', cause))
    this.#recovery = this.#reopenUntilOpen(cause, 0)
  }

  /** One attempt; the next is armed by a timer. Resolves when the attempt is over, so that `close()` can wait for it. */
  async #reopenUntilOpen(cause: unknown, attempt: number): Promise<void> {
    try {
      const tight = await this.#reopen(cause)
      if (this.#state.kind === 'recovering') this.#become({ kind: tight ? 'tight' : 'open' })
    } catch (error) {
      if (this.#state.kind !== 'recovering') return
      this.#become({ kind: 'recovering', cause: error })
      this.#options.timers.after(retryDelays[attempt] ?? longestRetryDelay, () => {
        if (this.#state.kind === 'recovering') this.#recovery = this.#reopenUntilOpen(error, attempt + 1)
      })
    }
  }

  /** @returns whether the ballast had to be freed */
  async #reopen(cause: unknown): Promise<boolean> {
    const { store, ballast } = this.#options
    await store.close()
    if (isDiskFull(cause)) await ballast.free()
    await this.#load(await store.open())
    const probe = new BatchDraft(this.#options.instance)
    probe.journal({ type: 'agent.store_reopened', facts: { cause: describe(cause) } })
    await this.#commit(probe.seal(this.#head, this.#options.clock.wall(), this.#options.salt))
    return !(await this.#hasRoom())
  }

  /** Takes the ballast if it can; one that can't be made for another reason than a full disk is no reason not to serve. */
  async #hasRoom(): Promise<boolean> {
    return await this.#options.ballast.restore().catch(() => true)
  }

  get #isTight(): boolean {
    return this.#state.kind === 'tight'
  }

  async #load(state: StoreState): Promise<void> {
    const ownerOf = new Map<RecordKind, RecordOwner>()
    for (const owner of this.#owners) {
      owner.reset()
      for (const kind of owner.kinds) ownerOf.set(kind, owner)
    }
    for await (const record of this.#options.store.load()) ownerOf.get(record.kind)?.restore(record)
    this.#revision = state.revision
    this.#head = state.head
    for (const owner of this.#owners) owner.ready?.()
  }

  #become(state: WriterState): void {
    this.#state = state
    this.#options.onState?.(state)
  }
}

/**
 * Half of those who ask all the time: those that wait now, and those that were answered just before and ask again soon. Were
 * all taken that wait, everybody would get in step, and disk and processor take turns; so one half is written while the other
 * is answered.
 */
function sizeOfBatch(waiting: number, before: number): number {
  return Math.min(mostJobs, Math.max(fewJobs, Math.ceil((waiting + before) / 2)))
}

function isDiskFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'disk_full'
}

function unavailable(detail: string, cause?: unknown): LeaseholdError {
  return new LeaseholdError('store_unavailable', detail, { retryIn: 2 }, cause)
}

function describe(cause: unknown): string {
  return cause instanceof StoreError ? cause.code : 'unknown'
}
