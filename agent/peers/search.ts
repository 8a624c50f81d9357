/**
 * Searching for agents: rounds of all finders that the settings want, visits to the agents that are known, and the search that
 * people watch. Owns when what is searched; the directory owns what is found.
 */
import { setMaxListeners } from 'node:events'
import type { Cancel, Clock, Elapsed, Timers } from '../clock.ts'
import type { Directory } from './directory.ts'
import type { Finder, Look } from './finders/finder.ts'
import type { GossipFinder } from './finders/gossip.ts'
import { cleanName } from './known-agent.ts'
import { LiveSearch, type SearchStep, type SearchView } from './live-search.ts'
import type { Probes } from './probes.ts'

const searchEvery = 30_000
const flushEvery = 500
/** ms from the start until seats are asked for although the first search is not done. */
const settleAfter = 3000
/** Hints of one finder that are looked into between two of its looks. */
const mostHints = 2000
/** A live search asks the agents that it found whom they know, and those once more. */
const gossipRounds = 2

export interface SearchParts {
  readonly directory: Directory
  readonly finders: readonly Finder[]
  readonly gossip: Pick<GossipFinder, 'refresh'>
  readonly probes: Pick<Probes, 'watch'>
  readonly clock: Clock
  readonly timers: Timers
  readonly self: string
  readonly newId: () => string
  /** “Allow Access to Remote Licenses”. */
  readonly isAllowed: () => boolean
  readonly onStep: (search: string, step: SearchStep) => void
  readonly onState: (view: Pick<SearchView, 'id' | 'state'>) => void
}

interface RunningLook {
  readonly stopper: AbortController
  readonly done: Promise<void>
}

export class Search {
  readonly #parts: SearchParts
  readonly #running = new Map<Finder, RunningLook>()
  readonly #lookedAt = new Map<Finder, Elapsed>()
  #live: LiveSearch | undefined
  readonly #stops: Cancel[] = []
  #isStopped = false

  constructor(parts: SearchParts) {
    this.#parts = parts
  }

  start(): void {
    const { timers, directory } = this.#parts
    directory.restore()
    this.#stops.push(
      timers.every(searchEvery, () => void this.#round()),
      timers.every(flushEvery, () => this.#live?.flush()),
      timers.after(settleAfter, () => directory.settle()),
    )
    void this.#round().then(() => directory.settle())
  }

  stop(): void {
    this.#isStopped = true
    for (const stop of this.#stops.splice(0)) stop()
    this.#stopLooks()
    this.#live?.end()
    this.#parts.directory.stop()
  }

  /** A search that people watch; the running one if there is one. */
  search(): SearchView {
    if (this.#live?.isRunning) return this.#live.view()
    return this.#startLive().view()
  }

  /** The settings have changed: what they want is done now, and what they want no more ends now. */
  submit(): SearchView {
    this.#live?.end()
    return this.#startLive().view()
  }

  /** The last search that people watched. */
  view(): SearchView | undefined {
    return this.#live?.view()
  }

  #startLive(): LiveSearch {
    const { newId, self, clock, probes, directory, gossip, onState } = this.#parts
    this.#stopLooks()
    directory.forgetOwnPlaces()
    gossip.refresh()
    const id = newId()
    const live = new LiveSearch({
      id,
      self,
      wall: () => clock.wall(),
      cleanName,
      onStep: (step) => this.#parts.onStep(id, step),
    })
    this.#live = live
    onState({ id, state: 'running' })
    const unwatch = probes.watch((probe) => live.begin(probe))
    void this.#runLive(live).then(() => {
      unwatch()
      live.end()
      onState({ id, state: 'done' })
    })
    return live
  }

  async #runLive(live: LiveSearch): Promise<void> {
    this.#lookedAt.clear()
    await this.#round(true)
    if (!this.#parts.isAllowed()) {
      live.note('Access to remote licenses is switched off, so nothing is searched.')
      return
    }
    for (let round = 0; round < gossipRounds && live.isRunning; round++)
      await Promise.all(this.#parts.finders.filter(({ foundBy }) => foundBy === 'gossip').map((one) => this.#look(one)))
  }

  /** @param whole waits for sweeps, too */
  async #round(whole = false): Promise<void> {
    const { directory, clock, isAllowed, finders } = this.#parts
    if (this.#isStopped) return
    directory.forgetOld()
    const now = clock.atMost()
    // A timer that fires a little early must not put it off for a whole round.
    const isDue = (finder: Finder) =>
      now - (this.#lookedAt.get(finder) ?? Number.NEGATIVE_INFINITY) >= finder.every * 0.9
    for (const finder of finders) if (!isAllowed() || !finder.isOn()) finder.rest?.()
    if (!isAllowed()) return
    const due = finders.filter(isDue)
    const looks = due.map((finder) => ({ finder, done: this.#look(finder) }))
    const awaited = looks.filter(({ finder }) => whole || finder.every <= searchEvery)
    await Promise.all([
      ...[...directory.agents].map((agent) => directory.visit(agent)),
      ...awaited.map(({ done }) => done),
    ])
  }

  /** A finder that still looks is left alone. */
  async #look(finder: Finder): Promise<void> {
    if (this.#isStopped || !finder.isOn()) return
    const running = this.#running.get(finder)
    if (running !== undefined) return await running.done
    this.#lookedAt.set(finder, this.#parts.clock.atMost())
    const stopper = new AbortController()
    // Every probe of the look listens to it.
    setMaxListeners(0, stopper.signal)
    const done = this.#run(finder, stopper.signal).finally(() => {
      if (this.#running.get(finder)?.stopper === stopper) this.#running.delete(finder)
    })
    this.#running.set(finder, { stopper, done })
    await done
  }

  async #run(finder: Finder, signal: AbortSignal): Promise<void> {
    const followed = new Set<Promise<void>>()
    let hints = 0
    const look: Look = {
      signal,
      hint: (hint) => {
        if (signal.aborted || !this.#parts.isAllowed() || ++hints > mostHints) return
        const one = this.#parts.directory.follow(hint, signal).finally(() => followed.delete(one))
        followed.add(one)
      },
      tried: (place, answers) => {
        if (!signal.aborted && this.#live?.isRunning) this.#live.tried(place, answers)
      },
      note: (text) => {
        if (this.#live?.isRunning) this.#live.note(text)
      },
    }
    await finder.find(look)
    while (followed.size > 0) await Promise.all(followed)
  }

  #stopLooks(): void {
    for (const { stopper } of this.#running.values()) stopper.abort()
    this.#running.clear()
  }
}
