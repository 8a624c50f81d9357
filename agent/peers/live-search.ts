/**
 * One search that people watch: what was tried, step by step. Owns the steps; addresses that took no connection in a sweep are
 * told together, so that a large range neither floods the watchers nor hides what was found.
 */
import { type Place, showPlace } from '../domain/place.ts'
import type { FoundBy } from './finders/finder.ts'
import type { ProbeResult } from './prober.ts'
import type { Probe } from './probes.ts'

export interface SearchStep {
  /** A later step with the same number takes the place of the one before. */
  readonly number: number
  readonly address: string
  readonly foundBy: FoundBy
  /** How far it came. */
  readonly step: 'name' | 'connect' | 'tls' | 'identity' | 'version' | 'answer'
  readonly result: 'running' | 'found' | 'self' | 'failed' | 'nothing'
  readonly detail: string
  readonly ms?: number
  /** How many addresses the step stands for. */
  readonly addresses: number
  readonly agent?: { readonly id: string; readonly name: string }
}

export interface SearchView {
  readonly id: string
  readonly state: 'running' | 'done'
  readonly startedAt: string
  readonly endedAt?: string
  /** Addresses that were tried. */
  readonly tried: number
  /** Agents that answered. */
  readonly found: number
  readonly steps: readonly SearchStep[]
  readonly notes: readonly string[]
}

const mostSteps = 2000

export interface LiveSearchParts {
  readonly id: string
  readonly self: string
  /** Wall time in ms. */
  readonly wall: () => number
  readonly cleanName: (text: string) => string
  readonly onStep: (step: SearchStep) => void
}

export class LiveSearch {
  readonly #parts: LiveSearchParts
  readonly #startedAt: number
  #endedAt: number | undefined
  readonly #steps = new Map<number, SearchStep>()
  readonly #notes = new Set<string>()
  readonly #found = new Set<string>()
  #count = 0
  #tried = 0
  #silent: { first: Place; last: Place; addresses: number } | undefined

  constructor(parts: LiveSearchParts) {
    this.#parts = parts
    this.#startedAt = parts.wall()
  }

  get id(): string {
    return this.#parts.id
  }

  get isRunning(): boolean {
    return this.#endedAt === undefined
  }

  /** A probe begins. @returns what has to be told how it ended */
  begin({ place, foundBy }: Probe): (result: ProbeResult) => void {
    const step = { number: ++this.#count, address: showPlace(place), foundBy, addresses: 1 } as const
    this.#tried += foundBy === 'sweep' ? 0 : 1
    this.#add({ ...step, step: 'connect', result: 'running', detail: '' })
    return (result) => {
      if (!this.isRunning) return
      if (result.kind === 'unreachable') {
        this.#add({ ...step, step: result.step, result: 'failed', detail: result.detail })
        return
      }
      const { agent: id, name } = result.hello
      const isSelf = id === this.#parts.self
      if (!isSelf) this.#found.add(id)
      this.#add({
        ...step,
        step: 'answer',
        result: isSelf ? 'self' : 'found',
        detail: '',
        ms: result.latency,
        agent: { id, name: this.#parts.cleanName(name) },
      })
    }
  }

  /** An address of a sweep was tried; those that answer are probed, and told then. */
  tried(place: Place, answers: boolean): void {
    this.#tried += 1
    if (answers) return
    const silent = this.#silent
    if (silent === undefined) this.#silent = { first: place, last: place, addresses: 1 }
    else {
      silent.last = place
      silent.addresses += 1
    }
  }

  /** Tells what was gathered; called every now and then while it runs. */
  flush(): void {
    if (this.#silent === undefined) return
    const { first, last, addresses } = this.#silent
    this.#silent = undefined
    this.#add({
      number: ++this.#count,
      address: addresses === 1 ? showPlace(first) : `${first.host} to ${showPlace(last)}`,
      foundBy: 'sweep',
      step: 'connect',
      result: 'nothing',
      detail: '',
      addresses,
    })
  }

  note(text: string): void {
    this.#notes.add(text)
  }

  end(): void {
    if (!this.isRunning) return
    this.flush()
    this.#endedAt = this.#parts.wall()
  }

  view(): SearchView {
    return {
      id: this.id,
      state: this.isRunning ? 'running' : 'done',
      startedAt: new Date(this.#startedAt).toISOString(),
      ...(this.#endedAt === undefined ? {} : { endedAt: new Date(this.#endedAt).toISOString() }),
      tried: this.#tried,
      found: this.#found.size,
      steps: [...this.#steps.values()],
      notes: [...this.#notes],
    }
  }

  #add(step: SearchStep): void {
    this.#steps.set(step.number, step)
    if (this.#steps.size > mostSteps) {
      const [oldest] = this.#steps.keys()
      if (oldest !== undefined) this.#steps.delete(oldest)
    }
    this.#parts.onStep(step)
  }
}
