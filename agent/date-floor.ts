/**
 * Keeps the date floor (R11): steps it at every start, on waking and every minute, stores it, and says what may be believed.
 * Owns the 'floor' record and the two problems about the clock. The rules themselves are in `domain/floor.ts`.
 * Imports domain, clock, health and the types of writes; no transport, no other owner.
 */
import { z } from 'zod'
import type { Cancel, Clock, Elapsed, Timers } from './clock.ts'
import {
  acceptWall,
  beginFloor,
  type Dates,
  type FloorReading,
  type FloorState,
  hearTime,
  readDates,
  runningLeft,
  type Step,
  type StepReading,
  stepFloor,
} from './domain/floor.ts'
import type { Health } from './health.ts'
import type { StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction, Writes } from './writes.ts'

const trackSchema = z.strictObject({
  date: z.number(),
  claims: z.array(z.strictObject({ kind: z.enum(['found', 'step']), lead: z.number(), ran: z.number() })),
})
const stateSchema: z.ZodType<FloorState> = z.strictObject({
  boot: z.strictObject({ id: z.string(), at: z.number() }),
  track: trackSchema,
  behind: z.number().nullable(),
  signers: z.record(z.string(), trackSchema),
})

const recordKey = 'date'
const tickMs = 60_000
/** Clocks are often set by the network only minutes after a start or wake; a wall ahead then was found and is no step. */
const arrivalMs = 10 * 60_000
/** The boot clock ran ahead of the running time by more than this between two readings: the machine slept. */
const sleepMs = 30_000

export interface DateFloorParts {
  readonly clock: Clock
  readonly timers: Timers
  readonly writes: Writes
  readonly health: Health
  /** A tick could not be stored; the next one tries again. */
  readonly onTrouble: (error: unknown) => void
}

/** Where the running and the boot clock stood. */
interface Mark {
  readonly running: Elapsed
  readonly bootId: string
  readonly bootAt: number
}

export class DateFloor implements RecordOwner {
  readonly kinds = ['floor'] as const
  readonly #parts: DateFloorParts
  #state: FloorState | undefined
  /** The marks of the last step that is stored. */
  #stepped: Mark
  /** What the batch that is being decided leads to; a later job of the same batch goes on from it. */
  #draft: { readonly state: FloorState; readonly stepped: Mark } | undefined
  /** Running time at the last start or wake. */
  #arrived: Elapsed
  #last: Mark

  constructor(parts: DateFloorParts) {
    this.#parts = parts
    this.#stepped = this.#mark()
    this.#last = this.#stepped
    this.#arrived = this.#stepped.running
  }

  reset(): void {
    this.#state = undefined
    this.#draft = undefined
  }

  restore(record: StoredRecord): void {
    if (record.key === recordKey) this.#state = stateSchema.parse(record.value)
  }

  /** Steps once, durably, and then every minute until cancelled. Resolves when the first step is stored. */
  async start(): Promise<Cancel> {
    await this.tick()
    return this.#parts.timers.every(tickMs, () => {
      this.tick().catch(this.#parts.onTrouble)
    })
  }

  /** Steps and stores. Rejects when that could not be written; nothing is lost then, the next step counts it. */
  async tick(): Promise<void> {
    await this.#parts.writes.submit((transaction) => this.write(transaction))
  }

  /** Steps within a batch that is decided anyway (R11: stored with every batch). To be called last in a job: it may not throw after. */
  write(transaction: Transaction): void {
    this.#put(transaction, (state, reading) => stepFloor(state, reading))
  }

  /**
   * What may be believed now. Before the first step of a first install the wall is all there is.
   * @param signers key ids of the chain in question, nearest first
   */
  dates(signers: readonly string[] = []): Dates {
    const reading = this.#read()
    return readDates(this.#state ?? beginFloor(reading), reading, signers)
  }

  /** How much longer the machine must run until the next later date is believed, in ms; undefined when none waits. */
  waitsFor(): number | undefined {
    return this.#state && runningLeft(this.#state.track)
  }

  /** An administrator says that the clock is right. */
  async acceptWall(): Promise<void> {
    await this.#parts.writes.submit((transaction) => this.#put(transaction, acceptWall))
  }

  /**
   * A time that `signer` (key id) signed; counts only for what its key signed.
   * @param fresh its nonce fits a question of ours, so that it may also lower the date
   */
  async hear(signer: string, time: number, fresh: boolean): Promise<void> {
    await this.#parts.writes.submit((transaction) =>
      this.#put(transaction, (state, reading) => ({ state: hearTime(state, reading, signer, time, fresh), facts: [] })),
    )
  }

  #put(transaction: Transaction, change: (state: FloorState, reading: StepReading) => Step): void {
    const now = this.#mark()
    const base = this.#draft ?? { state: this.#state, stepped: this.#stepped }
    const reading = this.#stepReading(now, base.stepped)
    const { state, facts } = base.state ? change(base.state, reading) : { state: beginFloor(reading), facts: [] }
    transaction.put('floor', recordKey, state)
    for (const fact of facts) transaction.journal(fact)
    // a time that was heard leaves the marks where they were
    const isStepped = state.boot.at === reading.boot.at && state.boot.id === reading.boot.id
    const draft = { state, stepped: isStepped ? now : base.stepped }
    this.#draft = draft
    transaction.after(() => {
      this.#state = draft.state
      this.#stepped = draft.stepped
      this.#report(draft.state)
    })
  }

  #report(state: FloorState): void {
    const { health } = this.#parts
    const dates = readDates(state, this.#read())
    if (dates.behind) health.set('clock_back', { by: wholeMinutes(dates.behind.by) })
    else health.clear('clock_back')
    const wait = runningLeft(state.track)
    if (dates.later !== undefined && wait !== undefined)
      health.set('clock_forward_pending', { by: wholeMinutes(dates.later - dates.date), wait: wholeMinutes(wait) })
    else health.clear('clock_forward_pending')
  }

  #read(): FloorReading {
    return { wall: this.#parts.clock.wall(), boot: this.#parts.clock.boot() }
  }

  #stepReading(now: Mark, stepped: Mark): StepReading {
    if (now.bootAt - this.#last.bootAt - (now.running - this.#last.running) > sleepMs) this.#arrived = now.running
    this.#last = now
    return {
      wall: this.#parts.clock.wall(),
      boot: { id: now.bootId, at: now.bootAt },
      ran: now.running - stepped.running,
      occasion: now.running - this.#arrived < arrivalMs ? 'arriving' : 'running',
    }
  }

  #mark(): Mark {
    const boot = this.#parts.clock.boot()
    return { running: this.#parts.clock.atLeast(), bootId: boot.id, bootAt: boot.at }
  }
}

function wholeMinutes(ms: number): number {
  return Math.round(ms / 60_000) * 60_000
}
