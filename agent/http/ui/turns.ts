/**
 * Pages take turns: one begins with each turn of the event loop, so that many who reload a long page at once keep nobody's
 * heartbeat waiting, and a page that nobody waits for any more is not made. Owns the order.
 */
export class Turns {
  readonly #pause: () => Promise<void>
  #last: Promise<void> = Promise.resolve()

  /** @param pause lets the event loop turn once */
  constructor(pause: () => Promise<void>) {
    this.#pause = pause
  }

  /** Resolves when it is this page's turn; programs that asked meanwhile have been answered. */
  next(): Promise<void> {
    this.#last = this.#last.then(this.#pause)
    return this.#last
  }
}
