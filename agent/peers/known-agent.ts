/**
 * One agent as this one knows it: where it was found, whether it answers, what it offers. What it says of itself is cut and
 * cleaned. Owned by the directory, which alone changes it.
 */
import type { Elapsed } from '../clock.ts'
import { type Place, showPlace } from '../domain/place.ts'
import type { FoundBy, Hint } from './finders/finder.ts'
import type { Answered, KnownPeer } from './prober.ts'
import type { Offer, Offers } from './wire.ts'

/** `asking`: known, and not asked yet since the start. */
export const agentStates = [
  'asking',
  'reachable',
  'refusing',
  'pending',
  'unreachable',
  'wrong_identity',
  'other_version',
] as const
export type AgentState = (typeof agentStates)[number]

export interface Condition {
  readonly state: AgentState
  /** A sentence for people; empty where there is nothing to say. */
  readonly detail: string
  /** Why it gives out nothing, as it says. */
  readonly code?: string
}

export interface KnownPlace {
  readonly place: Place
  readonly foundBy: ReadonlySet<FoundBy>
  /** Wall time in ms of its last answer there. */
  readonly answeredAt?: number
}

interface PlaceFacts {
  readonly place: Place
  readonly foundBy: Set<FoundBy>
  answeredAt?: number
  /** Counts up with every answer, to tell which is the last. */
  order: number
}

const mostPlaces = 16
export class KnownAgent implements KnownPeer {
  readonly id: string
  name: string
  version: string | undefined
  condition: Condition = { state: 'asking', detail: '' }
  /** ms of the last round trip. */
  latency: number | undefined
  /** ms by which its clock is ahead of ours. */
  clockDifference: number | undefined
  /** Wall time in ms. */
  lastSeen: number | undefined
  offers: readonly Offer[] = []
  /** Over how many agents it was found. */
  hops: number
  /** Since when nothing was heard of it, for forgetting. */
  heardAt: Elapsed
  isVisited = false
  readonly #places = new Map<string, PlaceFacts>()
  #answers = 0
  #size = 0

  constructor(id: string, name: string, heardAt: Elapsed, hops = 0) {
    this.id = id
    this.name = cleanName(name)
    this.heardAt = heardAt
    this.hops = hops
  }

  /** The place of its last answer first, then what was typed. */
  get places(): readonly Place[] {
    return this.#sorted().map(({ place }) => place)
  }

  get addresses(): readonly string[] {
    return this.places.map(showPlace)
  }

  get knownPlaces(): readonly KnownPlace[] {
    return this.#sorted()
  }

  get foundBy(): readonly FoundBy[] {
    return [...new Set([...this.#places.values()].flatMap(({ foundBy }) => [...foundBy]))]
  }

  has(place: Place): boolean {
    return this.#places.has(showPlace(place))
  }

  /** How the place was found at first. */
  foundAt(place: Place): FoundBy {
    const [first = 'remembered'] = this.#places.get(showPlace(place))?.foundBy ?? []
    return first
  }

  isTyped(place: Place): boolean {
    return this.#places.get(showPlace(place))?.foundBy.has('configured') ?? false
  }

  /** @returns false when there are too many, and none to give up for it */
  add({ place, foundBy, hops = 0 }: Hint): boolean {
    const key = showPlace(place)
    this.hops = Math.min(this.hops, hops)
    const known = this.#places.get(key)
    if (known !== undefined) {
      known.foundBy.add(foundBy)
      return true
    }
    if (this.#places.size >= mostPlaces) {
      const spare = this.#sorted().findLast((one) => one.answeredAt === undefined && !one.foundBy.has('configured'))
      if (spare === undefined) return false
      this.#places.delete(showPlace(spare.place))
    }
    this.#places.set(key, { place, foundBy: new Set([foundBy]), order: 0 })
    return true
  }

  drop(place: Place): void {
    this.#places.delete(showPlace(place))
  }

  /** @param wall ms since 1970 at the answer */
  noteAnswer(place: Place, { hello, latency, clockDifference }: Answered, wall: number, now: Elapsed): void {
    const facts = this.#places.get(showPlace(place))
    if (facts !== undefined) {
      facts.answeredAt = wall
      facts.order = ++this.#answers
    }
    this.name = cleanName(hello.name)
    this.version = cleanName(hello.version)
    this.latency = latency
    this.clockDifference = clockDifference
    this.lastSeen = wall
    this.heardAt = now
  }

  /** Offers, features and licenses that are kept, counted together. */
  get size(): number {
    return this.#size
  }

  /** @param most so many offers, features and licenses at most */
  keepOffers({ offers }: Pick<Offers, 'offers'>, most: number): void {
    const kept: Offer[] = []
    let size = 0
    for (const offer of offers) {
      const more = 1 + offer.features.length + offer.licenses.length
      if (size + more > most) break
      size += more
      kept.push(offer)
    }
    this.offers = kept
    this.#size = size
  }

  #sorted(): readonly PlaceFacts[] {
    return [...this.#places.values()].sort(
      (a, b) => b.order - a.order || Number(b.foundBy.has('configured')) - Number(a.foundBy.has('configured')),
    )
  }
}

/** Control characters, halves of characters, and marks that turn the direction of writing. */
const unshowable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

export function cleanName(text: string): string {
  return [...text.replace(unshowable, '')].slice(0, 64).join('').trim()
}
