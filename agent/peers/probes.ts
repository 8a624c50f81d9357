/**
 * Probes of places, with a deadline, so many at a time, none twice at the same time; typed and known places never wait for what
 * others named. Owns the probes that run.
 */
import type { Cancel, Timers } from '../clock.ts'
import { type Place, showPlace } from '../domain/place.ts'
import type { FoundBy } from './finders/finder.ts'
import { Gate } from './gate.ts'
import type { Missed, ProbeResult, Prober } from './prober.ts'

/** ms for one agent to answer. */
export const probePatience = 2000
const atOnce = { trusted: 256, named: 64 } as const

export interface ProbesParts {
  readonly prober: Pick<Prober, 'probe'>
  readonly timers: Timers
}

export interface Probe {
  readonly place: Place
  readonly foundBy: FoundBy
  /** Only this agent is meant. */
  readonly id?: string
  /** It proved before that it is this agent. */
  readonly isKnown?: boolean
}

/** Told when a probe begins; what it answers is told how it ended. */
export type WatchProbe = (probe: Probe) => (result: ProbeResult) => void

export class Probes {
  readonly #parts: ProbesParts
  readonly #gates = { trusted: new Gate(atOnce.trusted), named: new Gate(atOnce.named) }
  readonly #running = new Map<string, Promise<ProbeResult>>()
  readonly #watchers = new Set<WatchProbe>()

  constructor(parts: ProbesParts) {
    this.#parts = parts
  }

  watch(watcher: WatchProbe): Cancel {
    this.#watchers.add(watcher)
    return () => {
      this.#watchers.delete(watcher)
    }
  }

  probe(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
    const key = `${probe.id ?? ''}@${showPlace(probe.place)}`
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const trusted = probe.foundBy === 'configured' || probe.isKnown === true
    const started = this.#gates[trusted ? 'trusted' : 'named']
      .run(() => this.#run(probe, signal))
      .finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }

  async #run(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
    if (signal.aborted) return missed('the search was ended')
    const tellers = [...this.#watchers].map((watcher) => watcher(probe))
    const result = await this.#ask(probe, signal)
    for (const tell of tellers) tell(result)
    return result
  }

  #ask({ place, id, isKnown }: Probe, signal: AbortSignal): Promise<ProbeResult> {
    const { prober, timers } = this.#parts
    const stopper = new AbortController()
    return new Promise((resolve) => {
      const finish = (result: ProbeResult): void => {
        cancel()
        signal.removeEventListener('abort', stop)
        resolve(result)
      }
      // Not even a prober that overlooks its signal keeps a place from being asked again.
      const stop = (): void => {
        stopper.abort()
        finish(missed('the search was ended'))
      }
      const cancel = timers.after(probePatience, () => {
        stopper.abort()
        finish(missed(`no answer within ${probePatience / 1000} s`))
      })
      signal.addEventListener('abort', stop, { once: true })
      prober.probe(place, id, stopper.signal, isKnown).then(finish, (error: unknown) => finish(missed(String(error))))
    })
  }
}

function missed(detail: string): Missed {
  return { kind: 'unreachable', unsent: false, step: 'answer', detail, steps: [] }
}
