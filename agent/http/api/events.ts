/**
 * News as server-sent events, with ids, so that a broken stream goes on where it ended. Owns the open streams.
 * Must not import owners.
 */
import { z } from 'zod'
import type { Timers } from '../../clock.ts'
import { type Refusal, refuse } from '../../errors.ts'
import type { Reply } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { eventsExample } from './agent-examples.ts'

export interface AgentEvent {
  readonly id: string
  /** `session.opened` and so on. */
  readonly type: string
  readonly data: unknown
}

export interface EventsParts {
  /**
   * Calls `watcher` with what came after `lastId`, then with everything new; without `lastId` only with what is new.
   * `missed`: what came after it is not known any more.
   */
  follow(
    watcher: (event: AgentEvent) => void,
    lastId?: string,
  ): { readonly missed: boolean; readonly cancel: () => void }
}

const mostPerAddress = 64
const mostStreams = 256
const pingEvery = 15_000

const eventsQuery = z.strictObject({
  types: z.string().max(512).optional().describe('types or first parts of types, with commas; all when left out'),
  after: z.string().max(64).optional().describe('as the Last-Event-ID header, for clients that can not set it'),
})

function writeEvent({ id, type, data }: AgentEvent): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

function selectTypes(types: string | undefined): (event: AgentEvent) => boolean {
  if (types === undefined || types === '') return () => true
  const wanted = types.split(',').map((type) => type.trim())
  return ({ type }) => wanted.some((one) => type === one || type.startsWith(`${one}.`))
}

export class EventStreams {
  readonly #parts: EventsParts
  readonly #timers: Timers
  readonly #open = new Set<() => void>()
  readonly #perAddress = new Map<string, number>()

  constructor(parts: EventsParts, timers: Timers) {
    this.#parts = parts
    this.#timers = timers
  }

  open(address: string, lastEventId: string | undefined, types: string | undefined): Reply | Refusal {
    const count = this.#perAddress.get(address) ?? 0
    if (count >= mostPerAddress || this.#open.size >= mostStreams)
      return refuse('too_many_requests', 'Too many event streams are open.', { retryIn: 10 })
    return {
      status: 200,
      content: {
        kind: 'live',
        type: 'text/event-stream',
        open: (sink) => {
          const isWanted = selectTypes(types)
          const send = (event: AgentEvent) => {
            if (isWanted(event)) sink.send(writeEvent(event))
          }
          const end = () => sink.end()
          this.#open.add(end)
          this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
          sink.send('retry: 3000\n\n')
          const { missed, cancel } = this.#parts.follow(send, lastEventId)
          // The receiver has to read everything anew.
          if (missed) sink.send('event: reset\ndata: {}\n\n')
          const stopPing = this.#timers.every(pingEvery, () => {
            sink.send(': ping\n\n')
          })
          return () => {
            cancel()
            stopPing()
            this.#open.delete(end)
            const left = (this.#perAddress.get(address) ?? 1) - 1
            if (left <= 0) this.#perAddress.delete(address)
            else this.#perAddress.set(address, left)
          }
        },
      },
    }
  }

  /** Ends all streams, for stopping. */
  endAll(): void {
    for (const end of [...this.#open]) end()
  }
}

export function eventRoutes(streams: Pick<EventStreams, 'open'>): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/events',
      guard: 'stream',
      operation: 'followEvents',
      summary: 'News as server-sent events; an event "reset" says that some were missed',
      description:
        'A stream of server-sent events. Each has an id; a client that lost the line sends the last one as `Last-Event-ID` and goes on there. After `reset` it has to read everything anew. A comment comes every 15 seconds; who reads too slowly is dropped. The types are `session.opened`, `session.changed`, `session.ended`, `detachment.changed`, `license.changed`, `product.changed`, `queue.changed`, `configuration.changed`, `health.changed`, `serving.changed`, `reserve.changed`, `site.changed`, `manager.changed`, `search.changed` and `search.step`; their data name things by id.',
      example: eventsExample,
      headers: { 'Last-Event-ID': { description: 'id of the last event that came', required: false } },
      query: eventsQuery,
      answers: { 200: { description: 'A stream that stays open', types: ['text/event-stream'] } },
      errors: ['too_many_requests'],
      handle({ headers, query, address }) {
        const last = headers['last-event-id'] ?? query.after
        return streams.open(address, typeof last === 'string' && last !== '' ? last : undefined, query.types)
      },
    }),
  ]
}
