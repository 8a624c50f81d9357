/**
 * What finds places where agents may be. A hint is nothing but that: whoever answers there has to prove who it is.
 * Ports only; imports the domain's place.
 */
import type { Place } from '../../domain/place.ts'

export const waysFound = ['broadcast', 'configured', 'sweep', 'gossip', 'remembered', 'asked'] as const
/** How an agent or a place of it came to be known; `asked`: it asked for seats here. */
export type FoundBy = (typeof waysFound)[number]

export interface Hint {
  readonly place: Place
  readonly foundBy: FoundBy
  /** Only this agent is meant. */
  readonly id?: string
  /** Over how many agents the hint came. */
  readonly hops?: number
}

/** One look around, as a finder tells it. */
export interface Look {
  readonly signal: AbortSignal
  hint(hint: Hint): void
  /** An address that was tried below TLS. */
  tried(place: Place, answers: boolean): void
  /** Something that people who watch should know, such as what is not searched. */
  note(text: string): void
}

export interface Finder {
  readonly foundBy: FoundBy
  /** ms from one look to the next. */
  readonly every: number
  /** Whether the settings want it now. */
  isOn(): boolean
  /** Looks once, until it is done or the signal aborts. Hints may come later, too. Never rejects. */
  find(look: Look): Promise<void>
  /** The settings want it no more: a finder that goes on listening between its looks ends that. */
  rest?(): void
}
