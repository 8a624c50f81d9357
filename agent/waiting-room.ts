/**
 * Who waits for a seat, and serving them: the head of each line is asked for again whenever seats may have come free (R30).
 * Owns the lines and the answers that are owed. Used by the broker only.
 */
import type { Cancel, Clock, Timers } from './clock.ts'
import { Line, type Waiting } from './domain/line.ts'
import type { ProductName } from './domain/product-name.ts'
import type { OpenCommand } from './domain/seats.ts'

export interface Place {
  readonly position: number
  readonly waiting: Waiting
  readonly command: OpenCommand
}

export interface WaitingRoomOptions<Answer> {
  readonly clock: Clock
  readonly timers: Timers
  readonly ask: (command: OpenCommand) => Promise<Answer>
  /** False: there is still no seat, so the head goes on waiting. */
  readonly isSeat: (answer: Answer) => boolean
  readonly onChange?: (product: ProductName, waiting: number) => void
}

interface Guest<Answer> {
  readonly command: OpenCommand
  readonly answer: (answer: Answer | { readonly kind: 'short' }) => void
  readonly fail: (error: unknown) => void
  readonly deadline: Cancel
}

export class WaitingRoom<Answer> {
  readonly #options: WaitingRoomOptions<Answer>
  readonly #line = new Line()
  readonly #guests = new Map<string, Guest<Answer>>()
  readonly #serving = new Set<ProductName>()
  /** Lines in which seats may have come free while their head was being asked for. */
  readonly #again = new Set<ProductName>()

  constructor(options: WaitingRoomOptions<Answer>) {
    this.#options = options
  }

  othersAhead(product: ProductName, id: string): boolean {
    return this.#line.othersAhead(product, id, this.#options.clock.atLeast())
  }

  lengthOf(product: ProductName): number {
    return this.#line.lengthOf(product)
  }

  list(): Place[] {
    return this.#line.list(this.#options.clock.atLeast()).flatMap(({ position, waiting }) => {
      const guest = this.#guests.get(waiting.id)
      return guest ? [{ position, waiting, command: guest.command }] : []
    })
  }

  /**
   * Waits in line. @param ms at most so long @param signal aborted when nobody listens any more: the place is kept for 5 s
   */
  wait(
    command: OpenCommand,
    ms: number,
    signal?: AbortSignal,
  ): Promise<Answer | { readonly kind: 'short' | 'queue_full' }> {
    const { clock, timers } = this.#options
    const { id, product, feature, seats } = command
    const now = clock.atLeast()
    const place = { id, product, seats, since: now, until: now + ms, ...(feature === undefined ? {} : { feature }) }
    if (!this.#line.join(place)) return Promise.resolve({ kind: 'queue_full' })
    return new Promise((resolve, reject) => {
      // The same id asked again: the earlier request gets its answer now, this one keeps the place.
      this.#guests.get(id)?.answer({ kind: 'short' })
      const stopListening = (): void => this.#suspend(product, id, { kind: 'short' })
      const deadline = timers.after(ms, stopListening)
      const done = (): void => {
        deadline()
        signal?.removeEventListener('abort', stopListening)
        this.#guests.delete(id)
      }
      this.#guests.set(id, {
        command: { ...command, waited: true },
        answer: (answer) => {
          done()
          resolve(answer)
        },
        fail: (error) => {
          done()
          reject(error instanceof Error ? error : new Error(String(error)))
        },
        deadline,
      })
      signal?.addEventListener('abort', stopListening, { once: true })
      if (signal?.aborted) stopListening()
      this.#changed(product)
      this.#serve(product)
    })
  }

  /** Seats may have come free. */
  serve(): void {
    for (const product of this.#line.products()) this.#serve(product)
  }

  /** Everybody is answered that there is no seat. */
  stop(): void {
    for (const guest of [...this.#guests.values()]) guest.answer({ kind: 'short' })
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
      const head = this.#line.head(product, this.#options.clock.atLeast())
      const guest = head && this.#guests.get(head.id)
      // A place whose owner is away is kept, and who is behind waits for it.
      if (!head || !guest) return
      this.#again.delete(product)
      try {
        const answer = await this.#options.ask(guest.command)
        if (!this.#options.isSeat(answer)) return
        this.#leave(product, head.id)
        this.#guests.get(head.id)?.answer(answer)
      } catch (error) {
        this.#leave(product, head.id)
        this.#guests.get(head.id)?.fail(error)
      }
    }
  }

  #suspend(product: ProductName, id: string, answer: { readonly kind: 'short' }): void {
    const { clock, timers } = this.#options
    this.#line.suspend(product, id, clock.atLeast())
    this.#guests.get(id)?.answer(answer)
    timers.after(5_001, () => {
      this.#changed(product)
      this.#serve(product)
    })
  }

  #leave(product: ProductName, id: string): void {
    this.#line.leave(product, id)
    this.#changed(product)
  }

  #changed(product: ProductName): void {
    this.#options.onChange?.(product, this.#line.lengthOf(product))
  }
}
