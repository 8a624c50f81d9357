/**
 * An agent of a few lines for tests of the client: it answers as it is told, on the time that the test moves, and notes what
 * it heard. What it answers by itself is right by the interface.
 */
import { type OpenSessionOptions, openSession, type Session } from 'leasehold/client'
import type { AgentCall, AgentReply, CallAgent } from '../../agent/client/call-agent.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

export const second = 1_000
export const minute = 60 * second

export function refused(code: string, more: object = {}): AgentReply {
  return { kind: 'refused', problem: { code, detail: `${code}.`, ...more }, text: '' }
}

export function answered(value: unknown, status = 200): AgentReply {
  return { kind: 'answered', status, text: JSON.stringify(value), value }
}

export const lost: AgentReply = { kind: 'no-answer', detail: 'the connection broke' }
export const gone: AgentReply = { kind: 'no-agent' }

export type What = 'open' | 'beat' | 'look' | 'close' | 'news'

export interface Heard {
  readonly what: What
  /** Manual time in ms. */
  readonly at: number
  /** The Idempotency-Key, or the id of the session. */
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
}

/** `seat`: as usual; `hang`: nothing until the caller's patience is over. */
export type Reaction = AgentReply | 'seat' | 'hang'

export class ScriptedAgent {
  readonly clock: ManualClock
  readonly heard: Heard[] = []
  open: (body: Heard['body']) => Reaction = () => 'seat'
  beat: (body: Heard['body']) => Reaction = () => 'seat'
  look: () => Reaction = () => answered({ state: 'active' })
  close: () => Reaction = () => answered(undefined, 204)
  news: () => AgentReply | 'stream' = () => 'stream'
  /** ms from a call to its answer. */
  delay = 0
  expiresIn = 600
  /** More members of every seat. */
  more: object | ((body: Heard['body']) => object) = {}
  #streams = new Set<{ send(text: string): void; end(): void }>()

  /** @param wall what the wall clock says at first, in ms */
  constructor(wall?: number) {
    this.clock = new ManualClock(wall)
  }

  readonly call: CallAgent = async (call) => {
    const what = whatOf(call)
    const id = call.headers?.['Idempotency-Key'] ?? call.path.split('/').at(-1) ?? ''
    const body = (call.body ?? {}) as Heard['body']
    this.heard.push({ what, at: this.clock.atMost(), id, body })
    if (what === 'news') return this.#stream(call)
    const reaction = this[what](body)
    if (reaction === 'hang') return this.#later(call, call.patience ?? 30_000, lost)
    const reply = reaction === 'seat' ? answered(this.seat(body)) : reaction
    return this.delay > 0 ? this.#later(call, this.delay, reply) : reply
  }

  seat(body: Heard['body']): object {
    const { expiresIn } = this
    return {
      id: 'session-1',
      key: 'key',
      product: 'acme/cad',
      seats: body.seats ?? 1,
      state: 'active',
      source: { kind: 'license', manager: { id: 'agent-1', name: 'WS-17' } },
      expiresIn,
      renewIn: Math.floor(expiresIn / 3),
      ...(typeof this.more === 'function' ? this.more(body) : this.more),
    }
  }

  heardOf(what: What): readonly Heard[] {
    return this.heard.filter((one) => one.what === what)
  }

  /** What it heard, without the stream of news and looks. */
  get calls(): readonly string[] {
    return this.heard.filter(({ what }) => what !== 'news' && what !== 'look').map(({ what }) => what)
  }

  get streams(): number {
    return this.#streams.size
  }

  /** Something happened to a session, told on every stream, in two pieces. */
  async tell(type: string, id = 'session-1'): Promise<void> {
    for (const stream of this.#streams) {
      stream.send(`id: a.1\nevent: ${type}\nda`)
      stream.send(`ta: {"id":"${id}","product":"acme/cad"}\n\n`)
    }
    await this.clock.run(0)
  }

  async breakStreams(): Promise<void> {
    for (const stream of this.#streams) stream.end()
    await this.clock.run(0)
  }

  /** Opens a session, which must be given; time stands still meanwhile. */
  async session(options: Partial<OpenSessionOptions> = {}): Promise<Session> {
    const outcome = await openSession({ product: 'acme/cad', ...options }, { ...this.surroundings })
    if (outcome.kind === 'refused') throw new Error(`${outcome.code}: ${outcome.detail}`)
    await this.clock.run(0)
    return outcome.session
  }

  get surroundings() {
    const { clock, call } = this
    return { clock, timers: clock, call }
  }

  #stream(call: AgentCall): AgentReply | Promise<AgentReply> {
    const reaction = this.news()
    if (reaction !== 'stream') return reaction
    return new Promise((resolve) => {
      const stream = {
        send: (text: string) => void call.sink?.(Buffer.from(text)),
        end: () => {
          this.#streams.delete(stream)
          resolve(call.signal?.aborted ? { kind: 'stopped' } : lost)
        },
      }
      call.signal?.addEventListener('abort', stream.end)
      this.#streams.add(stream)
      stream.send('retry: 3000\n\n')
    })
  }

  #later(call: AgentCall, ms: number, reply: AgentReply): Promise<AgentReply> {
    return new Promise((resolve) => {
      const stop = (): void => {
        cancel()
        resolve({ kind: 'stopped' })
      }
      const cancel = this.clock.after(ms, () => {
        call.signal?.removeEventListener('abort', stop)
        resolve(reply)
      })
      call.signal?.addEventListener('abort', stop)
    })
  }
}

function whatOf({ method, path }: AgentCall): What {
  if (path.startsWith('/api/v1/events')) return 'news'
  return ({ POST: 'open', PUT: 'beat', GET: 'look', DELETE: 'close', PATCH: 'beat' } as const)[method]
}
