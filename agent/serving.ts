/**
 * Whether this agent gives out seats: the switch that stops new ones (M3, a setting and kept) and the one that stops serving
 * (I9, not stored: a restart serves again). Owns the second; who grants asks `state` first.
 * Must not import who grants: broker, peers, http.
 */
import type { SeatView } from './domain/book.ts'
import { type Grant, isOwnLease } from './domain/grant.ts'
import { type Refusal, refuse } from './errors.ts'
import type { Lessor, SeatEvent } from './lessor.ts'
import type { Writes } from './writes.ts'

/** `open`: gives out; else the code of the refusal. */
export type ServingState = 'open' | 'handing_out_disabled' | 'serving_stopped'

export interface ServingChange {
  /** Absent: stays as it is. */
  readonly handingOut?: boolean | undefined
  readonly running?: boolean | undefined
}

export interface ServingView {
  readonly state: ServingState
  readonly handingOut: boolean
  readonly running: boolean
  /** Other agents that hold seats of this one, and people who use one, here or there. */
  readonly agents: number
  readonly users: number
  readonly sessions: number
  readonly seats: number
  /** Seats that were told to end and are not confirmed. */
  readonly ending: number
}

export interface ServingOptions {
  readonly lessor: Pick<Lessor, 'view' | 'disconnect'>
  readonly writes: Pick<Writes, 'submit'>
  readonly handingOut: () => boolean
  /** Changes the setting; refused where it is fixed. */
  readonly setHandingOut: (on: boolean, by: string) => Promise<{ readonly kind: 'changed' } | Refusal>
  readonly onChange?: (state: ServingState) => void
  /** A seat could not be told to end; it ends at its lease time. */
  readonly onTrouble?: (error: unknown) => void
}

/** So many ends are decided before others have their turn. */
const endsAtOnce = 500

export class Serving {
  readonly #options: ServingOptions
  #running = true
  #told: ServingState

  constructor(options: ServingOptions) {
    this.#options = options
    this.#told = this.state()
  }

  /** Holds for everything this agent grants but sessions from its detachments (`isCovered`). */
  state(): ServingState {
    if (!this.#running) return 'serving_stopped'
    return this.#options.handingOut() ? 'open' : 'handing_out_disabled'
  }

  /** The refusal for whoever asks for a new seat now. */
  refusal(): Refusal | undefined {
    switch (this.state()) {
      case 'open':
        return undefined
      case 'serving_stopped':
        return refuse('serving_stopped', 'Serving is stopped here until somebody starts it again.', { retryIn: 30 })
      case 'handing_out_disabled':
        return refuse('handing_out_disabled', 'No new seats are given out here; those in use go on.', { retryIn: 60 })
    }
  }

  /**
   * Resolves once it is in force; stopping, once every live seat was told to end.
   * @param by who ordered it, for the journal
   */
  async change({ handingOut, running }: ServingChange, by: string): Promise<{ readonly kind: 'changed' } | Refusal> {
    if (handingOut !== undefined && handingOut !== this.#options.handingOut()) {
      const changed = await this.#options.setHandingOut(handingOut, by)
      if (changed.kind === 'refused') return changed
      this.look()
      await this.#journal(handingOut ? 'serving.enabled' : 'serving.disabled', by)
    }
    if (running !== undefined && running !== this.#running) {
      // At once, so that nothing new is decided while this is written.
      this.#running = running
      this.look()
      await this.#journal(running ? 'serving.started' : 'serving.stopped', by)
    }
    // Asked again, it tells those that an unwritten batch left out.
    if (running === false) await this.#endAll(by)
    this.look()
    return { kind: 'changed' }
  }

  /** The setting may be another. */
  look(): void {
    const state = this.state()
    if (state === this.#told) return
    this.#told = state
    this.#options.onChange?.(state)
  }

  /** To be called with everything the lessor tells: what was on its way when serving stopped ends, too. */
  noteSeats(event: SeatEvent): void {
    if (this.#running || event.kind !== 'opened' || !isCovered(event.grant, this.#options.lessor.view)) return
    this.#end(event.grant.id).catch((error: unknown) => this.#options.onTrouble?.(error))
  }

  view(): ServingView {
    const agents = new Set<string>()
    const users = new Set<string>()
    const counts = { sessions: 0, seats: 0, ending: 0 }
    for (const grant of this.#options.lessor.view.grants()) {
      if (grant.kind === 'detachment' || isOwnLease(grant)) continue
      if (grant.kind === 'lease') agents.add(grant.holder)
      users.add(userKey(grant))
      counts.sessions += 1
      counts.seats += grant.seats
      if (grant.ending !== undefined) counts.ending += grant.seats
    }
    return {
      state: this.state(),
      handingOut: this.#options.handingOut(),
      running: this.#running,
      agents: agents.size,
      users: users.size,
      ...counts,
    }
  }

  async #endAll(by: string): Promise<void> {
    const { view } = this.#options.lessor
    const ids: string[] = []
    for (const grant of view.grants()) if (grant.ending === undefined && isCovered(grant, view)) ids.push(grant.id)
    for (let at = 0; at < ids.length && !this.#running; at += endsAtOnce)
      await Promise.all(ids.slice(at, at + endsAtOnce).map((id) => this.#end(id, by)))
  }

  async #end(id: string, by?: string): Promise<void> {
    await this.#options.lessor.disconnect(id, 'serving_stopped', by === undefined ? {} : { by })
  }

  #journal(type: string, by: string): Promise<void> {
    return this.#options.writes.submit((transaction) => transaction.journal({ type, facts: { by } }))
  }
}

/** Seats that were detached to or from this agent are untouched by the switches. */
export function isCovered(grant: Grant, view: Pick<SeatView, 'supply'>): boolean {
  if (grant.kind === 'detachment') return false
  return grant.parts.some(({ supply }) => view.supply(supply)?.kind !== 'detachment')
}

/** Where no user is named, each machine counts as one. */
function userKey({ who, holder }: Grant): string {
  return (who.email ?? who.account ?? `\0${who.host ?? who.address ?? holder}`).toLowerCase()
}
