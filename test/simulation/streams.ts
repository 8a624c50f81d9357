/**
 * One stream of events from an agent to another: in order while it holds; when it breaks, each end notices in its own time, and
 * what was on the way or is sent meanwhile is lost.
 */
import type { Cancel } from '../../agent/clock.ts'
import type { PeerEvent } from '../../agent/peers/wire.ts'
import type { SimulatedProcess } from './machine.ts'
import type { Site } from './site.ts'
import type { Wires } from './wires.ts'
import type { World } from './world.ts'

export interface StreamListener {
  readonly onEvent: (name: string, data: unknown) => void
  readonly onEnd: (detail: string) => void
}

export interface StreamEnds {
  /** Who listens. */
  readonly from: Site
  /** Its process. */
  readonly process: SimulatedProcess
  /** Who tells. */
  readonly to: Site
  readonly listener: StreamListener
}

/** In ms. Silence is noticed after this at the latest. */
const longestSilence = 50_000

export class EventStream {
  readonly #world: World
  readonly #wires: Wires
  readonly #ends: StreamEnds
  readonly #teller: SimulatedProcess | undefined
  #leave: Cancel | undefined
  #isBroken = false

  constructor(world: World, wires: Wires, ends: StreamEnds) {
    this.#world = world
    this.#wires = wires
    this.#ends = ends
    this.#teller = ends.to.process
  }

  touches(site: Site): boolean {
    return site === this.#ends.from || site === this.#ends.to
  }

  joins(one: Site, other: Site): boolean {
    return this.touches(one) && this.touches(other)
  }

  open(opened: (close: Cancel) => void): void {
    const { from, to } = this.#ends
    this.#send(() => opened(() => this.#close()))
    this.#leave = to.openStream(from, {
      onEvent: (event) => this.#tell(event),
      onReplaced: () => this.break(),
    })
  }

  /** Both ends notice sooner or later. */
  break(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#wires.forget(this)
    const { from, to, process, listener } = this.#ends
    const { random } = this.#world
    const soonOrLate = (): readonly [number, number] => (random.chance(0.6) ? [1, 500] : [1, longestSilence])
    const hear = (): void => {
      if (from.process === process) listener.onEnd('it broke off')
    }
    this.#wires.post(from, hear, { delay: soonOrLate() })
    this.#wires.post(to, () => this.#hangUp(), { delay: soonOrLate() })
  }

  /** The listener ends it. */
  #close(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#wires.forget(this)
    this.#wires.post(this.#ends.to, () => this.#hangUp())
  }

  #hangUp(): void {
    if (this.#ends.to.process === this.#teller) this.#leave?.()
  }

  #tell({ kind, ...data }: PeerEvent): void {
    const { from, to, listener } = this.#ends
    this.#world.say(
      `${to.name} tells ${from.name}: ${kind} ${JSON.stringify(data)}${this.#isBroken ? ', in vain' : ''}`,
    )
    this.#send(() => listener.onEvent(kind, JSON.parse(JSON.stringify(data))))
  }

  #send(deliver: () => void): void {
    if (this.#isBroken) return
    const { from, process } = this.#ends
    this.#wires.post(
      from,
      () => {
        if (from.process === process) deliver()
      },
      { stream: this },
    )
  }
}
