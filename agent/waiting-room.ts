/**
 * Who waits for a seat, and serving them: the head of each line is asked for again whenever seats may have come free (R30).
 * Owns the lines and the answers that are owed. Used by the broker only.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import { Line, type Waiting } from './domain/line.ts'
import { type ProductName, vendorOf } from './domain/product-name.ts'
import type { OpenCommand } from './domain/seats.ts'

export interface Place {
  readonly position: number
  readonly waiting: Waiting
  readonly command: OpenCommand
  /** The reading of `atLeast` that the times of `waiting` are to be compared with. */
  readonly now: number
}

export interface WaitingRoomOptions<Answer> {
  readonly clock: Clock
  readonly timers: Timers
  readonly ask: (command: OpenCommand) => Promise<Answer>
  /** False: there is still no seat, so the head goes on waiting. */
  readonly isFinal: (answer: Answer) => boolean
  /** What the same answer is for who asked for the same id beside the first. */
  readonly again: (answer: Answer) => Answer
  readonly onChange?: (product: ProductName, waiting: number) => void
  /** There is no seat here for the head of a line: it may stand in line elsewhere, until that is cancelled. */
  readonly stand?: (command: OpenCommand, place: StandingPlace) => Cancel
}

/** The head of a line, as who stands in line elsewhere for it sees it. */
export interface StandingPlace {
  /** Until when it waits, on `atLeast`. */
  until(): number
  /** Nobody listens for it at the moment. */
  isAway(): boolean
}

export type WaitAnswer<Answer> =
  | Answer
  | { readonly kind: 'short' }
  | { readonly kind: 'queue_full' }
  /** The same id waits with another body (R15). */
  | { readonly kind: 'conflict' }

/** One request that waits for the answer. */
interface Listener<Answer> {
  hear(answer: WaitAnswer<Answer>): void
  fail(error: unknown): void
}

/** One place in the line; several requests of the same id share it. */
interface Guest<Answer> {
  readonly command: OpenCommand
  readonly listeners: Set<Listener<Answer>>
}

export class WaitingRoom<Answer> {
  readonly #options: WaitingRoomOptions<Answer>
  readonly #line = new Line()
  readonly #guests = new Map<string, Guest<Answer>>()
  readonly #serving = new Set<ProductName>()
  /** Lines in which seats may have come free while their head was being asked for. */
  readonly #again = new Set<ProductName>()
  /** For each line with places that nobody listens for: the timer for the first that is given up. */
  readonly #leaving = new Map<ProductName, Cancel>()
  /** For each line whose head stands in line elsewhere: that head. */
  readonly #standing = new Map<ProductName, { readonly id: string; readonly cancel: Cancel }>()

  constructor(options: WaitingRoomOptions<Answer>) {
    this.#options = options
  }

  othersAhead(product: ProductName, id: string): boolean {
    return this.#line.othersAhead(product, id, this.#now())
  }

  /** How many wait for a product. */
  waiting(product: ProductName): number {
    return this.#line.lengthOf(product, this.#now())
  }

  list(): Place[] {
    const now = this.#now()
    return this.#line.list(now).flatMap(({ position, waiting }) => {
      const guest = this.#guests.get(waiting.id)
      return guest ? [{ position, waiting, command: guest.command, now }] : []
    })
  }

  /**
   * Waits in line. @param ms at most so long @param signal aborted when nobody listens any more: the place is kept for 5 s
   */
  wait(command: OpenCommand, ms: number, signal?: AbortSignal): Promise<WaitAnswer<Answer>> {
    const { id, product, feature, seats } = command
    const known = this.#guests.get(id)
    if (known && known.command.body !== command.body) return Promise.resolve({ kind: 'conflict' })
    const now = this.#now()
    const place = { id, product, seats, since: now, until: now + ms, ...(feature === undefined ? {} : { feature }) }
    if (!this.#line.join(place)) return Promise.resolve({ kind: 'queue_full' })
    return new Promise((resolve, reject) => {
      const guest = known ?? { command: { ...command, waited: true }, listeners: new Set<Listener<Answer>>() }
      this.#guests.set(id, guest)
      const goAway = (): void => {
        listener.hear({ kind: 'short' })
        if (guest.listeners.size === 0) this.#suspend(product, id)
      }
      const stop = (): void => {
        deadline()
        signal?.removeEventListener('abort', goAway)
        guest.listeners.delete(listener)
      }
      const listener: Listener<Answer> = {
        hear: (answer) => {
          stop()
          resolve(answer)
        },
        fail: (error) => {
          stop()
          reject(error instanceof Error ? error : new Error(String(error)))
        },
      }
      const deadline = this.#options.timers.after(ms, goAway)
      guest.listeners.add(listener)
      signal?.addEventListener('abort', goAway, { once: true })
      if (signal?.aborted) goAway()
      this.#changed(product)
      this.#serve(product)
    })
  }

  /** The id has its answer by another way than waiting; who waits for it hears the same. */
  settle(product: ProductName, id: string, answer: Answer): void {
    const again = this.#options.again(answer)
    if (this.#leave(product, id, (listener) => listener.hear(again))) this.#serve(product)
  }

  /** Who waits has got this elsewhere: an answer that is final. */
  deliver(product: ProductName, id: string, answer: Answer): void {
    const { again } = this.#options
    if (this.#leave(product, id, (listener, first) => listener.hear(first ? answer : again(answer))))
      this.#serve(product)
  }

  /** Position from 1, and how many wait. */
  placeOf(product: ProductName, id: string): { readonly position: number; readonly waiting: number } | undefined {
    const line = this.#line.list(this.#now()).filter(({ waiting }) => waiting.product === product)
    const position = line.find(({ waiting }) => waiting.id === id)?.position
    return position === undefined ? undefined : { position, waiting: line.length }
  }

  /** Seats may have come free. @param vendor only its products; absent = of anybody */
  serve(vendor?: string): void {
    for (const product of this.#line.products())
      if (vendor === undefined || vendorOf(product) === vendor) this.#serve(product)
  }

  /** Everybody is answered that there is no seat. */
  stop(): void {
    for (const cancel of this.#leaving.values()) cancel()
    this.#leaving.clear()
    for (const { command } of this.#guests.values())
      this.#leave(command.product, command.id, (listener) => listener.hear({ kind: 'short' }))
    for (const { cancel } of this.#standing.values()) cancel()
    this.#standing.clear()
  }

  #serve(product: ProductName): void {
    if (this.#serving.has(product)) {
      this.#again.add(product)
      return
    }
    this.#serving.add(product)
    this.#serveHeads(product)
      .finally(() => {
        this.#serving.delete(product)
        if (this.#again.delete(product)) this.#serve(product)
      })
      .catch(() => undefined)
  }

  async #serveHeads(product: ProductName): Promise<void> {
    for (;;) {
      const head = this.#line.head(product, this.#now())
      const guest = head && this.#guests.get(head.id)
      // A place whose owner is away is kept, and who is behind waits for it; the timer of `#suspend` goes on from there.
      if (!head || !guest) return
      this.#again.delete(product)
      try {
        const answer = await this.#options.ask(guest.command)
        if (!this.#options.isFinal(answer)) {
          this.#stand(product, head, guest)
          return
        }
        this.#leave(product, head.id, (listener, first) => listener.hear(first ? answer : this.#options.again(answer)))
      } catch (error) {
        // The outcome is unknown, so who asked asks again with the same id, and finds its place (R1).
        for (const listener of this.#guests.get(head.id)?.listeners ?? []) listener.fail(error)
        this.#suspend(product, head.id)
      }
    }
  }

  #stand(product: ProductName, { id }: Waiting, guest: Guest<Answer>): void {
    const { stand } = this.#options
    if (!stand || this.#standing.get(product)?.id === id || !this.#guests.has(id)) return
    // Who was first may have left by the clock alone.
    this.#unstand(product)
    const cancel = stand(guest.command, {
      until: () => this.#line.head(product, this.#now())?.until ?? 0,
      isAway: () => !this.#guests.has(id),
    })
    this.#standing.set(product, { id, cancel })
  }

  /** Who stands in line elsewhere and is no longer the head here gives that up. */
  #unstand(product: ProductName): void {
    const standing = this.#standing.get(product)
    if (!standing || this.#line.head(product, this.#now())?.id === standing.id) return
    this.#standing.delete(product)
    standing.cancel()
  }

  /** Nobody listens for this place any more: it is kept for a moment. */
  #suspend(product: ProductName, id: string): void {
    this.#guests.delete(id)
    this.#line.suspend(product, id, this.#now())
    this.#watchLeaving(product)
  }

  /** The clock may be a little behind the timer, so this looks again until nobody is left to be given up. */
  #watchLeaving(product: ProductName): void {
    const next = this.#line.nextLeave(product)
    this.#leaving.get(product)?.()
    this.#leaving.delete(product)
    if (next === undefined) return
    const timer = this.#options.timers.after(Math.max(1, Math.ceil(next - this.#now())), () => {
      this.#changed(product)
      this.#serve(product)
      this.#watchLeaving(product)
    })
    this.#leaving.set(product, timer)
  }

  /** @returns whether it was in the line */
  #leave(product: ProductName, id: string, tell: (listener: Listener<Answer>, first: boolean) => void): boolean {
    if (!this.#line.leave(product, id)) return false
    const guest = this.#guests.get(id)
    this.#guests.delete(id)
    for (const [index, listener] of [...(guest?.listeners ?? [])].entries()) tell(listener, index === 0)
    this.#changed(product)
    return true
  }

  #changed(product: ProductName): void {
    this.#unstand(product)
    this.#options.onChange?.(product, this.waiting(product))
  }

  #now(): number {
    return this.#options.clock.atLeast()
  }
}
