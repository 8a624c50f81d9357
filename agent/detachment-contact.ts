/**
 * Keeps this agent and its managers in step about what is detached: shows what is attached here, takes later versions and what was
 * made for this machine, hears what is over, and renews soft ones (R23, R24, X6). Owns when each manager was asked last.
 * Must not import transport or http.
 */
import type { Clock } from './clock.ts'
import type { DetachmentAsking } from './detachment-asking.ts'
import type { DetachmentBook } from './detachment-book.ts'
import type { DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentLink, DetachmentManagers } from './detachment-link.ts'
import { type InRecord, isIn } from './detachment-record.ts'
import { type HeldAsk, mostHeld } from './peers/detachment-wire.ts'
import type { Writes } from './writes.ts'

export interface DetachmentContactOptions {
  readonly book: DetachmentBook
  readonly holding: DetachmentHolding
  readonly asking: Pick<DetachmentAsking, 'take' | 'extend' | 'hurry'>
  readonly managers: DetachmentManagers
  readonly writes: Writes
  readonly clock: Clock
  readonly onTrouble: (error: unknown) => void
}

/** In ms. */
const callTimeout = 5_000
/** A manager that is there is not asked more often without a reason. */
const pause = 10 * 60_000
/** What was made for this machine is not asked for more often. */
const takePause = 60_000

export class DetachmentContact {
  readonly #options: DetachmentContactOptions
  readonly #asked = new Map<string, number>()
  readonly #taken = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: DetachmentContactOptions) {
    this.#options = options
  }

  /** Something about other agents has changed: who is back is asked. */
  noteManagers(): void {
    const { book, managers } = this.#options
    const now = this.#options.clock.atLeast()
    const wanted = new Set<string>()
    for (const record of book.ins()) if (record.version > 0) wanted.add(peerOf(record).id)
    for (const id of this.#asked.keys()) if (!managers.isReachable(id)) this.#asked.delete(id)
    for (const id of wanted) {
      if (!managers.isReachable(id) || now - (this.#asked.get(id) ?? Number.NEGATIVE_INFINITY) < pause) continue
      this.#asked.set(id, now)
      this.#options.asking.hurry(id)
      this.meet(id).catch(this.#options.onTrouble)
    }
  }

  /** Detachments that a manager has made for this agent, as it says. */
  noteReady(manager: string, ids: readonly string[]): void {
    const { book, managers, clock, onTrouble } = this.#options
    const link = managers.link(manager)
    const now = clock.atLeast()
    for (const [id, at] of this.#taken) if (now - at > takePause) this.#taken.delete(id)
    for (const id of ids.slice(0, mostHeld)) {
      if (link === undefined || this.#taken.has(id)) continue
      this.#taken.set(id, now)
      // Of what is here already there is a later version.
      const work = book.in(id) === undefined ? this.#take(link, id) : this.meet(manager)
      work.catch(onTrouble)
    }
  }

  /** All managers that something is attached from; resolves when each was tried. */
  async meetAll(): Promise<void> {
    const ids = new Set([...this.#options.book.ins()].filter(({ version }) => version > 0).map((one) => peerOf(one).id))
    await Promise.all([...ids].map((id) => this.meet(id)))
  }

  /** Shows a manager what is here of it. One call to each at a time. */
  meet(manager: string): Promise<void> {
    const running = this.#running.get(manager)
    if (running !== undefined) return running
    const run = this.#meet(manager).finally(() => this.#running.delete(manager))
    this.#running.set(manager, run)
    return run
  }

  /** Renews what is valid for a few days only; whoever can't be reached is asked with the next hour. */
  async renewSoft(): Promise<void> {
    const { book, asking } = this.#options
    for (const record of [...book.ins()])
      if (isIn(record) && record.soft && record.state === 'attached') await asking.extend(record.id, {})
  }

  async #meet(manager: string): Promise<void> {
    const { book, managers, clock, holding, asking, writes } = this.#options
    const link = managers.link(manager)
    if (link === undefined) return
    const mine = [...book.ins()].filter(
      (one) => one.version > 0 && peerOf(one).id === manager && (isIn(one) || this.#isSettled(one)),
    )
    const held: HeldAsk['held'] = mine.slice(0, mostHeld).map((one) => ({
      id: one.id,
      version: one.version,
      text: one.texts.at(-1) ?? '',
      // What is being given back may still be in use: it is told once nothing lives on it (R16).
      state: isIn(one) ? 'attached' : 'returned',
    }))
    const reply = await link.report({ held, time: clock.wall() }, { timeout: callTimeout })
    if (reply.kind !== 'answered') return
    const shown = new Set(held.map(({ id }) => id))
    const contactAt = clock.wall()
    await writes.submit((transaction) => {
      for (const id of shown) {
        const record = book.in(id, transaction)
        if (isIn(record)) book.put(transaction, { ...record, contactAt })
      }
    })
    for (const result of reply.answer.results) {
      if (!shown.has(result.id)) continue
      if (result.outcome === 'newer') await asking.take(link, result.detachment)
      else if (result.outcome === 'over') await holding.over(result.id, result.reason)
    }
    this.noteReady(manager, reply.answer.ready)
  }

  /** What has ended may still be in use for a moment, and what is cancelled is told so in its own time (R16). */
  #isSettled({ id, state }: InRecord): boolean {
    return state === 'returned' || (state === 'ended' && !this.#options.holding.isInUse(id))
  }

  async #take(link: DetachmentLink, id: string): Promise<void> {
    const reply = await link.take(id, { timeout: callTimeout })
    if (reply.kind === 'detached') await this.#options.asking.take(link, reply.detachment)
  }
}

function peerOf({ via, manager }: InRecord): { readonly id: string } {
  return via ?? manager
}
