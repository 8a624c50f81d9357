/**
 * News of sessions as the agent tells them, over one stream for all sessions of this process, so that an end that was ordered
 * is known at once and not at the next heartbeat (R5). Owns the stream; without it heartbeats tell the same, later.
 * Must not import anything of the agent.
 */
import { StringDecoder } from 'node:string_decoder'
import { z } from 'zod'
import type { Cancel, Timers } from '../clock.ts'
import type { AgentReply, CallAgent } from './call-agent.ts'

const path = '/api/v1/events?types=session.changed,session.ended'
/** ms; the longest that a timer can take. The stream is opened anew after it. */
const longestStream = 2 ** 31 - 1
const firstPause = 1_000
const longestPause = 60_000
/** Characters; no event of the agent is as long. */
const longestEvent = 64 * 1024

const about = z.looseObject({ id: z.string() })

export class AgentNews {
  readonly #call: CallAgent
  readonly #timers: Timers
  readonly #followers = new Map<string, Set<() => void>>()
  #stopper: AbortController | undefined

  constructor(call: CallAgent, timers: Timers) {
    this.#call = call
    this.#timers = timers
  }

  /** Calls `hear` when there may be news of a session: something happened to it, or the stream was away. */
  follow(id: string, hear: () => void): Cancel {
    const followers = this.#followers.get(id) ?? new Set()
    this.#followers.set(id, followers.add(hear))
    if (this.#stopper === undefined) {
      this.#stopper = new AbortController()
      void this.#read(this.#stopper.signal)
    }
    return () => {
      followers.delete(hear)
      if (followers.size === 0 && this.#followers.get(id) === followers) this.#followers.delete(id)
      if (this.#followers.size > 0) return
      this.#stopper?.abort()
      this.#stopper = undefined
    }
  }

  async #read(signal: AbortSignal): Promise<void> {
    let pause = firstPause
    while (!signal.aborted) {
      let isOpen = false
      const take = splitEvents((event) => this.#tell(event))
      const reply = await this.#call({
        method: 'GET',
        path,
        patience: longestStream,
        signal,
        quiet: true,
        sink: (piece) => {
          if (!isOpen) this.#tellAll()
          isOpen = true
          take(piece)
        },
      })
      pause = isOpen ? firstPause : pauseAfter(reply, pause)
      await this.#wait(pause, signal)
    }
  }

  #tell(event: string): void {
    const data = /^data: ?(.*)$/m.exec(event)?.[1]
    if (/^event: ?reset$/m.test(event)) this.#tellAll()
    else if (data !== undefined) {
      const id = about.safeParse(parse(data)).data?.id
      if (id !== undefined) for (const hear of [...(this.#followers.get(id) ?? [])]) hear()
    }
  }

  #tellAll(): void {
    for (const followers of [...this.#followers.values()]) for (const hear of [...followers]) hear()
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#timers.after(ms, end)
      signal.addEventListener('abort', end, { once: true })
    })
  }
}

/** An agent that has too many streams, or asks for a sign-in, is not asked all the time. */
function pauseAfter(reply: AgentReply, before: number): number {
  const told = reply.kind === 'refused' ? (reply.problem.retryIn ?? 60) * 1000 : 0
  return Math.min(Math.max(told, before * 2), longestPause)
}

function splitEvents(each: (event: string) => void): (piece: Buffer) => void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return (piece) => {
    const events = (rest + decoder.write(piece)).split('\n\n')
    rest = events.pop() ?? ''
    if (rest.length > longestEvent) throw new Error('an event is too long')
    for (const event of events) each(event)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
