/**
 * The waiting line for seats of one product: first come first served (R30). Pure: times come in, in ms of `atLeast`.
 */
import type { ProductName } from './product-name.ts'

export interface Waiting {
  readonly id: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** When it came. */
  readonly since: number
  /** When it is refused at last. */
  readonly until: number
  /** Set while nobody listens for its answer: it leaves then, unless it asks again. */
  readonly leavesAt?: number
}

export const longestLine = 1_000
/** How long a place is kept for who no longer listens, in ms. */
export const placeKept = 5_000

export class Line {
  readonly #lines = new Map<ProductName, Waiting[]>()

  /** Takes a place at the end, or keeps the place that this id has. @returns false when the line is full */
  join(waiting: Waiting): boolean {
    this.#prune(waiting.product, waiting.since)
    const line = this.#lines.get(waiting.product) ?? []
    const place = line.findIndex((one) => one.id === waiting.id)
    if (place < 0 && line.length >= longestLine) return false
    const before = line[place]
    if (before) line[place] = { ...waiting, since: before.since }
    else line.push(waiting)
    this.#lines.set(waiting.product, line)
    return true
  }

  /** Nobody listens any more: the place is kept for a moment. */
  suspend(product: ProductName, id: string, now: number): void {
    const line = this.#lines.get(product)
    const place = line?.findIndex((one) => one.id === id) ?? -1
    const waiting = line?.[place]
    if (line && waiting) line[place] = { ...waiting, leavesAt: now + placeKept }
  }

  /** @returns whether it had a place */
  leave(product: ProductName, id: string): boolean {
    const line = this.#lines.get(product)
    const place = line?.findIndex((one) => one.id === id) ?? -1
    if (!line || place < 0) return false
    line.splice(place, 1)
    if (line.length === 0) this.#lines.delete(product)
    return true
  }

  /** When the first of those to whom nobody listens leaves. */
  nextLeave(product: ProductName): number | undefined {
    let next: number | undefined
    for (const { leavesAt } of this.#lines.get(product) ?? [])
      if (leavesAt !== undefined && (next === undefined || leavesAt < next)) next = leavesAt
    return next
  }

  /** Whether somebody else is to be served before this id. */
  othersAhead(product: ProductName, id: string, now: number): boolean {
    const head = this.head(product, now)
    return head !== undefined && head.id !== id
  }

  head(product: ProductName, now: number): Waiting | undefined {
    this.#prune(product, now)
    return this.#lines.get(product)?.[0]
  }

  /** Everybody who waits, in order, with the position from 1. */
  list(now: number): { readonly position: number; readonly waiting: Waiting }[] {
    for (const product of [...this.#lines.keys()]) this.#prune(product, now)
    return [...this.#lines.values()].flatMap((line) => line.map((waiting, index) => ({ position: index + 1, waiting })))
  }

  products(): ProductName[] {
    return [...this.#lines.keys()]
  }

  lengthOf(product: ProductName, now: number): number {
    this.#prune(product, now)
    return this.#lines.get(product)?.length ?? 0
  }

  #prune(product: ProductName, now: number): void {
    const line = this.#lines.get(product)
    if (!line?.some((one) => one.leavesAt !== undefined && one.leavesAt <= now)) return
    const left = line.filter((one) => one.leavesAt === undefined || one.leavesAt > now)
    if (left.length > 0) this.#lines.set(product, left)
    else this.#lines.delete(product)
  }
}
