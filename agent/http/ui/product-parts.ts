/**
 * What the pages need of products, features, computers and documents, in the shapes of the interface.
 * Types only; must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { Feature, Product, RecognizedDocument } from '../api/license-shapes.ts'
import type { Disconnected } from '../api/shapes.ts'

export const licenseModes = ['both', 'local', 'network'] as const
export type LicenseMode = (typeof licenseModes)[number]

/** One license's seats, as they were kept and as what is given out says. */
export interface RecountedLicense {
  readonly license: string
  readonly any: boolean
  readonly kept: number
  readonly counted: number
}

export interface ProductsPart {
  list(): readonly Product[]
  /** Where its seats come from; an empty manager is found automatically each time. */
  mode(id: string): { readonly mode: LicenseMode; readonly manager: string }
  /** Frees what is overdue, then counts anew. Refused: unknown_product, store_unavailable. */
  recount(id: string): Promise<{ readonly kind: 'recounted'; readonly licenses: readonly RecountedLicense[] } | Refusal>
}

export interface FeaturesPart {
  list(): readonly Feature[]
}

/** A user at a machine: what is used there and since when. */
export interface Computer {
  readonly id: string
  readonly host?: string
  readonly user: { readonly account?: string; readonly email?: string; readonly displayName?: string }
  /** The agent that holds the seats, where it is another one. */
  readonly agent?: { readonly id: string; readonly name: string }
  readonly addresses: readonly string[]
  readonly sessions: number
  readonly seats: number
  readonly since: string
  readonly uses: readonly {
    readonly product: string
    readonly feature?: string
    readonly seats: number
    readonly since: string
  }[]
}

export interface ComputersPart {
  /** Those first that came last. */
  list(): readonly Computer[]
  /** How many seats were in use until when, if all of its seats were freed now; undefined where that is not allowed. */
  overlapOf(id: string): { readonly seats: number; readonly until: string } | undefined
  /** Until when its applications may go on when they are told to stop. */
  endsBy(id: string): string | undefined
  /** All of its sessions; the outcome is that of the last one to be free. */
  disconnect(
    id: string,
    order: { readonly reason?: string; readonly freeNow: boolean },
  ): Promise<(Disconnected & { readonly kind: 'disconnected' }) | Refusal>
}

export interface DocumentsPart {
  /** Every block that stands in a text: what it is and what it would do, or did. Refused when there is none. */
  process(
    text: string,
    order: { readonly apply: boolean; readonly trust: boolean },
  ): Promise<{ readonly kind: 'recognized'; readonly documents: readonly RecognizedDocument[] } | Refusal>
}
