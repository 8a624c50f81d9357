/**
 * Requests of other agents that are being decided or stand in line. The line itself is shared with the sessions of this machine
 * and is not here (R30); an agent keeps its place in it by asking again. Owns which requests are under way.
 */
import type { Cancel, Timers } from '../clock.ts'
import type { ProductName } from '../domain/product-name.ts'
import type { LeaseCommand } from '../domain/seats.ts'
import type { Refusal } from '../errors.ts'
import type { Found, SeatFinder } from '../seat-finder.ts'

/** Looks for seats, here and on other managers, and keeps the line. */
export type LeaseFinder = Pick<SeatFinder, 'find' | 'placeOf' | 'waiting'>

/** What looking for a seat ends with: the lessor's answer, or why there is none. */
export type FoundLease = Found['answer'] | Refusal

export interface LeaseLineOptions {
  readonly finder: LeaseFinder
  readonly timers: Timers
  /** It ended while nobody listened: the agent is to be told, or the refusal is kept for it. */
  readonly onEnded: (command: LeaseCommand, found: FoundLease) => void
}

export type LineAnswer =
  | { readonly kind: 'found'; readonly found: FoundLease }
  | { readonly kind: 'queued'; readonly position: number; readonly waiting: number }
  /** The same id is under way with another body (R15). */
  | { readonly kind: 'conflict' }
  /** It was given up meanwhile. */
  | { readonly kind: 'given_up' }
  | { readonly kind: 'too_many' }

/** In ms. A request that waits is answered after this at the latest, so that its connection does not have to stay. */
const answerWithin = 3_000
/** Who has not asked again for so long is gone; the line keeps a place for 5 s after that, so it is 15 s in all. */
const silentAfter = 10_000
const mostPerAgent = 200

interface Guest {
  readonly command: LeaseCommand
  readonly controller: AbortController
  readonly answer: Promise<FoundLease>
  /** Resolves when it stands in line. */
  readonly lined: Promise<void>
  readonly enter: () => void
  listeners: number
  leaving: Cancel | undefined
  /** Why nobody is told how it ends. */
  over: 'silent' | 'given_up' | Refusal | undefined
}

export class LeaseLine {
  readonly #options: LeaseLineOptions
  readonly #guests = new Map<string, Guest>()

  constructor(options: LeaseLineOptions) {
    this.#options = options
  }

  has(id: string): boolean {
    return this.#guests.has(id)
  }

  /** Seats of a product that an agent is asking for. */
  seats(holder: string, product: ProductName): number {
    let seats = 0
    for (const { command } of this.#guests.values())
      if (command.holder === holder && command.product === product) seats += command.seats
    return seats
  }

  /** Asks, or asks again. @param wait ms; 0 = without standing in line */
  async ask(command: LeaseCommand, wait: number): Promise<LineAnswer> {
    const known = this.#guests.get(command.id)
    if (known && known.command.body !== command.body) return { kind: 'conflict' }
    if (!known && this.#countOf(command.holder) >= mostPerAgent) return { kind: 'too_many' }
    const guest = known ?? this.#begin(command, wait)
    guest.leaving?.()
    guest.leaving = undefined
    guest.listeners += 1
    try {
      // Who asks again for what stands in line is told so, whatever it says of waiting.
      return await this.#listen(guest, wait > 0 || known !== undefined)
    } finally {
      guest.listeners -= 1
      if (guest.listeners === 0 && this.#guests.get(command.id) === guest) this.#awaitSilence(guest)
    }
  }

  /** Nobody wants it any more. */
  giveUp(id: string): void {
    const guest = this.#guests.get(id)
    if (guest) this.#end(guest, 'given_up')
  }

  /** Nothing is given out any more: everybody under way is answered so. */
  closeAll(refusal: Refusal): void {
    for (const guest of [...this.#guests.values()]) this.#end(guest, refusal)
  }

  /** The line of the product has changed. */
  noteLine(product: ProductName): void {
    const guests = [...this.#guests.values()].filter(({ command }) => command.product === product)
    for (const guest of guests) if (this.#options.finder.placeOf(product, guest.command.id)) guest.enter()
  }

  async #listen(guest: Guest, mayWait: boolean): Promise<LineAnswer> {
    const found = guest.answer.then((answer): LineAnswer => {
      if (guest.over === undefined || guest.over === 'silent') return { kind: 'found', found: answer }
      return guest.over === 'given_up' ? { kind: 'given_up' } : { kind: 'found', found: guest.over }
    })
    if (!mayWait) return await found
    let deadline: Cancel = () => undefined
    const queued = Promise.race([
      guest.lined,
      new Promise<void>((resolve) => {
        deadline = this.#options.timers.after(answerWithin, resolve)
      }),
    ]).then(() => this.#placeOf(guest.command))
    try {
      return await Promise.race([found, queued])
    } finally {
      deadline()
    }
  }

  #begin(command: LeaseCommand, wait: number): Guest {
    const controller = new AbortController()
    const { promise: lined, resolve: enter } = newDeferred()
    const answer = this.#options.finder
      .find(command, { wait, signal: controller.signal })
      .then((found): FoundLease => found.answer)
    const guest: Guest = {
      command,
      controller,
      answer,
      lined,
      enter,
      listeners: 0,
      leaving: undefined,
      over: undefined,
    }
    this.#guests.set(command.id, guest)
    // It may have come into the line before there was a guest to find.
    this.noteLine(command.product)
    answer.then(
      (found) => this.#finish(guest, found),
      () => this.#forget(guest),
    )
    return guest
  }

  #finish(guest: Guest, found: FoundLease): void {
    this.#forget(guest)
    if (guest.listeners === 0 && guest.over === undefined) this.#options.onEnded(guest.command, found)
  }

  #forget(guest: Guest): void {
    guest.leaving?.()
    guest.leaving = undefined
    if (this.#guests.get(guest.command.id) === guest) this.#guests.delete(guest.command.id)
  }

  #end(guest: Guest, why: Exclude<Guest['over'], undefined>): void {
    guest.over = why
    this.#forget(guest)
    guest.controller.abort()
  }

  #awaitSilence(guest: Guest): void {
    guest.leaving = this.#options.timers.after(silentAfter, () => this.#end(guest, 'silent'))
  }

  #placeOf({ id, product }: LeaseCommand): LineAnswer {
    const place = this.#options.finder.placeOf(product, id)
    // Without one it waits at another manager, or is being looked for.
    return { kind: 'queued', position: place?.position ?? 1, waiting: place?.waiting ?? 1 }
  }

  #countOf(holder: string): number {
    let count = 0
    for (const { command } of this.#guests.values()) if (command.holder === holder) count += 1
    return count
  }
}

function newDeferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
