/**
 * So many at a time, the others one after another in the order in which they came. Owns nothing else; imports nothing of ours.
 */

export class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  /** @returns what ends the turn; `undefined` when the signal came first */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined
    if (this.#free > 0) {
      this.#free--
      return () => this.#leave()
    }
    return await new Promise((resolve) => {
      const begin = () => {
        signal.removeEventListener('abort', giveUp)
        resolve(() => this.#leave())
      }
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1)
        resolve(undefined)
      }
      this.#waiting.push(begin)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
