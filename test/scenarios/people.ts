/**
 * Applications that come, work and go on several agents, and know what they were promised: whoever counts them sees from outside
 * whether a seat is used twice (invariant 3).
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { RealAgent } from './real-agent.ts'
import { seatIn } from './real-agent.ts'

interface Working {
  readonly at: RealAgent
  readonly key: string
  /** `performance.now()` until which it may work, counted from before it asked. */
  until: number
}

/** Random numbers that come again with the same seed. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class People {
  readonly #seats: number
  readonly #random: () => number
  readonly #working = new Map<string, Working>()
  #isOver = false
  most = 0
  opened = 0
  refused = 0
  lost = 0
  /** Moments at which more worked than there are seats. */
  readonly violations: string[] = []

  constructor(seats: number, random: () => number) {
    this.#seats = seats
    this.#random = random
  }

  /** Who works at the moment, by what they were promised. */
  get working(): number {
    const now = performance.now()
    return [...this.#working.values()].filter(({ until }) => until > now).length
  }

  /** One person at a machine: takes a seat, works for a few seconds, goes. Ends after `stop`. */
  async work(agent: () => RealAgent, account: string): Promise<void> {
    while (!this.#isOver) {
      await pause(100 + this.#random() * 900)
      const id = await this.#begin(agent(), account)
      if (id === undefined) continue
      const leaveAt = performance.now() + 1000 + this.#random() * 12_000
      while (!this.#isOver && performance.now() < leaveAt && this.#working.has(id)) {
        await pause(500 + this.#random() * 1500)
        await this.#beat(id)
      }
      await this.#leave(id)
    }
  }

  stop(): void {
    this.#isOver = true
  }

  async #begin(at: RealAgent, account: string): Promise<string | undefined> {
    const askedAt = performance.now()
    const reply = await at.open(randomUUID(), { user: { account } }).catch(() => undefined)
    if (reply === undefined || reply.status !== 201) {
      this.refused += 1
      return undefined
    }
    const { id, key, expiresIn } = seatIn(reply)
    this.opened += 1
    this.#working.set(id, { at, key, until: askedAt + expiresIn * 1000 })
    const { working } = this
    this.most = Math.max(this.most, working)
    if (working > this.#seats) this.violations.push(`${working} work at the same time, with ${this.#seats} seats`)
    return id
  }

  async #beat(id: string): Promise<void> {
    const one = this.#working.get(id)
    if (one === undefined) return
    const askedAt = performance.now()
    const headers = { 'session-key': one.key }
    const reply = await one.at.ask('PUT', `/sessions/${id}`, {}, headers).catch(() => undefined)
    const { expiresIn } = reply?.body ?? {}
    if (reply?.status === 200 && typeof expiresIn === 'number') one.until = askedAt + expiresIn * 1000
    // Whoever is told that it is over stops, and so does whoever hears nothing in time.
    if (reply?.status === 410 || one.until <= performance.now()) {
      this.lost += 1
      this.#working.delete(id)
    }
  }

  async #leave(id: string): Promise<void> {
    const one = this.#working.get(id)
    if (one === undefined) return
    this.#working.delete(id)
    await one.at.ask('DELETE', `/sessions/${id}`, undefined, { 'session-key': one.key }).catch(() => undefined)
  }
}
