/**
 * What is due next: a heap of ids by time. Times may be outdated; whoever reads it checks and puts the right one in. Pure.
 */

export interface Due {
  readonly at: number
  readonly id: string
}

export class DueIndex {
  readonly #heap: Due[] = []

  get size(): number {
    return this.#heap.length
  }

  /** Time of the earliest entry. */
  get next(): number | undefined {
    return this.#heap[0]?.at
  }

  add(id: string, at: number): void {
    const heap = this.#heap
    let index = heap.length
    const entry = { at, id }
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Due
      if (above.at <= at) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  /** Takes the earliest entry out if it is due. */
  takeDue(now: number): Due | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = this.#heap.pop() as Due
    if (this.#heap.length > 0) this.#sink(last)
    return first
  }

  /** Leaves out every entry whose id is not wanted any more. Costs as much as there are entries. */
  keep(isWanted: (id: string) => boolean): void {
    const heap = this.#heap
    let kept = 0
    for (const entry of heap) if (isWanted(entry.id)) heap[kept++] = entry
    heap.length = kept
    for (let index = (kept >> 1) - 1; index >= 0; index--) this.#sink(heap[index] as Due, index)
  }

  clear(): void {
    this.#heap.length = 0
  }

  /** Puts the entry where it belongs, at `from` or below it. */
  #sink(entry: Due, from = 0): void {
    const heap = this.#heap
    let index = from
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Due).at < (heap[child] as Due).at) child++
      if ((heap[child] as Due).at >= entry.at) break
      heap[index] = heap[child] as Due
      index = child
    }
    heap[index] = entry
  }
}
