/**
 * What just happened, for those who watch: a typed bus, and the last events with ids so that a watcher who lost the line
 * goes on where it was (`Last-Event-ID`). Owns nothing that counts; the journal is the record.
 * Leaf module: imports the clock's types only.
 */
import type { Cancel } from './clock.ts'
import type { EndReason } from './errors.ts'

/** Event type > data. Data is JSON and names things by id; watchers read the rest where it is owned. */
export interface AgentEvents {
  'session.opened': { readonly id: string; readonly product: string }
  'session.changed': { readonly id: string; readonly product: string }
  'session.ended': { readonly id: string; readonly product: string; readonly reason: EndReason }
  'session.refused': { readonly product: string }
  'detachment.changed': { readonly id: string; readonly direction: 'out' | 'in' }
  'license.changed': { readonly id: string }
  'product.changed': { readonly product: string; readonly seats: number; readonly used: number }
  'queue.changed': { readonly product: string; readonly waiting: number }
  'configuration.changed': { readonly names: readonly string[] }
  'health.changed': { readonly code: string }
  'serving.changed': { readonly state: string }
  'reserve.changed': { readonly id: string }
  'site.changed': { readonly id: string }
  'manager.changed': { readonly id: string }
  'search.changed': { readonly id: string; readonly state: 'running' | 'done' }
  /** Of the search that was started last; the rest is in `GET /api/v1/search`. */
  'search.step': {
    readonly search: string
    readonly number: number
    readonly address: string
    readonly foundBy: string
    readonly step: string
    readonly result: string
    readonly detail: string
    readonly addresses: number
    readonly agent?: { readonly id: string; readonly name: string }
    readonly ms?: number
  }
}

export type EventType = keyof AgentEvents

export type AgentEvent = {
  readonly [Type in EventType]: { readonly id: string; readonly type: Type; readonly data: AgentEvents[Type] }
}[EventType]

export interface Following {
  /** Events after the id that was given are gone: the watcher must read everything anew. */
  readonly missed: boolean
  readonly cancel: Cancel
}

export class Events {
  readonly #startId: string
  readonly #kept: number
  readonly #ring: AgentEvent[] = []
  readonly #watchers = new Set<(event: AgentEvent) => void>()
  #count = 0

  /** @param startId random per start, so that ids of an earlier start are not taken for ours; without a dot */
  constructor(startId: string, kept = 1000) {
    this.#startId = startId
    this.#kept = kept
  }

  publish<Type extends EventType>(type: Type, data: AgentEvents[Type]): void {
    this.#count += 1
    const event = { id: `${this.#startId}.${this.#count}`, type, data } as AgentEvent
    this.#ring[this.#count % this.#kept] = event
    for (const watcher of this.#watchers) watcher(event)
  }

  /** The id of the newest event: what a watcher that has just read everything is at. */
  get lastId(): string {
    return `${this.#startId}.${this.#count}`
  }

  /**
   * Calls `watcher` with every event after `lastId` that is still kept, then with every new one. Watchers must not throw.
   * @param lastId absent: only new events
   */
  follow(watcher: (event: AgentEvent) => void, lastId?: string): Following {
    const from = lastId === undefined ? this.#count : this.#position(lastId)
    const oldest = Math.max(0, this.#count - this.#kept)
    const missed = from === undefined || from < oldest
    for (let index = missed ? this.#count + 1 : from + 1; index <= this.#count; index++) {
      const event = this.#ring[index % this.#kept]
      if (event) watcher(event)
    }
    // a wrapper, so that one function may follow twice
    const own = (event: AgentEvent) => watcher(event)
    this.#watchers.add(own)
    return {
      missed,
      cancel: () => {
        this.#watchers.delete(own)
      },
    }
  }

  get watchers(): number {
    return this.#watchers.size
  }

  #position(id: string): number | undefined {
    const [start, number] = id.split('.')
    if (start !== this.#startId || number === undefined || !/^\d{1,15}$/.test(number)) return undefined
    const position = Number(number)
    return position <= this.#count ? position : undefined
  }
}
