/**
 * What the pages need of the journal, the history, the last refusals and the diagnostics.
 * Types only; must not import owners.
 */
import type { ErrorCode } from '../../errors.ts'
import type { JournalLine, JournalVerdict } from '../api/agent-shapes.ts'
import type { Explanation } from '../api/shapes.ts'

export interface JournalWish {
  readonly type?: string | undefined
  readonly product?: string | undefined
  readonly user?: string | undefined
  readonly text?: string | undefined
  /** Wall times in ms; from inclusive, until exclusive. */
  readonly from?: number | undefined
  readonly until?: number | undefined
}

export interface JournalPart {
  /** The newest first. `to` is the sequence number to go on from; a page looks at a bounded number of entries. */
  page(
    wish: JournalWish,
    limit: number,
    to?: number,
  ): Promise<{
    readonly entries: readonly JournalLine[]
    readonly older: number | undefined
    readonly looked: number
  }>
  get(sequence: number): Promise<JournalLine | undefined>
  /** The oldest first, read as it is taken. */
  lines(wish: JournalWish): AsyncIterable<JournalLine>
  verify(): Promise<JournalVerdict>
}

export interface Usage {
  readonly products: readonly {
    readonly product: string
    readonly peaks: readonly number[]
    readonly denials: readonly number[]
  }[]
  /** Wall time in ms from which on it is known; undefined while it is still being read. */
  readonly since: number | undefined
}

export interface HistoryPart {
  /** Most seats in use and denials between each boundary (wall time in ms, upward) and the next. */
  read(boundaries: readonly number[]): Promise<Usage>
}

export interface RefusedSeat {
  readonly id: string
  readonly product: string
  readonly feature?: string
  readonly seats: number
  readonly user: string
  readonly host: string
  readonly application: string
  readonly address: string
  readonly code: ErrorCode
  readonly times: number
  readonly firstAt: string
  readonly lastAt: string
  /** What was said then; absent where only the journal knows of it. */
  readonly detail?: string
  readonly explanation?: Explanation
  readonly rule?: string
  /** What would be said now. */
  readonly now?: Explanation
}

export interface RefusalsPart {
  /** The last ones, the newest first. */
  list(): readonly RefusedSeat[]
}

export interface DiagnosticsPart {
  sections(): readonly {
    readonly name: string
    readonly facts: readonly { readonly name: string; readonly value: string }[]
  }[]
  /** The same as a text to send on. */
  text(): string
}
